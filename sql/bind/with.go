package bind

import (
	"sort"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/catalog"
)

// bag is the options of a WITH clause. Whoever knows an option takes it out; what is left at the end nobody knows.
type bag struct {
	b    *Binder
	raw  map[string]connector.Raw
	span fault.Span
	ok   bool
}

// options reads a WITH clause.
func (b *Binder) options(list []*ast.Option, span fault.Span) *bag {
	g := &bag{b: b, raw: map[string]connector.Raw{}, span: span, ok: true}
	for _, o := range list {
		key := o.Key.Name
		if !o.Key.Quoted {
			key = strings.ToLower(key)
		}
		if _, dup := g.raw[key]; dup {
			b.errorf(CodeDuplicate, o.Key.Span(), "option %q is given twice", key).WithHint("give each option once")
			g.ok = false
			continue
		}
		r, err := b.raw(o.Value)
		if err != nil {
			b.errs = append(b.errs, err)
			g.ok = false
			// The option was given, so nobody shall miss it.
			r = connector.Raw{Kind: connector.RawString}
		}
		r.Key = o.Key.Span()
		g.raw[key] = r
	}
	return g
}

// raw classifies the value of an option.
func (b *Binder) raw(e ast.Expr) (connector.Raw, *fault.Error) {
	r := connector.Raw{Span: e.Span()}
	switch e := e.(type) {
	case *ast.StringLit:
		r.Text = e.Value
		return r, nil
	case *ast.NumberLit:
		r.Kind, r.Text = connector.RawNumber, e.Text
		return r, nil
	case *ast.BoolLit:
		r.Kind, r.Text = connector.RawBool, strconv.FormatBool(e.Value)
		return r, nil
	case *ast.Unary:
		if lit, ok := e.X.(*ast.NumberLit); ok && (e.Op == ast.Neg || e.Op == ast.Plus) {
			r.Kind, r.Text = connector.RawNumber, strings.TrimPrefix(string(e.Op), "+")+lit.Text
			return r, nil
		}
	case *ast.IntervalLit:
		d, err := b.duration(e)
		r.Kind, r.Nanos = connector.RawInterval, d
		return r, err
	case *ast.ColumnRef:
		r.Kind, r.Text = connector.RawIdent, e.Path.String()
		return r, nil
	case *ast.ArrayLit:
		r.Kind = connector.RawArray
		for _, x := range e.Items {
			item, err := b.raw(x)
			if err != nil {
				return r, err
			}
			r.Items = append(r.Items, item)
		}
		return r, nil
	}
	return r, fault.Userf(CodeOption, e.Span(), "the value of an option must be a literal").
		WithHint("write a 'string', a number, true, false or an INTERVAL")
}

// take removes an option.
func (g *bag) take(name string) (connector.Raw, bool) {
	r, ok := g.raw[name]
	delete(g.raw, name)
	return r, ok
}

func (g *bag) fail(e *fault.Error) {
	g.b.errs = append(g.b.errs, e)
	g.ok = false
}

// text takes a string option; the default is given for one that is absent. Values, if there are any, are the only ones
// allowed, compared without case.
func (g *bag) text(name, otherwise string, values ...string) (string, fault.Span) {
	r, ok := g.take(name)
	if !ok {
		return otherwise, fault.Span{}
	}
	if r.Kind != connector.RawString {
		g.fail(fault.Userf(connector.CodeOptionType, r.Span, "option %q takes a string, not %s", name, r.Kind).WithHint("write the value in single quotes"))
		return otherwise, r.Span
	}
	if len(values) == 0 {
		return r.Text, r.Span
	}
	for _, v := range values {
		if strings.EqualFold(v, r.Text) {
			return v, r.Span
		}
	}
	e := fault.Userf(connector.CodeOptionValue, r.Span, "option %q is none of '%s'", name, strings.Join(values, "', '"))
	if near := fault.Nearest(r.Text, values); near != "" {
		e.WithHint("did you mean '%s'?", near)
	} else {
		e.WithHint("choose one of them")
	}
	g.fail(e)
	return otherwise, r.Span
}

// whole takes an integer option; the span is zero when it is absent.
func (g *bag) whole(name string) (int64, fault.Span) {
	r, ok := g.take(name)
	if !ok {
		return 0, fault.Span{}
	}
	if r.Kind == connector.RawNumber || r.Kind == connector.RawString {
		if v, err := strconv.ParseInt(strings.TrimSpace(r.Text), 10, 64); err == nil {
			return v, r.Span
		}
	}
	g.fail(fault.Userf(connector.CodeOptionType, r.Span, "option %q takes a whole number", name).WithHint("write %s = 1000", name))
	return 0, r.Span
}

// column takes an option that names a column.
func (g *bag) column(name string) (ast.Ident, bool) {
	r, ok := g.take(name)
	if !ok {
		return ast.Ident{}, false
	}
	if r.Kind != connector.RawIdent && r.Kind != connector.RawString {
		g.fail(fault.Userf(connector.CodeOptionType, r.Span, "option %q takes a column's name", name).WithHint("write %s = event_time", name))
		return ast.Ident{}, false
	}
	return ast.Ident{Place: ast.At(r.Span), Name: r.Text, Quoted: r.Kind == connector.RawString}, true
}

// onlyLookup passes over the options of lookup tables that other tables may have, too.
func (g *bag) onlyLookup(t *catalog.Table) {
	for _, o := range []string{"lookup.cache.max_bytes", "lookup.cache.ttl"} {
		if t.Kind == catalog.Lookup {
			return
		}
		if r, ok := g.take(o); ok {
			g.b.warn(CodeOption, r.Key, "option %q is for lookup tables, and %q is a %s; it is ignored", o, t.Name, t.Kind).WithHint("leave it out")
		}
	}
}

// quoted warns of options whose value is written as a string, as it once was.
func (g *bag) quoted(decl *connector.Declaration) {
	for i := range decl.Options {
		o := &decl.Options[i]
		r, ok := g.raw[o.Name]
		if !ok || r.Kind != connector.RawString {
			continue
		}
		switch o.Type {
		case connector.Duration:
			g.b.warn(CodeDeprecated, r.Span, "a quoted duration is deprecated").WithHint("write %s = INTERVAL '%s'", o.Name, r.Text)
		case connector.Column:
			g.b.warn(CodeDeprecated, r.Span, "a quoted column name is deprecated").WithHint("write %s = %s", o.Name, r.Text)
		}
	}
}

// left lists the options that nobody took, in the order of the text.
func (g *bag) left() []string {
	var out []string
	for name := range g.raw {
		out = append(out, name)
	}
	sort.Slice(out, func(i, j int) bool { return g.raw[out[i]].Key.Start < g.raw[out[j]].Key.Start })
	return out
}

// typeOf is for messages about columns.
func typeOf(f arrow.Field) string {
	if expr.IsJSON(f) {
		return "JSON"
	}
	return expr.TypeName(f.Type)
}
