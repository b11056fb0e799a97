package run

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"wadi/dataflow/fault"
	"wadi/sql"
	"wadi/sql/picture"
)

func (p Process) explainCommand() *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "print a query's plan with the state that each operator keeps", ArgsUsage: "[QUERY]",
		Description: "QUERY is a file, or - for standard input. On each edge stands whether rows are appended or updated, their\n" +
			"columns and their key; each operator has its state bound: none, window, ttl or unbounded.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: pictures[0], Usage: strings.Join(pictures, ", ")},
			savedFlag(),
		},
		OnUsageError: badUsage,
		Action:       p.onOneQuery((*session).explain),
	}
}

// explain plans a query and prints the plan in full on standard output, warnings on standard error.
func (s *session) explain(c *cli.Context) error {
	format := c.String("format")
	if !slices.Contains(pictures, format) {
		return usageError{fmt.Errorf("there is no format %q; use one of %s", format, strings.Join(pictures, ", "))}
	}
	q, err := s.readQuery(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	plan, err := s.compile(c.Context, newRegistries(), q, c.String("state-dir"))
	if err != nil {
		return err
	}
	if len(plan.Program.Nodes) == 0 {
		return nil
	}
	return s.output(picture.Explain(plan.Program, format, plan.Warnings))
}

// compile plans a query. Warnings are shown, and the plans of EXPLAIN statements printed; the error knows the places in the
// text.
func (s *session) compile(ctx context.Context, r registries, q query, stateDir string) (*sql.Plan, error) {
	o := s.options(r, "stdout")
	o.Name = q.name
	var plan *sql.Plan
	faults, err := s.withSaved(ctx, o, stateDir, func(o sql.Options) (faults fault.List) {
		plan, faults = sql.Compile(q.text, o)
		return faults
	})
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, located{faults, q}
	}
	for _, w := range plan.Warnings {
		s.warn(w, q)
	}
	for _, e := range plan.Explained {
		if err := s.output(picture.Explain(e.Program, e.Format, nil)); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

func (s *session) output(text string) error {
	if _, err := io.WriteString(s.Stdout, strings.TrimRight(text, "\n")+"\n"); err != nil {
		return asUser(err, "standard output")
	}
	return nil
}
