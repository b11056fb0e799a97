package sqlgen

import (
	"slices"
	"strings"
)

// temporal joins a relation whose rows have a time with the versions of a table; ok is false if there are none.
func (g *generator) temporal(l relation, depth int) (out relation, ok bool) {
	at := g.timeOf(l)
	var list []*table
	for _, t := range g.tables {
		if t.versions != "" {
			list = append(list, t)
		}
	}
	if at == "" || len(list) == 0 {
		return out, false
	}
	t, alias := pick(g.source, list), g.name("r")
	r := aliased(t.name, alias, untimed(t.columns), false)
	kind := "BIGINT"
	if t.versions == "k" {
		kind = "TEXT"
	}
	var keys []string
	for _, c := range l.columns {
		if c.kind == kind {
			keys = append(keys, c.ref)
		}
	}
	if len(keys) == 0 {
		return out, false
	}
	on := pick(g.source, keys) + " = " + alias + "." + t.versions
	both := apart(l, r)
	if g.in(4) {
		g.scopes = append(g.scopes, both)
		on += " AND " + g.condition(min(depth-1, 1))
		g.scopes = g.scopes[:len(g.scopes)-1]
	}
	text := l.text + pick(g.source, []string{" JOIN ", " LEFT JOIN "}) + t.name + " FOR SYSTEM_TIME AS OF " + at + " AS " + alias + " ON " + on
	return relation{text: text, columns: both, time: l.time}, true
}

// common are the names that two relations share, each once on both sides and with one type.
func common(l, r relation) (names []string, all bool) {
	at := func(list []column) (map[string]string, map[string]int) {
		kinds, times := map[string]string{}, map[string]int{}
		for _, c := range list {
			name := nameOf(c)
			kinds[name] = c.kind
			times[name]++
		}
		return kinds, times
	}
	lk, ln := at(l.columns)
	rk, rn := at(r.columns)
	all = true
	for _, c := range r.columns {
		name := nameOf(c)
		if ln[name] == 0 {
			continue
		}
		if ln[name] > 1 || rn[name] > 1 || lk[name] != rk[name] {
			all = false
			continue
		}
		names = append(names, name)
	}
	return names, all
}

// shared joins two relations by columns that have the same names; ok is false if they have none.
func (g *generator) shared(l, r relation) (out relation, ok bool) {
	names, all := common(l, r)
	if len(names) == 0 {
		return out, false
	}
	kind := pick(g.source, []string{"JOIN ", "LEFT JOIN ", "RIGHT JOIN ", "FULL JOIN "})
	text := l.text + " NATURAL " + kind + r.text
	if !all || g.in(2) {
		g.r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		names = names[:1+g.n(min(2, len(names)))]
		text = l.text + " " + kind + r.text + " USING (" + strings.Join(names, ", ") + ")"
	}
	// The columns that both have are one, without a table.
	out = relation{text: text}
	of := func(r relation) relation {
		return relation{columns: slices.DeleteFunc(slices.Clone(r.columns), func(c column) bool { return slices.Contains(names, nameOf(c)) })}
	}
	for _, c := range l.columns {
		if slices.Contains(names, nameOf(c)) {
			out.columns = append(out.columns, column{ref: nameOf(c), kind: c.kind})
		}
	}
	out.columns = append(out.columns, untimed(apart(of(l), of(r)))...)
	return out, true
}

func nameOf(c column) string { return c.ref[strings.LastIndexByte(c.ref, '.')+1:] }

// apart are the columns of both sides of a join but for those without a table whose name the other side has too.
func apart(l, r relation) []column {
	clashes := func(c column, others []column) bool {
		return nameOf(c) == c.ref && slices.ContainsFunc(others, func(o column) bool { return nameOf(o) == c.ref })
	}
	var out []column
	for _, c := range l.columns {
		if !clashes(c, r.columns) {
			out = append(out, c)
		}
	}
	for _, c := range r.columns {
		if !clashes(c, l.columns) {
			out = append(out, c)
		}
	}
	return out
}

// some is a relation with some columns of a table.
func (g *generator) some() relation {
	t := pick(g.source, g.tables)
	columns := []column{}
	var names []string
	for _, c := range t.columns {
		if c.ref == "id" || c.ref == "k" || c.ref == "v" || c.time {
			if g.in(3) {
				continue
			}
			columns, names = append(columns, c), append(names, c.ref)
		}
	}
	if len(names) == 0 {
		return aliased(t.name, g.name("r"), t.columns, t.time)
	}
	return aliased("(SELECT "+strings.Join(names, ", ")+" FROM "+t.name+")", g.name("r"), columns, t.time)
}

// together is the rows of two tables that have a time; ok is false if there are none.
func (g *generator) together() (out relation, ok bool) {
	var list []*table
	for _, t := range g.tables {
		if t.time && slices.ContainsFunc(t.columns, func(c column) bool { return c.ref == "ts" }) {
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return out, false
	}
	a, b := pick(g.source, list), pick(g.source, list)
	columns := []column{{ref: "id", kind: "BIGINT"}, {ref: "k", kind: "TEXT"}, {ref: "v", kind: "BIGINT"}, {ref: "ts", kind: "TIMESTAMP", time: true}}
	return aliased("(SELECT id, k, v, ts FROM "+a.name+" UNION ALL SELECT id, k, v, ts FROM "+b.name+")", g.name("r"), columns, true), true
}
