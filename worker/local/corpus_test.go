package local_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql"
	"wadi/worker/local/capture"
	"wadi/worker/operators"
	"wadi/worker/racing"
)

// The query corpus: testdata/corpus/*.txt, one file per topic, rewritten with -rewrite.
//
//	input NAME        the lines below become the file $dir/NAME
//	input NAME quoted the Go strings below become it, byte by byte
//	tables            the SQL below goes in front of every later query of the file
//	query             the SQL below is run; the expected rows are JSON lines, sorted; for an updating query they are what
//	                  its changelog leaves
//	error             the SQL below does not plan, or fails when it runs; the expected text is what a person sees
//
// Every query runs at several parallelisms and batch sizes, and with a checkpoint, a crash and a restore with another
// parallelism in the middle, on a virtual clock and with the tasks polled in seeded orders. All runs must agree.
func TestCorpus(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/corpus/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no corpus", err)
	}
	data, err := filepath.Abs("../../testdata/data")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			c := &corpus{dir: t.TempDir(), data: data}
			datadriven.RunTest(t, path, c.run)
		})
	}
}

type corpus struct {
	dir, data string
	tables    string
}

func (c *corpus) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "input":
		path := filepath.Join(c.dir, d.CmdArgs[0].Key)
		if err := os.WriteFile(path, inputOf(t, d), 0o644); err != nil {
			t.Fatal(err)
		}
		return ""
	case "tables":
		c.tables = d.Input + "\n"
		return ""
	case "query":
		return c.query(t, d)
	case "error":
		return c.failure(t, d)
	}
	d.Fatalf(t, "unknown command %s", d.Cmd)
	return ""
}

// inputOf gives the bytes of a file: the lines below, or Go strings one after the other.
func inputOf(t *testing.T, d *datadriven.TestData) []byte {
	if !d.HasArg("quoted") {
		return []byte(d.Input + "\n")
	}
	var b []byte
	for _, l := range strings.Split(d.Input, "\n") {
		s, err := strconv.Unquote(l)
		if err != nil {
			d.Fatalf(t, "%s: %s", l, err)
		}
		b = append(b, s...)
	}
	return b
}

func (c *corpus) text(input string) string {
	return strings.NewReplacer("$dir", c.dir, "$data", c.data).Replace(c.tables + input)
}

func (c *corpus) plan(text string, rows *[]string) (*graph.Program, operators.Library, fault.List) {
	l := capture.Library(rows)
	p, problems := sql.Compile(text, sql.Options{
		Name: "query.sql", DefaultSink: capture.Name, UpdateAggregateFlushInterval: time.Second, UpdatingTTL: 24 * time.Hour,
		Connectors: l.Connectors, Functions: l.Functions, Aggregates: l.Aggregates,
	})
	if len(problems) > 0 {
		return nil, l, problems
	}
	return p.Program, l, nil
}

// variants lists ways to run a query.
func variants() []capture.Variant {
	var all []capture.Variant
	for _, v := range []struct {
		parallelism, batch, restore int
		tick                        time.Duration
		seed                        uint64
	}{
		{1, 8192, 0, 0, 1}, {1, 1, 0, 0, 1}, {1, 7, 0, 400 * time.Millisecond, 1}, {2, 8192, 0, 0, 2}, {3, 1, 0, time.Second, 3}, {7, 7, 0, 0, 4},
		{1, 1, 3, 0, 5}, {3, 2, 2, 300 * time.Millisecond, 6}, {2, 1, 1, 0, 7}, {3, 7, 7, 0, 8}, {2, 1, 2, 2 * time.Second, 9},
	} {
		all = append(all, capture.Variant{Parallelism: v.parallelism, Batch: v.batch, Restore: v.restore, Tick: v.tick, Seed: v.seed})
	}
	return all
}

func (c *corpus) query(t *testing.T, d *datadriven.TestData) string {
	var want string
	all := variants()
	switch {
	case racing.On: // a simulation's tasks take turns, so that one says what all do
		all = all[7:8]
	case testing.Short(): // one of each kind
		all = []capture.Variant{all[0], all[4], all[7], all[10]}
	}
	for i, v := range all {
		got, err := c.simulate(c.text(d.Input), v)
		if err != nil {
			got = c.show(err, c.text(d.Input))
		}
		if i == 0 {
			want = got
		} else if got != want {
			d.Fatalf(t, "%s gives\n%s\ninstead of\n%s", v, got, want)
		}
	}
	return want
}

// simulate runs the query and gives its rows, sorted.
func (c *corpus) simulate(text string, v capture.Variant) (string, error) {
	var rows []string
	p, l, problems := c.plan(text, &rows)
	if problems != nil {
		return "", problems
	}
	if err := capture.Run(p, l, &rows, v); err != nil {
		return "", err
	}
	if rows = capture.Materialise(rows); len(rows) == 0 {
		return "no rows\n", nil
	}
	return strings.Join(rows, "\n") + "\n", nil
}

func (c *corpus) failure(t *testing.T, d *datadriven.TestData) string {
	text := c.text(d.Input)
	got, err := c.simulate(text, variants()[0])
	if err == nil {
		d.Fatalf(t, "expected an error, got\n%s", got)
	}
	return c.show(err, text)
}

// show prints an error as a person sees it, with paths that do not change from run to run.
func (c *corpus) show(err error, text string) string {
	list, ok := err.(fault.List)
	if !ok {
		list = fault.List{fault.As(err)}
	}
	var b strings.Builder
	for _, f := range list {
		b.WriteString(fault.Render(f, "query.sql", text))
	}
	here, _ := os.Getwd()
	return strings.NewReplacer(c.dir, "$dir", c.data, "$data", here, "$cwd").Replace(b.String())
}
