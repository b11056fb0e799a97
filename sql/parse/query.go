package parse

import (
	"wadi/dataflow/fault"
	"wadi/sql/ast"
)

// queryAhead reports whether the parenthesis n tokens behind the cursor holds a query, and not an expression, a list
// or a join. Behind several parentheses, ((SELECT 1) UNION …) is a query and ((SELECT 1) + 1) is not.
func (p *parser) queryAhead(n int) bool {
	depth := 0
	for p.peekAt(n+depth).isOp("(") && depth <= maxDepth {
		depth++
	}
	t := p.peekAt(n + depth)
	if depth == 0 || !p.startsQuery(n+depth) {
		return false
	}
	if t.kind == tokenEnd {
		return false
	}
	for inner := depth - 1; inner > 0; inner-- {
		match := p.peekAt(n + inner).match
		if match < 0 {
			return true
		}
		next := p.toks[min(match+1, len(p.toks)-1)]
		if !next.isOp(")") && !(next.kind == tokenWord && afterQuery[next.upper]) {
			return false
		}
	}
	return true
}

// afterQuery words follow a parenthesised query that is a part of a query.
var afterQuery = wordSet(`UNION INTERSECT EXCEPT ORDER LIMIT OFFSET FETCH`)

func (p *parser) startsQuery(n int) bool {
	t := p.peekAt(n)
	if t.kind != tokenWord {
		return false
	}
	switch t.upper {
	case "SELECT", "WITH":
		return true
	case "VALUES":
		return p.peekAt(n + 1).isOp("(")
	case "TABLE":
		return p.peekAt(n+1).kind == tokenWord || p.peekAt(n+1).kind == tokenQuoted
	}
	return false
}

// query reads a query with all its clauses.
func (p *parser) query() *ast.Query {
	outer := p.enter()
	defer p.leave(outer)
	start := p.here()
	q := &ast.Query{}
	if p.isWord("WITH") {
		q.With = p.with()
		if p.isWord("INSERT") {
			p.unsupported(p.peek().span(), "WITH before INSERT").WithHint("put WITH behind the target: INSERT INTO t WITH … SELECT …")
		}
	}
	q.Body = p.queryBody(0)
	p.queryTail(q)
	q.Place = p.from(start)
	if inner, ok := q.Body.(*ast.Query); ok && plain(q) {
		return inner
	}
	return q
}

// plain reports whether a query adds nothing to its body.
func plain(q *ast.Query) bool {
	return q.With == nil && len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil
}

func (p *parser) with() *ast.With {
	start := p.here()
	p.need("WITH")
	defer p.write("WITH name AS (SELECT …) SELECT … FROM name")()
	w := &ast.With{Recursive: p.maybe("RECURSIVE")}
	p.commaList(func() { w.Tables = append(w.Tables, p.cte()) })
	w.Place = p.from(start)
	return w
}

func (p *parser) cte() *ast.CTE {
	start := p.here()
	c := &ast.CTE{Name: p.ident("the name of a common table expression")}
	if p.isOp("(") && !p.queryAhead(0) {
		c.Columns = p.columnList()
	}
	p.need("AS")
	if !p.maybe("MATERIALIZED") {
		p.maybe("NOT", "MATERIALIZED")
	}
	p.open("(")
	c.Query = p.query()
	p.close(")")
	c.Place = p.from(start)
	return c
}

// queryTail reads ORDER BY, LIMIT, OFFSET and FETCH, the last three in any order.
func (p *parser) queryTail(q *ast.Query) {
	defer p.write(p.form)()
	if p.maybe("ORDER") {
		p.form = "ORDER BY a, b DESC"
		p.need("BY")
		q.OrderBy = p.orderItems()
	}
	limited := false
	for {
		switch {
		case !limited && p.maybe("LIMIT"):
			limited = true
			p.form = "LIMIT 10"
			p.limit(q)
		case q.Offset == nil && p.maybe("OFFSET"):
			p.form = "OFFSET 10"
			q.Offset = p.expr(bpLowest)
			if !p.maybe("ROWS") {
				p.maybe("ROW")
			}
		case !limited && p.maybe("FETCH"):
			limited = true
			p.fetch(q)
		default:
			p.refuseTail()
			return
		}
	}
}

func (p *parser) limit(q *ast.Query) {
	if p.maybe("ALL") {
		return
	}
	q.Limit = p.expr(bpLowest)
	switch {
	case p.isOp(",") && len(p.opens) == 0:
		p.fail(p.peek().span(), "LIMIT has one number").WithHint("write LIMIT count OFFSET start")
	case p.isWord("BY"):
		p.unsupported(p.peek().span(), "LIMIT … BY").WithHint("write QUALIFY row_number() OVER (PARTITION BY … ORDER BY …) <= n")
	case p.isWord("PERCENT"):
		p.unsupported(p.peek().span(), "LIMIT n PERCENT").WithHint("give a number of rows, or a share: QUALIFY percent_rank() OVER (ORDER BY …) < 0.1")
	}
}

func (p *parser) fetch(q *ast.Query) {
	p.form = "FETCH FIRST 10 ROWS ONLY"
	if !p.word("FIRST") && !p.word("NEXT") {
		p.unexpected()
	}
	if t := p.peek(); t.isWord("ROW") || t.isWord("ROWS") {
		q.Limit = &ast.NumberLit{Place: ast.At(t.span()), Text: "1", Integer: true}
	} else {
		q.Limit = p.expr(bpLowest)
	}
	if p.isWord("PERCENT") {
		p.unsupported(p.peek().span(), "FETCH FIRST n PERCENT").WithHint("give a number of rows, or a share: QUALIFY percent_rank() OVER (ORDER BY …) < 0.1")
	}
	if !p.word("ROWS") && !p.word("ROW") {
		p.unexpected()
	}
	switch {
	case p.word("ONLY"):
	case p.word("WITH", "TIES"):
		q.WithTies = true
	default:
		p.unexpected()
	}
}

// refuseTail refuses by name the clauses that other engines have behind a query.
func (p *parser) refuseTail() {
	for _, c := range [...]struct{ first, second, hint string }{
		{"FOR", "UPDATE", "leave it out: a query takes no locks"},
		{"FOR", "SHARE", "leave it out: a query takes no locks"},
		{"CLUSTER", "BY", "leave it out: the plan spreads rows by the keys that it needs"},
		{"SORT", "BY", "write ORDER BY … LIMIT for the first rows of all, or row_number() OVER (ORDER BY …)"},
		{"DISTRIBUTE", "BY", "leave it out: the plan spreads rows by the keys that it needs"},
		{"CONNECT", "BY", "join the table with itself, once for each level"},
	} {
		if p.isWord(c.first, c.second) {
			p.unsupported(p.place(2), c.first+" "+c.second).WithHint("%s", c.hint)
		}
	}
}

func (p *parser) orderItems() []*ast.OrderItem {
	var list []*ast.OrderItem
	p.commaList(func() { list = append(list, p.orderItem()) })
	return list
}

func (p *parser) orderItem() *ast.OrderItem {
	start := p.here()
	o := &ast.OrderItem{Expr: p.expr(bpLowest)}
	if p.word("DESC") {
		o.Desc = true
	} else {
		p.word("ASC")
	}
	if p.maybe("NULLS") {
		defer p.write("NULLS FIRST or NULLS LAST")()
		switch {
		case p.word("FIRST"):
			o.Nulls = ast.NullsFirst
		case p.word("LAST"):
			o.Nulls = ast.NullsLast
		default:
			p.unexpected()
		}
	}
	o.Place = p.from(start)
	return o
}

// Binding powers of the set operators.
const (
	setUnion     = 1
	setIntersect = 2
)

func (p *parser) setOperator() (op ast.SetOperator, power int) {
	switch {
	case p.isWord("UNION"):
		return ast.Union, setUnion
	case p.isWord("EXCEPT"):
		return ast.Except, setUnion
	case p.isWord("INTERSECT"):
		return ast.Intersect, setIntersect
	}
	p.near("UNION", "EXCEPT", "INTERSECT")
	return 0, 0
}

// queryBody reads SELECT blocks and their set operators that bind more tightly than power.
func (p *parser) queryBody(power int) ast.QueryBody {
	outer := p.enter()
	defer p.leave(outer)
	start := p.here()
	left := p.queryPrimary()
	for {
		op, bp := p.setOperator()
		if bp <= power {
			return left
		}
		p.advance()
		s := &ast.SetOperation{Op: op, Left: left}
		if p.maybe("ALL") {
			s.All = true
		} else {
			p.maybe("DISTINCT")
		}
		s.ByName = p.maybe("BY", "NAME")
		s.Right = p.queryBody(bp)
		s.Place = p.from(start)
		left = s
		p.grow()
	}
}

func (p *parser) queryPrimary() ast.QueryBody {
	start := p.here()
	switch {
	case p.word("SELECT"):
		return p.selectBlock(start)
	case p.word("VALUES"):
		return p.values(start)
	case p.isWord("TABLE"):
		return p.tableQuery(start)
	case p.op("("):
		p.pos--
		return p.nestedQuery()
	case p.isWord("FROM"):
		p.unsupported(p.peek().span(), "FROM before SELECT").WithHint("begin with SELECT: SELECT * FROM t")
	}
	defer p.write("SELECT a, b FROM t")()
	p.unexpected()
	return &ast.Values{}
}

// nestedQuery reads a query in parentheses, and dissolves them if it has no clauses of its own.
func (p *parser) nestedQuery() ast.QueryBody {
	p.open("(")
	q := p.query()
	p.close(")")
	if plain(q) {
		return q.Body
	}
	return q
}

// tableQuery reads TABLE t, which is SELECT * FROM t.
func (p *parser) tableQuery(start int) ast.QueryBody {
	defer p.write("TABLE t, which is SELECT * FROM t")()
	p.need("TABLE")
	at := p.here()
	n := p.name("a table name")
	place := p.from(at)
	return &ast.Select{
		Place: p.from(start),
		Items: []*ast.SelectItem{{Place: place, Expr: &ast.Star{Place: place}}},
		From:  []ast.TableExpr{&ast.TableRef{Place: place, Name: n}},
	}
}

func (p *parser) values(start int) ast.QueryBody {
	defer p.write("VALUES (1, 'a'), (2, 'b')")()
	v := &ast.Values{}
	p.commaList(func() {
		at := p.here()
		row := &ast.Row{}
		p.open("(")
		p.commaList(func() { row.Items = append(row.Items, p.valueOrDefault()) })
		p.close(")")
		row.Place = p.from(at)
		v.Rows = append(v.Rows, row)
	})
	v.Place = p.from(start)
	return v
}

func (p *parser) valueOrDefault() ast.Expr {
	if t := p.peek(); t.isWord("DEFAULT") && (p.peekAt(1).isOp(",") || p.peekAt(1).isOp(")")) {
		p.advance()
		return &ast.DefaultValue{Place: ast.At(t.span())}
	}
	return p.expr(bpLowest)
}

// parenQuery reads (query).
func (p *parser) parenQuery() *ast.Query {
	p.open("(")
	q := p.query()
	p.close(")")
	return q
}

// span is from a start to the end of the token before the cursor, for faults.
func (p *parser) span(start int) fault.Span { return p.from(start).Pos }
