package run

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

func (p Process) runCommand() *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "run one query, to its end or until a signal", ArgsUsage: "[QUERY]",
		Description: "QUERY is a file, or - for standard input, which is the default. Rows go to standard output, everything\n" +
			"else to standard error. Exit codes: 0 finished or stopped cleanly, 1 failed or bad input, 2 misspelt command\n" +
			"line, 128 second signal, 129 the drain took too long.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Aliases: []string{"n"}, Usage: "the pipeline's `NAME`; else the file's"},
			&cli.StringFlag{Name: "state-dir", Aliases: []string{"s"}, Usage: "keep checkpoints at this `URL` or path, and go on from those that are there"},
			&cli.IntFlag{Name: "parallelism", Aliases: []string{"p"}, Value: 1, Usage: "subtasks of each operator"},
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "take the state directory over from another process, or from another query"},
		},
		OnUsageError: badUsage,
		Action: p.onOneQuery(func(s *session, c *cli.Context) error {
			if c.IsSet("state-dir") && strings.TrimSpace(c.String("state-dir")) == "" {
				return usageError{fmt.Errorf("--state-dir is empty")}
			}
			return s.run(c.Context, request{
				query: c.Args().First(), name: c.String("name"), stateDir: c.String("state-dir"),
				parallelism: c.Int("parallelism"), force: c.Bool("force"),
			})
		}),
	}
}

// badUsage is what commands do with flags that they do not have.
func badUsage(_ *cli.Context, err error, _ bool) error { return usageError{err} }

// onOneQuery is the action of a command that takes one query: it opens a session for it.
func (p Process) onOneQuery(do func(*session, *cli.Context) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.Args().Len() > 1 {
			return usageError{fmt.Errorf("one query at a time; %q is one too many", c.Args().Get(1))}
		}
		s, err := p.open(c)
		if err != nil {
			return err
		}
		return do(s, c)
	}
}

// request is what the command line of run asks for.
type request struct {
	query, name, stateDir string
	parallelism           int
	force                 bool
}

// pipelineName is the name of the pipeline: the one asked for, else the file's.
func (r request) pipelineName(q query) string {
	if r.name != "" {
		return r.name
	}
	if q.name == fromStdin || q.name == fromConfig {
		return "query"
	}
	base := filepath.Base(q.name)
	if name := strings.TrimSuffix(base, filepath.Ext(base)); name != "" {
		return name
	}
	return base
}

// check refuses a parallelism that no machine has use for.
func (r request) check() error {
	if r.parallelism >= 1 && r.parallelism <= graph.MaxParallelism {
		return nil
	}
	return fault.Userf(fault.CodeInvalid, fault.Span{}, "parallelism %d is not from 1 to %d", r.parallelism, graph.MaxParallelism).
		WithHint("give about as many as the machine has cores, as in --parallelism 4")
}
