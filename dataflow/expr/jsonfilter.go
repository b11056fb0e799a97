package expr

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

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
