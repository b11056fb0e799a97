package agg

import (
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// Groups is a table of groups: their keys, their accumulators and, before those, value words of the operator's own.
type Groups struct {
	// Table holds the keys and words. Rows are removed with Groups.Delete, never with Table.Delete.
	Table *state.Table
	set   *Set
	own   int
	sides []side
}

// NewGroups makes an empty table of groups; the layout has own + Words value words.
func (s *Set) NewGroups(l *state.Layout, own int) *Groups {
	g := &Groups{Table: state.NewTable(l), set: s, own: own}
	for _, c := range s.calls {
		if c.side >= 0 {
			g.sides = append(g.sides, c.acc.newSide())
		}
	}
	return g
}

func (g *Groups) states(c *compiled) states {
	w, stride := g.Table.Values()
	s := states{w: w[min(g.own+c.at, len(w)):], stride: stride}
	if c.side >= 0 {
		s.side = g.sides[c.side]
	}
	return s
}

// Update adds rows of b to groups, or takes them back where b.Change says so: slots[j] is the group of physical row
// rows[j]. b.Sel does not count.
func (g *Groups) Update(b *column.Batch, slots, rows []int32) error {
	for i := range g.set.calls {
		c := &g.set.calls[i]
		in := &g.set.in
		*in = input{cols: b.Cols, times: b.Time, slots: slots, rows: rows, change: b.Change}
		if c.call.Filter >= 0 {
			g.set.filter(in, b.Cols[c.call.Filter].(*column.Bool))
		}
		if err := c.acc.update(g.states(c), in); err != nil {
			return err
		}
	}
	return nil
}

// filter narrows the input to the rows for which the condition is true.
func (s *Set) filter(in *input, cond *column.Bool) {
	slots, rows := s.scratch[0][:0], s.scratch[1][:0]
	for j, r := range in.rows {
		if cond.Bits.Get(int(r)) && cond.Valid.IsValid(int(r)) {
			slots = append(slots, in.slots[j])
			rows = append(rows, r)
		}
	}
	s.scratch[0], s.scratch[1] = slots, rows
	in.slots, in.rows = slots, rows
}

// Merge adds the accumulators of the slots from of src to those of the slots to of g, pairwise. src is another table made
// from the same Set.
func (g *Groups) Merge(to []int32, src *Groups, from []int32) error { return g.merge(to, src, from, 1) }

// CopyFrom makes g, which is empty, hold the same groups as src in the same slots, the operator's own words included, if
// all that they hold is in their words; else it does nothing and gives false. It is what merging them would do, faster.
func (g *Groups) CopyFrom(src *Groups) bool {
	if len(g.sides) > 0 {
		return false
	}
	g.Table.CopyFrom(src.Table)
	return true
}

// Subtract takes back what Merge added. The Set is invertible.
func (g *Groups) Subtract(to []int32, src *Groups, from []int32) error {
	return g.merge(to, src, from, -1)
}

func (g *Groups) merge(to []int32, src *Groups, from []int32, sign int64) error {
	for i := range g.set.calls {
		c := &g.set.calls[i]
		if err := c.acc.merge(g.states(c), to, src.states(c), from, sign); err != nil {
			return err
		}
	}
	return nil
}

// Result appends the aggregates of the slots to one appender per call.
func (g *Groups) Result(slots []int32, out []column.Appender) error {
	for i := range g.set.calls {
		c := &g.set.calls[i]
		if err := c.acc.result(g.states(c), slots, out[i]); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes a group.
func (g *Groups) Delete(slot int32) {
	g.free(slot)
	g.Table.Delete(slot)
}

func (g *Groups) free(slot int32) {
	for i := range g.set.calls {
		if c := &g.set.calls[i]; c.side >= 0 {
			c.free(g, slot)
		}
	}
}

func (c *compiled) free(g *Groups, slot int32) { g.sides[c.side].free(c.row(g, slot)) }

// row is the accumulator's words of one group.
func (c *compiled) row(g *Groups, slot int32) []int64 {
	s := g.states(c)
	at := int(slot) * s.stride
	return s.w[at : at+c.acc.words()]
}

// Reset removes all groups and keeps memory.
func (g *Groups) Reset() {
	g.Table.Reset()
	for _, s := range g.sides {
		s.reset()
	}
}

// Size is the memory behind the groups in bytes.
func (g *Groups) Size() int64 {
	n := g.Table.Size()
	for _, s := range g.sides {
		n += s.size()
	}
	return n
}

// NewChunk makes an empty chunk for groups of this set and layout.
func (s *Set) NewChunk(l *state.Layout) *state.Chunk { return l.NewChunk(s.sides) }

// Changes gives what a checkpoint writes of the groups, in a chunk: those that have changed or were deleted since the last
// one, or, as a base, all that there are.
func (g *Groups) Changes(x *state.Incremental) (c *state.Chunk, base bool) {
	c, slots, base := g.Table.TakeChanges(g.Table.Layout(), g.set.sides, x)
	g.saveSides(c, slots)
	return c, base
}

// Save copies the groups into c, made by NewChunk, with this time.
func (g *Groups) Save(c *state.Chunk, slots []int32, time int64) {
	g.Table.AppendRows(c, slots, time)
	g.saveSides(c, slots)
}

// saveSides appends what the groups keep outside of their words to the byte columns of c that are not the keys'.
func (g *Groups) saveSides(c *state.Chunk, slots []int32) {
	extra := g.Table.Layout().ExtraBytes()
	for i := range g.set.calls {
		k := &g.set.calls[i]
		if k.side < 0 {
			continue
		}
		reader, _ := g.sides[k.side].(interface {
			readAhead(s states, slots []int32)
		})
		for i, slot := range slots {
			if reader != nil && i%aheadGroups == 0 {
				reader.readAhead(g.states(k), slots[i:min(i+aheadGroups, len(slots))])
			}
			g.set.bytes = g.sides[k.side].save(k.row(g, slot), g.set.bytes[:0])
			c.Bytes[extra+k.side].Append(g.set.bytes)
		}
	}
}

// Check reports whether a chunk read from a state.Reader has the shape that NewChunk gives.
func (s *Set) Check(l *state.Layout, c *state.Chunk) error { return l.CheckChunk(c, s.sides) }

// Load puts row i of a chunk that has passed Check into the table, replacing the group with its key, or deletes that
// group. It returns the group's slot, -1 after a deletion.
func (g *Groups) Load(c *state.Chunk, i int) (int32, error) {
	slot := g.Table.Seek(c, i)
	if c.Deleted != nil && c.Deleted[i] {
		if slot >= 0 {
			g.Delete(slot)
		}
		return -1, nil
	}
	if slot >= 0 {
		g.free(slot)
	}
	slot, err := g.Table.Put(c, i)
	if err != nil {
		return -1, err
	}
	extra := g.Table.Layout().ExtraBytes()
	for k := range g.set.calls {
		a := &g.set.calls[k]
		if a.side < 0 {
			continue
		}
		if !g.sides[a.side].load(slot, a.row(g, slot), c.Bytes[extra+a.side].At(i)) {
			return -1, fault.Internalf("stored state of aggregate %s cannot be decoded", a.call.Name).
				WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
		}
	}
	return slot, nil
}
