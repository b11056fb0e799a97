package ast

import (
	"encoding/hex"
	"strings"
)

// Binding powers as in sql/parse: what binds looser than its place is printed in parentheses.
const (
	powerOr      = 10
	powerAnd     = 20
	powerNot     = 30
	powerIs      = 40
	powerCompare = 50
	powerLike    = 60
	powerOther   = 70
	powerAdd     = 80
	powerMul     = 90
	powerPow     = 100
	powerAt      = 110
	powerUnary   = 120
	powerPostfix = 130
	powerPrimary = 140
)

func binaryPower(op BinaryOp) int {
	switch op {
	case Or:
		return powerOr
	case And:
		return powerAnd
	case Eq, Ne, Lt, Le, Gt, Ge:
		return powerCompare
	case Add, Sub:
		return powerAdd
	case Mul, Div, Mod:
		return powerMul
	case Pow:
		return powerPow
	}
	return powerOther
}

func power(e Expr) int {
	switch e := e.(type) {
	case *Unary:
		switch e.Op {
		case Not:
			return powerNot
		case Neg, Plus:
			return powerUnary
		}
		return powerOther
	case *Binary:
		return binaryPower(e.Op)
	case *Quantified:
		return binaryPower(e.Op)
	case *Is, *IsDistinct:
		return powerIs
	case *In, *Between, *Like:
		return powerLike
	case *AtTimeZone:
		return powerAt
	case *Field, *Subscript, *Slice:
		return powerPostfix
	}
	return powerPrimary
}

// expr prints an expression, in parentheses if it binds looser than least.
func (p *printer) expr(e Expr, least int) {
	if power(e) < least {
		p.put("(")
		defer p.put(")")
	}
	switch e := e.(type) {
	case *Unary:
		p.unary(e)
	case *Binary:
		p.between(e.L, " "+string(e.Op)+" ", e.R, binaryPower(e.Op))
	case *Is:
		p.expr(e.X, powerIs)
		p.put(" IS ", not(e.Not), e.Test.String())
	case *IsDistinct:
		p.between(e.L, " IS "+not(e.Not)+"DISTINCT FROM ", e.R, powerIs)
	case *AtTimeZone:
		p.between(e.X, " AT TIME ZONE ", e.Zone, powerAt)
	case *In, *Between, *Like, *Quantified:
		p.predicate(e)
	case *Field, *Subscript, *Slice:
		p.postfix(e)
	default:
		p.primary(e)
	}
}

func not(is bool) string {
	if is {
		return "NOT "
	}
	return ""
}

// between prints an operator that groups to the left.
func (p *printer) between(l Expr, op string, r Expr, power int) {
	p.expr(l, power)
	p.put(op)
	p.expr(r, power+1)
}

func (p *printer) unary(e *Unary) {
	p.put(string(e.Op))
	p.putIf(e.Op != Neg && e.Op != Plus, " ")
	p.expr(e.X, power(e)+1)
}

func (p *printer) predicate(e Expr) {
	switch e := e.(type) {
	case *In:
		p.expr(e.X, powerLike)
		p.put(" ", not(e.Not), "IN (")
		if e.Query != nil {
			p.query(e.Query)
		} else {
			p.exprs(e.List)
		}
		p.put(")")
	case *Between:
		p.expr(e.X, powerLike)
		p.put(" ", not(e.Not), "BETWEEN ")
		p.putIf(e.Symmetric, "SYMMETRIC ")
		p.expr(e.Low, powerLike+1)
		p.put(" AND ")
		p.expr(e.High, powerLike+1)
	case *Like:
		p.between(e.X, " "+not(e.Not)+e.Kind.String()+" ", e.Pattern, powerLike)
		if e.Escape != nil {
			p.put(" ESCAPE ")
			p.expr(e.Escape, powerLike+1)
		}
	case *Quantified:
		p.expr(e.X, power(e))
		p.put(" ", string(e.Op), map[bool]string{false: " ANY (", true: " ALL ("}[e.All])
		if e.Query != nil {
			p.query(e.Query)
		} else {
			p.expr(e.Array, 0)
		}
		p.put(")")
	}
}

func (p *printer) postfix(e Expr) {
	switch e := e.(type) {
	case *Field:
		switch e.X.(type) {
		case *Field, *Subscript, *Slice:
			p.expr(e.X, 0)
		default:
			p.put("(")
			p.expr(e.X, 0)
			p.put(")")
		}
		p.put(".")
		p.ident(e.Name)
	case *Subscript:
		p.expr(e.X, powerPostfix)
		p.put("[")
		p.expr(e.Index, 0)
		p.put("]")
	case *Slice:
		p.expr(e.X, powerPostfix)
		p.put("[")
		p.clause("", e.Low)
		p.put(" : ")
		p.clause("", e.High)
		p.clause(" : ", e.Step)
		p.put("]")
	}
}

func (p *printer) primary(e Expr) {
	switch e := e.(type) {
	case *NumberLit:
		p.put(e.Text)
	case *StringLit:
		p.text(e.Value)
	case *BytesLit:
		p.put("X'", hex.EncodeToString(e.Value), "'")
	case *BoolLit:
		p.put(map[bool]string{true: "TRUE", false: "FALSE"}[e.Value])
	case *NullLit:
		p.put("NULL")
	case *TypedLit:
		p.dataType(e.Type)
		p.put(" ")
		p.text(e.Value.Value)
	case *IntervalLit:
		p.interval(e)
	case *ColumnRef:
		p.columnRef(e)
	case *Star:
		p.star(e)
	case *Call:
		p.call(e)
	case *Cast:
		p.putIf(e.Try, "TRY_")
		p.put("CAST(")
		p.expr(e.X, 0)
		p.put(" AS ")
		p.dataType(e.Type)
		p.put(")")
	case *Case:
		p.caseExpr(e)
	case *DefaultValue:
		p.put("DEFAULT")
	default:
		p.bracketed(e)
	}
}

// columnRef prints a name, in parentheses if it is a word that would be taken for the beginning of something else.
func (p *printer) columnRef(e *ColumnRef) {
	if len(e.Path) == 1 && !e.Path[0].Quoted {
		switch strings.ToLower(e.Path[0].Name) {
		case "array", "end", "interval", "struct":
			p.put("(", e.Path[0].Name, ")")
			return
		}
	}
	p.name(e.Path)
}

// bracketed prints the operands that are brackets around others.
func (p *printer) bracketed(e Expr) {
	switch e := e.(type) {
	case *Exists:
		p.put("EXISTS ")
		p.nestedQuery(e.Query)
	case *Subquery:
		p.nestedQuery(e.Query)
	case *ArrayQuery:
		p.put("ARRAY")
		p.nestedQuery(e.Query)
	case *ArrayLit:
		p.put("ARRAY[")
		p.exprs(e.Items)
		p.put("]")
	case *Row:
		p.putIf(len(e.Items) < 2, "ROW")
		p.put("(")
		p.exprs(e.Items)
		p.put(")")
	case *StructLit:
		if e.Type != nil {
			p.dataType(e.Type)
		} else {
			p.put("STRUCT")
		}
		p.put("(")
		list(p, e.Items, p.item)
		p.put(")")
	case *MapLit:
		p.put("MAP {")
		for i, k := range e.Keys {
			p.putIf(i > 0, ", ")
			p.expr(k, 0)
			p.put(": ")
			p.expr(e.Values[i], 0)
		}
		p.put("}")
	case *GroupingSets:
		p.groupItem(e)
	case *TableArg:
		p.tableArg(e)
	case *Descriptor:
		p.put("DESCRIPTOR")
		p.columnList(e.Columns)
	}
}

func (p *printer) interval(e *IntervalLit) {
	p.put("INTERVAL ")
	switch v := e.Value.(type) {
	case *StringLit, *NumberLit:
		p.expr(v, 0)
	default:
		p.put("(")
		p.expr(v, 0)
		p.put(")")
	}
	if e.Unit != UnitNone {
		p.put(" ", string(e.Unit))
	}
	if e.To != UnitNone {
		p.put(" TO ", string(e.To))
	}
}

func (p *printer) star(s *Star) {
	for _, q := range s.Qualifier {
		p.ident(q)
		p.put(".")
	}
	p.put("*")
	if len(s.Except) > 0 {
		p.put(" EXCLUDE ")
		p.columnList(s.Except)
	}
	if len(s.Replace) > 0 {
		p.put(" REPLACE (")
		list(p, s.Replace, p.item)
		p.put(")")
	}
}

func (p *printer) caseExpr(c *Case) {
	p.put("CASE ")
	if c.Operand != nil {
		p.expr(c.Operand, 0)
		p.put(" ")
	}
	for _, w := range c.Whens {
		p.when(w)
		p.put(" ")
	}
	if c.Else != nil {
		p.put("ELSE ")
		p.expr(c.Else, 0)
		p.put(" ")
	}
	p.put("END")
}

func (p *printer) when(w *When) {
	p.put("WHEN ")
	p.expr(w.Cond, 0)
	p.put(" THEN ")
	p.expr(w.Result, 0)
}
