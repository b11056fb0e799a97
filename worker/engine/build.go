package engine

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

// build makes the tasks: operators are chained to their only input where both ends have the same subtasks, and queues
// stand everywhere else.
func (e *Engine) build() error {
	b := &builder{e: e, p: e.config.Program, subtasks: e.config.Program.Subtasks(e.config.Parallelism)}
	b.instances = make([][]*instance, len(b.p.Nodes))
	for node := range b.p.Nodes {
		b.instances[node] = make([]*instance, b.subtasks[node])
		for k := range b.instances[node] {
			if err := b.place(node, k); err != nil {
				return err
			}
		}
	}
	for _, edge := range b.p.Edges {
		if !b.chained(edge) {
			b.connect(edge)
		}
	}
	return nil
}

type builder struct {
	e         *Engine
	p         *graph.Program
	subtasks  []int
	instances [][]*instance
}

// chained reports whether an edge is a direct call: the only input of its target, with equal subtasks on both ends, and
// not a shuffle among several.
func (b *builder) chained(edge graph.Edge) bool {
	if b.e.config.NoChaining || b.subtasks[edge.From] != b.subtasks[edge.To] || len(b.p.In(edge.To)) != 1 {
		return false
	}
	return edge.Kind == graph.Forward || b.subtasks[edge.To] == 1
}

// place makes the operator of a node at one subtask and puts it into a task: its predecessor's, or one of its own.
func (b *builder) place(node, subtask int) error {
	n := &b.p.Nodes[node]
	i := &instance{node: n, metrics: &operator.Metrics{}, keys: column.Range(subtask, b.subtasks[node]), granularity: b.p.WatermarkGranularity(node)}
	i.metrics.Watermark.Store(-1 << 63)
	in := b.p.In(node)
	if len(in) == 1 && b.chained(in[0]) {
		from := b.instances[in[0].From][subtask]
		i.task = from.task
		from.outs = append(from.outs, direct{to: i, port: in[0].Input})
	} else {
		i.task = &task{engine: b.e, subtask: subtask, head: i, wakeup: make(chan struct{}, 1)}
		b.e.tasks = append(b.e.tasks, i.task)
	}
	b.instances[node][subtask] = i
	b.e.byID[i.id()] = i
	env := b.env(i, subtask, b.subtasks[node])
	if graph.IsSource(n.Spec) {
		src, err := b.e.config.Constructor.Source(n, env)
		if err != nil {
			return i.blame(err)
		}
		i.task.source = src
		i.task.links = append(i.task.links, i)
		return nil
	}
	schema, mode, err := b.input(node)
	if err != nil {
		return err
	}
	op, err := b.e.config.Constructor.Operator(b.p, node, schema, mode, env)
	if err != nil {
		return i.blame(err)
	}
	i.adopt(op, b.e)
	if w := env.Restore; w != nil && !i.makes {
		i.reached, i.hasReached = w.Watermark()
	}
	i.task.links = append(i.task.links, i)
	return nil
}

// adopt finds out what the operator can do beside the minimum.
func (i *instance) adopt(op operator.Operator, e *Engine) {
	i.op = op
	_, i.makes = op.(operator.WatermarkMaker)
	i.flusher, _ = op.(operator.Flusher)
	if t, ok := op.(operator.Ticker); ok && t.TickInterval() > 0 {
		i.ticker = t
		i.nextTick = e.config.Clock.Now().Add(t.TickInterval())
	}
}

func (b *builder) env(i *instance, subtask, parallelism int) operator.Env {
	c := &b.e.config
	env := operator.Env{
		JobID: c.JobID, OperatorID: i.node.ID, Subtask: subtask, Parallelism: parallelism,
		Keys: i.keys, Context: b.e.ctx, Clock: c.Clock, BatchRows: c.BatchRows, Linger: c.Linger,
		Wake: i.task.wake, Metrics: i.metrics, IO: c.IO,
		Report: func(err error) { c.Listener.Nonfatal(i.id(), i.blame(err)) },
	}
	if c.Restore != nil {
		if s := c.Restore(i.node.ID); s != nil {
			env.Restore = &stateReader{ctx: b.e.ctx, store: c.Store, state: *s}
		}
	}
	return env
}

// input describes the rows that come into a node: the schema of its first input, and whether any row may be retracted.
func (b *builder) input(node int) (*arrow.Schema, graph.Mode, error) {
	in := b.p.In(node)
	if len(in) == 0 {
		return nil, 0, fault.Internalf("operator %s has no input", b.p.Nodes[node].ID)
	}
	mode := graph.Append
	for _, e := range in {
		if b.p.Nodes[e.From].Mode == graph.Updating {
			mode = graph.Updating
		}
	}
	schema, _ := b.p.Input(node, in[0].Input)
	return schema, mode, nil
}

// connect puts a queue between every pair of subtasks of an edge that exchange rows.
func (b *builder) connect(edge graph.Edge) {
	from, to := b.instances[edge.From], b.instances[edge.To]
	updating := b.p.Nodes[edge.From].Mode == graph.Updating
	paired := edge.Kind == graph.Forward && len(from) == len(to)
	for s, f := range from {
		receivers := to
		if paired {
			receivers = to[s : s+1]
		}
		queues := make([]*queue, len(receivers))
		for k, r := range receivers {
			q := newQueue(max(minQueueBytes, b.e.config.QueueBytes/len(receivers)), b.e.config.Synchronous)
			q.wake = r.task.wake
			queues[k] = q
			r.task.inputs = append(r.task.inputs, &input{queue: q, port: edge.Input, watermark: -1 << 63})
		}
		x := newExchange(b.e.ctx, queues, b.p.Nodes[edge.From].Out, updating, edge.Kind == graph.Shuffle, edge.Keys, s, b.e.config.BatchRows)
		f.outs = append(f.outs, x)
		f.task.exchanges = append(f.task.exchanges, x)
	}
}
