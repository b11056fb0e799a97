package parse

import (
	"strings"

	"wadi/sql/ast"
)

func (p *parser) identOf(t token) ast.Ident {
	return ast.Ident{Place: ast.At(t.span()), Name: t.val, Quoted: t.kind == tokenQuoted}
}

// label reads a name where any word will do: a field, an alias after AS, a column in CREATE TABLE.
func (p *parser) label(what string) ast.Ident {
	t := p.peek()
	switch t.kind {
	case tokenWord, tokenQuoted:
		return p.identOf(p.advance())
	}
	p.noName(what)
	return ast.Ident{}
}

// ident reads a name that is not a reserved word.
func (p *parser) ident(what string) ast.Ident {
	if t := p.peek(); t.kind == tokenWord && reserved[t.upper] {
		p.noName(what)
		return ast.Ident{}
	}
	return p.label(what)
}

// noName reports that a name was wanted.
func (p *parser) noName(what string) {
	p.nameWanted = true
	p.expected(what)
	p.nameWanted = false
}

// meantAsName guesses whether a reserved word where a name or a value is wanted is one, or begins the next clause.
func (p *parser) meantAsName(t, next token) bool {
	switch t.upper {
	case "", "SELECT", "WITH":
		return false
	case "AS":
		return !next.isWord("SELECT")
	case "ORDER", "GROUP":
		return !next.isWord("BY")
	}
	return !startsItem(next) && !next.isOp("(") && !next.isOp("*")
}

func keywordHint(t token) string {
	return t.val + " is a keyword; write it in double quotes to use it as a name: \"" + strings.ToLower(t.val) + "\""
}

// name reads a compound name.
func (p *parser) name(what string) ast.Name {
	n := ast.Name{p.ident(what)}
	for p.isOp(".") {
		p.advance()
		n = append(n, p.label("a name after '.'"))
	}
	return n
}

// columnList reads (a, b, c).
func (p *parser) columnList() []ast.Ident {
	var list []ast.Ident
	p.open("(")
	p.commaList(func() { list = append(list, p.label("a column name")) })
	p.close(")")
	return list
}

// needString reads a string literal; what names it in the message.
func (p *parser) needString(what string) *ast.StringLit {
	t := p.peek()
	if t.kind == tokenString {
		p.advance()
		return &ast.StringLit{Place: ast.At(t.span()), Value: t.val}
	}
	if e := p.expected(what); t.kind == tokenQuoted {
		e.Hint = "strings are written in single quotes; double quotes make a name"
	}
	return &ast.StringLit{}
}
