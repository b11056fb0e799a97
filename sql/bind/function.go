package bind

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// rowFunctions are the functions in FROM that make rows of each row before them; those that make a series tell whether its
// end belongs to it.
var rowFunctions = map[string]struct{ series, including bool }{
	"unnest": {}, "generate_series": {series: true, including: true}, "range": {series: true},
}

// functionName is the name of a table function, in lower case.
func functionName(t *ast.TableFunction) string { return strings.ToLower(t.Call.Name.Last().Name) }

// tableFunction binds a function in FROM that stands by itself.
func (b *Binder) tableFunction(t *ast.TableFunction, e *env) *relation {
	name := functionName(t)
	if _, ok := rowFunctions[name]; ok && len(t.Call.Name) == 1 {
		return b.rowFunction(t, nil, false, e)
	}
	if _, ok := windowForms[name]; ok && len(t.Call.Name) == 1 {
		return b.windowTable(t, e)
	}
	names := []string{"unnest", "generate_series", "range", "tumble", "hop", "cumulate", "session"}
	hintAmong(b.errorf(expr.CodeUnknownFunction, t.Call.Name.Span(), "there is no table function %q", t.Call.Name.String()), name, names, "table functions")
	return nil
}

// rowFunction binds a function that makes rows. left is what stands before it, nil for nothing: the function may name its
// columns, and its rows stand beside those of left; with outer, a row of left for which there is none stands beside nulls.
func (b *Binder) rowFunction(t *ast.TableFunction, left *relation, outer bool, e *env) *relation {
	name := functionName(t)
	p := &place{b: b, scope: &scope{}, clause: "the arguments of " + name, scalars: &scalars{env: e}}
	if around, is := b.reading(t, e); is && (left == nil || left.scope.outer == nil) {
		if left == nil {
			left = around
		} else {
			left = b.beside(left, e.around())
		}
	}
	if left != nil {
		p.scope = left.scope
	}
	calls := p.unnestCalls(t)
	if calls == nil {
		return nil
	}
	r := &made{b: b, t: t, left: left, calls: calls}
	if !r.name() {
		return nil
	}
	if s := r.constant(p); s != nil {
		return r.relation(s)
	}
	u := logical.Unnesting{Calls: calls, Ordinality: t.Ordinality, Outer: outer}
	in := logical.Node(logical.NewOnce(t.Span()))
	if left != nil {
		in = left.node
		for i, f := range in.Schema().Fields() {
			u.Keep, u.KeepFields = append(u.Keep, expr.NewColumn(i, f).At(t.Span())), append(u.KeepFields, f)
		}
	}
	in, resolve := p.scalars.join(b, in, nil, nil)
	if in == nil {
		return nil
	}
	for i := range calls {
		for k, a := range calls[i].Args {
			calls[i].Args[k] = resolve(a)
		}
	}
	n := logical.NewUnnest(in, u, t.Span())
	b.fresh[n] = true
	return r.relation(n)
}

// unnestCalls binds the arguments of a function in FROM; nil after a fault.
func (p *place) unnestCalls(t *ast.TableFunction) []logical.UnnestCall {
	name := functionName(t)
	if t.Call.Over != nil || t.Call.Filter != nil || len(t.Call.WithinGroup) > 0 {
		p.b.errorf(fault.CodeInvalid, t.Call.Span(), "a table function takes plain arguments").WithHint("leave OVER and FILTER out")
		return nil
	}
	args, ok := p.plainArgs(name, t.Call)
	if !ok {
		return nil
	}
	if f := rowFunctions[name]; f.series {
		c, ok := p.seriesCall(name, args, t.Call.Span())
		if !ok {
			return nil
		}
		return []logical.UnnestCall{c}
	}
	if len(args) == 0 {
		p.b.errorf(fault.CodeInvalid, t.Call.Span(), "unnest needs a list").WithHint("write unnest(x), with x a column of lists")
		return nil
	}
	calls := make([]logical.UnnestCall, len(args))
	for i, a := range args {
		if f := rowFunctions[a.Name]; a.Kind == expr.Call && f.series {
			c, ok := p.seriesCall(a.Name, a.Args, a.Span)
			if !ok {
				return nil
			}
			calls[i] = c
			continue
		}
		c, ok := p.listCall(a)
		if !ok {
			return nil
		}
		calls[i] = c
	}
	return calls
}

// plainArgs binds arguments that stand one after the other.
func (p *place) plainArgs(name string, c *ast.Call) ([]*expr.Node, bool) {
	list := make([]ast.Expr, len(c.Args))
	for i, a := range c.Args {
		if _, star := a.Value.(*ast.Star); star || a.Name != nil {
			p.b.errorf(fault.CodeInvalid, a.Span(), "%s takes values, one after the other", name).WithHint("write %s(x)", name)
			return nil, false
		}
		list[i] = a.Value
	}
	args := p.all(list)
	return args, args != nil || len(list) == 0
}

// seriesCall is generate_series or range with its three bounds.
func (p *place) seriesCall(name string, args []*expr.Node, span fault.Span) (logical.UnnestCall, bool) {
	n := p.function(name, span, args...)
	if n == nil {
		return logical.UnnestCall{}, false
	}
	bounds := n.Args
	integer := func(v int64) *expr.Node { return expr.NewLiteral(arrow.PrimitiveTypes.Int64, v).At(span) }
	if len(bounds) == 1 {
		bounds = []*expr.Node{integer(0), bounds[0]}
	}
	if len(bounds) == 2 {
		bounds = append(bounds[:2:2], integer(1))
	}
	switch step := expr.Fold(bounds[2]); step.Value {
	case int64(0), arrow.MonthDayNanoInterval{}:
		p.b.errorf(fault.CodeInvalid, step.Span, "%s never ends with a step of zero", name).WithHint("write a step that leads from start to stop, such as 1")
		return logical.UnnestCall{}, false
	}
	return logical.UnnestCall{Kind: graph.UnnestSeries, Args: bounds, Including: rowFunctions[name].including, Names: []string{name}}, true
}

// listCall is unnest of a list or map.
func (p *place) listCall(a *expr.Node) (logical.UnnestCall, bool) {
	switch t := a.Type.(type) {
	case *arrow.ListType:
		if t.Elem().ID() == arrow.NULL { // of a list such as ARRAY[NULL]
			if a = p.castTo(a, arrow.ListOf(arrow.BinaryTypes.String), false, a.Span); a == nil {
				return logical.UnnestCall{}, false
			}
		}
		return logical.UnnestCall{Kind: graph.UnnestList, Args: []*expr.Node{a}, Names: []string{"unnest"}}, true
	case *arrow.MapType:
		return logical.UnnestCall{Kind: graph.UnnestMap, Args: []*expr.Node{a}, Names: []string{"key", "value"}}, true
	}
	e := p.b.errorf(expr.CodeTypeMismatch, a.Span, "unnest takes lists and maps, and this is %s", expr.TypeName(a.Type))
	switch a.Type.ID() {
	case arrow.STRING:
		e.WithHint("string_to_array(x, ',') makes a list of a text, CAST(x AS BIGINT[]) one of a JSON array")
	case arrow.NULL:
		e.WithHint("CAST(NULL AS BIGINT[]) is a list")
	default:
		e.WithHint("ARRAY[a, b] makes a list of values")
	}
	return logical.UnnestCall{}, false
}

// made is the relation of a function in FROM while its columns are named.
type made struct {
	b     *Binder
	t     *ast.TableFunction
	left  *relation
	calls []logical.UnnestCall
	// table is the relation's name; names are those of its columns, whose elements are expanded where they are structs.
	table string
	names []string
	// expanded says of each call whether its structs become their members.
	expanded []bool
}

// structFields are the columns of the structs of a list; nil for other calls.
func structFields(c *logical.UnnestCall) []arrow.Field {
	if l, ok := c.Args[0].Type.(*arrow.ListType); ok && c.Kind == graph.UnnestList {
		if s, ok := l.Elem().(*arrow.StructType); ok {
			return s.Fields()
		}
	}
	return nil
}

// name gives the columns their names, as in PostgreSQL: one column is called like the relation, structs become their
// members. A list of names that has one for the element, and not one for each member, keeps the struct in one piece.
func (m *made) name() bool {
	given := m.given()
	m.table = functionName(m.t)
	if m.t.Alias != nil {
		m.table = m.t.Alias.Name.Name
	}
	for i := range m.calls {
		c := &m.calls[i]
		fields := structFields(c)
		if len(m.calls) == 1 && len(given) > 0 && len(given) == 1+m.extra() && len(fields) != 1 {
			fields = nil
		}
		m.expanded = append(m.expanded, fields != nil)
		switch {
		case fields != nil:
			for _, f := range fields {
				m.names = append(m.names, f.Name)
			}
			continue
		case len(m.calls) == 1 && len(c.Names) == 1 && m.t.Alias != nil:
			c.Names = []string{m.t.Alias.Name.Folded()}
		case i > 0:
			for k := range c.Names {
				c.Names[k] += "_" + strconv.Itoa(i+1)
			}
		}
		m.names = append(m.names, c.Names...)
	}
	if m.t.Ordinality {
		m.names = append(m.names, "ordinality")
	}
	if len(given) > len(m.names) {
		m.b.errorf(fault.CodeInvalid, given[len(m.names)].Span(), "there are %d names for %d columns", len(given), len(m.names)).
			WithHint("leave out the names from here on")
		return false
	}
	for i, id := range given {
		m.names[i] = id.Folded()
	}
	m.pass()
	return true
}

// pass gives the names on to the calls, for people who look at the plan.
func (m *made) pass() {
	at := 0
	for i := range m.calls {
		c := &m.calls[i]
		if m.expanded[i] {
			at += len(structFields(c))
			continue
		}
		c.Names = m.names[at : at+len(c.Names)]
		at += len(c.Names)
	}
}

func (m *made) given() []ast.Ident {
	if m.t.Alias == nil {
		return nil
	}
	return m.t.Alias.Columns
}

// extra is the number of columns beside the elements.
func (m *made) extra() int {
	if m.t.Ordinality {
		return 1
	}
	return 0
}

// constant is the relation of a series that needs no other; nil for everything else.
func (m *made) constant(p *place) logical.Node {
	c := &m.calls[0]
	if m.left != nil || len(m.calls) > 1 || c.Kind != graph.UnnestSeries || len(p.scalars.list) > 0 {
		return nil
	}
	for _, a := range c.Args {
		if !looksAtNothing(a) {
			return nil
		}
	}
	spec := graph.SeriesSpec{Start: c.Args[0], Stop: c.Args[1], Step: c.Args[2], Including: c.Including, Ordinality: m.t.Ordinality}
	return logical.NewSeries(spec, m.names[0], m.t.Span())
}

// relation names the columns of a node whose last ones are those of the function.
func (m *made) relation(n logical.Node) *relation {
	at, k := 0, 0
	s := &scope{}
	if m.left != nil {
		at = m.left.node.Schema().NumFields()
		s.columns = append(s.columns, m.left.scope.columns...)
		s.outer = m.left.scope.outer
	}
	cols := &columns{in: n, span: m.t.Span()}
	add := func(index int, f arrow.Field) {
		f.Name = m.names[k]
		s.columns = append(s.columns, scopeColumn{table: m.table, field: f, index: index})
		k++
	}
	var whole []scopeColumn
	for i := range m.calls {
		for range m.calls[i].Names {
			f := n.Schema().Field(at)
			if !m.expanded[i] {
				add(at, f)
				at++
				continue
			}
			element := expr.NewColumn(at, f).At(m.t.Span())
			for _, member := range structFields(&m.calls[i]) {
				x, err := expr.FieldOf(element, member.Name, m.t.Span())
				if err != nil {
					m.b.report(err, m.t.Span())
					return nil
				}
				add(cols.add(x), arrow.Field{Type: x.Type, Nullable: x.Nullable, Metadata: member.Metadata})
			}
			if len(m.calls) == 1 {
				f.Name = m.table
				whole = append(whole, scopeColumn{table: m.table, field: f, index: at, whole: true})
			}
			at++
		}
	}
	if m.t.Ordinality {
		add(at, n.Schema().Field(at))
	}
	s.columns = append(s.columns, whole...)
	out := cols.node()
	m.b.fresh[out] = m.b.fresh[n]
	return &relation{node: out, scope: s}
}
