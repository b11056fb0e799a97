package engine_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// The program of these tests: a source of (key, value) rows, a shuffle by key, a running total per key that is emitted
// at every flush, and a sink that keeps the last total of each key. All three keep state.

var rowSchema = arrow.NewSchema([]arrow.Field{
	{Name: "key", Type: arrow.PrimitiveTypes.Int64}, {Name: "value", Type: arrow.PrimitiveTypes.Int64},
}, nil)

func program(sources int) *graph.Program {
	p := &graph.Program{}
	for i := range sources {
		p.Nodes = append(p.Nodes, graph.Node{ID: fmt.Sprintf("source_%d", i), Spec: &graph.SourceSpec{}, Out: rowSchema})
	}
	p.Nodes = append(p.Nodes,
		graph.Node{ID: "total", Spec: &graph.UpdatingAggregateSpec{}, Out: rowSchema},
		graph.Node{ID: "sink", Spec: &graph.SinkSpec{}, MaxParallelism: 1})
	for i := range sources {
		p.Edges = append(p.Edges, graph.Edge{From: i, To: sources, Kind: graph.Shuffle, Keys: []int{0}})
	}
	p.Edges = append(p.Edges, graph.Edge{From: sources, To: sources + 1})
	return p
}

// fakes makes the operators and remembers what the sink held at the end.
type fakes struct {
	rows, keys int64 // rows per source, over all subtasks
	mu         sync.Mutex
	result     map[int64]int64
	// fail makes the total fail at this value.
	fail    int64
	blowUp  bool
	commits map[uint64]int
}

func (f *fakes) Source(n *graph.Node, env operator.Env) (operator.Source, error) {
	s := &source{f: f, env: env, out: column.NewBuilder(rowSchema, false)}
	for i := int64(env.Subtask); i < slices; i += int64(env.Parallelism) {
		s.slices = append(s.slices, i)
		s.next = append(s.next, 0)
	}
	if env.Restore == nil {
		return s, nil
	}
	return s, env.Restore.Global("s", func(k, v []byte) error {
		for j, slice := range s.slices {
			if int64(binary.LittleEndian.Uint64(k)) == slice {
				s.next[j] = int64(binary.LittleEndian.Uint64(v))
			}
		}
		return nil
	})
}

// slices is the number of partitions of a source; a subtask reads some of them.
const slices = 5

type source struct {
	f      *fakes
	env    operator.Env
	slices []int64
	next   []int64
	out    *column.Builder
}

func (s *source) Read(_ context.Context, out operator.Emitter) (operator.Status, error) {
	s.out.Reset()
	for j, slice := range s.slices {
		for range s.env.BatchRows {
			v := s.next[j]*slices + slice
			if v >= s.f.rows {
				break
			}
			s.next[j]++
			s.out.Column(0).(*column.Fixed[int64]).Append(v % s.f.keys)
			s.out.Column(1).(*column.Fixed[int64]).Append(v)
			s.out.AppendTime(v, column.Insert)
		}
	}
	if s.out.Rows() == 0 {
		return operator.Done, nil
	}
	return operator.Ready, out.Emit(s.out.Batch())
}

func (s *source) Snapshot(w state.Writer) error {
	for j, slice := range s.slices {
		w.Global("s", binary.LittleEndian.AppendUint64(nil, uint64(slice)), binary.LittleEndian.AppendUint64(nil, uint64(s.next[j])))
	}
	return nil
}

func (s *source) Close() error { return nil }

func (f *fakes) Operator(p *graph.Program, node int, _ *arrow.Schema, _ graph.Mode, env operator.Env) (operator.Operator, error) {
	if _, ok := p.Nodes[node].Spec.(*graph.SinkSpec); ok {
		k := &sink{f: f, last: map[int64]int64{}}
		if env.Restore == nil {
			return k, nil
		}
		return k, env.Restore.Global("k", func(key, v []byte) error {
			k.last[int64(binary.LittleEndian.Uint64(key))] = int64(binary.LittleEndian.Uint64(v))
			return nil
		})
	}
	t := &total{f: f, env: env, sums: map[int64]int64{}, out: column.NewBuilder(rowSchema, false)}
	if env.Restore == nil {
		return t, nil
	}
	return t, env.Restore.Keyed("t", env.Keys, func(c *state.Chunk) error {
		for i := range c.Rows() {
			if !env.Keys.Contains(c.Hash[i]) {
				return fmt.Errorf("row with hash %x outside %v", c.Hash[i], env.Keys)
			}
			t.sums[c.Words[0][i]] = c.Words[1][i]
		}
		return nil
	})
}

type total struct {
	f     *fakes
	env   operator.Env
	sums  map[int64]int64
	dirty map[int64]bool
	epoch int
	out   *column.Builder
}

func (t *total) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	keys, vals := b.Cols[0].(*column.Fixed[int64]), b.Cols[1].(*column.Fixed[int64])
	if t.dirty == nil {
		t.dirty = map[int64]bool{}
	}
	for _, r := range b.Selected(nil) {
		if t.f.fail != 0 && vals.Values[r] == t.f.fail {
			if t.f.blowUp {
				panic("boom")
			}
			return fmt.Errorf("value refused")
		}
		if !t.env.Keys.Contains(hashOf(keys.Values[r])) {
			return fmt.Errorf("key of another subtask")
		}
		t.sums[keys.Values[r]] += vals.Values[r]
		t.dirty[keys.Values[r]] = true
	}
	return nil
}

func hashOf(k int64) uint64 {
	v := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	v.Append(k)
	return column.HashColumns(nil, []column.Vector{v}, 1, nil)[0]
}

func (t *total) Flush(out operator.Emitter) error {
	t.out.Reset()
	for k := range t.dirty {
		t.out.Column(0).(*column.Fixed[int64]).Append(k)
		t.out.Column(1).(*column.Fixed[int64]).Append(t.sums[k])
		t.out.AppendTime(0, column.Insert)
	}
	return out.Emit(t.out.Batch())
}

// Snapshot writes the changed keys, and everything at each third epoch.
func (t *total) Snapshot(w state.Writer) error {
	t.epoch++
	base := t.epoch%3 == 0
	c := &state.Chunk{Words: make([][]int64, 2)}
	for k, v := range t.sums {
		if base || t.dirty[k] {
			c.Hash, c.Time = append(c.Hash, hashOf(k)), append(c.Time, 0)
			c.Words[0], c.Words[1] = append(c.Words[0], k), append(c.Words[1], v)
		}
	}
	t.dirty = nil
	w.Keyed("t", base, c)
	return nil
}

func (t *total) Watermark(int64, operator.Emitter) error { return nil }
func (t *total) Finish(operator.Emitter) error           { return nil }
func (t *total) Close() error                            { return nil }

type sink struct {
	f    *fakes
	last map[int64]int64
}

func (k *sink) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	for _, r := range b.Selected(nil) {
		k.last[b.Cols[0].(*column.Fixed[int64]).Values[r]] = b.Cols[1].(*column.Fixed[int64]).Values[r]
	}
	return nil
}

func (k *sink) Snapshot(w state.Writer) error {
	for key, v := range k.last {
		w.Global("k", binary.LittleEndian.AppendUint64(nil, uint64(key)), binary.LittleEndian.AppendUint64(nil, uint64(v)))
	}
	w.Commit([]byte{byte(w.Epoch())})
	return nil
}

func (k *sink) Commit(_ context.Context, epoch uint64, data [][]byte) error {
	k.f.mu.Lock()
	defer k.f.mu.Unlock()
	if k.f.commits == nil {
		k.f.commits = map[uint64]int{}
	}
	k.f.commits[epoch]++
	if len(data) != 1 || data[0][0] != byte(epoch) {
		return fmt.Errorf("wrong commit data")
	}
	return nil
}

func (k *sink) Watermark(int64, operator.Emitter) error { return nil }

func (k *sink) Finish(operator.Emitter) error {
	k.f.mu.Lock()
	defer k.f.mu.Unlock()
	k.f.result = map[int64]int64{}
	for key, v := range k.last {
		k.f.result[key] = v
	}
	return nil
}

func (k *sink) Close() error { return nil }

func (f *fakes) want(sources int64) map[int64]int64 {
	out := map[int64]int64{}
	for v := range f.rows {
		out[v%f.keys] += v * sources
	}
	return out
}
