package ordered

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// Record lays rows out in words that all lie together, so that one takes the place of another without a copy of anything
// else. Its owner keeps the words, and may keep some of the columns elsewhere: those are apart, and equal in all rows that are
// compared. Values of variable width are loose: the owner keeps them as bytes, and a word for where they are.
//
// The words of a record are its values of fixed width, then one with bits: those of nulls, above a few that are the owner's.
// The prefix, which is compared before anything else, is a word of its own behind them, unless it says all of the first order
// column and stands for it.
type Record struct {
	schema *arrow.Schema
	fields []field
	order  []recordPart
	// loose are the columns of variable width, vectors and appenders those of a batch.
	loose     []int
	vectors   []column.Vector
	appenders []column.Appender
	// Values is the number of words of the values; Flags is the word behind them, and HasNulls says whether there may be bits
	// of nulls in it.
	Values, Flags int
	HasNulls      bool
	// Prefix is the word of the prefix, Loose the one for loose values, 0 if there are none, Size the number of all words.
	Prefix, Loose, Size int
	// Of comparisons.
	scratch []byte
}

// OwnBits are the low bits of the word of flags that are the owner's.
const OwnBits = 3

// field is a column of a record.
type field struct {
	col, at  int
	kind     kind
	nullable bool
	bit      int
	// flip turns the word of a value into one that orders; only of the column for which the prefix stands.
	flip int64
}

// kind says how the word or the two words of a value order.
type kind uint8

const (
	variable kind = iota
	signedWord
	unsignedWord
	floatWord
	decimalWords
	intervalWords
)

type recordPart struct {
	field            int
	desc, nullsFirst bool
}

func kindOf(dt arrow.DataType) kind {
	switch column.NewAppender(dt).(type) {
	case *column.Fixed[int64], *column.Fixed[int32], *column.Fixed[int16], *column.Fixed[int8]:
		return signedWord
	case *column.Fixed[uint64], *column.Fixed[uint32], *column.Fixed[uint16], *column.Fixed[uint8], *column.Bool:
		return unsignedWord
	case *column.Fixed[float64], *column.Fixed[float32]:
		return floatWord
	case *column.Fixed[decimal128.Num]:
		return decimalWords
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		return intervalWords
	}
	return variable
}

// NewRecord makes the layout of rows of this schema, which order by key; nil if they have no such one, as when they order by
// values of variable width. The columns apart are not in it, nor may they be in the key.
func NewRecord(in *arrow.Schema, key *Key, apart []int) *Record {
	r := &Record{schema: in}
	at := map[int]int{}
	bit := OwnBits
	for c, f := range in.Fields() {
		if slices.Contains(apart, c) {
			continue
		}
		k := kindOf(f.Type)
		at[c] = len(r.fields)
		if k == variable {
			r.fields = append(r.fields, field{col: c})
			r.loose = append(r.loose, c)
			continue
		}
		r.fields = append(r.fields, field{col: c, at: r.Values, kind: k, nullable: f.Nullable, bit: bit})
		if r.Values++; k >= decimalWords {
			r.Values++
		}
		if f.Nullable {
			r.HasNulls = true
			bit++
		}
	}
	if bit > 64 || key.timed {
		return nil
	}
	for _, p := range key.parts {
		f, ok := at[p.col]
		if !ok || r.fields[f].kind == variable {
			return nil
		}
		r.order = append(r.order, recordPart{f, p.desc, p.nullsFirst})
	}
	r.Flags = r.Values
	r.Size = r.Flags + 1
	if !r.flip() {
		r.Prefix = r.Size
		r.Size++
	}
	if len(r.loose) > 0 {
		r.Loose = r.Size
		r.Size++
	}
	return r
}

// flip lets the prefix stand for the first order column, if it can.
func (r *Record) flip() bool {
	if len(r.order) == 0 {
		return false
	}
	p := r.order[0]
	f := &r.fields[p.field]
	if f.nullable || f.kind != signedWord && f.kind != unsignedWord {
		return false
	}
	if f.kind == signedWord {
		f.flip = math.MinInt64
	}
	if p.desc {
		f.flip = ^f.flip
	}
	r.Prefix = f.at
	return true
}

// Complete sets the prefix of a record of which all else is there.
func (r *Record) Complete(w []int64) {
	if r.Prefix < r.Values {
		return
	}
	prefix := uint64(0)
	if len(r.order) > 0 {
		p := r.order[0]
		f := &r.fields[p.field]
		switch {
		case !f.null(w, r.Flags):
			if prefix, _ = f.ordered(w); p.desc {
				prefix = ^prefix
			}
		case !p.nullsFirst:
			prefix = math.MaxUint64
		}
	}
	w[r.Prefix] = int64(prefix)
}

func (f *field) null(w []int64, flags int) bool { return f.nullable && w[flags]>>f.bit&1 != 0 }

// ordered gives the words of a value as words does.
func (f *field) ordered(w []int64) (hi, lo uint64) {
	w0 := w[f.at] ^ f.flip
	switch f.kind {
	case unsignedWord:
		return uint64(w0), 0
	case floatWord:
		return orderFloat(math.Float64frombits(uint64(w0))), 0
	case decimalWords:
		return signed(w[f.at+1]), uint64(w0)
	case intervalWords:
		return uint64(w0) ^ (1<<63 | 1<<31), signed(w[f.at+1])
	}
	return signed(w0), 0
}

// Put writes values of rows of a batch to records, all but their prefixes and what is loose: the record of a row is at the row's place in at,
// times stride. Of rows with one place the last counts. The bits of nulls must have been clear.
func (r *Record) Put(words []int64, stride int, at []int32, b *column.Batch, rows []int32) {
	for i := range r.fields {
		f := &r.fields[i]
		if f.kind == variable {
			continue
		}
		v := b.Cols[f.col]
		if f.flip == 0 { // a prefix that is the value stands there otherwise
			f.put(words[min(f.at, len(words)):], stride, at, v, rows)
		}
		valid := v.Validity()
		if valid == nil || !f.nullable {
			continue
		}
		for j, row := range rows {
			w := &words[int(at[j])*stride+r.Flags]
			if *w &^= 1 << f.bit; !valid.Get(int(row)) {
				*w |= 1 << f.bit
			}
		}
	}
}

func (f *field) put(words []int64, stride int, at []int32, v column.Vector, rows []int32) {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		putIntegers(words, stride, at, c.Values, rows)
	case *column.Fixed[int32]:
		putIntegers(words, stride, at, c.Values, rows)
	case *column.Fixed[int16]:
		putIntegers(words, stride, at, c.Values, rows)
	case *column.Fixed[int8]:
		putIntegers(words, stride, at, c.Values, rows)
	case *column.Fixed[uint64]:
		putIntegers(words, stride, at, c.Values, rows)
	case *column.Fixed[uint32]:
		putIntegers(words, stride, at, c.Values, rows)
	case *column.Fixed[uint16]:
		putIntegers(words, stride, at, c.Values, rows)
	case *column.Fixed[uint8]:
		putIntegers(words, stride, at, c.Values, rows)
	case *column.Fixed[float64]:
		putFloats(words, stride, at, c.Values, rows)
	case *column.Fixed[float32]:
		putFloats(words, stride, at, c.Values, rows)
	case *column.Bool:
		for j, r := range rows {
			x := int64(0)
			if c.Bits.Get(int(r)) {
				x = 1
			}
			words[int(at[j])*stride] = x
		}
	case *column.Fixed[decimal128.Num]:
		for j, r := range rows {
			w, x := words[int(at[j])*stride:], c.Values[r]
			w[0], w[1] = int64(x.LowBits()), x.HighBits()
		}
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		for j, r := range rows {
			w, x := words[int(at[j])*stride:], c.Values[r]
			w[0], w[1] = int64(uint64(uint32(x.Months))<<32|uint64(uint32(x.Days))), x.Nanoseconds
		}
	default:
		panic("ordered: no words for values of type " + v.Type().String())
	}
}

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

func putIntegers[T integer](words []int64, stride int, at []int32, vals []T, rows []int32) {
	at = at[:len(rows)]
	for j, r := range rows {
		words[int(at[j])*stride] = int64(vals[r])
	}
}

func putFloats[T float32 | float64](words []int64, stride int, at []int32, vals []T, rows []int32) {
	for j, r := range rows {
		x := float64(vals[r])
		if x != x { // all NaNs are one
			x = math.NaN()
		}
		words[int(at[j])*stride] = int64(math.Float64bits(x))
	}
}

// Compare compares row i of a batch with the record w, whose loose values are those, as Rows does: by the key, then by the
// row, as AppendRow has it.
func (r *Record) Compare(b *column.Batch, i int, w []int64, loose []byte) int {
	for _, p := range r.order {
		f := &r.fields[p.field]
		v := b.Cols[f.col]
		fresh, kept := f.nullable && !v.Validity().IsValid(i), f.null(w, r.Flags)
		switch {
		case fresh && kept:
			continue
		case fresh || kept:
			if fresh == p.nullsFirst {
				return -1
			}
			return 1
		}
		hi, lo, _ := words(v, i)
		h, l := f.ordered(w)
		c := cmp.Compare(hi, h)
		if c == 0 {
			c = cmp.Compare(lo, l)
		}
		if p.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	for k := range r.fields {
		f := &r.fields[k]
		r.scratch = AppendRow(r.scratch[:0], b.Cols[f.col:f.col+1], i)
		n := len(r.scratch)
		kept := loose
		if f.kind == variable {
			loose = Skip(loose, r.schema.Field(f.col).Type)
			kept = kept[:len(kept)-len(loose)]
		} else {
			r.scratch = f.appendRow(r.scratch, w, r.Flags)
			kept = r.scratch[n:]
		}
		if c := bytes.Compare(r.scratch[:n], kept); c != 0 {
			return c
		}
	}
	return 0
}

// appendRow appends the value of a record as AppendRow does.
func (f *field) appendRow(buf []byte, w []int64, flags int) []byte {
	if f.null(w, flags) {
		return append(buf, 0)
	}
	buf = binary.LittleEndian.AppendUint64(append(buf, 1), uint64(w[f.at]^f.flip))
	if f.kind >= decimalWords {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(w[f.at+1]))
	}
	return buf
}

// AppendLoose appends the loose values of row i of a batch to buf.
func (r *Record) AppendLoose(buf []byte, b *column.Batch, i int) []byte {
	r.vectors = r.vectors[:0]
	for _, c := range r.loose {
		r.vectors = append(r.vectors, b.Cols[c])
	}
	return AppendRow(buf, r.vectors, i)
}

// TakeLoose appends the loose values of a record to the appenders of their columns, of one per column of the schema; false
// if they are none.
func (r *Record) TakeLoose(loose []byte, out []column.Appender) bool {
	r.appenders = r.appenders[:0]
	for _, c := range r.loose {
		r.appenders = append(r.appenders, out[c])
	}
	return TakeRow(loose, r.appenders)
}

// Append appends the values of n records, which follow each other at this stride, to one appender per column of the schema.
// Those of columns that are apart or loose it leaves alone.
func (r *Record) Append(words []int64, stride, n int, out []column.Appender) {
	for i := range r.fields {
		f := &r.fields[i]
		if f.kind == variable {
			continue
		}
		from := 0
		if f.nullable {
			for k := range n {
				w := words[k*stride : (k+1)*stride]
				if f.null(w, r.Flags) {
					f.append(words[from*stride:], stride, k-from, out[f.col])
					out[f.col].AppendNull()
					from = k + 1
				}
			}
		}
		f.append(words[from*stride:], stride, n-from, out[f.col])
	}
}

func (f *field) append(words []int64, stride, n int, out column.Appender) {
	if n == 0 {
		return
	}
	words = words[f.at:]
	switch c := out.(type) {
	case *column.Fixed[int64]:
		appendIntegers(words, stride, n, f.flip, c)
	case *column.Fixed[int32]:
		appendIntegers(words, stride, n, f.flip, c)
	case *column.Fixed[int16]:
		appendIntegers(words, stride, n, f.flip, c)
	case *column.Fixed[int8]:
		appendIntegers(words, stride, n, f.flip, c)
	case *column.Fixed[uint64]:
		appendIntegers(words, stride, n, f.flip, c)
	case *column.Fixed[uint32]:
		appendIntegers(words, stride, n, f.flip, c)
	case *column.Fixed[uint16]:
		appendIntegers(words, stride, n, f.flip, c)
	case *column.Fixed[uint8]:
		appendIntegers(words, stride, n, f.flip, c)
	case *column.Fixed[float64]:
		for k, to := 0, c.Extend(n); k < n; k++ {
			to[k] = math.Float64frombits(uint64(words[k*stride]))
		}
	case *column.Fixed[float32]:
		for k, to := 0, c.Extend(n); k < n; k++ {
			to[k] = float32(math.Float64frombits(uint64(words[k*stride])))
		}
	case *column.Bool:
		for k := range n {
			c.Append(words[k*stride]^f.flip != 0)
		}
	case *column.Fixed[decimal128.Num]:
		for k, to := 0, c.Extend(n); k < n; k++ {
			to[k] = decimal128.New(words[k*stride+1], uint64(words[k*stride]))
		}
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		for k, to := 0, c.Extend(n); k < n; k++ {
			days := uint64(words[k*stride])
			to[k] = arrow.MonthDayNanoInterval{Months: int32(days >> 32), Days: int32(uint32(days)), Nanoseconds: words[k*stride+1]}
		}
	default:
		panic("ordered: no words for values of type " + out.Type().String())
	}
}

func appendIntegers[T integer](words []int64, stride, n int, flip int64, c *column.Fixed[T]) {
	for k, to := 0, c.Extend(n); k < n; k++ {
		to[k] = T(words[k*stride] ^ flip)
	}
}
