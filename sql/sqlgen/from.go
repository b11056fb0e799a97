package sqlgen

import (
	"fmt"
	"slices"
	"strings"
)

// relation is what stands in FROM.
type relation struct {
	text    string
	columns []column
	time    bool
	// window has the columns with the start and the end of the rows' windows, if they were given some.
	window []string
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
		weights := []int{10, 3, 1, 2, 1, 1}
		if g.options.Plain {
			weights[3], weights[4] = 0, 0
		}
		switch g.weighted(weights...) {
		case 1:
			// A query in FROM sees nothing around it but what the whole SELECT may see.
			q := g.nested(depth-1, nil)
			return aliased("("+q.text+")", alias, q.columns, q.time)
		case 3:
			if r, ok := g.windowTable(depth); ok {
				return r
			}
		case 4:
			if r, ok := g.together(); ok {
				return r
			}
		case 5:
			return g.constants(alias)
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

// constants makes a relation of several columns that no table is in: rows, a series or the elements of lists.
func (g *generator) constants(alias string) relation {
	switch g.weighted(2, 1, 1) {
	case 0:
		kinds := []string{pick(g.source, g.types()), "BIGINT", pick(g.source, g.types())}[:1+g.n(3)]
		r := relation{text: "(" + g.values(kinds) + ") AS " + alias}
		var names []string
		for i, k := range kinds {
			name := fmt.Sprintf("column%d", i+1)
			if len(names) == i && (g.options.Plain || !g.in(4)) {
				name = g.name("c")
				names = append(names, name)
			}
			r.columns = append(r.columns, column{ref: alias + "." + name, kind: k})
		}
		if len(names) > 0 {
			r.text += "(" + strings.Join(names, ", ") + ")"
		}
		return r
	case 1:
		r := relation{text: "generate_series(" + pick(g.source, []string{"1, 3", "3, 1, -1", "0, 10, 4"}) + ")", columns: []column{{ref: alias + ".e", kind: "BIGINT"}}}
		r.text += g.numbered(&r, alias, "e")
		return r
	}
	r := relation{columns: []column{{ref: alias + ".e", kind: "BIGINT"}}}
	lists, names := g.literal("BIGINT[]", true), "e"
	if !g.options.Plain && g.in(2) {
		lists, names = lists+", "+g.literal("TEXT[]", true), "e, f"
		r.columns = append(r.columns, column{ref: alias + ".f", kind: "TEXT"})
	}
	r.text = "unnest(" + lists + ")"
	r.text += g.numbered(&r, alias, names)
	return r
}

// numbered writes WITH ORDINALITY, or not, and the names of the columns of a function in FROM.
func (g *generator) numbered(r *relation, alias, names string) string {
	if !g.in(2) {
		return " AS " + alias + "(" + names + ")"
	}
	r.columns = append(r.columns, column{ref: alias + ".n", kind: "BIGINT"})
	return " WITH ORDINALITY AS " + alias + "(" + names + ", n)"
}

// join joins a relation with another one, or with the elements of its lists.
func (g *generator) join(l relation, depth int) relation {
	weights := []int{9, 4, 4, 3}
	if g.options.Plain {
		weights[1], weights[2] = 2, 0
	}
	switch g.weighted(weights...) {
	case 1:
		return g.lateral(l, depth)
	case 2:
		if r, ok := g.temporal(l, depth); ok {
			return r
		}
	case 3:
		if r, ok := g.shared(l, g.some()); ok {
			return r
		}
	}
	r := g.relation(depth - 1)
	both := apart(l, r)
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
		terms = append(terms, lt+" BETWEEN "+rt+" - "+g.span(5)+" AND "+rt+pick(g.source, []string{"", " + " + g.span(3)}))
	}
	if l.window != nil && r.window != nil && !g.in(3) {
		terms = append(terms, l.window[0]+" = "+r.window[0], l.window[1]+" = "+r.window[1])
		out.window = l.window
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
	both := apart(l, r)
	for _, a := range l.columns {
		for _, b := range r.columns {
			if a.kind == b.kind && slices.Contains(both, a) && slices.Contains(both, b) && (!g.options.Plain || a.kind != "BOOLEAN") {
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
	out := relation{columns: slices.Clone(l.columns), time: l.time, window: l.window}
	before, behind := " CROSS JOIN ", ""
	switch g.weighted(4, 3, 1) {
	case 1:
		before, behind = " LEFT JOIN ", " ON TRUE"
	case 2:
		before = ", "
	}
	kinds := []int{1, 1, 1}
	if g.options.Plain {
		kinds[0] = 0
	}
	switch g.weighted(kinds...) {
	case 0:
		lists := []string{"BIGINT[]", "TEXT[]", "BIGINT[][]"}
		var values, names []string
		for i := range 1 + g.n(2) {
			t := pick(g.source, lists)
			values, names = append(values, g.flat(t, depth)), append(names, string(rune('e'+i)))
			out.columns = append(out.columns, column{ref: alias + "." + names[i], kind: strings.TrimSuffix(t, "[]")})
		}
		out.text = l.text + before + "unnest(" + strings.Join(values, ", ") + ")" + g.numbered(&out, alias, strings.Join(names, ", ")) + behind
	case 1:
		bounds, kind := "1, 3", "BIGINT"
		if x := g.column("BIGINT"); x != "" && g.in(2) {
			bounds = x + " - 2, " + x
		} else if x := g.column("TIMESTAMP"); x != "" && g.in(2) {
			bounds, kind = x+", "+x+" + "+g.span(2)+", "+g.span(1), "TIMESTAMP"
		}
		out.columns = append(out.columns, column{ref: alias + ".e", kind: kind})
		out.text = l.text + before + "generate_series(" + bounds + ")" + g.numbered(&out, alias, "e") + behind
	default:
		q := g.nested(depth-1, nil)
		out.time, out.columns, out.window = false, untimed(out.columns), nil
		for _, c := range q.columns {
			c.ref, c.time = alias+"."+c.ref, false
			out.columns = append(out.columns, c)
		}
		if behind != "" && g.in(3) {
			g.scopes[len(g.scopes)-1] = out.columns
			behind = " ON " + g.condition(min(depth-1, 1))
		}
		out.text = l.text + before + "LATERAL (" + q.text + ") AS " + alias + behind
	}
	return out
}
