package sqlgen

import (
	"fmt"
	"slices"
	"strings"
)

// query is a query as text and its columns; refs of those are their names.
type query struct {
	text    string
	columns []column
	time    bool
}

// query makes a query; kinds are the types of its columns, nil for any.
func (g *generator) query(depth int, kinds []string) query {
	if kinds == nil && g.in(2) {
		return g.selection(depth, nil)
	}
	if kinds == nil {
		for range 1 + g.n(4) {
			kinds = append(kinds, pick(g.source, g.types()))
		}
	}
	if depth > 0 && g.budget > 20 {
		switch g.weighted(12, 2, 2, 1) {
		case 1:
			return g.setOperation(depth, kinds)
		case 2:
			w := &table{name: g.name("w")}
			inner := g.nested(depth-1, nil)
			w.columns, w.time = inner.columns, inner.time
			g.within = append(g.within, w)
			q := g.selection(depth-1, kinds)
			g.within = g.within[:len(g.within)-1]
			return query{text: "WITH " + w.name + " AS (" + inner.text + ") " + q.text, columns: q.columns}
		case 3:
			q := query{text: "SELECT * FROM (" + g.values(kinds) + ") AS " + g.name("r") + "("}
			for i, k := range kinds {
				c := column{ref: g.name("c"), kind: k}
				if i > 0 {
					q.text += ", "
				}
				q.text += c.ref
				q.columns = append(q.columns, c)
			}
			q.text += ")"
			return q
		}
	}
	return g.selection(depth, kinds)
}

// nested makes a query that stands in another one, where it may be cut off.
func (g *generator) nested(depth int, kinds []string) query {
	q := g.query(depth, kinds)
	if g.in(6) {
		q.text += g.limits(q, 1)
		q.time = false
		q.columns = untimed(q.columns)
	}
	return q
}

// selection makes a SELECT.
func (g *generator) selection(depth int, kinds []string) query {
	free := kinds == nil
	if kinds == nil {
		for range 1 + g.n(4) {
			kinds = append(kinds, pick(g.source, g.types()))
		}
	}
	f := g.from(depth)
	g.scopes = append(g.scopes, f.columns)
	defer func() { g.scopes = g.scopes[:len(g.scopes)-1] }()
	switch g.weighted(6, 4, 3, 2) {
	case 1:
		return g.grouped(f, depth, kinds)
	case 2:
		if f.time {
			return g.windowed(f, depth, kinds)
		}
	case 3:
		return g.over(f, depth, kinds)
	}
	distinct := ""
	if g.in(6) {
		distinct = "DISTINCT "
	}
	q := query{time: f.time && distinct == ""}
	var items []string
	for _, k := range kinds {
		c := column{ref: g.name("c"), kind: k}
		items = append(items, g.expr(k, depth)+" AS "+c.ref)
		q.columns = append(q.columns, c)
	}
	if t := g.timeOf(f); q.time && t != "" && free {
		c := column{ref: g.name("c"), kind: "TIMESTAMP", time: true}
		items = append(items, t+" AS "+c.ref)
		q.columns = append(q.columns, c)
	}
	if distinct == "" && !g.options.Plain && g.in(10) {
		distinct = "DISTINCT ON (" + q.columns[0].ref + ") "
	}
	if free && !g.options.Plain && g.in(15) {
		c := column{ref: g.name("c"), kind: "BIGINT"}
		items = append(items, "unnest("+g.flat("BIGINT[]", depth)+") AS "+c.ref)
		q.columns = append(q.columns, c)
	}
	q.text = "SELECT " + distinct + strings.Join(items, ", ") + " FROM " + f.text + g.where(depth)
	if distinct == "" && !g.options.Plain && g.in(12) {
		order := g.flat(pick(g.source, comparable), depth-1)
		q.text += " QUALIFY " + pick(g.source, []string{"row_number", "rank", "dense_rank"}) + "() OVER (PARTITION BY " + g.flat(pick(g.source, comparable), depth-1) +
			" ORDER BY " + order + pick(g.source, []string{"", " DESC"}) + ")" + pick(g.source, []string{" = 1", " <= 2", " < 3", " > 1"})
		q.time, q.columns = false, untimed(q.columns)
	}
	return q
}

func (g *generator) timeOf(f relation) string {
	for _, c := range f.columns {
		if c.time {
			return c.ref
		}
	}
	return ""
}

// where makes a WHERE, or none.
func (g *generator) where(depth int) string {
	if !g.in(3) {
		return ""
	}
	return " WHERE " + g.condition(depth)
}

// grouped makes a SELECT with GROUP BY.
func (g *generator) grouped(f relation, depth int, kinds []string) query {
	where := g.where(depth - 1)
	var q query
	var items, keys []string
	scope := []column{}
	for i, k := range kinds {
		c := column{ref: g.name("c"), kind: k}
		q.columns = append(q.columns, c)
		if a := g.aggregate(k, depth-1); a != "" && (i > 0 || g.in(2)) {
			scope = append(scope, column{ref: a, kind: k})
			items = append(items, a+" AS "+c.ref)
			continue
		}
		e := g.column(k)
		if e == "" || g.in(4) {
			e = g.flat(k, depth-1)
		}
		keys = append(keys, e)
		scope = append(scope, column{ref: e, kind: k})
		items = append(items, e+" AS "+c.ref)
	}
	q.text = "SELECT " + strings.Join(items, ", ") + " FROM " + f.text + where
	if f.window != nil && !g.in(4) {
		keys = append(keys, f.window...)
	}
	switch {
	case len(keys) > 0 && g.in(8) && !g.options.Plain:
		q.text += " GROUP BY " + pick(g.source, []string{"ROLLUP", "CUBE"}) + " (" + strings.Join(keys, ", ") + ")"
	case len(keys) > 0:
		if g.in(12) && !g.options.Plain {
			q.text += " GROUP BY GROUPING SETS ((" + strings.Join(keys, ", ") + "), (" + keys[0] + "))"
			break
		}
		at := make([]string, len(keys))
		for i, k := range keys {
			at[i] = k
			if n := slices.IndexFunc(scope, func(c column) bool { return c.ref == k }); n >= 0 {
				at[i] = fmt.Sprint(n + 1)
			}
		}
		q.text += " GROUP BY " + strings.Join(at, ", ")
	}
	if g.in(4) {
		g.scopes = append(g.scopes[:len(g.scopes)-1:len(g.scopes)-1], scope)
		before := g.own
		g.own = len(g.scopes)
		q.text += " HAVING " + g.condition(min(depth, 2))
		g.own = before
	}
	return q
}

// windowed makes a SELECT grouped by a window of time.
func (g *generator) windowed(f relation, depth int, kinds []string) query {
	where := g.where(depth - 1)
	w := g.windowCall()
	var q query
	var items []string
	keys := []string{w}
	for i, k := range kinds {
		c := column{ref: g.name("c"), kind: k}
		q.columns = append(q.columns, c)
		if a := g.aggregate(k, depth-1); a != "" && (i > 0 || g.in(2)) {
			items = append(items, a+" AS "+c.ref)
			continue
		}
		e := g.column(k)
		if e == "" || g.in(4) {
			e = g.flat(k, depth-1)
		}
		keys = append(keys, e)
		items = append(items, e+" AS "+c.ref)
	}
	q.text = "SELECT " + strings.Join(items, ", ") + " FROM " + f.text + where + " GROUP BY " + strings.Join(keys, ", ")
	return q
}

// over makes a SELECT with functions over rows.
func (g *generator) over(f relation, depth int, kinds []string) query {
	where := g.where(depth - 1)
	var q query
	var items []string
	spec := "("
	if g.in(2) {
		spec += "PARTITION BY " + g.flat(pick(g.source, comparable), depth-1) + " "
	}
	order := g.timeOf(f)
	if order == "" || g.in(3) {
		order = g.flat(pick(g.source, comparable), depth-1)
	}
	orders := []string{"", " DESC NULLS LAST", " NULLS FIRST"}
	if !g.options.Plain {
		orders = append(orders, " DESC")
	}
	spec += "ORDER BY " + order + pick(g.source, orders)
	if g.options.Plain {
		return g.plainOver(f, depth, kinds, where, spec+")")
	}
	frame := pick(g.source, []string{
		"", "", " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", " RANGE BETWEEN " + g.span(3) + " PRECEDING AND CURRENT ROW",
		" ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING", " GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",
	})
	framed, named := spec+frame+")", ""
	spec += ")"
	if g.in(3) {
		w := g.name("w")
		named = " WINDOW " + w + " AS " + spec
		if spec, framed = w, w; frame != "" {
			framed = "(" + w + frame + ")"
		}
	}
	for _, k := range kinds {
		c := column{ref: g.name("c"), kind: k}
		q.columns = append(q.columns, c)
		e := ""
		switch {
		case k == "BIGINT" && g.in(2):
			e = pick(g.source, []string{"row_number()", "rank()", "dense_rank()", "ntile(3)"}) + " OVER " + spec
		case k == "DOUBLE" && g.in(2):
			e = pick(g.source, []string{"percent_rank()", "cume_dist()"}) + " OVER " + spec
		case g.in(3):
			e = pick(g.source, []string{"lag", "lead", "first_value", "last_value"}) + "(" + g.flat(k, depth-1) + ") OVER " + framed
		default:
			if e = g.aggregate(k, depth-1); e != "" && !strings.Contains(e, "_value(") {
				e += " OVER " + framed
			} else {
				e = ""
			}
		}
		if e == "" {
			e = g.expr(k, depth-1)
		}
		items = append(items, e+" AS "+c.ref)
	}
	q.text = "SELECT " + strings.Join(items, ", ") + " FROM " + f.text + where + named
	if g.in(3) {
		q.text += " QUALIFY " + pick(g.source, []string{
			"row_number() OVER " + spec + " <= 2", "rank() OVER " + spec + " = 1", "dense_rank() OVER " + spec + " BETWEEN 2 AND 3",
			"count(*) OVER " + framed + " > 1", "row_number() OVER " + spec + " <= 2 AND count(*) OVER " + spec + " > 1",
		})
	}
	return q
}

// plainOver makes a SELECT with functions over rows that do not tell rows apart which are equal by their order.
func (g *generator) plainOver(f relation, depth int, kinds []string, where, spec string) query {
	var q query
	var items []string
	named, by := "", spec
	if g.in(3) {
		by = g.name("w")
		named = " WINDOW " + by + " AS " + spec
	}
	for _, k := range kinds {
		c := column{ref: g.name("c"), kind: k}
		q.columns = append(q.columns, c)
		e := g.aggregate(k, min(depth-1, 1))
		switch {
		case k == "BIGINT" && g.in(2):
			e = pick(g.source, []string{"rank()", "dense_rank()"}) + " OVER " + by
		case e != "" && !strings.Contains(e, "DISTINCT") && g.in(2):
			e += " OVER " + by
		default:
			e = g.expr(k, depth-1)
		}
		items = append(items, e+" AS "+c.ref)
	}
	q.text = "SELECT " + strings.Join(items, ", ") + " FROM " + f.text + where + named
	if g.in(3) {
		q.text += " QUALIFY " + pick(g.source, []string{"rank() OVER " + by + " <= 2", "dense_rank() OVER " + by + " > 1", "count(*) OVER " + by + " > 1"})
	}
	return q
}

// top makes ORDER BY and LIMIT behind a query, or nothing. All columns are in the order, so that it is one.
func (g *generator) top(q query) string {
	if !g.in(4) {
		return ""
	}
	return g.limits(q, 0)
}

// limits makes ORDER BY with a limit of at least least rows, by all columns or with those that are equal.
func (g *generator) limits(q query, least int) string {
	var by []string
	orders := []string{"", " DESC NULLS FIRST", " NULLS FIRST", " DESC NULLS LAST"}
	if !g.options.Plain { // engines differ in where nulls are if nobody says so
		orders = append(orders, " DESC")
	}
	for i := range q.columns {
		by = append(by, fmt.Sprint(i+1)+pick(g.source, orders))
	}
	if !g.options.Plain && g.in(5) {
		return " ORDER BY " + by[0] + " FETCH FIRST " + fmt.Sprint(1+g.n(3)) + " ROWS WITH TIES"
	}
	text := " ORDER BY " + strings.Join(by, ", ") + " LIMIT " + fmt.Sprint(least+g.n(5))
	if g.in(3) {
		text += " OFFSET " + fmt.Sprint(g.n(3))
	}
	return text
}
