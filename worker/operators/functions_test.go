package operators_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
)

var update = flag.Bool("update", false, "write docs/sql/functions.md")

// TestFunctionListIsUpToDate compares docs/sql/functions.md with what the functions and aggregates declare. The tests of
// their packages run the examples.
func TestFunctionListIsUpToDate(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "sql", "functions.md")
	want := functionList()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("docs/sql/functions.md is stale: go test ./worker/operators -run TestFunctionListIsUpToDate -update")
	}
}

// categories are the sections in their order; others follow by name.
var categories = []string{"operators", "conditional", "mathematics", "text", "regular expressions", "date and time", "lists", "structs and maps", "JSON",
	"encoding and hashing"}

func functionList() string {
	var b strings.Builder
	b.WriteString(`# Functions

This page is made from the code: ` + "`go test ./worker/operators -run TestFunctionListIsUpToDate -update`" + ` writes it. The tests run
every example; the results are shown cast to TEXT.

Names are in any case. Unless a line says otherwise, a function of a null is null. Where a type is expected, wider types
take narrower ones, and constants take on the type.
`)
	fs := expr.Builtin()
	byCategory := make(map[string][]expr.FunctionDoc)
	for _, name := range fs.Names() {
		d, _ := fs.Doc(name)
		byCategory[d.Category] = append(byCategory[d.Category], d)
	}
	order := slices.Clone(categories)
	var rest []string
	for c := range byCategory {
		if !slices.Contains(order, c) {
			rest = append(rest, c)
		}
	}
	slices.Sort(rest)
	for _, c := range append(order, rest...) {
		fmt.Fprintf(&b, "\n## %s\n\n| | what it gives | example | result |\n|---|---|---|---|\n", strings.ToUpper(c[:1])+c[1:])
		for _, d := range byCategory[c] {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", heading(d), escape(d.Summary), code(d.Example), code(d.Result))
		}
	}
	aggregates(&b)
	return b.String()
}

// heading is an operator, or the signatures and other names of a function.
func heading(d expr.FunctionDoc) string {
	if d.Operator != "" {
		return code(d.Operator)
	}
	var parts []string
	for _, s := range d.Signatures {
		parts = append(parts, code(s))
	}
	out := strings.Join(parts, "<br>")
	if len(d.Aliases) > 0 {
		out += "<br>also " + strings.Join(codes(d.Aliases), ", ")
	}
	return out
}

func aggregates(b *strings.Builder) {
	b.WriteString("\n## Aggregates\n\nNulls do not count unless a line says otherwise. Every aggregate takes FILTER (WHERE …) and DISTINCT; those that depend on\n" +
		"the order of rows take ORDER BY behind their arguments. Examples are over rows with the values of the columns x and y.\n" +
		"\n| | what it gives | example | x | y | result |\n|---|---|---|---|---|---|\n")
	fs := agg.Builtin()
	for _, name := range fs.Names() {
		title := code(name) + " takes " + escape(fs.Takes(name))
		if other := fs.Aliases(name); len(other) > 0 {
			title += "<br>also " + strings.Join(codes(other), ", ")
		}
		e := fs.Example(name)
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", title, escape(fs.Doc(name)), code(e.Call), code(e.X), code(e.Y), code(e.Result))
	}
}

func codes(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = code(n)
	}
	return out
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + escape(s) + "`"
}

// escape keeps what separates the cells of a table from standing in one.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}
