package topn

import "encoding/binary"

// blobs keeps byte strings one behind the other. What it gives for one is above 0, and says how long it is as well, so that
// nothing is read when it is freed; 0 stands for none.
type blobs struct {
	arena   []byte
	garbage int
	// sink keeps warm from being nothing.
	sink byte
}

// A number for a byte string is its place above its length, or above all ones if that is longer, and stands in front of it.
const (
	lengthBits = 24
	longest    = 1<<lengthBits - 1
)

// put keeps a copy of p.
func (b *blobs) put(p []byte) int64 {
	b.arena = append(binary.LittleEndian.AppendUint32(b.arena, uint32(len(p))), p...)
	return int64(len(b.arena)-len(p))<<lengthBits | int64(min(len(p), longest))
}

// at is the byte string of this number, until the next change.
func (b *blobs) at(n int64) []byte {
	from, size := n>>lengthBits, b.length(n)
	return b.arena[from : from+size : from+size]
}

func (b *blobs) length(n int64) int64 {
	if size := n & longest; size < longest {
		return size
	}
	return int64(binary.LittleEndian.Uint32(b.arena[n>>lengthBits-4:]))
}

// free forgets the byte string of this number.
func (b *blobs) free(n int64) {
	if n > 0 {
		b.garbage += 4 + int(b.length(n))
	}
}

// warm reads byte strings that are about to be used one by one, so that the misses of the cache overlap: those whose numbers
// stand in words from the first on, at this stride. A few hundred are read at a time, or the first are gone again.
func (b *blobs) warm(words []int64, stride int) {
	sum := byte(0)
	for at := 0; at < len(words); at += stride {
		if n := words[at]; n&longest > 0 {
			from := n >> lengthBits
			sum += b.arena[from] + b.arena[from+(n&longest)-1]
		}
	}
	b.sink = sum
}

// wasteful reports whether more than half of a large arena is of what was freed.
func (b *blobs) wasteful() bool { return len(b.arena) > 1<<16 && 2*b.garbage > len(b.arena) }

// fresh is an empty one with room for what is not freed, and for as much again.
func (b *blobs) fresh() blobs { return blobs{arena: make([]byte, 0, 2*(len(b.arena)-b.garbage))} }

// move keeps a copy of a byte string of another, if it is one.
func (b *blobs) move(from *blobs, n int64) int64 {
	if n == 0 {
		return 0
	}
	return b.put(from.at(n))
}

func (b *blobs) size() int64 { return int64(cap(b.arena)) }
