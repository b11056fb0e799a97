package run

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"wadi/dataflow/fault"
	"wadi/sql"
)

func (p Process) checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "tell everything that is wrong with a query, without running it", ArgsUsage: "[QUERY]",
		Description: "QUERY is a file, or - for standard input. The exit code is 1 when there are errors; warnings alone are fine.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text, or json: an array of diagnostics with line and column spans"},
			&cli.BoolFlag{Name: "json", Usage: "the same as --format json"},
			savedFlag(),
		},
		OnUsageError: badUsage,
		Action:       p.onOneQuery((*session).check),
	}
}

// diagnostic is the JSON form of one fault of a query. Lines and columns count from 1, columns in characters; the end is
// behind the last character.
type diagnostic struct {
	Severity string    `json:"severity"`
	Code     string    `json:"code"`
	Message  string    `json:"message"`
	Hint     string    `json:"hint,omitempty"`
	Span     *spanJSON `json:"span,omitempty"`
}

type spanJSON struct {
	Start lineColumn `json:"start"`
	End   lineColumn `json:"end"`
}

type lineColumn struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// check prints all diagnostics of a query on standard output.
func (s *session) check(c *cli.Context) error {
	format := c.String("format")
	if format != "text" && format != "json" {
		return usageError{fmt.Errorf("there is no format %q; use one of text, json", format)}
	}
	q, err := s.readQuery(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	o := s.options(newRegistries(), "stdout")
	o.Name = q.name
	var warnings fault.List
	errs, err := s.withSaved(c.Context, o, c.String("state-dir"), func(o sql.Options) (errs fault.List) {
		errs, warnings = sql.Check(q.text, o)
		return errs
	})
	if err != nil {
		return err
	}
	if c.Bool("json") || format == "json" {
		err = s.output(diagnosticsJSON(q, errs, warnings))
	} else {
		err = s.output(diagnosticsText(q, errs, warnings))
	}
	if err == nil && len(errs) > 0 {
		err = exitCode(exitFailed)
	}
	return err
}

func diagnosticsText(q query, errs, warnings fault.List) string {
	var b strings.Builder
	for _, e := range errs {
		b.WriteString(fault.Render(e, q.name, q.text))
	}
	for _, w := range warnings {
		b.WriteString(strings.Replace(fault.Render(w, q.name, q.text), "error:", "warning:", 1))
	}
	if b.Len() == 0 {
		return q.name + ": no errors"
	}
	return b.String()
}

func diagnosticsJSON(q query, errs, warnings fault.List) string {
	list := []diagnostic{}
	add := func(severity string, faults fault.List) {
		for _, f := range faults {
			d := diagnostic{Severity: severity, Code: string(f.Code), Message: f.Error(), Hint: f.Hint}
			if !f.Span.IsZero() {
				start, end := fault.Locate(q.text, f.Span.Start), fault.Locate(q.text, f.Span.End)
				d.Span = &spanJSON{lineColumn(start), lineColumn(end)}
			}
			list = append(list, d)
		}
	}
	add("error", errs)
	add("warning", warnings)
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(list); err != nil {
		panic("check: " + err.Error())
	}
	return b.String()
}
