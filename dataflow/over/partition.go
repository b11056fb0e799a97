package over

import "wadi/dataflow/ordered"

// Words of a row beside those of the store.
const (
	// positionWord is the row's place in its partition from 1 on, 0 while it is pending.
	positionWord = iota
	// groupWord numbers the groups of rows that are equal by the order, from 1; peerWord is the position of the group's
	// first row.
	groupWord
	peerWord
	// pinsWord counts the functions that keep the row.
	pinsWord
	// valueWord is the value that range frames measure; classWord says where nulls stand: -1 first, 1 last, 0 no null.
	valueWord
	classWord
	rowWords
)

// partition is the rows of one key. Positions count from 1.
type partition struct {
	slot int32
	// rows are the rows at the positions base, base + 1, …; those before head have gone.
	rows []int32
	head int
	base int64
	// next is the position of the first row that is not out.
	next    int64
	frames  []cursor
	scans   []scan
	waiting bool
}

// cursor is the frame of the row that went out last: positions lo to hi − 1.
type cursor struct {
	lo, hi int64
	// group is the slot of the partition's accumulators, -1 if it has none yet.
	group int32
}

// scan is what a function that looks at all rows from the first one on remembers of them: those before position at,
// count of which counted, and the rows that it keeps.
type scan struct {
	at, count int64
	pins      []int32
}

func (p *partition) end() int64                    { return p.base + int64(len(p.rows)-p.head) }
func (p *partition) row(at int64) int32            { return p.rows[p.head+int(at-p.base)] }
func (p *partition) has(at int64) bool             { return at >= p.base && at < p.end() }
func (o *over) word(id int32, w int) int64         { return o.rows.Own(id)[w] }
func (o *over) group(p *partition, at int64) int64 { return o.word(p.row(at), groupWord) }

func (o *over) newPartition(slot int32) *partition {
	p := &partition{slot: slot, base: 1, next: 1, frames: make([]cursor, len(o.frames)), scans: make([]scan, len(o.calls))}
	for i := range p.frames {
		p.frames[i] = cursor{1, 1, -1}
	}
	for i := range p.scans {
		p.scans[i].at = 1
	}
	return p
}

// join adds a row behind all others.
func (o *over) join(p *partition, id int32) {
	at := p.end()
	group, peer := int64(1), at
	if p.has(at - 1) {
		before := p.row(at - 1)
		group, peer = o.word(before, groupWord), o.word(before, peerWord)
		if !o.rows.SameKeys(before, id) {
			group, peer = group+1, at
		}
	}
	own := o.rows.Own(id)
	own[positionWord], own[groupWord], own[peerWord] = at, group, peer
	o.rows.Mark(id)
	p.rows = append(p.rows, id)
}

// trim drops the rows that no later row needs.
func (o *over) trim(p *partition) {
	need := p.next - 1 // the row that the next one is compared with
	for i, f := range o.frames {
		if f.bounded {
			need = min(need, p.frames[i].lo)
		} else {
			need = min(need, p.frames[i].hi-1)
		}
	}
	for i := range o.calls {
		c := &o.calls[i]
		switch {
		case c.kind == lag && !c.IgnoreNulls:
			need = min(need, p.next-c.n)
		case c.scans:
			need = min(need, p.scans[i].at)
		}
	}
	for p.base < need && p.base < p.end() {
		id := p.rows[p.head]
		p.head++
		p.base++
		if o.word(id, pinsWord) == 0 {
			o.rows.Free(id, !o.spec.PerTime)
		}
	}
	if p.head > 16 && p.head > len(p.rows)/2 {
		p.rows = p.rows[:copy(p.rows, p.rows[p.head:])]
		p.head = 0
	}
}

// pin keeps a row for a function.
func (o *over) pin(id int32) int32 {
	o.rows.Own(id)[pinsWord]++
	return id
}

// unpin frees a row that nobody needs any more.
func (o *over) unpin(p *partition, id int32) {
	own := o.rows.Own(id)
	if own[pinsWord]--; own[pinsWord] == 0 && own[positionWord] < p.base {
		o.rows.Free(id, !o.spec.PerTime)
	}
}

// drop frees all rows of a partition that is over.
func (o *over) drop(p *partition) {
	for _, s := range p.scans {
		for _, id := range s.pins {
			o.unpin(p, id)
		}
	}
	for _, id := range p.rows[p.head:] {
		o.rows.Free(id, false)
	}
}

// pending is a heap of rows by event time.
type pending struct {
	rows *ordered.Rows
	ids  []int32
}

func (h *pending) push(id int32) {
	h.ids = append(h.ids, id)
	i := len(h.ids) - 1
	for i > 0 && h.rows.Time(h.ids[i]) < h.rows.Time(h.ids[(i-1)/2]) {
		h.ids[i], h.ids[(i-1)/2] = h.ids[(i-1)/2], h.ids[i]
		i = (i - 1) / 2
	}
}

func (h *pending) pop() int32 {
	top := h.ids[0]
	n := len(h.ids) - 1
	h.ids[0] = h.ids[n]
	h.ids = h.ids[:n]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < n; c++ {
			if h.rows.Time(h.ids[c]) < h.rows.Time(h.ids[least]) {
				least = c
			}
		}
		if least == i {
			return top
		}
		h.ids[i], h.ids[least] = h.ids[least], h.ids[i]
		i = least
	}
}
