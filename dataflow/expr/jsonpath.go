package expr

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonPath is a query of RFC 9535 (JSONPath), parsed.
type jsonPath struct {
	segments []pathSegment
	// relative says that it starts at the current node of a filter, @, and not at the root, $.
	relative bool
}

// pathSegment selects children of a node, or of it and all its descendants.
type pathSegment struct {
	descend   bool
	selectors []pathSelector
}

type selectorKind uint8

const (
	selectName selectorKind = iota
	selectWildcard
	selectIndex
	selectSlice
	selectFilter
)

type pathSelector struct {
	kind  selectorKind
	name  string
	index int64
	// start and end of a slice are nil where they are open.
	start, end *int64
	step       int64
	filter     *pathExpr
}

// singular reports whether the query gives at most one node.
func (p *jsonPath) singular() bool {
	for _, s := range p.segments {
		if s.descend || len(s.selectors) != 1 || s.selectors[0].kind != selectName && s.selectors[0].kind != selectIndex {
			return false
		}
	}
	return true
}

type pathOp uint8

const (
	// Logical expressions.
	pathOr pathOp = iota
	pathAnd
	pathNot
	pathExists
	pathCompare
	pathMatch
	pathSearch
	// Values.
	pathConstant
	pathQuery
	pathLength
	pathCount
	pathValue
)

// pathExpr is an expression in a filter.
type pathExpr struct {
	op    pathOp
	args  []*pathExpr
	cmp   comparison
	query *jsonPath
	value pathVal
	// re is the expression of a match or search with a constant pattern; nil then means that it matches nothing.
	re *regexp.Regexp
}

func (e *pathExpr) isValue() bool { return e.op >= pathConstant }

// parseJSONPath reads a query; ok is false if it is not one.
func parseJSONPath(text string) (p *jsonPath, ok bool) {
	if !utf8.ValidString(text) {
		return nil, false
	}
	r := &pathParser{s: text}
	if !r.take("$") {
		return nil, false
	}
	p = r.segments()
	return p, !r.bad && r.i == len(text)
}

// pathParser is a recursive descent over the grammar of RFC 9535; bad is set at the first error, after which nothing that
// it gives is of use.
type pathParser struct {
	s     string
	i     int
	bad   bool
	depth int
}

func (r *pathParser) fail() { r.bad = true }

func (r *pathParser) peek() byte {
	if r.i < len(r.s) {
		return r.s[r.i]
	}
	return 0
}

func (r *pathParser) take(word string) bool {
	if strings.HasPrefix(r.s[r.i:], word) {
		r.i += len(word)
		return true
	}
	return false
}

func (r *pathParser) space() {
	for r.i < len(r.s) && strings.IndexByte(" \t\n\r", r.s[r.i]) >= 0 {
		r.i++
	}
}

func (r *pathParser) segments() *jsonPath {
	p := &jsonPath{}
	for !r.bad {
		before := r.i
		r.space()
		var seg pathSegment
		switch {
		case r.take(".."):
			seg.descend = true
			if r.peek() == '[' {
				r.i++
				seg.selectors = r.bracket()
			} else {
				seg.selectors = []pathSelector{r.shorthand()}
			}
		case r.take("."):
			seg.selectors = []pathSelector{r.shorthand()}
		case r.take("["):
			seg.selectors = r.bracket()
		default:
			r.i = before
			return p
		}
		p.segments = append(p.segments, seg)
	}
	return p
}

// shorthand reads * or a name after a dot.
func (r *pathParser) shorthand() pathSelector {
	if r.take("*") {
		return pathSelector{kind: selectWildcard}
	}
	start := r.i
	for r.i < len(r.s) {
		c := r.s[r.i]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if c != '_' && c < utf8.RuneSelf && (c-'0' > 9 || r.i == start) {
				break
			}
		}
		r.i++
	}
	if r.i == start {
		r.fail()
	}
	return pathSelector{kind: selectName, name: r.s[start:r.i]}
}

// bracket reads selectors up to the closing bracket.
func (r *pathParser) bracket() []pathSelector {
	var out []pathSelector
	for !r.bad {
		r.space()
		out = append(out, r.selector())
		r.space()
		if r.take("]") {
			return out
		}
		if !r.take(",") {
			r.fail()
		}
	}
	return nil
}

func (r *pathParser) selector() pathSelector {
	switch c := r.peek(); {
	case c == '\'' || c == '"':
		return pathSelector{kind: selectName, name: r.quoted()}
	case c == '*':
		r.i++
		return pathSelector{kind: selectWildcard}
	case c == '?':
		r.i++
		r.space()
		return pathSelector{kind: selectFilter, filter: r.logical()}
	}
	start := r.optionalInt()
	before := r.i
	r.space()
	if !r.take(":") {
		r.i = before
		if start == nil {
			r.fail()
			return pathSelector{}
		}
		return pathSelector{kind: selectIndex, index: *start}
	}
	s := pathSelector{kind: selectSlice, start: start, step: 1}
	r.space()
	s.end = r.optionalInt()
	r.space()
	if r.take(":") {
		r.space()
		if step := r.optionalInt(); step != nil {
			s.step = *step
		}
	}
	return s
}

// optionalInt reads an integer without leading zeros that a double holds exactly.
func (r *pathParser) optionalInt() *int64 {
	start := r.i
	r.take("-")
	digits := r.i
	for r.peek()-'0' <= 9 {
		r.i++
	}
	text := r.s[start:r.i]
	if text == "" {
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || r.s[digits] == '0' && text != "0" || v > 1<<53-1 || v < -(1<<53-1) {
		r.fail()
		return nil
	}
	return &v
}

// quoted reads a string in single or double quotes.
func (r *pathParser) quoted() string {
	quote := r.s[r.i]
	var b strings.Builder
	for r.i++; r.i < len(r.s); {
		c := r.s[r.i]
		switch {
		case c == quote:
			r.i++
			return b.String()
		case c < ' ':
			r.fail()
			return ""
		case c != '\\':
			b.WriteByte(c)
			r.i++
		case r.i+1 < len(r.s) && r.s[r.i+1] == quote:
			b.WriteByte(quote)
			r.i += 2
		case r.i+1 < len(r.s) && r.s[r.i+1] == 'u':
			b.WriteRune(r.unicode())
		default:
			c := byte(0)
			if r.i+1 < len(r.s) && r.s[r.i+1] != '"' {
				c = unescapedByte(r.s[r.i+1])
			}
			if c == 0 {
				r.fail()
				return ""
			}
			b.WriteByte(c)
			r.i += 2
		}
		if r.bad {
			return ""
		}
	}
	r.fail()
	return ""
}

// unicode reads \uXXXX or a surrogate pair of two.
func (r *pathParser) unicode() rune {
	d := jsonDoc(r.s)
	n := 6
	if v, ok := d.hex4(r.i + 2); ok && v>>11 == 0xd800>>11 {
		n = 12
	}
	if r.i+n > len(r.s) {
		r.fail()
		return 0
	}
	quoted := jsonDoc(`"` + r.s[r.i:r.i+n] + `"`)
	end, _ := quoted.stringEnd(0)
	if end != len(quoted) {
		r.fail()
		return 0
	}
	v, size := utf8.DecodeRune(quoted.unescape(nil, 0, end))
	if n == 12 && (v == utf8.RuneError || size < 4) {
		r.fail()
	}
	r.i += n
	return v
}
