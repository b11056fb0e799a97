package bind

import (
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// windowed is a window function in FROM: which relation it takes, by which column, in which windows.
type windowed struct {
	table *ast.TableArg
	time  *ast.Descriptor
	args  windowArguments
}

// windowTable binds TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset]) and the others: the relation's columns, then
// window_start, window_end and window_time, a row for each window that a row is in.
func (b *Binder) windowTable(t *ast.TableFunction, e *env) *relation {
	name := functionName(t)
	form := windowForms[name]
	w, err := form.table(name, t)
	if err != nil {
		b.errs = append(b.errs, err)
		return nil
	}
	r := b.windowInput(w.table, e)
	if r == nil {
		return nil
	}
	at, err := r.eventTime(w.time)
	if err != nil {
		b.errs = append(b.errs, err)
		return nil
	}
	window, err := b.windowOf(name, w.args, t.Call.Span())
	if err != nil {
		b.errs = append(b.errs, err)
		return nil
	}
	spec := logical.Windows{Window: window}
	if len(w.table.PartitionBy) > 0 && window.Kind != logical.Session {
		b.errorf(CodeWindow, w.table.PartitionBy[0].Span(), "PARTITION BY is for sessions: the windows of %s are the same for all rows", name).WithHint("leave it out, and GROUP BY the column")
		return nil
	}
	if r.node = b.concrete(r.node); window.Kind == logical.Session && !b.sessionsOf(r, w.table, &spec) {
		return nil
	}
	in := b.timed(r.node, window, at, t.Span())
	if in == nil {
		return nil
	}
	return b.alias(b.withWindow(r, logical.NewAssign(in, spec, t.Call.Span()), t), t.Alias, "")
}

// table reads the arguments of a window function in FROM.
func (f windowForm) table(name string, t *ast.TableFunction) (*windowed, *fault.Error) {
	w := &windowed{}
	f.example = "FROM TABLE(" + f.example[:len(name)+1] + "TABLE t, DESCRIPTOR(ts), " + f.example[len(name)+1:] + ")"
	if t.Ordinality || t.Lateral {
		return nil, fault.Userf(fault.CodeInvalid, t.Span(), "%s gives rows their windows and takes neither LATERAL nor WITH ORDINALITY", name).WithHint("write %s", f.example)
	}
	var rest []*ast.Arg
	for _, a := range t.Call.Args {
		argument := ""
		if a.Name != nil {
			argument = a.Name.Folded()
		}
		table, isTable := a.Value.(*ast.TableArg)
		if q, is := a.Value.(*ast.Subquery); is && w.table == nil && (argument == "" || argument == "data") {
			table, isTable = &ast.TableArg{Place: q.Place, Query: q.Query}, true
		}
		column, isColumn := a.Value.(*ast.Descriptor)
		switch {
		case isTable && w.table == nil && (argument == "" || argument == "data"):
			w.table = table
		case isColumn && w.time == nil && w.table != nil && (argument == "" || argument == "timecol"), isColumn && w.time == nil && argument == "timecol":
			w.time = column
		case isTable || isColumn || argument == "data" || argument == "timecol":
			return nil, fault.Userf(CodeWindow, a.Span(), "this argument of %s is not expected here", name).WithHint("write %s", f.example)
		default:
			rest = append(rest, a)
		}
	}
	if w.table == nil || w.time == nil {
		return nil, fault.Userf(CodeWindow, t.Call.Span(), "%s in FROM needs a table and its time column", name).WithHint("write %s", f.example)
	}
	var err *fault.Error
	w.args, err = f.arguments(name, rest, t.Call.Span(), true)
	return w, err
}

// windowInput binds the relation that a window function takes.
func (b *Binder) windowInput(t *ast.TableArg, e *env) *relation {
	if len(t.OrderBy) > 0 {
		b.errorf(CodeWindow, t.OrderBy[0].Span(), "rows come into windows in the order of their time").WithHint("leave ORDER BY out")
		return nil
	}
	var r *relation
	if t.Query != nil {
		r = b.query(t.Query, e)
	} else {
		r = b.tableRef(&ast.TableRef{Place: t.Place, Name: t.Name}, e)
	}
	if r != nil && r.scope.outer != nil {
		b.unsupported(t.Span(), "a query around cannot be named in the table of a window function").WithHint("filter behind it")
		return nil
	}
	return r
}

// eventTime finds the column that DESCRIPTOR names, which has to be the relation's event time.
func (r *relation) eventTime(d *ast.Descriptor) (int, *fault.Error) {
	if len(d.Columns) != 1 {
		return 0, fault.Userf(CodeWindow, d.Span(), "DESCRIPTOR names one column, the event time").WithHint("write DESCRIPTOR(ts)")
	}
	c, _, err := r.scope.find(ast.Name{d.Columns[0]})
	if err != nil {
		return 0, err
	}
	times := r.node.Properties().TimeColumns
	if slices.Contains(times, c.index) {
		return c.index, nil
	}
	if r.node.Properties().Mode == graph.Updating && c.field.Type.ID() == arrow.TIMESTAMP {
		return c.index, nil // a value like others: no watermark goes by it
	}
	e := fault.Userf(CodeWindow, d.Columns[0].Span(), "column %q is not the event time", c.field.Name)
	for _, o := range r.scope.visible() {
		if slices.Contains(times, o.index) {
			return 0, e.WithHint("write DESCRIPTOR(%s)", o.field.Name)
		}
	}
	return 0, e.WithHint("declare it: WATERMARK FOR %s in the table, and select it as it is", c.field.Name)
}

// timed gives a relation whose rows are at the time that their column says. That of a row which is taken back has to be what
// it was, whatever operators are between, so for a changelog it is read from the column again.
func (b *Binder) timed(in logical.Node, w graph.Window, column int, span fault.Span) logical.Node {
	if in.Properties().Mode == graph.Append {
		return in
	}
	if w.Kind == logical.Session {
		b.unsupported(span, "sessions of rows that are updated are not supported").WithHint("use tumble or hop, or make the sessions of rows that are only appended")
		return nil
	}
	fields := in.Schema().Fields()
	exprs := make([]*expr.Node, len(fields))
	for i, f := range fields {
		exprs[i] = expr.NewColumn(i, f).At(span)
	}
	at, err := expr.CastTo(exprs[column], expr.Timestamp, false, span)
	if err != nil {
		b.report(err, span)
		return nil
	}
	return logical.NewTimeProject(in, exprs, fields, at, fields[column].Name, false, column, span)
}

// sessionsOf finds the columns within which rows make sessions.
func (b *Binder) sessionsOf(r *relation, t *ast.TableArg, w *logical.Windows) bool {
	p := &place{b: b, scope: r.scope, clause: "PARTITION BY"}
	for _, x := range t.PartitionBy {
		n := p.expr(x)
		if n == nil {
			return false
		}
		if n.Kind != expr.Column {
			b.unsupported(x.Span(), "sessions are made within columns").WithHint("compute the value in a subquery: SESSION(TABLE (SELECT …) PARTITION BY k, …)")
			return false
		}
		if !slices.Contains(w.Keys, n.Index) {
			w.Keys = append(w.Keys, n.Index)
		}
	}
	return true
}

// withWindow names the columns of rows that have been given their windows. A name that is taken gets a number, as in
// window_start0.
func (b *Binder) withWindow(r *relation, n *logical.Assign, t *ast.TableFunction) *relation {
	span := t.Span()
	columns := r.scope.visible()
	taken := map[string]bool{}
	var items []*item
	for _, c := range columns {
		f := n.Schema().Field(c.index)
		items = append(items, &item{node: expr.NewColumn(c.index, f).At(span), field: f, table: c.table, span: span})
		items[len(items)-1].field.Name = c.field.Name
		taken[c.field.Name] = true
	}
	table := ""
	if len(columns) > 0 {
		table = columns[0].table
	}
	at := n.Schema().NumFields() - 1
	w := expr.NewColumn(at, n.Schema().Field(at)).At(span)
	for _, part := range []string{"start", "end", "time"} {
		x := &expr.Node{Kind: expr.RowTime, Name: "row_time", Type: expr.Timestamp, Span: span}
		if part != "time" {
			f, err := expr.FieldOf(w, part, span)
			if err != nil {
				b.report(err, span)
				return nil
			}
			x = f.At(span)
		}
		name := "window_" + part
		for k := 0; taken[name]; k++ {
			name = "window_" + part + strconv.Itoa(k)
		}
		taken[name] = true
		items = append(items, &item{node: x, field: arrow.Field{Name: name}, table: table, span: span})
	}
	return b.projected(n, items, span)
}
