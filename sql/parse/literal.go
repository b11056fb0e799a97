package parse

import (
	"strings"

	"wadi/sql/ast"
)

// typedLitAhead reports whether a type with a string behind it stands at the cursor: DATE '…', TIMESTAMP(3) WITH TIME
// ZONE '…'.
func (p *parser) typedLitAhead() bool {
	t := p.peek()
	if t.kind != tokenWord || typeNames[t.upper] == "" {
		return false
	}
	n := 1
	switch t.upper {
	case "ARRAY", "STRUCT", "ROW", "MAP", "INTERVAL":
		return false
	case "DOUBLE":
		if p.wordsAt(n, "PRECISION") {
			n++
		}
	case "TIMESTAMP", "TIME", "TIMESTAMPTZ", "TIMETZ", "DATETIME":
		if p.peekAt(n).isOp("(") && p.peekAt(n+1).kind == tokenNumber && p.peekAt(n+2).isOp(")") {
			n += 3
		}
		if p.wordsAt(n, "WITH", "TIME", "ZONE") || p.wordsAt(n, "WITHOUT", "TIME", "ZONE") {
			n += 3
		}
	}
	return p.peekAt(n).kind == tokenString
}

// units maps the words for interval units to the units.
var units = func() map[string]ast.IntervalUnit {
	m := map[string]ast.IntervalUnit{"CENTURIES": ast.UnitCentury}
	for _, u := range []ast.IntervalUnit{ast.UnitCentury, ast.UnitDecade, ast.UnitYear, ast.UnitQuarter, ast.UnitMonth, ast.UnitWeek,
		ast.UnitDay, ast.UnitHour, ast.UnitMinute, ast.UnitSecond, ast.UnitMillisecond, ast.UnitMicrosecond, ast.UnitNanosecond} {
		m[string(u)] = u
		m[string(u)+"S"] = u
	}
	delete(m, "CENTURYS")
	return m
}()

// intervalAhead tells an interval from a column named interval.
func (p *parser) intervalAhead() bool {
	next := p.peekAt(1)
	switch next.kind {
	case tokenString, tokenNumber, tokenBad:
		return true
	case tokenQuoted:
		// Hardly ever an alias: text in double quotes is a common mistake here, which needString reports.
		return !p.peekAt(2).isOp(",") && p.peekAt(2).kind == tokenWord && units[p.peekAt(2).upper] != ""
	case tokenWord:
		return units[next.upper] == "" && !reserved[next.upper] && units[p.peekAt(2).upper] != "" && p.peekAt(2).kind == tokenWord
	case tokenOp:
		sign := next.val == "-" || next.val == "+"
		return next.val == "(" || (sign && p.peekAt(2).kind == tokenNumber && p.peekAt(3).kind == tokenWord && units[p.peekAt(3).upper] != "")
	}
	return false
}

// interval reads INTERVAL '…' [unit [TO unit]], INTERVAL n unit and INTERVAL (expr) unit.
func (p *parser) interval() ast.Expr {
	start := p.here()
	defer p.write("INTERVAL '5 minutes' or INTERVAL 5 MINUTE")()
	p.need("INTERVAL")
	e := &ast.IntervalLit{}
	switch t := p.peek(); {
	case t.isOp("("):
		e.Value = p.parenthesised()
	case t.isOp("-"), t.isOp("+"):
		e.Value = p.prefix()
	case t.kind == tokenQuoted:
		e.Value = p.needString("an interval as a string")
	default:
		e.Value = p.primary()
	}
	e.Unit = p.unit()
	if _, text := e.Value.(*ast.StringLit); e.Unit == ast.UnitNone && !text {
		p.near("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR")
		p.expected("a unit such as SECOND, MINUTE, HOUR or DAY")
	}
	if e.Unit != ast.UnitNone && p.maybe("TO") {
		if e.To = p.unit(); e.To == ast.UnitNone {
			p.expected("a unit such as MONTH or SECOND")
		}
	}
	e.Place = p.from(start)
	return e
}

// unit reads the word for a unit, with an ignored precision such as SECOND(3), if there is one.
func (p *parser) unit() ast.IntervalUnit {
	t := p.peek()
	u := units[t.upper]
	if t.kind != tokenWord || u == ast.UnitNone {
		return ast.UnitNone
	}
	p.advance()
	if p.isOp("(") && p.peekAt(1).kind == tokenNumber && p.peekAt(2).isOp(")") {
		p.unsupported(p.peek().span(), "a precision of an interval").WithHint("remove the number in parentheses")
	}
	return u
}

// lowerString makes a string literal of a word, in lower case.
func lowerString(t token) *ast.StringLit {
	return &ast.StringLit{Place: ast.At(t.span()), Value: strings.ToLower(t.val)}
}
