package oracle_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// value is a value of either engine, in a form in which they compare. The kinds are 0 null, 'n' exact number, 'f' float,
// 's' text, 'b' boolean, 't' moment (nanoseconds since the epoch or since midnight), 'x' bytes in hex, 'l' list and 'e'
// error.
type value struct {
	kind byte
	text string
	list []value
}

func failed(err error) value { return value{kind: 'e', text: err.Error()} }

// UnmarshalJSON reads what driver.py writes: null or [kind, text].
func (v *value) UnmarshalJSON(b []byte) error {
	*v = value{}
	if string(b) == "null" {
		return nil
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	var kind string
	if err := json.Unmarshal(parts[0], &kind); err != nil {
		return err
	}
	v.kind = kind[0]
	if v.kind == 'l' {
		return json.Unmarshal(parts[1], &v.list)
	}
	return json.Unmarshal(parts[1], &v.text)
}

// String shows a value in messages.
func (v value) String() string {
	switch v.kind {
	case 0:
		return "NULL"
	case 'e':
		return "error: " + v.text
	case 's':
		return strconv.QuoteToASCII(v.text)
	case 'l':
		return fmt.Sprint(v.list)
	}
	return string(v.kind) + ":" + v.text
}

// equal compares exact numbers exactly and floats with a relative error of tolerance.
func (v value) equal(w value, tolerance float64) bool {
	if v.number() && w.number() {
		return equalNumbers(v, w, tolerance)
	}
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case 0, 'e':
		return true
	case 'l':
		if len(v.list) != len(w.list) {
			return false
		}
		for i := range v.list {
			if !v.list[i].equal(w.list[i], tolerance) {
				return false
			}
		}
		return true
	}
	return v.text == w.text
}

func (v value) number() bool { return v.kind == 'n' || v.kind == 'f' }

func equalNumbers(v, w value, tolerance float64) bool {
	if v.kind == 'n' && w.kind == 'n' {
		a, ok1 := new(big.Rat).SetString(v.text)
		b, ok2 := new(big.Rat).SetString(w.text)
		return ok1 && ok2 && a.Cmp(b) == 0
	}
	a, b := v.float(), w.float()
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) && math.IsNaN(b)
	}
	return a == b || math.Abs(a-b) <= tolerance*max(math.Abs(a), math.Abs(b))
}

func (v value) float() float64 {
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil && !math.IsInf(f, 0) {
		panic("oracle: no number: " + v.text)
	}
	return f
}

// valueAt gives row r of one of our columns.
func valueAt(c column.Vector, r int) value {
	if !c.Validity().IsValid(r) {
		return value{}
	}
	switch c := c.(type) {
	case *column.Bool:
		return value{kind: 'b', text: strconv.FormatBool(c.Bits.Get(r))}
	case *column.Bytes:
		if c.Type().ID() == arrow.STRING {
			return value{kind: 's', text: string(c.At(r))}
		}
		return value{kind: 'x', text: hex.EncodeToString(c.At(r))}
	case *column.List:
		v := value{kind: 'l', list: []value{}}
		for e := c.Offsets[r]; e < c.Offsets[r+1]; e++ {
			v.list = append(v.list, valueAt(c.Elem, int(e)))
		}
		return v
	case *column.Fixed[int8]:
		return whole(c.Values[r])
	case *column.Fixed[int16]:
		return whole(c.Values[r])
	case *column.Fixed[int32]:
		return moment(c.Type(), int64(c.Values[r]))
	case *column.Fixed[int64]:
		return moment(c.Type(), c.Values[r])
	case *column.Fixed[uint8]:
		return whole(c.Values[r])
	case *column.Fixed[uint16]:
		return whole(c.Values[r])
	case *column.Fixed[uint32]:
		return whole(c.Values[r])
	case *column.Fixed[uint64]:
		return whole(c.Values[r])
	case *column.Fixed[float32]:
		return value{kind: 'f', text: strconv.FormatFloat(float64(c.Values[r]), 'g', -1, 64)}
	case *column.Fixed[float64]:
		return value{kind: 'f', text: strconv.FormatFloat(c.Values[r], 'g', -1, 64)}
	case *column.Fixed[decimal128.Num]:
		return value{kind: 'n', text: c.Values[r].ToString(c.Type().(*arrow.Decimal128Type).Scale)}
	}
	panic(fmt.Sprintf("oracle: no value for %s", c.Type()))
}

func whole[T int8 | int16 | uint8 | uint16 | uint32 | uint64](n T) value {
	return value{kind: 'n', text: fmt.Sprint(n)}
}

// moment gives an integer, or a date or time in nanoseconds.
func moment(dt arrow.DataType, n int64) value {
	unit := new(big.Int)
	switch t := dt.(type) {
	case *arrow.Date32Type:
		unit.SetInt64(86400e9)
	case *arrow.TimestampType:
		unit.SetInt64(int64(t.Unit.Multiplier()))
	case *arrow.Time64Type:
		unit.SetInt64(int64(t.Unit.Multiplier()))
	case *arrow.Time32Type:
		unit.SetInt64(int64(t.Unit.Multiplier()))
	default:
		return value{kind: 'n', text: strconv.FormatInt(n, 10)}
	}
	return value{kind: 't', text: unit.Mul(unit, big.NewInt(n)).String()}
}

func show(values []value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.String()
	}
	return strings.Join(parts, ", ")
}
