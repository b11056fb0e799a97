package expr

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// Format writes an expression as short SQL-like text, for pictures of plans and for titles.
func Format(n *Node) string {
	var b strings.Builder
	format(&b, n, 0)
	return b.String()
}

// The binding strengths of operators; an operand that binds less than its operator gets parentheses.
const (
	bindsOr = iota + 1
	bindsAnd
	bindsNot
	bindsCompare
	bindsBits
	bindsSum
	bindsProduct
	bindsUnary
	bindsPostfix
)

var infix = map[string]struct {
	text  string
	binds int
}{
	"or": {"OR", bindsOr}, "and": {"AND", bindsAnd}, "eq": {"=", bindsCompare}, "neq": {"<>", bindsCompare},
	"lt": {"<", bindsCompare}, "lteq": {"<=", bindsCompare}, "gt": {">", bindsCompare}, "gteq": {">=", bindsCompare},
	"is_distinct_from": {"IS DISTINCT FROM", bindsCompare}, "is_not_distinct_from": {"IS NOT DISTINCT FROM", bindsCompare},
	"like": {"LIKE", bindsCompare}, "not_like": {"NOT LIKE", bindsCompare}, "ilike": {"ILIKE", bindsCompare},
	"not_ilike": {"NOT ILIKE", bindsCompare}, "similar_to": {"SIMILAR TO", bindsCompare},
	"not_similar_to": {"NOT SIMILAR TO", bindsCompare}, "regexp_match_op": {"~", bindsCompare},
	"regexp_imatch_op": {"~*", bindsCompare}, "regexp_not_match_op": {"!~", bindsCompare},
	"regexp_not_imatch_op": {"!~*", bindsCompare}, "bitwise_or": {"|", bindsBits}, "bitwise_xor": {"#", bindsBits},
	"bitwise_and": {"&", bindsBits}, "shift_left": {"<<", bindsBits}, "shift_right": {">>", bindsBits},
	"concat_op": {"||", bindsBits}, "add": {"+", bindsSum}, "subtract": {"-", bindsSum},
	"multiply": {"*", bindsProduct}, "divide": {"/", bindsProduct}, "modulo": {"%", bindsProduct},
	"at_time_zone": {"AT TIME ZONE", bindsPostfix}, "list_concat_op": {"||", bindsBits},
	"contains_op": {"@>", bindsBits}, "contained_op": {"<@", bindsBits},
}

var postfix = map[string]string{
	"is_null": "IS NULL", "is_not_null": "IS NOT NULL", "is_true": "IS TRUE", "is_not_true": "IS NOT TRUE",
	"is_false": "IS FALSE", "is_not_false": "IS NOT FALSE", "is_unknown": "IS UNKNOWN",
	"is_not_unknown": "IS NOT UNKNOWN",
}

func format(b *strings.Builder, n *Node, outer int) {
	switch n.Kind {
	case Column:
		if n.Name == "" {
			b.WriteString("#" + strconv.Itoa(n.Index))
			return
		}
		b.WriteString(n.Name)
	case Literal:
		b.WriteString(formatLiteral(n))
	case RowTime:
		b.WriteString("row_time()")
	case Field:
		format(b, n.Args[0], bindsPostfix)
		b.WriteString("." + n.Name)
	case Cast, TryCast:
		name := "CAST("
		if n.Kind == TryCast {
			name = "TRY_CAST("
		}
		b.WriteString(name)
		format(b, n.Args[0], 0)
		b.WriteString(" AS " + TypeName(n.Type) + ")")
	case Case:
		formatCase(b, n.Args)
	case Call:
		formatCall(b, n, outer)
	}
}

func formatCase(b *strings.Builder, args []*Node) {
	b.WriteString("CASE")
	for ; len(args) >= 2; args = args[2:] {
		b.WriteString(" WHEN ")
		format(b, args[0], 0)
		b.WriteString(" THEN ")
		format(b, args[1], 0)
	}
	if len(args) == 1 {
		b.WriteString(" ELSE ")
		format(b, args[0], 0)
	}
	b.WriteString(" END")
}

func formatCall(b *strings.Builder, n *Node, outer int) {
	if op, ok := infix[n.Name]; ok && len(n.Args) >= 2 {
		wrap(b, op.binds < outer, func() {
			for i, a := range n.Args {
				binds := op.binds
				if i > 0 {
					b.WriteString(" " + op.text + " ")
					if op.binds > bindsAnd {
						binds++
					}
				}
				format(b, a, binds)
			}
		})
		return
	}
	switch {
	case postfix[n.Name] != "":
		wrap(b, bindsCompare < outer, func() {
			format(b, n.Args[0], bindsCompare+1)
			b.WriteString(" " + postfix[n.Name])
		})
	case n.Name == "not":
		wrap(b, bindsNot < outer, func() {
			b.WriteString("NOT ")
			format(b, n.Args[0], bindsNot)
		})
	case n.Name == "negate":
		b.WriteString("-")
		format(b, n.Args[0], bindsPostfix)
	case n.Name == "in_list" || n.Name == "not_in_list":
		wrap(b, bindsCompare < outer, func() {
			format(b, n.Args[0], bindsCompare+1)
			b.WriteString(map[bool]string{true: " IN (", false: " NOT IN ("}[n.Name == "in_list"])
			formatList(b, n.Args[1:])
		})
	default:
		b.WriteString(n.Name + "(")
		formatList(b, n.Args)
	}
}

func formatList(b *strings.Builder, args []*Node) {
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		format(b, a, 0)
	}
	b.WriteString(")")
}

func wrap(b *strings.Builder, parens bool, inner func()) {
	if parens {
		b.WriteString("(")
		defer b.WriteString(")")
	}
	inner()
}

// formatLiteral writes a constant as SQL.
func formatLiteral(n *Node) string {
	if n.Value == nil {
		return "NULL"
	}
	text := literalText(n)
	switch {
	case isText(n.Type), isJSONValue(n.Type):
		return quote(text)
	case isUUID(n.Type):
		return "UUID " + quote(text)
	case isBinary(n.Type):
		return "X" + quote(text)
	case isDate(n.Type):
		return "DATE " + quote(text)
	case isTimestamp(n.Type):
		return "TIMESTAMP " + quote(text)
	case isTime(n.Type):
		return "TIME " + quote(text)
	case isInterval(n.Type):
		return "INTERVAL " + quote(text)
	case n.Type.ID() == arrow.BOOL:
		return strings.ToUpper(text)
	}
	return text
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// literalText is the constant cast to TEXT; bytes are in hexadecimal.
func literalText(n *Node) string {
	switch v := n.Value.(type) {
	case string:
		return v
	case []byte:
		const digits = "0123456789ABCDEF"
		var b strings.Builder
		for _, c := range v {
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
		return b.String()
	}
	k := newCaster(n.Type, typeText, false)
	if k == nil {
		return "?"
	}
	s := &callStep{node: &Node{Type: typeText}}
	s.call = call{node: s.node, step: s, args: []column.Vector{literalVector(n.Type, n.Value)}, n: 1}
	v, err := k(&s.call)
	if err != nil {
		return "?"
	}
	return string(v.(*column.Bytes).At(0))
}
