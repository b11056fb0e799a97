// Package status shows a running job: a block of lines redrawn on a terminal, or one log line now and then elsewhere.
//
// In come samples of counters, taken by the caller; out goes text. Rates are the difference of two samples. Nothing
// here blocks; drawing writes to the given writer, which is never standard output.
package status

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Sample is the state of a job at one moment. Counters only grow.
type Sample struct {
	At    time.Time
	State string
	// RowsIn were read by the sources, RowsOut written by the sinks.
	RowsIn, RowsOut int64
	// Watermark is the least of the sinks, ns; HasWatermark is false before the first, and AtEnd says that the input ended.
	Watermark    int64
	HasWatermark bool
	AtEnd        bool
	StateBytes   int64
	// Epoch is the last complete checkpoint, taken at CheckpointAt; 0 before the first.
	Epoch        uint64
	CheckpointAt time.Time
	Operators    []Operator
	// BadRecords and LateRows were left out; Errors counts what else was reported without stopping the job.
	BadRecords, LateRows, Errors int64
}

// Operator is one operator's time: Busy grows while it works, over all Subtasks.
type Operator struct {
	Name     string
	Busy     time.Duration
	Subtasks int
}

// Rates is what two samples say together.
type Rates struct {
	RowsIn, RowsOut float64
	// Busiest is the operator that worked the greatest share of the time, Share, from 0 to 1.
	Busiest string
	Share   float64
}

// Between compares two samples.
func Between(a, b Sample) Rates {
	d := b.At.Sub(a.At).Seconds()
	if d <= 0 {
		return Rates{}
	}
	r := Rates{RowsIn: float64(b.RowsIn-a.RowsIn) / d, RowsOut: float64(b.RowsOut-a.RowsOut) / d}
	before := map[string]time.Duration{}
	for _, o := range a.Operators {
		before[o.Name] = o.Busy
	}
	for _, o := range b.Operators {
		share := (o.Busy - before[o.Name]).Seconds() / d / float64(max(1, o.Subtasks))
		if share > r.Share {
			r.Busiest, r.Share = o.Name, min(1, share)
		}
	}
	return r
}

// Line is one log line's worth of a sample.
func Line(a, b Sample) string {
	r := Between(a, b)
	parts := []string{
		fmt.Sprintf("%s rows in (%s/s)", Count(b.RowsIn), Count(int64(r.RowsIn))),
		fmt.Sprintf("%s rows out (%s/s)", Count(b.RowsOut), Count(int64(r.RowsOut))),
		"watermark " + watermark(b),
		"state " + Bytes(b.StateBytes),
		"checkpoint " + checkpoint(b),
	}
	if p := problems(b); p != "" {
		parts = append(parts, p)
	}
	return strings.Join(parts, ", ")
}

// Block is the lines of the status block, each at most width columns wide.
func Block(a, b Sample, title string, width int, color bool) []string {
	r := Between(a, b)
	lines := []string{
		fmt.Sprintf("%s  %s", paint(color, "1", title), b.State),
		fmt.Sprintf("  rows in    %-12s %s/s", Count(b.RowsIn), Count(int64(r.RowsIn))),
		fmt.Sprintf("  rows out   %-12s %s/s", Count(b.RowsOut), Count(int64(r.RowsOut))),
		"  watermark  " + watermark(b),
		fmt.Sprintf("  state      %-12s checkpoint %s", Bytes(b.StateBytes), checkpoint(b)),
	}
	if r.Busiest != "" {
		lines = append(lines, fmt.Sprintf("  busiest    %s (%.0f%%)", r.Busiest, 100*r.Share))
	}
	if p := problems(b); p != "" {
		lines = append(lines, "  "+paint(color, "33", p))
	}
	for i, l := range lines {
		lines[i] = clip(l, width)
	}
	return lines
}

func paint(color bool, code, s string) string {
	if !color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// clip cuts a line to width columns; a coloured line that is too long loses its colour.
func clip(s string, width int) string {
	plain := s
	for {
		i := strings.Index(plain, "\x1b[")
		if i < 0 {
			break
		}
		j := strings.IndexByte(plain[i:], 'm')
		plain = plain[:i] + plain[i+j+1:]
	}
	if width <= 1 || utf8.RuneCountInString(plain) <= width {
		return s
	}
	return string([]rune(plain)[:width-1]) + "…"
}

func watermark(s Sample) string {
	switch {
	case s.AtEnd:
		return "at the end of the input"
	case !s.HasWatermark:
		return "none so far"
	}
	w := time.Unix(0, s.Watermark).UTC()
	lag := s.At.Sub(w)
	text := w.Format("2006-01-02T15:04:05.000")
	if lag >= 0 && lag < 1000*time.Hour {
		return text + " (" + Span(lag) + " behind the clock)"
	}
	return text
}

func checkpoint(s Sample) string {
	if s.Epoch == 0 {
		return "none so far"
	}
	return fmt.Sprintf("%d, %s ago", s.Epoch, Span(s.At.Sub(s.CheckpointAt)))
}

func problems(s Sample) string {
	var parts []string
	add := func(n int64, what string) {
		if n > 0 {
			parts = append(parts, Count(n)+" "+what)
		}
	}
	add(s.BadRecords, "bad records dropped")
	add(s.LateRows, "late rows dropped")
	add(s.Errors, "errors")
	return strings.Join(parts, ", ")
}

// Count writes a number with thousands apart.
func Count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes writes a size in B, KiB, MiB or GiB.
func Bytes(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// Span writes a duration with the precision that a reader needs.
func Span(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// Screen redraws a block of lines in place on a terminal. The zero value with a writer is ready.
type Screen struct {
	W     io.Writer
	drawn int
}

// Draw replaces the block drawn before.
func (s *Screen) Draw(lines []string) {
	var b strings.Builder
	s.erase(&b)
	for _, l := range lines {
		b.WriteString(l)
		b.WriteByte('\n')
	}
	s.drawn = len(lines)
	_, _ = io.WriteString(s.W, b.String()) // a terminal that went away is no reason to stop
}

// Clear removes the block, for example before other lines are written.
func (s *Screen) Clear() {
	if s.drawn == 0 {
		return
	}
	var b strings.Builder
	s.erase(&b)
	s.drawn = 0
	_, _ = io.WriteString(s.W, b.String())
}

func (s *Screen) erase(b *strings.Builder) {
	if s.drawn > 0 {
		fmt.Fprintf(b, "\x1b[%dA\x1b[J", s.drawn)
	}
}
