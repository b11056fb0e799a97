package json

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// guard is the number of zero bytes behind the text of a scanner. Zero is valid nowhere in JSON, so every loop stops at
// the first one; the widest look ahead is 19 bytes for the time of day.
const guard = 32

// maxDepth is how deep objects and arrays may nest, the outermost object included.
const maxDepth = 128

// scanner reads JSON text behind which lie guard zero bytes. Positions are offsets into the text; a negative position
// means that the text is not JSON, and where and why then say more.
type scanner struct {
	p     unsafe.Pointer
	buf   []byte
	n     int
	where int
	why   string
}

// maxKept bounds the memory in bytes that one huge text leaves behind.
const maxKept = 4 << 20

// load makes the scanner read a copy of text.
func (s *scanner) load(text []byte) {
	if need := len(text) + guard; cap(s.buf) < need || (cap(s.buf) > maxKept && need < maxKept/2) {
		s.buf = make([]byte, need+need/2)
	}
	s.n = len(text)
	s.buf = s.buf[:cap(s.buf)]
	copy(s.buf, text)
	clear(s.buf[s.n : s.n+guard])
	s.p = unsafe.Pointer(unsafe.SliceData(s.buf))
}

// text gives the bytes from i to j, borrowed until the next load.
func (s *scanner) text(i, j int) []byte { return s.buf[i:j:j] }

// bad records why the text is not JSON at position i.
func (s *scanner) bad(i int, why string) int {
	s.where, s.why = i, why
	return -1
}

func load8(p unsafe.Pointer, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
}

func load1(p unsafe.Pointer, i int) byte { return *(*byte)(unsafe.Add(p, i)) }

// space skips whitespace.
func (s *scanner) space(i int) int {
	for {
		switch load1(s.p, i) {
		case ' ', '\n', '\t', '\r':
			i++
		default:
			return i
		}
	}
}

// What a string holds besides plain ASCII.
const (
	hasEscape = 1 << iota
	hasWide
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, in the high bit of its byte, the first byte of x that is a quote, a backslash, a control character or
// not ASCII. Marks above the first one may be wrong.
func special(x uint64) uint64 {
	q := x ^ (ones * '"')
	b := x ^ (ones * '\\')
	return ((q-ones)&^q | (b-ones)&^b | (x-ones*0x20)&^x | x) & highs
}

// stringEnd finds the closing quote of the string whose first byte is at i, checking its characters. Escapes are only
// stepped over; a caller that finds hasEscape in the flags checks or decodes them.
func (s *scanner) stringEnd(i int) (end int, flags uint8) {
	start := i
	for {
		m := special(load8(s.p, i))
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) >> 3
		switch c := load1(s.p, i); {
		case c == '"':
			if flags&hasWide != 0 && !utf8.Valid(s.buf[start:i]) {
				return s.bad(start, "a string is not valid UTF-8"), flags
			}
			return i, flags
		case c == '\\':
			if load1(s.p, i+1) < ' ' {
				return s.bad(i, "an escape is cut off"), flags
			}
			flags |= hasEscape
			i += 2
		case c >= utf8.RuneSelf:
			flags |= hasWide
			for load1(s.p, i) >= utf8.RuneSelf {
				i++
			}
		case i >= s.n:
			return s.bad(i, "a string has no end"), flags
		default:
			return s.bad(i, "a control character inside a string"), flags
		}
	}
}

// unescape appends the string between i and j to dst, decoding its escapes; ok is false, and where and why are set, if
// one of them is not valid.
func (s *scanner) unescape(dst []byte, i, j int) (_ []byte, ok bool) {
	for i < j {
		c := s.buf[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		c = s.buf[i+1]
		if c == 'u' {
			r, k := s.unicode(i, j)
			if k < 0 {
				return dst, false
			}
			dst = utf8.AppendRune(dst, r)
			i = k
			continue
		}
		if c = unescaped[c]; c == 0 {
			s.bad(i, "an unknown escape")
			return dst, false
		}
		dst = append(dst, c)
		i += 2
	}
	return dst, true
}

// unescaped maps the letter of a two-character escape to what it stands for.
var unescaped = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// unicode decodes the \uXXXX at i, or a surrogate pair of two, before j. It gives the position behind it or -1.
func (s *scanner) unicode(i, j int) (rune, int) {
	r, ok := s.hex4(i+2, j)
	if !ok {
		return 0, s.bad(i, "an incomplete \\u escape")
	}
	i += 6
	if !utf16.IsSurrogate(r) {
		return r, i
	}
	if i+6 <= j && s.buf[i] == '\\' && s.buf[i+1] == 'u' {
		if low, ok := s.hex4(i+2, j); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				return full, i + 6
			}
		}
	}
	return 0, s.bad(i-6, "half of a surrogate pair")
}

func (s *scanner) hex4(i, j int) (rune, bool) {
	if i+4 > j {
		return 0, false
	}
	var r rune
	for _, c := range s.buf[i : i+4] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// skipString checks the string whose opening quote is at i and gives the position behind it.
func (s *scanner) skipString(i int) int {
	j, flags := s.stringEnd(i + 1)
	if j < 0 {
		return j
	}
	if flags&hasEscape != 0 && !s.validEscapes(i+1, j) {
		return -1
	}
	return j + 1
}

func (s *scanner) validEscapes(i, j int) bool {
	for i < j {
		if s.buf[i] != '\\' {
			i++
			continue
		}
		if s.buf[i+1] != 'u' {
			if unescaped[s.buf[i+1]] == 0 {
				s.bad(i, "an unknown escape")
				return false
			}
			i += 2
			continue
		}
		if _, i = s.unicode(i, j); i < 0 {
			return false
		}
	}
	return true
}

// skip checks the value at i, which lies inside depth objects and arrays, and gives the position behind it.
func (s *scanner) skip(i, depth int) int {
	switch c := load1(s.p, i); c {
	case '"':
		return s.skipString(i)
	case '{':
		return s.skipObject(i, depth)
	case '[':
		return s.skipArray(i, depth)
	case 't', 'n':
		if w := uint32(load8(s.p, i)); w == wordTrue || w == wordNull {
			return i + 4
		}
	case 'f':
		if load8(s.p, i+1)&0xffffffff == wordAlse {
			return i + 5
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.skipNumber(i)
	}
	return s.badValue(i)
}

// The literals as little-endian words.
const (
	wordTrue = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24
	wordNull = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24
	wordAlse = 'a' | 'l'<<8 | 's'<<16 | 'e'<<24
)

func (s *scanner) badValue(i int) int {
	if i >= s.n {
		return s.bad(i, "it ends where a value should be")
	}
	return s.bad(i, "no value where one should be")
}

// badNext says that after a value neither a comma nor the closing bracket follows.
func (s *scanner) badNext(i int, closing byte) int {
	if i >= s.n {
		return s.bad(i, "it ends before a closing "+string(rune(closing)))
	}
	return s.bad(i, "neither a comma nor a closing "+string(rune(closing)))
}

func (s *scanner) skipObject(i, depth int) int {
	if depth >= maxDepth {
		return s.bad(i, "it nests deeper than 128 levels")
	}
	i = s.space(i + 1)
	if load1(s.p, i) == '}' {
		return i + 1
	}
	for {
		if load1(s.p, i) != '"' {
			return s.badKey(i)
		}
		if i = s.skipString(i); i < 0 {
			return i
		}
		if i = s.colon(i); i < 0 {
			return i
		}
		if i = s.skip(i, depth+1); i < 0 {
			return i
		}
		i = s.space(i)
		switch load1(s.p, i) {
		case ',':
			i = s.space(i + 1)
		case '}':
			return i + 1
		default:
			return s.badNext(i, '}')
		}
	}
}

func (s *scanner) badKey(i int) int {
	if i >= s.n {
		return s.bad(i, "it ends where a key should be")
	}
	return s.bad(i, "no key in quotes where one should be")
}

// colon steps over the colon after a key and the whitespace around it.
func (s *scanner) colon(i int) int {
	i = s.space(i)
	if load1(s.p, i) != ':' {
		if i >= s.n {
			return s.bad(i, "it ends after a key")
		}
		return s.bad(i, "no colon after a key")
	}
	return s.space(i + 1)
}

func (s *scanner) skipArray(i, depth int) int {
	if depth >= maxDepth {
		return s.bad(i, "it nests deeper than 128 levels")
	}
	i = s.space(i + 1)
	if load1(s.p, i) == ']' {
		return i + 1
	}
	for {
		if i = s.skip(i, depth+1); i < 0 {
			return i
		}
		i = s.space(i)
		switch load1(s.p, i) {
		case ',':
			i = s.space(i + 1)
		case ']':
			return i + 1
		default:
			return s.badNext(i, ']')
		}
	}
}

// skipNumber checks the number at i against the grammar and gives the position behind it.
func (s *scanner) skipNumber(i int) int {
	if load1(s.p, i) == '-' {
		i++
	}
	if load1(s.p, i) == '0' {
		i++
	} else {
		j := s.digitsEnd(i)
		if j == i {
			return s.bad(i, "a number without digits")
		}
		i = j
	}
	if load1(s.p, i) == '.' {
		j := s.digitsEnd(i + 1)
		if j == i+1 {
			return s.bad(i, "a number with nothing after its point")
		}
		i = j
	}
	if load1(s.p, i)|0x20 == 'e' {
		i++
		if c := load1(s.p, i); c == '+' || c == '-' {
			i++
		}
		j := s.digitsEnd(i)
		if j == i {
			return s.bad(i, "a number with an empty exponent")
		}
		i = j
	}
	return i
}

func (s *scanner) digitsEnd(i int) int {
	for {
		n := leadingDigits(load8(s.p, i))
		i += n
		if n < 8 {
			return i
		}
	}
}

// compact appends the value at i without whitespace and with its strings in their shortest form, and gives the position
// behind it.
func (s *scanner) compact(dst []byte, i, depth int) ([]byte, int) {
	end := s.skip(i, depth)
	if end < 0 {
		return dst, end
	}
	for i < end {
		switch c := s.buf[i]; c {
		case ' ', '\n', '\t', '\r':
			i++
		case '"':
			j, flags := s.stringEnd(i + 1)
			if flags&hasEscape == 0 {
				dst = append(dst, s.buf[i:j+1]...)
			} else {
				dst = s.requote(dst, i+1, j)
			}
			i = j + 1
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst, end
}

// requote appends the string between i and j, whose escapes are valid, escaping only what must be.
func (s *scanner) requote(dst []byte, i, j int) []byte {
	from := len(dst)
	dst, _ = s.unescape(dst, i, j)
	plain := string(dst[from:])
	return appendString(dst[:from], plain)
}
