package operatortest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"wadi/dataflow/column"
)

// maxRows is the most rows that a batch of results may have.
const maxRows = 8192

// Table is an Output that materialises the rows that come out. It checks that batches are neither empty nor too large, that
// they are changelogs or not, that nothing is taken back which is not there, and that neither rows nor watermarks come behind
// the watermark.
type Table struct {
	// Updating says that a changelog comes out.
	Updating bool
	// Line spells row i of a batch; nil is Line.
	Line func(b *column.Batch, i int) string
	// Rows has how often each line is there.
	Rows map[string]int
	// Lines are all rows in the order in which they came, retractions too.
	Lines []string
	// Mark is the last watermark.
	Mark int64

	err error
}

// NewTable makes an empty table.
func NewTable(updating bool) *Table {
	return &Table{Updating: updating, Rows: map[string]int{}, Mark: math.MinInt64}
}

// Twin makes a table for another subtask, which has the same rows as t.
func (t *Table) Twin() *Table {
	return &Table{Updating: t.Updating, Line: t.Line, Rows: t.Rows, Mark: math.MinInt64}
}

// Emit implements operator.Emitter.
func (t *Table) Emit(b *column.Batch) error {
	if n := b.Rows(); n == 0 || n > maxRows || (b.Change != nil) != t.Updating {
		t.Fail("a batch of %d rows with %d changes", n, len(b.Change))
	}
	spell := t.Line
	if spell == nil {
		spell = Line
	}
	for _, r := range b.Selected(nil) {
		i := int(r)
		line, n := spell(b, i), 1
		if b.Change != nil {
			n = int(b.Change[i])
		}
		if t.Rows[line] += n; t.Rows[line] < 0 {
			t.Fail("%s is taken back, which is not there", line)
		}
		if t.Rows[line] == 0 {
			delete(t.Rows, line)
		}
		if b.Time[i] < t.Mark {
			t.Fail("%s comes after the watermark %d", line, t.Mark)
		}
		t.Lines = append(t.Lines, line)
	}
	return nil
}

// Watermark implements operator.Emitter.
func (t *Table) Watermark(w int64) error {
	if w <= t.Mark && t.Mark > math.MinInt64 {
		t.Fail("watermark %d after %d", w, t.Mark)
	}
	t.Mark = w
	return nil
}

// Idle implements operator.Emitter.
func (t *Table) Idle() error { return nil }

// Begin implements Output.
func (t *Table) Begin() {}

// Err implements Output.
func (t *Table) Err() error { return t.err }

// Fail notes that something is wrong.
func (t *Table) Fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
}

// Take gives the lines that came since the last Take.
func (t *Table) Take() string {
	out := strings.Join(t.Lines, "; ")
	t.Lines = nil
	return out
}

// Settled flushes once more, which must not put anything out.
func Settled(c *Cluster[*Table]) {
	c.T.Helper()
	for _, o := range c.Outs {
		o.Lines = nil
	}
	c.Flush()
	for _, o := range c.Outs {
		if len(o.Lines) > 0 {
			c.T.Fatal("changes without a cause: ", o.Take())
		}
	}
}

// Difference tells in which lines two multisets differ; "" if in none.
func Difference(got, want map[string]int) string {
	var lines []string
	for l, n := range want {
		if got[l] != n {
			lines = append(lines, fmt.Sprintf("%s: %d times instead of %d", l, got[l], n))
		}
	}
	for l, n := range got {
		if want[l] == 0 && n != 0 {
			lines = append(lines, fmt.Sprintf("%s: %d times instead of never", l, n))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Discard counts the rows that come out, for benchmarks.
type Discard struct{ Rows int }

// Emit implements operator.Emitter.
func (d *Discard) Emit(b *column.Batch) error { d.Rows += b.Rows(); return nil }

// Watermark implements operator.Emitter.
func (d *Discard) Watermark(int64) error { return nil }

// Idle implements operator.Emitter.
func (d *Discard) Idle() error { return nil }
