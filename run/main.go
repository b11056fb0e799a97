package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"github.com/urfave/cli/v2"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/run/config"
	"wadi/run/logs"
	"wadi/run/status"
)

// Process is what a command has of the operating system.
type Process struct {
	Args, Env      []string
	Stdin          *os.File
	Stdout, Stderr *os.File
	// Signals delivers SIGINT and SIGTERM.
	Signals <-chan os.Signal

	interrupts *interrupts
}

// Exit codes.
const (
	exitOK           = 0
	exitFailed       = 1
	exitUsage        = 2
	exitSecondSignal = 128
	exitDrainTimeout = 129
)

// exitCode is an error that has been shown already and only carries the code.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// located is an error whose spans point into a query.
type located struct {
	error
	query query
}

func (l located) Unwrap() error { return l.error }

// Main runs one command and gives the exit code. The process is to end with it: after a second signal, work may still be
// going on.
func Main(p Process) int {
	p.tuneMemory()
	p.interrupts = watch(p.Signals, clock.System{})
	app := newApp(p)
	done := make(chan error, 1)
	go func() { done <- app.RunContext(context.Background(), reorder(app, p.Args)) }()
	select {
	case err := <-done:
		return p.report(err)
	case <-p.interrupts.second:
		return exitSecondSignal
	case <-p.interrupts.expired:
		fmt.Fprint(p.Stderr, "error: the pipeline did not stop in time; it goes on from its last checkpoint when it is run again\n")
		return exitDrainTimeout
	case err := <-p.interrupts.dead:
		return p.report(err)
	}
}

// report shows an error and gives its exit code.
func (p Process) report(err error) int {
	var code exitCode
	var usage usageError
	var l located
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		fmt.Fprintf(p.Stderr, "error: %v\n  hint: wadi --help lists the commands and their options\n", usage.error)
		return exitUsage
	case errors.As(err, &l):
		p.printFault(l.error, l.query.name, l.query.text)
	default:
		p.printFault(err, "", "")
	}
	return exitFailed
}

// printFault shows every fault in err for a person. name and text are the SQL that spans point into; they may be empty.
func (p Process) printFault(err error, name, text string) {
	var list fault.List
	if errors.As(err, &list) {
		for _, f := range list {
			fmt.Fprint(p.Stderr, p.paint(fault.Render(f, name, text)))
		}
		return
	}
	fmt.Fprint(p.Stderr, p.paint(fault.Render(fault.As(err), name, text)))
}

// paint colours the word "error" on a terminal.
func (p Process) paint(s string) string {
	if !p.color() {
		return s
	}
	s = strings.Replace(s, "error:", "\x1b[1;31merror:\x1b[0m", 1)
	return strings.Replace(s, "  hint:", "  \x1b[36mhint:\x1b[0m", 1)
}

// terminal reports whether standard error is one.
func (p Process) terminal() bool { return isatty.IsTerminal(p.Stderr.Fd()) }

func (p Process) color() bool {
	return p.terminal() && p.env("NO_COLOR") == "" && p.env("TERM") != "dumb"
}

// env gives an environment variable.
func (p Process) env(name string) string {
	value := ""
	for _, kv := range p.Env {
		if n, v, ok := strings.Cut(kv, "="); ok && n == name {
			value = v
		}
	}
	return value
}

// session is what every command that does something starts from.
type session struct {
	Process
	config *config.Config
	logs   *logs.Set
	log    zerolog.Logger
	clock  clock.Clock
	// console is where the status block is drawn; nil unless standard error is a terminal that can.
	console *status.Console
	// local says that the state directory is on this machine.
	local bool
	// submitted says that there is a pipeline to stop.
	submitted bool
	// afterwards is shown last.
	afterwards string
}

// open reads the configuration and sets the log up.
func (p Process) open(c *cli.Context) (*session, error) {
	where := config.Where{File: c.String("config"), Dir: c.String("config-dir"), Env: p.Env}
	if dir, err := os.UserConfigDir(); err == nil {
		where.UserDir = dir
	}
	if dir, err := os.Getwd(); err == nil {
		where.WorkDir = dir
	}
	cfg, _, err := config.Load(where)
	if err != nil {
		return nil, err
	}
	level := p.env("WADI_LOG")
	if level == "" {
		level = cfg.Logging.Level
	}
	if c.IsSet("log-level") {
		level = c.String("log-level")
	}
	levels, err := logs.ParseLevels(level, zerolog.WarnLevel)
	if err != nil {
		return nil, err
	}
	if level == "" {
		levels.Packages["run"] = zerolog.InfoLevel
	}
	format := cfg.Logging.Format
	if c.IsSet("log-format") {
		format = c.String("log-format")
	}
	s := &session{Process: p, config: cfg, clock: clock.System{}}
	var out io.Writer = p.Stderr
	if p.terminal() && p.env("TERM") != "dumb" && (format == "" || format == "console" || format == "plaintext") {
		s.console = status.NewConsole(p.Stderr)
		out = s.console.Above(p.Stderr)
	}
	if s.logs, err = logs.New(out, format, levels, p.color()); err != nil {
		return nil, err
	}
	s.log = s.logs.For("run")
	return s, nil
}

// rows is where the rows of the pipeline go.
func (s *session) rows() io.Writer {
	if s.console != nil && isatty.IsTerminal(s.Stdout.Fd()) {
		return s.console.Over(s.Stdout)
	}
	return s.Stdout
}

// readAll reads the whole of r, up to limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "the query is longer than %d bytes", limit)
	}
	return data, err
}
