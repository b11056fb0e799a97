package column

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

// Change is the kind of a row on a changelog.
type Change = int8

// The two kinds of change. On an append stream Batch.Change is nil, which means Insert for every row.
const (
	Insert  Change = +1
	Retract Change = -1
)

// Batch is a set of rows in columns. The header is cheap to copy; the vectors behind it are shared.
type Batch struct {
	// Schema describes Cols; it is shared and never modified.
	Schema *arrow.Schema
	// N is the number of physical rows; every vector, Time and Change (if any) have this length.
	N int
	// Cols holds one vector per field of the schema; none of them is a *Const.
	Cols []Vector
	// Time is the event time of each row in nanoseconds since the Unix epoch.
	Time []int64
	// Change is nil on an append stream; else Insert or Retract per row.
	Change []Change
	// Sel is nil if all rows count; else the physical indices of the rows that count, ascending.
	Sel []int32
}

// Rows is the number of rows that count.
func (b *Batch) Rows() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.N
}

// Selected returns b's selection; a batch without one fills scratch with 0..N-1 and returns it.
func (b *Batch) Selected(scratch []int32) []int32 {
	if b.Sel != nil {
		return b.Sel
	}
	return AllRows(scratch, b.N)
}

// SplitNulls divides rows into those without a null in any of the columns, and the others, in no order. Columns for which safe
// is true may have nulls; a nil safe is none. The slices are filled anew and returned.
func SplitNulls(full, null, rows []int32, cols []Vector, safe []bool) (f, n []int32) {
	full, null = append(full[:0], rows...), null[:0]
	for k, v := range cols {
		valid := v.Validity()
		if valid == nil || safe != nil && safe[k] {
			continue
		}
		kept := full[:0]
		for _, r := range full {
			if valid.Get(int(r)) {
				kept = append(kept, r)
			} else {
				null = append(null, r)
			}
		}
		full = kept
	}
	return full, null
}

// AllRows fills scratch with 0..n-1 and returns it, growing it if needed.
func AllRows(scratch []int32, n int) []int32 {
	have := len(scratch)
	if cap(scratch) < n {
		scratch = make([]int32, n)
		have = 0
	} else {
		scratch = scratch[:n]
	}
	// A scratch that was filled before still holds the identity, so only the new part is written.
	if have > 0 && have <= n && scratch[have-1] == int32(have-1) && scratch[0] == 0 {
		for i := have; i < n; i++ {
			scratch[i] = int32(i)
		}
		return scratch
	}
	for i := range scratch {
		scratch[i] = int32(i)
	}
	return scratch
}

// Size estimates the memory that b's rows take, in bytes; it is what queues are bounded by.
func (b *Batch) Size() int {
	n := 16 + 8*len(b.Time) + len(b.Change) + 4*len(b.Sel)
	for _, c := range b.Cols {
		n += c.Size()
	}
	return n
}

// Builder fills batches that its owner keeps. The zero value is not ready; use NewBuilder.
type Builder struct {
	batch    Batch
	cols     []Appender
	updating bool
}

// NewBuilder makes a builder for rows of this schema; updating says whether the rows carry a change kind.
func NewBuilder(schema *arrow.Schema, updating bool) *Builder {
	b := &Builder{updating: updating}
	b.batch.Schema = schema
	b.cols = make([]Appender, schema.NumFields())
	b.batch.Cols = make([]Vector, schema.NumFields())
	for i, f := range schema.Fields() {
		b.cols[i] = NewAppender(f.Type)
		b.batch.Cols[i] = b.cols[i]
	}
	return b
}

// Rows is the number of rows held.
func (b *Builder) Rows() int { return len(b.batch.Time) }

// Column gives the vector of column i, for typed appends. The caller appends the same number of values to every column
// and to the time (AppendTime), and to the change on an updating builder.
func (b *Builder) Column(i int) Appender { return b.cols[i] }

// AppendTime appends one row's event time and, on an updating builder, its change kind.
func (b *Builder) AppendTime(t int64, c Change) {
	b.batch.Time = append(b.batch.Time, t)
	if b.updating {
		b.batch.Change = append(b.batch.Change, c)
	}
}

// AppendTimes is AppendTime for several rows with the same change kind.
func (b *Builder) AppendTimes(t []int64, c Change) {
	b.batch.Time = append(b.batch.Time, t...)
	if !b.updating {
		return
	}
	n := len(b.batch.Change)
	b.batch.Change = slices.Grow(b.batch.Change, len(t))[:n+len(t)]
	for i := range t {
		b.batch.Change[n+i] = c
	}
}

// AppendSel copies the rows sel of src (all rows that count when sel is nil). src has the builder's column types.
func (b *Builder) AppendSel(src *Batch, sel []int32) {
	if sel == nil {
		sel = src.Sel
	}
	for i, c := range b.cols {
		c.AppendSel(src.Cols[i], sel)
	}
	if sel == nil {
		b.batch.Time = append(b.batch.Time, src.Time[:src.N]...)
	} else {
		for _, r := range sel {
			b.batch.Time = append(b.batch.Time, src.Time[r])
		}
	}
	if !b.updating {
		return
	}
	n := src.N
	if sel != nil {
		n = len(sel)
	}
	for i := range n {
		k := Insert
		if src.Change != nil {
			r := i
			if sel != nil {
				r = int(sel[i])
			}
			k = src.Change[r]
		}
		b.batch.Change = append(b.batch.Change, k)
	}
}

// Batch gives the rows held. It stays the builder's memory: valid until the next append or Reset.
func (b *Builder) Batch() *Batch {
	b.batch.N = len(b.batch.Time)
	return &b.batch
}

// Reset forgets all rows and keeps the memory.
func (b *Builder) Reset() {
	for _, c := range b.cols {
		c.Reset()
	}
	b.batch.Time = b.batch.Time[:0]
	b.batch.Change = b.batch.Change[:0]
	if !b.updating {
		b.batch.Change = nil
	}
	b.batch.N = 0
}
