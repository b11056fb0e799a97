package unnest

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// part is some rows of the small queries: their own columns, and for each of them the input row that it belongs to.
type part struct {
	rows *column.Batch
	// origin is per physical row.
	origin []int32
	// whole is set where the physical rows are those of the input.
	whole bool
}

// stage is one step at work. Parts are lent until push returns.
type stage interface {
	// open begins the rows of an input batch.
	open(in *column.Batch)
	push(p *part) error
	// end says that all rows of the input batch were pushed.
	end() error
}

// Lateral is an operator that runs a small query for every row. It works on all rows of a batch at once: each step does its
// part for many input rows, and keeps them apart.
type Lateral struct {
	first stage
	sink  *sink
	begin part
	all   []int32
}

// NewLateral makes the operator for rows of this schema; out is the schema of its output.
func NewLateral(spec *graph.LateralSpec, in, out *arrow.Schema, functions *expr.Functions, env operator.Env) (*Lateral, error) {
	l := &Lateral{}
	for _, k := range spec.Keep {
		if k >= in.NumFields() {
			return nil, fault.Internalf("a lateral query keeps column %d of %d", k, in.NumFields())
		}
	}
	own := arrow.NewSchema(nil, nil)
	if n := len(spec.Steps); n > 0 {
		own = spec.Steps[n-1].Out
	}
	l.sink = newSink(spec, in, own, out)
	l.first = l.sink
	for i := len(spec.Steps) - 1; i >= 0; i-- {
		below := arrow.NewSchema(nil, nil)
		if i > 0 {
			below = spec.Steps[i-1].Out
		}
		s, err := newStage(&spec.Steps[i], below, in, functions, env, l.first)
		if err != nil {
			return nil, err
		}
		l.first = s
	}
	return l, nil
}

func newStage(s *graph.LateralStep, own, in *arrow.Schema, functions *expr.Functions, env operator.Env, next stage) (stage, error) {
	switch {
	case s.Project != nil:
		return newComputing(s, own, in, functions, env, next)
	case s.Unnest != nil, s.Lateral != nil:
		return newNested(s, own, functions, env, next)
	case s.Match != nil:
		return newMatching(s, own, functions, env, next)
	case s.Pad:
		return newPadding(s, next), nil
	case s.Aggregate != nil:
		return newGrouping(s, own, next)
	case s.Top != nil:
		return newRanking(s, own, next)
	}
	return nil, fault.Internalf("a step of a lateral query is empty")
}

// Process implements operator.Operator.
func (l *Lateral) Process(_ int, b *column.Batch, out operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	l.all = column.AllRows(l.all, b.N)
	l.sink.out = out
	l.first.open(b)
	l.begin = part{rows: &column.Batch{N: b.N, Time: b.Time, Sel: b.Sel}, origin: l.all, whole: true}
	if err := l.first.push(&l.begin); err != nil {
		return err
	}
	return l.first.end()
}

// Watermark implements operator.Operator.
func (l *Lateral) Watermark(int64, operator.Emitter) error { return nil }

// Snapshot implements operator.Operator; there is no state.
func (l *Lateral) Snapshot(state.Writer) error { return nil }

// Finish implements operator.Operator.
func (l *Lateral) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (l *Lateral) Close() error { return nil }

// gather copies the rows sel of src; text borrows its bytes.
func gather(dst column.Appender, src column.Vector, sel []int32) {
	if text, ok := dst.(*column.Bytes); ok {
		text.ShareSel(src.(*column.Bytes), sel)
		return
	}
	dst.AppendSel(src, sel)
}

// sink is where the rows of the small queries meet their input rows again.
type sink struct {
	spec *graph.LateralSpec
	out  operator.Emitter
	in   *column.Batch
	// found has a bit for every input row that has a row.
	found  column.Bitmap
	keep   []column.Appender
	nulls  []column.Appender
	batch  column.Batch
	own    int
	from   []int32
	times  []int64
	change []column.Change
}

func newSink(spec *graph.LateralSpec, in, own, out *arrow.Schema) *sink {
	s := &sink{spec: spec, own: own.NumFields(), batch: column.Batch{Schema: out}}
	for _, k := range spec.Keep {
		a := column.NewAppender(in.Field(k).Type)
		s.keep = append(s.keep, a)
		s.batch.Cols = append(s.batch.Cols, a)
	}
	if s.pairs() {
		for _, f := range own.Fields() {
			a := column.NewAppender(f.Type)
			s.nulls = append(s.nulls, a)
			s.batch.Cols = append(s.batch.Cols, a)
		}
	}
	return s
}

// pairs reports whether rows of the small queries go out.
func (s *sink) pairs() bool { return s.spec.Kind == graph.InnerJoin || s.spec.Kind == graph.LeftJoin }

func (s *sink) open(in *column.Batch) {
	s.in = in
	s.found = s.found.Resize(in.N)
	clear(s.found)
}

func (s *sink) push(p *part) error {
	s.from = s.from[:0]
	if p.rows.Sel == nil {
		s.from = append(s.from, p.origin[:p.rows.N]...)
	} else {
		for _, r := range p.rows.Sel {
			s.from = append(s.from, p.origin[r])
		}
	}
	for _, r := range s.from {
		s.found.Set(int(r))
	}
	if !s.pairs() || len(s.from) == 0 {
		return nil
	}
	for i := range s.own {
		v := p.rows.Cols[i]
		if p.rows.Sel != nil {
			a := s.nulls[i]
			a.Reset()
			gather(a, v, p.rows.Sel)
			v = a
		}
		s.batch.Cols[len(s.keep)+i] = v
	}
	return s.emit()
}

// emit puts out a batch of which the columns of the small queries are in place, for the input rows in from.
func (s *sink) emit() error {
	s.times, s.change = s.times[:0], s.change[:0]
	for _, r := range s.from {
		s.times = append(s.times, s.in.Time[r])
	}
	s.batch.Change = nil
	if s.in.Change != nil {
		for _, r := range s.from {
			s.change = append(s.change, s.in.Change[r])
		}
		s.batch.Change = s.change
	}
	for i, k := range s.keep {
		k.Reset()
		gather(k, s.in.Cols[s.spec.Keep[i]], s.from)
	}
	s.batch.N, s.batch.Time, s.batch.Sel = len(s.from), s.times, nil
	return s.out.Emit(&s.batch)
}

func (s *sink) end() error {
	s.from = s.from[:0]
	add := func(r int32) {
		if s.found.Get(int(r)) == (s.spec.Kind == graph.SemiJoin) {
			s.from = append(s.from, r)
		}
	}
	switch {
	case s.spec.Kind == graph.InnerJoin:
		return nil
	case s.in.Sel != nil:
		for _, r := range s.in.Sel {
			add(r)
		}
	default:
		for r := range int32(s.in.N) {
			add(r)
		}
	}
	if len(s.from) == 0 {
		return nil
	}
	if s.pairs() {
		for i, a := range s.nulls {
			a.Reset()
			for range s.from {
				a.AppendNull()
			}
			s.batch.Cols[len(s.keep)+i] = a
		}
	}
	return s.emit()
}

// computing filters rows and computes columns, over the rows' own columns and those of the input.
type computing struct {
	next   stage
	spec   *graph.ProjectSpec
	filter *expr.Predicate
	exprs  *expr.Evaluator
	own    int
	// outer are the input columns that are looked at, gathered for the rows at hand.
	outer    []int
	gathered []column.Appender
	in       *column.Batch
	wide     column.Batch
	result   column.Batch
	out      part
}

func newComputing(s *graph.LateralStep, own, in *arrow.Schema, functions *expr.Functions, env operator.Env, next stage) (stage, error) {
	c := &computing{next: next, spec: s.Project, own: own.NumFields()}
	both := arrow.NewSchema(append(own.Fields(), in.Fields()...), nil)
	c.wide = column.Batch{Schema: both, Cols: make([]column.Vector, both.NumFields())}
	c.result.Schema = s.Out
	var err error
	all := s.Project.Exprs
	if f := s.Project.Filter; f != nil {
		if c.filter, err = expr.CompilePredicate(f, both, functions, expr.WithClock(env.Clock)); err != nil {
			return nil, err
		}
		all = append(all[:len(all):len(all)], f)
	}
	if s.Project.Exprs != nil {
		if c.exprs, err = expr.Compile(s.Project.Exprs, both, functions, expr.WithClock(env.Clock)); err != nil {
			return nil, err
		}
	}
	used := make([]bool, both.NumFields())
	for _, e := range all {
		e.Walk(func(n *expr.Node) bool {
			if n.Kind == expr.Column && n.Index < len(used) {
				used[n.Index] = true
			}
			return true
		})
	}
	for i := c.own; i < len(used); i++ {
		if used[i] {
			c.outer = append(c.outer, i-c.own)
			c.gathered = append(c.gathered, column.NewAppender(both.Field(i).Type))
		}
	}
	return c, nil
}

func (c *computing) open(in *column.Batch) {
	c.in = in
	c.next.open(in)
}

func (c *computing) push(p *part) error {
	c.wide.N, c.wide.Time, c.wide.Sel = p.rows.N, p.rows.Time, p.rows.Sel
	copy(c.wide.Cols, p.rows.Cols)
	for i, k := range c.outer {
		v := c.in.Cols[k]
		if !p.whole {
			a := c.gathered[i]
			a.Reset()
			gather(a, v, p.origin[:p.rows.N])
			v = a
		}
		c.wide.Cols[c.own+k] = v
	}
	if c.filter != nil {
		sel, err := c.filter.Select(&c.wide)
		if err != nil || len(sel) == 0 {
			return err
		}
		c.wide.Sel = sel
		if len(sel) == c.wide.N {
			c.wide.Sel = nil
		}
	}
	c.result.N, c.result.Time, c.result.Sel, c.result.Cols = c.wide.N, c.wide.Time, c.wide.Sel, p.rows.Cols
	if c.exprs != nil {
		cols, err := c.exprs.Eval(&c.wide)
		if err != nil {
			return err
		}
		c.result.Cols = cols
	}
	c.out = part{rows: &c.result, origin: p.origin, whole: p.whole}
	return c.next.push(&c.out)
}

func (c *computing) end() error { return c.next.end() }

// nested lets an operator of this package make rows of the rows: elements of their lists, or the rows of a smaller query.
// The input row is a column that is kept.
type nested struct {
	next   stage
	op     operator.Operator
	origin *column.Fixed[int32]
	rows   column.Batch
	result column.Batch
	out    part
}

func newNested(s *graph.LateralStep, own *arrow.Schema, functions *expr.Functions, env operator.Env, next stage) (stage, error) {
	n := &nested{next: next, origin: column.NewFixed[int32](arrow.PrimitiveTypes.Int32), result: column.Batch{Schema: s.Out}}
	mark := arrow.Field{Name: "origin", Type: arrow.PrimitiveTypes.Int32}
	in, out := arrow.NewSchema(append(own.Fields(), mark), nil), arrow.NewSchema(append([]arrow.Field{mark}, s.Out.Fields()...), nil)
	at := []int{own.NumFields()}
	var err error
	if s.Unnest != nil {
		spec := *s.Unnest
		spec.Keep = append(at, spec.Keep...)
		n.op, err = New(&spec, in, out, env)
	} else {
		spec := *s.Lateral
		spec.Keep = append(at, spec.Keep...)
		n.op, err = NewLateral(&spec, in, out, functions, env)
	}
	return n, err
}

func (n *nested) open(in *column.Batch) { n.next.open(in) }

func (n *nested) push(p *part) error {
	n.origin.Values = append(n.origin.Values[:0], p.origin[:p.rows.N]...)
	n.rows = *p.rows
	n.rows.Cols = append(p.rows.Cols[:len(p.rows.Cols):len(p.rows.Cols)], n.origin)
	return n.op.Process(0, &n.rows, n)
}

// Emit implements operator.Emitter for the operator.
func (n *nested) Emit(b *column.Batch) error {
	n.result.N, n.result.Time, n.result.Cols = b.N, b.Time, b.Cols[1:]
	n.out = part{rows: &n.result, origin: b.Cols[0].(*column.Fixed[int32]).Values}
	return n.next.push(&n.out)
}

// Watermark implements operator.Emitter.
func (n *nested) Watermark(int64) error { return nil }

// Idle implements operator.Emitter.
func (n *nested) Idle() error { return nil }

func (n *nested) end() error { return n.next.end() }
