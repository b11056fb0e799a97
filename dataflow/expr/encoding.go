package expr

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/zeebo/blake3"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"

	"github.com/apache/arrow-go/v18/arrow"
)

// encodingFunctions declares the functions between bytes and text, and the digests. Where bytes are expected a text
// stands for its UTF-8 encoding.
func encodingFunctions() []*function {
	const category = "encoding and hashing"
	encoding := checkWord(func(name string) bool { return strings.EqualFold(name, "hex") || strings.EqualFold(name, "base64") },
		"there is no such encoding", "'hex' and 'base64' are known")
	digest := func(name, doc, example, result string, dt arrow.DataType, mk func(*Node) kernel) *function {
		return &function{
			name: name, category: category, doc: doc, example: example, result: result,
			overloads: []overload{takes(dt, mk, pBytes), takes(dt, mk, pText)},
		}
	}
	return []*function{
		digest("md5", "The MD5 digest in hexadecimal digits.", "md5('wadi')", "0118512950ddcbc5459ad52242e0d167", typeText,
			func(*Node) kernel {
				return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
					sum := md5.Sum(c.text(0).bytes(r))
					return hex.AppendEncode(dst, sum[:]), nil
				})
			}),
		digest("sha224", "The SHA-224 digest.", "encode(sha224('a'), 'hex')",
			"abd37534c7d9a2efb9465de931cd7055ffdb8879563ae98078d6d6d5", typeBytes, sumKernel("sha224")),
		digest("sha256", "The SHA-256 digest.", "encode(sha256('a'), 'hex')",
			"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", typeBytes, sumKernel("sha256")),
		digest("sha384", "The SHA-384 digest.", "left(encode(sha384('a'), 'hex'), 16)", "54a59b9f22b0b808", typeBytes,
			sumKernel("sha384")),
		digest("sha512", "The SHA-512 digest.", "left(encode(sha512('a'), 'hex'), 16)", "1f40fc92da241694", typeBytes,
			sumKernel("sha512")),
		{
			name: "digest", category: category,
			check:   checkWord(func(name string) bool { return newHash(name) != nil }, "there is no such digest", digestNames),
			doc:     "A digest: md5, sha224, sha256, sha384, sha512, blake2s, blake2b or blake3.",
			example: "left(encode(digest('a', 'blake3'), 'hex'), 16)", result: "17762fddd969a453",
			overloads: []overload{takes(typeBytes, digestKernel, pBytes, pText), takes(typeBytes, digestKernel, pText, pText)},
		},
		{
			name: "encode", category: category, check: encoding, doc: "Bytes as text: 'hex' or 'base64' (without padding).",
			example: "encode('wadi', 'base64')", result: "d2FkaQ",
			overloads: []overload{takes(typeText, encodeKernel, pBytes, pText), takes(typeText, encodeKernel, pText, pText)},
		},
		{
			name: "decode", category: category, check: encoding, doc: "The bytes that a text in 'hex' or 'base64' stands for.",
			example: "decode('77616469', 'hex')::text", result: "wadi",
			overloads: []overload{takes(typeBytes, decodeKernel, pText, pText), takes(typeBytes, decodeKernel, pBytes, pText)},
		},
	}
}

// newHash gives the hash of this name; nil if there is none.
func newHash(name string) hash.Hash {
	switch strings.ToLower(name) {
	case "md5":
		return md5.New()
	case "sha224":
		return sha256.New224()
	case "sha256":
		return sha256.New()
	case "sha384":
		return sha512.New384()
	case "sha512":
		return sha512.New()
	case "blake2s":
		h, _ := blake2s.New256(nil)
		return h
	case "blake2b":
		h, _ := blake2b.New512(nil)
		return h
	case "blake3":
		return blake3.New()
	}
	return nil
}

func sumKernel(name string) func(*Node) kernel {
	return func(*Node) kernel {
		h := newHash(name)
		return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
			h.Reset()
			h.Write(c.text(0).bytes(r))
			return h.Sum(dst), nil
		})
	}
}

const digestNames = "md5, sha224, sha256, sha384, sha512, blake2s, blake2b and blake3 are known"

func digestKernel(*Node) kernel {
	hashes := make(map[string]hash.Hash)
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		name := c.text(1).at(r)
		h := hashes[name]
		if h == nil {
			if h = newHash(name); h == nil {
				return dst, c.badArgument("there is no such digest").
					WithHint("%s", digestNames)
			}
			hashes[strings.Clone(name)] = h
		}
		h.Reset()
		h.Write(c.text(0).bytes(r))
		return h.Sum(dst), nil
	})
}

func (c *call) unknownEncoding() error {
	return c.badArgument("there is no such encoding").WithHint("'hex' and 'base64' are known")
}

func encodeKernel(*Node) kernel {
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		switch strings.ToLower(c.text(1).at(r)) {
		case "hex":
			return hex.AppendEncode(dst, c.text(0).bytes(r)), nil
		case "base64":
			return base64.RawStdEncoding.AppendEncode(dst, c.text(0).bytes(r)), nil
		}
		return dst, c.unknownEncoding()
	})
}

func decodeKernel(*Node) kernel {
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		in, name := c.text(0).bytes(r), strings.ToLower(c.text(1).at(r))
		var err error
		switch name {
		case "hex":
			dst, err = hex.AppendDecode(dst, in)
		case "base64":
			for len(in) > 0 && in[len(in)-1] == '=' {
				in = in[:len(in)-1]
			}
			dst, err = base64.RawStdEncoding.AppendDecode(dst, in)
		default:
			return dst, c.unknownEncoding()
		}
		if err != nil {
			return dst, c.badArgument("a text is not valid %s", name).WithHint("only what encode gives can be decoded")
		}
		return dst, nil
	})
}
