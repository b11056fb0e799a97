package over

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
	// valueWord and, for decimals, lowWord are what range frames measure; classWord says where a row stands that they cannot
	// measure, 0 for the others.
	valueWord
	lowWord
	classWord
	rowWords
)

// partition is rows of one key in order. Positions count from 1.
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

func (p *partition) end() int64         { return p.base + int64(len(p.rows)-p.head) }
func (p *partition) row(at int64) int32 { return p.rows[p.head+int(at-p.base)] }
func (p *partition) has(at int64) bool  { return at >= p.base && at < p.end() }

func (e *evaluator) word(id int32, w int) int64         { return e.rows.Own(id)[w] }
func (e *evaluator) group(p *partition, at int64) int64 { return e.word(p.row(at), groupWord) }

func (e *evaluator) newPartition(slot int32) *partition {
	p := &partition{slot: slot, base: 1, next: 1, frames: make([]cursor, len(e.frames)), scans: make([]scan, len(e.calls))}
	for i := range p.frames {
		p.frames[i] = cursor{1, 1, -1}
	}
	for i := range p.scans {
		p.scans[i].at = 1
	}
	return p
}

// join adds a row behind all others.
func (e *evaluator) join(p *partition, id int32) {
	at := p.end()
	group, peer := int64(1), at
	if p.has(at - 1) {
		before := p.row(at - 1)
		group, peer = e.word(before, groupWord), e.word(before, peerWord)
		if !e.rows.SameKeys(before, id) {
			group, peer = group+1, at
		}
	}
	own := e.rows.Own(id)
	own[positionWord], own[groupWord], own[peerWord] = at, group, peer
	p.rows = append(p.rows, id)
}

// pin keeps a row for a function.
func (e *evaluator) pin(id int32) int32 {
	e.rows.Own(id)[pinsWord]++
	return id
}

// unpin frees a row that nobody needs any more.
func (e *evaluator) unpin(p *partition, id int32) {
	own := e.rows.Own(id)
	if own[pinsWord]--; own[pinsWord] == 0 && own[positionWord] < p.base && !e.spec.Updating {
		e.rows.Free(id, !e.spec.PerTime)
	}
}
