package sqlgen

import (
	"slices"
	"strings"
)

// relation is what stands in FROM.
type relation struct {
	text    string
	columns []column
	time    bool
}

// from makes the relations of a SELECT.
func (g *generator) from(depth int) relation {
	r := g.relation(depth)
	for range 2 {
		if depth <= 0 || g.budget < 15 || !g.in(3) {
			break
		}
		r = g.join(r, depth)
	}
	return r
}

// relation makes one relation: a table, a named query, a query, rows of constants or a list.
func (g *generator) relation(depth int) relation {
	alias := g.name("r")
	if depth > 0 && g.budget > 20 {
		switch g.weighted(10, 3, 1) {
		case 1:
			// A query in FROM sees nothing around it but what the whole SELECT may see.
			q := g.query(depth-1, nil)
			return aliased("("+q.text+")", alias, q.columns, q.time)
		case 2:
			t := pick(g.source, g.types())
			c := column{ref: g.name("c"), kind: t}
			rows := make([]string, 1+g.n(3))
			for i := range rows {
				rows[i] = "(" + g.literal(t, true) + ")"
			}
			return relation{
				text:    "(VALUES " + strings.Join(rows, ", ") + ") AS " + alias + "(" + c.ref + ")",
				columns: []column{{ref: alias + "." + c.ref, kind: t}},
			}
		}
	}
	list := g.tables
	if len(g.within) > 0 && g.in(2) {
		list = g.within
	}
	t := pick(g.source, list)
	return aliased(t.name, alias, t.columns, t.time)
}

func aliased(text, alias string, columns []column, time bool) relation {
	r := relation{text: text + " AS " + alias, time: time && slices.ContainsFunc(columns, func(c column) bool { return c.time })}
	for _, c := range columns {
		c.ref = alias + "." + c.ref
		r.columns = append(r.columns, c)
	}
	return r
}

// join joins a relation with another one, or with the elements of its lists.
func (g *generator) join(l relation, depth int) relation {
	if !g.options.Plain && g.in(4) {
		return g.lateral(l, depth)
	}
	r := g.relation(depth - 1)
	both := append(slices.Clone(l.columns), r.columns...)
	kinds := []string{"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "JOIN", "LEFT JOIN"}
	if !g.options.Plain {
		kinds = append(kinds, "LEFT SEMI JOIN", "LEFT ANTI JOIN", "CROSS JOIN", "ASOF JOIN")
	}
	kind := pick(g.source, kinds)
	if kind == "CROSS JOIN" {
		return relation{text: l.text + " CROSS JOIN " + r.text, columns: untimed(both)}
	}
	var terms []string
	for range 1 + g.n(2) {
		if a, b := g.equal(l, r); a != "" {
			op := " = "
			if g.in(6) {
				op = " IS NOT DISTINCT FROM "
			}
			terms = append(terms, a+op+b)
		}
	}
	lt, rt := g.timeOf(l), g.timeOf(r)
	out := relation{columns: untimed(both)}
	if lt != "" && rt != "" && g.in(3) {
		terms = append(terms, lt+" BETWEEN "+rt+" - INTERVAL '5' SECOND AND "+rt+pick(g.source, []string{"", " + INTERVAL '3' SECOND"}))
	}
	if kind == "ASOF JOIN" {
		if lt == "" || rt == "" {
			kind = "JOIN"
		} else {
			terms = append(terms, lt+" >= "+rt)
		}
	}
	if g.in(4) || len(terms) == 0 {
		g.scopes = append(g.scopes, both)
		terms = append(terms, g.condition(min(depth-1, 1)))
		g.scopes = g.scopes[:len(g.scopes)-1]
	}
	if kind == "LEFT SEMI JOIN" || kind == "LEFT ANTI JOIN" {
		out.columns, out.time = l.columns, l.time
	}
	out.text = l.text + " " + kind + " " + r.text + " ON " + strings.Join(terms, " AND ")
	return out
}

// untimed are the columns of a join, which have no event time that is known.
func untimed(columns []column) []column {
	out := slices.Clone(columns)
	for i := range out {
		out[i].time = false
	}
	return out
}

// equal finds a column of each side of one type.
func (g *generator) equal(l, r relation) (string, string) {
	var pairs [][2]string
	for _, a := range l.columns {
		for _, b := range r.columns {
			if a.kind == b.kind && (!g.options.Plain || a.kind != "BOOLEAN") {
				pairs = append(pairs, [2]string{a.ref, b.ref})
			}
		}
	}
	if len(pairs) == 0 {
		return "", ""
	}
	p := pick(g.source, pairs)
	return p[0], p[1]
}

// lateral puts what a row gives beside it: the elements of a list, a series, or a query that names its columns.
func (g *generator) lateral(l relation, depth int) relation {
	alias := g.name("r")
	g.scopes = append(g.scopes, l.columns)
	defer func() { g.scopes = g.scopes[:len(g.scopes)-1] }()
	out := relation{columns: slices.Clone(l.columns), time: l.time}
	switch g.n(3) {
	case 0:
		c := column{ref: alias + ".e", kind: "BIGINT"}
		out.columns = append(out.columns, c)
		out.text = l.text + " CROSS JOIN unnest(" + g.flat("BIGINT[]", depth) + ") AS " + alias + "(e)"
	case 1:
		out.columns = append(out.columns, column{ref: alias + ".e", kind: "BIGINT"})
		out.text = l.text + " CROSS JOIN generate_series(1, 3) AS " + alias + "(e)"
	default:
		q := g.query(depth-1, nil)
		out.time, out.columns = false, untimed(out.columns)
		for _, c := range q.columns {
			c.ref, c.time = alias+"."+c.ref, false
			out.columns = append(out.columns, c)
		}
		out.text = l.text + pick(g.source, []string{" CROSS JOIN LATERAL (" + q.text + ") AS " + alias, " LEFT JOIN LATERAL (" + q.text + ") AS " + alias + " ON TRUE"})
	}
	return out
}
