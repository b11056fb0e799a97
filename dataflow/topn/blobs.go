package topn

import "encoding/binary"

// blobs keeps byte strings one behind the other. A place is a number above 0; 0 stands for none.
type blobs struct {
	arena   []byte
	garbage int
}

// put keeps a copy of p.
func (b *blobs) put(p []byte) int64 {
	b.arena = append(binary.LittleEndian.AppendUint32(b.arena, uint32(len(p))), p...)
	return int64(len(b.arena) - len(p))
}

// at is what is at a place, until the next change.
func (b *blobs) at(place int64) []byte {
	n := int64(binary.LittleEndian.Uint32(b.arena[place-4:]))
	return b.arena[place : place+n : place+n]
}

// free forgets what is at a place.
func (b *blobs) free(place int64) {
	if place > 0 {
		b.garbage += 4 + len(b.at(place))
	}
}

// wasteful reports whether more than half of a large arena is of what was freed.
func (b *blobs) wasteful() bool { return len(b.arena) > 1<<16 && 2*b.garbage > len(b.arena) }

// fresh is an empty one with room for what is not freed, and for as much again.
func (b *blobs) fresh() blobs { return blobs{arena: make([]byte, 0, 2*(len(b.arena)-b.garbage))} }

func (b *blobs) size() int64 { return int64(cap(b.arena)) }
