package expr

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pathWalker evaluates a query over one document.
type pathWalker struct {
	d jsonDoc
	// root is the offset of the document's value, node of the value that a filter tests.
	root int
	// patterns are expressions that the document gives.
	patterns map[string]*regexp.Regexp
}

// walk gives the nodes that the segments select from the value at i, in order, to emit, until that reports false.
func (w *pathWalker) walk(segments []pathSegment, i int, emit func(i int) bool) bool {
	if len(segments) == 0 {
		return emit(i)
	}
	seg, rest := &segments[0], segments[1:]
	for s := range seg.selectors {
		if !w.selects(&seg.selectors[s], rest, i, emit) {
			return false
		}
	}
	if !seg.descend {
		return true
	}
	it := w.d.children(i)
	for it.next() {
		if c := w.d[it.value]; (c == '{' || c == '[') && !w.walk(segments, it.value, emit) {
			return false
		}
	}
	return true
}

func (w *pathWalker) selects(s *pathSelector, rest []pathSegment, i int, emit func(i int) bool) bool {
	switch s.kind {
	case selectName:
		if v := w.d.member(i, s.name); v >= 0 {
			return w.walk(rest, v, emit)
		}
		return true
	case selectIndex:
		n := s.index
		if n < 0 && w.d[i] == '[' {
			n += w.d.count(i)
		}
		if v := w.d.element(i, n); v >= 0 {
			return w.walk(rest, v, emit)
		}
		return true
	case selectSlice:
		return w.slice(s, rest, i, emit)
	}
	it := w.d.children(i)
	for it.next() {
		if (s.kind == selectWildcard || w.holds(s.filter, it.value)) && !w.walk(rest, it.value, emit) {
			return false
		}
	}
	return true
}

// slice follows the bounds of RFC 9535, section 2.3.4.2.
func (w *pathWalker) slice(s *pathSelector, rest []pathSegment, i int, emit func(i int) bool) bool {
	if w.d[i] != '[' || s.step == 0 {
		return true
	}
	n := w.d.count(i)
	bound := func(p *int64, open int64) int64 {
		switch {
		case p == nil:
			return open
		case *p < 0:
			return *p + n
		}
		return *p
	}
	if s.step > 0 {
		lower, upper := max(bound(s.start, 0), 0), min(bound(s.end, n), n)
		it := w.d.children(i)
		for k := int64(0); it.next() && k < upper; k++ {
			if k >= lower && (k-lower)%s.step == 0 && !w.walk(rest, it.value, emit) {
				return false
			}
		}
		return true
	}
	upper, lower := min(bound(s.start, n-1), n-1), max(bound(s.end, -1), -1)
	if s.end == nil {
		lower = -1
	}
	var places []int
	it := w.d.children(i)
	for k := int64(0); it.next(); k++ {
		if k <= upper && k > lower && (upper-k)%-s.step == 0 {
			places = append(places, it.value)
		}
	}
	for k := len(places) - 1; k >= 0; k-- {
		if !w.walk(rest, places[k], emit) {
			return false
		}
	}
	return true
}

// pathKind is the kind of a value in a filter.
type pathKind uint8

const (
	pathNothing pathKind = iota
	pathNull
	pathTruth
	pathNumber
	pathText
	// pathNode is an object or array of the document.
	pathNode
)

type pathVal struct {
	kind   pathKind
	truth  bool
	number float64
	text   string
	node   int
}

// from gives the value at which a query starts.
func (w *pathWalker) from(q *jsonPath, node int) int {
	if q.relative {
		return node
	}
	return w.root
}

func (w *pathWalker) holds(e *pathExpr, node int) bool {
	switch e.op {
	case pathOr:
		return w.holds(e.args[0], node) || w.holds(e.args[1], node)
	case pathAnd:
		return w.holds(e.args[0], node) && w.holds(e.args[1], node)
	case pathNot:
		return !w.holds(e.args[0], node)
	case pathExists:
		return !w.walk(e.query.segments, w.from(e.query, node), func(int) bool { return false })
	case pathCompare:
		return w.compare(e.cmp, w.value(e.args[0], node), w.value(e.args[1], node))
	}
	subject := w.value(e.args[0], node)
	re := e.re
	if re == nil && e.args[1].op != pathConstant {
		if pattern := w.value(e.args[1], node); pattern.kind == pathText {
			re = w.pattern(pattern.text, e.op == pathMatch)
		}
	}
	return subject.kind == pathText && re != nil && re.MatchString(subject.text)
}

func (w *pathWalker) pattern(text string, whole bool) *regexp.Regexp {
	key := strconv.FormatBool(whole) + text
	re, ok := w.patterns[key]
	if !ok {
		if len(w.patterns) >= maxPatterns || w.patterns == nil {
			w.patterns = make(map[string]*regexp.Regexp)
		}
		re = iRegexp(strings.Clone(text), whole) // expressions keep their text
		w.patterns[strings.Clone(key)] = re
	}
	return re
}

// value computes a value in a filter.
func (w *pathWalker) value(e *pathExpr, node int) pathVal {
	switch e.op {
	case pathConstant:
		return e.value
	case pathQuery:
		return w.only(e.query, node)
	case pathValue:
		return w.only(e.args[0].query, node)
	case pathCount:
		q, n := e.args[0].query, 0
		w.walk(q.segments, w.from(q, node), func(int) bool { n++; return true })
		return pathVal{kind: pathNumber, number: float64(n)}
	}
	switch v := w.value(e.args[0], node); v.kind {
	case pathText:
		return pathVal{kind: pathNumber, number: float64(utf8.RuneCountInString(v.text))}
	case pathNode:
		return pathVal{kind: pathNumber, number: float64(w.d.count(v.node))}
	}
	return pathVal{}
}

// only gives the one node that a query gives; nothing if there are none or several.
func (w *pathWalker) only(q *jsonPath, node int) pathVal {
	at, n := 0, 0
	w.walk(q.segments, w.from(q, node), func(i int) bool {
		at = i
		n++
		return n < 2
	})
	if n != 1 {
		return pathVal{}
	}
	return w.at(at)
}

// at is the value at i.
func (w *pathWalker) at(i int) pathVal {
	switch c := w.d[i]; c {
	case '{', '[':
		return pathVal{kind: pathNode, node: i}
	case 't', 'f':
		return pathVal{kind: pathTruth, truth: c == 't'}
	case 'n':
		return pathVal{kind: pathNull}
	case '"':
		end, escaped := w.d.stringEnd(i)
		if escaped {
			return pathVal{kind: pathText, text: string(w.d.unescape(nil, i, end))}
		}
		return pathVal{kind: pathText, text: string(w.d[i+1 : end-1])}
	}
	v, _ := strconv.ParseFloat(string(w.d[i:w.d.numberEnd(i)]), 64)
	return pathVal{kind: pathNumber, number: v}
}

func (w *pathWalker) compare(o comparison, a, b pathVal) bool {
	switch o {
	case opEq:
		return w.equal(a, b)
	case opNeq:
		return !w.equal(a, b)
	case opGt, opGtEq:
		o, a, b = o.flip(), b, a
	}
	less := a.kind == b.kind && (a.kind == pathNumber && a.number < b.number || a.kind == pathText && cmp.Less(a.text, b.text))
	return less || o == opLtEq && w.equal(a, b)
}

func (w *pathWalker) equal(a, b pathVal) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case pathTruth:
		return a.truth == b.truth
	case pathNumber:
		return a.number == b.number || math.IsInf(a.number, 0) && a.number == b.number
	case pathText:
		return a.text == b.text
	case pathNode:
		return w.equalNodes(a.node, b.node)
	}
	return true
}

// equalNodes compares two objects, whose members may stand in any order, or two arrays.
func (w *pathWalker) equalNodes(i, j int) bool {
	if w.d[i] != w.d[j] || w.d.count(i) != w.d.count(j) {
		return false
	}
	a, b := w.d.children(i), w.d.children(j)
	for a.next() {
		other := -1
		if w.d[i] == '{' {
			other = w.d.member(j, string(w.d.unescape(nil, a.key, a.keyEnd)))
		} else if b.next() {
			other = b.value
		}
		if other < 0 || !w.equal(w.at(a.value), w.at(other)) {
			return false
		}
	}
	return true
}
