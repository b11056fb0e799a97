package oracle_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/sqlgen"
	"wadi/worker/local/capture"
)

// generatedPerRound is how many random queries there are for each seed.
const generatedPerRound = 60

// TestGeneratedQueries runs random queries of the kind that every engine has, over tables and changelogs, and compares what
// they leave. What the second engine cannot do, it need not.
func TestGeneratedQueries(t *testing.T) {
	s := startSecond(t)
	var unused []string
	library := sqlgen.New(expr.Builtin(), agg.Builtin(), capture.Library(&unused).Connectors, capture.Name)
	dir := t.TempDir()
	counts := map[string]int{}
	for seed := *firstSeed * 1_000_000; seed < *firstSeed*1_000_000+uint64(*rounds*generatedPerRound) && !t.Failed(); seed++ {
		script := library.Script(seed, sqlgen.Options{Plain: true})
		for name, content := range script.Files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			loadRows(t, s, name, script.Columns[name], script.Rows[name])
		}
		theirs, err := s.query(script.Query)
		if err != nil {
			counts["not for the second engine"]++
			continue
		}
		r := rand.New(rand.NewPCG(seed, 29))
		v := capture.Variant{
			Parallelism: 1 + r.IntN(3), Batch: []int{1, 3, 8192}[r.IntN(3)], Restore: r.IntN(4),
			Tick: time.Duration(r.IntN(3)) * 400 * time.Millisecond, Seed: seed,
		}
		ours, err := run(script.Text(dir), v)
		switch {
		case err != nil && fault.As(err).Code == fault.CodeOverflow:
			counts["overflows"]++
			continue
		case err != nil && fault.As(err).Code == fault.CodeUnsupported:
			counts["refused"]++
			continue
		case err != nil:
			t.Errorf("seed %d, with %s: %v\n%s%s", seed, v, err, script.Tables, script.Query)
			continue
		}
		counts["compared"]++
		if len(ours) > 0 {
			counts["compared, with rows"]++
		}
		before := t.Failed()
		compareRows(t, ours, theirs)
		if t.Failed() && !before {
			t.Errorf("… seed %d, with %s, tick %s\n%s%s", seed, v, v.Tick, script.Tables, script.Query)
		}
	}
	t.Log(counts)
}

// loadRows gives the second engine a table.
func loadRows(t *testing.T, s *second, name string, columns [][2]string, rows []string) {
	t.Helper()
	var defs, marks []string
	for _, c := range columns {
		defs, marks = append(defs, c[0]+" "+c[1]), append(marks, "?")
	}
	s.exec("CREATE OR REPLACE TABLE " + name + " (" + strings.Join(defs, ", ") + ")")
	var values [][]*string
	for _, line := range rows {
		var row map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		cells := make([]*string, len(columns))
		for i, c := range columns {
			text := string(row[c[0]])
			if text == "null" {
				continue
			}
			if strings.HasPrefix(text, `"`) {
				if err := json.Unmarshal(row[c[0]], &text); err != nil {
					t.Fatal(err)
				}
			}
			cells[i] = &text
		}
		values = append(values, cells)
	}
	s.fill("INSERT INTO "+name+" VALUES ("+strings.Join(marks, ", ")+")", values)
}
