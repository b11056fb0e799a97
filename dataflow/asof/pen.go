package asof

import (
	"cmp"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// pen holds the rows of one side until the watermark passes them: columns in chunks, in the order in which the rows came,
// and a queue by event time. A row's number is its chunk's times chunkRows plus its place there.
type pen struct {
	schema   *arrow.Schema
	updating bool
	// chunks are those from number base on; one whose rows have all gone is nil. Only the last may have room.
	chunks []*chunk
	base   int64
	spare  *chunk
	queue  queue
	// live counts the rows that wait, kept the rows of all chunks.
	live, kept int
	// saved is above the numbers of the rows in earlier snapshots.
	saved int64
	inc   state.Incremental

	places []int32
}

type chunk struct {
	rows   *column.Builder
	hashes []uint64
	live   int
}

const (
	chunkShift = 13
	chunkRows  = 1 << chunkShift
)

// hold adds rows of a batch, given the hashes of all of its rows.
func (p *pen) hold(b *column.Batch, rows []int32, hashes []uint64) {
	if p.kept > 2*p.live+4*chunkRows {
		p.compact()
	}
	all := len(rows) == b.N
	for len(rows) > 0 {
		c, number := p.last()
		n := min(len(rows), chunkRows-c.rows.Rows())
		part := rows[:n]
		if all && n == b.N {
			c.rows.AppendSel(b, nil)
			c.hashes = append(c.hashes, hashes[:n]...)
		} else {
			c.rows.AppendSel(b, part)
			for _, r := range part {
				c.hashes = append(c.hashes, hashes[r])
			}
		}
		for _, r := range part {
			p.queue.push(entry{b.Time[r], number})
			number++
		}
		c.live += n
		p.live += n
		p.kept += n
		rows = rows[n:]
	}
}

// last is the chunk for the next row, and its number.
func (p *pen) last() (*chunk, int64) {
	if n := len(p.chunks); n > 0 {
		if c := p.chunks[n-1]; c != nil && c.rows.Rows() < chunkRows {
			return c, (p.base+int64(n)-1)<<chunkShift + int64(c.rows.Rows())
		}
	}
	c := p.spare
	if p.spare = nil; c == nil {
		c = &chunk{rows: column.NewBuilder(p.schema, p.updating)}
	}
	p.chunks = append(p.chunks, c)
	return c, (p.base + int64(len(p.chunks)) - 1) << chunkShift
}

// next is the number after that of the last row.
func (p *pen) next() int64 {
	n := len(p.chunks)
	if n > 0 && p.chunks[n-1] != nil {
		return (p.base+int64(n)-1)<<chunkShift + int64(p.chunks[n-1].rows.Rows())
	}
	return (p.base + int64(n)) << chunkShift
}

// take moves rows, which are no longer in the queue, to the end of a batch, and their hashes to that of hashes.
func (p *pen) take(due []entry, to *column.Builder, hashes []uint64) []uint64 {
	for len(due) > 0 {
		at := due[0].row >> chunkShift
		c := p.chunks[at-p.base]
		p.places = p.places[:0]
		for _, e := range due {
			if e.row>>chunkShift != at {
				break
			}
			p.places = append(p.places, int32(e.row&(chunkRows-1)))
		}
		n := len(p.places)
		to.AppendSel(c.rows.Batch(), p.places)
		for _, i := range p.places {
			hashes = append(hashes, c.hashes[i])
		}
		due = due[n:]
		p.live -= n
		if c.live -= n; c.live == 0 {
			p.drop(at)
		}
	}
	return hashes
}

// drop forgets a chunk whose rows have all gone.
func (p *pen) drop(at int64) {
	c := p.chunks[at-p.base]
	p.chunks[at-p.base] = nil
	p.kept -= c.rows.Rows()
	c.rows.Reset()
	c.hashes = c.hashes[:0]
	p.spare = c
	n := 0
	for n < len(p.chunks) && p.chunks[n] == nil {
		n++
	}
	p.chunks = slices.Delete(p.chunks, 0, n)
	p.base += int64(n)
}

// compact moves the rows that wait together, when most of those around them have gone.
func (p *pen) compact() {
	all := p.queue.all(nil)
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.row, b.row) })
	old := pen{chunks: p.chunks, base: p.base}
	p.base, p.chunks = p.base+int64(len(p.chunks)), nil
	p.live, p.kept = 0, 0
	p.queue.reset()
	b := column.NewBuilder(p.schema, p.updating)
	var hashes []uint64
	unsaved := 0
	for len(all) > 0 {
		n := min(len(all), chunkRows)
		b.Reset()
		hashes = old.take(all[:n], b, hashes[:0])
		p.hold(b.Batch(), column.AllRows(nil, n), hashes)
		for _, e := range all[:n] {
			if e.row >= p.saved {
				unsaved++
			}
		}
		all = all[n:]
	}
	p.saved = p.next() - int64(unsaved)
}

// changeWord is the word of a row in a chunk of state.
const (
	changeWord = iota
	penWords
)

func newChunk() *state.Chunk {
	return &state.Chunk{Words: make([][]int64, penWords), Bytes: []*column.Bytes{column.NewBytes(arrow.BinaryTypes.Binary)}}
}

// save writes the rows that have come since the last time, or all, to a keyed table whose times are the event times. Those
// that have gone since they were saved are known by the watermark.
func (p *pen) save(w state.Writer, table string, progress *ordered.Progress) {
	c := p.append(newChunk(), p.saved, progress)
	base := p.inc.Base(p.live, c.Rows())
	if base && c.Rows() < p.live {
		c = p.append(newChunk(), 0, progress)
	}
	p.saved = p.next()
	if base || c.Rows() > 0 {
		w.Keyed(table, base, c)
	}
	w.Expire(table, progress.Watermark)
}

// append adds the rows from a number on.
func (p *pen) append(to *state.Chunk, from int64, progress *ordered.Progress) *state.Chunk {
	var buf []byte
	for k, c := range p.chunks {
		first := (p.base + int64(k)) << chunkShift
		if c == nil || first+chunkRows <= from {
			continue
		}
		b := c.rows.Batch()
		for i := int(max(0, from-first)); i < b.N; i++ {
			if progress.Passed(c.hashes[i], b.Time[i]) {
				continue
			}
			change := column.Insert
			if b.Change != nil {
				change = b.Change[i]
			}
			buf = ordered.AppendRow(buf[:0], b.Cols, i)
			to.Hash, to.Time = append(to.Hash, c.hashes[i]), append(to.Time, b.Time[i])
			to.Words[changeWord] = append(to.Words[changeWord], int64(change))
			to.Bytes[0].Append(buf)
		}
	}
	return to
}

// load reads back the rows whose hashes lie in keys and that the watermark has not passed.
func (p *pen) load(r state.Reader, table string, keys column.KeyRange, progress *ordered.Progress) error {
	b := column.NewBuilder(p.schema, p.updating)
	cols := make([]column.Appender, p.schema.NumFields())
	for i := range cols {
		cols[i] = b.Column(i)
	}
	var rows []int32
	return r.Keyed(table, keys, func(c *state.Chunk) error {
		n := len(c.Hash)
		if len(c.Time) != n || c.Deleted != nil || len(c.Words) != penWords || len(c.Words[0]) != n || len(c.Bytes) != 1 || c.Bytes[0].Len() != n {
			return fault.Internalf("stored state does not have the shape that this operator writes").
				WithHint("start the pipeline from an empty state directory")
		}
		b.Reset()
		rows = rows[:0]
		for i := range n {
			if !ordered.TakeRow(c.Bytes[0].At(i), cols) {
				return fault.Internalf("stored state holds a row that cannot be decoded").
					WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
			}
			b.AppendTime(c.Time[i], column.Change(c.Words[changeWord][i]))
			if !progress.Passed(c.Hash[i], c.Time[i]) {
				rows = append(rows, int32(i))
			}
		}
		p.hold(b.Batch(), rows, c.Hash)
		return nil
	})
}

func (p *pen) size() int64 {
	n := p.queue.size()
	for _, c := range p.chunks {
		if c != nil {
			n += int64(c.rows.Batch().Size() + 8*len(c.hashes))
		}
	}
	return n
}
