package expr

import (
	"hash/maphash"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// Option changes how an expression is compiled.
type Option func(*exec)

// WithClock makes now() and its relatives read this clock; without it they read the machine's.
func WithClock(c clock.Clock) Option { return func(x *exec) { x.clock = c } }

// Evaluator computes a list of expressions over batches. It belongs to one goroutine.
type Evaluator struct {
	exec  exec
	nodes []*instance
	full  []materialiser
	out   []column.Vector
}

// exec is what evaluating one batch knows. Every instance remembers the epoch for which it holds a result.
type exec struct {
	batch *column.Batch
	n     int
	epoch uint64
	clock clock.Clock
	// now is the wall-clock time of the batch, read at most once per batch; valid if nowEpoch is epoch.
	now      time.Time
	nowEpoch uint64
}

// instance is a node made ready to run. It is evaluated at most once per batch, and selected from at most once per
// batch, both for all rows of its scope.
type instance struct {
	step  step
	epoch uint64
	out   column.Vector
	// pickedEpoch is the epoch for which picked holds the rows of sel, the rows of the scope, where the value is true.
	pickedEpoch uint64
	sel, picked []int32
}

// step evaluates one node.
type step interface {
	// eval computes the rows sel (all when nil) of a vector of x.n rows, or a *Const. Other rows are undefined. The result
	// lives until the next batch.
	eval(x *exec, sel []int32) (column.Vector, error)
}

func (x *exec) begin(b *column.Batch) {
	x.batch, x.n = b, b.N
	x.epoch++
}

func (x *exec) eval(i *instance, sel []int32) (column.Vector, error) {
	if i.epoch == x.epoch {
		return i.out, nil
	}
	if i.pickedEpoch == x.epoch {
		sel = i.sel
	}
	v, err := i.step.eval(x, sel)
	if err != nil {
		return nil, err
	}
	i.epoch, i.out = x.epoch, v
	return v, nil
}

// wallClock is the time of the batch.
func (x *exec) wallClock() time.Time {
	if x.nowEpoch != x.epoch {
		x.now, x.nowEpoch = x.clock.Now().UTC(), x.epoch
	}
	return x.now
}

// Compile makes an evaluator for nodes over batches of schema in; calls are looked up in fs. Equal sub-expressions are
// computed once per batch. Its faults are unknown functions and internal ones: what Functions.Call, CastTo and the other
// constructors made compiles.
func Compile(nodes []*Node, in *arrow.Schema, fs *Functions, opts ...Option) (*Evaluator, error) {
	e := &Evaluator{exec: exec{clock: clock.System{}}}
	for _, o := range opts {
		o(&e.exec)
	}
	c := newCompiler(in, fs)
	for _, n := range nodes {
		i, err := c.compile(n)
		if err != nil {
			return nil, err
		}
		e.nodes = append(e.nodes, i)
		_, literal := i.step.(*literalStep)
		e.full = append(e.full, materialiser{literal: literal})
	}
	e.out = make([]column.Vector, len(nodes))
	return e, nil
}

// Eval computes every node for the rows of b that count and gives one vector of b.N rows per node; other rows are
// undefined. A node that is a plain column gives the input's vector itself. The vectors are lent until the next Eval.
func (e *Evaluator) Eval(b *column.Batch) ([]column.Vector, error) {
	e.exec.begin(b)
	for i, n := range e.nodes {
		v, err := e.exec.eval(n, b.Sel)
		if err != nil {
			return nil, err
		}
		if c, ok := v.(*column.Const); ok {
			v = e.full[i].fill(c)
		}
		e.out[i] = v
	}
	return e.out, nil
}

// materialiser spreads constants over full vectors.
type materialiser struct {
	assign assigner
	// literal says that the constant is always the same one, so that filled rows stay as they are.
	literal bool
	filled  int
}

func (m *materialiser) fill(c *column.Const) column.Vector {
	if m.assign == nil {
		m.assign = newAssigner(c.Type())
	}
	if !m.literal || m.filled != c.N {
		m.assign.start(c.N)
		m.assign.assign(c, nil)
		m.filled = c.N
	}
	return m.assign.result()
}

// compiler makes instances from nodes. Scopes are nested as the selections are: an expression inside a branch may use
// the result of an equal one outside, which has been evaluated before and for at least the same rows, but not the other
// way round.
type compiler struct {
	in     *arrow.Schema
	fs     *Functions
	scopes []map[uint64][]shared
}

type shared struct {
	node *Node
	inst *instance
}

func newCompiler(in *arrow.Schema, fs *Functions) *compiler {
	c := &compiler{in: in, fs: fs}
	c.open()
	return c
}

func (c *compiler) open()  { c.scopes = append(c.scopes, make(map[uint64][]shared)) }
func (c *compiler) close() { c.scopes = c.scopes[:len(c.scopes)-1] }

// compileNarrow compiles n for a narrower selection than the current one.
func (c *compiler) compileNarrow(n *Node) (*instance, error) {
	c.open()
	defer c.close()
	return c.compile(n)
}

func (c *compiler) compile(n *Node) (*instance, error) {
	h := fingerprint(n)
	for _, scope := range c.scopes {
		for _, s := range scope[h] {
			if Equal(s.node, n) {
				return s.inst, nil
			}
		}
	}
	i, err := c.instance(n)
	if err != nil {
		return nil, err
	}
	if !c.volatile(n) {
		scope := c.scopes[len(c.scopes)-1]
		scope[h] = append(scope[h], shared{n, i})
	}
	return i, nil
}

func (c *compiler) instance(n *Node) (*instance, error) {
	if n.Kind == Call {
		if fn := c.fs.lookup(n.Name); fn != nil && fn.expand != nil {
			if e := fn.expand(n); e != nil {
				return c.compile(e)
			}
		}
	}
	st, err := c.step(n)
	return &instance{step: st}, err
}

func (c *compiler) volatile(n *Node) bool {
	found := false
	n.Walk(func(m *Node) bool {
		found = found || m.Kind == Call && c.fs.Volatility(m.Name) == Volatile
		return !found
	})
	return found
}

func (c *compiler) compileAll(nodes []*Node) ([]*instance, error) {
	out := make([]*instance, len(nodes))
	for i, n := range nodes {
		var err error
		if out[i], err = c.compile(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *compiler) step(n *Node) (step, error) {
	switch n.Kind {
	case Column:
		if c.in != nil && n.Index >= c.in.NumFields() {
			return nil, fault.Internalf("expression reads column %d of %d", n.Index, c.in.NumFields())
		}
		return columnStep{n.Index}, nil
	case Literal:
		return newLiteralStep(n), nil
	case RowTime:
		return &rowTimeStep{}, nil
	case Field:
		arg, err := c.compile(n.Args[0])
		if err != nil {
			return nil, err
		}
		return newFieldStep(n, arg), nil
	case Cast, TryCast:
		return c.castStep(n)
	case Case:
		return c.caseStep(n)
	case Call:
		return c.callStep(n)
	}
	return nil, fault.Internalf("expression node of kind %d", n.Kind)
}

func (c *compiler) callStep(n *Node) (step, error) {
	fn := c.fs.lookup(n.Name)
	if fn == nil {
		return nil, fault.Userf(CodeUnknownFunction, n.Span, "there is no function %q", n.Name)
	}
	if fn.special != nil {
		return fn.special(c, n)
	}
	mk := fn.make
	if mk == nil {
		o, cost := fn.find(n.Args)
		if o == nil || cost != 0 {
			return nil, fault.Internalf("call of %s was not resolved", n.Name)
		}
		mk = o.make
	}
	args, err := c.compileAll(n.Args)
	if err != nil {
		return nil, err
	}
	k := mk(n)
	if k == nil {
		return nil, fault.Internalf("%s has no kernel for its arguments", n.Name)
	}
	return &callStep{node: n, name: fn.display(), args: args, kernel: k, callsNull: fn.callsNull, stable: fn.volatility != Volatile}, nil
}

var fingerprintSeed = maphash.MakeSeed()

// fingerprint is equal for equal nodes.
func fingerprint(n *Node) uint64 {
	h := uint64(n.Kind)*0x9e3779b97f4a7c15 + uint64(n.Index)
	if n.Kind == Call {
		h ^= maphash.String(fingerprintSeed, n.Name)
	}
	switch v := n.Value.(type) {
	case int64:
		h ^= uint64(v) * 0xff51afd7ed558ccd
	case uint64:
		h ^= v * 0xff51afd7ed558ccd
	case float64:
		h ^= math.Float64bits(v) * 0xff51afd7ed558ccd
	case string:
		h ^= maphash.String(fingerprintSeed, v)
	}
	for _, a := range n.Args {
		h = h*31 + fingerprint(a)
	}
	return h
}
