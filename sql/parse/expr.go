package parse

import "wadi/sql/ast"

// noExpr stands for an expression after a failure.
func noExpr() ast.Expr { return &ast.NullLit{} }

// expr reads an expression of operators that bind more tightly than power.
func (p *parser) expr(power int) ast.Expr {
	outer := p.enter()
	defer p.leave(outer)
	if p.failed {
		return noExpr()
	}
	start := p.here()
	return p.continued(p.prefix(), start, power)
}

// continued reads the operators behind left that bind more tightly than power; start is where left begins.
func (p *parser) continued(left ast.Expr, start, power int) ast.Expr {
	for {
		bp := p.infixPower()
		if bp <= power {
			if bp == 0 {
				p.near("AND", "OR", "LIKE", "ILIKE", "BETWEEN", "IN", "IS", "NOT", "SIMILAR")
			}
			return left
		}
		left = p.infix(left, start, bp)
		p.grow()
	}
}

// prefix reads an operand, with the operators before it.
func (p *parser) prefix() ast.Expr {
	start := p.here()
	t := p.peek()
	if t.isWord("NOT") {
		p.advance()
		x := p.expr(bpNot)
		return &ast.Unary{Place: p.from(start), Op: ast.Not, X: x}
	}
	if op, ok := prefixOps[t.val]; ok && t.kind == tokenOp {
		p.advance()
		x := p.expr(op.bp)
		return &ast.Unary{Place: p.from(start), Op: op.op, X: x}
	}
	return p.primary()
}

// infix reads what continues an expression behind left; start is where left begins.
func (p *parser) infix(left ast.Expr, start, bp int) ast.Expr {
	t := p.peek()
	if t.kind == tokenWord {
		return p.infixWord(left, start, bp)
	}
	switch t.val {
	case "[":
		return p.subscript(left, start)
	case "::":
		p.advance()
		dt := p.dataType()
		return &ast.Cast{Place: p.from(start), X: left, Type: dt}
	case ".":
		return p.field(left, start)
	case "<=>":
		p.advance()
		r := p.expr(bp)
		return &ast.IsDistinct{Place: p.from(start), Not: true, L: left, R: r}
	}
	p.advance()
	op := infixOps[t.val].op
	if p.quantifierAhead() {
		return p.quantified(left, op, start)
	}
	r := p.expr(bp)
	place := p.from(start)
	switch op {
	case ast.LikeOp:
		return &ast.Like{Place: place, X: left, Pattern: r}
	case ast.NotLikeOp:
		return &ast.Like{Place: place, Not: true, X: left, Pattern: r}
	case ast.ILikeOp:
		return &ast.Like{Place: place, Kind: ast.ILikePattern, X: left, Pattern: r}
	case ast.NotILikeOp:
		return &ast.Like{Place: place, Kind: ast.ILikePattern, Not: true, X: left, Pattern: r}
	}
	return &ast.Binary{Place: place, Op: op, L: left, R: r, OpPos: ast.At(t.span())}
}

func (p *parser) infixWord(left ast.Expr, start, bp int) ast.Expr {
	t := p.peek()
	switch t.upper {
	case "OR", "AND":
		p.advance()
		r := p.expr(bp)
		return &ast.Binary{Place: p.from(start), Op: ast.BinaryOp(t.upper), L: left, R: r, OpPos: ast.At(t.span())}
	case "IS":
		p.advance()
		return p.is(left, start)
	case "OVERLAPS":
		p.advance()
		r := p.expr(bp)
		return &ast.Binary{Place: p.from(start), Op: ast.OverlapsOp, L: left, R: r, OpPos: ast.At(t.span())}
	case "ISNULL", "NOTNULL":
		p.advance()
		return &ast.Is{Place: p.from(start), X: left, Not: t.upper == "NOTNULL", Test: ast.IsNull}
	case "AT":
		p.advance()
		if p.isWord("LOCAL") {
			p.unsupported(p.peek().span(), "AT LOCAL").WithHint("name the zone: AT TIME ZONE 'Europe/Berlin'")
		}
		defer p.write("x AT TIME ZONE 'Europe/Berlin'")()
		p.need("TIME", "ZONE")
		zone := p.expr(bp)
		return &ast.AtTimeZone{Place: p.from(start), X: left, Zone: zone}
	}
	not := p.maybe("NOT")
	defer p.write("x NOT IN (…), x NOT BETWEEN low AND high or x NOT LIKE '…'; NOT in front of a comparison negates it")()
	switch {
	case p.word("IN"):
		return p.in(left, not, start)
	case p.word("BETWEEN"):
		return p.between(left, not, start)
	}
	return p.like(left, not, start)
}

func (p *parser) is(left ast.Expr, start int) ast.Expr {
	defer p.write("x IS NULL, x IS NOT NULL, x IS TRUE or x IS DISTINCT FROM y; other values are compared by =")()
	not := p.word("NOT")
	switch {
	case p.word("NULL"):
		return &ast.Is{Place: p.from(start), X: left, Not: not, Test: ast.IsNull}
	case p.word("TRUE"):
		return &ast.Is{Place: p.from(start), X: left, Not: not, Test: ast.IsTrue}
	case p.word("FALSE"):
		return &ast.Is{Place: p.from(start), X: left, Not: not, Test: ast.IsFalse}
	case p.maybe("UNKNOWN"):
		return &ast.Is{Place: p.from(start), X: left, Not: not, Test: ast.IsUnknown}
	case p.word("DISTINCT", "FROM"):
		r := p.expr(bpIs)
		return &ast.IsDistinct{Place: p.from(start), Not: not, L: left, R: r}
	case p.isWord("JSON"), p.isWord("NORMALIZED"), p.isWord("DOCUMENT"), p.isWord("OF"):
		p.unsupported(p.peek().span(), "IS "+p.peek().upper).WithHint("the tests behind IS are NULL, TRUE, FALSE, UNKNOWN and DISTINCT FROM")
	}
	p.unexpected()
	return left
}

func (p *parser) in(left ast.Expr, not bool, start int) ast.Expr {
	defer p.write("x IN (1, 2, 3) or x IN (SELECT …)")()
	e := &ast.In{Not: not, X: left}
	if p.isOp("(") && p.queryAhead(0) {
		e.Query = p.parenQuery()
	} else {
		p.open("(")
		e.List = p.exprList()
		p.close(")")
	}
	e.Place = p.from(start)
	return e
}

func (p *parser) between(left ast.Expr, not bool, start int) ast.Expr {
	defer p.write("x BETWEEN low AND high")()
	e := &ast.Between{Not: not, X: left}
	e.Symmetric = p.maybe("SYMMETRIC")
	if !e.Symmetric {
		p.maybe("ASYMMETRIC")
	}
	e.Low = p.expr(bpLike)
	p.need("AND")
	e.High = p.expr(bpLike)
	e.Place = p.from(start)
	return e
}

func (p *parser) like(left ast.Expr, not bool, start int) ast.Expr {
	e := &ast.Like{Not: not, X: left}
	if p.isAnyWord("LIKE", "ILIKE", "SIMILAR") {
		defer p.write("x LIKE 'a%'")()
	}
	switch {
	case p.word("LIKE"):
	case p.word("ILIKE"):
		e.Kind = ast.ILikePattern
	default:
		p.need("SIMILAR", "TO")
		e.Kind = ast.SimilarPattern
	}
	if e.Kind != ast.SimilarPattern && p.quantifierAhead() {
		return p.quantified(left, likeOps[e.Kind][not], start)
	}
	e.Pattern = p.expr(bpLike)
	if p.maybe("ESCAPE") {
		e.Escape = p.expr(bpLike)
	}
	e.Place = p.from(start)
	return e
}

var likeOps = map[ast.LikeKind]map[bool]ast.BinaryOp{
	ast.LikePattern:  {false: ast.LikeOp, true: ast.NotLikeOp},
	ast.ILikePattern: {false: ast.ILikeOp, true: ast.NotILikeOp},
}

// quantifierAhead reports whether ANY (, SOME ( or ALL ( is next.
func (p *parser) quantifierAhead() bool {
	return p.isAnyWord("ANY", "SOME", "ALL") && p.peekAt(1).isOp("(")
}

func (p *parser) quantified(left ast.Expr, op ast.BinaryOp, start int) ast.Expr {
	defer p.write("x = ANY (list) or x = ANY (SELECT …)")()
	q := &ast.Quantified{Op: op, X: left, All: p.advance().upper == "ALL"}
	if p.queryAhead(0) {
		q.Query = p.parenQuery()
	} else {
		q.Array = p.parenthesised()
	}
	q.Place = p.from(start)
	return q
}

// subscript reads x[i], x[a:b] and x[a:b:step].
func (p *parser) subscript(left ast.Expr, start int) ast.Expr {
	defer p.write("x[1], or x[1:3] for a part of a list")()
	p.open("[")
	var parts [3]ast.Expr
	colons := 0
	for {
		if colons == 0 && p.isOp("::") {
			// Two colons without anything between them.
			p.advance()
			colons = 2
			if !p.isOp("]") {
				parts[2] = p.expr(bpLowest)
			}
			break
		}
		if !p.isOp(":") && !p.isOp("]") {
			parts[colons] = p.expr(bpLowest)
		}
		if colons == 2 || !p.isOp(":") {
			break
		}
		p.advance()
		colons++
	}
	if colons == 0 && parts[0] == nil {
		p.expected("a subscript")
	}
	p.close("]")
	if colons == 0 {
		return &ast.Subscript{Place: p.from(start), X: left, Index: parts[0]}
	}
	return &ast.Slice{Place: p.from(start), X: left, Low: parts[0], High: parts[1], Step: parts[2]}
}

// field reads .name behind an expression.
func (p *parser) field(left ast.Expr, start int) ast.Expr {
	p.advance()
	if p.isOp("*") {
		p.misplacedStar()
		return left
	}
	id := p.label("a field name")
	return &ast.Field{Place: p.from(start), X: left, Name: id}
}

func (p *parser) misplacedStar() {
	if t := p.peek(); p.pos > 0 && p.toks[p.pos-1].val == "*" && p.toks[p.pos-1].end == t.start {
		p.fail(p.toks[p.pos-1].span().Join(t.span()), "the operator ** is not supported").WithHint("write power(x, y), or x ^ y")
		return
	}
	p.fail(p.peek().span(), "* is not a value here").WithHint("* stands alone in a select list, or in count(*)")
}

func (p *parser) exprList() []ast.Expr {
	var list []ast.Expr
	p.commaList(func() { list = append(list, p.expr(bpLowest)) })
	return list
}
