package parse

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"wadi/dataflow/fault"
)

// lexer cuts a text into tokens. Comments and white space are dropped; they can be found again between two tokens.
// Errors are collected and leave a tokenBad in their place, so that the statement around it fails without a second
// message.
type lexer struct {
	text  string
	pos   int
	toks  []token
	opens []int
	errs  fault.List
}

// lex cuts text into tokens, the last of which is tokenEnd.
func lex(text string) ([]token, fault.List) {
	l := &lexer{text: text}
	if !l.checkEncoding() {
		return nil, l.errs
	}
	l.toks = make([]token, 0, len(text)/5+2)
	l.pos = len(strings.TrimPrefix(text, "\ufeff"))
	l.pos = len(text) - l.pos
	for l.skipBlank() {
		l.next()
	}
	l.add(tokenEnd, len(text), "")
	return l.toks, l.errs
}

// checkEncoding reports the first byte that no SQL text may hold.
func (l *lexer) checkEncoding() bool {
	for i := 0; i < len(l.text); {
		if l.text[i] == 0 {
			l.fail(i, i+1, "the text holds a NUL byte").WithHint("save the file as plain UTF-8 text")
			return false
		}
		r, n := utf8.DecodeRuneInString(l.text[i:])
		if r == utf8.RuneError && n == 1 {
			l.fail(i, i+1, "the text is not valid UTF-8").WithHint("save the file as UTF-8")
			return false
		}
		i += n
	}
	return true
}

func (l *lexer) fail(start, end int, format string, args ...any) *fault.Error {
	e := fault.Userf(fault.CodeSyntax, fault.Span{Start: start, End: end}, format, args...)
	l.errs = append(l.errs, e)
	return e
}

// add appends a token from start to the current position.
func (l *lexer) add(kind tokenKind, start int, val string) *token {
	l.toks = append(l.toks, token{kind: kind, start: start, end: l.pos, val: val, match: -1})
	return &l.toks[len(l.toks)-1]
}

func (l *lexer) byteAt(i int) byte {
	if i < len(l.text) {
		return l.text[i]
	}
	return 0
}

// skipBlank skips white space and comments and reports whether there is more text.
func (l *lexer) skipBlank() bool {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch {
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.pos += n
		case strings.HasPrefix(rest, "/*"):
			l.skipComment()
		default:
			r, n := utf8.DecodeRuneInString(rest)
			if !unicode.IsSpace(r) && r != '\ufeff' {
				return true
			}
			l.pos += n
		}
	}
	return false
}

// skipComment skips a /* comment */, in which comments may nest.
func (l *lexer) skipComment() {
	start, depth := l.pos, 0
	for l.pos < len(l.text) {
		switch rest := l.text[l.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.pos += 2
		default:
			l.pos++
		}
		if depth == 0 {
			return
		}
	}
	l.fail(start, start+2, "the comment that starts here is not closed").WithHint("end it with */; comments nest, so each /* needs its own")
	l.add(tokenBad, start, "")
}

// next reads one token; the position is at its first byte.
func (l *lexer) next() {
	start, c := l.pos, l.text[l.pos]
	switch {
	case c == '\'':
		l.quotedString(start)
	case c == '"':
		l.quotedName(start)
	case c >= '0' && c <= '9', c == '.' && isDigit(l.byteAt(l.pos+1)):
		l.number()
	case c == '$':
		l.dollar()
	case l.prefixedString(c):
	default:
		r, n := utf8.DecodeRuneInString(l.text[l.pos:])
		if isNameStart(r) {
			l.word()
			return
		}
		if !l.operator() {
			l.stray(r, n)
		}
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNameStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }

func isNamePart(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// nameEnd is the end of the run of name characters at i.
func (l *lexer) nameEnd(i int) int {
	for i < len(l.text) {
		r, n := utf8.DecodeRuneInString(l.text[i:])
		if !isNamePart(r) {
			break
		}
		i += n
	}
	return i
}

func (l *lexer) word() {
	start := l.pos
	l.pos = l.nameEnd(start)
	t := l.add(tokenWord, start, l.text[start:l.pos])
	t.upper = upperASCII(t.val)
}

// upperASCII is s in upper case if it is a possible keyword. Letters outside ASCII stay, so that no letter that merely
// folds to an ASCII one (such as the Kelvin sign) makes a keyword.
func upperASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// operators holds every operator and punctuation mark; of several that fit, the longest wins.
var operators = [...][]string{
	{"!~~*"},
	{"<=>", "->>", "#>>", "||/", "~~*", "!~~", "!~*"},
	{"<=", ">=", "<>", "!=", "==", "=>", "->", "#>", "::", ":=", "||", "|/", "<<", ">>", "~~", "~*", "!~", "!!",
		"@>", "<@", "@?", "@@", "^@", "&&", "?|", "?&"},
	{"(", ")", "[", "]", "{", "}", ",", ";", ".", ":", "+", "-", "*", "/", "%", "<", ">", "=", "~", "!", "@", "#", "^", "&", "|", "?"},
}

func (l *lexer) operator() bool {
	start := l.pos
	for _, list := range operators {
		for _, op := range list {
			if strings.HasPrefix(l.text[start:], op) {
				l.pos += len(op)
				l.add(tokenOp, start, op)
				l.matchParens(op)
				return true
			}
		}
	}
	return false
}

// matchParens keeps the stack of open parentheses and links each pair.
func (l *lexer) matchParens(op string) {
	here := len(l.toks) - 1
	switch op {
	case "(", "[", "{":
		l.opens = append(l.opens, here)
	case ")", "]", "}":
		if len(l.opens) == 0 {
			return
		}
		open := l.opens[len(l.opens)-1]
		l.opens = l.opens[:len(l.opens)-1]
		l.toks[open].match, l.toks[here].match = here, open
	case ";":
		l.opens = l.opens[:0]
	}
}

// stray reports a character that begins no token.
func (l *lexer) stray(r rune, n int) {
	start := l.pos
	l.pos += n
	e := l.fail(start, l.pos, "unexpected character %q", r)
	l.skipForeignQuote(r)
	switch {
	case r == '`':
		e.WithHint("write names in double quotes")
	case strings.ContainsRune("‘’‚‛′´", r):
		e.WithHint("this is a typographic quote; write strings in straight single quotes: '")
	case strings.ContainsRune("“”„‟″«»", r):
		e.WithHint("this is a typographic quote; write texts in straight single quotes and names in straight double quotes")
	case r == '–' || r == '—' || r == '−':
		e.WithHint("this is a dash; write a minus sign: -")
	case r == '\\':
		e.WithHint("statements end with ';'; there are no backslash commands")
	case lookalikes[r] != "":
		e.WithHint("write %s", lookalikes[r])
	case r >= '！' && r <= '～':
		e.WithHint("this is a full-width character; write %s", string(r-'！'+'!'))
	case !unicode.IsPrint(r):
		e.WithHint("remove this character, which cannot be seen")
	default:
		l.skipSigns()
		e.Span.End = l.pos
		e.WithHint("remove it, or put a name with special characters in double quotes and a text in single quotes")
	}
	l.add(tokenBad, start, "")
}

// skipSigns skips signs beyond ASCII without a space between them, as an emoji of several characters, so that they are
// reported once.
func (l *lexer) skipSigns() {
	for l.pos < len(l.text) {
		r, n := utf8.DecodeRuneInString(l.text[l.pos:])
		if r < utf8.RuneSelf || unicode.IsSpace(r) || isNameStart(r) || foreignQuotes[r] != "" || lookalikes[r] != "" {
			return
		}
		l.pos += n
	}
}

// lookalikes maps characters that mean what SQL spells in another way to that.
var lookalikes = map[rune]string{'≤': "<=", '≥': ">=", '≠': "<>", '×': "*", '÷': "/", '∧': "AND", '∨': "OR", '¬': "NOT", '…': "the rest of the statement",
	'，': ",", '、': ",", '；': ";", '（': "(", '）': ")", '\u037e': ";"}

// foreignQuotes maps quotes that are not SQL's to what closes them.
var foreignQuotes = map[rune]string{'`': "`", '´': "´", '‘': "’", '“': "”", '„': "“", '‚': "‘", '«': "»"}

// skipForeignQuote skips what is in quotes that are not SQL's, on one line, so that they are reported once.
func (l *lexer) skipForeignQuote(r rune) {
	end := foreignQuotes[r]
	if end == "" {
		return
	}
	line, _, _ := strings.Cut(l.text[l.pos:], "\n")
	if i := strings.Index(line, end); i >= 0 {
		l.pos += i + len(end)
	}
}
