package unnest

import (
	"bytes"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// ranking sorts the rows of each input row and keeps some of them. It holds the rows of one batch at most.
type ranking struct {
	next stage
	spec *graph.LateralTop
	key  *ordered.Key
	rows *column.Builder
	from []int32
	// encoded holds, for each row, the values that it is ranked apart by, those that it is ordered by and, to tell rows
	// apart that are equal in these, the whole row; ends are where each part ends.
	encoded []byte
	ends    [][3]int
	order   []int32
	rank    *column.Fixed[int64]
	picked  []int32
	origin  []int32
	columns []column.Appender
	result  column.Batch
	out     part
}

func newRanking(s *graph.LateralStep, own *arrow.Schema, next stage) (stage, error) {
	r := &ranking{next: next, spec: s.Top, key: ordered.NewKey(own, s.Top.Order, false), rows: column.NewBuilder(own, false)}
	r.result.Schema = s.Out
	for _, f := range own.Fields() {
		a := column.NewAppender(f.Type)
		r.columns = append(r.columns, a)
		r.result.Cols = append(r.result.Cols, a)
	}
	if s.Top.WithRank {
		r.rank = column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
		r.result.Cols = append(r.result.Cols, r.rank)
	}
	return r, nil
}

func (r *ranking) open(in *column.Batch) { r.next.open(in) }

func (r *ranking) push(p *part) error {
	r.rows.AppendSel(p.rows, p.rows.Sel)
	if p.rows.Sel == nil {
		r.from = append(r.from, p.origin[:p.rows.N]...)
	} else {
		for _, i := range p.rows.Sel {
			r.from = append(r.from, p.origin[i])
		}
	}
	return nil
}

func (r *ranking) end() error {
	r.encode()
	r.order = append(r.order[:0], column.AllRows(nil, len(r.from))...)
	slices.SortFunc(r.order, r.compare)
	r.pick()
	if len(r.picked) > 0 {
		if err := r.emit(); err != nil {
			return err
		}
	}
	r.rows.Reset()
	r.from = r.from[:0]
	return r.next.end()
}

func (r *ranking) encode() {
	b := r.rows.Batch()
	apart := make([]column.Vector, len(r.spec.Keys))
	for i, k := range r.spec.Keys {
		apart[i] = b.Cols[k]
	}
	r.encoded, r.ends = r.encoded[:0], r.ends[:0]
	for i := range b.N {
		for _, v := range apart {
			r.encoded = state.AppendValue(r.encoded, v, i)
		}
		a := len(r.encoded)
		r.encoded = r.key.Append(r.encoded, b.Cols, 0, i)
		k := len(r.encoded)
		r.encoded = ordered.AppendRow(r.encoded, b.Cols, i)
		r.ends = append(r.ends, [3]int{a, k, len(r.encoded)})
	}
}

// of gives a part of row i: 0 what it is ranked apart by, 1 the order, 2 the row.
func (r *ranking) of(i int32, part int) []byte {
	from := 0
	if part > 0 {
		from = r.ends[i][part-1]
	} else if i > 0 {
		from = r.ends[i-1][2]
	}
	return r.encoded[from:r.ends[i][part]]
}

func (r *ranking) compare(a, b int32) int {
	if r.from[a] != r.from[b] {
		return int(r.from[a] - r.from[b])
	}
	for part := range 3 {
		if c := bytes.Compare(r.of(a, part), r.of(b, part)); c != 0 {
			return c
		}
	}
	return int(a - b)
}

// pick walks the sorted rows and keeps those whose rank is asked for.
func (r *ranking) pick() {
	r.picked = r.picked[:0]
	if r.rank != nil {
		r.rank.Reset()
	}
	var number, rank, dense int64
	for n, i := range r.order {
		tied := false
		if n > 0 {
			prev := r.order[n-1]
			if r.from[prev] != r.from[i] || !bytes.Equal(r.of(prev, 0), r.of(i, 0)) {
				number, rank, dense = 0, 0, 0
			} else {
				tied = bytes.Equal(r.of(prev, 1), r.of(i, 1))
			}
		}
		number++
		if !tied {
			rank, dense = number, dense+1
		}
		value, last := number, number
		switch {
		case r.spec.Rank == graph.Rank:
			value, last = rank, rank
		case r.spec.Rank == graph.DenseRank:
			value, last = dense, dense
		case r.spec.WithTies:
			last = rank
		}
		if value <= r.spec.Offset || r.spec.Limit >= 0 && last > r.spec.Offset+r.spec.Limit {
			continue
		}
		r.picked = append(r.picked, i)
		if r.rank != nil {
			r.rank.Append(value)
		}
	}
}

func (r *ranking) emit() error {
	b := r.rows.Batch()
	r.origin = r.origin[:0]
	for _, i := range r.picked {
		r.origin = append(r.origin, r.from[i])
	}
	for i, c := range r.columns {
		c.Reset()
		gather(c, b.Cols[i], r.picked)
	}
	r.result.N, r.result.Time = len(r.picked), b.Time[:len(r.picked)]
	r.out = part{rows: &r.result, origin: r.origin}
	return r.next.push(&r.out)
}
