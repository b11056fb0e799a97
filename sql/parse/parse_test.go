package parse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/parse"
)

// TestGolden runs the files in testdata. parse reads statements, expr reads expressions and type types, separated by
// ';' and blank; the output is the canonical SQL, or the errors as a person sees them.
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "/fuzz") {
			return
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b strings.Builder
			switch d.Cmd {
			case "parse":
				stmts, errs := parse.Parse(d.Input)
				for _, s := range stmts {
					fmt.Fprintln(&b, ast.Print(s))
				}
				for _, e := range errs {
					b.WriteString(fault.Render(e, "q.sql", d.Input))
				}
				if b.Len() == 0 {
					return "(nothing)\n"
				}
			case "expr", "type":
				for _, text := range strings.Split(strings.TrimSpace(d.Input), "; ") {
					fmt.Fprintln(&b, golden(d.Cmd, text))
				}
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return b.String()
		})
	})
}

func golden(cmd, text string) string {
	if cmd == "type" {
		text = "x::" + text
	}
	e, err := parse.ParseExpr(text)
	if err != nil {
		return fault.Render(fault.As(err), "q.sql", text)
	}
	if c, ok := e.(*ast.Cast); ok && cmd == "type" {
		return ast.Print(c.Type)
	}
	return ast.Print(e)
}
