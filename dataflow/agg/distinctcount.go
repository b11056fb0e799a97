package agg

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

func resolveApproxDistinct(args []arrow.DataType) (Resolved, bool) {
	r, ok := resolveAny(args)
	r.Type, r.Nullable = arrow.PrimitiveTypes.Int64, false
	return r, ok
}

// compileApproxDistinct counts exactly where rows may be retracted, since a sketch forgets what it would need for that.
func compileApproxDistinct(c *Call, retract bool) accumulator {
	if retract {
		return newDistinct(c, compileCount(c, true))
	}
	return &sketch{arg: c.Args[0]}
}

// sketch is approx_distinct: up to sparseHashes distinct values their hashes, beyond that the registers of HyperLogLog
// (Flajolet, Fusy, Gandouet and Meunier, 2007) with linear counting for the lower range. What is kept and the estimate
// depend on the set of values alone. Words as those of bytesExtreme.
type sketch struct {
	arg    int
	cols   []column.Vector
	hashes []uint64
	buf    []byte
}

const (
	// sketchBits is the number of bits of a hash that choose a register: 2^14 of them give an error of 0.8 %.
	sketchBits   = 14
	registers    = 1 << sketchBits
	sparseHashes = 256
)

func (a *sketch) words() int       { return 2 }
func (a *sketch) invertible() bool { return false }
func (a *sketch) newSide() side    { return &sketchHeap{} }

// sketchHeap checks what it loads; the length tells hashes and registers apart.
type sketchHeap struct{ heap }

func (h *sketchHeap) load(slot int32, w []int64, data []byte) bool {
	if len(data) != registers && (len(data)%8 != 0 || len(data) > 8*sparseHashes) {
		return false
	}
	return h.heap.load(slot, w, data)
}

func (a *sketch) update(s states, in *input) error {
	v := in.cols[a.arg]
	a.cols = append(a.cols[:0], v)
	a.hashes = column.HashColumns(a.hashes, a.cols, v.Len(), in.rows)
	h := &s.side.(*sketchHeap).heap
	valid := v.Validity()
	for j, r := range in.rows {
		if valid.IsValid(int(r)) {
			// The routing hash has chosen the subtask, so it is mixed once more.
			a.add(h, s.w[int(in.slots[j])*s.stride:], column.HashWord(column.HashSeed, a.hashes[r]))
		}
	}
	h.collect(s)
	return nil
}

func (a *sketch) add(h *heap, w []int64, hash uint64) {
	var old []byte
	if w[1] != 0 {
		old = h.at(w)
	}
	if len(old) == registers {
		setRegister(old, hash)
		return
	}
	n := len(old) / 8
	at, found := searchHash(old, hash)
	if found {
		return
	}
	if n == sparseHashes {
		a.buf = append(a.buf[:0], make([]byte, registers)...)
		for i := range n {
			setRegister(a.buf, binary.BigEndian.Uint64(old[8*i:]))
		}
		setRegister(a.buf, hash)
	} else {
		a.buf = append(a.buf[:0], old[:8*at]...)
		a.buf = binary.BigEndian.AppendUint64(a.buf, hash)
		a.buf = append(a.buf, old[8*at:]...)
	}
	h.set(w, a.buf)
}

// searchHash finds a hash among sorted ones.
func searchHash(sorted []byte, hash uint64) (at int, found bool) {
	low, high := 0, len(sorted)/8
	for low < high {
		mid := (low + high) / 2
		if binary.BigEndian.Uint64(sorted[8*mid:]) < hash {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(sorted)/8 && binary.BigEndian.Uint64(sorted[8*low:]) == hash
}

func setRegister(regs []byte, hash uint64) {
	i := hash >> (64 - sketchBits)
	rank := byte(bits.LeadingZeros64(hash<<sketchBits|1<<(sketchBits-1)) + 1)
	regs[i] = max(regs[i], rank)
}

func (a *sketch) merge(s states, to []int32, src states, from []int32, _ int64) error {
	h, other := &s.side.(*sketchHeap).heap, &src.side.(*sketchHeap).heap
	for i, t := range to {
		x := src.w[int(from[i])*src.stride:]
		if x[1] == 0 {
			continue
		}
		w, data := s.w[int(t)*s.stride:], other.at(x)
		if len(data) < registers {
			for k := 0; k < len(data); k += 8 {
				a.add(h, w, binary.BigEndian.Uint64(data[k:]))
			}
			continue
		}
		a.buf = append(a.buf[:0], data...)
		if w[1] != 0 {
			mergeRegisters(a.buf, h.at(w))
		}
		h.set(w, a.buf)
	}
	h.collect(s)
	return nil
}

// mergeRegisters adds another state to registers.
func mergeRegisters(regs, other []byte) {
	if len(other) == registers {
		for i, r := range other {
			regs[i] = max(regs[i], r)
		}
		return
	}
	for k := 0; k < len(other); k += 8 {
		setRegister(regs, binary.BigEndian.Uint64(other[k:]))
	}
}

func (a *sketch) result(s states, slots []int32, out column.Appender) error {
	o, h := out.(*column.Fixed[int64]), &s.side.(*sketchHeap).heap
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		switch {
		case w[1] == 0:
			o.Append(0)
		case w[1]-1 < registers:
			o.Append((w[1] - 1) / 8)
		default:
			o.Append(estimate(h.at(w)))
		}
	}
	return nil
}

func estimate(regs []byte) int64 {
	const m = float64(registers)
	sum, zeros := 0.0, 0
	for _, r := range regs {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && zeros > 0 {
		e = m * math.Log(m/float64(zeros))
	}
	return int64(math.Round(e))
}
