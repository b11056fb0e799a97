package bind

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// unnests are the calls of unnest in one select list. They are computed above everything else in the SELECT but DISTINCT;
// until then columns from firstUnnest stand for them.
type unnests struct {
	list []*unnested
	// at is the column of each, once they are computed.
	at []*expr.Node
}

// unnested is one call. Those of one depth go through their lists side by side; one inside another has a lesser depth.
type unnested struct {
	call  logical.UnnestCall
	depth int
	// entry is the type of a map's entries; nil for lists.
	entry *arrow.StructType
	span  fault.Span
}

// unnest binds unnest(list) and gives the column that stands for its elements.
func (p *place) unnest(e *ast.Call) *expr.Node {
	if p.unnests == nil || p.inAggregate || p.inOver {
		p.b.errorf(CodeUnnest, e.Span(), "unnest cannot stand in %s", p.clause).WithHint("unnest in FROM: FROM t, unnest(t.list) AS x")
		return nil
	}
	if !p.plain("unnest", e) {
		return nil
	}
	args, ok := p.plainArgs("unnest", e)
	if !ok {
		return nil
	}
	if len(args) != 1 {
		p.b.errorf(fault.CodeInvalid, e.Span(), "unnest of a select list takes one list").WithHint("write unnest(a), unnest(b): they go side by side")
		return nil
	}
	u := &unnested{span: e.Span()}
	if u.call, ok = p.listCall(args[0]); !ok {
		return nil
	}
	// As in Arroyo, a list that is null has one row.
	u.call.NullRow = true
	args[0].Walk(func(n *expr.Node) bool {
		if isUnnest(n) {
			u.depth = max(u.depth, p.unnests.list[n.Index-firstUnnest].depth+1)
		}
		return true
	})
	var dt arrow.DataType
	if m, ok := u.call.Args[0].Type.(*arrow.MapType); ok {
		u.entry = arrow.StructOf(arrow.Field{Name: "key", Type: m.KeyType(), Nullable: true}, arrow.Field{Name: "value", Type: m.ItemType(), Nullable: true})
		dt = u.entry
	} else {
		dt = u.call.Args[0].Type.(*arrow.ListType).Elem()
	}
	p.unnests.list = append(p.unnests.list, u)
	return &expr.Node{Kind: expr.Column, Index: firstUnnest + len(p.unnests.list) - 1, Name: "unnest", Type: dt, Nullable: true, Span: e.Span()}
}

// expressions are all that the calls look at.
func (u *unnests) expressions() []*expr.Node {
	var out []*expr.Node
	for _, c := range u.list {
		out = append(out, c.call.Args...)
	}
	return out
}

// isUnnest reports whether a column stands for an unnest.
func isUnnest(n *expr.Node) bool {
	return n.Kind == expr.Column && n.Index >= firstUnnest && n.Index < firstOver
}

// hasUnnest gives the first unnest in an expression, or nil.
func hasUnnest(n *expr.Node) *expr.Node {
	var found *expr.Node
	n.Walk(func(x *expr.Node) bool {
		if found == nil && isUnnest(x) {
			found = x
		}
		return found == nil
	})
	return found
}

// compute puts the elements of all calls beside the columns of a relation. move rewrites an expression of the SELECT into one
// over the relation; nil if it was refused.
func (u *unnests) compute(b *Binder, in logical.Node, move func(*expr.Node) *expr.Node, span fault.Span) logical.Node {
	if u == nil {
		return in
	}
	u.at = make([]*expr.Node, len(u.list))
	for depth, left := 0, len(u.list); left > 0; depth++ {
		n := logical.Unnesting{}
		for i, f := range in.Schema().Fields() {
			n.Keep, n.KeepFields = append(n.Keep, expr.NewColumn(i, f).At(span)), append(n.KeepFields, f)
		}
		var these []int
		for i, c := range u.list {
			if c.depth != depth {
				continue
			}
			call := c.call
			list := move(call.Args[0])
			if list == nil {
				return nil
			}
			call.Args = []*expr.Node{u.resolve(list)}
			n.Calls = append(n.Calls, call)
			these = append(these, i)
		}
		node := logical.NewUnnest(in, n, span)
		at := node.FirstCall()
		for _, i := range these {
			if u.at[i] = u.list[i].element(b, node, at); u.at[i] == nil {
				return nil
			}
			at += len(u.list[i].call.Names)
		}
		in, left = node, left-len(these)
	}
	return in
}

// element is the value of a call whose first column is at: an element, or a struct of a key and its value.
func (u *unnested) element(b *Binder, n logical.Node, at int) *expr.Node {
	x := expr.NewColumn(at, n.Schema().Field(at)).At(u.span)
	if u.entry == nil {
		return x
	}
	p := &place{b: b, scope: &scope{}}
	name := func(s string) *expr.Node { return expr.NewLiteral(arrow.BinaryTypes.String, s).At(u.span) }
	entry := p.function("named_struct", u.span, name("key"), x, name("value"), expr.NewColumn(at+1, n.Schema().Field(at+1)).At(u.span))
	if entry == nil {
		return nil
	}
	// Keys are never null, so a null one is the row of a null map.
	is := p.function("is_not_null", u.span, x)
	c, err := expr.NewCase([]*expr.Node{is}, []*expr.Node{p.castTo(entry, u.entry, false, u.span)}, nil, u.span)
	if err != nil {
		b.report(err, u.span)
		return nil
	}
	return c
}

// resolve replaces what stands for calls by their values.
func (u *unnests) resolve(n *expr.Node) *expr.Node {
	if u == nil || len(u.list) == 0 || n == nil {
		return n
	}
	return n.Map(func(x *expr.Node) *expr.Node {
		if isUnnest(x) {
			return u.at[x.Index-firstUnnest]
		}
		return x
	})
}
