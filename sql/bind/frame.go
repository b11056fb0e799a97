package bind

import (
	"math"
	"math/big"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
)

// frame reads the frame of a window in this order; without one it reaches from the first row to those equal to the current
// one, or over the whole partition if there is no order.
func (b *Binder) frame(w *ast.WindowSpec, order []sortTerm) (graph.Frame, bool) {
	if w.Frame == nil {
		out := graph.Frame{Unit: graph.Range, From: graph.Bound{Kind: graph.UnboundedPreceding}, To: graph.Bound{Kind: graph.CurrentRow}}
		if len(w.OrderBy) == 0 {
			out = graph.Frame{Unit: graph.Rows, From: graph.Bound{Kind: graph.UnboundedPreceding}, To: graph.Bound{Kind: graph.UnboundedFollowing}}
		}
		return out, true
	}
	f := w.Frame
	if f.Units == ast.FrameGroups && len(order) == 0 {
		b.errorf(fault.CodeInvalid, f.Span(), "GROUPS needs an order").WithHint("add ORDER BY, whose equal rows are the groups, or count rows with ROWS")
		return graph.Frame{}, false
	}
	out := graph.Frame{
		Unit:    map[ast.FrameUnits]graph.FrameUnit{ast.FrameRows: graph.Rows, ast.FrameRange: graph.Range, ast.FrameGroups: graph.Groups}[f.Units],
		Exclude: map[ast.FrameExclusion]graph.Exclusion{ast.ExcludeCurrentRow: graph.ExcludeCurrentRow, ast.ExcludeGroup: graph.ExcludeGroup, ast.ExcludeTies: graph.ExcludeTies}[f.Exclude],
	}
	from, okFrom := b.bound(f.Start, f.Units, order)
	to, okTo := b.bound(f.End, f.Units, order)
	out.From, out.To = from, to
	if okFrom && okTo && (from.Kind > to.Kind || from.Kind == graph.UnboundedFollowing || to.Kind == graph.UnboundedPreceding) {
		b.errorf(fault.CodeInvalid, f.Span(), "the frame ends before it starts").WithHint("write the earlier bound first")
		return out, false
	}
	return out, okFrom && okTo
}

func (b *Binder) bound(x ast.FrameBound, units ast.FrameUnits, order []sortTerm) (graph.Bound, bool) {
	out := graph.Bound{Kind: map[ast.BoundKind]graph.BoundKind{
		ast.UnboundedPreceding: graph.UnboundedPreceding, ast.Preceding: graph.Preceding, ast.CurrentRow: graph.CurrentRow,
		ast.Following: graph.Following, ast.UnboundedFollowing: graph.UnboundedFollowing,
	}[x.Kind]}
	if x.Offset == nil {
		return out, true
	}
	if units != ast.FrameRange {
		n, ok := b.whole(x.Offset, units.String())
		out.N = n
		return out, ok
	}
	if len(order) != 1 {
		b.errorf(fault.CodeInvalid, x.Span(), "RANGE with a distance needs exactly one ORDER BY expression").
			WithHint("order by one time or number, or count rows with ROWS BETWEEN …")
		return out, false
	}
	n, ok := b.distance(x.Offset, order[0].value.Type)
	if ok && n < 0 {
		b.errorf(fault.CodeInvalid, x.Offset.Span(), "the bound of a frame must not be negative").WithHint("write PRECEDING instead of FOLLOWING, or the other way round")
		return out, false
	}
	out.N = n
	return out, ok
}

// distance reads how far a RANGE bound lies from the current row in values of a type, in the form of graph.Bound.
func (b *Binder) distance(e ast.Expr, dt arrow.DataType) (int64, bool) {
	switch t := dt.(type) {
	case *arrow.TimestampType:
		return b.timeDistance(e, t.Unit.Multiplier())
	case *arrow.Time64Type:
		return b.timeDistance(e, t.Unit.Multiplier())
	case *arrow.Time32Type:
		return b.timeDistance(e, t.Unit.Multiplier())
	case *arrow.Date32Type:
		return b.timeDistance(e, 24*time.Hour)
	case *arrow.Float64Type, *arrow.Float32Type:
		v, ok := b.number(e, expr.TypeName(dt))
		f, _ := v.Float64()
		if ok && math.IsInf(f, 0) {
			return b.tooFar(e)
		}
		if f < 0 {
			return -1, ok
		}
		return int64(math.Float64bits(f)), ok
	case *arrow.Decimal128Type:
		v, ok := b.number(e, expr.TypeName(dt))
		if !ok {
			return 0, false
		}
		scaled := new(big.Rat).Mul(v, new(big.Rat).SetInt(powerOfTen(t.Scale)))
		whole := new(big.Int).Div(scaled.Num(), scaled.Denom()) // values that differ by less are equal
		if !whole.IsInt64() {
			return b.tooFar(e)
		}
		return whole.Int64(), true
	}
	if !arrow.IsInteger(dt.ID()) {
		b.errorf(expr.CodeTypeMismatch, e.Span(), "%s values have no distance for RANGE", expr.TypeName(dt)).
			WithHint("order by a time or a number, or count rows with ROWS BETWEEN …")
		return 0, false
	}
	return b.whole(e, "RANGE")
}

// whole reads how many rows, groups or whole numbers away a bound is.
func (b *Binder) whole(e ast.Expr, clause string) (int64, bool) {
	v, ok := int64(0), false
	if !varies(e) {
		n := (&place{b: b, scope: &scope{}, clause: clause}).expr(e)
		if n == nil {
			return 0, false
		}
		v, ok = expr.Fold(n).Value.(int64)
		ok = ok && arrow.IsInteger(n.Type.ID())
	}
	if !ok || v < 0 {
		b.errorf(fault.CodeInvalid, e.Span(), "a bound of %s has to be a whole number that is not negative", clause).WithHint("write a constant, as in 10 PRECEDING")
		return 0, false
	}
	return v, true
}

// timeDistance reads an interval in units of times. Whole units reach as far.
func (b *Binder) timeDistance(e ast.Expr, unit time.Duration) (int64, bool) {
	n, err := b.duration(e)
	switch {
	case err != nil:
		b.errs = append(b.errs, err)
		return 0, false
	case n < 0:
		return -1, true
	}
	return n / int64(unit), true
}

func (b *Binder) tooFar(e ast.Expr) (int64, bool) {
	b.errorf(fault.CodeInvalid, e.Span(), "the bound of the frame is too far away").WithHint("write UNBOUNDED PRECEDING or UNBOUNDED FOLLOWING")
	return 0, false
}

// number reads a constant number.
func (b *Binder) number(e ast.Expr, like string) (*big.Rat, bool) {
	if !varies(e) {
		n := (&place{b: b, scope: &scope{}, clause: "RANGE"}).expr(e)
		if n == nil {
			return new(big.Rat), false
		}
		if v := constantNumber(expr.Fold(n)); v != nil {
			return v, true
		}
	}
	b.errorf(fault.CodeInvalid, e.Span(), "a distance of %s values has to be a number", like).WithHint("write a constant, as in 1.5 PRECEDING")
	return new(big.Rat), false
}

// constantNumber is the value of a literal that is a finite number, nil of anything else.
func constantNumber(n *expr.Node) *big.Rat {
	if n.Kind != expr.Literal {
		return nil
	}
	switch v := n.Value.(type) {
	case int64:
		if arrow.IsInteger(n.Type.ID()) {
			return new(big.Rat).SetInt64(v)
		}
	case uint64:
		return new(big.Rat).SetUint64(v)
	case float64:
		return new(big.Rat).SetFloat64(v)
	case decimal128.Num:
		return new(big.Rat).SetFrac(v.BigInt(), powerOfTen(n.Type.(*arrow.Decimal128Type).Scale))
	}
	return nil
}

func powerOfTen(n int32) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
