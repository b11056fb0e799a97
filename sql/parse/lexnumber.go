package parse

import (
	"math/big"
	"strings"
)

// number reads 12, 1_000, 1.5, .5, 1., 1e10, 0xff, 0o17 and 0b101.
func (l *lexer) number() {
	start := l.pos
	if l.radixNumber() {
		return
	}
	integer := true
	ok := true
	if l.text[l.pos] != '.' {
		ok = l.digitRun()
	}
	if l.byteAt(l.pos) == '.' && l.byteAt(l.pos+1) != '.' {
		integer = false
		l.pos++
		if isDigit(l.byteAt(l.pos)) {
			ok = l.digitRun() && ok
		}
	}
	if c := l.byteAt(l.pos); c == 'e' || c == 'E' {
		i := l.pos + 1
		if s := l.byteAt(i); s == '+' || s == '-' {
			i++
		}
		if isDigit(l.byteAt(i)) {
			integer = false
			l.pos = i
			ok = l.digitRun() && ok
		}
	}
	if l.badNumber(start, ok) {
		return
	}
	t := l.add(tokenNumber, start, strings.ReplaceAll(l.text[start:l.pos], "_", ""))
	t.integer = integer
}

// digitRun reads digits with single underscores between them and reports whether the underscores are right.
func (l *lexer) digitRun() bool {
	ok := true
	for i := l.pos; ; i++ {
		c := l.byteAt(i)
		if c == '_' {
			ok = ok && isDigit(l.byteAt(i+1))
		} else if !isDigit(c) {
			l.pos = i
			return ok
		}
	}
}

// badNumber reports a number that runs into a name, or has misplaced underscores.
func (l *lexer) badNumber(start int, ok bool) bool {
	end := l.nameEnd(l.pos)
	if ok && end == l.pos {
		return false
	}
	l.pos = end
	e := l.fail(start, l.pos, "this is not a valid number")
	if ok {
		e.WithHint("put a space between the number and the word, or the name in double quotes")
	} else {
		e.WithHint("an underscore stands between two digits: 1_000")
	}
	l.add(tokenBad, start, "")
	return true
}

var radixes = map[byte]uint64{'x': 16, 'X': 16, 'o': 8, 'O': 8, 'b': 2, 'B': 2}

// maxRadixDigits bounds the conversion to decimal, whose cost grows with the square of the length.
const maxRadixDigits = 512

// radixNumber reads 0x…, 0o… and 0b….
func (l *lexer) radixNumber() bool {
	start := l.pos
	base := radixes[l.byteAt(start+1)]
	if l.text[start] != '0' || base == 0 {
		return false
	}
	i := start + 2
	for digitValue(l.byteAt(i)) < base || l.byteAt(i) == '_' {
		i++
	}
	l.pos = i
	raw := strings.ReplaceAll(l.text[start+2:i], "_", "")
	v, good := new(big.Int).SetString(raw, int(base))
	if len(raw) > maxRadixDigits {
		good = false
	}
	if !good || l.nameEnd(i) != i {
		l.pos = l.nameEnd(i)
		l.fail(start, l.pos, "this is not a valid number of base %d", base).WithHint("write 0xff, 0o17 or 0b101; the digits follow the letter at once")
		l.add(tokenBad, start, "")
		return true
	}
	l.add(tokenNumber, start, v.String()).integer = true
	return true
}
