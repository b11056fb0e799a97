package parse

import "wadi/dataflow/fault"

// tokenKind is the lexical class of a token.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	// tokenWord is a name or keyword without quotes; which of the two it is depends on where it stands.
	tokenWord
	// tokenQuoted is a name in double quotes.
	tokenQuoted
	tokenNumber
	tokenString
	tokenBytes
	// tokenOp is an operator or punctuation.
	tokenOp
	// tokenBad is text that the lexer has already reported.
	tokenBad
)

// token is one lexical element of the text.
type token struct {
	kind       tokenKind
	start, end int
	// val is a word as written, the decoded value of a quoted name, string or bytes, the digits of a number, or the
	// operator.
	val string
	// upper is a word in upper case, else empty.
	upper string
	// integer is set for numbers without a point and exponent.
	integer bool
	// match is the index of the matching parenthesis or bracket, or -1.
	match int
}

func (t token) span() fault.Span { return fault.Span{Start: t.start, End: t.end} }

func (t token) isOp(op string) bool { return t.kind == tokenOp && t.val == op }

func (t token) isWord(word string) bool { return t.kind == tokenWord && t.upper == word }

// describe names the token in an error message. Strings are not repeated: they may be private.
func (t token) describe() string {
	switch t.kind {
	case tokenEnd:
		return "the end of the text"
	case tokenWord:
		return shorten(t.val)
	case tokenQuoted:
		return `"` + shorten(t.val) + `"`
	case tokenNumber:
		return "the number " + shorten(t.val)
	case tokenString:
		return "a string"
	case tokenBytes:
		return "a byte string"
	}
	return "'" + t.val + "'"
}

// maxQuoted bounds how much of the text an error message repeats.
const maxQuoted = 40

func shorten(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	cut := 0
	for i := range s {
		if i > maxQuoted {
			break
		}
		cut = i
	}
	return s[:cut] + "…"
}
