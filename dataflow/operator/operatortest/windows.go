package operatortest

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// Windows is an Output for the results of windows: rows with a column "window" between their keys and their values.
type Windows struct {
	// Lines are the rows, as Line spells row i of a batch whose windows are in column at.
	Lines []string
	Line  func(b *column.Batch, at, i int, start, end int64) string
	// ByEnd says that windows come in the order of their ends, not of their starts.
	ByEnd bool

	last int64
	err  error
}

// Emit implements operator.Emitter.
func (s *Windows) Emit(b *column.Batch) error {
	if b.N == 0 || b.N > 8192 || b.Change != nil {
		s.err = fmt.Errorf("a batch of %d rows", b.N)
	}
	at := slices.IndexFunc(b.Schema.Fields(), func(f arrow.Field) bool { return f.Name == "window" })
	w := b.Cols[at].(*column.Struct)
	for i := range b.N {
		start, end := w.Children[0].(*column.Fixed[int64]).Values[i], w.Children[1].(*column.Fixed[int64]).Values[i]
		now := start
		if s.ByEnd {
			now = end
		}
		if now < s.last {
			s.err = fmt.Errorf("the window from %d to %d comes after one of %d", start, end, s.last)
		}
		s.last = now
		s.Lines = append(s.Lines, s.Line(b, at, i, start, end))
	}
	return nil
}

// Watermark implements operator.Emitter.
func (s *Windows) Watermark(int64) error { return nil }

// Idle implements operator.Emitter.
func (s *Windows) Idle() error { return nil }

// Begin implements Output.
func (s *Windows) Begin() { s.last = math.MinInt64 }

// Err implements Output.
func (s *Windows) Err() error { return s.err }

// Released gives what a watermark releases, in the order of text.
func Released(c *Cluster[*Windows], w int64) (lines []string) {
	c.Watermark(w)
	for _, o := range c.Outs {
		lines = append(lines, o.Lines...)
		o.Lines = nil
	}
	slices.Sort(lines)
	return lines
}
