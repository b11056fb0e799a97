package parse

import "wadi/sql/ast"

// selectBlock reads a SELECT block behind the word SELECT.
func (p *parser) selectBlock(start int) ast.QueryBody {
	s := &ast.Select{}
	defer p.write("SELECT a, b FROM t WHERE a > 1")()
	p.distinct(s)
	if p.isWord("TOP") && p.peekAt(1).kind == tokenNumber {
		p.unsupported(p.peek().span(), "SELECT TOP").WithHint("write LIMIT at the end of the query")
	}
	p.commaList(func() { s.Items = append(s.Items, p.selectItem()) })
	if p.isWord("INTO") {
		p.unsupported(p.peek().span(), "SELECT INTO").WithHint("write INSERT INTO t SELECT …, or CREATE TABLE t AS SELECT …")
	}
	if p.word("FROM") {
		p.commaList(func() { s.From = append(s.From, p.tableExpr()) })
	}
	p.selectClauses(s)
	s.Place = p.from(start)
	return s
}

func (p *parser) distinct(s *ast.Select) {
	if !p.maybe("DISTINCT") {
		p.maybe("ALL")
		return
	}
	s.Distinct = true
	if p.isWord("ON") && p.peekAt(1).isOp("(") {
		p.advance()
		p.open("(")
		p.commaList(func() { s.DistinctOn = append(s.DistinctOn, p.expr(bpLowest)) })
		p.close(")")
	}
}

// selectClauses reads WHERE, GROUP BY, HAVING, WINDOW and QUALIFY.
func (p *parser) selectClauses(s *ast.Select) {
	if len(s.From) == 0 {
		p.near("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT")
	}
	if p.maybeShown(len(s.From) > 0, "WHERE") {
		s.Where = p.expr(bpLowest)
	}
	if p.isWord("LATERAL", "VIEW") {
		p.unsupported(p.place(2), "LATERAL VIEW").WithHint("write CROSS JOIN LATERAL unnest(…)")
	}
	if p.isWord("GROUP") || p.maybeShown(len(s.From) > 0, "GROUP", "BY") {
		p.groupBy(s)
	}
	if p.maybeShown(s.GroupBy != nil, "HAVING") {
		s.Having = p.expr(bpLowest)
	}
	for {
		switch {
		case s.Windows == nil && p.windowClause(0):
			p.need("WINDOW")
			p.commaList(func() { s.Windows = append(s.Windows, p.namedWindow()) })
		case s.Qualify == nil && p.maybe("QUALIFY"):
			s.Qualify = p.expr(bpLowest)
		default:
			return
		}
	}
}

// maybeShown is word where the clause is likely here, else maybe.
func (p *parser) maybeShown(likely bool, words ...string) bool {
	if likely {
		return p.word(words...)
	}
	return p.maybe(words...)
}

// windowClause reports whether WINDOW name AS ( stands n tokens behind the cursor; window alone is a favourite alias.
func (p *parser) windowClause(n int) bool {
	next := p.peekAt(n + 1)
	return p.wordsAt(n, "WINDOW") && (next.kind == tokenWord || next.kind == tokenQuoted) &&
		p.wordsAt(n+2, "AS") && p.peekAt(n+3).isOp("(")
}

func (p *parser) namedWindow() *ast.NamedWindow {
	start := p.here()
	defer p.write("WINDOW name AS (PARTITION BY a ORDER BY b)")()
	w := &ast.NamedWindow{Name: p.ident("the name of a window")}
	p.need("AS")
	w.Spec = p.windowSpec()
	w.Place = p.from(start)
	return w
}

func (p *parser) selectItem() *ast.SelectItem {
	start := p.here()
	item := &ast.SelectItem{}
	if n := p.starAhead(); n > 0 {
		item.Expr = p.star(n, true)
		if p.isWord("AS") {
			p.fail(p.peek().span(), "* stands for several columns and has no alias").WithHint("list the columns to rename them")
		}
		item.Place = p.from(start)
		return item
	}
	item.Expr = p.expr(bpLowest)
	before := p.last()
	item.Alias = p.itemAlias()
	if a := item.Alias; a != nil && before.kind == tokenNumber && p.last().kind == tokenWord && p.toks[p.pos-2] == before && units[p.last().upper] != "" {
		item.Measure = ast.At(before.span().Join(a.Span()))
	}
	item.Place = p.from(start)
	return item
}

// itemAlias reads [AS] name behind an expression.
func (p *parser) itemAlias() *ast.Ident {
	if p.word("AS") {
		id := p.label("an alias")
		return &id
	}
	t := p.peek()
	bare := t.kind == tokenQuoted || (t.kind == tokenWord && !notBareAlias[t.upper] && !p.windowClause(0))
	if !bare {
		return nil
	}
	p.near("FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "LIKE", "ILIKE", "BETWEEN", "AND", "SIMILAR")
	id := p.label("an alias")
	return &id
}

// starAhead gives the number of tokens of * or a.b.* at the cursor, 0 if there is none.
func (p *parser) starAhead() int {
	for n := 0; ; n += 2 {
		t := p.peekAt(n)
		if t.isOp("*") {
			return n + 1
		}
		if t.kind != tokenWord && t.kind != tokenQuoted || !p.peekAt(n+1).isOp(".") {
			return 0
		}
	}
}

// star reads the n tokens of a star, and, in a select list, what changes its columns.
func (p *parser) star(n int, list bool) *ast.Star {
	start := p.here()
	s := &ast.Star{}
	for ; n > 1; n -= 2 {
		s.Qualifier = append(s.Qualifier, p.label("a name"))
		p.advance()
	}
	p.advance()
	if list {
		p.starChanges(s)
	}
	s.Place = p.from(start)
	return s
}

func (p *parser) starChanges(s *ast.Star) {
	if p.isWord("EXCLUDE") || (p.isWord("EXCEPT") && p.peekAt(1).isOp("(") && !p.queryAhead(1)) {
		defer p.write("SELECT * EXCEPT (a, b) or SELECT * REPLACE (a + 1 AS a)")()
		p.advance()
		if p.isOp("(") {
			s.Except = p.columnList()
		} else {
			s.Except = []ast.Ident{p.label("a column name")}
		}
	}
	if p.isWord("REPLACE") && p.peekAt(1).isOp("(") {
		p.advance()
		p.open("(")
		p.commaList(func() {
			start := p.here()
			item := &ast.SelectItem{Expr: p.expr(bpLowest)}
			p.need("AS")
			id := p.label("a column name")
			item.Alias = &id
			item.Place = p.from(start)
			s.Replace = append(s.Replace, item)
		})
		p.close(")")
	}
}

// groupBy reads GROUP BY; its place begins behind these words.
func (p *parser) groupBy(s *ast.Select) {
	defer p.write("GROUP BY a, b")()
	p.need("GROUP", "BY")
	start := p.here()
	g := &ast.GroupBy{}
	s.GroupBy = g
	if p.maybe("ALL") {
		g.All = true
	} else {
		p.commaList(func() { g.Items = append(g.Items, p.groupItem()) })
	}
	if p.isWord("WITH", "ROLLUP") || p.isWord("WITH", "CUBE") || p.isWord("WITH", "TOTALS") {
		p.unsupported(p.place(2), "WITH "+p.peekAt(1).upper).WithHint("write GROUP BY ROLLUP (…) or CUBE (…)")
	}
	g.Place = p.from(start)
}

// groupItem reads an expression, (), or a grouping set.
func (p *parser) groupItem() ast.Expr {
	start := p.here()
	switch {
	case p.isOp("(") && p.peekAt(1).isOp(")"):
		p.open("(")
		p.close(")")
		return &ast.Row{Place: p.from(start)}
	case p.isWord("GROUPING", "SETS") && p.peekAt(2).isOp("("):
		p.need("GROUPING", "SETS")
		return p.groupingSets(ast.GroupingSetsOf, start)
	case p.isWord("ROLLUP") && p.peekAt(1).isOp("("):
		p.advance()
		return p.groupingSets(ast.Rollup, start)
	case p.isWord("CUBE") && p.peekAt(1).isOp("("):
		p.advance()
		return p.groupingSets(ast.Cube, start)
	}
	return p.expr(bpLowest)
}

func (p *parser) groupingSets(kind ast.GroupingKind, start int) ast.Expr {
	outer := p.enter()
	defer p.leave(outer)
	defer p.write("GROUPING SETS ((a, b), (a), ()), ROLLUP (a, b) or CUBE (a, b)")()
	g := &ast.GroupingSets{Kind: kind}
	p.open("(")
	p.commaList(func() { g.Items = append(g.Items, p.groupItem()) })
	p.close(")")
	g.Place = p.from(start)
	return g
}
