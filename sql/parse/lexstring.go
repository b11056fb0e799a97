package parse

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"wadi/dataflow/fault"
)

// prefixedString reads E'…', X'…', B'…', N'…', U&'…' and U&"…", and reports whether it was at one.
func (l *lexer) prefixedString(c byte) bool {
	start, second := l.pos, l.byteAt(l.pos+1)
	switch {
	case (c == 'E' || c == 'e') && second == '\'':
		l.pos++
		l.escapedString(start)
	case (c == 'X' || c == 'x') && second == '\'':
		l.pos++
		l.hexString(start)
	case (c == 'N' || c == 'n') && second == '\'':
		l.pos++
		l.quotedString(start)
	case (c == 'B' || c == 'b') && second == '\'':
		l.pos++
		if _, ok := l.readQuoted(start, '\''); ok {
			e := l.fail(start, l.pos, "bit strings are not supported")
			e.Code = fault.CodeUnsupported
			e.WithHint("write the bytes in hexadecimal: X'0aff'")
			l.add(tokenBad, start, "")
		}
	case (c == 'U' || c == 'u') && second == '&' && (l.byteAt(l.pos+2) == '\'' || l.byteAt(l.pos+2) == '"'):
		l.pos += 2
		l.unicodeString(start, l.byteAt(l.pos))
	default:
		return false
	}
	return true
}

// readQuoted reads up to the closing quote, of which a doubled one stands for itself. The position is at the opening
// quote; start is where the token began. An unclosed quote is reported and ends the text.
func (l *lexer) readQuoted(start int, quote byte) (string, bool) {
	i := l.pos + 1
	from := i
	var b strings.Builder
	for i < len(l.text) {
		if l.text[i] != quote {
			i++
			continue
		}
		b.WriteString(l.text[from:i])
		if l.byteAt(i+1) != quote {
			l.pos = i + 1
			return b.String(), true
		}
		b.WriteByte(quote)
		i += 2
		from = i
	}
	l.unclosed(start, quote)
	return "", false
}

const unclosedString = "the string that starts here is not closed"

func (l *lexer) unclosed(start int, quote byte) {
	open := l.pos
	l.pos = len(l.text)
	if quote == '"' {
		l.fail(start, open+1, "the name in double quotes that starts here is not closed").WithHint("add a closing \" after the name")
	} else {
		l.fail(start, open+1, unclosedString).WithHint("add a closing '; a quote within a string is doubled: 'it''s'")
	}
	l.add(tokenBad, start, "")
}

func (l *lexer) quotedString(start int) {
	if s, ok := l.readQuoted(start, '\''); ok {
		l.add(tokenString, start, s)
	}
}

func (l *lexer) quotedName(start int) {
	s, ok := l.readQuoted(start, '"')
	if !ok {
		return
	}
	if s == "" {
		l.fail(start, l.pos, "a name in double quotes is empty").WithHint("write strings in single quotes: ''")
		l.add(tokenBad, start, "")
		return
	}
	l.add(tokenQuoted, start, s)
}

func (l *lexer) hexString(start int) {
	s, ok := l.readQuoted(start, '\'')
	if !ok {
		return
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		l.fail(start, l.pos, "a byte string needs pairs of hexadecimal digits").WithHint("for example X'0aff'")
		l.add(tokenBad, start, "")
		return
	}
	l.add(tokenBytes, start, string(b))
}

// escapedString reads E'…' with backslash escapes as in C. The position is at the quote.
func (l *lexer) escapedString(start int) {
	open := l.pos
	var b strings.Builder
	for i := open + 1; i < len(l.text); {
		c := l.text[i]
		switch {
		case c == '\'' && l.byteAt(i+1) == '\'':
			b.WriteByte('\'')
			i += 2
		case c == '\'':
			l.pos = i + 1
			l.addDecoded(tokenString, start, b.String())
			return
		case c == '\\' && i+1 < len(l.text):
			n := escape(&b, l.text[i+1:])
			if n == 0 {
				l.fail(i, min(i+2, len(l.text)), "this escape in the string is not valid").WithHint(`write \\ for a backslash, \x41 for a byte and \u0041 for a character`)
				l.skipEscaped(i + 2)
				l.add(tokenBad, start, "")
				return
			}
			i += 1 + n
		default:
			b.WriteByte(c)
			i++
		}
	}
	l.unclosed(start, '\'')
}

// skipEscaped moves behind the end of an escaped string that was found to be wrong.
func (l *lexer) skipEscaped(i int) {
	for ; i < len(l.text); i++ {
		if l.text[i] == '\\' {
			i++
		} else if l.text[i] == '\'' {
			l.pos = i + 1
			return
		}
	}
	l.pos = len(l.text)
}

// addDecoded adds a string or name whose escapes were decoded, if the result is text.
func (l *lexer) addDecoded(kind tokenKind, start int, s string) {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		l.fail(start, l.pos, "the escapes in this string do not make valid UTF-8 without NUL").WithHint("write bytes as X'…'")
		l.add(tokenBad, start, "")
		return
	}
	l.add(kind, start, s)
}

// escape decodes the escape at the start of s (behind the backslash) into b and returns its length, 0 if it is wrong.
func escape(b *strings.Builder, s string) int {
	switch c := s[0]; c {
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'x':
		v, n := digits(s[1:], 16, 2)
		b.WriteByte(byte(v))
		return oneMore(n)
	case 'u':
		return escapeRune(b, s[1:], 4)
	case 'U':
		return escapeRune(b, s[1:], 8)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		v, n := digits(s, 8, 3)
		b.WriteByte(byte(v))
		return n
	default:
		_, n := utf8.DecodeRuneInString(s)
		b.WriteString(s[:n])
		return n
	}
	return 1
}

func oneMore(n int) int {
	if n == 0 {
		return 0
	}
	return n + 1
}

// escapeRune decodes exactly n hexadecimal digits as a code point and returns the length with the letter before them.
func escapeRune(b *strings.Builder, s string, n int) int {
	v, got := digits(s, 16, n)
	if got != n || !utf8.ValidRune(rune(v)) || v > utf8.MaxRune {
		return 0
	}
	b.WriteRune(rune(v))
	return n + 1
}

// digits reads up to limit digits of base at the start of s.
func digits(s string, base uint64, limit int) (value uint64, n int) {
	for n < limit && n < len(s) {
		d := digitValue(s[n])
		if d >= base {
			break
		}
		value = value*base + d
		n++
	}
	return value, n
}

func digitValue(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c >= 'a' && c <= 'f':
		return uint64(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return uint64(c-'A') + 10
	}
	return 99
}

// unicodeString reads U&'…' or U&"…", with an optional UESCAPE 'c' behind it. The position is at the quote.
func (l *lexer) unicodeString(start int, quote byte) {
	raw, ok := l.readQuoted(start, quote)
	if !ok {
		return
	}
	mark, end := l.uescape()
	var b strings.Builder
	good := mark != 0
	for i := 0; i < len(raw) && good; {
		if raw[i] != mark {
			b.WriteByte(raw[i])
			i++
			continue
		}
		n := 0
		switch rest := raw[i+1:]; {
		case rest != "" && rest[0] == mark:
			b.WriteByte(mark)
			n = 1
		case rest != "" && rest[0] == '+':
			n = escapeRune(&b, rest[1:], 6)
		default:
			n = escapeRune(&b, rest, 4) - 1
		}
		good = n > 0
		i += 1 + n
	}
	l.pos = end
	if !good || (quote == '"' && b.Len() == 0) {
		l.fail(start, l.pos, "an escape in this string is not valid").WithHint(`write \0041 or \+000041 for a character, and \\ for a backslash`)
		l.add(tokenBad, start, "")
		return
	}
	kind := tokenString
	if quote == '"' {
		kind = tokenQuoted
	}
	l.addDecoded(kind, start, b.String())
}

// uescape looks for UESCAPE 'c' behind a string; it gives the escape character (0 if it is not usable) and the end of
// the whole token.
func (l *lexer) uescape() (mark byte, end int) {
	end = l.pos
	rest := strings.TrimLeft(l.text[l.pos:], " \t\r\n")
	if len(rest) < len("UESCAPE") || upperASCII(rest[:len("UESCAPE")]) != "UESCAPE" {
		return '\\', end
	}
	rest = strings.TrimLeft(rest[len("UESCAPE"):], " \t\r\n")
	if len(rest) < 3 || rest[0] != '\'' || rest[2] != '\'' {
		return '\\', end
	}
	c := rest[1]
	if digitValue(c) < 16 || strings.IndexByte("+'\" \t\r\n", c) >= 0 || c >= utf8.RuneSelf {
		c = 0
	}
	return c, len(l.text) - len(rest) + 3
}

// dollar reads $$…$$ and $tag$…$tag$.
func (l *lexer) dollar() {
	start := l.pos
	end := start + 1
	for end < len(l.text) && l.text[end] != '$' {
		r, n := utf8.DecodeRuneInString(l.text[end:])
		if !isNamePart(r) || (end == start+1 && !isNameStart(r)) {
			break
		}
		end += n
	}
	if l.byteAt(end) != '$' {
		l.parameter(start)
		return
	}
	tag := l.text[start : end+1]
	n := strings.Index(l.text[end+1:], tag)
	if n < 0 {
		l.pos = len(l.text)
		l.fail(start, end+1, unclosedString).WithHint("close it with %s", tag)
		l.add(tokenBad, start, "")
		return
	}
	l.pos = end + 1 + n + len(tag)
	l.add(tokenString, start, l.text[end+1:end+1+n])
}

// parameter refuses $1 and a lone $.
func (l *lexer) parameter(start int) {
	l.pos = l.nameEnd(start + 1)
	e := l.fail(start, l.pos, "parameters are not supported")
	e.Code = fault.CodeUnsupported
	e.WithHint("write the value itself")
	l.add(tokenBad, start, "")
}
