package bind

import (
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/types"
)

// number reads a number with its sign: BIGINT, BIGINT UNSIGNED when it is too big for that, else DOUBLE.
func (p *place) number(text string, e *ast.NumberLit) *expr.Node {
	if e.Integer {
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			return expr.NewLiteral(arrow.PrimitiveTypes.Int64, v)
		}
		if v, err := strconv.ParseUint(text, 10, 64); err == nil {
			return expr.NewLiteral(arrow.PrimitiveTypes.Uint64, v)
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		p.b.errorf(fault.CodeInvalid, e.Span(), "the number is out of range").WithHint("a DOUBLE reaches to 1.8e308")
		return nil
	}
	return expr.NewDouble(v, text)
}

// typed is a type's name before a string, as in TIMESTAMP '2024-01-01'.
func (p *place) typed(e *ast.TypedLit) *expr.Node {
	dt, ferr := types.Cast(e.Type)
	if ferr != nil {
		p.b.errs = append(p.b.errs, ferr)
		return nil
	}
	return p.constant(e.Value.Value, dt, e.Value.Span(), e.Span())
}

// constant casts a text to a type while planning.
func (p *place) constant(text string, dt arrow.DataType, value, whole fault.Span) *expr.Node {
	n, err := expr.CastTo(expr.NewLiteral(arrow.BinaryTypes.String, text).At(value), dt, false, whole)
	if err != nil {
		p.b.report(err, whole)
		return nil
	}
	folded := expr.Fold(n)
	if folded.Kind != expr.Literal {
		if dt.ID() == arrow.TIMESTAMP && spells(text, arrow.FixedWidthTypes.Timestamp_us) {
			p.b.errorf(fault.CodeOverflow, value, "the time is out of the range of %s", expr.TypeName(dt)).
				WithHint("times in nanoseconds go from 1677-09-21 to 2262-04-11; CAST('…' AS TIMESTAMP(6)) goes further")
			return nil
		}
		p.b.errorf(fault.CodeInvalid, value, "the text is not a valid %s", expr.TypeName(dt)).WithHint("%s", formatHint(dt))
		return nil
	}
	return folded.At(whole)
}

// spells reports whether a text is one of a value of a type.
func spells(text string, dt arrow.DataType) bool {
	n, err := expr.CastTo(expr.NewLiteral(arrow.BinaryTypes.String, text), dt, false, fault.Span{})
	return err == nil && expr.Fold(n).Kind == expr.Literal
}

func formatHint(dt arrow.DataType) string {
	switch dt.ID() {
	case arrow.TIMESTAMP:
		if dt.(*arrow.TimestampType).TimeZone != "" {
			return "write TIMESTAMPTZ '2024-05-17 12:34:56.789+02:00', or with the name of a zone, Europe/Berlin"
		}
		return "write TIMESTAMP '2024-05-17 12:34:56.789'"
	case arrow.DATE32:
		return "write DATE '2024-05-17'"
	case arrow.TIME64:
		return "write TIME '12:34:56'"
	case arrow.INTERVAL_MONTH_DAY_NANO:
		return "write INTERVAL '5 minutes' or INTERVAL '1 hour 30 minutes'"
	}
	return "write the value as CAST would take it"
}

// interval is INTERVAL '…' [unit [TO unit]].
func (p *place) interval(e *ast.IntervalLit) *expr.Node {
	text, ok := intervalText(e.Value)
	if !ok {
		p.b.unsupported(e.Value.Span(), "an interval must be a literal").WithHint("multiply one: x * INTERVAL '1' SECOND")
		return nil
	}
	if e.To != ast.UnitNone {
		text, ok = rangeText(text, e.Unit, e.To)
		if !ok {
			p.b.errorf(fault.CodeInvalid, e.Span(), "the text does not fit %s TO %s", e.Unit, e.To).WithHint("write INTERVAL '1-2' YEAR TO MONTH or INTERVAL '1 12:30:00' DAY TO SECOND")
			return nil
		}
	} else if e.Unit != ast.UnitNone {
		text += " " + strings.ToLower(string(e.Unit))
	}
	return p.constant(text, expr.Interval, e.Value.Span(), e.Span())
}

func intervalText(e ast.Expr) (string, bool) {
	switch v := e.(type) {
	case *ast.StringLit:
		return v.Value, true
	case *ast.NumberLit:
		return v.Text, true
	case *ast.Unary:
		if v.Op == ast.Neg {
			text, ok := intervalText(v.X)
			return "-" + text, ok && !strings.HasPrefix(text, "-")
		}
	}
	return "", false
}

// rangeText spells '1-2' YEAR TO MONTH and '1 12:30:00' DAY TO SECOND with a unit behind every number.
func rangeText(text string, from, to ast.IntervalUnit) (string, bool) {
	order := []ast.IntervalUnit{ast.UnitYear, ast.UnitMonth, ast.UnitDay, ast.UnitHour, ast.UnitMinute, ast.UnitSecond}
	first, last := -1, -1
	for i, u := range order {
		if u == from {
			first = i
		}
		if u == to {
			last = i
		}
	}
	sign := ""
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '-' || r == ' ' || r == ':' })
	if first < 0 || last < first || len(parts) != last-first+1 {
		return "", false
	}
	for i := range parts {
		parts[i] = sign + parts[i] + " " + strings.ToLower(string(order[first+i]))
	}
	return strings.Join(parts, " "), true
}

// length reads an expression that must be a constant interval: a literal, or text of one.
func (b *Binder) length(e ast.Expr) (arrow.MonthDayNanoInterval, *fault.Error) {
	at := &place{b: &Binder{opts: b.opts}, scope: &scope{}, clause: "an interval"}
	var none arrow.MonthDayNanoInterval
	var n *expr.Node
	if s, ok := e.(*ast.StringLit); ok {
		n = at.constant(s.Value, expr.Interval, s.Span(), s.Span())
	} else {
		n = at.expr(e)
	}
	if n == nil {
		if len(at.b.errs) > 0 && isInterval(e) {
			return none, at.b.errs[0]
		}
		return none, notInterval(e)
	}
	n = expr.Fold(n)
	v, ok := n.Value.(arrow.MonthDayNanoInterval)
	if !ok || n.Kind != expr.Literal {
		return none, notInterval(e)
	}
	return v, nil
}

// duration reads a constant interval of fixed length, in nanoseconds.
func (b *Binder) duration(e ast.Expr) (int64, *fault.Error) {
	v, err := b.length(e)
	if err != nil {
		return 0, err
	}
	if v.Months != 0 {
		return 0, fault.Userf(fault.CodeUnsupported, e.Span(), "durations in months or years are not supported").
			WithHint("months differ in length; write days, as in INTERVAL '30' DAY")
	}
	d, ok := nanosOf(v)
	if !ok {
		return 0, tooLong(e)
	}
	return d, nil
}

// nanosOf adds days of 24 hours and nanoseconds.
func nanosOf(v arrow.MonthDayNanoInterval) (int64, bool) {
	const day = 24 * 3600 * 1e9
	if abs := math.Abs(float64(v.Days)*day + float64(v.Nanoseconds)); abs >= math.MaxInt64 {
		return 0, false
	}
	return int64(v.Days)*day + v.Nanoseconds, true
}

func tooLong(e ast.Expr) *fault.Error {
	return fault.Userf(fault.CodeInvalid, e.Span(), "the interval is too long").WithHint("the longest is about 292 years")
}

func isInterval(e ast.Expr) bool {
	switch e.(type) {
	case *ast.IntervalLit, *ast.StringLit:
		return true
	}
	return false
}

func notInterval(e ast.Expr) *fault.Error {
	return fault.Userf(expr.CodeTypeMismatch, e.Span(), "an interval is expected here").WithHint("write INTERVAL '5 minutes'")
}
