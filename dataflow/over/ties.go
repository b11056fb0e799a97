package over

import (
	"bytes"
	"cmp"
	"slices"

	"wadi/dataflow/column"
	"wadi/dataflow/ordered"
)

// ties finds the order of rows of one partition and event time: that of the query, then that of their whole values.
type ties struct {
	key *ordered.Key
	// alike are the rows of one time by partition.
	alike  []tie
	perm   []int32
	places []int32
	arena  []byte
}

// tie is a row with its encoding in the arena, of which the key comes first.
type tie struct {
	slot, row      int32
	from, key, end int
}

func newTies(key *ordered.Key) ties { return ties{key: key} }

// order writes into first, which it returns, which rows differ by the order from the row before in the partition, once
// every row is at its place. Rows are in the order of their times, slots are their partitions. The order is nil if every
// row is at its place already.
func (t *ties) order(b *column.Batch, slots []int32, first []bool) (firsts []bool, order []int32) {
	first = sized(first, b.N)
	for i := range first {
		first[i] = true
	}
	t.perm = t.perm[:0]
	moved := false
	for from := 0; from < b.N; {
		to := from + 1
		for to < b.N && b.Time[to] == b.Time[from] {
			to++
		}
		if to > from+1 {
			for len(t.perm) < b.N {
				t.perm = append(t.perm, int32(len(t.perm)))
			}
			moved = t.run(b, slots, first, from, to) || moved
		}
		from = to
	}
	if !moved {
		return first, nil
	}
	return first, t.perm
}

// run orders the rows of one time and reports whether any has moved.
func (t *ties) run(b *column.Batch, slots []int32, first []bool, from, to int) bool {
	t.alike = t.alike[:0]
	for r := from; r < to; r++ {
		t.alike = append(t.alike, tie{slot: slots[r], row: int32(r)})
	}
	slices.SortFunc(t.alike, func(a, b tie) int { return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.row, b.row)) })
	moved := false
	for len(t.alike) > 0 {
		n := 1
		for n < len(t.alike) && t.alike[n].slot == t.alike[0].slot {
			n++
		}
		if n > 1 {
			moved = t.partition(b, first, t.alike[:n]) || moved
		}
		t.alike = t.alike[n:]
	}
	return moved
}

// partition orders rows of one partition and time.
func (t *ties) partition(b *column.Batch, first []bool, rows []tie) bool {
	t.arena, t.places = t.arena[:0], t.places[:0]
	for i := range rows {
		x := &rows[i]
		t.places = append(t.places, x.row)
		x.from = len(t.arena)
		t.arena = t.key.Append(t.arena, b.Cols, b.Time[x.row], int(x.row))
		x.key = len(t.arena)
		t.arena = ordered.AppendRow(t.arena, b.Cols, int(x.row))
		x.end = len(t.arena)
	}
	slices.SortStableFunc(rows, func(x, y tie) int { return bytes.Compare(t.arena[x.from:x.end], t.arena[y.from:y.end]) })
	moved := false
	for i, x := range rows {
		place := t.places[i]
		t.perm[place] = x.row
		moved = moved || x.row != place
		if i > 0 && bytes.Equal(t.arena[x.from:x.key], t.arena[rows[i-1].from:rows[i-1].key]) {
			first[place] = false
		}
	}
	return moved
}
