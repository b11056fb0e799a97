package enrich

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

// Pairs puts rows of some columns beside the rows of batches.
type Pairs struct {
	// outer keeps left rows without a match.
	outer    bool
	residual *expr.Predicate
	from     []column.Appender
	at       []int32
	matched  []int32 // never nil, since that would be all rows
	right    []column.Appender
	out      column.Batch
}

// NewPairs is New for right rows that are in columns.
func NewPairs(kind graph.JoinKind, left, right *arrow.Schema, residual *expr.Node, functions *expr.Functions, env operator.Env) (*Pairs, error) {
	if kind != graph.InnerJoin && kind != graph.LeftJoin {
		return nil, fault.Internalf("a row cannot stand beside others in a join of kind %s", kind)
	}
	p := &Pairs{outer: kind == graph.LeftJoin, matched: []int32{}}
	fields := left.Fields()
	for _, f := range right.Fields() {
		f.Nullable = f.Nullable || p.outer
		fields = append(fields, f)
		p.right = append(p.right, column.NewAppender(f.Type))
	}
	p.out.Schema = arrow.NewSchema(fields, nil)
	p.out.Cols = make([]column.Vector, len(fields))
	for i, c := range p.right {
		p.out.Cols[left.NumFields()+i] = c
	}
	if residual == nil {
		return p, nil
	}
	var opts []expr.Option
	if env.Clock != nil {
		opts = append(opts, expr.WithClock(env.Clock))
	}
	var err error
	p.residual, err = expr.CompilePredicate(residual, p.out.Schema, functions, opts...)
	return p, err
}

// Join gives the rows of b beside rows of the columns right: beside physical row r stands row at[r]. matched are those of
// b's rows that count and have a match; in a left join the others have row 0, which is of nulls, in an inner one any. at may
// be changed. The result may be empty. Times are b's.
func (p *Pairs) Join(b *column.Batch, right []column.Appender, at, matched []int32) (*column.Batch, error) {
	p.from, p.at, p.matched = right, at, append(p.matched[:0], matched...)
	p.gather()
	copy(p.out.Cols, b.Cols)
	p.out.N, p.out.Time, p.out.Change, p.out.Sel = b.N, b.Time, b.Change, p.matched
	if p.residual != nil && len(p.matched) > 0 {
		if err := p.check(); err != nil {
			return nil, err
		}
	}
	if p.outer {
		p.out.Sel = b.Sel
	} else if p.out.Sel = p.matched; len(p.matched) == b.N {
		p.out.Sel = nil
	}
	return &p.out, nil
}

// gather puts the right columns next to the left ones.
func (p *Pairs) gather() {
	for i, c := range p.right {
		c.Reset()
		c.AppendSel(p.from[i], p.at)
	}
}

// check drops the matches for which the residual condition is not true.
func (p *Pairs) check() error {
	kept, err := p.residual.Select(&p.out)
	if err != nil || len(kept) == len(p.matched) {
		return err
	}
	if p.outer {
		k := 0
		for _, r := range p.matched {
			if k < len(kept) && kept[k] == r {
				k++
			} else {
				p.at[r] = 0
			}
		}
		p.gather()
	}
	p.matched = append(p.matched[:0], kept...)
	return nil
}
