package parse

import (
	"strings"

	"wadi/sql/ast"
)

// call reads the arguments of a function and the clauses behind them. first is an argument that has been read already,
// together with the opening parenthesis, or nil.
func (p *parser) call(n ast.Name, start int, first ast.Expr) ast.Expr {
	c := &ast.Call{Name: n}
	defer p.write("f(a, b)")()
	p.callArgs(c, first)
	for p.callClause(c) {
	}
	c.Place = p.from(start)
	return c
}

// callArgs reads ([DISTINCT|ALL] arguments [ORDER BY …] [IGNORE NULLS]).
func (p *parser) callArgs(c *ast.Call, first ast.Expr) {
	if first == nil {
		p.open("(")
		switch {
		case p.isWord("DISTINCT"):
			p.advance()
			c.Distinct = true
			p.form = "f(DISTINCT a)"
		case p.isWord("ALL"):
			p.advance()
		}
		if !p.isOp(")") && !p.isWord("ORDER", "BY") || c.Distinct {
			p.commaList(func() { c.Args = append(c.Args, p.arg()) })
		}
	} else {
		c.Args = append(c.Args, &ast.Arg{Place: ast.At(first.Span()), Value: first})
		if p.op(",") {
			p.commaList(func() { c.Args = append(c.Args, p.arg()) })
		}
	}
	if p.maybe("ORDER", "BY") {
		c.OrderBy = p.orderItems()
	}
	p.nullTreatment(c)
	for _, c := range refusedInCalls {
		if p.isWord(c.words...) {
			p.unsupported(p.place(len(c.words)), strings.Join(c.words, " ")+" in a call").WithHint("%s", c.hint)
		}
	}
	p.close(")")
}

// refusedInCalls are clauses that calls have in other engines, with what to write instead.
var refusedInCalls = []struct {
	words []string
	hint  string
}{
	{[]string{"LIMIT"}, "take part of the result: array_slice(array_agg(x ORDER BY y), 1, 3)"},
	{[]string{"SEPARATOR"}, "the separator is an argument: string_agg(x, ',')"},
	{[]string{"ON", "OVERFLOW"}, "texts have no length that could overflow; leave the clause out"},
	{[]string{"HAVING"}, "write first_value(x ORDER BY y), or FILTER (WHERE …)"},
}

// arg reads an argument: a value, name => value, *, TABLE t or DESCRIPTOR(c).
func (p *parser) arg() *ast.Arg {
	start := p.here()
	a := &ast.Arg{}
	if p.namedArgAhead(0) {
		id := p.label("the name of an argument")
		p.advance()
		a.Name = &id
	}
	switch n := p.starAhead(); {
	case n > 0:
		a.Value = p.star(n, false)
	case p.isWord("TABLE"):
		a.Value = p.tableArg()
	case p.isWord("DESCRIPTOR") && p.peekAt(1).isOp("("):
		at := p.here()
		p.advance()
		d := &ast.Descriptor{Columns: p.columnList()}
		d.Place = p.from(at)
		a.Value = d
	case p.isWord("SELECT"), p.isWord("WITH"):
		p.fail(p.peek().span(), "a query as an argument needs parentheses around it").WithHint("write f((SELECT …))")
		a.Value = noExpr()
	default:
		a.Value = p.expr(bpLowest)
	}
	a.Place = p.from(start)
	return a
}

// namedArgAhead reports whether name => or name := stands n tokens behind the cursor.
func (p *parser) namedArgAhead(n int) bool {
	t, next := p.peekAt(n), p.peekAt(n+1)
	return (t.kind == tokenWord || t.kind == tokenQuoted) && (next.isOp("=>") || next.isOp(":="))
}

// tableArg reads TABLE t [PARTITION BY …] [ORDER BY …], TABLE(t) and TABLE (query).
func (p *parser) tableArg() ast.Expr {
	start := p.here()
	defer p.write("TABLE t, or TABLE (SELECT …)")()
	p.need("TABLE")
	a := &ast.TableArg{}
	switch {
	case p.isOp("(") && p.queryAhead(0):
		a.Query = p.parenQuery()
	case p.isOp("("):
		p.open("(")
		a.Name = p.name("a table name")
		p.close(")")
	default:
		a.Name = p.name("a table name")
	}
	if p.maybe("PARTITION", "BY") {
		p.untilArg(func() { a.PartitionBy = append(a.PartitionBy, p.expr(bpLowest)) })
		a.PartitionBy = unwrapRow(a.PartitionBy)
	}
	if p.maybe("ORDER", "BY") {
		p.untilArg(func() { a.OrderBy = append(a.OrderBy, p.orderItem()) })
	}
	a.Place = p.from(start)
	return a
}

// unwrapRow makes the list a, b of (a, b).
func unwrapRow(list []ast.Expr) []ast.Expr {
	for len(list) == 1 {
		row, ok := list[0].(*ast.Row)
		if !ok || len(row.Items) == 0 {
			break
		}
		list = row.Items
	}
	return list
}

// untilArg reads a list without parentheses within an argument list: it ends where the next argument begins.
func (p *parser) untilArg(item func()) {
	item()
	for p.isOp(",") {
		next := p.peekAt(1)
		if next.isWord("TABLE") || next.isWord("DESCRIPTOR") || next.isWord("INTERVAL") || p.namedArgAhead(1) {
			return
		}
		p.advance()
		item()
	}
}

func (p *parser) nullTreatment(c *ast.Call) bool {
	if c.Nulls != ast.NullsUntreated {
		return false
	}
	switch {
	case p.isWord("IGNORE", "NULLS"):
		c.Nulls = ast.IgnoreNulls
	case p.isWord("RESPECT", "NULLS"):
		c.Nulls = ast.RespectNulls
	default:
		return false
	}
	p.advance()
	p.advance()
	return true
}

// callClause reads one of the clauses behind a call's parentheses and reports whether there was one.
func (p *parser) callClause(c *ast.Call) bool {
	switch {
	case c.WithinGroup == nil && p.isWord("WITHIN", "GROUP"):
		defer p.write("WITHIN GROUP (ORDER BY a)")()
		p.need("WITHIN", "GROUP")
		p.open("(")
		p.need("ORDER", "BY")
		c.WithinGroup = p.orderItems()
		p.close(")")
		return true
	case c.Filter == nil && p.isWord("FILTER") && p.peekAt(1).isOp("("):
		defer p.write("FILTER (WHERE a > 1)")()
		p.advance()
		p.open("(")
		p.need("WHERE")
		c.Filter = p.expr(bpLowest)
		p.close(")")
		return true
	case c.Over == nil && p.isWord("OVER"):
		c.Over = p.over()
		return true
	}
	return p.nullTreatment(c)
}

func (p *parser) over() *ast.Over {
	start := p.here()
	defer p.write("OVER (PARTITION BY a ORDER BY b)")()
	p.need("OVER")
	o := &ast.Over{}
	if p.isOp("(") {
		o.Spec = p.windowSpec()
	} else {
		id := p.ident("a window name or '('")
		o.Name = &id
	}
	o.Place = p.from(start)
	return o
}

// windowSpec reads ([base] [PARTITION BY …] [ORDER BY …] [frame]).
func (p *parser) windowSpec() *ast.WindowSpec {
	start := p.here()
	defer p.write("(PARTITION BY a ORDER BY b ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), each part of which may be left out")()
	w := &ast.WindowSpec{}
	p.open("(")
	if t := p.peek(); t.kind == tokenQuoted || t.kind == tokenWord && !p.windowPartAhead() && !reserved[t.upper] && p.baseNameAhead() {
		id := p.ident("a window name")
		w.Base = &id
	}
	if p.word("PARTITION", "BY") {
		w.PartitionBy = p.exprList()
	}
	if p.word("ORDER", "BY") {
		w.OrderBy = p.orderItems()
	}
	if p.isAnyWord("ROWS", "RANGE", "GROUPS") {
		w.Frame = p.frame()
	} else {
		p.near("ROWS", "RANGE", "GROUPS")
	}
	p.close(")")
	w.Place = p.from(start)
	return w
}

func (p *parser) windowPartAhead() bool {
	return p.isWord("PARTITION", "BY") || p.isWord("ORDER", "BY") || (p.isAnyWord("ROWS", "RANGE", "GROUPS") && !p.peekAt(1).isOp(")"))
}

// baseNameAhead tells the name of a window from a misspelt PARTITION or ORDER, which has an expression behind it.
func (p *parser) baseNameAhead() bool {
	next := p.peekAt(1)
	return next.isOp(")") || next.isWord("PARTITION") || next.isWord("ORDER") || next.isWord("ROWS") || next.isWord("RANGE") || next.isWord("GROUPS")
}

func (p *parser) frame() *ast.Frame {
	start := p.here()
	defer p.write("ROWS BETWEEN 2 PRECEDING AND CURRENT ROW; a bound is also n FOLLOWING, UNBOUNDED PRECEDING or UNBOUNDED FOLLOWING")()
	f := &ast.Frame{Units: map[string]ast.FrameUnits{"ROWS": ast.FrameRows, "RANGE": ast.FrameRange, "GROUPS": ast.FrameGroups}[p.advance().upper]}
	if p.word("BETWEEN") {
		f.Start = p.frameBound()
		p.need("AND")
		f.End = p.frameBound()
	} else {
		f.Start = p.frameBound()
		f.End = ast.FrameBound{Place: ast.At(f.Start.Pos), Kind: ast.CurrentRow}
	}
	if f.Start.Kind == ast.UnboundedFollowing || f.End.Kind == ast.UnboundedPreceding || f.Start.Kind > f.End.Kind {
		p.fail(p.span(start), "the frame ends before it starts").WithHint("write the earlier bound first; a frame with one bound ends at the current row")
	}
	p.frameExclusion(f)
	f.Place = p.from(start)
	return f
}

func (p *parser) frameBound() ast.FrameBound {
	start := p.here()
	b := ast.FrameBound{}
	switch {
	case p.isWord("CURRENT", "ROW"):
		p.need("CURRENT", "ROW")
		b.Kind = ast.CurrentRow
	case p.isWord("UNBOUNDED"):
		p.advance()
		switch {
		case p.word("PRECEDING"):
			b.Kind = ast.UnboundedPreceding
		case p.word("FOLLOWING"):
			b.Kind = ast.UnboundedFollowing
		default:
			p.unexpected()
		}
	default:
		b.Offset = p.expr(bpLike)
		switch {
		case p.word("PRECEDING"):
			b.Kind = ast.Preceding
		case p.word("FOLLOWING"):
			b.Kind = ast.Following
		default:
			p.unexpected()
		}
	}
	b.Place = p.from(start)
	return b
}

func (p *parser) frameExclusion(f *ast.Frame) {
	if !p.maybe("EXCLUDE") {
		return
	}
	defer p.write("EXCLUDE CURRENT ROW, GROUP, TIES or NO OTHERS")()
	switch {
	case p.word("CURRENT", "ROW"):
		f.Exclude = ast.ExcludeCurrentRow
	case p.word("GROUP"):
		f.Exclude = ast.ExcludeGroup
	case p.word("TIES"):
		f.Exclude = ast.ExcludeTies
	case p.word("NO", "OTHERS"):
	default:
		p.unexpected()
	}
}
