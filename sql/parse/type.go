package parse

import (
	"strconv"

	"wadi/sql/ast"
)

// typeNames maps the words that are types to their canonical names; see ast.DataType.
var typeNames = map[string]string{
	"BOOLEAN": "BOOLEAN", "BOOL": "BOOLEAN",
	"TINYINT": "TINYINT", "SMALLINT": "SMALLINT", "INT2": "SMALLINT",
	"INT": "INT", "INTEGER": "INT", "INT4": "INT", "BIGINT": "BIGINT", "INT8": "BIGINT",
	"FLOAT": "REAL", "REAL": "REAL", "FLOAT4": "REAL", "DOUBLE": "DOUBLE", "FLOAT8": "DOUBLE",
	"NUMERIC": "DECIMAL", "DECIMAL": "DECIMAL", "DEC": "DECIMAL",
	"CHAR": "CHAR", "CHARACTER": "CHAR", "VARCHAR": "VARCHAR", "TEXT": "TEXT", "STRING": "TEXT", "NVARCHAR": "NVARCHAR", "NCHAR": "NCHAR",
	"BYTEA": "BYTEA", "BYTES": "BYTES", "BINARY": "BINARY", "VARBINARY": "VARBINARY", "BLOB": "BLOB", "CLOB": "CLOB",
	"TIMESTAMP": "TIMESTAMP", "DATETIME": "TIMESTAMP", "TIMESTAMPTZ": "TIMESTAMPTZ",
	"DATE": "DATE", "TIME": "TIME", "TIMETZ": "TIMETZ", "INTERVAL": "INTERVAL",
	"JSON": "JSON", "JSONB": "JSONB", "UUID": "UUID",
	"ARRAY": "ARRAY", "STRUCT": "STRUCT", "ROW": "STRUCT", "MAP": "MAP",
}

var integerTypes = wordSet(`TINYINT SMALLINT INT BIGINT`)

// dataType reads a type.
func (p *parser) dataType() *ast.DataType {
	outer := p.enter()
	defer p.leave(outer)
	start := p.here()
	t := p.baseType()
	if integerTypes[t.Name] || typeNames[t.Name] == "" {
		if p.maybe("UNSIGNED") {
			t.Unsigned = true
		} else {
			p.maybe("SIGNED")
		}
	}
	t.Place = p.from(start)
	return p.arraySuffixes(t, start)
}

// arraySuffixes reads [], [n], ARRAY and ARRAY[n] behind a type.
func (p *parser) arraySuffixes(t *ast.DataType, start int) *ast.DataType {
	for {
		var args []int
		word := p.maybe("ARRAY")
		switch {
		case p.isOp("["):
			p.open("[")
			if !p.isOp("]") {
				args = []int{p.typeArg("the size of the array")}
			}
			p.close("]")
		case !word:
			return t
		}
		t = &ast.DataType{Name: "ARRAY", Elem: t, Args: args, Place: p.from(start)}
		p.grow()
	}
}

// baseType reads a type up to its suffixes.
func (p *parser) baseType() *ast.DataType {
	tok := p.peek()
	if tok.kind == tokenWord && tok.upper == "UNSIGNED" && integerTypes[typeNames[p.peekAt(1).upper]] {
		p.advance()
		t := p.baseType()
		t.Unsigned = true
		return t
	}
	if tok.kind == tokenQuoted || (tok.kind == tokenWord && typeNames[tok.upper] == "") {
		return p.customType()
	}
	if tok.kind != tokenWord {
		p.expected("a type")
		return &ast.DataType{}
	}
	p.advance()
	t := &ast.DataType{Name: typeNames[tok.upper]}
	switch t.Name {
	case "ARRAY":
		p.arrayElem(t)
	case "MAP":
		p.mapTypes(t)
	case "STRUCT":
		p.structFields(t)
	case "TIMESTAMP", "TIME":
		p.typeArgs(t)
		p.timeZone(t)
	case "DOUBLE":
		p.maybe("PRECISION")
		p.typeArgs(t)
	case "CHAR", "NCHAR", "BINARY":
		if p.maybe("VARYING") {
			t.Name = map[string]string{"CHAR": "VARCHAR", "NCHAR": "NVARCHAR", "BINARY": "VARBINARY"}[t.Name]
		}
		p.typeArgs(t)
	default:
		p.typeArgs(t)
	}
	return t
}

// customType reads a type that is none of the known ones; the binder refuses it, or knows it.
func (p *parser) customType() *ast.DataType {
	if t := p.peek(); t.kind == tokenWord && (reserved[t.upper] || clauseAfterType[t.upper]) {
		p.expected("a type")
		return &ast.DataType{}
	}
	p.near("BIGINT", "INTEGER", "BOOLEAN", "VARCHAR", "TIMESTAMP", "INTERVAL", "DOUBLE", "FLOAT", "DECIMAL", "NUMERIC", "STRUCT", "ARRAY")
	n := p.name("a type")
	t := &ast.DataType{}
	for i, id := range n {
		if i > 0 {
			t.Name += "."
		}
		if id.Quoted {
			t.Quoted = true
			t.Name += id.Name
		} else {
			t.Name += upperASCII(id.Name)
		}
	}
	p.typeArgs(t)
	return t
}

// clauseAfterType holds words that follow a type or its first word, so that a missing type is reported as one.
var clauseAfterType = wordSet(`PRIMARY METADATA GENERATED DEFAULT UNIQUE REFERENCES CHECK PRECISION VARYING UNSIGNED SIGNED`)

// typeArgs reads (10, 2).
func (p *parser) typeArgs(t *ast.DataType) {
	if !p.isOp("(") {
		return
	}
	p.open("(")
	p.commaList(func() {
		if (t.Name == "ENUM" || t.Name == "SET") && p.peek().kind == tokenString {
			// There are no such types, which is better said of the type than of its values.
			p.advance()
			return
		}
		t.Args = append(t.Args, p.typeArg("a whole number"))
	})
	p.close(")")
}

func (p *parser) typeArg(what string) int {
	sign := 1
	if p.isOp("-") {
		p.advance()
		sign = -1
	}
	t := p.peek()
	n, err := strconv.Atoi(t.val)
	if t.kind != tokenNumber || err != nil {
		p.expected(what)
		return 0
	}
	p.advance()
	return sign * n
}

// timeZone reads WITH [LOCAL] TIME ZONE and WITHOUT TIME ZONE.
func (p *parser) timeZone(t *ast.DataType) {
	defer p.write("TIMESTAMP WITH TIME ZONE or TIMESTAMPTZ")()
	switch {
	case p.wordsAt(0, "WITH", "TIME"):
		p.need("WITH", "TIME", "ZONE")
		t.Name += "TZ"
	case p.wordsAt(0, "WITH", "LOCAL"):
		p.need("WITH", "LOCAL", "TIME", "ZONE")
		t.Name += "TZ"
	case p.wordsAt(0, "WITHOUT", "TIME"):
		p.need("WITHOUT", "TIME", "ZONE")
	}
}

// closeAngle consumes '>', also where the lexer made it the first half of another operator, as in ARRAY<ARRAY<INT>>.
func (p *parser) closeAngle() {
	t := p.peek()
	if t.kind == tokenOp && len(t.val) > 1 && t.val[0] == '>' {
		p.toks[p.pos].val = t.val[1:]
		p.toks[p.pos].start++
		p.split = p.toks[p.pos].start
		return
	}
	p.needOp(">")
}

func (p *parser) arrayElem(t *ast.DataType) {
	defer p.write("ARRAY<BIGINT> or BIGINT[]")()
	switch {
	case p.isOp("<"):
		p.advance()
		t.Elem = p.dataType()
		p.closeAngle()
	case p.isOp("("):
		p.open("(")
		t.Elem = p.dataType()
		p.close(")")
	}
}

func (p *parser) mapTypes(t *ast.DataType) {
	defer p.write("MAP<TEXT, BIGINT>")()
	angle := p.isOp("<")
	switch {
	case angle:
		p.advance()
	case p.isOp("("):
		p.open("(")
	default:
		return
	}
	t.Key = p.dataType()
	p.needOp(",")
	t.Value = p.dataType()
	if angle {
		p.closeAngle()
	} else {
		p.close(")")
	}
}

func (p *parser) structFields(t *ast.DataType) {
	defer p.write("STRUCT<a BIGINT, b TEXT>")()
	switch {
	case p.isOp("<"):
		p.advance()
		p.commaList(func() { t.Fields = append(t.Fields, p.fieldDef()) })
		p.closeAngle()
	case p.isOp("("):
		p.open("(")
		p.commaList(func() { t.Fields = append(t.Fields, p.fieldDef()) })
		p.close(")")
	}
}

// fieldDef reads one member of a struct type: name type, name: type, or a type alone.
func (p *parser) fieldDef() *ast.FieldDef {
	start := p.here()
	f := &ast.FieldDef{}
	if p.namedField() {
		id := p.label("a field name")
		f.Name = &id
		if p.isOp(":") {
			p.advance()
		}
	}
	f.Type = p.dataType()
	if p.maybe("NOT", "NULL") {
		f.NotNull = true
	} else {
		p.maybe("NULL")
	}
	f.Place = p.from(start)
	return f
}

// namedField reports whether a member of a struct type begins with a name: a word with another word behind it that
// does not belong to the type.
func (p *parser) namedField() bool {
	t, next := p.peek(), p.peekAt(1)
	if t.kind == tokenQuoted {
		return next.kind == tokenWord || next.kind == tokenQuoted || next.isOp(":")
	}
	if t.kind != tokenWord {
		return false
	}
	if next.isOp(":") || next.kind == tokenQuoted {
		return true
	}
	if next.kind != tokenWord {
		return false
	}
	if t.upper == "UNSIGNED" {
		return !integerTypes[typeNames[next.upper]] || p.peekAt(2).isWord("UNSIGNED")
	}
	return typeNames[t.upper] == "" || !typeSecondWords[next.upper]
}

// typeSecondWords follow the first word of a type or stand behind a whole one.
var typeSecondWords = wordSet(`UNSIGNED SIGNED PRECISION VARYING WITH WITHOUT NOT NULL`)
