package session

import (
	"math"

	"wadi/dataflow/column"
)

// add finds or makes the session of a row of the batch at hand, whose key has this slot in the index, and adds the row.
func (a *aggregate) add(r, key int32) error {
	p := &a.pending
	slot, err := a.place(r, key, p.batch.Time[r])
	if err != nil || slot < 0 {
		return err
	}
	p.slots, p.rows = append(p.slots, slot), append(p.rows, r)
	a.own(slot)[rowsWord]++
	return nil
}

// place gives the session for a row at time t, extended to hold it; -1 if the row is late. It walks over the sessions of
// the key from the newest one on.
func (a *aggregate) place(r, key int32, t int64) (int32, error) {
	newer, s := int32(0), a.head(key)
	for s != 0 {
		own := a.own(s - 1)
		if t > own[lastWord] && distance(own[lastWord], t) >= a.gap {
			break
		}
		if t >= own[startWord] {
			own[lastWord] = max(own[lastWord], t)
			return s - 1, nil
		}
		_, older := links(own)
		if distance(t, own[startWord]) < a.gap {
			own[startWord] = t
			if older != 0 && distance(a.own(older - 1)[lastWord], t) < a.gap {
				return a.bridge(s-1, older-1)
			}
			return s - 1, nil
		}
		newer, s = s, older
	}
	if a.late(t, a.hashes[r]) {
		a.metrics.LateRows.Add(1)
		if newer == 0 && s == 0 {
			a.empty = append(a.empty, key)
		}
		return -1, nil
	}
	return a.open(r, key, t, newer, s), nil
}

// late reports whether the session that a row of its own would make has ended.
func (a *aggregate) late(t int64, hash uint64) bool {
	w := a.watermark
	for _, p := range a.ahead {
		if p.keys.Contains(hash) {
			w = max(w, p.watermark)
		}
	}
	return w != math.MinInt64 && addTime(t, a.spec.Gap) <= w
}

// distance is from a to b, which is not before it.
func distance(a, b int64) uint64 { return uint64(b) - uint64(a) }

// addTime adds without going beyond the end of time; d is positive.
func addTime(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

func (a *aggregate) end(own []int64) int64 { return addTime(own[lastWord], a.spec.Gap) }

// open makes a session between two others of its key, given as slots + 1.
func (a *aggregate) open(r, key int32, t int64, newer, older int32) int32 {
	f := &a.fresh
	n := a.pending.batch.N
	f.ids.Resize(n)
	if cap(f.hashes) < n {
		f.hashes = make([]uint64, n+n/4)
	}
	f.hashes = f.hashes[:n]
	f.ids.Values[r] = a.nextID
	f.hashes[r] = column.HashWord(a.hashes[r], uint64(a.nextID))
	f.keys = append(append(f.keys[:0], a.keys...), f.ids)
	f.row[0] = r
	f.slot = a.groups.Table.FindOrInsert(f.hashes, f.keys, n, f.row[:], f.slot)
	slot := f.slot[0]
	own := a.own(slot)
	own[startWord], own[lastWord] = t, t
	own[hashWord], own[idWord], own[keyWord] = int64(a.hashes[r]), a.nextID, int64(key)
	a.nextID++
	a.link(slot, newer, older)
	a.timers.add(slot, a.end(own), a)
	return slot
}

// bridge merges two neighbours, the smaller one into the other, and gives the one that is left.
func (a *aggregate) bridge(newer, older int32) (int32, error) {
	if err := a.flush(); err != nil {
		return 0, err
	}
	keep, gone := newer, older
	if a.own(older)[rowsWord] > a.own(newer)[rowsWord] {
		keep, gone = older, newer
	}
	into, from := a.own(keep), a.own(gone)
	into[rowsWord] += from[rowsWord]
	into[startWord] = min(into[startWord], from[startWord])
	into[lastWord] = max(into[lastWord], from[lastWord])
	if err := a.groups.Merge([]int32{keep}, a.groups, []int32{gone}); err != nil {
		return 0, err
	}
	a.remove(gone)
	return keep, nil
}

// remove deletes a session.
func (a *aggregate) remove(slot int32) {
	own := a.own(slot)
	newer, older := links(own)
	key := int32(own[keyWord])
	if newer != 0 {
		n := a.own(newer - 1)
		n[linksWord] = pack(first(n[linksWord]), older)
	} else {
		a.setHead(key, older)
		if older == 0 {
			a.empty = append(a.empty, key)
		}
	}
	if older != 0 {
		o := a.own(older - 1)
		o[linksWord] = pack(newer, second(o[linksWord]))
	}
	a.groups.Delete(slot)
}

// link puts a session between its neighbours.
func (a *aggregate) link(slot, newer, older int32) {
	own := a.own(slot)
	own[linksWord] = pack(newer, older)
	if newer != 0 {
		n := a.own(newer - 1)
		n[linksWord] = pack(first(n[linksWord]), slot+1)
	} else {
		a.setHead(int32(own[keyWord]), slot+1)
	}
	if older != 0 {
		o := a.own(older - 1)
		o[linksWord] = pack(slot+1, second(o[linksWord]))
	}
}

// links gives the next newer and the next older session.
func links(own []int64) (newer, older int32) { return first(own[linksWord]), second(own[linksWord]) }

func first(l int64) int32  { return int32(l) }
func second(l int64) int32 { return int32(l >> 32) }

func pack(first, second int32) int64 { return int64(second)<<32 | int64(uint32(first)) }

func (a *aggregate) head(key int32) int32 {
	w, stride := a.index.Values()
	return int32(w[int(key)*stride])
}

func (a *aggregate) setHead(key, head int32) {
	w, stride := a.index.Values()
	w[int(key)*stride] = int64(head)
}

// dropEmpty removes keys without sessions from the index.
func (a *aggregate) dropEmpty() {
	for _, key := range a.empty {
		if a.index.Alive(key) && a.head(key) == 0 {
			a.index.Delete(key)
		}
	}
	a.empty = a.empty[:0]
}
