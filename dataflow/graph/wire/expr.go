package wire

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/expr"
)

func (e *encoder) exprs(ns []*expr.Node) []*Expr {
	out := make([]*Expr, len(ns))
	for i, n := range ns {
		if n == nil {
			e.fail("an expression is missing")
			n = &expr.Node{Kind: expr.RowTime, Type: arrow.Null}
		}
		out[i] = e.expr(n)
	}
	return out
}

func (e *encoder) expr(n *expr.Node) *Expr {
	if n == nil {
		return nil
	}
	msg := &Expr{
		Kind: e.exprKind(n.Kind), Type: e.dataType(n.Type), Nullable: n.Nullable, Index: e.uint(n.Index), Name: n.Name,
		Value: e.value(n.Value), Span: e.span(n.Span),
	}
	if len(n.Args) > 0 {
		msg.Args = e.exprs(n.Args)
	}
	return msg
}

func (e *encoder) exprKind(k expr.Kind) ExprKind {
	for w, g := range exprKinds {
		if w != 0 && g == k {
			return ExprKind(w)
		}
	}
	e.fail("no expression has the kind %d", k)
	return 0
}

// exprKinds gives the kind behind each number of the format.
var exprKinds = [...]expr.Kind{
	ExprKind_EXPR_KIND_COLUMN:   expr.Column,
	ExprKind_EXPR_KIND_LITERAL:  expr.Literal,
	ExprKind_EXPR_KIND_CALL:     expr.Call,
	ExprKind_EXPR_KIND_CAST:     expr.Cast,
	ExprKind_EXPR_KIND_TRY_CAST: expr.TryCast,
	ExprKind_EXPR_KIND_CASE:     expr.Case,
	ExprKind_EXPR_KIND_FIELD:    expr.Field,
	ExprKind_EXPR_KIND_ROW_TIME: expr.RowTime,
}

func (e *encoder) value(v any) *Value {
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		return &Value{Value: &Value_Bool{v}}
	case int64:
		return &Value{Value: &Value_Int{v}}
	case uint64:
		return &Value{Value: &Value_Uint{v}}
	case float64:
		return &Value{Value: &Value_Float{v}}
	case string:
		return &Value{Value: &Value_Text{[]byte(v)}}
	case []byte:
		return &Value{Value: &Value_Bytes{v}}
	case decimal128.Num:
		return &Value{Value: &Value_Decimal{&Decimal{High: v.HighBits(), Low: v.LowBits()}}}
	case arrow.MonthDayNanoInterval:
		return &Value{Value: &Value_Interval{&Interval{Months: v.Months, Days: v.Days, Nanoseconds: v.Nanoseconds}}}
	}
	e.fail("a literal holds a %T", v)
	return nil
}

func (d *decoder) exprs(msgs []*Expr) []*expr.Node {
	out := make([]*expr.Node, len(msgs))
	for i, m := range msgs {
		if m == nil {
			m = &Expr{}
		}
		out[i] = d.expr(m)
	}
	return out
}

func (d *decoder) expr(msg *Expr) *expr.Node {
	if msg == nil {
		return nil
	}
	n := &expr.Node{
		Type: d.dataType(msg.Type), Nullable: msg.Nullable, Index: d.int(msg.Index), Name: msg.Name,
		Value: d.value(msg.Value), Span: d.span(msg.Span),
	}
	if msg.Kind <= 0 || int(msg.Kind) >= len(exprKinds) {
		d.fail("no expression has the kind %d", msg.Kind)
		return n
	}
	n.Kind = exprKinds[msg.Kind]
	if len(msg.Args) > 0 {
		n.Args = d.exprs(msg.Args)
	}
	d.arity(n)
	return n
}

// arity checks what every reader of expressions relies on.
func (d *decoder) arity(n *expr.Node) {
	ok := true
	switch n.Kind {
	case expr.Column, expr.Literal, expr.RowTime:
		ok = len(n.Args) == 0
	case expr.Cast, expr.TryCast:
		ok = len(n.Args) == 1
	case expr.Case:
		ok = len(n.Args) >= 2
	case expr.Field:
		ok = len(n.Args) == 1
		if ok && n.Args[0].Type != nil {
			s, isStruct := n.Args[0].Type.(*arrow.StructType)
			ok = isStruct && n.Index < s.NumFields()
		}
	}
	if !ok {
		d.fail("an expression of kind %d has wrong arguments", n.Kind)
	}
}

func (d *decoder) value(msg *Value) any {
	if msg == nil {
		return nil
	}
	switch v := msg.Value.(type) {
	case *Value_Bool:
		return v.Bool
	case *Value_Int:
		return v.Int
	case *Value_Uint:
		return v.Uint
	case *Value_Float:
		return v.Float
	case *Value_Text:
		return string(v.Text)
	case *Value_Bytes:
		return append([]byte{}, v.Bytes...)
	case *Value_Decimal:
		return decimal128.New(v.Decimal.GetHigh(), v.Decimal.GetLow())
	case *Value_Interval:
		i := v.Interval
		return arrow.MonthDayNanoInterval{Months: i.GetMonths(), Days: i.GetDays(), Nanoseconds: i.GetNanoseconds()}
	}
	d.fail("a literal has no value")
	return nil
}
