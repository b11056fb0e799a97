package parse

import "wadi/sql/ast"

// tableExpr reads a relation with the joins behind it.
func (p *parser) tableExpr() ast.TableExpr {
	outer := p.enter()
	defer p.leave(outer)
	start := p.here()
	left := p.tablePrimary()
	for p.joinAhead() {
		left = p.join(left, start)
		p.grow()
	}
	return left
}

// joinAhead reports whether a join begins at the cursor, and notes that one might.
func (p *parser) joinAhead() bool {
	t := p.peek()
	if t.kind == tokenWord {
		switch t.upper {
		case "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL":
			return true
		case "SEMI", "ANTI", "ASOF":
			return p.joinWordAhead()
		}
	}
	p.want("JOIN")
	p.near("JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL")
	return false
}

// joinWordAhead reports whether the word at the cursor is followed by the rest of a join's keywords.
func (p *parser) joinWordAhead() bool {
	next := p.peekAt(1)
	if !p.isWord("ASOF") {
		return next.isWord("JOIN")
	}
	for _, w := range []string{"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "SEMI", "ANTI"} {
		if next.isWord(w) {
			return true
		}
	}
	return false
}

// join reads a join whose left side is given.
func (p *parser) join(left ast.TableExpr, start int) ast.TableExpr {
	j := &ast.Join{Left: left}
	j.Natural = p.maybe("NATURAL")
	j.Asof = p.maybe("ASOF")
	j.Kind = p.joinKind()
	if p.isWord("APPLY") {
		p.unsupported(p.peek().span(), "APPLY").WithHint("write CROSS JOIN LATERAL or LEFT JOIN LATERAL … ON TRUE")
	}
	defer p.write("JOIN … ON a.x = b.x to say which rows match, or CROSS JOIN … for all pairs")()
	p.need("JOIN")
	outer := p.enter()
	at := p.here()
	j.Right = p.tablePrimary()
	needsCondition := j.Kind != ast.CrossJoin && !j.Natural
	for needsCondition && !p.joinCondition() && p.joinAhead() {
		j.Right = p.join(j.Right, at)
		p.grow()
	}
	p.leave(outer)
	if needsCondition {
		p.joinConstraint(j)
	}
	j.Place = p.from(start)
	return j
}

func (p *parser) joinCondition() bool { return p.isAnyWord("ON", "USING", "MATCH_CONDITION") }

func (p *parser) joinKind() ast.JoinKind {
	switch {
	case p.maybe("INNER"):
		return ast.InnerJoin
	case p.maybe("CROSS"):
		return ast.CrossJoin
	case p.maybe("SEMI"):
		return ast.LeftSemiJoin
	case p.maybe("ANTI"):
		return ast.LeftAntiJoin
	case p.maybe("LEFT"):
		return p.sideJoin(ast.LeftJoin, ast.LeftSemiJoin, ast.LeftAntiJoin)
	case p.maybe("RIGHT"):
		return p.sideJoin(ast.RightJoin, ast.RightSemiJoin, ast.RightAntiJoin)
	case p.maybe("FULL"):
		p.maybe("OUTER")
		return ast.FullJoin
	}
	return ast.InnerJoin
}

func (p *parser) sideJoin(outer, semi, anti ast.JoinKind) ast.JoinKind {
	switch {
	case p.maybe("SEMI"):
		return semi
	case p.maybe("ANTI"):
		return anti
	}
	p.maybe("OUTER")
	return outer
}

// joinConstraint reads [MATCH_CONDITION (…)] and ON or USING; an ASOF join with the former may lack the latter.
func (p *parser) joinConstraint(j *ast.Join) {
	if j.Asof && p.maybe("MATCH_CONDITION") {
		j.Match = p.parenthesised()
	}
	switch {
	case p.word("ON"):
		j.On = p.expr(bpLowest)
	case p.word("USING"):
		j.Using = p.columnList()
	case j.Match == nil:
		p.unexpected()
	}
}

// tablePrimary reads one relation without joins.
func (p *parser) tablePrimary() ast.TableExpr {
	outer := p.enter()
	defer p.leave(outer)
	start := p.here()
	if p.isWord("LATERAL") {
		p.advance()
		return p.lateral(start)
	}
	t := p.peek()
	switch {
	case t.isOp("(") && p.queryAhead(0):
		d := &ast.Derived{Query: p.parenQuery()}
		d.Alias = p.tableAlias()
		d.Place = p.from(start)
		return d
	case t.isOp("("):
		return p.nestedTable(start)
	case t.isWord("TABLE") && p.peekAt(1).isOp("("):
		p.advance()
		p.open("(")
		call := p.tableCall()
		p.close(")")
		return p.tableFunction(call, false, start)
	case t.isWord("VALUES") && p.peekAt(1).isOp("("):
		p.fail(t.span(), "VALUES in FROM needs parentheses around it").WithHint("write FROM (VALUES (…), (…)) AS t (a, b)")
	case t.isWord("SELECT"):
		p.fail(t.span(), "a query in FROM needs parentheses around it").WithHint("write FROM (SELECT …) AS t")
	case t.kind == tokenString:
		p.fail(t.span(), "expected a table, found a string").WithHint("declare the file with CREATE TABLE … WITH (connector = 'single_file', …); names with special characters go in double quotes")
	}
	n := p.name("a table")
	if p.isOp("(") {
		return p.tableFunction(p.callOf(n, start), false, start)
	}
	return p.tableRef(n, start)
}

func (p *parser) lateral(start int) ast.TableExpr {
	switch {
	case p.isWord("TABLE") && p.peekAt(1).isOp("("):
		p.advance()
		p.open("(")
		call := p.tableCall()
		p.close(")")
		return p.tableFunction(call, true, start)
	case p.isOp("("):
		d := &ast.Derived{Lateral: true, Query: p.parenQuery()}
		d.Alias = p.tableAlias()
		d.Place = p.from(start)
		return d
	}
	return p.tableFunction(p.tableCall(), true, start)
}

// tableCall reads the name and arguments of a table function.
func (p *parser) tableCall() *ast.Call {
	start := p.here()
	return p.callOf(p.name("a table function"), start)
}

// callOf reads the arguments of a table function whose name has been read.
func (p *parser) callOf(n ast.Name, start int) *ast.Call {
	c := &ast.Call{Name: n}
	defer p.write("FROM f(a, b) AS t (x)")()
	p.callArgs(c, nil)
	if c.Distinct || len(c.OrderBy) > 0 || c.Nulls != ast.NullsUntreated {
		p.fail(p.span(start), "a table function takes plain arguments").WithHint("remove DISTINCT, ORDER BY and IGNORE NULLS")
	}
	c.Place = p.from(start)
	return c
}

func (p *parser) tableFunction(c *ast.Call, lateral bool, start int) ast.TableExpr {
	f := &ast.TableFunction{Lateral: lateral, Call: c}
	f.Ordinality = p.maybe("WITH", "ORDINALITY")
	f.Alias = p.tableAlias()
	f.Place = p.from(start)
	return f
}

// nestedTable reads (relation) [alias]; without an alias the parentheses only group.
func (p *parser) nestedTable(start int) ast.TableExpr {
	defer p.write("FROM (a JOIN b ON a.x = b.x), or FROM (SELECT …) AS t")()
	p.open("(")
	inner := p.tableExpr()
	p.close(")")
	alias := p.tableAlias()
	if alias == nil {
		return inner
	}
	return &ast.Nested{Place: p.from(start), Table: inner, Alias: alias}
}

func (p *parser) tableRef(n ast.Name, start int) ast.TableExpr {
	r := &ast.TableRef{Name: n}
	if p.isWord("FOR", "SYSTEM_TIME") || p.isWord("FOR", "SYSTEM", "TIME") {
		defer p.write("FOR SYSTEM_TIME AS OF a.ts")()
		p.advance()
		if !p.word("SYSTEM_TIME") {
			p.need("SYSTEM", "TIME")
		}
		p.need("AS", "OF")
		r.AsOf = p.expr(bpLowest)
	}
	r.Alias = p.tableAlias()
	r.Place = p.from(start)
	return r
}

// refusedRelations are table operators that are refused by name.
var refusedRelations = wordSet(`MATCH_RECOGNIZE PIVOT UNPIVOT TABLESAMPLE`)

func (p *parser) refuseRelation() {
	t := p.peek()
	next := p.peekAt(1)
	if t.kind == tokenWord && refusedRelations[t.upper] && (next.isOp("(") || t.upper == "TABLESAMPLE") {
		hint := map[string]string{"PIVOT": "write one aggregate with FILTER (WHERE …) per column", "UNPIVOT": "write a UNION ALL of SELECTs, or unnest an array of structs",
			"TABLESAMPLE": "write WHERE random() < 0.05", "MATCH_RECOGNIZE": "compare neighbouring rows with lag(…) and lead(…) OVER (PARTITION BY … ORDER BY …), and filter with QUALIFY"}[t.upper]
		p.unsupported(t.span(), t.upper).Hint = hint
	}
}

// tableAlias reads [AS] name [(columns)].
func (p *parser) tableAlias() *ast.TableAlias {
	p.refuseRelation()
	start := p.here()
	defer p.write("FROM t AS name (a, b)")()
	a := &ast.TableAlias{}
	if p.maybe("AS") {
		a.Name = p.label("an alias")
	} else {
		if !p.bareTableAlias() {
			return nil
		}
		p.near("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "UNION", "WINDOW", "QUALIFY")
		a.Name = p.label("an alias")
	}
	if p.isOp("(") {
		a.Columns = p.columnList()
	}
	p.refuseRelation()
	a.Place = p.from(start)
	return a
}

// bareTableAlias reports whether the token at the cursor is an alias without AS.
func (p *parser) bareTableAlias() bool {
	t := p.peek()
	if t.kind == tokenQuoted {
		return true
	}
	if t.kind != tokenWord || notBareAlias[t.upper] || notBareTableAlias[t.upper] || p.windowClause(0) {
		return false
	}
	switch t.upper {
	case "SEMI", "ANTI", "ASOF":
		return !p.joinWordAhead()
	case "MATCH_CONDITION":
		return !p.peekAt(1).isOp("(")
	case "SET", "DROP", "EXPLAIN", "SHOW", "DESCRIBE", "DELETE", "UPDATE", "ALTER":
		return p.peekAt(1).kind != tokenWord
	}
	return true
}
