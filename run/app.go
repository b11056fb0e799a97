package run

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// Version is set by the linker for releases.
var Version = "0.1.0-dev"

func newApp(p Process) *cli.App {
	shared := sharedFlags()
	return &cli.App{
		Name: "wadi", Usage: "streaming SQL in one binary", Version: Version,
		Writer: p.Stdout, ErrWriter: p.Stderr, Reader: p.Stdin,
		Flags:                  shared,
		HideHelpCommand:        true,
		UseShortOptionHandling: false,
		// Errors are printed by Main, once.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   badUsage,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError{fmt.Errorf("there is no command %q", c.Args().First())}
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{p.runCommand(), p.visualizeCommand(), p.explainCommand(), p.checkCommand()},
	}
}

// sharedFlags may stand before or after the command.
func sharedFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "read configuration from `FILE`"},
		&cli.StringFlag{Name: "config-dir", Usage: "read every configuration file in `DIR`"},
		&cli.StringFlag{Name: "log-format", Usage: "console, plaintext, json or logfmt"},
		&cli.StringFlag{Name: "log-level", Usage: "a level, or package=level pairs; as WADI_LOG"},
	}
}

// reorder lets options stand anywhere: shared ones move to the front, where the library wants them, and the command's
// own before its argument.
func reorder(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	takesValue, global := map[string]bool{}, map[string]bool{}
	note := func(flags []cli.Flag, shared bool) {
		for _, f := range flags {
			d, ok := f.(cli.DocGenerationFlag)
			for _, name := range f.Names() {
				dashed := "--" + name
				if len(name) == 1 {
					dashed = "-" + name
				}
				takesValue[dashed] = takesValue[dashed] || (ok && d.TakesValue())
				global[dashed] = global[dashed] || shared
			}
		}
	}
	note(app.Flags, true)
	for _, c := range app.Commands {
		note(c.Flags, false)
	}
	var shared, own, words []string
	rest := args[1:]
	for i := 0; i < len(rest); i++ {
		a := rest[i]
		if a == "--" {
			words = append(words, rest[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			words = append(words, a)
			continue
		}
		name, _, joined := strings.Cut(a, "=")
		to := &own
		if global[name] {
			to = &shared
		}
		*to = append(*to, a)
		if takesValue[name] && !joined && i+1 < len(rest) {
			i++
			*to = append(*to, rest[i])
		}
	}
	out := append([]string{args[0]}, shared...)
	if len(words) == 0 {
		return append(out, own...)
	}
	out = append(out, words[0])
	out = append(out, own...)
	if len(words) > 1 {
		out = append(out, "--")
		out = append(out, words[1:]...)
	}
	return out
}
