package builtin_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wadi/dataflow/connector"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/expr"
	"wadi/dataflow/format"
)

var update = flag.Bool("update", false, "write docs/connectors.md and the table of docs/sql/formats.md")

// TestConnectorPageIsUpToDate compares docs/connectors.md with what the connectors declare.
func TestConnectorPageIsUpToDate(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Connectors

This page is made from the code: ` + "`go test ./dataflow/connector/builtin -run UpToDate -update`" + ` writes it.

A table names its connector and gives it options: ` + "`CREATE TABLE t (…) WITH (connector = 'single_file', path = '…', …)`" + `. Where
a connector has several uses, ` + "`type`" + ` says which one: ` + "`'source'`, `'sink'` or `'lookup'`" + `. Formats and their options are on
[their page](sql/formats.md).

Every source also takes ` + "`idle_micros`" + `: after so many microseconds without rows it no longer holds watermarks back (the default
is five minutes, 0 or less is never).
`)
	r := builtin.Registry()
	for _, name := range r.Names() {
		d, _ := r.Lookup(name)
		if d.Hidden {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", d.Name, d.Doc)
		fmt.Fprintf(&b, "Uses: %s.", strings.ReplaceAll(d.Uses.String(), "|", ", "))
		if d.MaxParallelism > 0 {
			fmt.Fprintf(&b, " At most %d subtask.", d.MaxParallelism)
		}
		b.WriteString("\n")
		if d.Schema != nil {
			b.WriteString("\nIts columns:\n\n| column | type |\n|---|---|\n")
			for _, f := range d.Schema.Fields() {
				fmt.Fprintf(&b, "| `%s` | `%s` |\n", f.Name, expr.TypeName(f.Type))
			}
		}
		if len(d.Options) > 0 {
			b.WriteString("\n| option | type | default | what it is |\n|---|---|---|---|\n")
			for _, o := range d.Options {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", o.Name, optionType(o), defaultOf(o), cell(described(o)))
			}
		}
		if len(d.Metadata) > 0 {
			b.WriteString("\n| metadata column | type | what it is |\n|---|---|---|\n")
			for _, m := range d.Metadata {
				fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", m.Key, expr.TypeName(m.Type), cell(m.Doc))
			}
		}
	}
	upToDate(t, "../../../docs/connectors.md", func(string) string { return b.String() })
}

// TestFormatTableIsUpToDate compares the table of docs/sql/formats.md with what the formats declare.
func TestFormatTableIsUpToDate(t *testing.T) {
	var b strings.Builder
	seen := map[string]bool{}
	b.WriteString("| option | of | default | what it is |\n|---|---|---|---|\n")
	for _, d := range format.Declarations() {
		for _, o := range format.Options(d.Name) {
			if seen[o.Name+o.Default] || len(o.Refused) > 0 && len(o.Values) == 0 {
				continue
			}
			seen[o.Name+o.Default] = true
			of := "`" + d.Name + "`"
			if !strings.Contains(o.Name, "json.") {
				of = "all"
			}
			values := ""
			if len(o.Values) > 1 {
				values = ": `" + strings.Join(o.Values, "`, `") + "`"
			}
			def := "none"
			if o.Default != "" {
				def = "`" + o.Default + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s%s |\n", o.Name, of, def, cell(o.Doc), values)
		}
	}
	const begin, end = "<!-- options: begin -->\n", "<!-- options: end -->"
	upToDate(t, "../../../docs/sql/formats.md", func(page string) string {
		before, rest, ok := strings.Cut(page, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatal("docs/sql/formats.md has no place for the table")
		}
		return before + begin + b.String() + end + after
	})
}

// upToDate compares a page with what it should be, and writes it with -update.
func upToDate(t *testing.T, path string, page func(now string) string) {
	path = filepath.FromSlash(path)
	now, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	want := page(string(now))
	if want == string(now) {
		return
	}
	if !*update {
		t.Fatalf("%s is stale: go test ./dataflow/connector/builtin -run UpToDate -update", filepath.Base(path))
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func optionType(o connector.Option) string {
	if len(o.Values) > 0 {
		return "`" + strings.Join(o.Values, "`, `") + "`"
	}
	return o.Type.String()
}

func defaultOf(o connector.Option) string {
	switch {
	case o.Required:
		return "required"
	case o.Default == "":
		return "none"
	}
	return "`" + o.Default + "`"
}

func described(o connector.Option) string {
	if o.For == 0 {
		return o.Doc
	}
	return o.Doc + " (" + o.For.String() + ")"
}
