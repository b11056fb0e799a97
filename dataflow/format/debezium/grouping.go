package debezium

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// group is the run of one logical row through a batch: its first and its last physical row, and how many there are.
type group struct {
	hash        uint64
	first, last int32
	rows        int32
	// next is the next group with the same place in the table, -1 for none.
	next int32
}

// grouping finds the groups of a batch. Its memory is reused from batch to batch.
type grouping struct {
	list   []group
	heads  []int32
	hashes []uint64
	key    []column.Vector
	// after is, per physical row, the next one of its group; -1 for the last.
	after []int32
	// before and now are what is left of one group (see settle).
	before, now []int32
}

// fill groups the rows sel of b by these key columns, in the order of first occurrence.
func (g *grouping) fill(b *column.Batch, key []int, sel []int32) {
	g.key = g.key[:0]
	for _, c := range key {
		g.key = append(g.key, b.Cols[c])
	}
	g.hashes = column.HashColumns(g.hashes, g.key, b.N, sel)
	size := 16
	for size < 2*len(sel) {
		size *= 2
	}
	if len(g.heads) < size {
		g.heads = make([]int32, size)
	}
	heads := g.heads[:size]
	for i := range heads {
		heads[i] = -1
	}
	g.list = g.list[:0]
	if cap(g.after) < b.N {
		g.after = make([]int32, b.N+b.N/4)
	}
	g.after = g.after[:b.N]
	for _, r := range sel {
		h := g.hashes[r]
		g.after[r] = -1
		slot := &heads[h&uint64(size-1)]
		if k := g.find(*slot, h, r); k >= 0 {
			o := &g.list[k]
			g.after[o.last] = r
			o.last, o.rows = r, o.rows+1
			continue
		}
		g.list = append(g.list, group{hash: h, first: r, last: r, rows: 1, next: *slot})
		*slot = int32(len(g.list) - 1)
	}
}

// settle finds what a group comes to: the rows that it takes back and those that it adds, without those that it does both to.
// There is at most one of each, unless changes of one logical row came from several subtasks and are not in their order.
func (g *grouping) settle(b *column.Batch, o group) {
	g.before, g.now = g.before[:0], g.now[:0]
	for r := o.first; r >= 0; r = g.after[r] {
		own, other := &g.now, &g.before
		if b.Change[r] == column.Retract {
			own, other = other, own
		}
		if i := g.equalRow(b, *other, r); i >= 0 {
			*other = append((*other)[:i], (*other)[i+1:]...)
			continue
		}
		*own = append(*own, r)
	}
}

// equalRow finds a row that is equal to r, the latest first; -1 if there is none.
func (g *grouping) equalRow(b *column.Batch, rows []int32, r int32) int {
	for i := len(rows) - 1; i >= 0; i-- {
		same := true
		for _, v := range b.Cols {
			if same = equal(v, int(rows[i]), int(r)); !same {
				break
			}
		}
		if same {
			return i
		}
	}
	return -1
}

func (g *grouping) find(k int32, h uint64, r int32) int32 {
	for ; k >= 0; k = g.list[k].next {
		if g.list[k].hash == h && g.same(g.list[k].first, r) {
			return k
		}
	}
	return -1
}

func (g *grouping) same(a, b int32) bool {
	for _, v := range g.key {
		if !equal(v, int(a), int(b)) {
			return false
		}
	}
	return true
}

// equal compares rows a and b of v as keys: nulls are equal to each other.
func equal(v column.Vector, a, b int) bool {
	if valid := v.Validity(); valid != nil {
		if va, vb := valid.Get(a), valid.Get(b); !va || !vb {
			return va == vb
		}
	}
	switch c := v.(type) {
	case *column.Bool:
		return c.Bits.Get(a) == c.Bits.Get(b)
	case *column.Fixed[int8]:
		return c.Values[a] == c.Values[b]
	case *column.Fixed[int16]:
		return c.Values[a] == c.Values[b]
	case *column.Fixed[int32]:
		return c.Values[a] == c.Values[b]
	case *column.Fixed[int64]:
		return c.Values[a] == c.Values[b]
	case *column.Fixed[uint8]:
		return c.Values[a] == c.Values[b]
	case *column.Fixed[uint16]:
		return c.Values[a] == c.Values[b]
	case *column.Fixed[uint32]:
		return c.Values[a] == c.Values[b]
	case *column.Fixed[uint64]:
		return c.Values[a] == c.Values[b]
	case *column.Fixed[float32]:
		return column.FloatBits(float64(c.Values[a])) == column.FloatBits(float64(c.Values[b]))
	case *column.Fixed[float64]:
		return column.FloatBits(c.Values[a]) == column.FloatBits(c.Values[b])
	case *column.Fixed[decimal128.Num]:
		return c.Values[a] == c.Values[b]
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		return c.Values[a] == c.Values[b]
	case *column.Bytes:
		return c.Str(a) == c.Str(b)
	case *column.Struct:
		for _, m := range c.Children {
			if !equal(m, a, b) {
				return false
			}
		}
		return true
	case *column.List:
		return equalLists(c, a, b)
	}
	panic("debezium: no comparison for " + v.Type().String())
}

func equalLists(c *column.List, a, b int) bool {
	n := c.Offsets[a+1] - c.Offsets[a]
	if c.Offsets[b+1]-c.Offsets[b] != n {
		return false
	}
	for k := range n {
		if !equal(c.Elem, int(c.Offsets[a]+k), int(c.Offsets[b]+k)) {
			return false
		}
	}
	return true
}
