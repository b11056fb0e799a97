package parse_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wadi/sql/ast"
	"wadi/sql/parse"
)

// corpus gives every input of testdata as a text of statements.
func corpus(t testing.TB) []string {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	var out []string
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split("\n"+string(data), "\n\nparse\n")[1:] {
			out = append(out, input(block))
		}
		for cmd, prefix := range map[string]string{"expr": "SELECT ", "type": "SELECT x::"} {
			for _, block := range strings.Split("\n\n"+string(data), "\n\n"+cmd+"\n")[1:] {
				for _, text := range strings.Split(input(block), "; ") {
					out = append(out, prefix+text)
				}
			}
		}
	}
	return out
}

func input(block string) string {
	text, _, _ := strings.Cut(block, "\n----")
	return text
}

// checkRoundTrip asserts that printing and parsing gives the same trees.
func checkRoundTrip(t *testing.T, text string) {
	t.Helper()
	stmts, _ := parse.Parse(text)
	for _, s := range stmts {
		printed := ast.Print(s)
		again, errs := parse.Parse(printed)
		if len(errs) > 0 {
			t.Fatalf("%q\nprints as %q\nwhich does not parse: %v", text, printed, errs)
		}
		if len(again) != 1 || !ast.Equal(again[0], s) {
			t.Fatalf("%q\nprints as %q\nwhich is another tree, printed as %q", text, printed, ast.Print(again[0]))
		}
	}
}

func TestPrintedTreesParseToEqualTrees(t *testing.T) {
	texts := corpus(t)
	if len(texts) < 300 {
		t.Fatalf("the corpus has only %d texts", len(texts))
	}
	for _, text := range texts {
		checkRoundTrip(t, text)
	}
}

// TestSpansCoverTheirText parses the text under the span of each node again and expects the same node.
func TestSpansCoverTheirText(t *testing.T) {
	checked := 0
	for _, text := range corpus(t) {
		stmts, _ := parse.Parse(text)
		for _, s := range stmts {
			ast.Inspect(s, func(n ast.Node) bool {
				span := n.Span()
				if span.Start < 0 || span.End > len(text) || span.Start >= span.End {
					t.Fatalf("%q: %T has the span %v", text, n, span)
				}
				if standsAlone(n) {
					checked++
					checkSpan(t, text[span.Start:span.End], n)
				}
				return true
			})
		}
	}
	if checked < 500 {
		t.Errorf("only %d spans were checked", checked)
	}
}

// standsAlone reports whether a node's text is an expression wherever it stands. Expressions that the parser adds, or
// that are made of other words, are not.
func standsAlone(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Binary, *ast.Like, *ast.In, *ast.Between, *ast.Is, *ast.IsDistinct, *ast.Case, *ast.Cast, *ast.ColumnRef, *ast.Field, *ast.Subscript,
		*ast.Slice, *ast.IntervalLit, *ast.TypedLit, *ast.Subquery, *ast.AtTimeZone, *ast.Unary, *ast.Quantified, *ast.ArrayLit:
		return true
	case *ast.Call:
		return len(n.Args) == 0 || len(n.Args) > 0 && !hasTableArg(n)
	}
	return false
}

func hasTableArg(c *ast.Call) bool {
	for _, a := range c.Args {
		switch a.Value.(type) {
		case *ast.TableArg, *ast.Descriptor:
			return true
		}
	}
	return false
}

func checkSpan(t *testing.T, text string, n ast.Node) {
	t.Helper()
	e, err := parse.ParseExpr(text)
	if err != nil {
		t.Fatalf("the text %q under a %T: %v", text, n, err)
	}
	if !ast.Equal(e, n) {
		t.Fatalf("the text %q under a span is %s, not %s", text, ast.Print(e), ast.Print(n))
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stmts, errs := parse.Parse(text)
		for _, e := range errs {
			if e.Span.Start < 0 || e.Span.Start > len(text) || e.Span.End > len(text)+1 || e.Message == "" {
				t.Fatalf("%q: the fault %q has the span %v", text, e.Message, e.Span)
			}
		}
		for _, s := range stmts {
			if span := s.Span(); span.Start < 0 || span.End > len(text) || span.Start >= span.End {
				t.Fatalf("%q: a statement has the span %v", text, span)
			}
		}
		checkRoundTrip(t, text)
	})
}
