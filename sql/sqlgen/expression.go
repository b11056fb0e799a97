package sqlgen

import (
	"strings"
)

// value makes an expression of a type. depth bounds its nesting.
func (g *generator) expr(t string, depth int) string {
	g.budget--
	if depth <= 0 || g.budget <= 0 {
		return g.leaf(t)
	}
	for {
		switch g.weighted(6, 2, 8, 3, 1, 1, 1, 1) {
		case 0, 1:
			return g.leaf(t)
		case 2:
			if e := g.call(t, depth); e != "" {
				return e
			}
		case 3:
			if e := g.example(t, depth); e != "" {
				return e
			}
		case 4:
			return "CASE WHEN " + g.condition(depth-1) + " THEN " + g.expr(t, depth-1) + " ELSE " + g.expr(t, depth-1) + " END"
		case 5:
			return "coalesce(" + g.expr(t, depth-1) + ", " + g.expr(t, depth-1) + ")"
		case 6:
			if e := g.scalarQuery(t, depth); e != "" {
				return e
			}
		case 7:
			if t == "BOOLEAN" {
				return g.condition(depth)
			}
			if !g.options.Plain && g.in(2) {
				return "TRY_CAST(" + g.expr(pick(g.source, columnTypes), depth-1) + " AS " + t + ")"
			}
			return "nullif(" + g.expr(t, depth-1) + ", " + g.expr(t, depth-1) + ")"
		}
	}
}

// leaf is a column of the type, if there is one, or a constant.
func (g *generator) leaf(t string) string {
	if ref := g.column(t); ref != "" && !g.in(5) {
		return ref
	}
	return g.literal(t, g.options.Plain)
}

// column names a column of the type, of the query or, seldom, of one around it.
func (g *generator) column(t string) string {
	for i := len(g.scopes) - 1; i >= 0; i-- {
		if g.own == i+1 && len(g.scopes) > g.own {
			continue
		}
		var fits []string
		for _, c := range g.scopes[i] {
			if c.kind == t {
				fits = append(fits, c.ref)
			}
			for _, m := range members(c.kind) {
				if m[1] == t {
					fits = append(fits, "("+c.ref+")."+m[0])
				}
			}
		}
		if len(fits) > 0 && (i == 0 || !g.in(4)) {
			return pick(g.source, fits)
		}
	}
	return ""
}

// plainCalls are the calls whose meaning is the same everywhere.
var plainCalls = map[string][]string{
	"BIGINT":         {"($BIGINT + $BIGINT)", "($BIGINT - $BIGINT)", "($BIGINT * 2)", "abs($BIGINT)", "length($TEXT)"},
	"INT":            {"abs($INT)"},
	"TEXT":           {"lower($TEXT)", "upper($TEXT)", "($TEXT || $TEXT)", "replace($TEXT, 'x', 'yy')", "substr($TEXT, 1, 2)", "reverse($TEXT)"},
	"DECIMAL(12, 2)": {"abs($DECIMAL(12, 2))"},
	"BOOLEAN":        {"(NOT $BOOLEAN)", "($BOOLEAN IS TRUE)", "($BOOLEAN IS NOT FALSE)", "($BOOLEAN IS UNKNOWN)"},
}

// call makes a call of a function that gives the type; "" if there is none.
func (g *generator) call(t string, depth int) string {
	if g.options.Plain {
		list := plainCalls[t]
		if len(list) == 0 {
			return ""
		}
		call := pick(g.source, list)
		for _, a := range plainTypes {
			for strings.Contains(call, "$"+a) {
				call = strings.Replace(call, "$"+a, g.expr(a, depth-1), 1)
			}
		}
		return call
	}
	list := g.library.byResult[t]
	if len(list) == 0 {
		return ""
	}
	return g.fill(pickByName(g.source, list), depth)
}

// pickByName draws a function first and then one of its signatures, so that all functions come up alike.
func pickByName(s source, list []signature) signature {
	var names []string
	for i, c := range list {
		if i == 0 || list[i-1].name != c.name {
			names = append(names, c.name)
		}
	}
	name := pick(s, names)
	var fits []signature
	for _, c := range list {
		if c.name == name {
			fits = append(fits, c)
		}
	}
	return pick(s, fits)
}

// fill puts arguments into a call.
func (g *generator) fill(s signature, depth int) string {
	call := s.spelling
	for i, a := range s.args {
		call = strings.ReplaceAll(call, dollars(len(s.args))[i], "\x00"+string(rune('1'+i)))
		for strings.Contains(call, "\x00"+string(rune('1'+i))) {
			call = strings.Replace(call, "\x00"+string(rune('1'+i)), g.expr(a, depth-1), 1)
		}
	}
	return call
}

// example makes the example of a function that gives the type, with some of its constants replaced; "" if there is none.
func (g *generator) example(t string, depth int) string {
	list := g.library.templates[t]
	if len(list) == 0 || g.options.Plain {
		return ""
	}
	e := pick(g.source, list)
	var b strings.Builder
	b.WriteString("(")
	at := 0
	for _, h := range e.holes {
		if h.at.Start < at || !g.in(3) {
			continue
		}
		b.WriteString(e.text[at:h.at.Start])
		b.WriteString("(" + g.expr(h.kind, depth-1) + ")")
		at = h.at.End
	}
	b.WriteString(e.text[at:])
	b.WriteString(")")
	return b.String()
}

// comparable are types whose values have an order everywhere.
var comparable = []string{"BIGINT", "TEXT", "DECIMAL(12, 2)", "INT"}

// condition makes a BOOLEAN in one of the forms that have no function behind them.
func (g *generator) condition(depth int) string {
	g.budget--
	if depth <= 0 || g.budget <= 0 {
		return g.leaf("BOOLEAN")
	}
	t := pick(g.source, comparable)
	if !g.options.Plain && g.in(3) {
		t = pick(g.source, columnTypes)
	}
	not := pick(g.source, []string{"", "", "NOT "})
	switch g.weighted(8, 2, 2, 2, 2, 3, 2, 2, 2, 1) {
	case 0:
		return "(" + g.expr(t, depth-1) + " " + pick(g.source, []string{"=", "<>", "<", "<=", ">", ">="}) + " " + g.expr(t, depth-1) + ")"
	case 1:
		return "(" + g.condition(depth-1) + pick(g.source, []string{" AND ", " OR "}) + g.condition(depth-1) + ")"
	case 2:
		return "(" + g.expr(t, depth-1) + " IS " + not + "NULL)"
	case 3:
		return "(" + g.expr(t, depth-1) + " " + not + "BETWEEN " + g.expr(t, depth-1) + " AND " + g.expr(t, depth-1) + ")"
	case 4:
		return "(" + g.expr(t, depth-1) + " " + not + "IN (" + g.expr(t, depth-1) + ", " + g.expr(t, depth-1) + "))"
	case 5:
		if q := g.subquery(depth, []string{t}); q != "" {
			return "(" + g.expr(t, depth-1) + " " + not + "IN (" + q + "))"
		}
	case 6:
		if q := g.subquery(depth, nil); q != "" {
			return "(" + not + "EXISTS (" + q + "))"
		}
	case 7:
		if q := g.subquery(depth, []string{t}); q != "" {
			return "(" + g.expr(t, depth-1) + " " + pick(g.source, []string{"=", "<>", "<", "<=", ">", ">="}) + pick(g.source, []string{" ANY", " ALL"}) + " (" + q + "))"
		}
	case 8:
		if !g.options.Plain {
			if q := g.subquery(depth, []string{t, "BIGINT"}); q != "" {
				return "((" + g.expr(t, depth-1) + ", " + g.expr("BIGINT", depth-1) + ") " + not + "IN (" + q + "))"
			}
		}
	case 9:
		return "(" + g.expr("TEXT", depth-1) + " " + not + "LIKE '" + pick(g.source, []string{"x%", "%a%", "_", ""}) + "')"
	}
	return "(" + g.expr(t, depth-1) + " IS NOT DISTINCT FROM " + g.expr(t, depth-1) + ")"
}

// subquery makes a query with columns of these types, which may name those around; "" if queries are not to be nested deeper.
func (g *generator) subquery(depth int, kinds []string) string {
	if depth < 2 || g.budget < 10 {
		return ""
	}
	return g.nested(depth-2, kinds).text
}

// scalarQuery makes a query that is a value: an aggregate, or the first row by all its columns.
func (g *generator) scalarQuery(t string, depth int) string {
	if depth < 2 || g.budget < 10 {
		return ""
	}
	f := g.from(depth - 2)
	g.scopes = append(g.scopes, f.columns)
	defer func() { g.scopes = g.scopes[:len(g.scopes)-1] }()
	where := g.where(depth - 2)
	a := g.aggregate(t, depth-2)
	if a == "" {
		return "(SELECT " + g.expr(t, depth-2) + " AS v FROM " + f.text + where + " ORDER BY v LIMIT 1)"
	}
	return "(SELECT " + a + " FROM " + f.text + where + ")"
}

// plainAggregates are the aggregates that mean the same everywhere.
var plainAggregates = map[string][]string{
	"BIGINT":         {"count(*)", "count($TEXT)", "count(DISTINCT $BIGINT)", "min($BIGINT)", "max($BIGINT)", "count($BOOLEAN)"},
	"TEXT":           {"min($TEXT)", "max($TEXT)"},
	"BOOLEAN":        {"bool_and($BOOLEAN)", "bool_or($BOOLEAN)"},
	"INT":            {"min($INT)", "max($INT)"},
	"DECIMAL(12, 2)": {"min($DECIMAL(12, 2))", "max($DECIMAL(12, 2))"},
}

// aggregate makes a call of an aggregate that gives the type; "" if there is none.
func (g *generator) aggregate(t string, depth int) string {
	if g.options.Plain {
		list := plainAggregates[t]
		if len(list) == 0 {
			return ""
		}
		call := pick(g.source, list)
		for _, a := range plainTypes {
			call = strings.Replace(call, "$"+a, g.flat(a, depth), 1)
		}
		if g.in(6) {
			call += " FILTER (WHERE " + g.plainCondition(depth) + ")"
		}
		return call
	}
	list := g.library.aggregates[t]
	if len(list) == 0 {
		return ""
	}
	s := pickByName(g.source, list)
	call := g.fill(s, depth)
	if g.in(5) && strings.Count(s.spelling, "(") == 1 && len(s.args) == 1 && !strings.Contains(s.spelling, "DISTINCT") {
		call = strings.Replace(call, "(", "(DISTINCT ", 1)
	}
	if g.in(5) {
		call += " FILTER (WHERE " + g.condition(depth) + ")"
	}
	return call
}

// flat makes an argument of an aggregate without a subquery, which other engines refuse there.
func (g *generator) flat(t string, depth int) string { return g.expr(t, min(depth, 1)) }

func (g *generator) plainCondition(depth int) string { return g.condition(min(depth, 1)) }
