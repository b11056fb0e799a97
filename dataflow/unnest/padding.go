package unnest

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

// padding gives input rows without a row one of nulls.
type padding struct {
	next  stage
	in    *column.Batch
	found column.Bitmap
	nulls *column.Builder
	from  []int32
	all   []int32
	out   part
}

func newPadding(s *graph.LateralStep, next stage) *padding {
	return &padding{next: next, nulls: column.NewBuilder(s.Out, false)}
}

func (p *padding) open(in *column.Batch) {
	p.in = in
	p.found = p.found.Resize(in.N)
	clear(p.found)
	p.next.open(in)
}

func (p *padding) push(q *part) error {
	p.all = column.AllRows(p.all, q.rows.N)
	for _, r := range q.rows.Selected(p.all) {
		p.found.Set(int(q.origin[r]))
	}
	return p.next.push(q)
}

func (p *padding) end() error {
	p.from = p.from[:0]
	p.all = column.AllRows(p.all, p.in.N)
	for _, r := range p.in.Selected(p.all) {
		if !p.found.Get(int(r)) {
			p.from = append(p.from, r)
		}
	}
	if len(p.from) > 0 {
		p.nulls.Reset()
		for _, r := range p.from {
			for i := range p.nulls.Batch().Cols {
				p.nulls.Column(i).AppendNull()
			}
			p.nulls.AppendTime(p.in.Time[r], column.Insert)
		}
		p.out = part{rows: p.nulls.Batch(), origin: p.from}
		if err := p.next.push(&p.out); err != nil {
			return err
		}
	}
	return p.next.end()
}

// nesting runs a small query for every row. The input row is a column that is kept.
type nesting struct {
	next   stage
	op     *Lateral
	origin *column.Fixed[int32]
	rows   column.Batch
	result column.Batch
	out    part
}

func newNesting(s *graph.LateralStep, own *arrow.Schema, functions *expr.Functions, env operator.Env, next stage) (stage, error) {
	n := &nesting{next: next, origin: column.NewFixed[int32](arrow.PrimitiveTypes.Int32), result: column.Batch{Schema: s.Out}}
	spec := *s.Lateral
	mark := arrow.Field{Name: "origin", Type: arrow.PrimitiveTypes.Int32}
	spec.Keep = append([]int{own.NumFields()}, spec.Keep...)
	var err error
	n.op, err = NewLateral(&spec, arrow.NewSchema(append(own.Fields(), mark), nil), arrow.NewSchema(append([]arrow.Field{mark}, s.Out.Fields()...), nil), functions, env)
	return n, err
}

func (n *nesting) open(in *column.Batch) { n.next.open(in) }

func (n *nesting) push(p *part) error {
	n.origin.Values = append(n.origin.Values[:0], p.origin[:p.rows.N]...)
	n.rows = *p.rows
	n.rows.Cols = append(p.rows.Cols[:len(p.rows.Cols):len(p.rows.Cols)], n.origin)
	return n.op.Process(0, &n.rows, n)
}

// Emit implements operator.Emitter for the small query.
func (n *nesting) Emit(b *column.Batch) error {
	n.result.N, n.result.Time, n.result.Cols = b.N, b.Time, b.Cols[1:]
	n.out = part{rows: &n.result, origin: b.Cols[0].(*column.Fixed[int32]).Values}
	return n.next.push(&n.out)
}

// Watermark implements operator.Emitter.
func (n *nesting) Watermark(int64) error { return nil }

// Idle implements operator.Emitter.
func (n *nesting) Idle() error { return nil }

func (n *nesting) end() error { return n.next.end() }
