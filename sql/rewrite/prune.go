package rewrite

import (
	"slices"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/sql/logical"
)

// pruneColumns leaves out columns that nobody reads, and tells every scan which paths are read, members of structs
// included, so that a source can leave the others null.
var pruneColumns = Rule{
	Name: "prune-columns",
	Doc:  "read and compute only what is used",
	Apply: func(c *Context, roots []logical.Node) []logical.Node {
		p := &pruner{needs: map[logical.Node]need{}, done: map[logical.Node]pruned{}}
		var order []logical.Node
		logical.Walk(roots, func(n logical.Node) { order = append(order, n) })
		for _, r := range roots {
			p.everything(r)
		}
		for _, n := range slices.Backward(order) {
			p.demand(n)
		}
		out := make([]logical.Node, len(roots))
		for i, r := range roots {
			out[i] = p.visit(r).node
		}
		return out
	},
}

// use is what is read of a value: all of it, or only some members, or, without either, whether it is null.
type use struct {
	all     bool
	members map[int]*use
}

// need maps the columns of a node that are read to what is read of them.
type need map[int]*use

func (n need) column(i int) *use {
	u := n[i]
	if u == nil {
		u = &use{}
		n[i] = u
	}
	return u
}

func (u *use) merge(o *use) {
	u.all = u.all || o.all
	for m, x := range o.members {
		u.member(m).merge(x)
	}
}

func (u *use) member(i int) *use {
	if u.members == nil {
		u.members = map[int]*use{}
	}
	m := u.members[i]
	if m == nil {
		m = &use{}
		u.members[i] = m
	}
	return m
}

var whole = &use{all: true}

// read adds what computing e needs when u is read of its result.
func (n need) read(e *expr.Node, u *use) {
	switch {
	case e.Kind == expr.Column:
		n.column(e.Index).merge(u)
	case e.Kind == expr.Field:
		n.read(e.Args[0], &use{members: map[int]*use{e.Index: u}})
	case e.Kind == expr.Call && (e.Name == "is_null" || e.Name == "is_not_null"):
		n.read(e.Args[0], &use{})
	default:
		for _, a := range e.Args {
			n.read(a, whole)
		}
	}
}

type pruner struct {
	needs map[logical.Node]need
	done  map[logical.Node]pruned
}

// pruned is a rebuilt node; at maps the old columns to the new, −1 for those left out. Nil: nothing moved.
type pruned struct {
	node logical.Node
	at   []int
}

func (p *pruner) of(n logical.Node) need {
	if p.needs[n] == nil {
		p.needs[n] = need{}
	}
	return p.needs[n]
}

func (p *pruner) everything(n logical.Node) {
	for i := range n.Schema().NumFields() {
		p.of(n).column(i).merge(whole)
	}
}

// demand tells the inputs of n what n needs of them; n's own consumers have done so before.
func (p *pruner) demand(n logical.Node) {
	mine := p.of(n)
	switch n := n.(type) {
	case *logical.Sink:
		for _, in := range n.In {
			p.everything(in)
		}
	case *logical.Union:
		for _, in := range n.In {
			p.pass(mine, in)
		}
	case *logical.Filter:
		p.pass(mine, n.Input)
		p.of(n.Input).read(n.Cond, whole)
	case *logical.Watermark:
		p.pass(mine, n.Input)
		if n.Expr != nil {
			p.of(n.Input).read(n.Expr, whole)
		}
	case *logical.Project:
		for i, u := range mine {
			p.of(n.Input).read(n.Exprs[i], u)
		}
		if n.EventTime != nil {
			p.of(n.Input).read(n.EventTime, whole)
		}
	case *logical.Assign:
		p.demandAssign(n, mine)
	case *logical.Unnest:
		p.demandUnnest(n, mine)
	case *logical.Lateral:
		p.demandLateral(n, mine)
	case *logical.Join:
		p.demandJoin(n, mine)
	case *logical.Asof:
		p.demandAsof(n, mine)
	case *logical.Lookup:
		p.demandLookup(n, mine)
	case *logical.TopN:
		p.demandTopN(n, mine)
	case *logical.Over:
		p.demandOver(n, mine)
	case *logical.Aggregate:
		in := p.of(n.Input)
		for _, k := range n.Keys {
			in.read(k, whole)
		}
		for _, c := range n.Calls {
			for _, a := range c.Args {
				u := whole
				if c.Name == "count" && !c.Distinct {
					u = &use{}
				}
				in.read(a, u)
			}
			if c.Filter != nil {
				in.read(c.Filter, whole)
			}
		}
	}
}

func (p *pruner) pass(mine need, in logical.Node) {
	for i, u := range mine {
		p.of(in).column(i).merge(u)
	}
}

func (p *pruner) visit(n logical.Node) pruned {
	if r, ok := p.done[n]; ok {
		return r
	}
	r := p.rebuild(n)
	p.done[n] = r
	return r
}

// rebuild makes n over its rebuilt inputs, without the columns that nobody reads.
func (p *pruner) rebuild(n logical.Node) pruned {
	switch n := n.(type) {
	case *logical.Scan:
		return pruned{node: n.WithNeeded(paths(n.Schema(), p.needs[n]))}
	case *logical.Watermark:
		in := p.visit(n.Input)
		return pruned{logical.NewWatermark(in.node, n.Table, in.move(n.Expr), n.Delay, n.Idle, n.Span()), in.at}
	case *logical.Filter:
		in := p.visit(n.Input)
		return pruned{logical.NewFilter(in.node, in.move(n.Cond), n.Span()), in.at}
	case *logical.Project:
		return p.rebuildProject(n)
	case *logical.Values:
		return p.rebuildValues(n)
	case *logical.Series:
		return p.rebuildSeries(n)
	case *logical.Assign:
		return p.rebuildAssign(n)
	case *logical.Unnest:
		return p.rebuildUnnest(n)
	case *logical.Lateral:
		return p.rebuildLateral(n)
	case *logical.Union:
		return p.rebuildUnion(n)
	case *logical.Aggregate:
		return p.rebuildAggregate(n)
	case *logical.Join:
		return p.rebuildJoin(n)
	case *logical.Asof:
		return p.rebuildAsof(n)
	case *logical.Lookup:
		return p.rebuildLookup(n)
	case *logical.TopN:
		return p.rebuildTopN(n)
	case *logical.Over:
		return p.rebuildOver(n)
	}
	in := n.Inputs()
	moved := make([]logical.Node, len(in))
	for i, c := range in {
		moved[i] = p.visit(c).node
	}
	return pruned{node: n.WithInputs(moved)}
}

// move rewrites an expression over the old columns into one over the new.
func (r pruned) move(e *expr.Node) *expr.Node {
	if e == nil || r.at == nil {
		return e
	}
	return e.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column {
			x.Index = r.at[x.Index]
		}
		return x
	})
}

func (p *pruner) rebuildProject(n *logical.Project) pruned {
	in := p.visit(n.Input)
	mine := p.needs[n]
	exprs := []*expr.Node{} // none are not all: rows without columns are counted
	var fields []arrow.Field
	at := make([]int, len(n.Exprs))
	for i, e := range n.Exprs {
		// A table's own columns cost nothing: what is not needed is null already.
		if _, used := mine[i]; !used && !(n.EventTime != nil && in.at == nil && e.Kind == expr.Column && declared(in.node, e.Index)) {
			at[i] = -1
			continue
		}
		at[i] = len(exprs)
		exprs = append(exprs, in.move(e))
		fields = append(fields, n.Schema().Field(i))
	}
	if n.EventTime == nil {
		return pruned{logical.NewProject(in.node, exprs, fields, n.Span()), at}
	}
	return pruned{n.Pruned(in.node, exprs, fields, in.move(n.EventTime), at), at}
}

// declared reports whether a column of a table is there for queries to name.
func declared(n logical.Node, column int) bool {
	scan, ok := n.(*logical.Scan)
	return !ok || scan.Spec.Metadata == nil || scan.Spec.Metadata[column] != format.Ended
}

// rebuildUnion picks the same columns from every branch; a branch that others read too may have more.
func (p *pruner) rebuildUnion(n *logical.Union) pruned {
	mine := p.needs[n]
	at, kept := make([]int, n.Schema().NumFields()), 0
	for i := range at {
		at[i] = -1
		if _, used := mine[i]; used {
			at[i] = kept
			kept++
		}
	}
	branches := make([]logical.Node, len(n.In))
	for i, b := range n.In {
		branches[i] = p.visit(b).pick(at, kept, n.Span())
	}
	return pruned{logical.NewUnion(branches, n.Span()), at}
}

// pick gives a node with exactly the old columns that want keeps, in their order.
func (r pruned) pick(want []int, kept int, span fault.Span) logical.Node {
	exprs := make([]*expr.Node, 0, kept)
	fields := make([]arrow.Field, 0, kept)
	same := r.node.Schema().NumFields() == kept
	for old, to := range want {
		if to < 0 {
			continue
		}
		c := old
		if r.at != nil {
			c = r.at[old]
		}
		f := r.node.Schema().Field(c)
		same = same && c == to
		exprs, fields = append(exprs, expr.NewColumn(c, f).At(span)), append(fields, f)
	}
	if same {
		return r.node
	}
	return logical.NewProject(r.node, exprs, fields, span)
}

func (p *pruner) rebuildAggregate(n *logical.Aggregate) pruned {
	in := p.visit(n.Input)
	g := n.Group
	g.Keys = in.moveAll(n.Keys)
	g.Calls = make([]*logical.Call, len(n.Calls))
	for i, c := range n.Calls {
		moved := *c
		moved.Args, moved.Filter = in.moveAll(c.Args), in.move(c.Filter)
		g.Calls[i] = &moved
	}
	return pruned{node: logical.NewAggregate(in.node, g, n.Span())}
}

func (r pruned) moveAll(list []*expr.Node) []*expr.Node {
	out := make([]*expr.Node, len(list))
	for i, e := range list {
		out[i] = r.move(e)
	}
	return out
}

// paths spells what is needed of a scan as dotted paths, in the order of the columns. Where only the presence of a struct
// counts, its cheapest member stands for it; where nothing counts, nothing is named.
func paths(s *arrow.Schema, n need) []string {
	out := []string{}
	for i, f := range s.Fields() {
		if hasDot(f.Name, f.Type) {
			return nil
		}
		if u, ok := n[i]; ok {
			out = append(out, u.paths(f.Name, f.Type)...)
		}
	}
	return out
}

func (u *use) paths(path string, dt arrow.DataType) []string {
	t, ok := dt.(*arrow.StructType)
	if !ok || u.all {
		return []string{path}
	}
	members := make([]int, 0, len(u.members))
	for m := range u.members {
		members = append(members, m)
	}
	sort.Ints(members)
	if len(members) == 0 {
		m := cheapest(t)
		return (&use{}).paths(path+"."+t.Field(m).Name, t.Field(m).Type)
	}
	var out []string
	for _, m := range members {
		out = append(out, u.members[m].paths(path+"."+t.Field(m).Name, t.Field(m).Type)...)
	}
	return out
}

// hasDot reports whether a name would make a dotted path ambiguous.
func hasDot(name string, dt arrow.DataType) bool {
	if strings.Contains(name, ".") {
		return true
	}
	if t, ok := dt.(*arrow.StructType); ok {
		for _, f := range t.Fields() {
			if hasDot(f.Name, f.Type) {
				return true
			}
		}
	}
	return false
}

func cheapest(t *arrow.StructType) int {
	for i, f := range t.Fields() {
		if _, fixed := f.Type.(arrow.FixedWidthDataType); fixed {
			return i
		}
	}
	return 0
}
