package ordered

import "encoding/binary"

// blobs keeps byte strings one behind the other, each behind its length. What it gives for one is above 0, and says how much
// room there is as well, so that nothing is read when it is freed; 0 stands for none.
type blobs struct {
	arena   []byte
	garbage int
	// sink keeps warm from being nothing.
	sink byte
}

// A number for a byte string is its place above its room, or above all ones if that is larger.
const (
	roomBits = 24
	largest  = 1<<roomBits - 1
)

// put keeps a copy of p.
func (b *blobs) put(p []byte) int64 {
	b.arena = append(binary.LittleEndian.AppendUint32(b.arena, uint32(len(p))), p...)
	return int64(len(b.arena)-len(p))<<roomBits | int64(min(len(p), largest))
}

// replace keeps a copy of p for the byte string of this number, in its place if there is room.
func (b *blobs) replace(n int64, p []byte) int64 {
	room := n & largest
	if n == 0 || room == largest || room < int64(len(p)) {
		b.free(n)
		return b.put(p)
	}
	from := n >> roomBits
	binary.LittleEndian.PutUint32(b.arena[from-4:], uint32(len(p)))
	copy(b.arena[from:], p)
	return n
}

// at is the byte string of this number, until the next change.
func (b *blobs) at(n int64) []byte {
	from := n >> roomBits
	to := from + b.length(from)
	return b.arena[from:to:to]
}

func (b *blobs) length(from int64) int64 {
	return int64(binary.LittleEndian.Uint32(b.arena[from-4:]))
}

// free forgets the byte string of this number.
func (b *blobs) free(n int64) {
	room := n & largest
	if room == largest {
		room = b.length(n >> roomBits)
	}
	if n > 0 {
		b.garbage += 4 + int(room)
	}
}

// ahead is how many byte strings are read ahead: far more, and the first are gone from the cache again.
const ahead = 256

// warm reads byte strings that are about to be used one by one, so that the misses of the cache overlap: those whose numbers
// stand in words from the first on, at this stride.
func (b *blobs) warm(words []int64, stride int) {
	sum := byte(0)
	for at := 0; at < len(words); at += stride {
		if n := words[at]; n > 0 {
			from := n >> roomBits
			sum += b.arena[from-4] + b.arena[from-1+n&largest]
		}
	}
	b.sink = sum
}

// each calls f with byte strings whose numbers stand in words, at these places times stride.
func (b *blobs) each(words []int64, stride int, at []int32, f func(p []byte)) {
	var numbers [ahead]int64
	for len(at) > 0 {
		n := min(len(at), ahead)
		for i, a := range at[:n] {
			numbers[i] = words[int(a)*stride]
		}
		b.warm(numbers[:n], 1)
		for _, x := range numbers[:n] {
			f(b.at(x))
		}
		at = at[n:]
	}
}

// wasteful reports whether more than half of a large arena is of what was freed.
func (b *blobs) wasteful() bool { return len(b.arena) > 1<<16 && 2*b.garbage > len(b.arena) }

// fresh is an empty one with room for what is not freed, and for as much again.
func (b *blobs) fresh() blobs { return blobs{arena: make([]byte, 0, 2*(len(b.arena)-b.garbage))} }

// move keeps copies of byte strings of another, whose numbers stand in words from the first on, at this stride, and gives
// them new ones.
func (b *blobs) move(from *blobs, words []int64, stride int) {
	for len(words) > 0 {
		part := words[:min(len(words), ahead*stride)]
		from.warm(part, stride)
		for i := 0; i < len(part); i += stride {
			if n := part[i]; n > 0 {
				part[i] = b.put(from.at(n))
			}
		}
		words = words[len(part):]
	}
}

func (b *blobs) size() int64 { return int64(cap(b.arena)) }
