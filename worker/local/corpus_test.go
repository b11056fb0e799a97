package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"wadi/dataflow/agg"
	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
	"wadi/sql"
	"wadi/worker/engine"
	"wadi/worker/local"
	"wadi/worker/operators"
)

// The query corpus: testdata/corpus/*.txt, one file per topic, rewritten with -rewrite.
//
//	input NAME        the lines below become the file $dir/NAME
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
		if err := os.WriteFile(path, []byte(d.Input+"\n"), 0o644); err != nil {
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

func (c *corpus) text(input string) string {
	return strings.NewReplacer("$dir", c.dir, "$data", c.data).Replace(c.tables + input)
}

// library has the connectors there are and one more, a sink whose rows are part of its state.
func library(rows *[]string) operators.Library {
	registry := builtin.Registry()
	var decls []*connector.Declaration
	for _, n := range registry.Names() {
		d, _ := registry.Lookup(n)
		decls = append(decls, d)
	}
	decls = append(decls, &connector.Declaration{
		Name: "capture", Doc: "keeps rows for a test", Uses: connector.Sink, Formats: true, MaxParallelism: 1,
		NewSink: func(sc connector.SinkConfig) (operator.Operator, error) { return newCapture(sc, rows) },
	})
	return operators.Library{Connectors: connector.NewRegistry(decls...), Functions: expr.Builtin(), Aggregates: agg.Builtin()}
}

// capture is that sink.
type capture struct {
	encoder format.Encoder
	lines   []byte
	out     *[]string
	id      string
}

func newCapture(c connector.SinkConfig, out *[]string) (operator.Operator, error) {
	e, err := c.NewEncoder()
	if err != nil {
		return nil, err
	}
	k := &capture{encoder: e, out: out, id: c.Env.OperatorID}
	if c.Env.Restore == nil {
		return k, nil
	}
	return k, c.Env.Restore.Global("rows", func(_, v []byte) error {
		k.lines = append(k.lines, v...)
		return nil
	})
}

func (k *capture) Process(_ int, b *column.Batch, _ operator.Emitter) (err error) {
	k.lines, err = k.encoder.Encode(k.lines, b)
	return err
}

func (k *capture) Watermark(int64, operator.Emitter) error { return nil }
func (k *capture) Close() error                            { return nil }

func (k *capture) Snapshot(w state.Writer) error {
	w.Global("rows", []byte("rows"), bytes.Clone(k.lines))
	return nil
}

func (k *capture) Finish(operator.Emitter) error {
	for _, l := range strings.Split(strings.TrimSuffix(string(k.lines), "\n"), "\n") {
		if l != "" {
			*k.out = append(*k.out, l)
		}
	}
	return nil
}

func (c *corpus) plan(text string, rows *[]string) (*graph.Program, operators.Library, fault.List) {
	l := library(rows)
	p, problems := sql.Compile(text, sql.Options{
		Name: "query.sql", DefaultSink: "capture", UpdateAggregateFlushInterval: time.Second, UpdatingTTL: 24 * time.Hour,
		Connectors: l.Connectors, Functions: l.Functions, Aggregates: l.Aggregates,
	})
	if len(problems) > 0 {
		return nil, l, problems
	}
	return p.Program, l, nil
}

// variant is one way to run a query.
type variant struct {
	parallelism, batch int
	// restore is the parallelism after a crash; 0 runs through.
	restore int
	seed    uint64
}

func (v variant) String() string {
	return fmt.Sprintf("parallelism %d, batches of %d, restored with %d, seed %d", v.parallelism, v.batch, v.restore, v.seed)
}

var variants = []variant{
	{1, 8192, 0, 1}, {1, 1, 0, 1}, {1, 7, 0, 1}, {2, 8192, 0, 2}, {3, 1, 0, 3}, {7, 7, 0, 4},
	{1, 1, 3, 5}, {3, 2, 2, 6}, {2, 1, 1, 7}, {3, 7, 7, 8}, {2, 1, 2, 9},
}

func (c *corpus) query(t *testing.T, d *datadriven.TestData) string {
	var want string
	for i, v := range variants {
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
func (c *corpus) simulate(text string, v variant) (string, error) {
	var rows []string
	p, l, problems := c.plan(text, &rows)
	if problems != nil {
		return "", problems
	}
	r := rand.New(rand.NewPCG(v.seed, 11))
	s := &simulation{program: p, library: l, batch: v.batch, store: &local.Memory{}, random: r}
	parallelism := v.parallelism
	if v.restore > 0 {
		over, err := s.crash(parallelism, 1+r.IntN(40))
		if err != nil {
			return "", err
		}
		if !over {
			parallelism = v.restore
		}
		rows = nil
	}
	if err := s.finish(parallelism); err != nil {
		return "", err
	}
	return materialise(rows), nil
}

// simulation runs one program, maybe in several lives.
type simulation struct {
	program *graph.Program
	library operators.Library
	batch   int
	store   *local.Memory
	random  *rand.Rand
	last    *local.Checkpoint
	acks    map[engine.Subtask]engine.Snapshot
}

func (s *simulation) start(parallelism int) (*engine.Engine, error) {
	s.acks = map[engine.Subtask]engine.Snapshot{}
	c := engine.Config{
		Program: s.program, JobID: "corpus", Parallelism: parallelism, Constructor: s.library, Listener: s, Store: s.store,
		Clock: clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), BatchRows: s.batch, Synchronous: true,
	}
	if s.last != nil {
		c.Restore = func(id string) *engine.OperatorState { return s.last.Operators[id] }
	}
	return engine.New(context.Background(), c)
}

// crash runs some steps, takes a checkpoint, runs on a little, and stops without warning. over is true if the input
// ended before.
func (s *simulation) crash(parallelism, steps int) (over bool, err error) {
	e, err := s.start(parallelism)
	if err != nil {
		return false, err
	}
	defer func() {
		e.Stop()
		e.Wait()
	}()
	for range steps {
		if _, _, err := e.Step(s.random); err != nil {
			return false, err
		}
	}
	if err := s.checkpoint(e, engine.Barrier{Epoch: 1}); err != nil {
		return false, err
	}
	for range s.random.IntN(10) {
		if _, _, err := e.Step(s.random); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (s *simulation) checkpoint(e *engine.Engine, b engine.Barrier) error {
	clear(s.acks)
	e.Checkpoint(b)
	for len(s.acks) < len(e.Subtasks()) {
		_, progress, err := e.Step(s.random)
		if err != nil {
			return err
		}
		if !progress {
			return fmt.Errorf("epoch %d hangs with %d of %d snapshots", b.Epoch, len(s.acks), len(e.Subtasks()))
		}
	}
	s.last = local.Merge(s.last, b.Epoch, s.acks)
	return nil
}

// finish runs to the end of the input.
func (s *simulation) finish(parallelism int) error {
	e, err := s.start(parallelism)
	if err != nil {
		return err
	}
	if _, err := e.Simulate(s.random); err != nil {
		return err
	}
	if err := s.checkpoint(e, engine.Barrier{Epoch: 2, Stop: true, Final: true}); err != nil {
		return err
	}
	over, err := e.Simulate(s.random)
	if err == nil && !over {
		err = fmt.Errorf("the tasks do not end")
	}
	if closeErr := e.Wait(); err == nil {
		err = closeErr
	}
	return err
}

func (s *simulation) TaskStarted(engine.Subtask)               {}
func (s *simulation) CheckpointStarted(engine.Subtask, uint64) {}
func (s *simulation) CheckpointSynced(engine.Subtask, uint64)  {}
func (s *simulation) CommitFinished(engine.Subtask, uint64)    {}
func (s *simulation) TaskDrained(engine.Subtask)               {}
func (s *simulation) TaskFinished(engine.Subtask)              {}
func (s *simulation) TaskFailed(engine.Subtask, error)         {}
func (s *simulation) Nonfatal(engine.Subtask, error)           {}
func (s *simulation) CheckpointCompleted(a engine.Snapshot)    { s.acks[a.Subtask] = a }

// materialise sorts rows; the events of a changelog become the rows that they leave.
func materialise(lines []string) string {
	left := map[string]int{}
	var rows []string
	for _, l := range lines {
		var e struct {
			Before, After json.RawMessage
			Op            string
		}
		if !strings.HasPrefix(l, `{"before":`) || json.Unmarshal([]byte(l), &e) != nil || e.Op == "" {
			rows = append(rows, l)
			continue
		}
		if len(e.Before) > 0 && string(e.Before) != "null" {
			left[string(e.Before)]--
		}
		if len(e.After) > 0 && string(e.After) != "null" {
			left[string(e.After)]++
		}
	}
	for row, n := range left {
		for range n {
			rows = append(rows, row)
		}
		if n < 0 {
			rows = append(rows, fmt.Sprintf("taken back %d times too often: %s", -n, row))
		}
	}
	sort.Strings(rows)
	if len(rows) == 0 {
		return "no rows\n"
	}
	return strings.Join(rows, "\n") + "\n"
}

func (c *corpus) failure(t *testing.T, d *datadriven.TestData) string {
	text := c.text(d.Input)
	got, err := c.simulate(text, variants[0])
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
	return strings.NewReplacer(c.dir, "$dir", c.data, "$data").Replace(b.String())
}
