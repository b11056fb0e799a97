package column

// Integer gives row i of a column of integers, times, dates or timestamps as one word whose order as a signed integer is the
// order of the values: those of 64 bits without a sign are moved down by 2⁶³. The row is not null. It panics on other types.
func Integer(v Vector, i int) int64 {
	switch c := v.(type) {
	case *Fixed[int64]:
		return c.Values[i]
	case *Fixed[int32]:
		return int64(c.Values[i])
	case *Fixed[int16]:
		return int64(c.Values[i])
	case *Fixed[int8]:
		return int64(c.Values[i])
	case *Fixed[uint64]:
		return int64(c.Values[i] ^ 1<<63)
	case *Fixed[uint32]:
		return int64(c.Values[i])
	case *Fixed[uint16]:
		return int64(c.Values[i])
	case *Fixed[uint8]:
		return int64(c.Values[i])
	}
	panic("column: no integers in a column of type " + v.Type().String())
}
