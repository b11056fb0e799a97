package over

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// turns computes aggregates up to the current row for many partitions at once. In a turn each partition takes one row back,
// if the frame does not begin at the first row, adds one, or all rows that are equal by the order if peers share their
// results, and gives its result. So it takes as many turns as the partition with the most rows at hand has.
type turns struct {
	// peers share their results; back is how many rows after it a row leaves the frame, 0 for never. known says that they
	// are known.
	peers, known bool
	back         int
	// leaving keep what the aggregates read of rows that will leave; a column of -1 is the event time. gone is a batch of
	// the rows that leave when those at hand come.
	leaving []steadyCall
	gone    column.Batch
	// goneRows and goneSlots are those of a turn and their partitions.
	goneRows, goneSlots []int32
	// outs are where the results go, byTurn the results in the order of turns.
	outs, byTurn []column.Appender

	turn   []int32
	ends   []int32
	order  []int32
	slots  []int32
	givers []int32
	result []int32
}

// take takes the frame of another aggregate; false if that differs from those before.
func (t *turns) take(peers bool, back int) bool {
	if t.known && (t.peers != peers || t.back != back) {
		return false
	}
	t.peers, t.back, t.known = peers, back, true
	return true
}

// keep keeps a column, and event times, of rows that will leave, in words of which there are so many; false if that cannot
// be done.
func (t *turns) keep(col int, dt arrow.DataType, words *int) bool {
	if len(t.leaving) == 0 {
		t.leave(timeColumn, arrow.PrimitiveTypes.Int64, words)
	}
	for _, c := range t.leaving {
		if c.Args[0] == col {
			return true
		}
	}
	if widthOf(dt) == 0 {
		return false
	}
	t.leave(col, dt, words)
	return true
}

const timeColumn = -1

func (t *turns) leave(col int, dt arrow.DataType, words *int) {
	c := steadyCall{at: *words, width: widthOf(dt), rows: t.back}
	c.kind, c.Args, c.out = lag, []int{col}, column.NewAppender(dt)
	*words += c.rows * (1 + c.width)
	t.leaving = append(t.leaving, c)
}

func (t *turns) add(out column.Appender) {
	t.outs = append(t.outs, out)
	t.byTurn = append(t.byTurn, column.NewAppender(out.Type()))
}

// run appends the results for the rows at hand.
func (t *turns) run(s *steady, b *column.Batch) error {
	if len(t.outs) == 0 {
		return nil
	}
	for _, r := range t.byTurn {
		r.Reset()
	}
	t.depart(s, b)
	t.deal(s)
	t.result = sized(t.result, b.N)
	w, stride := s.groups.Table.Values()
	given, from := int32(0), int32(0)
	for _, end := range t.ends {
		rows := t.order[from:end]
		from = end
		t.slots, t.givers = t.slots[:0], t.givers[:0]
		for _, r := range rows {
			slot := s.slots[r]
			t.slots = append(t.slots, slot)
			turn := &w[int(slot)*stride+turnWord]
			if !t.peers || s.first[r] {
				*turn = int64(given)
				t.givers = append(t.givers, slot)
				given++
			}
			t.result[r] = int32(*turn)
		}
		if err := t.takeBack(s, rows); err != nil {
			return err
		}
		if err := s.groups.Update(b, t.slots, rows); err != nil {
			return err
		}
		if err := s.groups.Result(t.givers, t.byTurn); err != nil {
			return err
		}
	}
	for _, slot := range s.slots {
		w[int(slot)*stride+turnWord] = 0
	}
	for i, out := range t.outs {
		out.AppendSel(t.byTurn[i], t.result)
	}
	return nil
}

// depart makes the batch of rows that leave.
func (t *turns) depart(s *steady, b *column.Batch) {
	if t.back == 0 {
		return
	}
	t.gone.N = b.N
	t.gone.Cols = sized(t.gone.Cols, len(b.Cols))
	for i := range t.leaving {
		c := &t.leaving[i]
		c.out.Reset()
		if col := c.Args[0]; col != timeColumn {
			s.remember(c, b)
			t.gone.Cols[col] = c.out
			continue
		}
		c.values, c.words, c.valid = append(c.values[:0], b.Time...), sized(c.words, b.N), sized(c.valid, b.N)
		s.lags(c, nil)
		t.gone.Time = c.words
	}
	if len(t.gone.Change) < b.N {
		t.gone.Change = make([]column.Change, b.N+b.N/4)
		for i := range t.gone.Change {
			t.gone.Change[i] = column.Retract
		}
	}
}

// takeBack takes the rows back that leave when these come.
func (t *turns) takeBack(s *steady, rows []int32) error {
	if t.back == 0 {
		return nil
	}
	t.goneRows, t.goneSlots = t.goneRows[:0], t.goneSlots[:0]
	for i, r := range rows {
		if s.numbers[r] > int64(t.back) {
			t.goneRows, t.goneSlots = append(t.goneRows, r), append(t.goneSlots, t.slots[i])
		}
	}
	if len(t.goneRows) == 0 {
		return nil
	}
	return s.groups.Update(&t.gone, t.goneSlots, t.goneRows)
}

// deal orders the rows by their turns.
func (t *turns) deal(s *steady) {
	n := len(s.slots)
	t.turn, t.order, t.ends = sized(t.turn, n), sized(t.order, n), t.ends[:0]
	w, stride := s.groups.Table.Values()
	for j, slot := range s.slots {
		turn := &w[int(slot)*stride+turnWord]
		if !t.peers || s.first[j] {
			*turn++
		}
		k := int32(*turn - 1)
		t.turn[j] = k
		for int(k) >= len(t.ends) {
			t.ends = append(t.ends, 0)
		}
		t.ends[k]++
	}
	at := int32(0)
	for k, rows := range t.ends {
		t.ends[k] = at
		at += rows
	}
	for j, k := range t.turn {
		t.order[t.ends[k]] = int32(j)
		t.ends[k]++
	}
}
