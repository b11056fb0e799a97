package parse

import (
	"strings"

	"wadi/sql/ast"
)

// specialCall reads a call with a syntax of its own, such as EXTRACT(f FROM x), and gives nil if the word at the cursor
// names none. The word is followed by a parenthesis. Each falls back to ordinary arguments where they are possible.
func (p *parser) specialCall(word string) ast.Expr {
	switch word {
	case "CAST", "TRY_CAST", "SAFE_CAST":
		return p.cast(word != "CAST")
	case "EXTRACT":
		return p.extract()
	case "SUBSTRING", "SUBSTR":
		return p.substring()
	case "TRIM":
		return p.trim()
	case "POSITION":
		return p.position()
	case "OVERLAY":
		return p.overlay()
	case "CEIL", "CEILING", "FLOOR":
		return p.roundTo()
	case "CONVERT", "TRY_CONVERT":
		if p.peekAt(2).kind == tokenWord && typeNames[p.peekAt(2).upper] != "" {
			p.unsupported(p.peek().span(), word).WithHint("write CAST(x AS type)")
			return noExpr()
		}
	}
	return nil
}

// made is a call of a function by another name than the one written.
func made(place ast.Place, written token, name string, args ...ast.Expr) *ast.Call {
	c := &ast.Call{Place: place, Name: ast.Name{{Place: ast.At(written.span()), Name: name}}}
	for _, a := range args {
		c.Args = append(c.Args, &ast.Arg{Place: ast.At(a.Span()), Value: a})
	}
	return c
}

// plainCall goes on with an ordinary call whose parenthesis and first argument have been read.
func (p *parser) plainCall(written token, first ast.Expr) ast.Expr {
	return p.call(ast.Name{p.identOf(written)}, written.start, first)
}

func (p *parser) cast(try bool) ast.Expr {
	start := p.here()
	defer p.write(p.advance().upper + "(x AS BIGINT), with a type behind AS")()
	p.open("(")
	c := &ast.Cast{Try: try, X: p.expr(bpLowest)}
	p.need("AS")
	c.Type = p.dataType()
	if p.isWord("FORMAT") {
		p.unsupported(p.peek().span(), "FORMAT in CAST").WithHint("use to_timestamp or to_char with a format")
	}
	p.close(")")
	c.Place = p.from(start)
	return c
}

func (p *parser) extract() ast.Expr {
	t, field := p.peek(), p.peekAt(2)
	unit := field.kind == tokenWord && units[field.upper] != "" && p.peekAt(3).isOp(",")
	if !p.peekAt(3).isWord("FROM") && !unit || field.kind == tokenOp {
		return nil
	}
	defer p.write("EXTRACT(HOUR FROM ts)")()
	p.advance()
	p.open("(")
	if field.kind != tokenWord && field.kind != tokenString && field.kind != tokenQuoted {
		p.expected("a field such as YEAR, DAY or HOUR")
	}
	p.advance()
	p.need("FROM")
	x := p.expr(bpLowest)
	p.close(")")
	return made(p.from(t.start), t, "date_part", lowerString(field), x)
}

// substring reads SUBSTRING(x FROM a [FOR b]) and SUBSTRING(x FOR b [FROM a]).
func (p *parser) substring() ast.Expr {
	t := p.advance()
	defer p.write("SUBSTRING(x FROM 2 FOR 3) or substr(x, 2, 3)")()
	if p.peekAt(1).isOp(")") || p.namedArgAhead(1) {
		return p.call(ast.Name{p.identOf(t)}, t.start, nil)
	}
	p.open("(")
	x := p.expr(bpLowest)
	var from, count ast.Expr
	for range 2 {
		switch {
		case from == nil && p.word("FROM"):
			from = p.expr(bpLowest)
		case count == nil && p.word("FOR"):
			count = p.expr(bpLowest)
		}
	}
	if p.isWord("SIMILAR") {
		p.unsupported(p.peek().span(), "SUBSTRING with SIMILAR").WithHint("use regexp_match")
	}
	if from == nil && count == nil {
		return p.plainCall(t, x)
	}
	p.close(")")
	if from == nil {
		from = &ast.NumberLit{Place: ast.At(count.Span()), Text: "1", Integer: true}
	}
	args := []ast.Expr{x, from}
	if count != nil {
		args = append(args, count)
	}
	return made(p.from(t.start), t, "substr", args...)
}

// trim reads TRIM([BOTH|LEADING|TRAILING] [chars] FROM x) and TRIM(x [, chars]).
func (p *parser) trim() ast.Expr {
	t := p.advance()
	defer p.write("TRIM(x), TRIM(LEADING '0' FROM x) or TRIM(x, '0')")()
	p.open("(")
	name := "btrim"
	switch {
	case p.isAnyWord("LEADING", "TRAILING", "BOTH") && !p.peekAt(1).isOp(")") && !p.peekAt(1).isOp(",") && !p.peekAt(1).isOp("."):
		name = map[string]string{"LEADING": "ltrim", "TRAILING": "rtrim", "BOTH": "btrim"}[p.advance().upper]
	}
	var args []ast.Expr
	if p.isWord("FROM") {
		p.advance()
		args = append(args, p.expr(bpLowest))
	} else {
		first := p.expr(bpLowest)
		switch {
		case p.word("FROM"):
			args = append(args, p.expr(bpLowest), first)
		case p.op(","):
			args = append(args, first, p.expr(bpLowest))
		default:
			args = append(args, first)
		}
	}
	p.close(")")
	return made(p.from(t.start), t, name, args...)
}

// position reads POSITION(a IN b).
func (p *parser) position() ast.Expr {
	t := p.advance()
	defer p.write("POSITION('a' IN x)")()
	p.open("(")
	start := p.here()
	needle := p.expr(bpLike)
	if !p.word("IN") {
		return p.plainCall(t, p.continued(needle, start, bpLowest))
	}
	hay := p.expr(bpLowest)
	p.close(")")
	return made(p.from(t.start), t, "strpos", hay, needle)
}

// overlay reads OVERLAY(x PLACING y FROM a [FOR b]).
func (p *parser) overlay() ast.Expr {
	t := p.advance()
	defer p.write("OVERLAY(x PLACING 'ab' FROM 2 FOR 3)")()
	p.open("(")
	x := p.expr(bpLowest)
	if !p.word("PLACING") {
		return p.plainCall(t, x)
	}
	args := []ast.Expr{x, p.expr(bpLowest)}
	p.need("FROM")
	args = append(args, p.expr(bpLowest))
	if p.word("FOR") {
		args = append(args, p.expr(bpLowest))
	}
	p.close(")")
	return made(p.from(t.start), t, "overlay", args...)
}

// roundTo reads CEIL(x TO unit) and FLOOR(x TO unit).
func (p *parser) roundTo() ast.Expr {
	t := p.advance()
	defer p.write(t.upper + "(x) or " + t.upper + "(ts TO HOUR)")()
	p.open("(")
	x := p.expr(bpLowest)
	if !p.word("TO") {
		return p.plainCall(t, x)
	}
	unit := p.peek()
	if unit.kind != tokenWord {
		p.expected("a unit such as HOUR or DAY")
	}
	p.advance()
	p.close(")")
	return made(p.from(t.start), t, strings.ToLower(t.val), x, lowerString(unit))
}
