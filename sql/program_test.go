package sql_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/graph/wire"
	"wadi/sql"
	"wadi/sql/picture"
)

// corpus gives every script of testdata, each with its setup.
func corpus(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	var out []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		setup := ""
		for _, part := range strings.Split("\n"+string(data), "\n\n") {
			head, _, _ := strings.Cut(part, "\n----")
			cmd, text, ok := strings.Cut(withoutComments(head), "\n")
			switch {
			case !ok:
			case cmd == "setup":
				setup = text + "\n"
			case cmd == "plan" || cmd == "error":
				out = append(out, setup+text)
			}
		}
	}
	if len(out) < 50 {
		t.Fatalf("only %d scripts found", len(out))
	}
	return out
}

func withoutComments(s string) string {
	s = strings.TrimLeft(s, "\n")
	for strings.HasPrefix(s, "#") {
		_, s, _ = strings.Cut(s, "\n")
	}
	return s
}

func mustCompile(t testing.TB, text string) *graph.Program {
	t.Helper()
	plan, errs := sql.Compile(text, options())
	if len(errs) > 0 {
		t.Fatalf("%s", fault.Render(errs[0], "query.sql", text))
	}
	return plan.Program
}

func TestEveryProgramIsWellFormed(t *testing.T) {
	for _, text := range corpus(t) {
		plan, errs := sql.Compile(text, options())
		if len(errs) > 0 {
			continue
		}
		checkProgram(t, text, plan.Program)
	}
}

// checkProgram holds a program to what the contracts of package graph promise.
func checkProgram(t *testing.T, text string, p *graph.Program) {
	t.Helper()
	ids := map[string]bool{}
	edges := map[[2]int]bool{}
	for i, n := range p.Nodes {
		if ids[n.ID] || n.ID == "" {
			t.Errorf("%s: id %q of node %d is empty or taken", text, n.ID, i)
		}
		ids[n.ID] = true
		_, sink := n.Spec.(*graph.SinkSpec)
		if sink != (n.Out == nil) {
			t.Errorf("%s: node %s: a sink, and only a sink, has no output", text, n.ID)
		}
		if source := graph.IsSource(n.Spec); source == (len(p.In(i)) > 0) {
			t.Errorf("%s: node %s: a source, and only a source, has no input", text, n.ID)
		}
		if n.Out != nil {
			column.NewBuilder(n.Out, n.Mode == graph.Updating)
		}
		checkNode(t, text, p, i)
	}
	for _, e := range p.Edges {
		if e.From >= e.To {
			t.Errorf("%s: an edge leads back from %d to %d", text, e.From, e.To)
		}
		if edges[[2]int{e.From, e.To}] {
			t.Errorf("%s: two edges from %d to %d", text, e.From, e.To)
		}
		edges[[2]int{e.From, e.To}] = true
		for _, k := range e.Keys {
			if k < 0 || k >= p.Nodes[e.From].Out.NumFields() {
				t.Errorf("%s: edge from %s has key %d", text, p.Nodes[e.From].ID, k)
			}
		}
	}
	data, err := wire.Encode(p)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	back, err := wire.Decode(data)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if picture.Text(back) != picture.Text(p) {
		t.Errorf("%s: the program is another one after a round trip", text)
	}
}

// checkNode compares the types that flow into a node with those it was planned for.
func checkNode(t *testing.T, text string, p *graph.Program, i int) {
	t.Helper()
	n := p.Nodes[i]
	for _, e := range p.In(i) {
		in := p.Nodes[e.From].Out
		switch s := n.Spec.(type) {
		case *graph.SinkSpec:
			for c, f := range s.Schema.Fields() {
				if !arrow.TypeEqual(f.Type, in.Field(c).Type) || f.Name != in.Field(c).Name {
					t.Errorf("%s: sink %s gets %s", text, n.ID, in)
				}
			}
			if in.NumFields() != s.Schema.NumFields() {
				t.Errorf("%s: sink %s gets %s", text, n.ID, in)
			}
		case *graph.ProjectSpec:
			checkProject(t, text, &n, s, in)
		case *graph.WindowAggregateSpec:
			if e.Kind != graph.Shuffle || !slices.Equal(e.Keys, s.Keys) {
				t.Errorf("%s: window %s is not shuffled by its keys", text, n.ID)
			}
		case *graph.JoinSpec:
			checkJoin(t, text, p, i, &s.JoinOn)
		case *graph.WindowJoinSpec:
			checkJoin(t, text, p, i, &s.JoinOn)
		case *graph.IntervalJoinSpec:
			checkJoin(t, text, p, i, &s.JoinOn)
		case *graph.UpdatingAggregateSpec:
			for _, a := range s.Aggs {
				for k, arg := range a.Args {
					if !arrow.TypeEqual(in.Field(arg).Type, a.ArgTypes[k]) {
						t.Errorf("%s: %s of %s gets %s", text, a.Name, n.ID, in.Field(arg).Type)
					}
				}
			}
		}
	}
}

// checkJoin holds a join to what graph.JoinOn promises about keys, shuffles and columns.
func checkJoin(t *testing.T, text string, p *graph.Program, node int, on *graph.JoinOn) {
	t.Helper()
	n := p.Nodes[node]
	var sides [2]*arrow.Schema
	for _, e := range p.In(node) {
		sides[e.Input] = p.Nodes[e.From].Out
		keys := [2][]int{on.LeftKeys, on.RightKeys}[e.Input]
		if on.NullAware {
			keys = keys[1:]
		}
		if e.Kind != graph.Shuffle || !slices.Equal(e.Keys, keys) {
			t.Errorf("%s: %s is not shuffled by its keys", text, n.ID)
		}
	}
	if sides[0] == nil || sides[1] == nil || len(on.LeftKeys) != len(on.RightKeys) {
		t.Fatalf("%s: %s lacks a side", text, n.ID)
	}
	for i := range on.LeftKeys {
		if !arrow.TypeEqual(sides[0].Field(on.LeftKeys[i]).Type, sides[1].Field(on.RightKeys[i]).Type) {
			t.Errorf("%s: key %d of %s has two types", text, i, n.ID)
		}
	}
	want := sides[0].NumFields()
	if on.Kind != graph.SemiJoin && on.Kind != graph.AntiJoin {
		want += sides[1].NumFields()
	}
	if n.Out.NumFields() != want {
		t.Errorf("%s: %s puts out %d columns, not %d", text, n.ID, n.Out.NumFields(), want)
	}
	if on.Residual == nil {
		return
	}
	on.Residual.Walk(func(x *expr.Node) bool {
		if x.Kind == expr.Column {
			f, at := sides[0], x.Index
			if at >= f.NumFields() {
				f, at = sides[1], at-f.NumFields()
			}
			if !arrow.TypeEqual(f.Field(at).Type, x.Type) {
				t.Errorf("%s: the condition of %s reads %s as %s", text, n.ID, f.Field(at), x.Type)
			}
		}
		return true
	})
}

func checkProject(t *testing.T, text string, n *graph.Node, s *graph.ProjectSpec, in *arrow.Schema) {
	t.Helper()
	if s.Exprs == nil {
		if n.Out.NumFields() != in.NumFields() {
			t.Errorf("%s: %s passes %s on as %s", text, n.ID, in, n.Out)
		}
		return
	}
	for c, e := range s.Exprs {
		if !arrow.TypeEqual(e.Type, n.Out.Field(c).Type) {
			t.Errorf("%s: %s puts %s where %s is", text, n.ID, e.Type, n.Out.Field(c))
		}
	}
}

func TestCompilingTwiceGivesTheSameProgram(t *testing.T) {
	for _, text := range corpus(t) {
		a, errsA := sql.Compile(text, options())
		b, errsB := sql.Compile(text, options())
		if errsA.Error() != errsB.Error() {
			t.Fatalf("%s: other diagnostics", text)
		}
		if a == nil {
			continue
		}
		x, _ := wire.Encode(a.Program)
		y, _ := wire.Encode(b.Program)
		if string(x) != string(y) {
			t.Errorf("%s: another program", text)
		}
	}
}

const tables = `
CREATE TABLE t (id BIGINT, name TEXT, price DOUBLE, at TIMESTAMP, WATERMARK FOR at)
WITH (connector = 'single_file', path = 'in.json', format = 'json', type = 'source');
CREATE TABLE sink WITH (connector = 'single_file', path = 'out.json', format = 'debezium_json', type = 'sink');
`

// statefulIDs gives the ids of the operators that keep something between checkpoints.
func statefulIDs(p *graph.Program) []string {
	var out []string
	for _, n := range p.Nodes {
		if _, ok := n.Spec.(*graph.ProjectSpec); !ok {
			out = append(out, n.ID)
		}
	}
	return out
}

// TestUnrelatedEditsKeepIDs holds the ids of operators with state fixed while the text around them changes.
func TestUnrelatedEditsKeepIDs(t *testing.T) {
	const query = `INSERT INTO sink SELECT name, count(*) AS n, max(price) AS m FROM t WHERE id > 5 AND price < 3 GROUP BY name;`
	want := statefulIDs(mustCompile(t, tables+query))
	for name, text := range map[string]string{
		"comments and case": tables + `-- note
			insert into SINK select NAME, COUNT( * ) as n, max(price) m from T where (id > 5) and price < 3 group by 1`,
		"another query in front": tables + `SELECT at, id FROM t WHERE name = 'x';` + query,
		"another query behind":   tables + query + `SELECT at, id + 1 AS i FROM t;`,
		"another table":          `CREATE TABLE u (x INT) WITH (connector = 'single_file', path = 'u', format = 'json', type = 'source');` + tables + query,
		"a projection between":   tables + `INSERT INTO sink SELECT a AS name, count(*) AS n, max(b) AS m FROM (SELECT price AS b, upper(name) AS u, name AS a, id FROM t) WHERE id > 5 AND b < 3 GROUP BY a;`,
		"filters in steps":       tables + `INSERT INTO sink SELECT name, count(*) AS n, max(price) AS m FROM (SELECT * FROM t WHERE price < 3) WHERE id > 5 GROUP BY name;`,
		"a view":                 tables + `CREATE VIEW v AS SELECT * FROM t WHERE id > 5; INSERT INTO sink SELECT name, count(*) AS n, max(price) AS m FROM v WHERE price < 3 GROUP BY name;`,
		"another column":         strings.Replace(tables, "price DOUBLE", "price DOUBLE, extra TEXT", 1) + query,
		"another select list":    tables + `INSERT INTO sink SELECT count(*) AS n, name || '!' AS name, max(price) AS m FROM t WHERE id > 5 AND price < 3 GROUP BY name;`,
	} {
		t.Run(name, func(t *testing.T) {
			got := statefulIDs(mustCompile(t, text))
			for _, id := range want {
				if !slices.Contains(got, id) {
					t.Errorf("%s is gone; there are %v", id, got)
				}
			}
		})
	}
}

// TestRelatedEditsChangeIDs is the other side: what changes the meaning of an operator must not find its old state.
func TestRelatedEditsChangeIDs(t *testing.T) {
	aggregate := func(text string) string {
		for _, n := range mustCompile(t, tables+text).Nodes {
			switch n.Spec.(type) {
			case *graph.UpdatingAggregateSpec, *graph.WindowAggregateSpec:
				return n.ID
			}
		}
		t.Fatalf("no aggregate in %s", text)
		return ""
	}
	seen := map[string]string{}
	for _, text := range []string{
		`SELECT name, count(*) FROM t GROUP BY name`,
		`SELECT id, count(*) FROM t GROUP BY id`,
		`SELECT name, count(*) FROM t WHERE id > 5 GROUP BY name`,
		`SELECT name, count(*) FROM t WHERE id > 6 GROUP BY name`,
		`SELECT name, count(id) FROM t GROUP BY name`,
		`SELECT name, count(DISTINCT id) FROM t GROUP BY name`,
		`SELECT name, count(*) FILTER (WHERE id > 5) FROM t GROUP BY name`,
		`SELECT upper(name), count(*) FROM t GROUP BY upper(name)`,
		`SELECT count(*) FROM t`,
		`SELECT name, count(*) FROM t GROUP BY name, tumble('1 minute')`,
		`SELECT name, count(*) FROM t GROUP BY name, tumble('2 minutes')`,
		`SELECT name, count(*) FROM t GROUP BY name, hop('1 minute', '2 minutes')`,
	} {
		id := aggregate(text)
		if other, ok := seen[id]; ok {
			t.Errorf("%s for both\n%s\n%s", id, other, text)
		}
		seen[id] = text
	}
}

func TestSourcesAndViewsAreShared(t *testing.T) {
	p := mustCompile(t, tables+`
		CREATE VIEW counts AS SELECT name, count(*) AS n FROM t GROUP BY name;
		SELECT name FROM counts WHERE n > 1;
		SELECT n FROM counts WHERE name = 'x';
		SELECT id FROM t;`)
	kinds := map[string]int{}
	for _, n := range p.Nodes {
		kinds[picture.Kind(n.Spec)]++
	}
	if kinds["source"] != 1 || kinds["watermark"] != 1 || kinds["updating aggregate"] != 1 || kinds["sink"] != 3 {
		t.Errorf("got %v", kinds)
	}
}

func TestNeededPathsReachIntoStructs(t *testing.T) {
	const table = `CREATE TABLE e (id BIGINT, bid STRUCT<auction BIGINT, url TEXT, deep STRUCT<a TEXT, b INT>>, person STRUCT<name TEXT, age INT>)
		WITH (connector = 'single_file', path = 'e', format = 'json', type = 'source');`
	for query, want := range map[string][]string{
		`SELECT * FROM e`:                                 {"id", "bid", "person"},
		`SELECT bid.auction FROM e`:                       {"bid.auction"},
		`SELECT bid.deep FROM e`:                          {"bid.deep"},
		`SELECT bid.deep.b FROM (SELECT bid FROM e)`:      {"bid.deep.b"},
		`SELECT id FROM e WHERE person IS NOT NULL`:       {"id", "person.age"},
		`SELECT count(*) FROM e`:                          {},
		`SELECT count(person) FROM e`:                     {"person.age"},
		`SELECT count(DISTINCT person.name) FROM e`:       {"person.name"},
		`SELECT b.url FROM (SELECT bid AS b, id FROM e)`:  {"bid.url"},
		`SELECT max(id) FROM e GROUP BY tumble('1 hour')`: {"id"},
		`SELECT b FROM (SELECT bid.deep.a AS b, id FROM e UNION ALL SELECT person.name, id FROM e)`: {"bid.deep.a", "person.name"},
	} {
		got := mustCompile(t, table+query).Nodes[0].Spec.(*graph.SourceSpec).Needed
		if !slices.Equal(got, want) || got == nil {
			t.Errorf("%s: reads %v, want %v", query, got, want)
		}
	}
}

func TestPictures(t *testing.T) {
	for _, text := range corpus(t) {
		plan, errs := sql.Compile(text, options())
		if len(errs) > 0 {
			continue
		}
		for _, n := range plan.Program.Nodes {
			for name, drawn := range map[string]string{
				"text": picture.Text(plan.Program), "mermaid": picture.Mermaid(plan.Program), "dot": picture.Dot(plan.Program),
			} {
				if !strings.Contains(drawn, n.ID) {
					t.Errorf("%s: no %s in the %s picture", text, n.ID, name)
				}
			}
		}
		if g := picture.API(plan.Program, 4); len(g.Nodes) != len(plan.Program.Nodes) || len(g.Edges) != len(plan.Program.Edges) {
			t.Errorf("%s: the API shows another graph", text)
		}
	}
}

// TestMutatedScriptsNeverPanic moves, drops, doubles and swaps words of the corpus: whatever comes out is planned or
// refused, and a refusal says something.
func TestMutatedScriptsNeverPanic(t *testing.T) {
	texts := corpus(t)
	var words []string
	for _, text := range texts {
		words = append(words, tokens(text)...)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	rounds := 4000
	if testing.Short() {
		rounds = 400
	}
	o := options()
	planned := 0
	for range rounds {
		text := mutate(rnd, texts[rnd.IntN(len(texts))], words)
		plan, errs := sql.Compile(text, o)
		if (plan == nil) == (len(errs) == 0) {
			t.Fatalf("neither a plan nor a diagnostic, or both:\n%s", text)
		}
		for _, e := range errs {
			if e.Kind != fault.User || e.Message == "" || e.Span.Start > len(text) || e.Span.End < e.Span.Start {
				t.Fatalf("bad diagnostic %+v for\n%s", e, text)
			}
		}
		if plan != nil {
			planned++
			checkProgram(t, text, plan.Program)
		}
	}
	if planned < rounds/50 {
		t.Errorf("only %d of %d mutants were planned", planned, rounds)
	}
}

// tokens splits a text where a mutation may cut.
func tokens(text string) []string {
	var out []string
	start := 0
	class := func(c byte) int {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '\'':
			return 1
		case c == ' ', c == '\n':
			return 2
		}
		return 3
	}
	for i := 1; i <= len(text); i++ {
		if i == len(text) || class(text[i]) != class(text[i-1]) || class(text[i]) == 3 {
			out = append(out, text[start:i])
			start = i
		}
	}
	return out
}

func mutate(rnd *rand.Rand, text string, words []string) string {
	w := tokens(text)
	for range 1 + rnd.IntN(3) {
		if len(w) < 4 {
			break
		}
		i, j := rnd.IntN(len(w)), rnd.IntN(len(w))
		switch rnd.IntN(5) {
		case 0:
			w[i], w[j] = w[j], w[i]
		case 1:
			w = slices.Delete(w, i, i+1)
		case 2:
			w = slices.Insert(w, i, w[j])
		case 3:
			w[i] = words[rnd.IntN(len(words))]
		case 4:
			w = slices.Insert(w, i, " ", words[rnd.IntN(len(words))], " ")
		}
	}
	return strings.Join(w, "")
}

func FuzzCompile(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	o := options()
	f.Fuzz(func(t *testing.T, text string) {
		if plan, errs := sql.Compile(text, o); (plan == nil) == (len(errs) == 0) {
			t.Fatal("neither a plan nor a diagnostic, or both")
		}
	})
}
