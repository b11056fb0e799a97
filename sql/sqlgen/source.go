package sqlgen

import "math/rand/v2"

// source draws. It belongs to one script.
type source struct{ r *rand.Rand }

// bytesSource draws from a text, so that a fuzzer can steer, and goes on by itself where it has ended.
type bytesSource struct {
	data []byte
	rest rand.PCG
}

// Uint64 implements rand.Source: the high bytes, which small draws are made from, come first.
func (b *bytesSource) Uint64() uint64 {
	v := b.rest.Uint64()
	if len(b.data) < 2 {
		return v
	}
	v = v>>16 | uint64(b.data[0])<<56 | uint64(b.data[1])<<48
	b.data = b.data[2:]
	return v
}

// n draws from 0 to below n.
func (s source) n(n int) int { return s.r.IntN(n) }

// in reports true one time in n.
func (s source) in(n int) bool { return s.r.IntN(n) == 0 }

// pick draws one of a list.
func pick[T any](s source, list []T) T { return list[s.n(len(list))] }

// weighted draws an index by weights.
func (s source) weighted(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := s.n(sum)
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return 0
}
