// Package parse turns SQL text into syntax trees.
//
// What comes in: the text of a script. What goes out: the statements of package ast, and a fault with a place and a
// hint for each statement that is not right. Nothing here blocks, keeps state between calls or retains more of the text
// than the strings in the tree.
//
// The lexer knows no keywords: whether a word is one depends on where it stands, so that most keywords work as names.
// Statements and clauses are read by recursive descent, expressions by operator precedence (operator.go has the
// table, with the differences from PostgreSQL). Nesting is bounded, so no input can exhaust the stack, and each token is
// consumed at most once, so the time is linear in the text.
package parse

import (
	"sort"

	"wadi/dataflow/fault"
	"wadi/sql/ast"
)

const (
	// maxDepth bounds the nesting of parentheses, subqueries, types and calls.
	maxDepth = 1000
	// maxHeight bounds the height of a tree, which is also reached by long chains such as a + b + c + ….
	maxHeight = 10_000
	// maxErrors bounds how many errors of one text are reported.
	maxErrors = 100
)

// Parse reads all statements of a text. It goes on behind the ';' after a wrong statement, so the list can hold
// several faults, in the order of their places; the statements that were right are returned as well. A text of blanks and
// comments gives neither statements nor faults.
func Parse(text string) ([]ast.Statement, fault.List) {
	p := newParser(text)
	var out []ast.Statement
	for len(p.toks) > 0 && len(p.errs) < maxErrors {
		for p.peek().isOp(";") {
			p.advance()
		}
		if p.peek().kind == tokenEnd {
			break
		}
		s := p.statement()
		if !p.failed && p.peek().kind != tokenEnd && !p.op(";") {
			p.afterStatement()
		}
		if p.failed {
			p.recover()
			continue
		}
		out = append(out, s)
	}
	sort.SliceStable(p.errs, func(i, j int) bool { return p.errs[i].Span.Start < p.errs[j].Span.Start })
	return out, p.errs
}

// ParseExpr reads a text that is one expression.
func ParseExpr(text string) (ast.Expr, error) {
	p := newParser(text)
	if len(p.toks) == 0 {
		return nil, p.errs
	}
	p.form = "one expression, such as a + 1"
	e := p.expr(bpLowest)
	if !p.failed && p.peek().kind != tokenEnd {
		p.want("an operator")
		p.unexpected()
	}
	if len(p.errs) > 0 {
		return nil, p.errs
	}
	return e, nil
}

// parser is a cursor over tokens.
//
// The first error of a statement sets failed, from when on the cursor stands at the end of the text: every loop ends and
// every function returns soon, with whatever tree it has, which is thrown away. So functions need no error results; they
// only must return nodes that can be stored.
type parser struct {
	text   string
	toks   []token
	pos    int
	failed bool
	errs   fault.List
	depth  int
	// tall is the height of the tallest tree that was built in the current frame; see enter.
	tall int
	// opens are the indexes of the opening parentheses around the cursor.
	opens []int
	// split is where the token at the cursor begins since its first character was consumed, see closeAngle.
	split int
	// form is how what is being read is written, see write; formDone is that of what was read last.
	form, formDone string
	// nameWanted is set while it is reported that a name or a value is missing, so that a keyword there may be meant as one.
	nameWanted bool
	// now and before hold what would have been accepted at the cursor and at the place before it.
	now, before expectation
}

func newParser(text string) *parser {
	toks, errs := lex(text)
	return &parser{text: text, toks: toks, errs: errs}
}

// peek is the token at the cursor.
func (p *parser) peek() token { return p.peekAt(0) }

// peekAt is the token n places behind the cursor.
func (p *parser) peekAt(n int) token {
	last := len(p.toks) - 1
	if p.failed {
		return p.toks[last]
	}
	return p.toks[min(p.pos+n, last)]
}

func (p *parser) advance() token {
	t := p.peek()
	if !p.failed && p.pos < len(p.toks)-1 {
		p.pos++
	}
	return t
}

// lastEnd is the end of the token before the cursor, or of the part of the token at the cursor that was consumed.
func (p *parser) lastEnd() int {
	if p.split > 0 && p.split == p.toks[p.pos].start {
		return p.split
	}
	if p.pos == 0 {
		return 0
	}
	return p.toks[p.pos-1].end
}

// here is where the token at the cursor starts: the start of a node's span.
func (p *parser) here() int { return p.peek().start }

// from is the place from a start to the end of the token before the cursor.
func (p *parser) from(start int) ast.Place {
	return ast.At(fault.Span{Start: start, End: max(start, p.lastEnd())})
}

// isOp and isWord look without noting what was wanted, word also at a distance.
func (p *parser) isOp(op string) bool { return p.peek().isOp(op) }

func (p *parser) isWord(words ...string) bool { return p.wordsAt(0, words...) }

// wordsAt reports whether the words stand n tokens behind the cursor, one after the other.
func (p *parser) wordsAt(n int, words ...string) bool {
	for i, w := range words {
		if !p.peekAt(n + i).isWord(w) {
			return false
		}
	}
	return true
}

// isAnyWord reports whether one of the words stands at the cursor.
func (p *parser) isAnyWord(words ...string) bool {
	for _, w := range words {
		if p.peek().isWord(w) {
			return true
		}
	}
	return false
}

// op consumes an operator or punctuation mark if it is next, or notes that it was wanted.
func (p *parser) op(op string) bool {
	if p.peek().isOp(op) {
		p.advance()
		return true
	}
	p.want("'" + op + "'")
	return false
}

// word consumes words if they are next, or notes that they were wanted.
func (p *parser) word(words ...string) bool {
	if p.wordsAt(0, words...) {
		for range words {
			p.advance()
		}
		return true
	}
	p.wantWord(words)
	return false
}

// maybe is word for clauses that are too rare to be listed in a message; a misspelling of them is still recognised.
func (p *parser) maybe(words ...string) bool {
	if p.wordsAt(0, words...) {
		return p.word(words...)
	}
	p.near(words[0])
	return false
}

// need consumes words or fails.
func (p *parser) need(words ...string) {
	for _, w := range words {
		if !p.word(w) {
			p.unexpected()
			return
		}
	}
}

// needOp consumes an operator or fails.
func (p *parser) needOp(op string) {
	if !p.op(op) {
		p.unexpected()
	}
}

// open consumes an opening parenthesis, bracket or brace, or fails.
func (p *parser) open(op string) {
	at := p.pos
	p.needOp(op)
	p.opens = append(p.opens, at)
}

// close consumes the closing partner of the last open, or fails.
func (p *parser) close(op string) {
	if !p.op(op) {
		p.unexpected()
	}
	p.opens = p.opens[:len(p.opens)-1]
}

// commaList calls item once, and again after each comma.
func (p *parser) commaList(item func()) {
	for item(); p.op(","); {
		item()
	}
}

// enter begins a nested construct and fails when there are too many. The result goes to leave.
func (p *parser) enter() (outer int) {
	p.depth++
	if p.depth > maxDepth {
		p.tooDeep()
	}
	outer, p.tall = p.tall, 0
	return outer
}

// leave ends a nested construct: to the frame around it, it is a tree one higher than what it holds.
func (p *parser) leave(outer int) {
	p.depth--
	p.tall = max(outer, p.tall+1)
}

// grow puts one more node on top of what the frame holds, as each link of a chain a + b + c does.
func (p *parser) grow() {
	p.tall++
	if p.tall > maxHeight {
		p.tooDeep()
	}
}

func (p *parser) tooDeep() {
	p.fail(p.peek().span(), "this is nested too deeply").WithHint("split it with CREATE VIEW or WITH, or write long lists as IN (…)")
}

// recover moves behind the next ';'.
func (p *parser) recover() {
	p.failed = false
	p.depth, p.tall, p.opens, p.form = 0, 0, p.opens[:0], ""
	p.formDone = ""
	for p.peek().kind != tokenEnd && !p.peek().isOp(";") {
		p.advance()
	}
}
