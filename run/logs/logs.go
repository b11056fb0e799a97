// Package logs sets up the log: one writer, one format, a level for each package.
//
// Log lines go to standard error, never to standard output. A Set is a value; packages get their logger from it when
// they are built.
package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/rs/zerolog"

	"wadi/dataflow/fault"
)

// Formats are the forms of log lines that there are.
var Formats = []string{"console", "plaintext", "json", "logfmt"}

// Levels says from which level on lines are written: for packages named in Packages their own level, for all others
// Default.
type Levels struct {
	Default  zerolog.Level
	Packages map[string]zerolog.Level
}

// ParseLevels reads a level ("debug"), or comma-separated package=level pairs with an optional level for the rest
// ("warn,controller=debug"). An empty text gives fallback for everything.
func ParseLevels(text string, fallback zerolog.Level) (Levels, error) {
	l := Levels{Default: fallback, Packages: map[string]zerolog.Level{}}
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, level, pair := strings.Cut(part, "=")
		if !pair {
			name, level = "", part
		}
		parsed, err := zerolog.ParseLevel(strings.ToLower(strings.TrimSpace(level)))
		if err != nil || level == "" {
			return l, fault.Userf(fault.CodeInvalid, fault.Span{}, "%q is not a log level", level).
				WithHint("use trace, debug, info, warn, error or disabled, or package=level pairs such as controller=debug,warn")
		}
		if pair {
			l.Packages[strings.TrimSpace(name)] = parsed
		} else {
			l.Default = parsed
		}
	}
	return l, nil
}

// Set makes loggers.
type Set struct {
	base   zerolog.Logger
	levels Levels
	// terse leaves the package out of lines of the command itself: they are read by people.
	terse bool
}

// New makes a set that writes to w in this format; color is for console only.
func New(w io.Writer, format string, levels Levels, color bool) (*Set, error) {
	var out io.Writer
	switch format {
	case "", "console", "plaintext":
		out = zerolog.ConsoleWriter{Out: w, NoColor: !color || format == "plaintext", TimeFormat: "15:04:05"}
	case "json":
		out = w
	case "logfmt":
		out = logfmt{w}
	default:
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "there is no log format %q", format).
			WithHint("use one of %s", strings.Join(Formats, ", "))
	}
	_, terse := out.(zerolog.ConsoleWriter)
	return &Set{base: zerolog.New(out).With().Timestamp().Logger(), levels: levels, terse: terse}, nil
}

// command is the package of the command line.
const command = "run"

// For gives the logger of a package.
func (s *Set) For(pkg string) zerolog.Logger {
	level, ok := s.levels.Packages[pkg]
	if !ok {
		level = s.levels.Default
	}
	if s.terse && pkg == command {
		return s.base.Level(level)
	}
	return s.base.With().Str("package", pkg).Logger().Level(level)
}

// logfmt turns zerolog's JSON lines into key=value lines.
type logfmt struct{ w io.Writer }

// Write implements io.Writer for one event.
func (l logfmt) Write(p []byte) (int, error) {
	fields := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(p))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return 0, err
	}
	var b strings.Builder
	for _, name := range []string{zerolog.TimestampFieldName, zerolog.LevelFieldName, zerolog.MessageFieldName} {
		if v, ok := fields[name]; ok {
			pair(&b, name, v)
			delete(fields, name)
		}
	}
	rest := make([]string, 0, len(fields))
	for name := range fields {
		rest = append(rest, name)
	}
	sort.Strings(rest)
	for _, name := range rest {
		pair(&b, name, fields[name])
	}
	b.WriteByte('\n')
	if _, err := io.WriteString(l.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func pair(b *strings.Builder, name string, v any) {
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	s := fmt.Sprint(v)
	if s == "" || strings.ContainsAny(s, " \"=\n\t") {
		s = fmt.Sprintf("%q", s)
	}
	fmt.Fprintf(b, "%s=%s", name, s)
}
