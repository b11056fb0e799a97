package asof

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/enrich"
	"wadi/dataflow/eventtime"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// left and right are the ports.
const (
	left  = 0
	right = 1
)

// asof is the operator.
type asof struct {
	spec     *graph.AsofJoinSpec
	env      operator.Env
	metrics  *operator.Metrics
	outer    bool
	in       [2]*arrow.Schema
	sides    [2]side
	progress ordered.Progress
	way      way
	order    *ordered.Key
	pairs    *enrich.Pairs

	// Of a sweep: the rows of each side that are due. Those of a block of them stand in columns. right are the columns that
	// the left rows are paired with, at has for each of these the row there, matched are those that have one.
	due         [2][]entry
	blocks      [2]block
	right       *column.Builder
	rightIn     []column.Appender
	at, matched []int32

	rows, full, null []int32
	times            []int64
	one, other       []byte
}

// way is a direction in which right rows are looked for.
type way interface {
	// late takes right rows that the watermark has passed, which are a block.
	late()
	// sweep answers the left rows that are due, as far as the watermark w allows.
	sweep(w int64, out operator.Emitter) error
	save(w state.Writer)
	load(r state.Reader) error
	size() int64
}

// side is one input.
type side struct {
	keys   []int
	cols   []column.Vector
	hashes []uint64
	all    []int32
	pen    pen
}

// block is rows of one side, with what is looked up for them.
type block struct {
	rows   *column.Builder
	keys   []column.Vector
	hashes []uint64
	slots  []int32
}

// New makes the operator for spec over rows of these schemas, left and right; modes are theirs. It reads env.Restore.
func New(spec *graph.AsofJoinSpec, in [2]*arrow.Schema, modes [2]graph.Mode, functions *expr.Functions, env operator.Env) (operator.Operator, error) {
	if err := check(spec, in, modes); err != nil {
		return nil, err
	}
	if env.Metrics == nil {
		env.Metrics = &operator.Metrics{}
	}
	j := &asof{spec: spec, env: env, metrics: env.Metrics, outer: spec.Kind == graph.LeftJoin, in: in, progress: ordered.NewProgress()}
	for port, keys := range [2][]int{spec.LeftKeys, spec.RightKeys} {
		changes := modes[port] == graph.Updating
		j.sides[port] = side{keys: keys, cols: make([]column.Vector, len(keys)), pen: pen{schema: in[port], updating: changes}}
		j.blocks[port] = newBlock(in[port], keys, changes)
	}
	j.order = ordered.NewKey(in[right], spec.Order, false)
	j.right, j.rightIn = newColumns(in[right])
	var err error
	if j.pairs, err = enrich.NewPairs(spec.Kind, in[left], in[right], spec.Residual, functions, env); err != nil {
		return nil, err
	}
	var op operator.Operator = j
	if !spec.Forward {
		j.way = newBackward(j)
	} else {
		f := newForward(j)
		if j.way = f; j.outer {
			op = &holding{j, f, math.MinInt64}
		}
	}
	if env.Restore != nil {
		if err := j.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	return op, nil
}

func check(spec *graph.AsofJoinSpec, in [2]*arrow.Schema, modes [2]graph.Mode) error {
	switch {
	case len(spec.LeftKeys) != len(spec.RightKeys) || spec.NullSafe != nil && len(spec.NullSafe) != len(spec.LeftKeys):
		return fault.Internalf("a join has %d keys on the left and %d on the right", len(spec.LeftKeys), len(spec.RightKeys))
	case spec.NullAware:
		return fault.Internalf("a join of the nearest rows cannot be null-aware")
	case modes[left] != graph.Append, modes[right] != graph.Append && !spec.Latest:
		return fault.Internalf("a join of the nearest rows takes append streams and versioned tables")
	case spec.Versioned && (spec.Forward || spec.Strict):
		return fault.Internalf("a version is valid from its time on")
	case spec.Reach < 0 || spec.TTL < 0:
		return fault.Internalf("a row reaches %d far, an end is remembered for %d", spec.Reach, spec.TTL)
	case spec.Forward && spec.Residual != nil:
		return fault.Internalf("a join that looks forward has no further condition")
	case spec.Ended >= in[right].NumFields():
		return fault.Internalf("there is no column %d among %d", spec.Ended, in[right].NumFields())
	case spec.Ended >= 0 && in[right].Field(spec.Ended).Type.ID() != arrow.TIMESTAMP:
		return fault.Internalf("a version ends at a %s", in[right].Field(spec.Ended).Type)
	}
	return nil
}

func newBlock(schema *arrow.Schema, keys []int, changes bool) block {
	b := block{rows: column.NewBuilder(schema, changes)}
	for _, k := range keys {
		b.keys = append(b.keys, b.rows.Column(k))
	}
	return b
}

func newColumns(schema *arrow.Schema) (*column.Builder, []column.Appender) {
	b := column.NewBuilder(schema, false)
	var cols []column.Appender
	for i := range schema.NumFields() {
		cols = append(cols, b.Column(i))
	}
	return b, cols
}

// keyFields are the fields by which the keys of both sides are looked up. Nulls are only looked for where they are safe.
func (j *asof) keyFields() []arrow.Field {
	fields := make([]arrow.Field, len(j.spec.RightKeys))
	for i, k := range j.spec.RightKeys {
		fields[i] = j.in[right].Field(k)
		safe := j.spec.NullSafe != nil && j.spec.NullSafe[i]
		fields[i].Nullable = safe && (fields[i].Nullable || j.in[left].Field(j.spec.LeftKeys[i]).Nullable)
	}
	return fields
}

// Process implements operator.Operator.
func (j *asof) Process(port int, b *column.Batch, out operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	s := &j.sides[port]
	rows := b.Sel
	if rows == nil {
		s.all = column.AllRows(s.all, b.N)
		rows = s.all
	}
	for i, k := range s.keys {
		s.cols[i] = b.Cols[k]
	}
	s.hashes = column.HashColumns(s.hashes, s.cols, b.N, b.Sel)
	if port == left {
		return j.takeLeft(s, b, rows, out)
	}
	j.takeRight(s, b, rows)
	return nil
}

// takeLeft holds the left rows that are not late, and answers at once those whose key equals nothing.
func (j *asof) takeLeft(s *side, b *column.Batch, rows []int32, out operator.Emitter) error {
	j.rows = j.rows[:0]
	for _, r := range rows {
		if !j.progress.Passed(s.hashes[r], b.Time[r]) {
			j.rows = append(j.rows, r)
		}
	}
	j.metrics.LateRows.Add(int64(len(rows) - len(j.rows)))
	j.split(s, j.rows)
	s.pen.hold(b, j.full, s.hashes)
	if !j.outer || len(j.null) == 0 {
		return nil
	}
	part := *b
	part.Sel = j.null
	j.begin(b.N)
	return j.emit(&part, out)
}

// takeRight holds the right rows, and lets late ones count at once.
func (j *asof) takeRight(s *side, b *column.Batch, rows []int32) {
	part := *b
	if b.Change != nil {
		rows = j.ends(&part, rows)
	}
	j.split(s, rows)
	waiting, late := j.full[:0], j.rows[:0]
	for _, r := range j.full {
		if j.progress.Passed(s.hashes[r], part.Time[r]) {
			late = append(late, r)
		} else {
			waiting = append(waiting, r)
		}
	}
	s.pen.hold(&part, waiting, s.hashes)
	if j.rows = late; len(late) == 0 {
		return
	}
	j.metrics.LateRows.Add(int64(len(late)))
	k := &j.blocks[right]
	k.rows.Reset()
	k.rows.AppendSel(&part, late)
	k.hashes = k.hashes[:0]
	for _, r := range late {
		k.hashes = append(k.hashes, s.hashes[r])
	}
	j.way.late()
}

// ends leaves of the rows of a changelog those that count: insertions, and retractions that tell an end, whose time that is.
func (j *asof) ends(b *column.Batch, rows []int32) []int32 {
	var ended *column.Fixed[int64]
	if j.spec.Ended >= 0 {
		ended = b.Cols[j.spec.Ended].(*column.Fixed[int64])
		j.times = append(j.times[:0], b.Time[:b.N]...)
		b.Time = j.times
	}
	j.rows = j.rows[:0]
	for _, r := range rows {
		if b.Change[r] == column.Insert {
			j.rows = append(j.rows, r)
		} else if ended != nil && ended.Valid.IsValid(int(r)) {
			b.Time[r] = max(b.Time[r], ended.Values[r])
			j.rows = append(j.rows, r)
		}
	}
	return j.rows
}

// split divides rows into j.full, whose keys can match, and j.null, of whose keys one is a null that equals nothing.
func (j *asof) split(s *side, rows []int32) {
	j.full, j.null = column.SplitNulls(j.full, j.null, rows, s.cols, j.spec.NullSafe)
	slices.Sort(j.null)
}

// compare orders right rows of one key by time, and those of one time so that looking backward the last one counts; the first
// has come before the second. Rows are given by their columns.
func (j *asof) compare(a *column.Batch, x int, b *column.Batch, y int) int {
	if c := cmp.Compare(a.Time[x], b.Time[y]); c != 0 || j.spec.Latest {
		return c
	}
	j.one, j.other = j.bytes(j.one[:0], a, x), j.bytes(j.other[:0], b, y)
	return bytes.Compare(j.other, j.one)
}

// bytes appends what orders right rows of one time.
func (j *asof) bytes(buf []byte, b *column.Batch, i int) []byte {
	return ordered.AppendRow(j.order.Append(buf, b.Cols, b.Time[i], i), b.Cols, i)
}

// Watermark implements operator.Operator: it answers the left rows that it passes.
func (j *asof) Watermark(w int64, out operator.Emitter) error {
	if !j.progress.Advance(w) {
		return nil
	}
	for port := range j.due {
		j.due[port] = j.sides[port].pen.queue.before(w, j.due[port][:0])
	}
	err := j.way.sweep(w, out)
	size := j.way.size()
	for port := range j.sides {
		size += j.sides[port].pen.size()
	}
	j.metrics.StateBytes.Store(size)
	return err
}

// reaches reports whether two times, the earlier one first, are near enough for a match.
func (j *asof) reaches(from, to int64) bool {
	return j.spec.Reach == 0 || to <= eventtime.Add(from, j.spec.Reach)
}

// fill makes rows that are due the block of their side.
func (j *asof) fill(port int, due []entry) {
	b := &j.blocks[port]
	b.rows.Reset()
	b.hashes = j.sides[port].pen.take(due, b.rows, b.hashes[:0])
}

// begin starts pairing a batch of n left rows: none has a match yet.
func (j *asof) begin(n int) {
	if cap(j.at) < n {
		j.at = make([]int32, n+n/4)
	}
	j.at, j.matched = j.at[:n], j.matched[:0]
	clear(j.at)
	j.right.Reset()
	if j.outer {
		for _, c := range j.rightIn {
			c.AppendNull()
		}
	}
}

// none is the number of rows in front of those that match.
func (j *asof) none() int32 {
	if j.outer {
		return 1
	}
	return 0
}

// emit puts out left rows with their matches.
func (j *asof) emit(b *column.Batch, out operator.Emitter) error {
	if len(j.matched) == 0 && !j.outer {
		return nil
	}
	res, err := j.pairs.Join(b, j.rightIn, j.at, j.matched)
	if err != nil || res.Rows() == 0 {
		return err
	}
	return out.Emit(res)
}

// Finish implements operator.Operator.
func (j *asof) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (j *asof) Close() error { return nil }
