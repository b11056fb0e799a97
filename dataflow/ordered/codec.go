package ordered

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// Rows are kept in the row encoding of package state, but for floats, whose bits stay as they are: a row that goes out
// again is the row that came in.

// AppendRow appends the encoding of row i to buf.
func AppendRow(buf []byte, cols []column.Vector, i int) []byte {
	for _, v := range cols {
		switch c := v.(type) {
		case *column.Fixed[int64]:
			if c.Valid != nil && !c.Valid.Get(i) {
				buf = append(buf, 0)
				continue
			}
			buf = binary.LittleEndian.AppendUint64(append(buf, 1), uint64(c.Values[i]))
		case *column.Fixed[float64]:
			buf = appendFloat(buf, c.Valid.IsValid(i), c.Values[i])
		case *column.Fixed[float32]:
			buf = appendFloat(buf, c.Valid.IsValid(i), float64(c.Values[i]))
		default:
			buf = state.AppendValue(buf, v, i)
		}
	}
	return buf
}

func appendFloat(buf []byte, valid bool, f float64) []byte {
	if !valid {
		return append(buf, 0)
	}
	if f != f { // all NaNs are one
		f = math.NaN()
	}
	return binary.LittleEndian.AppendUint64(append(buf, 1), math.Float64bits(f))
}

// TakeRow appends the values of a row to one appender per column; false if data is no encoding of such a row.
func TakeRow(data []byte, out []column.Appender) bool {
	ok := true
	for _, o := range out {
		if data, ok = state.TakeValue(data, o); !ok {
			return false
		}
	}
	return len(data) == 0
}

// Skip gives what follows the first value, of this type, in an encoding that TakeRow takes.
func Skip(data []byte, dt arrow.DataType) []byte {
	if data[0] == 0 {
		return data[1:]
	}
	data = data[1:]
	if e, ok := dt.(arrow.ExtensionType); ok {
		dt = e.StorageType()
	}
	switch t := dt.(type) {
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType, *arrow.BinaryType, *arrow.FixedSizeBinaryType:
		n, k := binary.Uvarint(data)
		return data[k+int(n):]
	case *arrow.StructType:
		for _, f := range t.Fields() {
			data = Skip(data, f.Type)
		}
		return data
	case *arrow.Decimal128Type, *arrow.MonthDayNanoIntervalType:
		return data[16:]
	case arrow.ListLikeType:
		n, k := binary.Uvarint(data)
		data = data[k:]
		for range n {
			data = Skip(data, t.Elem())
		}
		return data
	}
	return data[8:]
}
