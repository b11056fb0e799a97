package expr

import (
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonDoc is a JSON text, which is walked over in place: a value is the offset at which it starts. An offset of -1 means
// that there is no such value, or that the text is not JSON where it was looked at.
type jsonDoc string

// jsonDepth bounds how deep objects and arrays may nest.
const jsonDepth = 1000

// at gives the byte at i, 0 behind the end.
func (d jsonDoc) at(i int) byte {
	if i < len(d) {
		return d[i]
	}
	return 0
}

func (d jsonDoc) space(i int) int {
	for i < len(d) && d[i] <= ' ' && (d[i] == ' ' || d[i] == '\n' || d[i] == '\t' || d[i] == '\r') {
		i++
	}
	return i
}

// plainInString are the bytes that stand for themselves in a string.
var plainInString = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

// word8 gives the eight bytes at i.
func (d jsonDoc) word8(i int) uint64 {
	_ = d[i+7]
	return uint64(d[i]) | uint64(d[i+1])<<8 | uint64(d[i+2])<<16 | uint64(d[i+3])<<24 |
		uint64(d[i+4])<<32 | uint64(d[i+5])<<40 | uint64(d[i+6])<<48 | uint64(d[i+7])<<56
}

// jsonSpecial marks, in the high bit of its byte, the first byte of x that is a quote, a backslash or a control
// character. Marks above the first one may be wrong.
func jsonSpecial(x uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	q := x ^ (ones * '"')
	b := x ^ (ones * '\\')
	return ((q-ones)&^q | (b-ones)&^b | (x-ones*0x20)&^x) & highs
}

// stringEnd gives the offset behind the string at i, which starts with a quote, and whether it has escapes.
func (d jsonDoc) stringEnd(i int) (end int, escaped bool) {
	for i++; ; i++ {
		for i+8 <= len(d) {
			m := jsonSpecial(d.word8(i))
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		for i < len(d) && plainInString[d[i]] {
			i++
		}
		switch d.at(i) {
		case '"':
			return i + 1, escaped
		case '\\':
			escaped = true
			if i++; d.at(i) == 'u' {
				if _, ok := d.hex4(i + 1); !ok {
					return -1, escaped
				}
				i += 4
			} else if unescapedByte(d.at(i)) == 0 {
				return -1, escaped
			}
		default:
			return -1, escaped
		}
	}
}

func unescapedByte(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

func (d jsonDoc) hex4(i int) (rune, bool) {
	if i+4 > len(d) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(d[i:i+4]), 16, 32)
	return rune(v), err == nil
}

// unescape appends what the string from i to end, quotes included, stands for. Half of a surrogate pair becomes U+FFFD.
func (d jsonDoc) unescape(dst []byte, i, end int) []byte {
	for i, end = i+1, end-1; i < end; {
		c := d[i]
		switch {
		case c != '\\':
			dst = append(dst, c)
			i++
		case d[i+1] != 'u':
			dst = append(dst, unescapedByte(d[i+1]))
			i += 2
		default:
			r, _ := d.hex4(i + 2)
			i += 6
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if d.at(i) == '\\' && d.at(i+1) == 'u' && i < end {
					low, ok = d.hex4(i + 2)
				}
				if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// isString reports whether the string from i to end, quotes included, stands for s.
func (d jsonDoc) isString(i, end int, escaped bool, s string) bool {
	if !escaped {
		return string(d[i+1:end-1]) == s
	}
	var scratch [64]byte
	return string(d.unescape(scratch[:0], i, end)) == s
}

// skip gives the offset behind the value at i.
func (d jsonDoc) skip(i, depth int) int {
	switch c := d.at(i); c {
	case '"':
		end, _ := d.stringEnd(i)
		return end
	case '{', '[':
		return d.skipNested(i, depth)
	case 't':
		return d.word(i, "true")
	case 'f':
		return d.word(i, "false")
	case 'n':
		return d.word(i, "null")
	}
	return d.numberEnd(i)
}

func (d jsonDoc) word(i int, w string) int {
	if i+len(w) <= len(d) && string(d[i:i+len(w)]) == w {
		return i + len(w)
	}
	return -1
}

func (d jsonDoc) digitsEnd(i int) int {
	for i < len(d) && d[i]-'0' < 10 {
		i++
	}
	return i
}

func (d jsonDoc) numberEnd(i int) int {
	if d.at(i) == '-' {
		i++
	}
	end := d.digitsEnd(i)
	if end == i || d[i] == '0' && end > i+1 {
		return -1
	}
	if d.at(end) == '.' {
		if i, end = end+1, d.digitsEnd(end+1); end == i {
			return -1
		}
	}
	if d.at(end)|0x20 == 'e' {
		i = end + 1
		if c := d.at(i); c == '+' || c == '-' {
			i++
		}
		if end = d.digitsEnd(i); end == i {
			return -1
		}
	}
	return end
}

func (d jsonDoc) skipNested(i, depth int) int {
	if depth >= jsonDepth {
		return -1
	}
	closing := d[i] + 2
	if i = d.space(i + 1); d.at(i) == closing {
		return i + 1
	}
	for {
		if closing == '}' {
			if d.at(i) != '"' {
				return -1
			}
			if i, _ = d.stringEnd(i); i < 0 {
				return -1
			}
			if i = d.space(i); d.at(i) != ':' {
				return -1
			}
			i = d.space(i + 1)
		}
		if i = d.skip(i, depth+1); i < 0 {
			return -1
		}
		i = d.space(i)
		switch d.at(i) {
		case ',':
			i = d.space(i + 1)
		case closing:
			return i + 1
		default:
			return -1
		}
	}
}

// children iterates over the members of the object or the elements of the array at i.
func (d jsonDoc) children(i int) jsonChildren {
	c := jsonChildren{d: d, i: i, end: -1, first: true}
	switch d.at(i) {
	case '{':
		c.close = '}'
	case '[':
		c.close = ']'
	}
	return c
}

// jsonChildren is an iteration. After next, the caller sets i to the offset behind the value, or leaves it at 0 to have
// it skipped.
type jsonChildren struct {
	d     jsonDoc
	i     int
	close byte
	first bool
	// value is the offset of the value; key to keyEnd the name of a member, quotes included.
	value, key, keyEnd int
	escaped            bool
	// end is the offset behind the closing bracket once next has reported false; -1 if the text is not JSON.
	end int
}

func (c *jsonChildren) next() bool {
	d := c.d
	switch {
	case c.close == 0:
		return false
	case c.first:
		c.first = false
		if c.i = d.space(c.i + 1); d.at(c.i) == c.close {
			c.end = c.i + 1
			return false
		}
	default:
		if c.i == 0 {
			if c.i = d.skip(c.value, 0); c.i < 0 {
				return false
			}
		}
		c.i = d.space(c.i)
		if d.at(c.i) != ',' {
			if d.at(c.i) == c.close {
				c.end = c.i + 1
			}
			return false
		}
		c.i = d.space(c.i + 1)
	}
	if c.close == '}' {
		if d.at(c.i) != '"' {
			return false
		}
		c.key = c.i
		if c.keyEnd, c.escaped = d.stringEnd(c.key); c.keyEnd < 0 {
			return false
		}
		if c.i = d.space(c.keyEnd); d.at(c.i) != ':' {
			return false
		}
		c.i = d.space(c.i + 1)
	}
	c.value, c.i = c.i, 0
	return true
}

// member gives the value of the first member of this name of the object at i.
func (d jsonDoc) member(i int, name string) int {
	if d.at(i) != '{' {
		return -1
	}
	for i = d.space(i + 1); d.at(i) == '"'; i = d.space(i + 1) {
		end, escaped := d.stringEnd(i)
		if end < 0 {
			return -1
		}
		found := (escaped || end-i-2 == len(name)) && d.isString(i, end, escaped, name)
		if i = d.space(end); d.at(i) != ':' {
			return -1
		}
		if i = d.space(i + 1); found {
			return i
		}
		if i = d.skip(i, 0); i < 0 {
			return -1
		}
		if i = d.space(i); d.at(i) != ',' {
			return -1
		}
	}
	return -1
}

// element gives element n, from 0, of the array at i.
func (d jsonDoc) element(i int, n int64) int {
	if d.at(i) != '[' || n < 0 {
		return -1
	}
	it := d.children(i)
	for it.next() {
		if n == 0 {
			return it.value
		}
		n--
	}
	return -1
}

// count gives the number of members or elements of the value at i, -1 if it has none or is not JSON.
func (d jsonDoc) count(i int) int64 {
	it, n := d.children(i), int64(0)
	for it.next() {
		n++
	}
	if it.end < 0 {
		return -1
	}
	return n
}

// valid gives the offset of the one value that the whole text is, -1 if it is not JSON.
func (d jsonDoc) valid() int {
	i := d.space(0)
	if end := d.skip(i, 0); end < 0 || d.space(end) != len(d) {
		return -1
	}
	return i
}

// compact appends the valid JSON from i to end without white space between its parts.
func (d jsonDoc) compact(dst []byte, i, end int) []byte {
	for i < end {
		switch c := d[i]; c {
		case ' ', '\n', '\t', '\r':
			i++
		case '"':
			e, _ := d.stringEnd(i)
			dst = append(dst, d[i:e]...)
			i = e
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

// jsonKey is a step down: to a member of an object or an element of an array.
type jsonKey struct {
	name    string
	index   int64
	isIndex bool
}

// find gives the value at the end of a path of keys and the offset behind it. What stands behind it is not looked at.
func (d jsonDoc) find(keys []jsonKey) (from, to int) {
	i := d.space(0)
	for k := range keys {
		if keys[k].isIndex {
			i = d.element(i, keys[k].index)
		} else {
			i = d.member(i, keys[k].name)
		}
		if i < 0 {
			return -1, -1
		}
	}
	to = d.skip(i, 0)
	if to < 0 || len(keys) == 0 && d.space(to) != len(d) {
		return -1, -1
	}
	return i, to
}
