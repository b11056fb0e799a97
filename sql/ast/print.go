package ast

import (
	"fmt"
	"strings"
)

// Print gives SQL text of a node, on one line, that parses to an equal tree. Statements have no ';'.
func Print(n Node) string {
	p := &printer{}
	switch n := n.(type) {
	case nil:
	case Statement:
		p.statement(n)
	case *Query:
		p.query(n)
	case QueryBody:
		p.body(n)
	case TableExpr:
		p.table(n)
	case Expr:
		p.expr(n, 0)
	case *DataType:
		p.dataType(n)
	default:
		p.part(n)
	}
	return p.String()
}

type printer struct {
	strings.Builder
}

// part prints the nodes that are neither statements, queries, relations, expressions nor types.
func (p *printer) part(n Node) {
	switch n := n.(type) {
	case Ident:
		p.ident(n)
	case *Ident:
		p.ident(*n)
	case Name:
		p.name(n)
	case *ColumnDef:
		p.column(n)
	case *ColumnConstraint:
		p.columnConstraint(n)
	case *TableConstraint:
		p.constraint(n)
	case *Watermark:
		p.watermark(n)
	case *Option:
		p.option(n)
	case *With:
		p.with(n)
	case *CTE:
		p.cte(n)
	case *SelectItem:
		p.item(n)
	case *GroupBy:
		p.groupBy(n)
	case *NamedWindow:
		p.namedWindow(n)
	case *OrderItem:
		p.orderItem(n)
	case *TableAlias:
		p.ident(n.Name)
		p.columns(n.Columns)
	case *FieldDef:
		p.field(n)
	case *When:
		p.when(n)
	case *Arg:
		p.arg(n)
	case *Over:
		p.over(n)
	case *WindowSpec:
		p.windowSpec(n)
	case *Frame:
		p.frame(n)
	case FrameBound:
		p.frameBound(n)
	}
}

func (p *printer) put(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

// putIf puts a text if a condition holds.
func (p *printer) putIf(cond bool, s string) {
	if cond {
		p.WriteString(s)
	}
}

// list prints items with commas between them.
func list[T any](p *printer, items []T, print func(T)) {
	for i, item := range items {
		p.putIf(i > 0, ", ")
		print(item)
	}
}

func (p *printer) exprs(items []Expr) {
	list(p, items, func(e Expr) { p.expr(e, 0) })
}

func (p *printer) ident(i Ident) {
	if i.Quoted {
		p.put(`"`, strings.ReplaceAll(i.Name, `"`, `""`), `"`)
		return
	}
	p.put(i.Name)
}

func (p *printer) name(n Name) {
	for i, id := range n {
		p.putIf(i > 0, ".")
		p.ident(id)
	}
}

// columns prints a list of names in parentheses, with a blank before it, if there are any.
func (p *printer) columns(list []Ident) {
	if len(list) > 0 {
		p.put(" ")
		p.columnList(list)
	}
}

func (p *printer) columnList(ids []Ident) {
	p.put("(")
	list(p, ids, p.ident)
	p.put(")")
}

func (p *printer) text(s string) {
	p.put("'", strings.ReplaceAll(s, "'", "''"), "'")
}

func (p *printer) dataType(t *DataType) {
	switch {
	case t.Name == "ARRAY" && t.Elem != nil:
		p.dataType(t.Elem)
		p.put("[")
		list(p, t.Args, func(n int) { p.put(fmt.Sprint(n)) })
		p.put("]")
		return
	case t.Name == "MAP" && t.Key != nil:
		p.put("MAP<")
		p.dataType(t.Key)
		p.put(", ")
		p.dataType(t.Value)
		p.put(">")
	case t.Name == "STRUCT" && len(t.Fields) > 0:
		p.put("STRUCT<")
		list(p, t.Fields, p.field)
		p.put(">")
	default:
		p.ident(Ident{Name: t.Name, Quoted: t.Quoted})
	}
	if len(t.Args) > 0 {
		p.put("(")
		list(p, t.Args, func(n int) { p.put(fmt.Sprint(n)) })
		p.put(")")
	}
	p.putIf(t.Unsigned, " UNSIGNED")
}

func (p *printer) field(f *FieldDef) {
	if f.Name != nil {
		p.ident(*f.Name)
		p.put(" ")
	}
	p.dataType(f.Type)
	p.putIf(f.NotNull, " NOT NULL")
}
