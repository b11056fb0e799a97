package multimap

import (
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// Loader fills an empty map from checkpoints.
type Loader struct {
	m      *Map
	form   *form
	hash   func(r *Rows, n int)
	shift  int64
	loaded map[number]loaded
	cols   []column.Appender
	rows   Rows
	fresh  []int32
	ids    []int32
}

// number identifies a row: its routing hash and sequence number.
type number struct {
	route uint64
	seq   int64
}

type loaded struct {
	id    int32
	stamp int64
}

// Load begins a restore. hash fills in the hashes of rows of which it is given columns, times and routes. shift is
// added to the times at which rows were touched: what has passed since the snapshot does not count.
func (m *Map) Load(shift int64, hash func(r *Rows, n int)) *Loader {
	l := &Loader{m: m, form: newForm(m.config.Types), hash: hash, shift: shift, loaded: map[number]loaded{}}
	for _, dt := range m.config.Types {
		l.cols = append(l.cols, column.NewAppender(dt))
	}
	return l
}

// Chunk takes over the rows of a chunk; newer chunks come after older ones.
func (l *Loader) Chunk(c *state.Chunk) error {
	if err := l.check(c); err != nil {
		return err
	}
	l.fresh = l.fresh[:0]
	for i := range c.Rows() {
		n := number{c.Hash[i], c.Words[seqWord][i]}
		old, known := l.loaded[n]
		switch {
		case c.Deleted != nil && c.Deleted[i]:
			if known {
				l.m.unlinkOne(old.id)
				delete(l.loaded, n)
			}
		case known:
			l.update(old.id, c, i)
			l.loaded[n] = loaded{old.id, c.Time[i]}
		case c.Words[kindWord][i] == wholeRow:
			l.fresh = append(l.fresh, int32(i))
		}
	}
	return l.insert(c)
}

func (l *Loader) check(c *state.Chunk) error {
	n := len(c.Hash)
	ok := len(c.Time) == n && (c.Deleted == nil || len(c.Deleted) == n) &&
		len(c.Words) == l.form.words && len(c.Bytes) == l.form.bytes
	for _, w := range c.Words {
		ok = ok && len(w) == n
	}
	for _, b := range c.Bytes {
		ok = ok && b.Len() == n
	}
	if !ok {
		return fault.Internalf("stored rows of a join do not have the shape that this operator writes").
			WithHint("start the pipeline from an empty state directory")
	}
	return nil
}

// insert adds the rows that are new.
func (l *Loader) insert(c *state.Chunk) error {
	for len(l.fresh) > 0 {
		rows := l.fresh[:min(len(l.fresh), chunkRows)]
		l.fresh = l.fresh[len(rows):]
		l.rows = Rows{Cols: l.rows.Cols[:0], Times: l.rows.Times[:0], Routes: l.rows.Routes[:0]}
		for _, col := range l.cols {
			col.Reset()
			l.rows.Cols = append(l.rows.Cols, col)
		}
		if err := l.form.take(c, rows, l.cols); err != nil {
			return err
		}
		for _, r := range rows {
			l.rows.Times = append(l.rows.Times, c.Words[timeWord][r])
			l.rows.Routes = append(l.rows.Routes, c.Hash[r])
		}
		l.hash(&l.rows, len(rows))
		l.place(c, rows)
	}
	return nil
}

func (l *Loader) place(c *state.Chunk, rows []int32) {
	all := column.AllRows(nil, len(rows))
	for from := 0; from < len(rows); {
		bucket := l.bucket(c, rows[from])
		to := from + 1
		for to < len(rows) && l.bucket(c, rows[to]) == bucket {
			to++
		}
		l.ids = l.m.Insert(&l.rows, all[from:to], bucket, l.ids[:0])
		for j, id := range l.ids {
			r := int(rows[from+j])
			seq := c.Words[seqWord][r]
			l.m.at(id).seq = seq
			l.m.next = max(l.m.next, seq+1)
			l.update(id, c, r)
			l.loaded[number{c.Hash[r], seq}] = loaded{id, c.Time[r]}
		}
		from = to
	}
}

func (l *Loader) bucket(c *state.Chunk, r int32) uint32 { return l.m.Bucket(c.Time[r] + l.shift) }

// update takes over what may have changed of a row.
func (l *Loader) update(id int32, c *state.Chunk, r int) {
	ch, to := l.m.chunks[id>>shift], l.m.at(id)
	to.matches = int32(c.Words[matchesWord][r])
	if l.m.config.Grain > 0 {
		to.touched = l.bucket(c, int32(r))
	}
	to.time = c.Words[timeWord][r]
	ch.latest = max(ch.latest, to.time)
	if l.m.config.Distinct {
		ch.counts[id&mask] = int32(c.Words[countWord][r])
	}
}

// Done ends a restore: it removes the rows that had expired when they were saved, those before cutoff(routing hash).
func (l *Loader) Done(cutoff func(route uint64) int64) {
	for n, row := range l.loaded {
		if row.stamp < cutoff(n.route) {
			l.m.unlinkOne(row.id)
		}
	}
	l.loaded = nil
}
