package sql

import (
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/logical"
)

// failing finds constant expressions that have no value, such as 1/0, in a rewritten plan. Those that the first row of a table comes
// to are errors, since nothing would come out; those that a filter or a join may keep all rows away from are warnings. What CASE,
// coalesce and the like may never choose is left to the rows.
func failing(sinks []*logical.Sink) (errs, warnings fault.List) {
	roots := make([]logical.Node, len(sinks))
	for i, s := range sinks {
		roots[i] = s
	}
	told := map[fault.Span]bool{}
	find := func(n *expr.Node, certain bool) {
		if n == nil {
			return
		}
		report := func(certain bool) func(*expr.Node) {
			return func(m *expr.Node) {
				e := expr.Failure(m)
				if e == nil || told[e.Span] {
					return
				}
				told[e.Span] = true
				if certain && (len(m.Args) == 0 || !m.Args[0].Nullable) {
					errs = append(errs, e)
					return
				}
				e.Message += ", whatever the row"
				warnings = append(warnings, e)
			}
		}
		expr.Fold(n).Always(report(certain), report(false))
	}
	logical.Walk(roots, func(n logical.Node) {
		switch n := n.(type) {
		case *logical.Values:
			for _, r := range n.Rows {
				for _, e := range r {
					find(e, true)
				}
			}
		case *logical.Project:
			certain := everyRow(n.Input)
			for _, e := range n.Exprs {
				find(e, certain)
			}
			find(n.EventTime, certain && !n.DropBadTime)
		case *logical.Filter:
			find(n.Cond, everyRow(n.Input))
		case *logical.Aggregate:
			certain := everyRow(n.Input)
			for _, e := range n.Keys {
				find(e, certain)
			}
			for _, c := range n.Calls {
				find(c.Filter, certain)
				for _, e := range c.Args {
					find(e, certain && c.Filter == nil)
				}
			}
		case *logical.Unnest:
			for _, c := range n.Calls {
				for _, e := range c.Args {
					find(e, everyRow(n.Input))
				}
			}
		}
	})
	return errs, warnings
}

// everyRow reports whether each row of the tables that a relation reads makes a row of it.
func everyRow(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Scan, *logical.Values:
		return true
	case *logical.Project, *logical.Watermark, *logical.Over, *logical.Assign:
		return everyRow(n.Inputs()[0])
	case *logical.Aggregate:
		return len(n.Keys) == 0 && n.Window == nil || everyRow(n.Input)
	case *logical.Union:
		for _, in := range n.In {
			if everyRow(in) {
				return true
			}
		}
	}
	return false
}
