package oracle_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql"
	"wadi/worker/local/capture"
)

// tolerance is the relative error that floats may differ by.
const tolerance = 1e-12

func TestScalars(t *testing.T) {
	s := startSecond(t)
	cases := scalarCases()
	for round := range *rounds {
		seed := *firstSeed + uint64(round)
		rows := table(seed, 120)
		s.loadTable(rows)
		w := &first{t: t, rows: rows}
		for _, c := range cases {
			t.Run(fmt.Sprintf("%d/%s", seed, c.wadi), func(t *testing.T) { c.check(t, w, s) })
		}
	}
}

// scalarCase is an expression over the columns of the table in the words of both engines.
type scalarCase struct{ wadi, duck string }

// split cuts lines "expression" or "expression ::: the same for the second engine", where FAIL is an error.
func split(text string) []scalarCase {
	var all []scalarCase
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		wadi, duck, ok := strings.Cut(line, " ::: ")
		if !ok {
			duck = wadi
		}
		all = append(all, scalarCase{strings.TrimSpace(wadi), strings.TrimSpace(duck)})
	}
	return all
}

func (c scalarCase) check(t *testing.T, w *first, s *second) {
	ours, err := w.column(c.wadi)
	if err != nil {
		t.Fatalf("%s does not plan: %v", c.wadi, err)
	}
	theirs, err := s.column(c.duck, ours)
	if err != nil {
		t.Fatalf("the second engine does not plan %s: %v", c.duck, err)
	}
	wrong := 0
	for i := range ours {
		if ours[i].equal(theirs[i], tolerance) {
			continue
		}
		if wrong++; wrong <= 4 {
			t.Errorf("%s is %s, but %s is %s; with %s", c.wadi, ours[i], c.duck, theirs[i], w.inputs(c, i))
		}
	}
	if wrong > 4 {
		t.Errorf("%d of %d rows differ", wrong, len(ours))
	}
}

// column computes an expression for all rows, those that fail giving an error. What is null under TRY may be an error or
// not; where ours says error, a few such rows are asked for one by one and the others believed.
func (s *second) column(expression string, ours []value) ([]value, error) {
	expression = strings.ReplaceAll(expression, "FAIL", "CAST('no' || id AS INTEGER)")
	rows, err := s.query("SELECT " + expression + " FROM t ORDER BY id")
	if err == nil {
		return firstOf(rows), nil
	}
	rows, tryErr := s.query("SELECT TRY(" + expression + ") FROM t ORDER BY id")
	if tryErr != nil {
		return nil, err
	}
	all := firstOf(rows)
	asked := 0
	for i := range all {
		if all[i].kind != 0 || ours[i].kind == 0 {
			continue
		}
		if asked++; asked > 4 && ours[i].kind == 'e' {
			all[i] = ours[i]
			continue
		}
		if one, err := s.query(fmt.Sprintf("SELECT %s FROM t WHERE id = %d", expression, i)); err != nil {
			all[i] = failed(err)
		} else {
			all[i] = one[0][0]
		}
	}
	return all, nil
}

func firstOf(rows [][]value) []value {
	out := make([]value, len(rows))
	for i := range rows {
		out[i] = rows[i][0]
	}
	return out
}

// first is our side: the rows as a table of text that a view casts to the columns' types.
type first struct {
	t    *testing.T
	rows [][]*string
}

func (w *first) column(expression string) ([]value, error) {
	p, err := w.plan(expression)
	if err != nil {
		return nil, err
	}
	var chain []*expr.Evaluator
	in := p.Nodes[0].Out
	for _, n := range p.Nodes {
		project, ok := n.Spec.(*graph.ProjectSpec)
		if !ok {
			continue
		}
		e, err := expr.Compile(project.Exprs, in, expr.Builtin())
		if err != nil {
			return nil, err
		}
		chain, in = append(chain, e), n.Out
	}
	source := w.batch(p.Nodes[0].Out)
	if out, err := evaluate(chain, source); err == nil {
		return out, nil
	}
	all := make([]value, source.N)
	for i := range all {
		source.Sel = []int32{int32(i)}
		if out, err := evaluate(chain, source); err != nil {
			all[i] = failed(err)
		} else {
			all[i] = out[0]
		}
	}
	return all, nil
}

func (w *first) plan(expression string) (*graph.Program, error) {
	var raw, casts []string
	for _, k := range reads(expression + " k") { // k, so that there is always one
		c := columns()[k]
		raw = append(raw, "raw_"+c.name+" TEXT")
		casts = append(casts, "CAST(raw_"+c.name+" AS "+c.wadi+") AS "+c.name)
	}
	text := "CREATE TABLE raw (" + strings.Join(raw, ", ") +
		") WITH (connector = 'single_file', path = '/raw', type = 'source', format = 'json');\n" +
		"CREATE VIEW t AS SELECT " + strings.Join(casts, ", ") + " FROM raw;\nSELECT " + expression + " AS x FROM t;"
	l := capture.Library(nil)
	plan, problems := sql.Compile(text, sql.Options{
		Name: "query.sql", DefaultSink: capture.Name, UpdateAggregateFlushInterval: time.Second, UpdatingTTL: time.Hour,
		Connectors: l.Connectors, Functions: l.Functions, Aggregates: l.Aggregates,
	})
	if len(problems) > 0 {
		return nil, problems
	}
	return plan.Program, nil
}

// batch gives the rows' columns of a schema.
func (w *first) batch(schema *arrow.Schema) *column.Batch {
	b := &column.Batch{Schema: schema, N: len(w.rows), Time: make([]int64, len(w.rows))}
	for _, f := range schema.Fields() {
		c := column.NewBytes(f.Type)
		k := indexOf(strings.TrimPrefix(f.Name, "raw_"))
		for _, row := range w.rows {
			if v := row[k]; v != nil {
				c.AppendString(*v)
			} else {
				c.AppendNull()
			}
		}
		b.Cols = append(b.Cols, c)
	}
	return b
}

// evaluate gives the last column of the rows that count.
func evaluate(chain []*expr.Evaluator, b *column.Batch) ([]value, error) {
	for _, e := range chain {
		cols, err := e.Eval(b)
		if err != nil {
			return nil, err
		}
		b = &column.Batch{N: b.N, Time: b.Time, Sel: b.Sel, Cols: cols}
	}
	var out []value
	for _, r := range b.Selected(nil) {
		out = append(out, valueAt(b.Cols[0], int(r)))
	}
	return out, nil
}

func indexOf(name string) int {
	for i, c := range columns() {
		if c.name == name {
			return i
		}
	}
	panic("oracle: no column " + name)
}

// reads gives the columns that an expression names.
func reads(expression string) []int {
	words := strings.FieldsFunc(expression, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
	var found []int
	for i, k := range columns() {
		if slices.Contains(words, k.name) {
			found = append(found, i)
		}
	}
	return found
}

// inputs shows what the columns hold that a case reads.
func (w *first) inputs(c scalarCase, row int) string {
	var parts []string
	for _, i := range reads(c.wadi) {
		v := value{}
		if t := w.rows[row][i]; t != nil {
			v = value{kind: 's', text: *t}
		}
		parts = append(parts, columns()[i].name+" = "+v.String())
	}
	return strings.Join(parts, ", ")
}
