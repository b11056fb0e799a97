package multimap

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// form says how the columns of rows become the columns of a chunk of state: after the words of every row come words
// with a bit per null, then for each column one word, two, or bytes. Strings are bytes as they are; values of nested
// types have their row encoding.
type form struct {
	types []arrow.DataType
	// at is the first word column of each column, or the complement of its byte column.
	at           []int
	words, bytes int
}

func newForm(types []arrow.DataType) *form {
	f := &form{types: types, words: nullWords + column.Words(len(types))}
	for _, dt := range types {
		n := wordsOf(column.NewAppender(dt))
		if n == 0 {
			f.at = append(f.at, ^f.bytes)
			f.bytes++
			continue
		}
		f.at = append(f.at, f.words)
		f.words += n
	}
	return f
}

func (f *form) newChunk() *state.Chunk {
	c := &state.Chunk{Words: make([][]int64, f.words)}
	for range f.bytes {
		c.Bytes = append(c.Bytes, column.NewBytes(arrow.BinaryTypes.Binary))
	}
	return c
}

// wordsOf is the number of words that a value takes; 0 for bytes.
func wordsOf(v column.Vector) int {
	switch v.(type) {
	case *column.Bytes, *column.Struct, *column.List:
		return 0
	case *column.Fixed[decimal128.Num], *column.Fixed[arrow.MonthDayNanoInterval]:
		return 2
	case *column.Bool, *column.Fixed[float64], *column.Fixed[float32],
		*column.Fixed[int64], *column.Fixed[int32], *column.Fixed[int16], *column.Fixed[int8],
		*column.Fixed[uint64], *column.Fixed[uint32], *column.Fixed[uint16], *column.Fixed[uint8]:
		return 1
	}
	return 0
}

// append writes n rows of the columns behind those that c has.
func (f *form) append(c *state.Chunk, cols []column.Appender, n int) {
	nulls := c.Words[nullWords : nullWords+column.Words(len(cols))]
	for w := range nulls {
		nulls[w] = append(nulls[w], make([]int64, n)...)
	}
	for k, v := range cols {
		if valid := v.Validity(); valid != nil {
			w := nulls[k/64]
			for i := range n {
				if !valid.Get(i) {
					w[len(w)-n+i] |= 1 << (k % 64)
				}
			}
		}
		if at := f.at[k]; at < 0 {
			appendBytes(c.Bytes[^at], v, n)
		} else {
			appendWords(c.Words[at:], v)
		}
	}
}

func appendBytes(dst *column.Bytes, v column.Vector, n int) {
	if b, ok := v.(*column.Bytes); ok {
		for i := range n {
			if b.Valid.IsValid(i) {
				dst.Append(b.At(i))
			} else {
				dst.Append(nil)
			}
		}
		return
	}
	var buf []byte
	for i := range n {
		buf = state.AppendValue(buf[:0], v, i)
		dst.Append(buf)
	}
}

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

func appendInts[T integer](w *[]int64, vals []T) {
	out := *w
	for _, v := range vals {
		out = append(out, int64(v))
	}
	*w = out
}

func appendWords(w [][]int64, v column.Vector) {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		w[0] = append(w[0], c.Values...)
	case *column.Fixed[int32]:
		appendInts(&w[0], c.Values)
	case *column.Fixed[int16]:
		appendInts(&w[0], c.Values)
	case *column.Fixed[int8]:
		appendInts(&w[0], c.Values)
	case *column.Fixed[uint64]:
		appendInts(&w[0], c.Values)
	case *column.Fixed[uint32]:
		appendInts(&w[0], c.Values)
	case *column.Fixed[uint16]:
		appendInts(&w[0], c.Values)
	case *column.Fixed[uint8]:
		appendInts(&w[0], c.Values)
	case *column.Fixed[float64]:
		for _, x := range c.Values {
			w[0] = append(w[0], int64(math.Float64bits(x)))
		}
	case *column.Fixed[float32]:
		for _, x := range c.Values {
			w[0] = append(w[0], int64(math.Float32bits(x)))
		}
	case *column.Bool:
		for i := range c.N {
			w[0] = append(w[0], int64(c.Bits[i/64]>>(i%64)&1))
		}
	case *column.Fixed[decimal128.Num]:
		for _, x := range c.Values {
			w[0], w[1] = append(w[0], int64(x.LowBits())), append(w[1], x.HighBits())
		}
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		for _, x := range c.Values {
			w[0] = append(w[0], int64(uint64(uint32(x.Months))<<32|uint64(uint32(x.Days))))
			w[1] = append(w[1], x.Nanoseconds)
		}
	}
}

// take appends the values of rows of c to cols.
func (f *form) take(c *state.Chunk, rows []int32, cols []column.Appender) error {
	for k, out := range cols {
		null := c.Words[nullWords+k/64]
		for _, r := range rows {
			switch at := f.at[k]; {
			case null[r]>>(k%64)&1 != 0:
				out.AppendNull()
			case at >= 0:
				takeWords(out, c.Words[at:], r)
			case !takeBytes(out, c.Bytes[^at].At(int(r))):
				return fault.Internalf("stored rows of a join cannot be decoded").
					WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
			}
		}
	}
	return nil
}

func takeBytes(out column.Appender, p []byte) bool {
	if b, ok := out.(*column.Bytes); ok {
		b.Append(p)
		return true
	}
	rest, ok := state.TakeValue(p, out)
	return ok && len(rest) == 0
}

func takeWords(out column.Appender, w [][]int64, r int32) {
	x := w[0][r]
	switch c := out.(type) {
	case *column.Fixed[int64]:
		c.Append(x)
	case *column.Fixed[int32]:
		c.Append(int32(x))
	case *column.Fixed[int16]:
		c.Append(int16(x))
	case *column.Fixed[int8]:
		c.Append(int8(x))
	case *column.Fixed[uint64]:
		c.Append(uint64(x))
	case *column.Fixed[uint32]:
		c.Append(uint32(x))
	case *column.Fixed[uint16]:
		c.Append(uint16(x))
	case *column.Fixed[uint8]:
		c.Append(uint8(x))
	case *column.Fixed[float64]:
		c.Append(math.Float64frombits(uint64(x)))
	case *column.Fixed[float32]:
		c.Append(math.Float32frombits(uint32(x)))
	case *column.Bool:
		c.Append(x != 0)
	case *column.Fixed[decimal128.Num]:
		c.Append(decimal128.New(w[1][r], uint64(x)))
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		c.Append(arrow.MonthDayNanoInterval{Months: int32(uint64(x) >> 32), Days: int32(uint32(x)), Nanoseconds: w[1][r]})
	}
}
