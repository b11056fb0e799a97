package bind

import (
	"strconv"
	"strings"

	"wadi/sql/ast"
	"wadi/sql/catalog"
)

// transforms are what PARTITIONED BY can make of a column; true marks those with a number.
var transforms = map[string]bool{
	"identity": false, "bucket": true, "truncate": true, "year": false, "month": false, "day": false, "hour": false, "void": false,
}

// partitions checks PARTITIONED BY, which none of the connectors there are makes use of.
func (b *Binder) partitions(t *catalog.Table, s *ast.CreateTable) {
	before := len(b.errs)
	for _, e := range s.PartitionedBy {
		b.partition(t, e)
	}
	if len(s.PartitionedBy) > 0 && len(b.errs) == before {
		what := "a table without a connector"
		if t.Connector != nil {
			what = "connector " + strconv.Quote(t.Connector.Name)
		}
		b.warn(CodeOption, s.PartitionedBy[0].Span(), "%s does not partition; PARTITIONED BY is ignored", what).WithHint("leave it out")
	}
}

// partition checks one element: transform(column) or transform(column, n).
func (b *Binder) partition(t *catalog.Table, e ast.Expr) {
	c, ok := e.(*ast.Call)
	if !ok || len(c.Name) != 1 {
		hint := "write transform(column)"
		if ref, bare := e.(*ast.ColumnRef); bare {
			hint = "write identity(" + ref.Path.String() + ")"
		}
		b.errorf(CodeTable, e.Span(), "PARTITIONED BY takes transforms of columns").WithHint("%s", hint)
		return
	}
	name := strings.ToLower(c.Name[0].Name)
	numbered, known := transforms[name]
	if !known {
		hintAmong(b.errorf(CodeTable, c.Name.Span(), "there is no transform %q", name), name,
			[]string{"identity", "bucket", "truncate", "year", "month", "day", "hour", "void"}, "transforms")
		return
	}
	want, takes, example := 1, "a column", name+"(column)"
	if numbered {
		want, takes, example = 2, "a column and a number", name+"(column, 16)"
	}
	if len(c.Args) != want {
		b.errorf(CodeTable, c.Span(), "%s takes %s in PARTITIONED BY", name, takes).WithHint("write %s", example)
		return
	}
	b.partitionColumn(t, c.Args[0].Value)
	if !numbered {
		return
	}
	n, ok := c.Args[1].Value.(*ast.NumberLit)
	if ok {
		v, err := strconv.ParseInt(n.Text, 10, 32)
		ok = err == nil && v > 0
	}
	if !ok {
		b.errorf(CodeTable, c.Args[1].Span(), "%s takes a whole number above zero", name).WithHint("write %s", example)
	}
}

func (b *Binder) partitionColumn(t *catalog.Table, e ast.Expr) {
	ref, ok := e.(*ast.ColumnRef)
	if !ok || len(ref.Path) != 1 {
		b.errorf(CodeTable, e.Span(), "PARTITIONED BY takes transforms of columns").WithHint("name a declared column")
		return
	}
	if t.Inferred {
		return
	}
	var columns []scopeColumn
	for i, c := range t.Columns {
		columns = append(columns, scopeColumn{field: c.Field, index: i})
	}
	if len(pick(columns, ref.Path[0])) == 0 {
		hintNearest(b.errorf(CodeUnknownColumn, e.Span(), "there is no column %q", ref.Path[0].Name), ref.Path[0].Name, columns)
	}
}
