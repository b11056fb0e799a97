package expr

import (
	"math"
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

// pathDepth bounds how deep filters may nest.
const pathDepth = 100

func (r *pathParser) logical() *pathExpr {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > pathDepth {
		r.fail()
		return nil
	}
	return r.chain(pathOr, "||", func() *pathExpr { return r.chain(pathAnd, "&&", r.basic) })
}

func (r *pathParser) chain(op pathOp, word string, operand func() *pathExpr) *pathExpr {
	e := operand()
	for !r.bad {
		before := r.i
		r.space()
		if !r.take(word) {
			r.i = before
			return e
		}
		r.space()
		e = &pathExpr{op: op, args: []*pathExpr{e, operand()}}
	}
	return e
}

// basic reads a parenthesis, a comparison or a test, each perhaps negated.
func (r *pathParser) basic() *pathExpr {
	if r.take("!") {
		r.space()
		e := r.test()
		return &pathExpr{op: pathNot, args: []*pathExpr{e}}
	}
	if r.peek() == '(' {
		return r.parenthesis()
	}
	left := r.operand()
	if r.bad {
		return left
	}
	before := r.i
	r.space()
	for _, c := range []struct {
		word string
		op   comparison
	}{{"==", opEq}, {"!=", opNeq}, {"<=", opLtEq}, {">=", opGtEq}, {"<", opLt}, {">", opGt}} {
		if r.take(c.word) {
			r.space()
			right := r.operand()
			if r.bad || !comparablePath(left) || !comparablePath(right) {
				r.fail()
			}
			return &pathExpr{op: pathCompare, cmp: c.op, args: []*pathExpr{left, right}}
		}
	}
	r.i = before
	return r.asTest(left)
}

func comparablePath(e *pathExpr) bool {
	return e.isValue() && (e.op != pathQuery || e.query.singular())
}

func (r *pathParser) parenthesis() *pathExpr {
	r.i++
	r.space()
	e := r.logical()
	r.space()
	if !r.take(")") {
		r.fail()
	}
	return e
}

func (r *pathParser) test() *pathExpr {
	if r.peek() == '(' {
		return r.parenthesis()
	}
	e := r.operand()
	if r.bad {
		return e
	}
	return r.asTest(e)
}

// asTest makes a test of an operand that stands alone: a query is one for its existence, a value is none.
func (r *pathParser) asTest(e *pathExpr) *pathExpr {
	switch {
	case e.op == pathQuery:
		return &pathExpr{op: pathExists, query: e.query}
	case e.isValue():
		r.fail()
	}
	return e
}

// operand reads a constant, a query or a function.
func (r *pathParser) operand() *pathExpr {
	switch c := r.peek(); {
	case c == '@' || c == '$':
		r.i++
		r.depth++
		q := r.segments()
		r.depth--
		q.relative = c == '@'
		return &pathExpr{op: pathQuery, query: q}
	case c == '\'' || c == '"':
		return &pathExpr{op: pathConstant, value: pathVal{kind: pathText, text: r.quoted()}}
	case c == '-' || c-'0' <= 9:
		return r.number()
	}
	start := r.i
	for c := r.peek(); c >= 'a' && c <= 'z' || r.i > start && (c == '_' || c-'0' <= 9); c = r.peek() {
		r.i++
	}
	word := r.s[start:r.i]
	if r.take("(") {
		return r.function(word)
	}
	switch word {
	case "true", "false":
		return &pathExpr{op: pathConstant, value: pathVal{kind: pathTruth, truth: word == "true"}}
	case "null":
		return &pathExpr{op: pathConstant, value: pathVal{kind: pathNull}}
	}
	r.fail()
	return nil
}

func (r *pathParser) number() *pathExpr {
	end := jsonDoc(r.s).numberEnd(r.i)
	if end < 0 {
		r.fail()
		return nil
	}
	v, err := strconv.ParseFloat(r.s[r.i:end], 64)
	if err != nil || math.IsInf(v, 0) {
		r.fail()
	}
	r.i = end
	return &pathExpr{op: pathConstant, value: pathVal{kind: pathNumber, number: v}}
}

// function reads the arguments of a function and checks their types.
func (r *pathParser) function(name string) *pathExpr {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > pathDepth {
		r.fail()
		return nil
	}
	var args []*pathExpr
	for r.space(); !r.bad && !r.take(")"); r.space() {
		if len(args) > 0 {
			if !r.take(",") {
				r.fail()
				return nil
			}
			r.space()
		}
		args = append(args, r.operand())
	}
	if r.bad {
		return nil
	}
	op, ok := map[string]pathOp{"length": pathLength, "count": pathCount, "value": pathValue, "match": pathMatch, "search": pathSearch}[name]
	nodes := op == pathCount || op == pathValue
	want := 1
	if op == pathMatch || op == pathSearch {
		want = 2
	}
	ok = ok && len(args) == want
	for _, a := range args {
		ok = ok && (nodes && a.op == pathQuery || !nodes && comparablePath(a))
	}
	if !ok {
		r.fail()
		return nil
	}
	e := &pathExpr{op: op, args: args}
	if want == 2 && args[1].op == pathConstant && args[1].value.kind == pathText {
		e.re = iRegexp(args[1].value.text, op == pathMatch)
	}
	return e
}

// iRegexp compiles an expression of RFC 9485, whose dot does not match line ends; nil if it is not valid.
func iRegexp(pattern string, whole bool) *regexp.Regexp {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			b.WriteByte(c)
			i++
			b.WriteByte(pattern[i])
			continue
		case c == '[':
			inClass = true
		case c == ']':
			inClass = false
		case c == '.' && !inClass:
			b.WriteString(`[^\n\r]`)
			continue
		}
		b.WriteByte(pattern[i])
	}
	text := b.String()
	if whole {
		text = `^(?:` + text + `)$`
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil
	}
	return re
}
