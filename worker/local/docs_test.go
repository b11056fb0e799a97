package local_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/parse"
)

// TestDocs keeps the examples of docs/sql true. A fenced block "sql" is a script; the tables and views that it makes are
// there for the later blocks of its page. A block "json" below holds the rows that it leaves, sorted; a block "text" the
// errors that it is refused with; a script with neither has to plan. -rewrite writes both kinds anew.
func TestDocs(t *testing.T) {
	paths, err := filepath.Glob("../../docs/sql/*.md")
	if err != nil || len(paths) == 0 {
		t.Fatal("no pages", err)
	}
	data, err := filepath.Abs("../../testdata/data")
	if err != nil {
		t.Fatal(err)
	}
	rewrite := flag.Lookup("rewrite").Value.String() == "true"
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".md"), func(t *testing.T) {
			t.Parallel()
			page, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p := &docPage{corpus: corpus{dir: t.TempDir(), data: data}}
			after := p.check(t, string(page))
			switch {
			case after == string(page):
			case rewrite:
				if err := os.WriteFile(path, []byte(after), 0o644); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("the results differ; -rewrite makes the page\n%s", after)
			}
		})
	}
}

type docPage struct {
	corpus
	// made are the definitions so far.
	made string
}

// fence is a fenced block: its first line begins at start, its text is page[from:to], and end is behind it.
type fence struct {
	kind                 string
	start, from, to, end int
}

// nextFence finds the first fenced block from i on.
func nextFence(page string, i int) (fence, bool) {
	const mark = "```"
	open := strings.Index(page[i:], "\n"+mark)
	if open < 0 {
		return fence{}, false
	}
	f := fence{start: i + open + 1}
	line := strings.IndexByte(page[f.start:], '\n')
	f.kind, f.from = page[f.start+len(mark):f.start+line], f.start+line+1
	length := strings.Index(page[f.from:], mark)
	if line < 0 || length < 0 {
		return fence{}, false
	}
	f.to = f.from + length
	f.end = f.to + len(mark)
	return f, true
}

// check gives the page with results as they are.
func (p *docPage) check(t *testing.T, page string) string {
	var out strings.Builder
	written := 0
	for f, ok := nextFence(page, 0); ok; f, ok = nextFence(page, f.end) {
		if f.kind != "sql" {
			continue
		}
		script := page[f.from:f.to]
		result, there := nextFence(page, f.end)
		if !there || strings.TrimSpace(page[f.end:result.start]) != "" {
			result.kind = ""
		}
		got := p.run(t, script, result.kind)
		if result.kind == "json" || result.kind == "text" {
			out.WriteString(page[written:result.from] + got)
			written = result.to
		}
	}
	return out.String() + page[written:]
}

// run runs, or only plans, a script after the definitions before it, and gives what it leaves.
func (p *docPage) run(t *testing.T, script, result string) string {
	statements, _ := parse.Parse(script)
	var made strings.Builder
	query := false
	for _, s := range statements {
		switch s.(type) {
		case *ast.CreateTable, *ast.CreateView:
			made.WriteString(script[s.Span().Start:s.Span().End] + ";\n")
		case *ast.Set:
		default:
			query = true
		}
	}
	before := strings.ReplaceAll(p.made, "testdata/data/", p.data+"/")
	whole := before + strings.ReplaceAll(script, "testdata/data/", p.data+"/")
	switch result {
	case "json":
		rows, err := p.simulate(whole, variants()[0])
		if err != nil {
			t.Fatalf("%s\n%s", script, p.show(err, whole))
		}
		p.made += made.String()
		return rows
	case "text":
		_, err := p.simulate(whole, variants()[0])
		if err == nil {
			t.Fatalf("not refused:\n%s", script)
		}
		return p.show(moved(err, len(before)), whole[len(before):])
	}
	if query {
		var rows []string
		if _, _, problems := p.plan(whole, &rows); problems != nil {
			t.Fatalf("%s\n%s", script, p.show(problems, whole))
		}
	} else if _, errs := parse.Parse(script); errs != nil {
		t.Fatalf("%s\n%s", script, p.show(errs, script))
	}
	p.made += made.String()
	return ""
}

// moved gives the errors with their places counted from some bytes on.
func moved(err error, by int) error {
	list, ok := err.(fault.List)
	if !ok {
		list = fault.List{fault.As(err)}
	}
	out := make(fault.List, len(list))
	for i, f := range list {
		c := *f
		if c.Span.End > by {
			c.Span.Start, c.Span.End = c.Span.Start-by, c.Span.End-by
		}
		out[i] = &c
	}
	return out
}
