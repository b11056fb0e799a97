package expr_test

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

// parser reads the expressions of tests: enough of SQL to write every example of a function's declaration.
type parser struct {
	fs     *expr.Functions
	schema *arrow.Schema
	toks   []string
	at     int
}

type parseError struct{ err error }

// parse reads an expression over the columns of schema, which may be nil.
func parse(fs *expr.Functions, schema *arrow.Schema, text string) (n *expr.Node, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case parseError:
			err = e.err
		default:
			panic(e)
		}
	}()
	p := &parser{fs: fs, schema: schema, toks: tokens(text)}
	n = p.expression(0)
	if p.at != len(p.toks) {
		return nil, fmt.Errorf("%q: unexpected %q", text, p.toks[p.at])
	}
	return n, nil
}

func mustParse(t testing.TB, schema *arrow.Schema, text string) *expr.Node {
	t.Helper()
	n, err := parse(expr.Builtin(), schema, text)
	if err != nil {
		t.Fatalf("%s: %v (%s)", text, err, fault.As(err).Hint)
	}
	return n
}

func tokens(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		c := s[i]
		j := i + 1
		switch {
		case c == ' ':
			i++
			continue
		case c == '\'':
			for j < len(s) && (s[j] != '\'' || j+1 < len(s) && s[j+1] == '\'') {
				if s[j] == '\'' {
					j++
				}
				j++
			}
			j++
		case c >= '0' && c <= '9':
			for j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] == '.' || s[j] == 'e') {
				j++
			}
		case isWord(c):
			for j < len(s) && (isWord(s[j]) || s[j] >= '0' && s[j] <= '9') {
				j++
			}
		default:
			for _, op := range []string{"->>", "->", "@>", "<@", "&&", "!~*", "!~", "~*", "<=>", "<=", ">=", "<>", "||", "<<", ">>", "::"} {
				if strings.HasPrefix(s[i:], op) {
					j = i + len(op)
					break
				}
			}
		}
		out = append(out, s[i:j])
		i = j
	}
	return out
}

func isWord(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func (p *parser) fail(format string, args ...any) { panic(parseError{fmt.Errorf(format, args...)}) }

func (p *parser) peek() string {
	if p.at < len(p.toks) {
		return strings.ToUpper(p.toks[p.at])
	}
	return ""
}

// accept takes the words if they come next.
func (p *parser) accept(words ...string) bool {
	for i, w := range words {
		if p.at+i >= len(p.toks) || !strings.EqualFold(p.toks[p.at+i], w) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) expect(words ...string) {
	if !p.accept(words...) {
		p.fail("expected %v before %q", words, p.peek())
	}
}

func (p *parser) call(name string, args ...*expr.Node) *expr.Node {
	n, err := p.fs.Call(name, args, fault.Span{Start: 1, End: 2})
	if err != nil {
		panic(parseError{err})
	}
	return n
}

func (p *parser) must(n *expr.Node, err error) *expr.Node {
	if err != nil {
		panic(parseError{err})
	}
	return n
}

var binary = []struct {
	words []string
	name  string
	binds int
}{
	{[]string{"OR"}, "or", 1}, {[]string{"AND"}, "and", 2},
	{[]string{"IS", "NOT", "DISTINCT", "FROM"}, "is_not_distinct_from", 4}, {[]string{"IS", "DISTINCT", "FROM"}, "is_distinct_from", 4},
	{[]string{"="}, "eq", 4}, {[]string{"<>"}, "neq", 4}, {[]string{"<"}, "lt", 4}, {[]string{"<="}, "lteq", 4},
	{[]string{">"}, "gt", 4}, {[]string{">="}, "gteq", 4},
	{[]string{"LIKE"}, "like", 4}, {[]string{"NOT", "LIKE"}, "not_like", 4}, {[]string{"ILIKE"}, "ilike", 4},
	{[]string{"NOT", "ILIKE"}, "not_ilike", 4}, {[]string{"SIMILAR", "TO"}, "similar_to", 4},
	{[]string{"NOT", "SIMILAR", "TO"}, "not_similar_to", 4},
	{[]string{"~"}, "regexp_match_op", 4}, {[]string{"~*"}, "regexp_imatch_op", 4}, {[]string{"!~"}, "regexp_not_match_op", 4},
	{[]string{"!~*"}, "regexp_not_imatch_op", 4},
	{[]string{"->>"}, "json_as_text", 5}, {[]string{"->"}, "json_get", 5}, {[]string{"?"}, "json_contains", 5},
	{[]string{"@>"}, "contains_op", 5}, {[]string{"<@"}, "contained_op", 5}, {[]string{"&&"}, "overlaps_op", 5},
	{[]string{"|"}, "bitwise_or", 5}, {[]string{"#"}, "bitwise_xor", 5}, {[]string{"&"}, "bitwise_and", 5},
	{[]string{"<<"}, "shift_left", 5}, {[]string{">>"}, "shift_right", 5}, {[]string{"||"}, "concat_op", 5},
	{[]string{"+"}, "add", 6}, {[]string{"-"}, "subtract", 6}, {[]string{"*"}, "multiply", 7}, {[]string{"/"}, "divide", 7},
	{[]string{"%"}, "modulo", 7}, {[]string{"AT", "TIME", "ZONE"}, "at_time_zone", 9},
}

func (p *parser) expression(least int) *expr.Node {
	n := p.prefix()
	for p.postfix(&n, least) || p.infix(&n, least) {
	}
	return n
}

func (p *parser) infix(n **expr.Node, least int) bool {
	for _, op := range binary {
		if op.binds >= max(least, 1) && p.accept(op.words...) {
			for _, word := range []string{"ANY", "ALL"} {
				if p.accept(word, "(") {
					*n = p.call(op.name+"_"+strings.ToLower(word), append([]*expr.Node{*n}, p.list()...)...)
					return true
				}
			}
			args := []*expr.Node{*n, p.expression(op.binds + 1)}
			if strings.HasSuffix(op.name, "like") && p.accept("ESCAPE") {
				args = append(args, p.expression(5))
			}
			*n = p.call(op.name, args...)
			return true
		}
	}
	return false
}

func (p *parser) postfix(n **expr.Node, least int) bool {
	if p.accept("::") {
		*n = p.must(expr.CastTo(*n, p.typeName(), false, fault.Span{}))
		return true
	}
	if p.accept(".") {
		*n = p.must(expr.FieldOf(*n, p.toks[p.at], fault.Span{}))
		p.at++
		return true
	}
	if least > 4 {
		return false
	}
	for _, negated := range []bool{false, true} {
		words := []string{"IN", "("}
		if negated {
			words = []string{"NOT", "IN", "("}
		}
		if p.accept(words...) {
			*n = p.must(expr.In(*n, p.list(), negated, fault.Span{Start: 1, End: 2}))
			return true
		}
	}
	for _, test := range []string{"NULL", "TRUE", "FALSE", "UNKNOWN"} {
		if p.accept("IS", test) {
			*n = p.call("is_"+strings.ToLower(test), *n)
			return true
		}
		if p.accept("IS", "NOT", test) {
			*n = p.call("is_not_"+strings.ToLower(test), *n)
			return true
		}
	}
	return false
}

// list reads the arguments up to the closing parenthesis.
func (p *parser) list() []*expr.Node {
	var out []*expr.Node
	for !p.accept(")") {
		if len(out) > 0 {
			p.expect(",")
		}
		out = append(out, p.expression(0))
	}
	return out
}

var testTypes = map[string]arrow.DataType{
	"text": arrow.BinaryTypes.String, "bytea": arrow.BinaryTypes.Binary, "boolean": arrow.FixedWidthTypes.Boolean,
	"tinyint": arrow.PrimitiveTypes.Int8, "smallint": arrow.PrimitiveTypes.Int16, "int": arrow.PrimitiveTypes.Int32,
	"bigint": arrow.PrimitiveTypes.Int64, "utinyint": arrow.PrimitiveTypes.Uint8, "usmallint": arrow.PrimitiveTypes.Uint16,
	"uint": arrow.PrimitiveTypes.Uint32, "ubigint": arrow.PrimitiveTypes.Uint64, "float": arrow.PrimitiveTypes.Float32,
	"double": arrow.PrimitiveTypes.Float64, "date": arrow.FixedWidthTypes.Date32, "time": arrow.FixedWidthTypes.Time64ns,
	"uuid": expr.UUID, "timestamp": expr.Timestamp, "timestamptz": expr.TimestampTZ, "timestamp_s": &arrow.TimestampType{Unit: arrow.Second},
	"timestamp_ms": &arrow.TimestampType{Unit: arrow.Millisecond}, "interval": expr.Interval,
}

func (p *parser) typeName() arrow.DataType {
	word := strings.ToLower(p.toks[p.at])
	p.at++
	if word == "decimal" {
		p.expect("(")
		precision, _ := strconv.Atoi(p.toks[p.at])
		p.at++
		p.expect(",")
		scale, _ := strconv.Atoi(p.toks[p.at])
		p.at++
		p.expect(")")
		return &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)}
	}
	dt, ok := testTypes[word]
	if !ok {
		p.fail("no type %s", word)
	}
	return dt
}

func (p *parser) prefix() *expr.Node {
	switch {
	case p.at >= len(p.toks):
		p.fail("the text ends")
	case p.accept("("):
		n := p.expression(0)
		p.expect(")")
		return n
	case p.accept("NOT"):
		return p.call("not", p.expression(3))
	case p.accept("-"):
		n := p.expression(8)
		if n.Kind == expr.Literal {
			switch v := n.Value.(type) {
			case int64:
				return expr.NewLiteral(n.Type, -v)
			case float64:
				return expr.NewLiteral(n.Type, -v)
			case uint64:
				if v == 1<<63 {
					return expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(-1<<63))
				}
			}
		}
		return p.call("negate", n)
	case p.accept("~"):
		return p.call("bitwise_not", p.expression(5))
	case p.accept("NULL"):
		return expr.NewLiteral(arrow.Null, nil)
	case p.accept("TRUE"):
		return expr.NewLiteral(testTypes["boolean"], true)
	case p.accept("FALSE"):
		return expr.NewLiteral(testTypes["boolean"], false)
	case p.accept("CASE"):
		return p.caseOf()
	case p.accept("CAST", "("), p.accept("TRY_CAST", "("):
		try := strings.EqualFold(p.toks[p.at-2], "TRY_CAST")
		n := p.expression(0)
		p.expect("AS")
		dt := p.typeName()
		p.expect(")")
		return p.must(expr.CastTo(n, dt, try, fault.Span{Start: 1, End: 2}))
	}
	return p.atom()
}

func (p *parser) caseOf() *expr.Node {
	var conds, results []*expr.Node
	var els *expr.Node
	for p.accept("WHEN") {
		conds = append(conds, p.expression(0))
		p.expect("THEN")
		results = append(results, p.expression(0))
	}
	if p.accept("ELSE") {
		els = p.expression(0)
	}
	p.expect("END")
	return p.must(expr.NewCase(conds, results, els, fault.Span{}))
}

func (p *parser) atom() *expr.Node {
	tok := p.toks[p.at]
	p.at++
	next := ""
	if p.at < len(p.toks) {
		next = p.toks[p.at]
	}
	switch {
	case tok[0] == '\'':
		return expr.NewLiteral(testTypes["text"], unquote(tok))
	case tok[0] >= '0' && tok[0] <= '9':
		return number(tok)
	case next != "" && next[0] == '\'':
		p.at++
		if strings.EqualFold(tok, "X") {
			raw, _ := hex.DecodeString(unquote(next))
			return expr.NewLiteral(testTypes["bytea"], raw)
		}
		dt, ok := testTypes[strings.ToLower(tok)]
		if !ok {
			p.fail("no type %s", tok)
		}
		return p.must(expr.Coerce(expr.NewLiteral(testTypes["text"], unquote(next)), dt, fault.Span{}))
	case next == "(":
		p.at++
		return p.call(tok, p.list()...)
	}
	if p.schema != nil {
		if i := p.schema.FieldIndices(tok); len(i) == 1 {
			return expr.NewColumn(i[0], p.schema.Field(i[0]))
		}
	}
	p.fail("no column %q", tok)
	return nil
}

func unquote(s string) string { return strings.ReplaceAll(s[1:len(s)-1], "''", "'") }

func number(s string) *expr.Node {
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return expr.NewLiteral(testTypes["bigint"], v)
	}
	if v, err := strconv.ParseUint(s, 10, 64); err == nil {
		return expr.NewLiteral(testTypes["ubigint"], v)
	}
	v, _ := strconv.ParseFloat(s, 64)
	return expr.NewLiteral(testTypes["double"], v)
}
