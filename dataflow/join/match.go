package join

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state/multimap"
)

// maxRows is the most rows in one batch of results, maxPairs the most pairs in one block: few enough that what is read of a
// stored row to compare it is still at hand when it goes out.
const (
	maxRows  = 8192
	maxPairs = 1024
)

// joiner is what both operators have: two sides, and what it takes to find the pairs that match and to put rows out.
type joiner struct {
	on      graph.JoinOn
	env     operator.Env
	metrics *operator.Metrics
	sides   [2]side
	rules   []multimap.NullRule
	// nullable says which keys may match though they are null.
	nullable []bool
	// within, if set, keeps the pairs that are near enough in time.
	within func(own *side, b *column.Batch, p *multimap.Pairs)

	residual *expr.Predicate
	used     []usedColumn
	scratch  column.Batch

	out    output
	cursor multimap.Cursor
	pairs  multimap.Pairs
	all    []int32
	full   []int32 // rows whose keys can match
	null   []int32 // rows whose keys cannot
	known  []int32 // of rows of a NullAware join, those whose first key is not null
	open   []int32 // and those whose first key is null
}

// usedColumn is a column that the residual condition reads.
type usedColumn struct {
	port, input int
	col         column.Appender
}

func newJoiner(on graph.JoinOn, in [2]*arrow.Schema, updating bool, functions *expr.Functions, env operator.Env) (*joiner, error) {
	if len(on.LeftKeys) != len(on.RightKeys) || on.NullSafe != nil && len(on.NullSafe) != len(on.LeftKeys) {
		return nil, fault.Internalf("a join has %d keys on the left and %d on the right", len(on.LeftKeys), len(on.RightKeys))
	}
	if on.NullAware && (on.Kind != graph.AntiJoin || len(on.LeftKeys) == 0) {
		return nil, fault.Internalf("a join of kind %s cannot be null-aware", on.Kind)
	}
	j := &joiner{on: on, env: env, metrics: env.Metrics, rules: make([]multimap.NullRule, len(on.LeftKeys))}
	if j.metrics == nil {
		j.metrics = &operator.Metrics{}
	}
	for k := range j.rules {
		if on.NullSafe != nil && on.NullSafe[k] {
			j.rules[k] = multimap.NullSame
		}
	}
	if on.NullAware {
		j.rules[0] = multimap.NullAny
	}
	for _, r := range j.rules {
		j.nullable = append(j.nullable, r != multimap.NullNever)
	}
	for port := range j.sides {
		j.sides[port] = newSide(port, &on, in[port], in[left].NumFields())
	}
	j.out = newOutput(on.Kind, in, updating)
	j.out.leftTime = on.LeftTime
	return j, j.compileResidual(in, functions)
}

func (j *joiner) compileResidual(in [2]*arrow.Schema, functions *expr.Functions) error {
	if j.on.Residual == nil {
		return nil
	}
	fields := append(append([]arrow.Field(nil), in[left].Fields()...), in[right].Fields()...)
	schema := arrow.NewSchema(fields, nil)
	var opts []expr.Option
	if j.env.Clock != nil {
		opts = append(opts, expr.WithClock(j.env.Clock))
	}
	var err error
	if j.residual, err = expr.CompilePredicate(j.on.Residual, schema, functions, opts...); err != nil {
		return err
	}
	j.scratch = column.Batch{Schema: schema, Cols: make([]column.Vector, len(fields))}
	for i, f := range fields {
		if !uses(j.on.Residual, i) {
			continue
		}
		u := usedColumn{port: left, input: i, col: column.NewAppender(f.Type)}
		if n := in[left].NumFields(); i >= n {
			u.port, u.input = right, i-n
		}
		j.scratch.Cols[i] = u.col
		j.used = append(j.used, u)
	}
	return nil
}

// split divides rows of own into j.full, whose keys can match, and j.null, whose keys hold a null that equals nothing.
func (j *joiner) split(own *side, rows []int32) {
	j.full, j.null = column.SplitNulls(j.full, j.null, rows, own.keyCols, j.nullable)
}

// each calls f with blocks of all matching pairs of the rows with the other side's; p is lent until f returns.
func (j *joiner) each(own, other *side, b *column.Batch, rows []int32, f func(p *multimap.Pairs) error) error {
	if len(rows) == 0 || other.m.Len() == 0 {
		return nil
	}
	if !j.on.NullAware {
		other.m.Seek(&j.cursor, own.rows.Hashes, rows)
		return j.walk(own, other, b, f)
	}
	// What NOT IN cannot exclude: equal values, nulls there for a value here, and everything for a null here.
	j.known, j.open = j.known[:0], j.open[:0]
	for _, r := range rows {
		if own.keyCols[0].Validity().IsValid(int(r)) {
			j.known = append(j.known, r)
		} else {
			j.open = append(j.open, r)
		}
	}
	other.m.Seek(&j.cursor, own.rows.Hashes, j.known)
	if err := j.walk(own, other, b, f); err != nil {
		return err
	}
	// Where null happens to lead to the list that has been walked already, there is nothing more to find.
	apart := j.known[:0]
	for _, r := range j.known {
		if !multimap.SameList(own.rows.Hashes[r], own.ifNull[r]) {
			apart = append(apart, r)
		}
	}
	other.m.Seek(&j.cursor, own.ifNull, apart)
	if err := j.walk(own, other, b, f); err != nil {
		return err
	}
	other.m.SeekAll(&j.cursor, j.open)
	return j.walk(own, other, b, f)
}

// walk goes through the candidates at the cursor.
func (j *joiner) walk(own, other *side, b *column.Batch, f func(p *multimap.Pairs) error) error {
	p := &j.pairs
	for other.m.Next(&j.cursor, p, maxPairs) {
		for k, v := range own.keyCols {
			other.m.Same(p, other.where[other.keys[k]], v, j.rules[k])
		}
		if j.within != nil {
			j.within(own, b, p)
		}
		if err := j.filter(own, other, b, p); err != nil {
			return err
		}
		if p.Len() == 0 {
			continue
		}
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

// filter keeps the pairs for which the residual condition is true.
func (j *joiner) filter(own, other *side, b *column.Batch, p *multimap.Pairs) error {
	if j.residual == nil || p.Len() == 0 {
		return nil
	}
	for _, u := range j.used {
		u.col.Reset()
		if u.port == own.port {
			u.col.AppendSel(b.Cols[u.input], p.Rows)
		} else {
			other.m.Gather(other.where[u.input], u.col, p.IDs)
		}
	}
	j.scratch.N = p.Len()
	j.scratch.Time = j.scratch.Time[:0]
	for i, id := range p.IDs {
		j.scratch.Time = append(j.scratch.Time, max(b.Time[p.Rows[i]], other.m.Time(id)))
	}
	kept, err := j.residual.Select(&j.scratch)
	if err != nil {
		return err
	}
	for k, i := range kept {
		p.Rows[k], p.IDs[k] = p.Rows[i], p.IDs[i]
	}
	p.Rows, p.IDs = p.Rows[:len(kept)], p.IDs[:len(kept)]
	return nil
}

// size is the memory behind the state.
func (j *joiner) size() int64 { return j.sides[left].m.Size() + j.sides[right].m.Size() }
