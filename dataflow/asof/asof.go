package asof

import (
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

// maxRows is the most rows in one batch of results.
const maxRows = 8192

// Words of a key: its current right row plus one, or looking forward the first of the left rows that wait, and how many rows
// of both sides are kept for it.
const (
	rowWord = iota
	usesWord
	keyWords
)

// Words of a row. Of a left row: the slot of its key, those before and behind it in the list of those that wait, plus one,
// and whether it does. Of a right one: the slot, the place that package enrich needs, its number in the order of changes,
// and whether it ends the one before.
const (
	slotWord = iota
	beforeWord
	behindWord
	waitsWord
	leftWords

	placeWord  = 1
	numberWord = 2
	endWord    = 3
	rightWords = 4
)

// asof is the operator.
type asof struct {
	spec    *graph.AsofJoinSpec
	env     operator.Env
	metrics *operator.Metrics
	outer   bool

	sides    [2]side
	keys     *state.Table
	layout   *state.Layout
	progress ordered.Progress
	// swept are the rows that go at some watermark without another row's doing: current right rows, by the last time at which
	// they are of use, or left rows that wait, by their own. Those that have gone already are passed over.
	swept queue
	// number counts the right rows.
	number int64
	pairs  *enrich.Joiner

	// Of a sweep: the rows of each side that are due, the pairs found, and what can be dropped when those are out.
	due        [2][]int32
	lefts, ids []int32
	gone       []int32
	rows       []int32
	full, null []int32
	batch      *column.Builder
	batchIn    []column.Appender
}

// side is one input.
type side struct {
	keys    []int
	cols    []column.Vector
	hashes  []uint64
	slots   []int32
	rows    *ordered.Rows
	order   *ordered.Key
	pending queue
	prefix  []uint64
	all     []int32
}

// New makes the operator for spec over rows of these schemas, left and right; modes are theirs. It reads env.Restore.
func New(spec *graph.AsofJoinSpec, in [2]*arrow.Schema, modes [2]graph.Mode, functions *expr.Functions, env operator.Env) (operator.Operator, error) {
	if err := check(spec, in, modes); err != nil {
		return nil, err
	}
	if env.Metrics == nil {
		env.Metrics = &operator.Metrics{}
	}
	j := &asof{spec: spec, env: env, metrics: env.Metrics, outer: spec.Kind == graph.LeftJoin, progress: ordered.NewProgress()}
	j.sides[left] = newSide(in[left], spec.LeftKeys, nil, leftWords)
	j.sides[right] = newSide(in[right], spec.RightKeys, spec.Order, rightWords)
	fields := make([]arrow.Field, len(spec.RightKeys))
	for i, k := range spec.RightKeys {
		fields[i] = in[right].Field(k)
	}
	j.layout = state.NewLayout(fields, keyWords)
	j.keys = state.NewTable(j.layout)
	j.batch = column.NewBuilder(in[left], false)
	for i := range in[left].NumFields() {
		j.batchIn = append(j.batchIn, j.batch.Column(i))
	}
	var err error
	if j.pairs, err = enrich.New(spec.Kind, in[left], in[right], j.sides[right].rows, placeWord, spec.Residual, functions, env); err != nil {
		return nil, err
	}
	if env.Restore != nil {
		if err := j.restore(env.Restore, in); err != nil {
			return nil, err
		}
	}
	if spec.Forward && j.outer {
		return &holding{j, math.MinInt64}, nil
	}
	return j, nil
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

func newSide(in *arrow.Schema, keys []int, order []graph.Order, words int) side {
	s := side{keys: keys, cols: make([]column.Vector, len(keys)), order: ordered.NewKey(in, order, false)}
	s.rows = ordered.NewRows(in, s.order, words)
	return s
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
	if j.outer && len(j.null) > 0 {
		j.ids = j.ids[:0]
		for range j.null {
			j.ids = append(j.ids, enrich.None)
		}
		part := *b
		part.Sel = j.null
		res, err := j.pairs.Join(&part, j.null, j.ids)
		if err != nil {
			return err
		}
		if err := out.Emit(res); err != nil {
			return err
		}
	}
	s.slots = j.keys.FindOrInsert(s.hashes, s.cols, b.N, j.full, s.slots)
	s.prefix = s.order.Prefixes(s.prefix, b, j.full)
	for i, r := range j.full {
		j.keep(s, s.rows.Put(s.hashes[r], b.Time[r], s.rows.Encode(b, int(r), s.prefix[r])), s.slots[i])
	}
	return nil
}

// takeRight holds the right rows, and lets late ones take their place at once.
func (j *asof) takeRight(s *side, b *column.Batch, rows []int32) {
	var ended *column.Fixed[int64]
	if j.spec.Ended >= 0 {
		ended = b.Cols[j.spec.Ended].(*column.Fixed[int64])
	}
	if b.Change != nil {
		j.rows = j.rows[:0]
		for _, r := range rows {
			if b.Change[r] == column.Insert || ended != nil && ended.Valid.IsValid(int(r)) {
				j.rows = append(j.rows, r)
			}
		}
		rows = j.rows
	}
	j.split(s, rows)
	s.slots = j.keys.FindOrInsert(s.hashes, s.cols, b.N, j.full, s.slots)
	s.prefix = s.order.Prefixes(s.prefix, b, j.full)
	late := int64(0)
	for i, r := range j.full {
		t := b.Time[r]
		ends := b.Change != nil && b.Change[r] == column.Retract
		if ends {
			t = max(t, ended.Values[r])
		}
		id := s.rows.Put(s.hashes[r], t, s.rows.Encode(b, int(r), s.prefix[r]))
		own := s.rows.Own(id)
		own[numberWord] = j.number
		j.number++
		if ends {
			own[endWord] = 1
		}
		if !j.progress.Passed(s.hashes[r], t) {
			j.keep(s, id, s.slots[i])
			continue
		}
		late++
		j.use(s, id, s.slots[i])
		if j.spec.Forward {
			j.gone = append(j.gone, id)
		} else {
			j.take(id)
		}
	}
	j.dropGone()
	j.metrics.LateRows.Add(late)
}

// split divides rows into j.full, whose keys can match, and j.null, of whose keys one is a null that equals nothing.
func (j *asof) split(s *side, rows []int32) {
	j.full, j.null = column.SplitNulls(j.full, j.null, rows, s.cols, j.spec.NullSafe)
	slices.Sort(j.null)
}

// keep holds a row of a side until the watermark passes it.
func (j *asof) keep(s *side, id, slot int32) {
	j.use(s, id, slot)
	s.pending.push(entry{s.rows.Time(id), s.rows.Age(id), id})
}

// use counts a row for its key.
func (j *asof) use(s *side, id, slot int32) {
	s.rows.Own(id)[slotWord] = int64(slot)
	j.key(slot)[usesWord]++
}

// key is the words of a key.
func (j *asof) key(slot int32) []int64 {
	words, stride := j.keys.Values()
	return words[int(slot)*stride : int(slot)*stride+keyWords]
}

// drop forgets a row, and its key when nothing else is kept for it.
func (j *asof) drop(port int, id int32) {
	rows := j.sides[port].rows
	slot := int32(rows.Own(id)[slotWord])
	rows.Free(id, !j.passes(port))
	if k := j.key(slot); k[usesWord] == 1 {
		j.keys.Delete(slot)
	} else {
		k[usesWord]--
	}
}

// take makes a right row the current one of its key, unless that is newer. The loser goes when results are out.
func (j *asof) take(id int32) {
	rows := j.sides[right].rows
	k := j.key(int32(rows.Own(id)[slotWord]))
	if old := int32(k[rowWord]) - 1; old >= 0 {
		if j.compare(old, id) > 0 {
			j.gone = append(j.gone, id)
			return
		}
		j.gone = append(j.gone, old)
	}
	k[rowWord] = int64(id) + 1
	if j.reach(id) > 0 {
		j.swept.push(entry{eventtime.Add(rows.Time(id), j.reach(id)), rows.Age(id), id})
	}
}

// reach is for how long a current right row is of use; 0 is for good. An end matches nothing, and is kept only so that
// late versions from before it do not take its place.
func (j *asof) reach(id int32) int64 {
	if j.sides[right].rows.Own(id)[endWord] == 0 {
		return j.spec.Reach
	}
	if j.spec.Reach > 0 && (j.spec.TTL == 0 || j.spec.TTL > j.spec.Reach) {
		return j.spec.Reach
	}
	return j.spec.TTL
}

// compare orders right rows of one key by time, and those of one time so that looking backward the last one counts.
func (j *asof) compare(a, b int32) int {
	rows := j.sides[right].rows
	if c := order(rows.Time(a), rows.Time(b)); c != 0 {
		return c
	}
	if j.spec.Latest {
		return order(rows.Own(a)[numberWord], rows.Own(b)[numberWord])
	}
	return rows.CompareRows(b, a)
}

func order(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (j *asof) dropGone() {
	for _, id := range j.gone {
		j.drop(right, id)
	}
	j.gone = j.gone[:0]
}

// Watermark implements operator.Operator: it answers the left rows that it passes.
func (j *asof) Watermark(w int64, out operator.Emitter) error {
	for port := range j.due {
		j.due[port] = j.due[port][:0]
	}
	if !j.progress.Advance(w) {
		return nil
	}
	for port := range j.due {
		j.due[port] = j.sides[port].pending.before(w, j.due[port])
	}
	j.sort(j.due[right])
	var err error
	if j.spec.Forward {
		err = j.sweepForward(w, out)
	} else {
		err = j.sweep(w, out)
	}
	j.metrics.StateBytes.Store(j.size())
	return err
}

// sort puts right rows that are in the order of their times into the order of compare.
func (j *asof) sort(ids []int32) {
	rows := j.sides[right].rows
	for from := 0; from < len(ids); {
		to := from + 1
		for to < len(ids) && rows.Time(ids[to]) == rows.Time(ids[from]) {
			to++
		}
		if to > from+1 {
			slices.SortFunc(ids[from:to], j.compare)
		}
		from = to
	}
}

// sweep lets the right rows that are due take their places and answers the left ones.
func (j *asof) sweep(w int64, out operator.Emitter) error {
	lefts, rights := j.sides[left].rows, j.sides[right].rows
	next := 0
	for due := j.due[left]; len(due) > 0; {
		n := min(len(due), maxRows)
		j.lefts, j.ids = due[:n], j.ids[:0]
		for _, id := range j.lefts {
			t := lefts.Time(id)
			for ; next < len(j.due[right]); next++ {
				if at := rights.Time(j.due[right][next]); at > t || at == t && j.spec.Strict {
					break
				}
				j.take(j.due[right][next])
			}
			match := int32(j.key(int32(lefts.Own(id)[slotWord]))[rowWord]) - 1
			if match != enrich.None && (rights.Own(match)[endWord] != 0 || !j.reaches(rights.Time(match), t)) {
				match = enrich.None
			}
			j.ids = append(j.ids, match)
		}
		if err := j.emit(j.lefts, out); err != nil {
			return err
		}
		due = due[n:]
	}
	for _, id := range j.due[right][next:] {
		j.take(id)
	}
	for e, ok := j.swept.first(); ok && e.time < w; e, ok = j.swept.first() {
		j.swept.pop()
		if !rights.Alive(e.id) || rights.Age(e.id) != e.age {
			continue
		}
		if k := j.key(int32(rights.Own(e.id)[slotWord])); k[rowWord] == int64(e.id)+1 {
			k[rowWord] = 0
			j.gone = append(j.gone, e.id)
		}
	}
	j.dropGone()
	return nil
}

// reaches reports whether two times, the earlier one first, are near enough for a match.
func (j *asof) reaches(from, to int64) bool {
	return j.spec.Reach == 0 || to <= eventtime.Add(from, j.spec.Reach)
}

// emit puts out left rows with the right rows in j.ids, and forgets them.
func (j *asof) emit(ids []int32, out operator.Emitter) error {
	lefts, rights := j.sides[left].rows, j.sides[right].rows
	j.batch.Reset()
	k := 0
	for i, id := range ids {
		if j.ids[i] == enrich.None && !j.outer {
			continue
		}
		t := lefts.Time(id)
		if j.ids[i] != enrich.None {
			t = max(t, rights.Time(j.ids[i]))
		}
		lefts.Append(id, j.batchIn)
		j.batch.AppendTime(t, column.Insert)
		j.ids[k] = j.ids[i]
		k++
	}
	if k > 0 {
		b := j.batch.Batch()
		j.sides[left].all = column.AllRows(j.sides[left].all, b.N)
		res, err := j.pairs.Join(b, j.sides[left].all, j.ids[:k])
		if err != nil {
			return err
		}
		if res.Rows() > 0 {
			if err := out.Emit(res); err != nil {
				return err
			}
		}
	}
	for _, id := range ids {
		j.drop(left, id)
	}
	j.dropGone()
	return nil
}

func (j *asof) size() int64 {
	n := j.keys.Size() + j.swept.size()
	for i := range j.sides {
		n += j.sides[i].rows.Size() + j.sides[i].pending.size()
	}
	return n
}

// Finish implements operator.Operator.
func (j *asof) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (j *asof) Close() error { return nil }
