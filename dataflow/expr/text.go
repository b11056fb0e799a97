package expr

import (
	"crypto/rand"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

const categoryText = "text"

// maxText bounds what functions that multiply text build: 64 MiB.
const maxText = 64 << 20

// textKernel computes text row by row: f appends the result for row r to dst.
func textKernel(f func(c *call, dst []byte, r int) ([]byte, error)) kernel {
	out := &bytesOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		err := c.each(func(r int) (err error) {
			if o.buf, err = f(c, o.buf[:0], r); err == nil {
				o.Set(r, o.buf)
			}
			return err
		})
		return &o.Bytes, err
	}
}

// textMap is textKernel for a plain function of one text.
func textMap(f func(dst []byte, s string) []byte) func(*Node) kernel {
	return func(*Node) kernel {
		return textKernel(func(c *call, dst []byte, r int) ([]byte, error) { return f(dst, c.text(0).at(r)), nil })
	}
}

// textNumber makes kernels of functions from texts to a number.
func textNumber[R column.Value](f func(c *call, r int) (R, error)) func(*Node) kernel {
	return func(*Node) kernel {
		out := &fixedOut[R]{}
		return func(c *call) (column.Vector, error) {
			o := out.start(c)
			err := c.each(func(r int) (err error) {
				o.Values[r], err = f(c, r)
				return err
			})
			return &o.Fixed, err
		}
	}
}

// textTest makes kernels of functions from texts to a truth value.
func textTest(f func(c *call, r int) (bool, error)) func(*Node) kernel {
	return func(*Node) kernel { return testKernel(f) }
}

func testKernel(f func(c *call, r int) (bool, error)) kernel {
	out := &boolOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		err := c.each(func(r int) error {
			v, err := f(c, r)
			o.Bits.SetTo(r, v)
			return err
		})
		return &o.Bool, err
	}
}

func textFunction(name, doc, example, result string, overloads ...overload) *function {
	return &function{name: name, category: categoryText, doc: doc, example: example, result: result, overloads: overloads}
}

func (f *function) alias(names ...string) *function {
	f.aliases = append(f.aliases, names...)
	return f
}

// textFunctions declares the functions that build or measure text. Positions and lengths count characters (code points)
// unless the name says otherwise.
func textFunctions() []*function {
	fs := []*function{
		textFunction("lower", "The text in lower case.", "lower('ÀB')", "àb", takes(typeText, textMap(appendLower), pText)),
		textFunction("upper", "The text in upper case.", "upper('àb')", "ÀB", takes(typeText, textMap(appendUpper), pText)),
		textFunction("initcap", "Every word with a capital letter first and small ones after.", "initcap('hello WORLD')",
			"Hello World", takes(typeText, textMap(appendInitcap), pText)),
		textFunction("reverse", "The characters in reverse order.", "reverse('añb')", "bña",
			takes(typeText, textMap(appendReverse), pText)),
		textFunction("ascii", "The code point of the first character, 0 for an empty text.", "ascii('é')", "233",
			takes(typeInt32, textNumber(func(c *call, r int) (int32, error) { return firstRune(c.text(0).at(r)), nil }), pText)),
		textFunction("chr", "The character with this code point.", "chr(233)", "é", takes(typeText, chrKernel, pInt)),
		textFunction("bit_length", "The number of bits.", "bit_length('é')", "16", lengthOverloads(8)...),
		textFunction("octet_length", "The number of bytes.", "octet_length('é')", "2", lengthOverloads(1)...),
		textFunction("character_length", "The number of characters.", "length('é')", "1",
			takes(typeInt32, textNumber(func(c *call, r int) (int32, error) {
				return int32(utf8.RuneCountInString(c.text(0).at(r))), nil
			}), pText)).alias("length", "char_length"),
		textFunction("repeat", "The text n times.", "repeat('ab', 3)", "ababab", takes(typeText, repeatKernel, pText, pInt)),
		textFunction("replace", "The text with every occurrence of the second text replaced by the third.",
			"replace('aXbX', 'X', '--')", "a--b--", takes(typeText, replaceKernel, pText, pText, pText)),
		textFunction("translate", "Replaces every character of the second text by the one at its place in the third, or drops it.",
			"translate('12345', '143', 'ax')", "a2x5", takes(typeText, translateKernel, pText, pText, pText)),
		textFunction("lpad", "Fills up on the left to n characters, or cuts off on the right.", "lpad('7', 3, '0')", "007",
			takes(typeText, padKernel(true), pText, pInt), takes(typeText, padKernel(true), pText, pInt, pText)),
		textFunction("rpad", "Fills up on the right to n characters, or cuts off.", "rpad('7', 3, 'ab')", "7ab",
			takes(typeText, padKernel(false), pText, pInt), takes(typeText, padKernel(false), pText, pInt, pText)),
		textFunction("overlay", "Puts the second text in place of the characters from a position on: its length, or a number of them.",
			"overlay('Txxxxas', 'hom', 2, 4)", "Thomas",
			takes(typeText, overlayKernel, pText, pText, pInt), takes(typeText, overlayKernel, pText, pText, pInt, pInt)),
		textFunction("to_hex", "The integer in hexadecimal digits; a negative one in two's complement.", "to_hex(255)", "ff",
			takes(typeText, func(*Node) kernel {
				return formatRows(func(dst []byte, v int64) []byte { return strconv.AppendUint(dst, uint64(v), 16) })
			}, pInt), takes(typeText, func(*Node) kernel {
				return formatRows(func(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 16) })
			}, exactly(typeUint64))),
		textFunction("strpos", "The position of the second text in the first, 1 being the first; 0 if it is not there.",
			"strpos('añb', 'b')", "3", takes(typeInt32, textNumber(position), pText, pText)).alias("instr", "position"),
		textFunction("find_in_set", "The position of the first text in a comma-separated list; 0 if it is not there.",
			"find_in_set('b', 'a,b,c')", "2", takes(typeInt32, textNumber(findInSet), pText, pText)),
		textFunction("levenshtein", "The number of insertions, deletions and replacements that turn one text into the other.",
			"levenshtein('kitten', 'sitting')", "3", takes(typeInt32, textNumber(func(c *call, r int) (int32, error) {
				return levenshtein([]rune(c.text(0).at(r)), []rune(c.text(1).at(r))), nil
			}), pText, pText)),
		textFunction("contains", "Whether the second text is in the first.", "contains('abc', 'bc')", "true",
			takes(typeBool, textTest(func(c *call, r int) (bool, error) {
				return strings.Contains(c.text(0).at(r), c.text(1).at(r)), nil
			}), pText, pText)),
		textFunction("starts_with", "Whether the first text starts with the second.", "starts_with('abc', 'ab')", "true",
			takes(typeBool, textTest(func(c *call, r int) (bool, error) {
				return strings.HasPrefix(c.text(0).at(r), c.text(1).at(r)), nil
			}), pText, pText)),
		textFunction("ends_with", "Whether the first text ends with the second.", "ends_with('abc', 'ab')", "false",
			takes(typeBool, textTest(func(c *call, r int) (bool, error) {
				return strings.HasSuffix(c.text(0).at(r), c.text(1).at(r)), nil
			}), pText, pText)),
	}
	uuid := textFunction("uuid", "A random UUID (version 4), another one for every row.", "length(uuid())", "36",
		takes(typeText, func(*Node) kernel { return textKernel(appendUUID) }))
	uuid.volatility = Volatile
	return append(append(fs, uuid), concatFunctions()...)
}

func lengthOverloads(factor int32) []overload {
	mk := textNumber(func(c *call, r int) (int32, error) { return int32(len(c.text(0).at(r))) * factor, nil })
	return []overload{takes(typeInt32, mk, pText), takes(typeInt32, mk, pBytes)}
}

func appendReverse(dst []byte, s string) []byte {
	for len(s) > 0 {
		_, n := utf8.DecodeLastRuneInString(s)
		dst = append(dst, s[len(s)-n:]...)
		s = s[:len(s)-n]
	}
	return dst
}

func firstRune(s string) int32 {
	if s == "" {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func chrKernel(*Node) kernel {
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		v := argOf[int64](c, 0).at(r)
		if v < 1 || v > unicode.MaxRune || !utf8.ValidRune(rune(v)) {
			return dst, c.badArgument("the number is no code point of a character").WithHint("code points go from 1 to 1114111, without those of surrogates")
		}
		return utf8.AppendRune(dst, rune(v)), nil
	})
}

// tooLong is the fault of a text that would be larger than maxText.
func (c *call) tooLong() error {
	return c.fail(fault.CodeOverflow, "%s: the text would be longer than 64 MiB", c.step.name).WithHint("repeat or fill up less")
}

func repeatKernel(*Node) kernel {
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		s, n := c.text(0).at(r), argOf[int64](c, 1).at(r)
		if n > 0 && len(s) > 0 && n > int64(maxText/len(s)) {
			return dst, c.tooLong()
		}
		for ; n > 0 && len(s) > 0; n-- {
			dst = append(dst, s...)
		}
		return dst, nil
	})
}

func replaceKernel(*Node) kernel {
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		s, from, to := c.text(0).at(r), c.text(1).at(r), c.text(2).at(r)
		for from != "" {
			i := strings.Index(s, from)
			if i < 0 {
				break
			}
			dst = append(append(dst, s[:i]...), to...)
			s = s[i+len(from):]
		}
		return append(dst, s...), nil
	})
}

func translateKernel(*Node) kernel {
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		from, to := []rune(c.text(1).at(r)), []rune(c.text(2).at(r))
		for _, ch := range c.text(0).at(r) {
			at := -1
			for i, f := range from {
				if f == ch {
					at = i
					break
				}
			}
			switch {
			case at < 0:
				dst = utf8.AppendRune(dst, ch)
			case at < len(to):
				dst = utf8.AppendRune(dst, to[at])
			}
		}
		return dst, nil
	})
}

func padKernel(left bool) func(*Node) kernel {
	return func(*Node) kernel {
		return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
			s, n, fill := c.text(0).at(r), argOf[int64](c, 1).at(r), " "
			if len(c.args) == 3 {
				fill = c.text(2).at(r)
			}
			if n > maxText {
				return dst, c.tooLong()
			}
			n = max(n, 0)
			missing := int(n) - utf8.RuneCountInString(s)
			if missing <= 0 || fill == "" {
				return append(dst, s[:runeOffset(s, n)]...), nil
			}
			if !left {
				dst = append(dst, s...)
			}
			rest := fill
			for ; missing > 0; missing-- {
				if rest == "" {
					rest = fill
				}
				_, w := utf8.DecodeRuneInString(rest)
				dst = append(dst, rest[:w]...)
				rest = rest[w:]
			}
			if left {
				dst = append(dst, s...)
			}
			return dst, nil
		})
	}
}

func overlayKernel(*Node) kernel {
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		s, with, from := c.text(0).at(r), c.text(1).at(r), argOf[int64](c, 2).at(r)
		count := int64(utf8.RuneCountInString(with))
		if len(c.args) == 4 {
			count = argOf[int64](c, 3).at(r)
		}
		if from < 1 {
			return dst, c.badArgument("the position is below 1").WithHint("the first character is at position 1")
		}
		start := runeOffset(s, from-1)
		end := start
		if total, ok := checked(opAdd, from-1, count); !ok {
			end = len(s)
		} else {
			end = runeOffset(s, total)
		}
		dst = append(append(dst, s[:start]...), with...)
		return append(dst, s[end:]...), nil
	})
}

func position(c *call, r int) (int32, error) {
	s := c.text(0).at(r)
	i := strings.Index(s, c.text(1).at(r))
	if i < 0 {
		return 0, nil
	}
	return int32(utf8.RuneCountInString(s[:i])) + 1, nil
}

func findInSet(c *call, r int) (int32, error) {
	word, list := c.text(0).at(r), c.text(1).at(r)
	for at, more := int32(1), true; more; at++ {
		var head string
		if head, list, more = strings.Cut(list, ","); head == word {
			return at, nil
		}
	}
	return 0, nil
}

func levenshtein(a, b []rune) int32 {
	row := make([]int32, len(b)+1)
	for j := range row {
		row[j] = int32(j)
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = int32(i + 1)
		for j, y := range b {
			replaced := diagonal + int32(b2i(x != y))
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

func appendUUID(_ *call, dst []byte, _ int) ([]byte, error) {
	var u [16]byte
	rand.Read(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	const digits = "0123456789abcdef"
	for i, b := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst, nil
}

// concatFunctions declares the ways to put texts together. Values of other types are cast to text.
func concatFunctions() []*function {
	return []*function{
		{
			name: "concat", category: categoryText, doc: "The texts one after the other; nulls are left out.",
			example: "concat('a', NULL, 1)", result: "a1", callsNull: true, neverNull: true, takes: "concat(any, …)",
			bind: bindTexts(1), make: func(*Node) kernel {
				return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
					for i := range c.args {
						if t := c.text(i); !t.isNull(r) {
							dst = append(dst, t.at(r)...)
						}
					}
					return dst, nil
				})
			},
		},
		{
			name: "concat_ws", category: categoryText, doc: "The texts with a separator, the first argument, between them; nulls are left out.",
			example: "concat_ws('-', 'a', NULL, 'b')", result: "a-b", callsNull: true, mayNull: true,
			takes: "concat_ws(TEXT, any, …)", bind: bindTexts(2), make: concatWithKernel,
		},
		{
			name: "concat_op", operator: "||", category: "operators", doc: "The texts one after the other; null if one is.",
			example: "'a' || 1", result: "a1", takes: "two texts, or a text and a value that has a text",
			instead: func(args []*Node) string {
				for _, a := range args {
					if isList(a.Type) && len(args) == 2 {
						return "list_concat_op"
					}
				}
				return ""
			},
			bind: bindTexts(2), make: func(*Node) kernel {
				return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
					for i := range c.args {
						dst = append(dst, c.text(i).at(r)...)
					}
					return dst, nil
				})
			},
		},
	}
}

func concatWithKernel(*Node) kernel {
	out := &bytesOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		separator := c.text(0)
		err := c.each(func(r int) error {
			if separator.isNull(r) {
				o.setNull(r)
				return nil
			}
			o.buf = o.buf[:0]
			first := true
			for i := 1; i < len(c.args); i++ {
				t := c.text(i)
				if t.isNull(r) {
					continue
				}
				if !first {
					o.buf = append(o.buf, separator.at(r)...)
				}
				first = false
				o.buf = append(o.buf, t.at(r)...)
			}
			o.Set(r, o.buf)
			return nil
		})
		return &o.Bytes, err
	}
}

// bindTexts casts all arguments, at least this many, to text; || puts two byte strings together as well.
func bindTexts(least int) func(*callSite, []*Node) ([]*Node, arrow.DataType, error) {
	return func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
		if len(args) < least {
			return nil, nil, s.mismatch(args)
		}
		dt, some := typeText, false
		for _, a := range args {
			some = some || isText(a.Type) || isNull(a.Type)
		}
		if s.fn.operator != "" {
			switch {
			case isBinary(args[0].Type) && isBinary(args[1].Type):
				dt = typeBytes
			case !some:
				return nil, nil, s.mismatch(args)
			}
		}
		out := make([]*Node, len(args))
		for i, a := range args {
			if !isPlain(a.Type) && !isNull(a.Type) && !isBinary(a.Type) {
				return nil, nil, s.mismatch(args)
			}
			c, err := CastTo(a, dt, false, s.span)
			if err != nil {
				return nil, nil, err
			}
			out[i] = c
		}
		return out, dt, nil
	}
}
