package run

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"wadi/dataflow/graph"
	"wadi/sql/picture"
)

// pictures are the forms in which a plan is drawn.
var pictures = []string{"text", "mermaid", "dot", "json"}

func (p Process) visualizeCommand() *cli.Command {
	return &cli.Command{
		Name: "visualize", Usage: "print a query's plan as a picture", ArgsUsage: "[QUERY]",
		Description: "QUERY is a file, or - for standard input.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: pictures[0], Usage: strings.Join(pictures, ", ")},
			savedFlag(),
		},
		OnUsageError: badUsage,
		Action:       p.onOneQuery((*session).visualize),
	}
}

// visualize plans a query and prints the plan on standard output.
func (s *session) visualize(c *cli.Context) error {
	draw := picturer(c.String("format"))
	if draw == nil {
		return usageError{fmt.Errorf("there is no format %q; use one of %s", c.String("format"), strings.Join(pictures, ", "))}
	}
	q, err := s.readQuery(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	program, err := s.plan(c.Context, newRegistries(), q, c.String("state-dir"))
	if err != nil {
		return err
	}
	return s.output(draw(program))
}

// picturer draws in this format; nil if there is no such format.
func picturer(format string) func(*graph.Program) string {
	switch format {
	case "text":
		return picture.Text
	case "mermaid":
		return picture.Mermaid
	case "dot":
		return picture.Dot
	case "json":
		return func(p *graph.Program) string { return picture.JSON(p, 1) }
	}
	return nil
}
