package unnest

import (
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
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
