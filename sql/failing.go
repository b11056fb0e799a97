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
	all := func(list []*expr.Node, certain bool) {
		for _, e := range list {
			find(e, certain)
		}
	}
	keys := func(list []logical.JoinKey, left, right logical.Node) {
		for _, k := range list {
			find(k.Left, everyRow(left))
			find(k.Right, everyRow(right))
		}
	}
	logical.Walk(sinks, func(n logical.Node) {
		switch n := n.(type) {
		case *logical.Values:
			for _, r := range n.Rows {
				all(r, true)
			}
		case *logical.Project:
			certain := everyRow(n.Input)
			all(n.Exprs, certain)
			find(n.EventTime, certain && !n.DropBadTime)
		case *logical.Filter:
			find(n.Cond, everyRow(n.Input))
		case *logical.Aggregate:
			certain := everyRow(n.Input)
			all(n.Keys, certain)
			for _, c := range n.Calls {
				find(c.Filter, certain)
				all(c.Args, certain && c.Filter == nil)
			}
		case *logical.Unnest:
			for _, c := range n.Calls {
				all(c.Args, everyRow(n.Input))
			}
		case *logical.Join:
			keys(n.Keys, n.Left, n.Right)
			all(n.Residual, false)
		case *logical.Asof:
			keys(n.Keys, n.Left, n.Right)
			all(n.Residual, false)
		case *logical.Lookup:
			all(n.Keys, everyRow(n.Input))
			all(n.Residual, false)
		case *logical.Lateral:
			all(n.Keep, everyRow(n.Input))
			all(n.Outer, everyRow(n.Input))
			for _, s := range n.Steps {
				if s.Match != nil {
					for _, r := range s.Match.Rows {
						all(r, true)
					}
				}
				if s.Project != nil {
					all(s.Project.Exprs, false)
					find(s.Project.Filter, false)
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
