package sqlgen

import "strings"

// setOperation puts queries with columns of these types together, at any depth.
func (g *generator) setOperation(depth int, kinds []string) query {
	q := g.operand(depth-1, kinds, true)
	q.time = false
	for i := range q.columns {
		q.columns[i].time = false
	}
	for range 1 + g.weighted(4, 2, 1) {
		op := pick(g.source, []string{"UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"})
		q.text += " " + op + " " + g.operand(depth-1, kinds, false).text
	}
	return q
}

// operand is one query of a set operation; the first gives the columns their names.
func (g *generator) operand(depth int, kinds []string, first bool) query {
	switch g.weighted(8, 2, 1, 2) {
	case 1:
		if depth > 0 && g.budget > 20 {
			q := g.setOperation(depth, kinds)
			q.text = "(" + q.text + ")"
			return q
		}
	case 2:
		if !first {
			return query{text: g.values(kinds)}
		}
	case 3:
		q := g.selection(depth, kinds)
		q.text = "(" + q.text + g.limits(q, 1) + ")"
		return q
	}
	return g.selection(depth, kinds)
}

// values makes rows of constants.
func (g *generator) values(kinds []string) string {
	rows := make([]string, 1+g.n(3))
	for i := range rows {
		cells := make([]string, len(kinds))
		for c, k := range kinds {
			cells[c] = g.literal(k, true)
		}
		rows[i] = "(" + strings.Join(cells, ", ") + ")"
	}
	return "VALUES " + strings.Join(rows, ", ")
}
