// Package enrich puts at most one kept row beside each row of a batch, which is what is left to do for a join that has found
// its matches.
//
// In come batches and, for each of their rows, the number of a row in an ordered.Rows or none; out go batches of the left
// columns followed by the kept row's. A kept row is decoded once per batch, however many rows it stands beside, and
// everything after that goes a column at a time: that is what Pairs does, which takes the right rows in columns. Batches are
// borrowed and results lent until the next call. Nothing here blocks.
package enrich

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
)

// None stands for no row.
const None int32 = -1

// Joiner joins the rows of batches with kept rows.
type Joiner struct {
	pairs *Pairs
	rows  *ordered.Rows
	// place is the word of its owner in a kept row that says where the row was decoded to, together with the round in
	// which it was.
	place int
	round int64

	decoded   *column.Builder // the kept rows of the batch at hand, behind one of nulls
	decodedIn []column.Appender
	at        []int32 // by row of the batch, a row of decoded
	matched   []int32
}

// maxBatch bounds the rows of a batch: a place is a number below it and the round stands above.
const maxBatch = 1 << 24

// New makes a joiner for left batches of this schema and rows of the schema right that rows keeps. kind is InnerJoin or
// LeftJoin; residual, which may be nil, is a condition over the left columns followed by the right ones.
func New(kind graph.JoinKind, left, right *arrow.Schema, rows *ordered.Rows, place int, residual *expr.Node, functions *expr.Functions, env operator.Env) (*Joiner, error) {
	j := &Joiner{rows: rows, place: place, decoded: column.NewBuilder(right, false)}
	for i := range right.NumFields() {
		j.decodedIn = append(j.decodedIn, j.decoded.Column(i))
	}
	var err error
	j.pairs, err = NewPairs(kind, left, right, residual, functions, env)
	return j, err
}

// Join gives the rows of b, each beside the kept row whose number, or None, ids has for it; ids has an element per row that
// counts, in their order. The result may be empty. Times are b's.
func (j *Joiner) Join(b *column.Batch, rows, ids []int32) (*column.Batch, error) {
	if cap(j.at) < b.N {
		j.at = make([]int32, b.N+b.N/4)
	}
	j.at = j.at[:b.N]
	clear(j.at)
	j.decode(rows, ids)
	return j.pairs.Join(b, j.decodedIn, j.at, j.matched)
}

// decode fills decoded, at and matched.
func (j *Joiner) decode(rows, ids []int32) {
	j.round++
	j.decoded.Reset()
	for _, c := range j.decodedIn {
		c.AppendNull()
	}
	n := int32(1)
	j.matched = j.matched[:0]
	for k, r := range rows {
		id := ids[k]
		if id == None {
			continue
		}
		place := &j.rows.Own(id)[j.place]
		if *place/maxBatch != j.round {
			j.rows.Append(id, j.decodedIn)
			*place = j.round*maxBatch + int64(n)
			n++
		}
		j.at[r] = int32(*place % maxBatch)
		j.matched = append(j.matched, r)
	}
}
