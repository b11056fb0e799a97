package join

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
	"wadi/dataflow/state/multimap"
)

// consolidator sums up the changes of equal rows of a batch, so that an insertion and a retraction of one row vanish.
type consolidator struct {
	// entries hold a row plus one, at the place of its hash; 0 is empty.
	entries []int32
	// net is, at the place of the first of equal rows, what the batch changes their number by.
	net []int32
	// first is, per row that counts, the first that is equal to it.
	first []int32
	// retracts and inserts are the rows whose number shrinks and grows, each once, in the order of the batch.
	retracts, inserts []int32
}

// run fills in net, retracts and inserts for the rows that count of a batch whose columns and their hashes are in r.
func (c *consolidator) run(r *multimap.Rows, b *column.Batch, rows []int32) {
	c.compare(r, rows)
	if cap(c.net) < b.N {
		c.net = make([]int32, b.N+b.N/4)
	}
	c.net = c.net[:b.N]
	for _, row := range rows {
		c.net[row] = 0
	}
	for i := range rows {
		k := int32(1)
		if b.Change != nil {
			k = int32(b.Change[rows[i]])
		}
		c.net[c.first[i]] += k
	}
	c.retracts, c.inserts = c.retracts[:0], c.inserts[:0]
	for i, row := range rows {
		switch {
		case c.first[i] != row:
		case c.net[row] < 0:
			c.retracts = append(c.retracts, row)
		case c.net[row] > 0:
			c.inserts = append(c.inserts, row)
		}
	}
}

// distinct fills in inserts for rows that are all insertions.
func (c *consolidator) distinct(r *multimap.Rows, rows []int32) {
	c.compare(r, rows)
	c.inserts = c.inserts[:0]
	for i, row := range rows {
		if c.first[i] == row {
			c.inserts = append(c.inserts, row)
		}
	}
}

// compare fills in first.
func (c *consolidator) compare(r *multimap.Rows, rows []int32) {
	c.find(r.RowHashes, rows)
	if !c.verify(r.Cols, rows) {
		c.findEncoded(r.Cols, rows)
	}
}

// find takes rows with equal hashes for equal.
func (c *consolidator) find(hashes []uint64, rows []int32) {
	size := 16
	for size < 2*len(rows) {
		size *= 2
	}
	if cap(c.entries) < size {
		c.entries = make([]int32, size)
	}
	entries := c.entries[:size]
	clear(entries)
	c.first = c.first[:0]
	mask := uint64(size - 1)
	for _, row := range rows {
		h := hashes[row]
		p := h & mask
		for entries[p] != 0 && hashes[entries[p]-1] != h {
			p = (p + 1) & mask
		}
		if entries[p] == 0 {
			entries[p] = row + 1
		}
		c.first = append(c.first, entries[p]-1)
	}
}

// verify reports whether rows that were taken for equal are.
func (c *consolidator) verify(cols []column.Vector, rows []int32) bool {
	for _, v := range cols {
		if !equalRows(v, rows, c.first) {
			return false
		}
	}
	return true
}

// findEncoded compares rows whole, for batches in which different rows have one hash.
func (c *consolidator) findEncoded(cols []column.Vector, rows []int32) {
	c.first = c.first[:0]
	seen := make(map[string]int32, len(rows))
	var buf []byte
	for _, row := range rows {
		buf = buf[:0]
		for _, v := range cols {
			buf = state.AppendValue(buf, v, int(row))
		}
		if _, ok := seen[string(buf)]; !ok {
			seen[string(buf)] = row
		}
		c.first = append(c.first, seen[string(buf)])
	}
}

// equalRows reports whether rows x[i] and y[i] of v hold the same for every i.
func equalRows(v column.Vector, x, y []int32) bool {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		return equalFixed(c, x, y)
	case *column.Fixed[int32]:
		return equalFixed(c, x, y)
	case *column.Fixed[uint64]:
		return equalFixed(c, x, y)
	case *column.Fixed[float64]:
		return equalFixed(c, x, y)
	case *column.Fixed[decimal128.Num]:
		return equalFixed(c, x, y)
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		return equalFixed(c, x, y)
	case *column.Bytes:
		for i, a := range x {
			if b := y[i]; a != b && (c.Valid.IsValid(int(a)) != c.Valid.IsValid(int(b)) || c.Str(int(a)) != c.Str(int(b))) {
				return false
			}
		}
		return true
	}
	var p, q []byte
	for i, a := range x {
		if a == y[i] {
			continue
		}
		p, q = state.AppendValue(p[:0], v, int(a)), state.AppendValue(q[:0], v, int(y[i]))
		if string(p) != string(q) {
			return false
		}
	}
	return true
}

func equalFixed[T interface {
	comparable
	column.Value
}](c *column.Fixed[T], x, y []int32) bool {
	for i, a := range x {
		b := y[i]
		if a == b {
			continue
		}
		va, vb := c.Valid.IsValid(int(a)), c.Valid.IsValid(int(b))
		p, q := c.Values[a], c.Values[b]
		if va != vb || va && p != q && (p == p || q == q) {
			return false
		}
	}
	return true
}
