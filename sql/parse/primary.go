package parse

import (
	"strings"

	"wadi/sql/ast"
)

// primary reads an operand without operators: a literal, a name, a call, or something in brackets.
func (p *parser) primary() ast.Expr {
	t := p.peek()
	place := ast.At(t.span())
	switch t.kind {
	case tokenNumber:
		p.advance()
		return &ast.NumberLit{Place: place, Text: t.val, Integer: t.integer}
	case tokenString:
		p.advance()
		return &ast.StringLit{Place: place, Value: t.val}
	case tokenBytes:
		p.advance()
		return &ast.BytesLit{Place: place, Value: []byte(t.val)}
	case tokenQuoted:
		return p.nameOrCall()
	case tokenWord:
		return p.wordPrimary(t)
	case tokenOp:
		switch t.val {
		case "(":
			return p.paren()
		case "[":
			return p.array(t.start)
		case "*":
			p.misplacedStar()
		case "{":
			p.unsupported(t.span(), "a struct in braces").WithHint("write STRUCT(1 AS a) or named_struct('a', 1)")
		case "?":
			p.unsupported(t.span(), "a parameter").WithHint("write the value itself")
		}
	}
	p.expected("an expression")
	return noExpr()
}

// wordPrimary reads an operand that begins with a word.
func (p *parser) wordPrimary(t token) ast.Expr {
	start := t.start
	next := p.peekAt(1)
	switch t.upper {
	case "NULL":
		p.advance()
		return &ast.NullLit{Place: ast.At(t.span())}
	case "TRUE", "FALSE":
		p.advance()
		return &ast.BoolLit{Place: ast.At(t.span()), Value: t.upper == "TRUE"}
	case "CASE":
		return p.caseExpr()
	case "INTERVAL":
		if p.intervalAhead() {
			return p.interval()
		}
	case "ARRAY":
		switch {
		case next.isOp("["):
			p.advance()
			return p.array(start)
		case next.isOp("(") && p.queryAhead(1):
			p.advance()
			q := p.parenQuery()
			return &ast.ArrayQuery{Place: p.from(start), Query: q}
		}
	case "STRUCT":
		if next.isOp("(") || next.isOp("<") {
			return p.structLit()
		}
	case "MAP":
		if next.isOp("{") {
			return p.mapLit()
		}
	case "EXISTS":
		if next.isOp("(") && p.queryAhead(1) {
			p.advance()
			q := p.parenQuery()
			return &ast.Exists{Place: p.from(start), Query: q}
		}
	case "ROW":
		if next.isOp("(") {
			return p.rowLit()
		}
	}
	if p.typedLitAhead() {
		dt := p.dataType()
		s := p.needString("a string")
		return &ast.TypedLit{Place: p.from(start), Type: dt, Value: s}
	}
	return p.wordCall(t)
}

// wordCall reads the special calls and, if it is none of them, a name or an ordinary call.
func (p *parser) wordCall(t token) ast.Expr {
	called := p.peekAt(1).isOp("(")
	if called {
		if e := p.specialCall(t.upper); e != nil {
			return e
		}
	}
	if currentWords[t.upper] && !called && !p.peekAt(1).isOp(".") {
		p.advance()
		id := ast.Ident{Place: ast.At(t.span()), Name: strings.ToLower(t.val)}
		return &ast.Call{Place: ast.At(t.span()), Name: ast.Name{id}}
	}
	if !reserved[t.upper] && !(called && t.upper == "VALUES") {
		return p.nameOrCall()
	}
	if called && reservedCalls[t.upper] {
		return p.nameOrCall()
	}
	p.nameWanted = true
	p.expected("an expression")
	p.nameWanted = false
	return noExpr()
}

// reservedCalls are reserved words that may be called all the same.
var reservedCalls = wordSet(`LIKE ILIKE`)

// currentWords are functions that are called without parentheses.
var currentWords = wordSet(`CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME LOCALTIMESTAMP LOCALTIME CURRENT_USER SESSION_USER CURRENT_ROLE
	CURRENT_CATALOG CURRENT_SCHEMA`)

// nameOrCall reads a column reference, or a call if a parenthesis follows.
func (p *parser) nameOrCall() ast.Expr {
	start := p.here()
	n := ast.Name{p.label("a name")}
	for p.isOp(".") {
		p.advance()
		if p.isOp("*") {
			p.misplacedStar()
			return noExpr()
		}
		n = append(n, p.label("a name after '.'"))
	}
	if p.isOp("(") {
		return p.call(n, start, nil)
	}
	return &ast.ColumnRef{Place: p.from(start), Path: n}
}

// paren reads what is in parentheses: a query, one expression or a row.
func (p *parser) paren() ast.Expr {
	start := p.here()
	if p.queryAhead(0) {
		q := p.parenQuery()
		return &ast.Subquery{Place: p.from(start), Query: q}
	}
	defer p.write(parenForm)()
	p.open("(")
	list := p.exprList()
	p.close(")")
	if len(list) == 1 {
		return list[0]
	}
	return &ast.Row{Place: p.from(start), Items: list}
}

// array reads [a, b], the word ARRAY before it having been read.
func (p *parser) array(start int) ast.Expr {
	defer p.write("[1, 2, 3]")()
	a := &ast.ArrayLit{}
	p.open("[")
	if !p.isOp("]") {
		a.Items = p.exprList()
	}
	p.close("]")
	a.Place = p.from(start)
	return a
}

func (p *parser) rowLit() ast.Expr {
	start := p.here()
	defer p.write("ROW(1, 'a')")()
	p.advance()
	r := &ast.Row{}
	p.open("(")
	if !p.isOp(")") {
		r.Items = p.exprList()
	}
	p.close(")")
	r.Place = p.from(start)
	return r
}

// structLit reads STRUCT(a, b AS name) and STRUCT<a INT>(1).
func (p *parser) structLit() ast.Expr {
	start := p.here()
	defer p.write("STRUCT(1 AS a, 'x' AS b)")()
	s := &ast.StructLit{}
	if p.peekAt(1).isOp("<") {
		s.Type = p.dataType()
	} else {
		p.advance()
	}
	p.open("(")
	if !p.isOp(")") {
		p.commaList(func() {
			at := p.here()
			item := &ast.SelectItem{Expr: p.expr(bpLowest)}
			if p.word("AS") {
				id := p.label("a field name")
				item.Alias = &id
			}
			item.Place = p.from(at)
			s.Items = append(s.Items, item)
		})
	}
	p.close(")")
	s.Place = p.from(start)
	return s
}

func (p *parser) mapLit() ast.Expr {
	start := p.here()
	p.advance()
	defer p.write("MAP {'a': 1, 'b': 2}")()
	m := &ast.MapLit{}
	p.open("{")
	if !p.isOp("}") {
		p.commaList(func() {
			m.Keys = append(m.Keys, p.expr(bpLowest))
			p.needOp(":")
			m.Values = append(m.Values, p.expr(bpLowest))
		})
	}
	p.close("}")
	m.Place = p.from(start)
	return m
}

func (p *parser) caseExpr() ast.Expr {
	start := p.here()
	defer p.write("CASE WHEN condition THEN value ELSE value END")()
	p.need("CASE")
	c := &ast.Case{}
	if !p.word("WHEN") {
		c.Operand = p.caseValue()
		p.need("WHEN")
	}
	for {
		at := p.lastWordStart()
		w := &ast.When{Cond: p.caseValue()}
		p.need("THEN")
		w.Result = p.caseValue()
		w.Place = p.from(at)
		c.Whens = append(c.Whens, w)
		if !p.word("WHEN") {
			break
		}
	}
	if p.word("ELSE") {
		c.Else = p.caseValue()
	}
	p.need("END")
	c.Place = p.from(start)
	return c
}

// lastWordStart is the start of the token before the cursor.
func (p *parser) lastWordStart() int { return p.toks[max(p.pos-1, 0)].start }

// caseValue reads a part of CASE. END there is the end of the CASE, though elsewhere it may be a column.
func (p *parser) caseValue() ast.Expr {
	if t := p.peek(); t.isWord("END") && !p.peekAt(1).isOp(".") && !p.peekAt(1).isOp("(") {
		p.expected("an expression")
	}
	return p.expr(bpLowest)
}
