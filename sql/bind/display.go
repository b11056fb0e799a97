package bind

import (
	"fmt"
	"strings"

	"wadi/dataflow/expr"
	"wadi/sql/ast"
)

// display is the name of an expression without an alias, spelled as DataFusion spells it: "count(*)", "sum(t.x)",
// "t.a + Int64(1)". Sinks without declared columns show these names to people.
func (s *scope) display(e ast.Expr) string {
	var b strings.Builder
	s.write(&b, e)
	return b.String()
}

// maxDisplay bounds the length of a name made from an expression.
const maxDisplay = 512

func (s *scope) write(b *strings.Builder, e ast.Expr) {
	if b.Len() > maxDisplay {
		return
	}
	switch e := e.(type) {
	case *ast.ColumnRef:
		s.writeColumn(b, e)
	case *ast.Field:
		s.write(b, e.X)
		fmt.Fprintf(b, "[%s]", e.Name.Folded())
	case *ast.Unary:
		s.writeUnary(b, e)
	case *ast.Binary:
		s.infix(b, e.L, string(e.Op), e.R)
	case *ast.Is:
		s.write(b, e.X)
		b.WriteString(" IS " + notWord(e.Not) + e.Test.String())
	case *ast.IsDistinct:
		s.infix(b, e.L, "IS "+notWord(e.Not)+"DISTINCT FROM", e.R)
	case *ast.Between:
		s.write(b, e.X)
		b.WriteString(" " + notWord(e.Not) + "BETWEEN ")
		s.infix(b, e.Low, "AND", e.High)
	case *ast.Like:
		s.infix(b, e.X, notWord(e.Not)+e.Kind.String(), e.Pattern)
	case *ast.In:
		if e.Query != nil {
			b.WriteString(ast.Print(e))
			return
		}
		s.write(b, e.X)
		b.WriteString(" " + notWord(e.Not) + "IN ([")
		s.list(b, e.List, ", ")
		b.WriteString("])")
	case *ast.Case:
		s.writeCase(b, e)
	case *ast.Cast:
		s.write(b, e.X)
	case *ast.Call:
		s.writeCall(b, e)
	case *ast.Star:
		b.WriteString("*")
	default:
		s.writeLiteral(b, e)
	}
}

func notWord(not bool) string {
	if not {
		return "NOT "
	}
	return ""
}

func (s *scope) infix(b *strings.Builder, l ast.Expr, op string, r ast.Expr) {
	s.write(b, l)
	b.WriteString(" " + op + " ")
	s.write(b, r)
}

func (s *scope) list(b *strings.Builder, list []ast.Expr, sep string) {
	for i, e := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		s.write(b, e)
	}
}

func (s *scope) writeColumn(b *strings.Builder, e *ast.ColumnRef) {
	c, rest, err := s.find(e.Path)
	if err != nil {
		b.WriteString(e.Path.String())
		return
	}
	b.WriteString(c.qualified())
	for _, id := range rest {
		fmt.Fprintf(b, "[%s]", id.Folded())
	}
}

func (s *scope) writeUnary(b *strings.Builder, e *ast.Unary) {
	if lit, ok := e.X.(*ast.NumberLit); ok && e.Op == ast.Neg {
		writeNumber(b, "-"+lit.Text, lit.Integer)
		return
	}
	switch e.Op {
	case ast.Neg:
		b.WriteString("(- ")
		s.write(b, e.X)
		b.WriteString(")")
	case ast.Not:
		b.WriteString("NOT ")
		s.write(b, e.X)
	default:
		s.write(b, e.X)
	}
}

func (s *scope) writeCase(b *strings.Builder, e *ast.Case) {
	b.WriteString("CASE ")
	if e.Operand != nil {
		s.write(b, e.Operand)
		b.WriteString(" ")
	}
	for _, w := range e.Whens {
		b.WriteString("WHEN ")
		s.infix(b, w.Cond, "THEN", w.Result)
		b.WriteString(" ")
	}
	if e.Else != nil {
		b.WriteString("ELSE ")
		s.write(b, e.Else)
		b.WriteString(" ")
	}
	b.WriteString("END")
}

func (s *scope) writeCall(b *strings.Builder, e *ast.Call) {
	b.WriteString(strings.ToLower(e.Name.String()) + "(")
	if e.Distinct {
		b.WriteString("DISTINCT ")
	}
	for i, a := range e.Args {
		if i > 0 {
			b.WriteString(",")
		}
		s.write(b, a.Value)
	}
	b.WriteString(")")
	if e.Filter != nil {
		b.WriteString(" FILTER (WHERE ")
		s.write(b, e.Filter)
		b.WriteString(")")
	}
}

func (s *scope) writeLiteral(b *strings.Builder, e ast.Expr) {
	switch e := e.(type) {
	case *ast.NumberLit:
		writeNumber(b, e.Text, e.Integer)
	case *ast.StringLit:
		fmt.Fprintf(b, "Utf8(%q)", e.Value)
	case *ast.BoolLit:
		b.WriteString(map[bool]string{true: "Boolean(true)", false: "Boolean(false)"}[e.Value])
	case *ast.NullLit:
		b.WriteString("NULL")
	case *ast.TypedLit:
		fmt.Fprintf(b, "Utf8(%q)", e.Value.Value)
	case *ast.IntervalLit:
		text, _ := intervalText(e.Value)
		if e.Unit != ast.UnitNone {
			text += " " + string(e.Unit)
		}
		fmt.Fprintf(b, "Interval(%q)", text)
	case *ast.Subscript:
		s.write(b, e.X)
		b.WriteString("[")
		s.write(b, e.Index)
		b.WriteString("]")
	default:
		b.WriteString(ast.Print(e))
	}
}

func writeNumber(b *strings.Builder, text string, integer bool) {
	if integer {
		b.WriteString("Int64(" + text + ")")
		return
	}
	n := (&place{b: &Binder{}}).number(text, &ast.NumberLit{Text: text})
	if n == nil {
		b.WriteString("Float64(" + text + ")")
		return
	}
	b.WriteString("Float64(" + expr.Format(n) + ")")
}
