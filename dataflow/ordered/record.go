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
	"wadi/dataflow/fault"
)

// Record lays rows out in words that all lie together, so that one takes the place of another without a copy of anything
// else. Its owner keeps the words, and may keep some of the columns elsewhere: those are apart, and equal in all rows that are
// compared. Values of variable width are loose: they lie as bytes in memory for all records of this layout.
//
// The words of a record are its values of fixed width, then one with bits: those of nulls, above a few that are the owner's.
// The prefix, which is compared before anything else, is a word of its own behind them, unless it says all of the first order
// column and stands for it. The last word says where the loose values are, 0 if there are none.
type Record struct {
	schema *arrow.Schema
	fields []field
	order  []recordPart
	// loose are the loose columns, blobs their values, vectors and appenders the columns of a batch.
	loose     []int
	blobs     blobs
	vectors   []column.Vector
	appenders []column.Appender
	// spare takes loose values that nobody needs.
	spare []column.Appender
	// Values is the number of words of the values; Flags is the word behind them, and HasNulls says whether there may be bits
	// of nulls in it.
	Values, Flags int
	HasNulls      bool
	// Prefix is the word of the prefix, Loose the one for loose values, 0 if there are none such, Size the number of all words.
	Prefix, Loose, Size int
	scratch             []byte
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
// values of variable width. The columns apart are not in it, nor may they be in the key. Without a key there is always one,
// which has no prefix and cannot be compared. Columns are loose, too, when there is no bit left for their nulls.
func NewRecord(in *arrow.Schema, key *Key, apart []int) *Record {
	r := &Record{schema: in}
	at := map[int]int{}
	bit := OwnBits
	for c, f := range in.Fields() {
		if slices.Contains(apart, c) {
			continue
		}
		k := kindOf(f.Type)
		if f.Nullable && bit == 64 {
			k = variable
		}
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
	r.Flags = r.Values
	r.Size = r.Flags + 1
	if key != nil {
		if key.timed {
			return nil
		}
		for _, p := range key.parts {
			f, ok := at[p.col]
			if !ok || r.fields[f].kind == variable {
				return nil
			}
			r.order = append(r.order, recordPart{f, p.desc, p.nullsFirst})
		}
		if !r.flip() {
			r.Prefix = r.Size
			r.Size++
		}
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

// Put writes values of rows of a batch to records, all but their prefixes: the record of a row is at the row's place in at,
// times stride. Of rows with one place the last counts. The bits of nulls must have been clear; loose values that were there
// are freed.
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
	if r.Loose == 0 {
		return
	}
	r.vectors = r.vectors[:0]
	for _, c := range r.loose {
		r.vectors = append(r.vectors, b.Cols[c])
	}
	for j, row := range rows {
		w := &words[int(at[j])*stride+r.Loose]
		r.scratch = AppendRow(r.scratch[:0], r.vectors, int(row))
		*w = r.blobs.replace(*w, r.scratch)
	}
}

// Free frees the loose values of the record w.
func (r *Record) Free(w []int64) {
	if r.Loose > 0 {
		r.blobs.free(w[r.Loose])
		w[r.Loose] = 0
	}
}

// Records are all that lie in words, at a stride.
type Records struct {
	Words  []int64
	Stride int
}

// Tidy lets go of the memory of loose values, if most of it was freed. These are all records that there are; of those that
// are none any more, the loose values must have been freed.
func (r *Record) Tidy(all ...Records) {
	if !r.blobs.wasteful() {
		return
	}
	fresh := r.blobs.fresh()
	for _, a := range all {
		fresh.move(&r.blobs, a.Words[min(r.Loose, len(a.Words)):], a.Stride)
	}
	r.blobs = fresh
}

// Memory is what loose values take, in bytes.
func (r *Record) Memory() int64 { return r.blobs.size() }

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

// Compare compares row i of a batch with the record w as Rows does: by the key, then by the row, as AppendRow has it.
func (r *Record) Compare(b *column.Batch, i int, w []int64) int {
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
	var loose []byte
	if r.Loose > 0 {
		loose = r.blobs.at(w[r.Loose])
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

// Extra is the number of columns that loose values take beside words in stored state.
func (r *Record) Extra() int { return min(1, r.Loose) }

// AppendLoose appends the loose values of records, which are at these places times stride, to a column of stored state.
func (r *Record) AppendLoose(words []int64, stride int, at []int32, to *column.Bytes) {
	if len(at) > 0 {
		r.blobs.each(words[r.Loose:], stride, at, func(p []byte) { to.Append(p) })
	}
}

// TakeLoose keeps stored loose values as those of the record w, which has none.
func (r *Record) TakeLoose(w []int64, loose []byte) error {
	if r.spare == nil {
		for _, c := range r.loose {
			r.spare = append(r.spare, column.NewAppender(r.schema.Field(c).Type))
		}
	}
	for _, s := range r.spare {
		s.Reset()
	}
	if !TakeRow(loose, r.spare) {
		return fault.Internalf("stored state holds a row that cannot be decoded").
			WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
	}
	w[r.Loose] = r.blobs.put(loose)
	return nil
}

// Append appends the values of records, which are at these places times stride, to one appender per column of the schema.
// Those of columns that are apart it leaves alone.
func (r *Record) Append(words []int64, stride int, at []int32, out []column.Appender) {
	if len(at) == 0 {
		return
	}
	flags, nulls := words[r.Flags:], int64(0)
	if r.HasNulls {
		for _, a := range at {
			nulls |= flags[int(a)*stride]
		}
	}
	for i := range r.fields {
		f := &r.fields[i]
		if f.kind == variable {
			continue
		}
		c := out[f.col]
		if !f.nullable || nulls>>f.bit&1 == 0 {
			f.append(words, stride, at, c)
			continue
		}
		// The first null makes the column one with nulls, whose bits the others only clear: they come without a pattern.
		null, n := 0, c.Len()
		for flags[int(at[null])*stride]>>f.bit&1 == 0 {
			null++
		}
		f.append(words, stride, at[:null], c)
		c.AppendNull()
		f.append(words, stride, at[null+1:], c)
		valid := c.Validity()
		for k, a := range at {
			valid[(n+k)>>6] &^= uint64(flags[int(a)*stride]>>f.bit&1) << ((n + k) & 63)
		}
	}
	if r.Loose == 0 {
		return
	}
	r.appenders = r.appenders[:0]
	for _, c := range r.loose {
		r.appenders = append(r.appenders, out[c])
	}
	r.blobs.each(words[r.Loose:], stride, at, func(p []byte) {
		if !TakeRow(p, r.appenders) {
			panic("ordered: a row that was kept cannot be decoded")
		}
	})
}

func (f *field) append(words []int64, stride int, at []int32, out column.Appender) {
	if len(at) == 0 {
		return
	}
	words = words[f.at:]
	switch c := out.(type) {
	case *column.Fixed[int64]:
		appendIntegers(words, stride, at, f.flip, c)
	case *column.Fixed[int32]:
		appendIntegers(words, stride, at, f.flip, c)
	case *column.Fixed[int16]:
		appendIntegers(words, stride, at, f.flip, c)
	case *column.Fixed[int8]:
		appendIntegers(words, stride, at, f.flip, c)
	case *column.Fixed[uint64]:
		appendIntegers(words, stride, at, f.flip, c)
	case *column.Fixed[uint32]:
		appendIntegers(words, stride, at, f.flip, c)
	case *column.Fixed[uint16]:
		appendIntegers(words, stride, at, f.flip, c)
	case *column.Fixed[uint8]:
		appendIntegers(words, stride, at, f.flip, c)
	case *column.Fixed[float64]:
		to := c.Extend(len(at))
		for k, a := range at {
			to[k] = math.Float64frombits(uint64(words[int(a)*stride]))
		}
	case *column.Fixed[float32]:
		to := c.Extend(len(at))
		for k, a := range at {
			to[k] = float32(math.Float64frombits(uint64(words[int(a)*stride])))
		}
	case *column.Bool:
		for _, a := range at {
			c.Append(words[int(a)*stride]^f.flip != 0)
		}
	case *column.Fixed[decimal128.Num]:
		to := c.Extend(len(at))
		for k, a := range at {
			to[k] = decimal128.New(words[int(a)*stride+1], uint64(words[int(a)*stride]))
		}
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		to := c.Extend(len(at))
		for k, a := range at {
			days := uint64(words[int(a)*stride])
			to[k] = arrow.MonthDayNanoInterval{Months: int32(days >> 32), Days: int32(uint32(days)), Nanoseconds: words[int(a)*stride+1]}
		}
	default:
		panic("ordered: no words for values of type " + out.Type().String())
	}
}

func appendIntegers[T integer](words []int64, stride int, at []int32, flip int64, c *column.Fixed[T]) {
	to := c.Extend(len(at))
	for k, a := range at {
		to[k] = T(words[int(a)*stride] ^ flip)
	}
}
