package ordered

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// Rows keeps copies of rows. A row has a number from 0, which is given out again after Free, and words of its owner.
type Rows struct {
	schema *arrow.Schema
	key    *Key
	own    int
	stride int
	words  []int64
	slots  int
	live   int
	free   []int32
	// arena holds, per row, the key and the encoded row; garbage counts bytes of freed rows in it.
	arena   []byte
	garbage int
	// uids number the rows in the order in which they came; dirty are rows changed since the last snapshot.
	uids   int64
	dirty  []int32
	graves graves
	inc    state.Incremental

	// Of the row encoded last: see Encode.
	scratch []byte
	// sink keeps Warm from being nothing.
	sink int64
}

// Words of a row in front of its owner's.
const (
	hashWord = iota
	uidWord
	timeWord
	prefixWord
	refWord
	keyWord  // length of the key
	sizeWord // length of key and row; -1 if the slot is free
	roomWord // bytes of the arena that the slot has
	flagWord
	ownWord
)

const (
	flagDirty = 1 << iota
	flagSaved
)

// NewRows makes an empty store for rows of this schema, with own words for its owner.
func NewRows(schema *arrow.Schema, key *Key, own int) *Rows {
	return &Rows{schema: schema, key: key, own: own, stride: ownWord + own}
}

// Key is the order of the rows.
func (s *Rows) Key() *Key { return s.key }

// Warm reads rows that are about to be used one by one, so that the misses of the cache overlap: a few hundred at a time, or
// the first are gone from the nearest cache again. Rows may have been freed.
func (s *Rows) Warm(ids []int32) {
	sum := int64(0)
	for _, id := range ids {
		w := s.words[int(id)*s.stride : int(id+1)*s.stride]
		for i := 0; i < len(w); i += lineWords {
			sum += w[i]
		}
		sum += w[len(w)-1]
	}
	for _, id := range ids {
		w := s.words[int(id)*s.stride:]
		if ref, room := w[refWord], w[roomWord]; room > 0 {
			sum += int64(s.arena[ref]) + int64(s.arena[ref+room-1])
		}
	}
	s.sink = sum
}

// lineWords is the number of words in a line of the cache.
const lineWords = 8

// WarmFree is Warm for the rows whose memory the next n that are put will have.
func (s *Rows) WarmFree(n int) { s.Warm(s.free[max(0, len(s.free)-n):]) }

// Encoded is a row outside of the store: its key, then the row. It is valid until the next Encode.
type Encoded struct {
	Prefix uint64
	Bytes  []byte
	// Key is the length of the key.
	Key int
}

// Encode gives row i of a batch with this prefix, which Key.Prefixes gave, in the form in which it is kept.
func (s *Rows) Encode(b *column.Batch, i int, prefix uint64) Encoded {
	buf := s.key.Append(s.scratch[:0], b.Cols, b.Time[i], i)
	n := len(buf)
	s.scratch = AppendRow(buf, b.Cols, i)
	return Encoded{prefix, s.scratch, n}
}

// Put copies a row into the store and returns its number. hash is its routing hash. Its owner's words are zeros.
func (s *Rows) Put(hash uint64, time int64, e Encoded) int32 {
	var id int32
	if n := len(s.free); n > 0 {
		id = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		id = int32(s.slots)
		s.slots++
		if len(s.words)+s.stride > cap(s.words) {
			grown := make([]int64, len(s.words), max(2*cap(s.words), 16*s.stride))
			copy(grown, s.words)
			s.words = grown
		}
		s.words = s.words[:len(s.words)+s.stride]
		s.words[int(id)*s.stride+roomWord] = 0
	}
	w := s.words[int(id)*s.stride : int(id+1)*s.stride]
	ref, room := w[refWord], w[roomWord]
	clear(w)
	if size := int64(len(e.Bytes)); size <= room {
		copy(s.arena[ref:], e.Bytes)
		s.garbage -= int(room)
	} else {
		if len(s.arena)+len(e.Bytes) > cap(s.arena) && 2*s.garbage > len(s.arena) {
			s.compact()
		}
		ref, room = int64(len(s.arena)), size
		s.arena = append(s.arena, e.Bytes...)
	}
	w[hashWord], w[uidWord], w[timeWord], w[prefixWord] = int64(hash), s.uids, time, int64(e.Prefix)
	w[refWord], w[roomWord], w[keyWord], w[sizeWord] = ref, room, int64(e.Key), int64(len(e.Bytes))
	s.uids++
	s.live++
	s.Mark(id)
	return id
}

// Free drops a row. With bury, the next snapshot says that it has gone; without, the owner's Expire will.
func (s *Rows) Free(id int32, bury bool) {
	w := s.words[int(id)*s.stride:]
	if bury && w[flagWord]&flagSaved != 0 {
		s.graves.add(w, s.live)
	}
	s.garbage += int(w[roomWord])
	w[sizeWord], w[flagWord] = -1, 0
	s.free = append(s.free, id)
	s.live--
	// Room is given to the next rows, so it is only rewritten when nearly all of a large arena is free.
	if len(s.arena) > 1<<22 && s.garbage > len(s.arena)/8*7 {
		s.compact()
	}
}

func (s *Rows) compact() {
	fresh := make([]byte, 0, len(s.arena)-s.garbage+len(s.arena)/4)
	for at := 0; at < len(s.words); at += s.stride {
		w := s.words[at:]
		if w[sizeWord] < 0 {
			w[roomWord] = 0
			continue
		}
		ref, n := w[refWord], w[sizeWord]
		w[refWord], w[roomWord] = int64(len(fresh)), n
		fresh = append(fresh, s.arena[ref:ref+n]...)
	}
	s.arena, s.garbage = fresh, 0
}

// Mark notes that a row's words or time have changed.
func (s *Rows) Mark(id int32) {
	if f := &s.words[int(id)*s.stride+flagWord]; *f&flagDirty == 0 {
		if len(s.dirty) > 4096+2*s.slots {
			s.tidy()
		}
		*f |= flagDirty
		s.dirty = append(s.dirty, id)
	}
}

// tidy lists the dirty rows anew, since rows that come and go between two snapshots are in the list more than once.
func (s *Rows) tidy() {
	s.dirty = s.dirty[:0]
	for id := range int32(s.slots) {
		if s.words[int(id)*s.stride+flagWord]&flagDirty != 0 {
			s.dirty = append(s.dirty, id)
		}
	}
}

// Alive reports whether a number that was given out stands for a row.
func (s *Rows) Alive(id int32) bool { return s.words[int(id)*s.stride+sizeWord] >= 0 }

// Each calls f for every row, in the order of their numbers; f must not change which rows there are.
func (s *Rows) Each(f func(id int32)) {
	for id := range int32(s.slots) {
		if s.Alive(id) {
			f(id)
		}
	}
}

// Len is the number of rows.
func (s *Rows) Len() int { return s.live }

// Own is the owner's words of a row, valid until the next Put.
func (s *Rows) Own(id int32) []int64 {
	at := int(id)*s.stride + ownWord
	return s.words[at : at+s.own : at+s.own]
}

// Hash is the routing hash of a row.
func (s *Rows) Hash(id int32) uint64 { return uint64(s.words[int(id)*s.stride+hashWord]) }

// Age orders rows by when they were put.
func (s *Rows) Age(id int32) int64 { return s.words[int(id)*s.stride+uidWord] }

// Time is the event time of a row.
func (s *Rows) Time(id int32) int64 { return s.words[int(id)*s.stride+timeWord] }

// SetTime changes the event time of a row whose key does not begin with it.
func (s *Rows) SetTime(id int32, t int64) {
	s.words[int(id)*s.stride+timeWord] = t
	s.Mark(id)
}

// Prefix is the row's prefix.
func (s *Rows) Prefix(id int32) uint64 { return uint64(s.words[int(id)*s.stride+prefixWord]) }

func (s *Rows) blob(id int32) (p []byte, key int) {
	w := s.words[int(id)*s.stride:]
	ref := w[refWord]
	return s.arena[ref : ref+w[sizeWord]], int(w[keyWord])
}

// Row is the encoded row, for Skip and TakeValue, borrowed until the next Put or Free.
func (s *Rows) Row(id int32) []byte {
	p, key := s.blob(id)
	return p[key:]
}

// Compare compares an encoded row with one of the store: by the key, then by the row.
func (s *Rows) Compare(e Encoded, id int32) int {
	if p := s.Prefix(id); e.Prefix != p {
		if e.Prefix < p {
			return -1
		}
		return 1
	}
	p, _ := s.blob(id)
	return bytes.Compare(e.Bytes, p)
}

// CompareRows compares two rows of the store.
func (s *Rows) CompareRows(a, b int32) int {
	if p, q := s.Prefix(a), s.Prefix(b); p != q {
		if p < q {
			return -1
		}
		return 1
	}
	p, _ := s.blob(a)
	q, _ := s.blob(b)
	return bytes.Compare(p, q)
}

// CompareKey compares a key with that of a row of the store.
func (s *Rows) CompareKey(key []byte, id int32) int {
	p, n := s.blob(id)
	return bytes.Compare(key, p[:n])
}

// SameKey reports whether an encoded row and one of the store are equal by the order.
func (s *Rows) SameKey(e Encoded, id int32) bool {
	p, key := s.blob(id)
	return bytes.Equal(e.Bytes[:e.Key], p[:key])
}

// SameKeys reports whether two rows of the store are equal by the order.
func (s *Rows) SameKeys(a, b int32) bool {
	p, n := s.blob(a)
	q, m := s.blob(b)
	return bytes.Equal(p[:n], q[:m])
}

// Append appends a row's values to one appender per column of the schema.
func (s *Rows) Append(id int32, out []column.Appender) {
	if !TakeRow(s.Row(id), out) {
		panic("ordered: a row that was kept cannot be decoded")
	}
}

// Size is the memory behind the store in bytes.
func (s *Rows) Size() int64 {
	return int64(8*cap(s.words) + cap(s.arena) + 4*cap(s.free) + 4*cap(s.dirty) + 16*cap(s.graves.hash))
}
