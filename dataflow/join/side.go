package join

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/state/multimap"
)

// left and right are the ports.
const (
	left  = 0
	right = 1
)

// show says which rows of a side are put out by themselves.
type show uint8

const (
	showNone show = iota
	// showUnmatched: rows without a match, padded or, of an anti join, as they are.
	showUnmatched
	// showMatched: the left rows of a semi join.
	showMatched
)

func showOf(kind graph.JoinKind, port int) show {
	switch kind {
	case graph.LeftJoin, graph.AntiJoin:
		if port == left {
			return showUnmatched
		}
	case graph.RightJoin:
		if port == right {
			return showUnmatched
		}
	case graph.FullJoin:
		return showUnmatched
	case graph.SemiJoin:
		if port == left {
			return showMatched
		}
	}
	return showNone
}

// leftOnly reports whether the output has no right columns, and no pairs.
func leftOnly(kind graph.JoinKind) bool { return kind == graph.SemiJoin || kind == graph.AntiJoin }

// side is one input: what is kept of it and what is at hand of its latest batch.
type side struct {
	port int
	m    *multimap.Map
	show show
	// keys are input columns; stored those that are kept, where their columns in m, by input column, or -1.
	keys, stored, where []int
	// distinct says that equal rows are kept once, counted that it matters how many there were, and when: not of rows that
	// are never taken back and only say that there is a match.
	distinct, counted bool
	// whole says that the keys are all that is kept.
	whole bool
	// timed adds the event time plus offset to the hash by which rows are found: only rows of one time match.
	timed  bool
	offset int64

	// Of the batch at hand: the rows as m wants them, their keys, and the hashes that they would have if the first key were
	// null.
	rows     multimap.Rows
	keyCols  []column.Vector
	ifNull   []uint64
	nullKey  *column.Const
	nullCols []column.Vector
}

// newSide makes a side whose map is still missing.
func newSide(port int, on *graph.JoinOn, in *arrow.Schema, leftWidth int) side {
	s := side{port: port, show: showOf(on.Kind, port), keys: on.LeftKeys}
	if port == right {
		s.keys = on.RightKeys
	}
	for i := range in.NumFields() {
		if port == left || !leftOnly(on.Kind) || slices.Contains(s.keys, i) || uses(on.Residual, leftWidth+i) {
			s.where = append(s.where, len(s.stored))
			s.stored = append(s.stored, i)
		} else {
			s.where = append(s.where, -1)
		}
	}
	s.whole = slices.Equal(s.keys, s.stored)
	s.rows.Cols = make([]column.Vector, len(s.stored))
	s.keyCols = make([]column.Vector, len(s.keys))
	if on.NullAware {
		v := column.NewAppender(in.Field(s.keys[0]).Type)
		v.AppendNull()
		s.nullKey = &column.Const{Value: v}
		s.nullCols = make([]column.Vector, len(s.keys))
	}
	return s
}

func (s *side) types(in *arrow.Schema) []arrow.DataType {
	var types []arrow.DataType
	for _, i := range s.stored {
		types = append(types, in.Field(i).Type)
	}
	return types
}

// firstKey is the place of the first key in m.
func (s *side) firstKey() *int {
	if len(s.keys) == 0 {
		return nil
	}
	return &s.where[s.keys[0]]
}

func uses(n *expr.Node, col int) bool {
	found := false
	if n != nil {
		n.Walk(func(m *expr.Node) bool {
			found = found || m.Kind == expr.Column && m.Index == col
			return !found
		})
	}
	return found
}

// take looks at a batch.
func (s *side) take(b *column.Batch) {
	for i, c := range s.stored {
		s.rows.Cols[i] = b.Cols[c]
	}
	for i, k := range s.keys {
		s.keyCols[i] = b.Cols[k]
	}
	s.rows.Times = b.Time
	s.hash(b.Time, b.N, b.Sel)
	if s.distinct && s.whole {
		s.rows.RowHashes = s.rows.Hashes
	} else if s.distinct {
		s.rows.RowHashes = column.HashColumns(s.rows.RowHashes, s.rows.Cols, b.N, b.Sel)
	}
}

// hash computes the hashes of the keys at hand.
func (s *side) hash(times []int64, n int, sel []int32) {
	s.rows.Hashes = column.HashColumns(s.rows.Hashes, s.keyCols, n, sel)
	switch {
	case s.nullKey != nil:
		s.nullKey.N = n
		copy(s.nullCols, s.keyCols)
		s.nullCols[0] = s.nullKey
		s.ifNull = column.HashColumns(s.ifNull, s.nullCols, n, sel)
		s.rows.Routes = column.HashColumns(s.rows.Routes, s.keyCols[1:], n, sel)
	case s.timed:
		s.rows.Routes = append(s.rows.Routes[:0], s.rows.Hashes...)
	}
	if !s.timed {
		return
	}
	for i, t := range times[:n] {
		s.rows.Hashes[i] = column.HashWord(s.rows.Hashes[i], uint64(t+s.offset))
	}
	if s.nullKey != nil {
		for i, t := range times[:n] {
			s.ifNull[i] = column.HashWord(s.ifNull[i], uint64(t+s.offset))
		}
	}
}

// rehash is hash for rows that come from a checkpoint, whose columns are those kept.
func (s *side) rehash(r *multimap.Rows, n int) {
	for i, k := range s.keys {
		s.keyCols[i] = r.Cols[s.where[k]]
	}
	s.hash(r.Times, n, nil)
	r.Hashes = s.rows.Hashes
	if s.distinct && !s.whole {
		r.RowHashes = column.HashColumns(r.RowHashes, r.Cols, n, nil)
	}
}
