package parse

import (
	"strings"

	"wadi/dataflow/fault"
	"wadi/sql/ast"
)

// statement reads one statement, without the ';' behind it.
func (p *parser) statement() ast.Statement {
	outer := p.enter()
	defer p.leave(outer)
	t := p.peek()
	switch {
	case t.isOp("("):
		return p.queryStatement()
	case t.kind != tokenWord:
		p.expectStatement()
		return &ast.QueryStatement{}
	}
	switch t.upper {
	case "SELECT", "WITH", "VALUES", "TABLE":
		return p.queryStatement()
	case "CREATE":
		return p.create()
	case "INSERT":
		return p.insert()
	case "SET":
		return p.set()
	case "EXPLAIN":
		return p.explain()
	}
	if p.refuseStatement() {
		return &ast.QueryStatement{}
	}
	p.expectStatement()
	return &ast.QueryStatement{}
}

func (p *parser) expectStatement() {
	p.near("SELECT", "INSERT", "CREATE", "EXPLAIN", "VALUES", "WITH", "SET", "DROP", "DELETE", "UPDATE", "SHOW", "DESCRIBE")
	p.expected("a statement such as SELECT, INSERT or CREATE TABLE")
}

// afterStatement reports text behind a complete statement.
func (p *parser) afterStatement() {
	p.form = p.formDone
	if len(p.now.shown) > 7 || p.now.at != p.pos {
		p.turn()
		p.now.shown = append(p.now.shown[:0], "the end of the statement")
	} else {
		p.now.shown = removeItem(p.now.shown, "';'")
		p.now.shown = append(p.now.shown, "';'")
	}
	p.unexpected()
}

func removeItem(list []string, item string) []string {
	out := list[:0]
	for _, s := range list {
		if s != item {
			out = append(out, s)
		}
	}
	return out
}

func (p *parser) queryStatement() ast.Statement {
	start := p.here()
	q := p.query()
	return &ast.QueryStatement{Place: p.from(start), Query: q}
}

func (p *parser) insert() ast.Statement {
	start := p.here()
	defer p.write("INSERT INTO t SELECT a, b FROM u, or INSERT INTO t (a, b) VALUES (1, 2)")()
	p.need("INSERT")
	s := &ast.Insert{}
	switch {
	case p.maybe("OVERWRITE"):
		s.Mode = ast.InsertOverwrite
		p.maybe("INTO")
	case p.maybe("OR", "REPLACE"), p.maybe("REPLACE"):
		s.Mode = ast.InsertReplace
		p.maybe("INTO")
	default:
		p.need("INTO")
	}
	p.maybe("TABLE")
	s.Table = p.name("a table name")
	if p.isOp("(") && !p.queryAhead(0) {
		s.Columns = p.columnList()
	}
	switch {
	case p.isWord("DEFAULT", "VALUES"):
		p.defaultValues(s)
		s.Place = p.from(start)
		return s
	case p.isWord("PARTITION"):
		p.unsupported(p.peek().span(), "INSERT into a PARTITION").WithHint("partitions are declared with PARTITIONED BY in CREATE TABLE")
	case p.isAnyWord("SELECT", "WITH", "VALUES", "TABLE"), p.isOp("("):
	default:
		p.near("SELECT", "VALUES", "WITH")
		p.expected("SELECT or VALUES")
	}
	s.Query = p.query()
	if p.isWord("ON", "CONFLICT") || p.isWord("RETURNING") {
		p.unsupported(p.peek().span(), p.peek().upper+" in INSERT").WithHint("leave it out: a stream is written row by row; a debezium_json sink carries updates by key")
	}
	s.Place = p.from(start)
	return s
}

// defaultValues reads DEFAULT VALUES, behind which nothing follows.
func (p *parser) defaultValues(s *ast.Insert) {
	at := p.here()
	if len(s.Columns) > 0 {
		p.fail(p.peek().span(), "DEFAULT VALUES fills all columns, and takes no list of them").WithHint("leave the list out, or write VALUES (DEFAULT, …)")
	}
	p.need("DEFAULT", "VALUES")
	s.Defaults = true
	row := &ast.Row{Place: p.from(at)}
	s.Query = &ast.Query{Place: p.from(at), Body: &ast.Values{Place: p.from(at), Rows: []*ast.Row{row}}}
}

func (p *parser) set() ast.Statement {
	start := p.here()
	defer p.write("SET updating_ttl = '1 hour'")()
	p.need("SET")
	if p.isWord("TIME", "ZONE") {
		p.unsupported(p.peek().span(), "SET TIME ZONE").WithHint("all times are UTC; use AT TIME ZONE in the query")
	}
	if (p.isWord("SESSION") || p.isWord("LOCAL")) && p.peekAt(1).kind == tokenWord {
		p.advance()
	}
	s := &ast.Set{Name: p.name("the name of a setting")}
	if !p.op("=") && !p.word("TO") {
		p.unexpected()
	}
	if t := p.peek(); t.isWord("DEFAULT") {
		p.advance()
		s.Value = &ast.DefaultValue{Place: ast.At(t.span())}
	} else if t.isWord("ON") {
		p.advance()
		s.Value = &ast.BoolLit{Place: ast.At(t.span()), Value: true}
	} else {
		s.Value = p.expr(bpLowest)
	}
	if p.isOp(",") {
		p.fail(p.peek().span(), "a setting has one value").WithHint("write one SET statement for each setting")
	}
	s.Place = p.from(start)
	return s
}

func (p *parser) explain() ast.Statement {
	start := p.here()
	defer p.write("EXPLAIN SELECT …, or EXPLAIN (FORMAT json) SELECT …")()
	p.need("EXPLAIN")
	s := &ast.Explain{}
	if p.isOp("(") && !p.queryAhead(0) {
		p.open("(")
		p.commaList(func() { p.explainOption(s) })
		p.close(")")
	}
	s.Analyze = p.maybe("ANALYZE") || s.Analyze
	s.Verbose = p.maybe("VERBOSE") || s.Verbose
	p.maybe("PLAN", "FOR")
	s.Statement = p.statement()
	s.Place = p.from(start)
	return s
}

func (p *parser) explainOption(s *ast.Explain) {
	switch {
	case p.word("FORMAT"):
		s.Format = strings.ToLower(p.label("a format").Name)
	case p.word("ANALYZE"):
		s.Analyze = true
	case p.word("VERBOSE"):
		s.Verbose = true
	default:
		p.unexpected()
	}
}

// refusals name the statements that are recognised and refused, by their leading words, with a hint.
var refusals = []struct{ words, hint string }{
	{"DROP", "tables and views live only as long as the script that defines them"},
	{"ALTER", "change the CREATE statement instead"},
	{"UPDATE", "a stream is changed by a query: INSERT INTO … SELECT …"},
	{"DELETE", "a stream is filtered by a query: SELECT … WHERE …"},
	{"MERGE", "write an updating query and INSERT INTO a sink"},
	{"REPLACE", "write INSERT INTO"},
	{"TRUNCATE", ""},
	{"SHOW", ""},
	{"DESCRIBE", "EXPLAIN SELECT * FROM t shows the columns of t"},
	{"DESC", "EXPLAIN SELECT * FROM t shows the columns of t"},
	{"USE", ""},
	{"COPY", "declare the file as a table: CREATE TABLE … WITH (connector = 'single_file', …)"},
	{"BEGIN", "a pipeline needs no transactions"},
	{"START", "a pipeline needs no transactions"},
	{"COMMIT", "a pipeline needs no transactions"},
	{"END", "a pipeline needs no transactions"},
	{"ABORT", "a pipeline needs no transactions"},
	{"ROLLBACK", "a pipeline needs no transactions"},
	{"SAVEPOINT", "a pipeline needs no transactions"},
	{"RELEASE", "a pipeline needs no transactions"},
	{"PREPARE", "write the statement itself"},
	{"EXECUTE", "write the statement itself"},
	{"DEALLOCATE", ""},
	{"DECLARE", ""},
	{"FETCH", "write FETCH FIRST n ROWS ONLY at the end of a query"},
	{"CLOSE", ""},
	{"GRANT", ""}, {"REVOKE", ""},
	{"ANALYZE", ""}, {"ANALYSE", ""}, {"VACUUM", ""}, {"CLUSTER", ""}, {"REINDEX", ""}, {"OPTIMIZE", ""}, {"CHECKPOINT", ""},
	{"CALL", ""}, {"DO", ""}, {"LOAD", ""}, {"INSTALL", ""}, {"ATTACH", ""}, {"DETACH", ""}, {"PRAGMA", ""}, {"KILL", ""},
	{"LOCK", ""}, {"UNLOCK", ""}, {"COMMENT", ""}, {"RESET", ""}, {"LISTEN", ""}, {"UNLISTEN", ""}, {"NOTIFY", ""}, {"DISCARD", ""},
	{"REFRESH", "views are always up to date"}, {"CACHE", ""}, {"UNCACHE", ""}, {"EXPORT", ""}, {"IMPORT", ""}, {"ADD", ""},
	{"REASSIGN", ""}, {"SECURITY", ""}, {"IF", ""}, {"WHILE", ""}, {"RETURN", ""}, {"RAISE", ""}, {"PIVOT", ""}, {"UNPIVOT", ""}, {"SUMMARIZE", ""},
	{"FROM", "begin with SELECT: SELECT * FROM t"},
}

const statementHint = "a script consists of CREATE TABLE, CREATE VIEW, INSERT INTO, SELECT and SET"

// refusedObjects are named together with DROP, ALTER, SHOW, DESCRIBE and COMMENT ON.
var refusedObjects = wordSet(`TABLE TABLES VIEW VIEWS FUNCTION FUNCTIONS DATABASE DATABASES SCHEMA SCHEMAS INDEX COLUMNS COLUMN CREATE TYPE ROLE USER SEQUENCE CATALOG
	CONNECTION TRANSACTION STATISTICS`)

func (p *parser) refuseStatement() bool {
	t := p.peek()
	for _, r := range refusals {
		if r.words != t.upper {
			continue
		}
		what, span := r.words, t.span()
		if next := p.peekAt(1); next.kind == tokenWord && refusedObjects[next.upper] {
			what += " " + next.upper
			span = span.Join(next.span())
		}
		if r.words == "FROM" {
			what = "FROM before SELECT"
		}
		e := p.unsupported(span, what)
		if e.Hint = r.hint; r.hint == "" {
			e.Hint = statementHint
		}
		return true
	}
	return false
}

// place is the span of n tokens from the cursor on.
func (p *parser) place(n int) fault.Span {
	return p.peek().span().Join(p.peekAt(n - 1).span())
}
