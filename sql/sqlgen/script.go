package sqlgen

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Options say what scripts use.
type Options struct {
	// Plain keeps to what means the same in PostgreSQL and its relatives: no windows of time, no functions but the common
	// ones, no types but theirs, and small numbers.
	Plain bool
	// Depth is how deep queries and expressions are nested; 0 is 3.
	Depth int
	// Rows is the most rows of a table; 0 is 10.
	Rows int
}

// Script is a random script.
type Script struct {
	// Tables are the definitions of the tables that the query reads; their files are $dir/NAME.
	Tables string
	// Files are the contents by name.
	Files map[string]string
	// Rows are the rows of each table by its name, for a second engine, as JSON objects with the columns in their order. Those
	// of changelogs are what the changes leave.
	Rows map[string][]string
	// Columns are the names and types of the columns of each table.
	Columns map[string][][2]string
	Query   string
	// Timed is set if all rows have an event time of their own, and none that of the moment when they are read.
	Timed bool
}

// Text is the whole script with its files in a directory.
func (s *Script) Text(dir string) string {
	return strings.ReplaceAll(s.Tables, "$dir", dir) + s.Query
}

// Script makes the script of a seed.
func (l *Library) Script(seed uint64, o Options) *Script {
	return l.script(source{rand.New(rand.NewPCG(seed, 77))}, o)
}

// Steered makes a script from the choices in a text.
func (l *Library) Steered(choices []byte, o Options) *Script {
	return l.script(source{rand.New(&bytesSource{data: choices})}, o)
}

func (l *Library) script(s source, o Options) *Script {
	g := l.generator(s, o)
	g.statement()
	return g.out
}

// generator makes the tables of a script.
func (l *Library) generator(s source, o Options) *generator {
	if o.Depth == 0 {
		o.Depth = 3
	}
	if o.Rows == 0 {
		o.Rows = 10
	}
	g := &generator{source: s, library: l, options: o, out: &Script{Files: map[string]string{}, Rows: map[string][]string{}, Columns: map[string][][2]string{}}}
	g.out.Timed = true
	g.unit = "SECOND"
	if !o.Plain && g.in(4) {
		g.unit = "HOUR"
	}
	tables := 2 + g.n(2)
	for i := range tables {
		g.table(i)
	}
	return g
}

// generator makes one script.
type generator struct {
	source
	library *Library
	options Options
	out     *Script
	tables  []*table
	// unit is that of the distances of event times: SECOND or HOUR.
	unit string
	// names counts the aliases that were given.
	names int
	// scopes are the columns that can be named: those of the query being made last, those around it before.
	scopes [][]column
	// own is the depth of scopes that is not to be named in subqueries: its columns are aggregates.
	own int
	// within are the queries of WITH around.
	within []*table
	// budget bounds the size of the query.
	budget int
}

// column is a value that an expression can name.
type column struct {
	ref, kind string
	// time is set for the event time of its relation.
	time bool
}

// table is a table or a named query.
type table struct {
	name    string
	columns []column
	// time is set if the rows are only appended and have an event time.
	time bool
	// versions is the column whose versions the rows are; "" for none.
	versions string
}

func (g *generator) name(prefix string) string {
	g.names++
	return fmt.Sprintf("%s%d", prefix, g.names)
}

func (g *generator) types() []string {
	if g.options.Plain {
		return plainTypes
	}
	return columnTypes
}

// table makes a table: every third is a changelog.
func (g *generator) table(i int) {
	t := &table{name: fmt.Sprintf("t%d", i)}
	changelog := i%3 == 2 || g.in(4)
	timed := !g.options.Plain && (!changelog || g.in(2))
	t.time = timed && !changelog
	g.out.Timed = g.out.Timed && timed
	var columns []string
	add := func(name, kind, more string) {
		columns = append(columns, name+" "+kind+more)
		t.columns = append(t.columns, column{ref: name, kind: kind})
		g.out.Columns[t.name] = append(g.out.Columns[t.name], [2]string{name, kind})
	}
	if changelog {
		add("id", "BIGINT", " NOT NULL PRIMARY KEY")
	} else {
		add("id", "BIGINT", " NOT NULL")
	}
	add("k", "TEXT", "")
	add("v", "BIGINT", "")
	for c := range 2 + g.n(4) {
		add(fmt.Sprintf("c%d", c), pick(g.source, g.types()), "")
	}
	format := "json"
	if timed && changelog {
		t.versions = "id"
	}
	if timed {
		columns = append(columns, "ts TIMESTAMP NOT NULL")
		t.columns = append(t.columns, column{ref: "ts", kind: "TIMESTAMP", time: t.time})
		g.out.Columns[t.name] = append(g.out.Columns[t.name], [2]string{"ts", "TIMESTAMP"})
		columns = append(columns, pick(g.source, []string{"WATERMARK FOR ts", "WATERMARK FOR ts AS ts - " + g.span(2)}))
	}
	if changelog {
		format = "debezium_json"
	}
	g.out.Tables += fmt.Sprintf("CREATE TABLE %s (%s) WITH (connector = 'single_file', path = '$dir/%s', type = 'source', format = '%s');\n",
		t.name, strings.Join(columns, ", "), t.name, format)
	g.tables = append(g.tables, t)
	g.rows(t, changelog)
}

// rows fills a table. Event times grow, so that no row is late.
func (g *generator) rows(t *table, changelog bool) {
	var lines []string
	live := map[int]string{}
	order := []int{}
	at := 0
	draw := func(id int) string {
		var b strings.Builder
		for i, c := range t.columns {
			v := "null"
			switch {
			case c.ref == "id":
				v = fmt.Sprint(id)
			case c.ref == "ts":
				at += g.n(4)
				v = strconv.Quote(g.moment(at).Format("2006-01-02T15:04:05"))
			case !g.in(5):
				v = g.value(c.kind)
			}
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, "%q:%s", c.ref, v)
		}
		return "{" + b.String() + "}"
	}
	count := g.n(g.options.Rows + 1)
	if g.in(2) {
		count = g.options.Rows
	}
	for n := range count {
		if !changelog {
			row := draw(n)
			lines = append(lines, row)
			g.out.Rows[t.name] = append(g.out.Rows[t.name], row)
			continue
		}
		switch what := g.n(10); {
		case len(order) == 0 || what < 5:
			row := draw(n)
			live[n], order = row, append(order, n)
			lines = append(lines, fmt.Sprintf(`{"before":null,"after":%s,"op":"c"}`, row))
		case what < 8:
			id := pick(g.source, order)
			row := draw(id)
			lines = append(lines, fmt.Sprintf(`{"before":%s,"after":%s,"op":"u"}`, live[id], row))
			live[id] = row
		default:
			i := g.n(len(order))
			lines = append(lines, fmt.Sprintf(`{"before":%s,"after":null,"op":"d","ts_ms":%d}`, live[order[i]], g.moment(at).UnixMilli()))
			delete(live, order[i])
			order = append(order[:i], order[i+1:]...)
		}
	}
	for _, id := range order {
		g.out.Rows[t.name] = append(g.out.Rows[t.name], live[id])
	}
	text := strings.Join(lines, "\n")
	if text != "" {
		text += "\n"
	}
	g.out.Files[t.name] = text
}

// moment is an event time: some units after the beginning of a year, or so that hours cross the day on which the clocks of
// Europe go forward.
func (g *generator) moment(at int) time.Time {
	if g.unit == "HOUR" {
		return time.Date(2024, 3, 30, 3, 0, 0, 0, time.UTC).Add(time.Duration(at) * time.Hour)
	}
	return time.Date(2024, 1, 1, 0, 0, at, 0, time.UTC)
}

// statement makes the query of the script, perhaps through a view.
func (g *generator) statement() {
	g.budget = 40 + g.n(80)
	if g.in(5) && !g.options.Plain {
		q := g.query(g.options.Depth-1, nil)
		v := &table{name: "v0", columns: q.columns}
		g.tables = append(g.tables, v)
		g.out.Query = "CREATE VIEW v0 AS " + q.text + ";\n"
	}
	if t := g.tables[0]; t.time && !g.options.Plain && g.in(5) { // its newest rows, as versions
		g.out.Query += "CREATE VIEW newest AS SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY ts DESC) AS place FROM t0) WHERE place = 1;\n"
		g.tables = append(g.tables, &table{name: "newest", columns: untimed(t.columns), versions: "k"})
	}
	q := g.query(g.options.Depth, nil)
	g.out.Query += q.text + g.top(q)
}

// Partition makes a script whose query filters nothing, and the same with three conditions of which just one is true of each
// row: something that may be true, false or unknown, its opposite, and that it is unknown.
func (l *Library) Partition(seed uint64, o Options) (*Script, [3]string) {
	g := l.generator(source{rand.New(rand.NewPCG(seed, 78))}, o)
	g.budget = 40 + g.n(40)
	f := g.from(g.options.Depth - 1)
	g.scopes = append(g.scopes, f.columns)
	var items []string
	for range 1 + g.n(3) {
		items = append(items, g.expr(pick(g.source, g.types()), 1)+" AS "+g.name("c"))
	}
	g.budget += 20
	p := g.condition(g.options.Depth)
	g.out.Query = "SELECT " + strings.Join(items, ", ") + " FROM " + f.text
	where := g.out.Query + " WHERE "
	return g.out, [3]string{where + p, where + "NOT " + p, where + p + " IS NULL"}
}
