package ast_test

import (
	"fmt"
	"slices"
	"testing"

	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/parse"
)

func expr(t *testing.T, text string) ast.Expr {
	t.Helper()
	e, err := parse.ParseExpr(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEqualLooksAtTheTreeOnly(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"a + b", "  a +\n(b)", true},
		{"a + b", "a - b", false},
		{"a", `"a"`, false},
		{"f(a)", "f(a, b)", false},
		{"f(a)", "f(DISTINCT a)", false},
		{"CASE WHEN a THEN b END", "CASE WHEN a THEN b ELSE NULL END", false},
		{"a IN (1)", "a NOT IN (1)", false},
		{"f()", "f", false},
	} {
		if got := ast.Equal(expr(t, c.a), expr(t, c.b)); got != c.want {
			t.Errorf("Equal(%s, %s) is %v", c.a, c.b, got)
		}
	}
	if !ast.Equal(&ast.ArrayLit{}, &ast.ArrayLit{Items: []ast.Expr{}}) {
		t.Error("a missing list differs from an empty one")
	}
	if !ast.Equal(nil, nil) || ast.Equal(nil, &ast.NullLit{}) {
		t.Error("nil is not equal to nil alone")
	}
}

func TestInspectVisitsEveryNodeOnceAndCanStop(t *testing.T) {
	e := expr(t, "sum(a + 1) FILTER (WHERE b) OVER (ORDER BY c ROWS 2 PRECEDING) + (SELECT d FROM t WHERE e)")
	var cols []string
	ast.Inspect(e, func(n ast.Node) bool {
		if c, ok := n.(*ast.ColumnRef); ok {
			cols = append(cols, c.Path.String())
		}
		return true
	})
	if want := []string{"a", "b", "c", "d", "e"}; !slices.Equal(cols, want) {
		t.Errorf("visited the columns %v, not %v", cols, want)
	}
	calls := 0
	ast.Inspect(e, func(n ast.Node) bool {
		calls++
		return false
	})
	if calls != 1 {
		t.Errorf("%d visits after the visitor said no", calls)
	}
	ast.Inspect(nil, func(ast.Node) bool { t.Error("nil was visited"); return true })
}

func TestPrintTakesPartsOfStatements(t *testing.T) {
	stmts, errs := parse.Parse(`CREATE TABLE t (a INT NOT NULL, WATERMARK FOR a AS a) WITH ('x.y' = 1);
		WITH c AS (SELECT 1) SELECT a AS "B", sum(x) OVER (PARTITION BY p ROWS 1 PRECEDING) FROM t AS u (v) GROUP BY a ORDER BY a DESC`)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	got := map[string]string{}
	for _, s := range stmts {
		ast.Inspect(s, func(n ast.Node) bool {
			got[fmt.Sprintf("%T", n)] = ast.Print(n)
			return true
		})
	}
	for kind, want := range map[string]string{
		"*ast.ColumnDef":  "a INT NOT NULL",
		"*ast.Watermark":  "WATERMARK FOR a AS a",
		"*ast.Option":     "'x.y' = 1",
		"*ast.With":       "WITH c AS (SELECT 1)",
		"*ast.CTE":        "c AS (SELECT 1)",
		"*ast.TableAlias": "u (v)",
		"*ast.TableRef":   "t AS u (v)",
		"*ast.GroupBy":    "a",
		"*ast.OrderItem":  "a DESC",
		"*ast.DataType":   "INT",
		"*ast.Arg":        "x",
		"*ast.Over":       "(PARTITION BY p ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
		"*ast.WindowSpec": "(PARTITION BY p ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
		"*ast.Frame":      "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW",
	} {
		if got[kind] != want {
			t.Errorf("%s prints as %q, not %q", kind, got[kind], want)
		}
	}
}

func TestNamesFoldUnlessQuoted(t *testing.T) {
	n := ast.Name{{Name: "Ab"}, {Name: "Cd", Quoted: true}}
	if n[0].Folded() != "ab" || n[1].Folded() != "Cd" || n.String() != "Ab.Cd" || n.Last().Name != "Cd" {
		t.Errorf("names fold wrongly: %v", n)
	}
	if (ast.Name{}).Span() != (fault.Span{}) {
		t.Error("an empty name has a place")
	}
}
