// Package lookup asks a table outside which row belongs to each row that comes in.
//
// In come batches, shuffled by the keys to ask for; out go the same batches with the table's columns behind their own. Of a
// batch, the keys whose answer is not remembered are asked for in one call, each once, and the batch goes on when the answer
// is there: nothing overtakes it, and a barrier finds no question open, so that there is no state. A key with a null is not
// asked for.
//
// Answers are remembered, misses too, within a bound of memory and perhaps for some time. Batches are borrowed; results are
// lent until the next call. Process blocks for as long as the table does.
package lookup

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/enrich"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// lookup is the operator.
type lookup struct {
	spec  *graph.LookupJoinSpec
	env   operator.Env
	table operator.Lookup
	cache *cache
	pairs *enrich.Joiner

	keys   []column.Vector
	hashes []uint64
	full   []int32 // rows whose keys have no null
	all    []int32
	slots  []int32
	ids    []int32
	// asked are rows of the batch with a key to ask for, each once, and askedSlots its slots; question has their keys.
	asked, askedSlots []int32
	question          []column.Appender
	questions         []column.Vector
}

// New makes the operator for spec over rows of schema in, with the table that it asks, which it closes.
func New(spec *graph.LookupJoinSpec, in *arrow.Schema, mode graph.Mode, table operator.Lookup, functions *expr.Functions, env operator.Env) (operator.Operator, error) {
	if len(spec.Keys) == 0 || len(spec.Keys) != len(spec.Table.PrimaryKey) {
		return nil, fault.Internalf("a lookup by %d keys asks a table with %d", len(spec.Keys), len(spec.Table.PrimaryKey))
	}
	if mode == graph.Updating {
		return nil, fault.Internalf("a lookup takes an append stream")
	}
	if env.Metrics == nil {
		env.Metrics = &operator.Metrics{}
	}
	o := &lookup{spec: spec, env: env, table: table, keys: make([]column.Vector, len(spec.Keys))}
	fields := make([]arrow.Field, len(spec.Keys))
	for i, k := range spec.Table.PrimaryKey {
		fields[i] = spec.Table.Schema.Field(k)
		c := column.NewAppender(fields[i].Type)
		o.question, o.questions = append(o.question, c), append(o.questions, c)
	}
	o.cache = newCache(spec.Table.Schema, fields, spec.CacheBytes, spec.CacheTTL)
	var err error
	o.pairs, err = enrich.New(spec.Kind, in, spec.Table.Schema, o.cache.rows, placeWord, spec.Residual, functions, env)
	return o, err
}

// Process implements operator.Operator.
func (o *lookup) Process(_ int, b *column.Batch, out operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	rows := b.Sel
	if rows == nil {
		o.all = column.AllRows(o.all, b.N)
		rows = o.all
	}
	o.full = append(o.full[:0], rows...)
	for i, k := range o.spec.Keys {
		o.keys[i] = b.Cols[k]
		o.full = valid(o.full, b.Cols[k].Validity())
	}
	o.hashes = column.HashColumns(o.hashes, o.keys, b.N, b.Sel)
	o.slots = o.cache.keys.FindOrInsert(o.hashes, o.keys, b.N, o.full, o.slots)
	if err := o.ask(b); err != nil {
		return err
	}
	o.ids = o.ids[:0]
	k := 0
	for _, r := range rows {
		id := enrich.None
		if k < len(o.full) && o.full[k] == r {
			id = o.cache.row(o.slots[k])
			k++
		}
		o.ids = append(o.ids, id)
	}
	res, err := o.pairs.Join(b, rows, o.ids)
	if err != nil {
		return err
	}
	if res.Rows() > 0 {
		if err := out.Emit(res); err != nil {
			return err
		}
	}
	o.cache.shrink()
	o.env.Metrics.StateBytes.Store(o.cache.size())
	return nil
}

func valid(rows []int32, v column.Bitmap) []int32 {
	if v == nil {
		return rows
	}
	kept := rows[:0]
	for _, r := range rows {
		if v.Get(int(r)) {
			kept = append(kept, r)
		}
	}
	return kept
}

// ask fetches the answers that are not remembered.
func (o *lookup) ask(b *column.Batch) error {
	now := int64(0)
	if o.spec.CacheTTL > 0 {
		now = o.env.Clock.Now().UnixNano()
	}
	o.asked, o.askedSlots = o.asked[:0], o.askedSlots[:0]
	for i, slot := range o.slots {
		if o.cache.open(slot, now) {
			o.asked, o.askedSlots = append(o.asked, o.full[i]), append(o.askedSlots, slot)
		}
	}
	if len(o.asked) == 0 {
		return nil
	}
	for i, c := range o.question {
		c.Reset()
		c.AppendSel(b.Cols[o.spec.Keys[i]], o.asked)
	}
	ctx := o.env.Context
	if ctx == nil {
		ctx = context.Background()
	}
	rows, at, err := o.table.Fetch(ctx, o.questions, len(o.asked))
	if err != nil {
		return err
	}
	if len(at) != len(o.asked) {
		return fault.Internalf("a lookup of %d keys gave %d answers", len(o.asked), len(at))
	}
	for i, slot := range o.askedSlots {
		o.cache.put(slot, rows, at[i], now)
	}
	return nil
}

// Watermark implements operator.Operator.
func (o *lookup) Watermark(int64, operator.Emitter) error { return nil }

// Snapshot implements operator.Operator; there is no state.
func (o *lookup) Snapshot(state.Writer) error { return nil }

// Finish implements operator.Operator.
func (o *lookup) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (o *lookup) Close() error { return o.table.Close() }
