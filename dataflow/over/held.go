package over

import (
	"cmp"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/operator"
)

// held keeps rows until a watermark has passed them, and then gives them in the order of event times.
type held struct {
	schema *arrow.Schema
	blocks []*block
	spare  []*block
	// released are the rows that are to go, those before taken have gone; sorted, swapped and part are memory for them in
	// another order.
	released, sorted, swapped, part *column.Builder
	batch                           *column.Batch
	taken                           int
	pick                            []int32
	byTime                          []rowTime
}

// block is up to maxRows rows as they came.
type block struct {
	rows *column.Builder
	// left are those that have not gone, least is the earliest time of them.
	left  []int32
	least int64
}

type rowTime struct {
	time int64
	row  int32
}

func newHeld(schema *arrow.Schema) held {
	builder := func() *column.Builder { return column.NewBuilder(schema, false) }
	return held{schema: schema, released: builder(), sorted: builder(), swapped: builder(), part: builder()}
}

// add copies rows of a batch.
func (h *held) add(b *column.Batch, rows []int32) {
	for len(rows) > 0 {
		k := h.open()
		n := min(len(rows), maxRows-k.rows.Rows())
		for i, r := range rows[:n] {
			k.left = append(k.left, int32(k.rows.Rows()+i))
			k.least = min(k.least, b.Time[r])
		}
		k.rows.AppendSel(b, rows[:n])
		rows = rows[n:]
	}
}

// open gives the block that takes the next row.
func (h *held) open() *block {
	if n := len(h.blocks); n > 0 && h.blocks[n-1].rows.Rows() < maxRows {
		return h.blocks[n-1]
	}
	var k *block
	if n := len(h.spare); n > 0 {
		k, h.spare = h.spare[n-1], h.spare[:n-1]
	} else {
		k = &block{rows: column.NewBuilder(h.schema, false)}
	}
	k.least = math.MaxInt64
	h.blocks = append(h.blocks, k)
	return k
}

// release sets the rows apart that a watermark has passed.
func (h *held) release(w int64) {
	h.released.Reset()
	kept := h.blocks[:0]
	for _, k := range h.blocks {
		if k.least < w || w == operator.EndOfTime {
			h.take(k, w)
		}
		if len(k.left) > 0 {
			kept = append(kept, k)
			continue
		}
		k.rows.Reset()
		h.spare = append(h.spare, k)
	}
	clear(h.blocks[len(kept):])
	h.blocks = kept
	h.batch, h.taken = h.released.Batch(), 0
	h.sort()
}

func (h *held) take(k *block, w int64) {
	b := k.rows.Batch()
	h.pick = h.pick[:0]
	left := k.left[:0]
	k.least = math.MaxInt64
	for _, r := range k.left {
		if t := b.Time[r]; t < w || w == operator.EndOfTime {
			h.pick = append(h.pick, r)
		} else {
			left = append(left, r)
			k.least = min(k.least, t)
		}
	}
	k.left = left
	if len(h.pick) > 0 {
		h.released.AppendSel(b, h.pick)
	}
}

// sort brings the released rows into the order of their times; those of one time stay as they came.
func (h *held) sort() {
	times := h.batch.Time
	if slices.IsSorted(times) {
		return
	}
	h.byTime = h.byTime[:0]
	for i, t := range times {
		h.byTime = append(h.byTime, rowTime{t, int32(i)})
	}
	slices.SortFunc(h.byTime, func(a, b rowTime) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.row, b.row)) })
	h.pick = h.pick[:0]
	for _, x := range h.byTime {
		h.pick = append(h.pick, x.row)
	}
	h.sorted.Reset()
	h.sorted.AppendSel(h.batch, h.pick)
	h.batch = h.sorted.Batch()
}

// next gives the next of the released rows, about maxRows of them but all of one time, or nil.
func (h *held) next() *column.Batch {
	n, from := h.batch.N, h.taken
	if from == n {
		return nil
	}
	to := min(from+maxRows, n)
	for to < n && h.batch.Time[to] == h.batch.Time[to-1] {
		to++
	}
	h.taken = to
	if from == 0 && to == n {
		return h.batch
	}
	h.pick = h.pick[:0]
	for r := from; r < to; r++ {
		h.pick = append(h.pick, int32(r))
	}
	h.part.Reset()
	h.part.AppendSel(h.batch, h.pick)
	return h.part.Batch()
}

// permute gives the rows of a batch that next gave in another order.
func (h *held) permute(b *column.Batch, order []int32) *column.Batch {
	h.swapped.Reset()
	h.swapped.AppendSel(b, order)
	return h.swapped.Batch()
}

// each calls f with the rows that are held, a block at a time.
func (h *held) each(f func(b *column.Batch, rows []int32)) {
	for _, k := range h.blocks {
		f(k.rows.Batch(), k.left)
	}
}

func (h *held) size() int64 {
	n := 0
	for _, k := range h.blocks {
		n += k.rows.Batch().Size()
	}
	return int64(n)
}
