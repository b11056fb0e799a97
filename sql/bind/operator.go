package bind

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
)

// binaryFunctions names the function behind each binary operator. Operators that are missing are refused.
var binaryFunctions = map[ast.BinaryOp]string{
	ast.Or: "or", ast.And: "and",
	ast.Eq: "eq", ast.Ne: "neq", ast.Lt: "lt", ast.Le: "lteq", ast.Gt: "gt", ast.Ge: "gteq",
	ast.Add: "add", ast.Sub: "subtract", ast.Mul: "multiply", ast.Div: "divide", ast.Mod: "modulo",
	ast.BitAnd: "bitwise_and", ast.BitOr: "bitwise_or", ast.BitXor: "bitwise_xor", ast.ShiftLeft: "shift_left", ast.ShiftRight: "shift_right",
	ast.Concat: "concat_op", ast.Pow: "power", ast.StartsWith: "starts_with",
	ast.RegexMatch: "regexp_match_op", ast.RegexIMatch: "regexp_imatch_op",
	ast.RegexNotMatch: "regexp_not_match_op", ast.RegexNotIMatch: "regexp_not_imatch_op",
	ast.JSONGet: "json_get", ast.JSONGetText: "json_as_text", ast.JSONHasKey: "json_contains",
	ast.Contains: "contains_op", ast.ContainedBy: "contained_op", ast.Overlaps: "overlaps_op",
}

func (p *place) binary(e *ast.Binary) *expr.Node {
	// Chains of AND and OR lean to the left and can be thousands of terms long.
	if e.Op == ast.OverlapsOp {
		return p.overlaps(e)
	}
	name, known := binaryFunctions[e.Op]
	if !known || !p.b.opts.Functions.Has(name) {
		e1 := p.b.unsupported(e.OpPos.Span(), "the operator %s is not supported", e.Op)
		switch e.Op {
		case ast.JSONGet, ast.JSONGetText, ast.JSONHasKey:
			e1.WithHint("declare the document as a STRUCT and name its members")
		case ast.JSONGetPath, ast.JSONGetPathText:
			e1.WithHint("write one key after the other, as in x -> 'a' ->> 'b'")
		case ast.JSONHasAny, ast.JSONHasAll:
			e1.WithHint("write x ? 'a' OR x ? 'b', or AND")
		case ast.JSONPathExists, ast.JSONPathMatch:
			e1.WithHint("write get_first_json_object(x, '$.a[?@.b > 1]') IS NOT NULL")
		default:
			e1.WithHint("the operators are + - * / %% || = <> < <= > >= AND OR NOT LIKE IN BETWEEN IS")
		}
		return nil
	}
	if x, q, op, ok := rowAndQuery(e); ok {
		return p.rowQuery(op, x, q, e.Span())
	}
	if comparisons[e.Op] {
		if l, r, ok := p.rows(e.L, e.R, e.Span()); ok {
			return p.compareRows(name, l, r, e.Span())
		}
	}
	left, right := p.expr(e.L), p.expr(e.R)
	if comparisons[e.Op] && (isNullLit(e.L) || isNullLit(e.R)) {
		instead := map[ast.BinaryOp]string{ast.Eq: "IS NULL", ast.Ne: "IS NOT NULL"}[e.Op]
		w := p.b.warn(CodeNever, e.Span(), "a comparison with NULL is never true").WithHint("leave it out: NULL has no order")
		if instead != "" {
			w.WithHint("write %s", instead)
		}
	}
	if p.meantInterval(e, left) {
		return nil
	}
	if meant := meantWord(e.Op, left, right); meant != "" {
		p.b.errorf(expr.CodeTypeMismatch, e.OpPos.Span(), "%s does not take %s, %s", e.Op, expr.TypeName(left.Type), expr.TypeName(right.Type)).
			WithHint("write %s between conditions", meant)
		return nil
	}
	return p.function(name, e.Span(), left, right)
}

func isNullLit(e ast.Expr) bool {
	_, is := e.(*ast.NullLit)
	return is
}

// meantInterval refuses a number that is added to a time beside an alias that is a unit of time: to take the two for a name would
// give another day or moment than the one that is meant.
func (p *place) meantInterval(e *ast.Binary, left *expr.Node) bool {
	number, ok := e.R.(*ast.NumberLit)
	if !ok || left == nil || e.Op != ast.Add && e.Op != ast.Sub || number.Span().Start != p.measure.Start || p.measure.IsZero() {
		return false
	}
	if !isMoment(left.Type) && left.Type.ID() != arrow.INTERVAL_MONTH_DAY_NANO {
		return false
	}
	p.b.errorf(expr.CodeTypeMismatch, p.measure, "the unit behind this number would be the column's name").
		WithHint("write INTERVAL '%s' %s; a name goes behind AS", number.Text, p.instead)
	return true
}

// isMoment reports whether values of a type are times, to which intervals may be added.
func isMoment(dt arrow.DataType) bool {
	return dt.ID() == arrow.TIMESTAMP || dt.ID() == arrow.DATE32 || dt.ID() == arrow.TIME64
}

// meantWord is the word for an operator of other languages, if its operands show that it is meant: && is for lists here, and ||
// puts texts together.
func meantWord(op ast.BinaryOp, left, right *expr.Node) string {
	if left == nil || right == nil {
		return ""
	}
	l, r := left.Type.ID(), right.Type.ID()
	switch {
	case op == ast.Overlaps && l != arrow.LIST && r != arrow.LIST && l != arrow.NULL && r != arrow.NULL:
		return "AND"
	case op == ast.Concat && (l == arrow.BOOL || r == arrow.BOOL) && l != arrow.STRING && r != arrow.STRING && l != arrow.LIST && r != arrow.LIST:
		return "OR"
	}
	return ""
}

// comparisons are the operators that compare.
var comparisons = map[ast.BinaryOp]bool{ast.Eq: true, ast.Ne: true, ast.Lt: true, ast.Le: true, ast.Gt: true, ast.Ge: true}

func (p *place) unary(e *ast.Unary) *expr.Node {
	switch e.Op {
	case ast.Neg:
		if lit, ok := e.X.(*ast.NumberLit); ok {
			return p.number("-"+lit.Text, lit)
		}
		return p.function("negate", e.Span(), p.expr(e.X))
	case ast.Plus:
		return p.expr(e.X)
	case ast.Not:
		return p.function("not", e.Span(), p.expr(e.X))
	case ast.BitNot:
		return p.function("bitwise_not", e.Span(), p.expr(e.X))
	case ast.Abs:
		return p.function("abs", e.Span(), p.expr(e.X))
	case ast.SquareRoot:
		return p.function("sqrt", e.Span(), p.expr(e.X))
	case ast.CubeRoot:
		return p.function("cbrt", e.Span(), p.expr(e.X))
	}
	err := p.b.unsupported(e.Span(), "the operator %s is not supported", e.Op)
	switch e.Op {
	case ast.Factorial:
		err.WithHint("write factorial(x)")
	case ast.Bang:
		err.WithHint("write NOT x")
	default:
		err.WithHint("the operators before a value are + - NOT ~ @ |/ ||/")
	}
	return nil
}

func distinctName(not bool) string {
	if not {
		return "is_not_distinct_from"
	}
	return "is_distinct_from"
}

func (p *place) is(e *ast.Is) *expr.Node {
	if n, ok := p.isRow(e); ok {
		return n
	}
	name := "is_"
	if e.Not {
		name += "not_"
	}
	name += [...]string{ast.IsNull: "null", ast.IsTrue: "true", ast.IsFalse: "false", ast.IsUnknown: "unknown"}[e.Test]
	return p.function(name, e.Span(), p.expr(e.X))
}

// between is x >= low AND x <= high; SYMMETRIC takes the bounds in either order.
func (p *place) between(e *ast.Between) *expr.Node {
	if n, ok := p.betweenRows(e); ok {
		return n
	}
	x, low, high := p.expr(e.X), p.expr(e.Low), p.expr(e.High)
	if x == nil || low == nil || high == nil || !p.repeatable(x, e.Span()) {
		return nil
	}
	n := p.inRange(x, low, high, e.Span())
	if e.Symmetric && n != nil {
		n = p.function("or", e.Span(), n, p.inRange(x, high, low, e.Span()))
	}
	if e.Not && n != nil {
		n = p.function("not", e.Span(), n)
	}
	return n
}

// maxRepeated bounds an expression that is written once and planned several times, in nodes, so that nesting such
// expressions cannot blow a short text up.
const maxRepeated = 1000

func (p *place) repeatable(n *expr.Node, span fault.Span) bool {
	size := 0
	n.Walk(func(*expr.Node) bool {
		size++
		return size <= maxRepeated
	})
	return p.small(size, span)
}

func (p *place) small(size int, span fault.Span) bool {
	if size > maxRepeated {
		p.b.unsupported(span, "the expression is too large").WithHint("compute its operand as a column of a subquery in FROM")
	}
	return size <= maxRepeated
}

func (p *place) inRange(x, low, high *expr.Node, span fault.Span) *expr.Node {
	above, below := p.function("gteq", span, x, low), p.function("lteq", span, x, high)
	return p.function("and", span, above, below)
}

func (p *place) in(e *ast.In) *expr.Node {
	if e.Query != nil {
		return p.composite(e)
	}
	if n, ok := p.inRows(e); ok {
		return n
	}
	x, list := p.expr(e.X), p.all(e.List)
	if x == nil || list == nil {
		return nil
	}
	n, err := expr.In(x, list, e.Not, e.Span())
	if err != nil {
		p.b.report(err, e.Span())
		return nil
	}
	return n
}

func (p *place) like(e *ast.Like) *expr.Node {
	name := [...]string{ast.LikePattern: "like", ast.ILikePattern: "ilike", ast.SimilarPattern: "similar_to"}[e.Kind]
	if e.Not {
		name = "not_" + name
	}
	args := []ast.Expr{e.X, e.Pattern}
	if e.Escape != nil {
		args = append(args, e.Escape)
	}
	bound := p.all(args)
	if bound == nil {
		return nil
	}
	return p.function(name, e.Span(), bound...)
}

// atOperand moves a type error of an operator to the operand that is to blame, where one alone is.
func atOperand(err error, name string, args []*expr.Node) error {
	e := fault.As(err)
	var fits func(arrow.DataType) bool
	switch name {
	case "and", "or", "not", "is_true", "is_not_true", "is_false", "is_not_false":
		fits = func(dt arrow.DataType) bool { return dt.ID() == arrow.BOOL }
	case "like", "not_like", "ilike", "not_ilike", "similar_to":
		fits = func(dt arrow.DataType) bool { return dt.ID() == arrow.STRING }
	case "add", "subtract", "multiply", "divide", "modulo", "negate":
		fits = func(dt arrow.DataType) bool {
			return dt.ID() != arrow.STRING && dt.ID() != arrow.BOOL && dt.ID() != arrow.BINARY && !arrow.IsNested(dt.ID())
		}
	default:
		return err
	}
	if e.Code != expr.CodeTypeMismatch {
		return err
	}
	var wrong *expr.Node
	for _, a := range args {
		if a.Type.ID() == arrow.NULL || fits(a.Type) {
			continue
		}
		if wrong != nil {
			return err
		}
		wrong = a
	}
	if wrong == nil || wrong.Span.IsZero() {
		return err
	}
	moved := *e
	moved.Span = wrong.Span
	return &moved
}
