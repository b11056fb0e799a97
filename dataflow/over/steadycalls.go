package over

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
)

// steadyCall is a call of a steady operator.
type steadyCall struct {
	call
	// lag and first_value keep the values of the last rows, or of the first, from word at on: for each, whether it is null
	// (0, else 1), and width words.
	at, width, rows int
	// Of the rows at hand: the values of the argument and the results.
	values, words []int64
	valid         []bool
}

// maxBack is how many rows back lag and the frames of aggregates may reach for values to be kept in words.
const maxBack = 32

// add takes a call; false if it needs more than words, or another frame than those before.
func (s *steady) add(k call) bool {
	c := steadyCall{call: k, at: s.words}
	f := k.Frame
	running := f.From.Kind == graph.UnboundedPreceding && f.To.Kind == graph.CurrentRow && f.Exclude == graph.NoExclusion &&
		f.Unit >= graph.Rows && f.Unit <= graph.Groups
	switch k.kind {
	case rowNumber, rank, denseRank:
		if id := k.Type.ID(); id != arrow.INT64 && id != arrow.UINT64 && id != arrow.INT32 {
			return false
		}
	case aggregate:
		last := f.Unit == graph.Rows && f.From.Kind == graph.Preceding && f.From.N < maxBack && f.To.Kind == graph.CurrentRow && f.Exclude == graph.NoExclusion
		switch {
		case running && s.turns.take(f.Unit != graph.Rows, 0):
		case last && s.turns.take(false, int(f.From.N)+1) && s.leave(k.Call):
		default:
			return false
		}
	case lag:
		if k.n < 1 || k.n > maxBack || k.IgnoreNulls {
			return false
		}
		c.rows = int(k.n)
	case firstValue:
		if !running || k.IgnoreNulls {
			return false
		}
		c.rows = 1
	default:
		return false
	}
	if c.rows > 0 {
		c.width = widthOf(k.Type)
		for _, a := range k.Args {
			if c.width == 0 || !arrow.TypeEqual(s.in.Field(a).Type, k.Type) {
				return false
			}
		}
		s.words += c.rows * (1 + c.width)
	}
	s.calls = append(s.calls, c)
	return true
}

// leave lets the values that an aggregate reads be kept until their row leaves the frame; false if that cannot be done in
// words.
func (s *steady) leave(c agg.Call) bool {
	cols := c.Args
	if c.Filter >= 0 {
		cols = append(slices.Clone(cols), c.Filter)
	}
	for _, col := range cols {
		if !s.turns.keep(col, s.in.Field(col).Type, &s.words) {
			return false
		}
	}
	return true
}

// evaluate appends the results of a call that is no aggregate.
func (s *steady) evaluate(c *steadyCall, b *column.Batch) {
	switch c.kind {
	case rowNumber:
		appendNumbers(c.out, s.numbers)
	case rank:
		appendNumbers(c.out, s.ranks)
	case denseRank:
		appendNumbers(c.out, s.denses)
	case lag, firstValue:
		s.remember(c, b)
	}
}

func appendNumbers(out column.Appender, numbers []int64) {
	switch o := out.(type) {
	case *column.Fixed[int64]:
		o.Values = append(o.Values, numbers...)
	case *column.Fixed[uint64]:
		for _, n := range numbers {
			o.Values = append(o.Values, uint64(n))
		}
	case *column.Fixed[int32]:
		for _, n := range numbers {
			o.Values = append(o.Values, int32(min(n, math.MaxInt32)))
		}
	}
}

// remember appends values of earlier rows and keeps those of the rows at hand. The last rows lie in a ring: the one to look
// at is where this one goes.
func (s *steady) remember(c *steadyCall, b *column.Batch) {
	v := b.Cols[c.Args[0]]
	c.values = toWords(c.values, v, c.width)
	c.words, c.valid = sized(c.words, b.N*c.width), sized(c.valid, b.N)
	if c.kind == firstValue {
		s.firsts(c, v.Validity())
	} else {
		s.lags(c, v.Validity())
	}
	if c.kind == lag && len(c.Args) > 1 {
		s.defaults(c, b)
	}
	fromWords(c.out, c.words, c.valid)
}

func (s *steady) lags(c *steadyCall, valid column.Bitmap) {
	w, stride := s.groups.Table.Values()
	size := 1 + c.width
	for j, slot := range s.slots {
		n := s.numbers[j]
		kept := w[int(slot)*stride+c.at+int(n-1)%c.rows*size:][:size]
		c.valid[j] = n > int64(c.rows) && kept[0] != 0
		kept[0] = word(valid.IsValid(j))
		if c.width == 1 {
			c.words[j], kept[1] = kept[1], c.values[j]
			continue
		}
		copy(c.words[j*c.width:(j+1)*c.width], kept[1:])
		copy(kept[1:], c.values[j*c.width:])
	}
}

func (s *steady) firsts(c *steadyCall, valid column.Bitmap) {
	w, stride := s.groups.Table.Values()
	for j, slot := range s.slots {
		kept := w[int(slot)*stride+c.at:][:1+c.width]
		if s.numbers[j] == 1 {
			kept[0] = word(valid.IsValid(j))
			copy(kept[1:], c.values[j*c.width:])
		}
		c.valid[j] = kept[0] != 0
		copy(c.words[j*c.width:(j+1)*c.width], kept[1:])
	}
}

// defaults fills in the third argument of lag where there is no row so far back.
func (s *steady) defaults(c *steadyCall, b *column.Batch) {
	v := b.Cols[c.Args[1]]
	c.values = toWords(c.values, v, c.width)
	valid := v.Validity()
	for j, n := range s.numbers {
		if n <= int64(c.rows) {
			c.valid[j] = valid.IsValid(j)
			copy(c.words[j*c.width:(j+1)*c.width], c.values[j*c.width:])
		}
	}
}

func word(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// widthOf is the number of words of a value, 0 if that differs.
func widthOf(dt arrow.DataType) int {
	switch column.NewAppender(dt).(type) {
	case *column.Bytes, *column.Struct, *column.List:
		return 0
	case *column.Fixed[decimal128.Num], *column.Fixed[arrow.MonthDayNanoInterval]:
		return 2
	}
	return 1
}

type wholeNumber interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

func spread[T wholeNumber](dst []int64, vals []T) {
	for i, v := range vals {
		dst[i] = int64(v)
	}
}

// toWords gives the values of a column as words; those of nulls are anything.
func toWords(dst []int64, v column.Vector, width int) []int64 {
	dst = sized(dst, v.Len()*width)
	switch c := v.(type) {
	case *column.Fixed[int64]:
		copy(dst, c.Values)
	case *column.Fixed[int32]:
		spread(dst, c.Values)
	case *column.Fixed[int16]:
		spread(dst, c.Values)
	case *column.Fixed[int8]:
		spread(dst, c.Values)
	case *column.Fixed[uint64]:
		spread(dst, c.Values)
	case *column.Fixed[uint32]:
		spread(dst, c.Values)
	case *column.Fixed[uint16]:
		spread(dst, c.Values)
	case *column.Fixed[uint8]:
		spread(dst, c.Values)
	case *column.Fixed[float64]:
		for i, x := range c.Values {
			dst[i] = int64(math.Float64bits(x))
		}
	case *column.Fixed[float32]:
		for i, x := range c.Values {
			dst[i] = int64(math.Float32bits(x))
		}
	case *column.Bool:
		for i := range c.N {
			dst[i] = word(c.Bits.Get(i))
		}
	case *column.Fixed[decimal128.Num]:
		for i, x := range c.Values {
			dst[2*i], dst[2*i+1] = int64(x.LowBits()), x.HighBits()
		}
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		for i, x := range c.Values {
			dst[2*i], dst[2*i+1] = int64(uint64(uint32(x.Months))<<32|uint64(uint32(x.Days))), x.Nanoseconds
		}
	}
	return dst
}

// fromWords appends values given as words.
func fromWords(out column.Appender, words []int64, valid []bool) {
	switch o := out.(type) {
	case *column.Fixed[int64]:
		appendWords(o, words, valid, func(w int64) int64 { return w })
	case *column.Fixed[int32]:
		appendWords(o, words, valid, func(w int64) int32 { return int32(w) })
	case *column.Fixed[int16]:
		appendWords(o, words, valid, func(w int64) int16 { return int16(w) })
	case *column.Fixed[int8]:
		appendWords(o, words, valid, func(w int64) int8 { return int8(w) })
	case *column.Fixed[uint64]:
		appendWords(o, words, valid, func(w int64) uint64 { return uint64(w) })
	case *column.Fixed[uint32]:
		appendWords(o, words, valid, func(w int64) uint32 { return uint32(w) })
	case *column.Fixed[uint16]:
		appendWords(o, words, valid, func(w int64) uint16 { return uint16(w) })
	case *column.Fixed[uint8]:
		appendWords(o, words, valid, func(w int64) uint8 { return uint8(w) })
	case *column.Fixed[float64]:
		appendWords(o, words, valid, func(w int64) float64 { return math.Float64frombits(uint64(w)) })
	case *column.Fixed[float32]:
		appendWords(o, words, valid, func(w int64) float32 { return math.Float32frombits(uint32(w)) })
	case *column.Bool:
		for i, ok := range valid {
			if ok {
				o.Append(words[i] != 0)
			} else {
				o.AppendNull()
			}
		}
	case *column.Fixed[decimal128.Num]:
		for i, ok := range valid {
			if ok {
				o.Append(decimal128.New(words[2*i+1], uint64(words[2*i])))
			} else {
				o.AppendNull()
			}
		}
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		for i, ok := range valid {
			if ok {
				w := uint64(words[2*i])
				o.Append(arrow.MonthDayNanoInterval{Months: int32(w >> 32), Days: int32(uint32(w)), Nanoseconds: words[2*i+1]})
			} else {
				o.AppendNull()
			}
		}
	}
}

// appendWords sets the values and then takes out the nulls, as there are few of them.
func appendWords[T column.Value](o *column.Fixed[T], words []int64, valid []bool, value func(int64) T) {
	o.Resize(len(words))
	for i, w := range words {
		o.Values[i] = value(w)
	}
	for i, ok := range valid {
		if !ok {
			if o.Valid == nil {
				o.Valid = column.NewBitmap(len(words), true)
			}
			o.Valid.Clear(i)
		}
	}
}
