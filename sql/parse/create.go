package parse

import (
	"strings"

	"wadi/dataflow/fault"
	"wadi/sql/ast"
)

// createHints are what can be created elsewhere and is refused here, with a hint.
var createHints = map[string]string{
	"MATERIALIZED": "write CREATE VIEW: views are computed incrementally anyway",
	"RECURSIVE":    "",
	"EXTERNAL":     "write CREATE TABLE … WITH (connector = '…')",
	"UNLOGGED":     "write CREATE TABLE",
	"GLOBAL":       "write CREATE TABLE",
	"LOCAL":        "write CREATE TABLE",
	"SOURCE":       "write CREATE TABLE … WITH (connector = '…', type = 'source')",
	"SINK":         "write CREATE TABLE … WITH (connector = '…', type = 'sink')",
	"FUNCTION":     "", "AGGREGATE": "", "MACRO": "", "PROCEDURE": "", "DATABASE": "", "SCHEMA": "", "CATALOG": "",
	"INDEX": "", "UNIQUE": "", "SEQUENCE": "", "TYPE": "", "DOMAIN": "", "ROLE": "", "USER": "", "TRIGGER": "", "EXTENSION": "",
	"POLICY": "", "SECRET": "", "SERVER": "", "FOREIGN": "", "PUBLICATION": "", "SUBSCRIPTION": "", "CAST": "", "OPERATOR": "",
	"RULE": "", "COLLATION": "", "CONNECTION": "connections are saved through the API", "MODEL": "", "STREAM": "write CREATE TABLE … WITH (connector = '…')",
}

func (p *parser) create() ast.Statement {
	start := p.here()
	defer p.write("CREATE TABLE t (a BIGINT, …) WITH (…), or CREATE VIEW v AS SELECT …")()
	p.need("CREATE")
	replace := p.word("OR", "REPLACE")
	temporary := p.maybe("TEMPORARY") || p.maybe("TEMP")
	form := p.form
	p.form = ""
	switch {
	case p.word("TABLE"):
		return p.createTable(&ast.CreateTable{OrReplace: replace, Temporary: temporary}, start)
	case p.word("VIEW"):
		return p.createView(&ast.CreateView{OrReplace: replace, Temporary: temporary}, start)
	}
	p.form = form
	t := p.peek()
	if hint, ok := createHints[t.upper]; ok && t.kind == tokenWord {
		what := "CREATE " + t.upper
		if next := p.peekAt(1); next.isWord("VIEW") || next.isWord("TABLE") || next.isWord("INDEX") {
			what += " " + next.upper
		}
		if hint == "" {
			hint = statementHint
		}
		p.unsupported(fault.Span{Start: start, End: t.end}, what).Hint = hint
		return &ast.CreateTable{}
	}
	p.unexpected()
	return &ast.CreateTable{}
}

func (p *parser) createView(v *ast.CreateView, start int) ast.Statement {
	defer p.write("CREATE VIEW v AS SELECT …")()
	v.IfNotExists = p.maybe("IF", "NOT", "EXISTS")
	v.Name = p.name("a view name")
	if p.isOp("(") {
		v.Columns = p.columnList()
	}
	if p.isWord("WITH") {
		p.unsupported(p.peek().span(), "WITH in CREATE VIEW").WithHint("options belong to CREATE TABLE; common table expressions stand behind AS")
	}
	p.need("AS")
	v.Query = p.query()
	v.Place = p.from(start)
	return v
}

func (p *parser) createTable(c *ast.CreateTable, start int) ast.Statement {
	defer p.write("CREATE TABLE t (a BIGINT, …) WITH (connector = '…', …), or CREATE TABLE t AS SELECT …")()
	c.IfNotExists = p.maybe("IF", "NOT", "EXISTS")
	c.Name = p.name("a table name")
	if p.op("(") {
		p.pos--
		p.tableElements(c)
	}
	for {
		switch {
		case c.PartitionedBy == nil && p.maybe("PARTITIONED", "BY"):
			back := p.write("PARTITIONED BY (a, b)")
			p.open("(")
			p.commaList(func() { c.PartitionedBy = append(c.PartitionedBy, p.expr(bpLowest)) })
			p.close(")")
			back()
			continue
		case c.Options == nil && p.isWord("WITH"):
			p.options(c)
			continue
		case p.isWord("LIKE"), p.isWord("COMMENT"), p.isWord("INHERITS"), p.isWord("LOCATION"), p.isWord("STORED"), p.isWord("USING"),
			p.isWord("PARTITION", "BY"), p.isWord("CLUSTER", "BY"), p.isWord("TBLPROPERTIES"), p.isWord("DISTRIBUTED"):
			p.refuseTableClause()
		}
		break
	}
	if c.Options == nil {
		p.wantWord([]string{"WITH"})
	}
	if p.word("AS") {
		c.Query = p.query()
	}
	c.Place = p.from(start)
	return c
}

func (p *parser) refuseTableClause() {
	t := p.peek()
	hint := "options are written as WITH (key = value, …)"
	if p.isWord("PARTITION") {
		hint = "write PARTITIONED BY (…)"
	}
	p.unsupported(t.span(), t.upper+" in CREATE TABLE").Hint = hint
}

// options reads WITH (key = value, …).
func (p *parser) options(c *ast.CreateTable) {
	defer p.write("WITH (connector = '…', format = 'json', …)")()
	p.need("WITH")
	p.open("(")
	c.Options = []*ast.Option{}
	if !p.isOp(")") {
		p.commaList(func() { c.Options = append(c.Options, p.option()) })
	}
	p.close(")")
}

// option reads one key = value. A key is a string, a name, or several of them joined by dots.
func (p *parser) option() *ast.Option {
	start := p.here()
	var parts []string
	quoted := false
	for {
		t := p.peek()
		if t.kind != tokenWord && t.kind != tokenQuoted && t.kind != tokenString {
			p.expected("the name of an option")
			break
		}
		p.advance()
		parts = append(parts, t.val)
		quoted = quoted || t.kind != tokenWord
		if !p.isOp(".") {
			break
		}
		p.advance()
	}
	key := ast.Ident{Place: p.from(start), Name: strings.Join(parts, "."), Quoted: quoted}
	p.needOp("=")
	o := &ast.Option{Key: key, Value: p.expr(bpLowest)}
	o.Place = p.from(start)
	return o
}

// tableElements reads the columns, watermarks and constraints in parentheses.
func (p *parser) tableElements(c *ast.CreateTable) {
	p.open("(")
	if !p.isOp(")") {
		p.commaList(func() { p.tableElement(c) })
	}
	p.close(")")
}

func (p *parser) tableElement(c *ast.CreateTable) {
	switch {
	case p.isWord("WATERMARK", "FOR"), p.isWord("WATERMARK") && p.peekAt(1).kind == tokenWord && typeNames[p.peekAt(1).upper] == "":
		c.Watermarks = append(c.Watermarks, p.watermark())
	case p.isWord("CONSTRAINT") && p.peekAt(2).kind == tokenWord && constraintWords[p.peekAt(2).upper],
		p.isWord("PRIMARY", "KEY"), p.isWord("FOREIGN", "KEY"),
		p.isAnyWord("UNIQUE", "CHECK") && p.peekAt(1).isOp("("):
		c.Constraints = append(c.Constraints, p.tableConstraint())
	default:
		if p.isWord("LIKE") {
			p.unsupported(p.peek().span(), "LIKE in CREATE TABLE").WithHint("list the columns")
		}
		c.Columns = append(c.Columns, p.columnDef())
	}
}

var constraintWords = wordSet(`PRIMARY UNIQUE FOREIGN CHECK WATERMARK`)

func (p *parser) watermark() *ast.Watermark {
	start := p.here()
	defer p.write("WATERMARK FOR ts AS ts - INTERVAL '5 seconds'")()
	p.need("WATERMARK", "FOR")
	w := &ast.Watermark{Column: p.label("a column name")}
	if p.word("AS") {
		w.As = p.expr(bpLowest)
	}
	w.Place = p.from(start)
	return w
}

func (p *parser) columnDef() *ast.ColumnDef {
	start := p.here()
	defer p.write("a column as name TYPE, and behind it NOT NULL, PRIMARY KEY, DEFAULT 0 or GENERATED ALWAYS AS (a + 1)")()
	c := &ast.ColumnDef{Name: p.label("a column name")}
	if p.isWord("AS") {
		p.unsupported(p.peek().span(), "a computed column without a type").WithHint("write: name TYPE GENERATED ALWAYS AS (expression)")
	}
	c.Type = p.dataType()
	for p.columnClause(c) {
	}
	c.Place = p.from(start)
	return c
}

// columnClause reads one clause behind a column's type and reports whether there was one.
func (p *parser) columnClause(c *ast.ColumnDef) bool {
	start := p.here()
	if p.isWord("CONSTRAINT") {
		p.advance()
		p.label("the name of a constraint")
	}
	switch {
	case p.isWord("NOT") || p.word("NOT", "NULL"):
		p.need("NOT", "NULL")
		c.NotNull = true
	case p.maybe("NULL"):
	case p.isWord("PRIMARY") || p.word("PRIMARY", "KEY"):
		p.need("PRIMARY", "KEY")
		c.PrimaryKey = true
	case c.Default == nil && p.maybe("DEFAULT"):
		c.Default = p.expr(bpLowest)
	case c.Metadata == nil && p.word("METADATA"):
		p.need("FROM")
		c.Metadata = p.needString("the metadata key as a string")
	case c.Generated == nil && !p.isWord("GENERATED", "BY") && (p.isWord("GENERATED") || p.word("GENERATED", "ALWAYS")):
		p.need("GENERATED", "ALWAYS")
		p.generated(c)
	case p.isAnyWord("UNIQUE", "CHECK", "REFERENCES"):
		c.Constraints = append(c.Constraints, p.columnConstraint())
	case p.isAnyWord("COLLATE", "COMMENT", "AUTO_INCREMENT", "AUTOINCREMENT", "IDENTITY"), p.isWord("GENERATED", "BY"):
		p.unsupported(p.peek().span(), p.peek().upper+" for a column").WithHint("a column has a type and NOT NULL, PRIMARY KEY, DEFAULT, METADATA FROM or GENERATED ALWAYS AS (expression)")
	default:
		p.near("GENERATED", "METADATA", "PRIMARY", "DEFAULT", "NOT")
		return p.here() != start && p.clauseWithoutBody()
	}
	return true
}

// clauseWithoutBody reports CONSTRAINT name with nothing behind it.
func (p *parser) clauseWithoutBody() bool {
	p.unexpected()
	return false
}

func (p *parser) generated(c *ast.ColumnDef) {
	p.need("AS")
	if p.isWord("IDENTITY") {
		p.unsupported(p.peek().span(), "GENERATED ALWAYS AS IDENTITY").WithHint("let the source number its rows, or compute the column: GENERATED ALWAYS AS (expression)")
	}
	p.open("(")
	c.Generated = p.expr(bpLowest)
	p.close(")")
	switch {
	case p.maybe("STORED"):
		c.Storage = ast.StorageStored
	case p.maybe("VIRTUAL"):
		c.Storage = ast.StorageVirtual
	}
}

func (p *parser) columnConstraint() *ast.ColumnConstraint {
	start := p.here()
	c := &ast.ColumnConstraint{}
	switch {
	case p.word("UNIQUE"):
		c.Kind = ast.ConstraintUnique
	case p.word("CHECK"):
		c.Kind = ast.ConstraintCheck
		c.Check = p.parenthesised()
	default:
		c.Kind = ast.ConstraintReferences
		c.References, c.RefColumns = p.references()
	}
	c.Place = p.from(start)
	return c
}

func (p *parser) parenthesised() ast.Expr {
	p.open("(")
	e := p.expr(bpLowest)
	p.close(")")
	return e
}

func (p *parser) references() (ast.Name, []ast.Ident) {
	p.need("REFERENCES")
	n := p.name("a table name")
	if p.isOp("(") {
		return n, p.columnList()
	}
	return n, nil
}

func (p *parser) tableConstraint() *ast.TableConstraint {
	start := p.here()
	c := &ast.TableConstraint{}
	if p.word("CONSTRAINT") {
		id := p.label("the name of a constraint")
		c.Name = &id
	}
	switch {
	case p.word("PRIMARY", "KEY"):
		c.Kind = ast.ConstraintPrimaryKey
		c.Columns = p.columnList()
		if p.maybe("NOT") {
			p.need("ENFORCED")
		}
	case p.word("UNIQUE"):
		c.Kind = ast.ConstraintUnique
		c.Columns = p.columnList()
	case p.word("FOREIGN", "KEY"):
		c.Kind = ast.ConstraintForeignKey
		c.Columns = p.columnList()
		c.References, c.RefColumns = p.references()
	case p.word("CHECK"):
		c.Kind = ast.ConstraintCheck
		c.Check = p.parenthesised()
	case p.isWord("WATERMARK"):
		p.fail(p.peek().span(), "a watermark has no name").WithHint("remove CONSTRAINT and the name before WATERMARK FOR")
	default:
		p.unexpected()
	}
	c.Place = p.from(start)
	return c
}
