package bind

import (
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/types"
)

// place is one place where expressions stand: what they can name, and what is allowed there.
type place struct {
	b     *Binder
	scope *scope
	// clause names the place for messages: "WHERE".
	clause string
	// aggregates collects aggregate calls; nil where there can be none.
	aggregates *collected
	// grouped is set where expressions are over groups, or over the one group of all rows if there are aggregates, so that
	// subqueries may name aggregates of them.
	grouped bool
	// inAggregate is set below an aggregate call.
	inAggregate bool
	// scalars collects scalar subqueries; nil where there can be none.
	scalars *scalars
	// overs collects calls with OVER; nil where there can be none. inOver is set below one.
	overs  *overs
	inOver bool
	// unnests collects calls of unnest; nil where there can be none.
	unnests *unnests
	// computed are the generated columns of a table, where a generated column is defined, which cannot name them.
	computed []scopeColumn
	// measure is where a number stands beside an alias that is a word for a unit of time; instead is what may be meant.
	measure fault.Span
	instead string
	// aliases of the select list that may be named here, for HAVING.
	aliases map[string]*item
	// inputFirst prefers columns to those aliases, for ORDER BY.
	inputFirst bool
}

// expr binds an expression; nil means that a fault was reported.
func (p *place) expr(e ast.Expr) *expr.Node {
	n := p.dispatch(e)
	if n == nil || !n.Span.IsZero() {
		return n
	}
	return n.At(e.Span())
}

func (p *place) dispatch(e ast.Expr) *expr.Node {
	switch e := e.(type) {
	case *ast.ColumnRef:
		return p.column(e)
	case *ast.NumberLit:
		return p.number(e.Text, e)
	case *ast.StringLit:
		return expr.NewLiteral(arrow.BinaryTypes.String, e.Value)
	case *ast.BytesLit:
		return expr.NewLiteral(arrow.BinaryTypes.Binary, e.Value)
	case *ast.BoolLit:
		return expr.NewLiteral(arrow.FixedWidthTypes.Boolean, e.Value)
	case *ast.NullLit:
		return expr.NewLiteral(arrow.Null, nil)
	case *ast.TypedLit:
		return p.typed(e)
	case *ast.IntervalLit:
		return p.interval(e)
	case *ast.Field:
		return p.member(p.expr(e.X), e.Name)
	case *ast.Unary:
		return p.unary(e)
	case *ast.Binary:
		return p.binary(e)
	case *ast.Is:
		return p.is(e)
	case *ast.IsDistinct:
		if l, r, ok := p.rows(e.L, e.R, e.Span()); ok {
			return p.compareRows(distinctName(e.Not), l, r, e.Span())
		}
		return p.call2(distinctName(e.Not), e.L, e.R, e.Span())
	case *ast.Between:
		return p.between(e)
	case *ast.In:
		return p.in(e)
	case *ast.Like:
		return p.like(e)
	case *ast.Case:
		return p.caseOf(e)
	case *ast.Cast:
		return p.cast(e)
	case *ast.Call:
		return p.call(e)
	}
	return p.composite(e)
}

// composite binds the expressions about lists, maps, rows and subqueries: those that are a function under another
// spelling work when there is the function, the others are refused by name.
func (p *place) composite(e ast.Expr) *expr.Node {
	switch e := e.(type) {
	case *ast.Subscript:
		return p.subscript(e)
	case *ast.Slice:
		bounds := []ast.Expr{e.X, e.Low, e.High}
		if e.Step != nil {
			bounds = append(bounds, e.Step)
		}
		for i, x := range bounds {
			if x == nil {
				bounds[i] = &ast.NullLit{Place: e.Place}
			}
		}
		return p.spelled("array_slice", "array slices", e.Span(), bounds...)
	case *ast.ArrayLit:
		return p.spelled("make_array", "array literals", e.Span(), e.Items...)
	case *ast.AtTimeZone:
		return p.spelled("at_time_zone", "AT TIME ZONE", e.Span(), e.X, e.Zone)
	case *ast.Row:
		return p.spelled("struct", "row values", e.Span(), e.Items...)
	case *ast.Subquery, *ast.In, *ast.Exists, *ast.ArrayQuery:
		return p.queryExpression(e)
	case *ast.Quantified:
		if e.Query != nil {
			return p.queryExpression(e)
		}
		return p.quantified(e)
	case *ast.StructLit:
		return p.structOf(e)
	case *ast.MapLit:
		p.b.unsupported(e.Span(), "map literals are not supported").WithHint("write make_map('a', 1, 'b', 2)")
	case *ast.DefaultValue:
		p.b.unsupported(e.Span(), "DEFAULT is not supported as a value").WithHint("leave the column out of the column list of the INSERT")
	case *ast.Star:
		p.b.errorf(fault.CodeInvalid, e.Span(), "* is not a value").WithHint("* stands alone in a select list, or in count(*)")
	case *ast.GroupingSets:
		p.b.errorf(CodeGrouping, e.Span(), "%s cannot stand here", e.Kind).WithHint("it stands in GROUP BY, alone, between commas, or in GROUPING SETS (…)")
	default:
		p.b.unsupported(e.Span(), "this expression is not supported").WithHint("the expressions are columns, literals, operators, functions, CASE and CAST")
	}
	return nil
}

// all binds several expressions; nil if one of them failed.
func (p *place) all(list []ast.Expr) []*expr.Node {
	out := make([]*expr.Node, len(list))
	ok := true
	for i, e := range list {
		out[i] = p.expr(e)
		ok = ok && out[i] != nil
	}
	if !ok {
		return nil
	}
	return out
}

// function calls a function by its name with bound arguments; nil arguments were reported before.
func (p *place) function(name string, span fault.Span, args ...*expr.Node) *expr.Node {
	for _, a := range args {
		if a == nil {
			return nil
		}
	}
	n, err := p.b.opts.Functions.Call(name, args, span)
	if err != nil {
		p.b.report(atOperand(err, name, args), span)
		return nil
	}
	return n
}

func (p *place) call2(name string, l, r ast.Expr, span fault.Span) *expr.Node {
	left, right := p.expr(l), p.expr(r)
	return p.function(name, span, left, right)
}

// spelled binds a special spelling of a function, if there is the function.
func (p *place) spelled(function, what string, span fault.Span, args ...ast.Expr) *expr.Node {
	if !p.b.opts.Functions.Has(function) {
		p.b.unsupported(span, "%s are not supported", what).WithHint("flatten the values into columns before they get here")
		return nil
	}
	bound := p.all(args)
	if bound == nil {
		return nil
	}
	return p.function(function, span, bound...)
}

func (p *place) column(e *ast.ColumnRef) *expr.Node {
	if len(e.Path) == 1 && p.aliases != nil && !p.inAggregate && !(p.inputFirst && len(pick(p.scope.visible(), e.Path[0])) > 0) {
		if it := p.aliases[e.Path[0].Folded()]; it != nil {
			if it.node == nil {
				return nil
			}
			if u := hasUnnest(it.node); u != nil && p.unnests == nil {
				p.b.errorf(CodeUnnest, e.Span(), "unnest cannot stand in %s", p.clause).WithHint("unnest in FROM: FROM t, unnest(t.list) AS x")
				return nil
			}
			return it.node
		}
	}
	c, rest, err := p.scope.find(e.Path)
	if it := p.aliases[e.Path[0].Folded()]; err != nil && it != nil && len(e.Path) > 1 && !p.inAggregate {
		return p.members(it, e.Path)
	}
	if c := pick(p.computed, e.Path[0]); err != nil && len(c) > 0 {
		p.b.errorf(CodeTable, e.Span(), "column %q is computed, too, and a generated column is computed from others only", c[0].field.Name).
			WithHint("repeat its expression here, or compute the column in a view over the table")
		return nil
	}
	if err != nil {
		p.unknown(e, err)
		return nil
	}
	c.use(e)
	span := e.Span()
	if len(rest) > 0 {
		span = ast.Name(e.Path[:len(e.Path)-len(rest)]).Span()
	}
	n := expr.NewColumn(c.index, c.field).At(span)
	for _, id := range rest {
		n = p.member(n, id)
	}
	if n == nil {
		return nil
	}
	return n.At(e.Span())
}

// unknown reports a name that means nothing here. What is wrong once for all names of a scope is told once: that there is no
// FROM, or that a table is not in it.
func (p *place) unknown(e *ast.ColumnRef, err *fault.Error) {
	id := e.Path[0]
	once := ""
	if err.Code == CodeUnknownColumn && len(e.Path) > 1 && len(p.scope.of(id)) == 0 {
		if known := p.b.missing(e.Path); known != nil {
			p.b.errs = append(p.b.errs, known)
			return
		}
	}
	switch {
	case err.Code == CodeUnknownColumn && len(e.Path) == 1 && p.scope.named[id.Folded()]:
		err.WithHint("the alias of the select list is seen in GROUP BY, HAVING, QUALIFY and ORDER BY alone; repeat its expression here")
	case len(e.Path) == 1 && !id.Quoted && spelledElsewhere[strings.ToLower(id.Name)] == "now()":
		err.WithHint("write now()")
	case err.Code == CodeUnknownColumn && len(e.Path) == 1 && !id.Quoted && unitWords[strings.ToLower(id.Name)] && strings.HasPrefix(p.clause, "the select"):
		err.WithHint("a unit of time is written in single quotes, as in date_trunc('%s', x)", strings.ToLower(id.Name))
	case len(e.Path) == 1 && !id.Quoted && p.b.opts.Functions.Has(id.Name):
		err.WithHint("write %s() to call the function", strings.ToLower(id.Name))
	case err.Code == CodeUnknownColumn && len(p.scope.columns)+len(p.scope.outer) == 0:
		err.WithHint("no column can be named here; a text is written in single quotes")
		switch {
		case p.clause == "the select list":
			err.WithHint("name the table that has it: add FROM; a text is written in single quotes")
		case len(e.Path) > 1:
			err.WithHint("name a table that stands before this in FROM")
		}
		once = "no FROM"
	case err.Code == CodeUnknownColumn && len(e.Path) == 1 && id.Quoted && !strings.HasPrefix(err.Hint, "did you mean"):
		err.WithHint("%s; double quotes make a name, a text is written in single quotes", err.Hint)
	case err.Code == CodeUnknownColumn && len(e.Path) > 1 && len(p.scope.of(id)) == 0:
		once = id.Folded()
	}
	if once == "" {
		p.b.errs = append(p.b.errs, err)
	} else {
		p.b.once(p.scope, once, err)
	}
}

// unitWords are the units of time that functions take as texts.
var unitWords = map[string]bool{"second": true, "minute": true, "hour": true, "day": true, "week": true, "month": true, "quarter": true, "year": true}

// once reports what is wrong with a scope unless that has been done.
func (b *Binder) once(s *scope, what string, err *fault.Error) {
	key := scopeName{s, what}
	if e := b.told[key]; e != nil && slices.Contains(b.errs, e) {
		return
	}
	if b.told == nil {
		b.told = map[scopeName]*fault.Error{}
	}
	b.told[key] = err
	b.errs = append(b.errs, err)
}

// missing is the error of a name whose table stands in a query around; nil if there is none.
func (b *Binder) missing(path ast.Name) *fault.Error {
	for i := len(b.arounds) - 1; i >= 0; i-- {
		if columns := b.arounds[i].of(path[0]); len(columns) > 0 {
			e := fault.Userf(CodeUnknownColumn, path[1].Span(), "table %q has no column %q", path[0].Name, path[1].Name)
			return hintNearest(e, path[1].Name, columns)
		}
	}
	return nil
}

// scopeName is a name in a scope.
type scopeName struct {
	scope *scope
	name  string
}

// members is a member of what an alias stands for.
func (p *place) members(it *item, path ast.Name) *expr.Node {
	n := it.node
	for _, id := range path[1:] {
		n = p.member(n, id)
	}
	if n == nil {
		return nil
	}
	return n.At(path.Span())
}

// member is x.name.
func (p *place) member(x *expr.Node, id ast.Ident) *expr.Node {
	if x == nil {
		return nil
	}
	t, ok := x.Type.(*arrow.StructType)
	if !ok {
		e := p.b.errorf(expr.CodeTypeMismatch, id.Span(), "%s has no members", expr.TypeName(x.Type))
		switch x.Type.ID() {
		case arrow.MAP:
			e.WithHint("write x['%s'] for the value of a key", id.Name)
		case arrow.LIST:
			e.WithHint("write x[1] for an element")
		case arrow.STRING:
			e.WithHint("only structs have members; of JSON, x -> '%s' is one", id.Name)
		default:
			e.WithHint("only structs have members")
		}
		return nil
	}
	name, ok := member(t, id)
	if !ok {
		names := make([]string, t.NumFields())
		for i, f := range t.Fields() {
			names[i] = f.Name
		}
		hintAmong(p.b.errorf(CodeUnknownColumn, id.Span(), "the struct has no member %q", id.Name), id.Name, names, "members")
		return nil
	}
	n, err := expr.FieldOf(x, name, x.Span.Join(id.Span()))
	if err != nil {
		p.b.report(err, id.Span())
		return nil
	}
	return n
}

func (p *place) subscript(e *ast.Subscript) *expr.Node {
	x := p.expr(e.X)
	if x == nil {
		return nil
	}
	if key, ok := e.Index.(*ast.StringLit); ok {
		if _, ok := x.Type.(*arrow.StructType); ok {
			return p.member(x, ast.Ident{Place: key.Place, Name: key.Value, Quoted: true})
		}
	}
	if !p.b.opts.Functions.Has("array_element") {
		p.b.unsupported(e.Span(), "subscripts are supported only on structs").WithHint("declare the elements as columns, or as members of a STRUCT")
		return nil
	}
	return p.function("array_element", e.Span(), x, p.expr(e.Index))
}

func (p *place) cast(e *ast.Cast) *expr.Node {
	x := p.expr(e.X)
	dt, err := types.Cast(e.Type)
	if err != nil {
		err.Record.Column = ""
		p.b.errs = append(p.b.errs, err)
	}
	if x == nil || err != nil {
		return nil
	}
	if types.IsJSON(e.Type) {
		return p.castField(x, arrow.Field{Type: dt, Metadata: expr.JSONMetadata}, e.Try, e.Span())
	}
	return p.castTo(x, dt, e.Try, e.Span())
}

// castField casts a value to the type of a column; one that is JSON makes JSON of all but texts, which are JSON already.
func (p *place) castField(x *expr.Node, f arrow.Field, try bool, span fault.Span) *expr.Node {
	if expr.IsJSON(f) && x.Type.ID() != arrow.STRING && x.Type.ID() != arrow.NULL {
		return p.function("to_json", span, x)
	}
	return p.castTo(x, f.Type, try, span)
}

func (p *place) castTo(x *expr.Node, dt arrow.DataType, try bool, span fault.Span) *expr.Node {
	n, err := expr.CastTo(x, dt, try, span)
	if err != nil {
		p.b.report(err, span)
		return nil
	}
	return n
}

func (p *place) caseOf(e *ast.Case) *expr.Node {
	var operand *expr.Node
	if e.Operand != nil {
		operand = p.expr(e.Operand)
	}
	ok := e.Operand == nil || operand != nil && p.repeatable(operand, e.Span())
	if !ok {
		return nil
	}
	conds, results := make([]*expr.Node, len(e.Whens)), make([]*expr.Node, len(e.Whens))
	for i, w := range e.Whens {
		conds[i], results[i] = p.expr(w.Cond), p.expr(w.Result)
		if operand != nil && conds[i] != nil {
			conds[i] = p.function("eq", w.Cond.Span(), operand, conds[i])
		}
		ok = ok && conds[i] != nil && results[i] != nil
	}
	var els *expr.Node
	if e.Else != nil {
		els = p.expr(e.Else)
		ok = ok && els != nil
	}
	if !ok {
		return nil
	}
	n, err := expr.NewCase(conds, results, els, e.Span())
	if err != nil {
		p.b.report(err, e.Span())
		return nil
	}
	return n
}

// quantified is x op ANY (list) or x op ALL (list).
func (p *place) quantified(e *ast.Quantified) *expr.Node {
	name := binaryFunctions[e.Op] + "_any"
	if e.All {
		name = binaryFunctions[e.Op] + "_all"
	}
	switch {
	case patternOperators[e.Op] != "":
		return p.quantifiedPattern(e)
	case !p.b.opts.Functions.Has(name):
		p.b.unsupported(e.Span(), "%s before ANY or ALL is not supported", e.Op).WithHint("the operators are = <> < <= > >= LIKE ILIKE ~ ~*")
		return nil
	}
	return p.call2(name, e.X, e.Array, e.Span())
}

// patternOperators names the functions of the operators that match with patterns.
var patternOperators = map[ast.BinaryOp]string{
	ast.LikeOp: "like", ast.NotLikeOp: "not_like", ast.ILikeOp: "ilike", ast.NotILikeOp: "not_ilike",
	ast.RegexMatch: "regexp_match_op", ast.RegexIMatch: "regexp_imatch_op",
	ast.RegexNotMatch: "regexp_not_match_op", ast.RegexNotIMatch: "regexp_not_imatch_op",
}

// quantifiedPattern is x LIKE ANY (ARRAY['a%', …]) and the like: the patterns are matched one after the other.
func (p *place) quantifiedPattern(e *ast.Quantified) *expr.Node {
	list, ok := e.Array.(*ast.ArrayLit)
	if !ok {
		p.b.unsupported(e.Array.Span(), "the patterns of ANY and ALL are supported only as a list that is written out").
			WithHint("write x LIKE ANY (ARRAY['a%%', 'b%%']), or x ~ y with the regular expression a|b")
		return nil
	}
	join, none := "or", false
	if e.All {
		join, none = "and", true
	}
	x := p.expr(e.X)
	patterns := p.all(list.Items)
	if x == nil || patterns == nil || !p.repeatable(x, e.Span()) {
		return nil
	}
	if len(patterns) == 0 {
		return expr.NewLiteral(arrow.FixedWidthTypes.Boolean, none)
	}
	for i, pattern := range patterns {
		if patterns[i] = p.function(patternOperators[e.Op], e.Span(), x, pattern); patterns[i] == nil {
			return nil
		}
	}
	return p.joined(join, patterns, e.Span())
}

// typedStruct is STRUCT<a INT, b TEXT>(1, 'x').
func (p *place) typedStruct(e *ast.StructLit) *expr.Node {
	dt, err := types.Cast(e.Type)
	if err != nil {
		p.b.errs = append(p.b.errs, err)
		return nil
	}
	t, ok := dt.(*arrow.StructType)
	if !ok || t.NumFields() != len(e.Items) {
		p.b.errorf(expr.CodeTypeMismatch, e.Span(), "the struct has another number of members than its type").
			WithHint("give a value for every member, NULL perhaps")
		return nil
	}
	var args []*expr.Node
	for i, it := range e.Items {
		n := p.expr(it.Expr)
		if n == nil {
			return nil
		}
		if n = p.castTo(n, t.Field(i).Type, false, it.Span()); n == nil {
			return nil
		}
		args = append(args, expr.NewLiteral(arrow.BinaryTypes.String, t.Field(i).Name).At(it.Span()), n)
	}
	return p.function("named_struct", e.Span(), args...)
}

// structOf is STRUCT(a, b AS name).
func (p *place) structOf(e *ast.StructLit) *expr.Node {
	if e.Type != nil {
		return p.typedStruct(e)
	}
	named := false
	for _, it := range e.Items {
		named = named || it.Alias != nil
	}
	var args []*expr.Node
	for i, it := range e.Items {
		if named {
			name := "c" + strconv.Itoa(i)
			if it.Alias != nil {
				name = it.Alias.Folded()
			}
			args = append(args, expr.NewLiteral(arrow.BinaryTypes.String, name).At(it.Span()))
		}
		n := p.expr(it.Expr)
		if n == nil {
			return nil
		}
		args = append(args, n)
	}
	if named {
		return p.function("named_struct", e.Span(), args...)
	}
	return p.function("struct", e.Span(), args...)
}
