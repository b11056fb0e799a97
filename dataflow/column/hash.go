package column

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// HashVersion names the routing hash. State on disk is sharded by it, so the function is frozen: a change of any value
// that it gives needs a new version and a migration. The manifest records it.
const HashVersion = 1

// Constants of the routing hash: the golden ratio and the odd constants of the wyhash family
// (https://github.com/wangyi-fudan/wyhash), used as fixed seeds.
const (
	hashSeed = 0x9e3779b97f4a7c15
	hashK0   = 0xa0761d6478bd642f
	hashK1   = 0xe7037ed1a0b428db
	hashK2   = 0x8ebc6af09c88c6e3
	hashNull = 0x589965cc75374cc3
)

func mum(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// HashWord extends the hash h by one 64-bit word.
func HashWord(h, v uint64) uint64 { return mum(h^v^hashK0, v+hashK1) ^ bits.RotateLeft64(h, 23) }

// HashBytes extends the hash h by a byte string.
func HashBytes(h uint64, p []byte) uint64 {
	n := uint64(len(p))
	h ^= hashK2
	for len(p) > 16 {
		h = mum(binary.LittleEndian.Uint64(p)^hashK0^h, binary.LittleEndian.Uint64(p[8:])^hashK1)
		p = p[16:]
	}
	var a, b uint64
	switch {
	case len(p) >= 8:
		a = binary.LittleEndian.Uint64(p)
		b = binary.LittleEndian.Uint64(p[len(p)-8:])
	case len(p) >= 4:
		a = uint64(binary.LittleEndian.Uint32(p))
		b = uint64(binary.LittleEndian.Uint32(p[len(p)-4:]))
	case len(p) > 0:
		a = uint64(p[0])<<16 | uint64(p[len(p)>>1])<<8 | uint64(p[len(p)-1])
	}
	return mum(hashK1^n, mum(a^hashK1, b^h))
}

// HashSeed is the hash of a key before its first column, and so the hash of the empty key.
const HashSeed uint64 = hashSeed

// HashColumns writes the routing hash of every row's key into dst[row] for the rows sel (all n rows when nil) and returns
// dst grown to n. Equal values of different integer widths hash alike, as do 0.0 and -0.0 and all NaNs; null is a value
// of its own. An empty key hashes to HashSeed.
func HashColumns(dst []uint64, cols []Vector, n int, sel []int32) []uint64 {
	if cap(dst) < n {
		dst = make([]uint64, n, n+n/4)
	}
	dst = dst[:n]
	for i := range dst {
		dst[i] = hashSeed
	}
	for _, c := range cols {
		hashColumn(dst, c, sel)
	}
	return dst
}

func hashColumn(dst []uint64, v Vector, sel []int32) {
	switch c := v.(type) {
	case *Fixed[int64]:
		hashWords(dst, c.Values, c.Valid, sel)
	case *Fixed[int32]:
		hashWords(dst, c.Values, c.Valid, sel)
	case *Fixed[int16]:
		hashWords(dst, c.Values, c.Valid, sel)
	case *Fixed[int8]:
		hashWords(dst, c.Values, c.Valid, sel)
	case *Fixed[uint64]:
		hashWords(dst, c.Values, c.Valid, sel)
	case *Fixed[uint32]:
		hashWords(dst, c.Values, c.Valid, sel)
	case *Fixed[uint16]:
		hashWords(dst, c.Values, c.Valid, sel)
	case *Fixed[uint8]:
		hashWords(dst, c.Values, c.Valid, sel)
	case *Bytes:
		hashBytes(dst, c, sel)
	case *Const:
		one := [1]uint64{}
		for i := range dst {
			one[0] = dst[i]
			hashColumn(one[:], c.Value, nil)
			dst[i] = one[0]
		}
	default:
		eachRow(len(dst), sel, func(i int) { dst[i] = hashRow(dst[i], v, i) })
	}
}

func hashWords[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](dst []uint64, vals []T, valid Bitmap, sel []int32) {
	if valid == nil && sel == nil {
		vals = vals[:len(dst)]
		for i, v := range vals {
			dst[i] = HashWord(dst[i], uint64(v))
		}
		return
	}
	if valid == nil {
		for _, r := range sel {
			dst[r] = HashWord(dst[r], uint64(vals[r]))
		}
		return
	}
	eachRow(len(dst), sel, func(i int) {
		if !valid.IsValid(i) {
			dst[i] = HashWord(dst[i], hashNull)
			return
		}
		dst[i] = HashWord(dst[i], uint64(vals[i]))
	})
}

func hashBytes(dst []uint64, c *Bytes, sel []int32) {
	switch {
	case c.Valid != nil:
		eachRow(len(dst), sel, func(i int) {
			if !c.Valid.IsValid(i) {
				dst[i] = HashWord(dst[i], hashNull)
				return
			}
			dst[i] = HashBytes(dst[i], c.At(i))
		})
	case sel == nil:
		for i := range dst {
			dst[i] = HashBytes(dst[i], c.At(i))
		}
	default:
		for _, r := range sel {
			dst[r] = HashBytes(dst[r], c.At(int(r)))
		}
	}
}

func eachRow(n int, sel []int32, f func(i int)) {
	if sel == nil {
		for i := range n {
			f(i)
		}
		return
	}
	for _, r := range sel {
		f(int(r))
	}
}

// FloatBits gives the bits that stand for f as a key: 0.0 and -0.0 are one key, and so are all NaNs.
func FloatBits(f float64) uint64 {
	if f == 0 {
		return 0
	}
	if f != f {
		return 0x7ff8000000000001
	}
	return math.Float64bits(f)
}

// hashRow hashes one value of the rarer types, nested ones included.
func hashRow(h uint64, v Vector, i int) uint64 {
	if !v.Validity().IsValid(i) {
		return HashWord(h, hashNull)
	}
	switch c := v.(type) {
	case *Bool:
		if c.Bits.Get(i) {
			return HashWord(h, 1)
		}
		return HashWord(h, 0)
	case *Fixed[float64]:
		return HashWord(h, FloatBits(c.Values[i]))
	case *Fixed[float32]:
		return HashWord(h, FloatBits(float64(c.Values[i])))
	case *Fixed[decimal128.Num]:
		return HashWord(HashWord(h, c.Values[i].LowBits()), uint64(c.Values[i].HighBits()))
	case *Fixed[arrow.MonthDayNanoInterval]:
		x := c.Values[i]
		return HashWord(HashWord(HashWord(h, uint64(x.Months)), uint64(x.Days)), uint64(x.Nanoseconds))
	case *Struct:
		for _, m := range c.Children {
			h = hashNested(h, m, i)
		}
		return h
	case *List:
		from, to := int(c.Offsets[i]), int(c.Offsets[i+1])
		h = HashWord(h, uint64(to-from))
		for e := from; e < to; e++ {
			h = hashNested(h, c.Elem, e)
		}
		return h
	}
	panic("column: cannot hash type " + v.Type().String())
}

func hashNested(h uint64, v Vector, i int) uint64 {
	if !v.Validity().IsValid(i) {
		return HashWord(h, hashNull)
	}
	switch c := v.(type) {
	case *Fixed[int64]:
		return HashWord(h, uint64(c.Values[i]))
	case *Fixed[int32]:
		return HashWord(h, uint64(c.Values[i]))
	case *Fixed[int16]:
		return HashWord(h, uint64(c.Values[i]))
	case *Fixed[int8]:
		return HashWord(h, uint64(c.Values[i]))
	case *Fixed[uint64]:
		return HashWord(h, c.Values[i])
	case *Fixed[uint32]:
		return HashWord(h, uint64(c.Values[i]))
	case *Fixed[uint16]:
		return HashWord(h, uint64(c.Values[i]))
	case *Fixed[uint8]:
		return HashWord(h, uint64(c.Values[i]))
	case *Bytes:
		return HashBytes(h, c.At(i))
	}
	return hashRow(h, v, i)
}
