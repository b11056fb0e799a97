package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// fromMoment converts dates and timestamps to each other and to integers, which count the type's unit.
func (k caster) fromMoment() kernel {
	if isDate(k.from) {
		switch {
		case isTimestamp(k.to):
			perDay := dayNanos / unitOf(k.to)
			return castRows(k, func(v int32) (int64, bool) { return checked(opMultiply, int64(v), perDay) })
		case k.to.ID() == arrow.INT32:
			return convertAll[int32, int32](k)
		case k.to.ID() == arrow.INT64:
			return convertAll[int32, int64](k)
		}
		return nil
	}
	from := unitOf(k.from)
	switch {
	case isDate(k.to):
		perDay := dayNanos / from
		return castRows(k, func(v int64) (int32, bool) {
			d := floorDiv(v, perDay)
			return int32(d), int64(int32(d)) == d
		})
	case isTimestamp(k.to):
		return k.changeUnit(from, unitOf(k.to))
	case k.to.ID() == arrow.INT64:
		return convertAll[int64, int64](k)
	}
	return nil
}

// changeUnit converts timestamps between units; what a coarser unit cannot hold is cut off towards the past.
func (k caster) changeUnit(from, to int64) kernel {
	switch {
	case from == to:
		return k.reinterpret()
	case from > to:
		factor := from / to
		return castRows(k, func(v int64) (int64, bool) { return checked(opMultiply, v, factor) })
	}
	factor := to / from
	return castRows(k, func(v int64) (int64, bool) { return floorDiv(v, factor), true })
}

// reinterpret gives the same values under another type.
func (k caster) reinterpret() kernel {
	out := &column.Fixed[int64]{}
	return func(c *call) (column.Vector, error) {
		in := c.args[0].(*column.Fixed[int64])
		*out = column.Fixed[int64]{DataType: k.to, Values: in.Values, Valid: in.Valid}
		return out, nil
	}
}

// toMoment converts integers, which count the type's unit.
func (k caster) toMoment() kernel {
	if isDate(k.to) {
		switch k.from.ID() {
		case arrow.INT32:
			return convertAll[int32, int32](k)
		case arrow.INT64:
			return integerToInteger[int64, int32](k)
		}
		return nil
	}
	switch k.from.ID() {
	case arrow.INT8:
		return convertAll[int8, int64](k)
	case arrow.INT16:
		return convertAll[int16, int64](k)
	case arrow.INT32:
		return convertAll[int32, int64](k)
	case arrow.INT64:
		return convertAll[int64, int64](k)
	case arrow.UINT8:
		return convertAll[uint8, int64](k)
	case arrow.UINT16:
		return convertAll[uint16, int64](k)
	case arrow.UINT32:
		return convertAll[uint32, int64](k)
	case arrow.UINT64:
		return integerToInteger[uint64, int64](k)
	}
	return nil
}

// timeOfDay converts timestamps to the time of day, and times to and from integers, which count nanoseconds.
func (k caster) timeOfDay() kernel {
	switch {
	case isTimestamp(k.from):
		unit := unitOf(k.from)
		return castRows(k, func(v int64) (int64, bool) { return floorMod(v, dayNanos/unit) * unit, true })
	case k.to.ID() == arrow.INT64:
		return convertAll[int64, int64](k)
	case k.from.ID() == arrow.INT64:
		return castRows(k, func(v int64) (int64, bool) { return v, v >= 0 && v < dayNanos })
	}
	return nil
}
