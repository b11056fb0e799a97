package generate_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/graph/wire"
	"wadi/sql"
	"wadi/sql/sqlgen"
	"wadi/worker/engine"
	"wadi/worker/local/capture"
)

var (
	first = flag.Uint64("generate.seed", 1, "the first seed")
	seeds = flag.Uint64("generate.seeds", 200, "how many seeds to try")
	limit = flag.Duration("generate.for", 0, "go on for so long, however many seeds that takes")
	stats = flag.Bool("generate.stats", false, "count what became of the scripts")
)

// patience is how long one script may take.
const patience = time.Minute

func TestScripts(t *testing.T) {
	var unused []string
	l := capture.Library(&unused)
	library := sqlgen.New(expr.Builtin(), agg.Builtin(), l.Connectors, capture.Name)
	r := &runner{t: t, library: library, dir: t.TempDir(), counts: map[string]int{}, forms: map[string]*form{}, took: map[uint64]time.Duration{}}
	for n := range forms {
		r.forms[n] = &form{}
	}
	end := time.Now().Add(*limit)
	for seed := *first; seed < *first+*seeds || time.Now().Before(end); seed++ {
		begin := time.Now()
		r.script(seed)
		r.took[seed] = time.Since(begin)
		if len(r.failed) >= 10 {
			t.Errorf("enough of it after seed %d", seed)
			break
		}
	}
	if *stats {
		r.tell()
	}
}

// tell says what became of the scripts, which forms were in them, and which took longest.
func (r *runner) tell() {
	for _, n := range slices.SortedFunc(maps.Keys(r.counts), func(a, b string) int { return r.counts[b] - r.counts[a] }) {
		r.t.Logf("%6d %s", r.counts[n], n)
	}
	for _, n := range slices.Sorted(maps.Keys(forms)) {
		f := r.forms[n]
		r.t.Logf("%6d with %s, %d planned, %d with rows", f.made, n, f.planned, f.rows)
	}
	for _, seed := range slices.SortedFunc(maps.Keys(r.took), func(a, b uint64) int { return cmp.Compare(r.took[b], r.took[a]) })[:min(5, len(r.took))] {
		r.t.Logf("seed %d took %s", seed, r.took[seed].Round(time.Millisecond))
	}
}

// forms are what scripts are searched for, to see that it comes up.
var forms = map[string]*regexp.Regexp{
	"windows in FROM":               regexp.MustCompile(`DESCRIPTOR`),
	"windows in a time zone":        regexp.MustCompile(`time_zone =>`),
	"windows with an offset":        regexp.MustCompile(`"offset" =>|DESCRIPTOR\([^()]*\), INTERVAL '\d+' \w+(, INTERVAL '\d+' \w+)?, INTERVAL`),
	"windows of the calendar":       regexp.MustCompile(`(tumble|hop|cumulate)\([^()]*(\([^()]*\))?[^()]*(DAY|MONTH|YEAR)`),
	"versions of a table":           regexp.MustCompile(`SYSTEM_TIME`),
	"shared columns":                regexp.MustCompile(`USING \(|NATURAL`),
	"rows of constants":             regexp.MustCompile(`VALUES`),
	"numbered elements":             regexp.MustCompile(`WITH ORDINALITY`),
	"lateral queries":               regexp.MustCompile(`LATERAL`),
	"set operations":                regexp.MustCompile(`UNION|INTERSECT|EXCEPT`),
	"set operations in parentheses": regexp.MustCompile(`(UNION|INTERSECT|EXCEPT)( ALL)? \(`),
	"QUALIFY":                       regexp.MustCompile(`QUALIFY`),
	"named windows":                 regexp.MustCompile(` WINDOW w`),
	"ORDER BY with a limit inside":  regexp.MustCompile(`(LIMIT \d+|OFFSET \d+|WITH TIES)\)`),
	"changelogs":                    regexp.MustCompile(`debezium_json`),
}

// form is how often a form came up.
type form struct{ made, planned, rows int }

func (r *runner) count(script *sqlgen.Script, what func(*form)) {
	for n, f := range forms {
		if f.MatchString(script.Tables + script.Query) {
			what(r.forms[n])
		}
	}
}

// TestPartitions splits the rows of queries by conditions that are true of just one part each: together the parts are the
// whole. Conditions of WHERE become filters, semi and anti joins, or columns that are filtered by, so that this compares them.
func TestPartitions(t *testing.T) {
	var unused []string
	l := capture.Library(&unused)
	library := sqlgen.New(expr.Builtin(), agg.Builtin(), l.Connectors, capture.Name)
	r := &runner{t: t, library: library, dir: t.TempDir(), counts: map[string]int{}}
	end := time.Now().Add(*limit / 2)
	for seed := *first; seed < *first+*seeds/2 || time.Now().Before(end); seed++ {
		r.partition(seed)
		if len(r.failed) >= 10 {
			t.Errorf("enough of it after seed %d", seed)
			break
		}
	}
	if *stats {
		t.Log(r.counts)
	}
}

// alike is a table that rows are written into in the same form whether they are only appended or not.
var alike = "CREATE TABLE written WITH (connector = '" + capture.Name + "', format = 'debezium_json', json.timestamp_format = 'RFC3339', json.decimal_encoding = 'string');\n" +
	"INSERT INTO written "

func (r *runner) partition(seed uint64) {
	script, parts := r.library.Partition(seed, sqlgen.Options{})
	defer r.watch(seed, script)()
	r.write(script)
	random := rand.New(rand.NewPCG(seed, 6))
	answer := func(query string) ([]string, bool) {
		s := *script
		s.Query = alike + query
		plan, problems, trace := r.compile(s.Text(r.dir))
		switch {
		case trace != "":
			r.fail(seed, &s, "the planner panics: %s", trace)
			return nil, false
		case len(problems) > 0:
			r.counts["refused"]++
			r.refused(seed, &s, problems, false)
			return nil, false
		case late(plan.Program), unordered(plan.Program):
			r.counts["not to be compared"]++
			return nil, false
		}
		v := capture.Variant{Parallelism: 1 + random.IntN(3), Batch: []int{1, 3, 8192}[random.IntN(3)], Restore: random.IntN(3), Seed: random.Uint64()}
		o := r.run(plan.Program, v)
		if why := o.wrong(); why != "" {
			r.fail(seed, &s, "with %s: %s", v, why)
		}
		if o.err != nil {
			r.counts["ends with a fault of the data"]++
		}
		return o.rows, o.err == nil && o.trace == ""
	}
	whole, ok := answer(script.Query)
	if !ok {
		return
	}
	var together []string
	for _, p := range parts {
		rows, ok := answer(p)
		if !ok {
			return
		}
		together = append(together, rows...)
	}
	r.counts["compared"]++
	slices.Sort(together)
	if !slices.Equal(whole, together) {
		script.Query = parts[0]
		r.fail(seed, script, "the whole is\n%s\nthe parts are together\n%s", show(whole), show(together))
	}
}

type runner struct {
	t       *testing.T
	library *sqlgen.Library
	dir     string
	counts  map[string]int
	failed  map[uint64]bool
	forms   map[string]*form
	took    map[uint64]time.Duration
}

func (r *runner) fail(seed uint64, script *sqlgen.Script, format string, args ...any) {
	r.t.Helper()
	if r.failed == nil {
		r.failed = map[uint64]bool{}
	}
	r.failed[seed] = true
	r.t.Errorf("seed %d: %s\n%s", seed, fmt.Sprintf(format, args...), script.Tables+script.Query)
}

// script makes a script and runs it.
func (r *runner) script(seed uint64) {
	script := r.library.Script(seed, sqlgen.Options{})
	defer r.watch(seed, script)()
	r.write(script)
	mutated := seed%4 == 3
	if mutated {
		script.Query = mutate(rand.New(rand.NewPCG(seed, 9)), script.Query)
	}
	r.count(script, func(f *form) { f.made++ })
	text := script.Text(r.dir)
	plan, problems, trace := r.compile(text)
	switch {
	case trace != "":
		r.fail(seed, script, "the planner panics: %s", trace)
		return
	case len(problems) > 0:
		if mutated {
			r.counts["mutated, and refused"]++
		} else {
			r.counts["refused: "+pattern(problems[0].Message)]++
		}
		r.refused(seed, script, problems, mutated)
		return
	}
	r.count(script, func(f *form) { f.planned++ })
	sent := r.wire(seed, script, plan.Program)
	if sent == nil {
		return
	}
	random := rand.New(rand.NewPCG(seed, 5))
	outcomes := make([]outcome, 2)
	variants := []capture.Variant{
		{Parallelism: 1, Batch: 8192, Seed: random.Uint64()},
		{Parallelism: 1 + random.IntN(4), Batch: []int{1, 2, 5}[random.IntN(3)], Restore: random.IntN(4), Tick: time.Duration(random.IntN(3)) * 400 * time.Millisecond, Seed: random.Uint64()},
	}
	if !script.Timed {
		// Rows have the time at which they are read, and the same in all runs as long as the clock stands.
		variants[1].Tick = 0
	}
	for i, v := range variants {
		outcomes[i] = r.run(sent, v)
		if why := outcomes[i].wrong(); why != "" {
			r.fail(seed, script, "with %s: %s", v, why)
			return
		}
	}
	a, b := outcomes[0], outcomes[1]
	switch {
	case a.err != nil || b.err != nil:
		r.counts["ends with a fault of the data"]++
	case late(plan.Program):
		r.counts["runs well, changes may come late"]++
	case unordered(plan.Program):
		r.counts["runs well, collects changes in any order"]++
	case !slices.Equal(a.rows, b.rows):
		r.fail(seed, script, "with %s\n%s\nwith %s\n%s", variants[0], show(a.rows), variants[1], show(b.rows))
	case len(a.rows) == 0:
		r.counts["runs well without rows"]++
	default:
		r.counts["runs well"]++
		r.count(script, func(f *form) { f.rows++ })
	}
}

// watch ends the tests if a script takes too long, until the function it gives is called.
func (r *runner) watch(seed uint64, script *sqlgen.Script) func() {
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
		case <-time.After(patience):
			panic(fmt.Sprintf("seed %d takes longer than %s\n%s", seed, patience, script.Tables+script.Query))
		}
	}()
	return func() { close(done) }
}

// write makes the files of a script.
func (r *runner) write(script *sqlgen.Script) {
	for name, content := range script.Files {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
}

// compile plans a script; trace is that of a panic.
func (r *runner) compile(text string) (plan *sql.Plan, problems fault.List, trace string) {
	defer func() {
		if p := recover(); p != nil {
			trace = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
	}()
	plan, problems = sql.Compile(text, r.library.Options())
	return plan, problems, ""
}

// refused checks that every problem says where it is and what to try.
func (r *runner) refused(seed uint64, script *sqlgen.Script, problems fault.List, mutated bool) {
	for _, p := range problems {
		switch {
		case p.Kind != fault.User:
			r.fail(seed, script, "a query is refused with a fault of kind %s: %s", p.Kind, p.Message)
		case p.Span.IsZero() || p.Span.End <= p.Span.Start:
			r.fail(seed, script, "a query is refused without a place: %s", p.Message)
		case p.Hint == "" && p.Code != fault.CodeSyntax:
			r.fail(seed, script, "a query is refused without a hint: %s", p.Message)
		case p.Code == fault.CodeSyntax && !mutated:
			r.fail(seed, script, "a query has a syntax error: %s", p.Message)
		}
	}
}

var token = regexp.MustCompile(`'(?:[^']|'')*'|\w+|\s+|\S`)

// mutate swaps, repeats and leaves out some words of a query, which is then mostly none, and sometimes a strange one.
func mutate(r *rand.Rand, query string) string {
	words := token.FindAllString(query, -1)
	for range 1 + r.IntN(2) {
		i, j := r.IntN(len(words)), r.IntN(len(words))
		switch r.IntN(4) {
		case 0:
			words[i], words[j] = words[j], words[i]
		case 1:
			words[i] = words[j]
		case 2:
			words[i] = ""
		default:
			words = slices.Insert(words, i, " ", words[j], " ")
		}
	}
	return strings.Join(words, "")
}

// wire gives a program as a worker gets it.
func (r *runner) wire(seed uint64, script *sqlgen.Script, p *graph.Program) *graph.Program {
	sent, err := wire.Encode(p)
	if err != nil {
		r.fail(seed, script, "the program cannot be sent: %v", err)
		return nil
	}
	got, err := wire.Decode(sent)
	if err != nil {
		r.fail(seed, script, "the program cannot be received: %v", err)
		return nil
	}
	again, err := wire.Encode(got)
	if err != nil || !bytes.Equal(sent, again) {
		r.fail(seed, script, "the program is not the same when it is sent once more: %v", err)
		return nil
	}
	return got
}

// outcome is how a run ended.
type outcome struct {
	rows  []string
	err   error
	trace string
}

func (r *runner) run(p *graph.Program, v capture.Variant) (o outcome) {
	defer func() {
		if e := recover(); e != nil {
			o.trace = fmt.Sprintf("%v\n%s", e, debug.Stack())
		}
	}()
	var lines []string
	if o.err = capture.Run(p, capture.Library(&lines), &lines, v); o.err == nil {
		o.rows = capture.Materialise(lines)
	}
	return o
}

// wrong says why an outcome is one that must not be; "" if it is not.
func (o outcome) wrong() string {
	if o.trace != "" {
		return "a panic: " + o.trace
	}
	if o.err == nil {
		for _, row := range o.rows {
			if strings.HasPrefix(row, "taken back") {
				return "the changelog does not add up: " + row
			}
		}
		return ""
	}
	var f *fault.Error
	switch {
	case !errors.As(o.err, &f):
		return fmt.Sprintf("an error that is no fault: %v", o.err)
	case f.Kind == fault.Internal || f.Kind == fault.Transient:
		stack, _ := engine.Stack(o.err)
		return fmt.Sprintf("a fault of kind %s: %v %s", f.Kind, o.err, stack)
	case f.Code == fault.CodeUnsupported || f.Code == fault.CodeInternal || f.Code == fault.CodeNotFound:
		return fmt.Sprintf("a fault with the code %s at run time: %v", f.Code, o.err)
	}
	return ""
}

// late reports whether changes may come to an operator that works with event time: what it has closed by then depends on
// when they come.
func late(p *graph.Program) bool {
	for _, e := range p.Edges {
		if p.Nodes[e.From].Mode != graph.Updating {
			continue
		}
		switch s := p.Nodes[e.To].Spec.(type) {
		case *graph.WindowAggregateSpec, *graph.SessionAggregateSpec, *graph.WindowJoinSpec, *graph.IntervalJoinSpec:
			return true
		case *graph.AsofJoinSpec:
			if !asTheyCome(p, e.From) {
				return true
			}
		case *graph.TopNSpec:
			if s.PerTime {
				return true
			}
		case *graph.OverSpec:
			if s.PerTime {
				return true
			}
		}
	}
	return false
}

// asTheyCome reports whether the changes of a node are those of a source, in the order of their event times.
func asTheyCome(p *graph.Program, node int) bool {
	switch p.Nodes[node].Spec.(type) {
	case *graph.SourceSpec:
		return true
	case *graph.ProjectSpec, *graph.WatermarkSpec:
		for _, e := range p.In(node) {
			if !asTheyCome(p, e.From) {
				return false
			}
		}
		return true
	}
	return false
}

// unordered reports whether rows that can change are collected in the order of their event times: those of equal rows are
// not told apart, so that it depends on when they come.
func unordered(p *graph.Program) bool {
	collects := func(name string) bool {
		return name == "array_agg" || name == "string_agg" || strings.HasSuffix(name, "_value")
	}
	for _, e := range p.Edges {
		if p.Nodes[e.From].Mode != graph.Updating {
			continue
		}
		switch s := p.Nodes[e.To].Spec.(type) {
		case *graph.UpdatingAggregateSpec:
			if slices.ContainsFunc(s.Aggs, func(c agg.Call) bool { return collects(c.Name) }) {
				return true
			}
		case *graph.OverSpec:
			if slices.ContainsFunc(s.Calls, func(c graph.OverCall) bool { return collects(c.Name) }) {
				return true
			}
		}
	}
	return false
}

func show(rows []string) string {
	if len(rows) == 0 {
		return "no rows"
	}
	if len(rows) > 20 {
		rows = append(slices.Clone(rows[:20]), fmt.Sprintf("… %d rows in all", len(rows)))
	}
	return strings.Join(rows, "\n")
}

// pattern is a message without what it is about.
func pattern(message string) string {
	var b strings.Builder
	quoted := false
	for _, w := range strings.Fields(message) {
		if strings.ContainsAny(w, "\"<>0123456789") || w == strings.ToUpper(w) && len(w) > 1 {
			if !quoted {
				b.WriteString("… ")
			}
			quoted = true
			continue
		}
		quoted = false
		b.WriteString(w + " ")
	}
	return b.String()
}
