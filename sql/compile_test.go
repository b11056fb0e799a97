package sql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql"
	"wadi/sql/picture"
)

func options() sql.Options {
	return sql.Options{
		Name: "query.sql", DefaultSink: "stdout", UpdateAggregateFlushInterval: time.Second, UpdatingTTL: 24 * time.Hour,
		Connectors: builtin.Registry(), Functions: expr.Builtin(), Aggregates: agg.Builtin(),
	}
}

// TestPlans compiles the scripts of testdata and shows what came out: the plan as a picture, or every diagnostic as a
// person sees it. "setup" keeps definitions for the cases that follow in the same file.
func TestPlans(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		setup := ""
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			text := setup + d.Input
			o := options()
			if d.HasArg("no-ttl") {
				o.UpdatingTTL = 0
			}
			plan, errs := sql.Compile(text, o)
			switch {
			case d.Cmd == "setup":
				setup = ""
				if !d.HasArg("none") {
					setup = d.Input + "\n"
				}
				return ""
			case len(errs) > 0:
				var b strings.Builder
				for _, e := range errs {
					b.WriteString(fault.Render(moved(e, len(setup)), "query.sql", d.Input))
				}
				return b.String()
			}
			switch d.Cmd {
			case "mermaid":
				return picture.Mermaid(plan.Program)
			case "dot":
				return picture.Dot(plan.Program)
			case "json":
				return picture.JSON(plan.Program, 4)
			}
			var b strings.Builder
			b.WriteString(picture.Text(plan.Program))
			for _, e := range plan.Explained {
				b.WriteString(picture.Explain(e.Program, e.Format, nil))
			}
			for _, w := range plan.Warnings {
				if w.Span.Start >= len(setup) {
					b.WriteString("warning: " + fault.Render(moved(w, len(setup)), "query.sql", d.Input))
				}
			}
			return b.String()
		})
	})
}

// moved shifts a diagnostic to where its place is without the setup.
func moved(e *fault.Error, by int) *fault.Error {
	c := *e
	if !c.Span.IsZero() {
		c.Span = fault.Span{Start: c.Span.Start - by, End: c.Span.End - by}
	}
	return &c
}
