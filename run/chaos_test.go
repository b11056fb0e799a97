package run_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	chaosKills = flag.Int("chaos.kills", 5, "how often TestChaos kills the binary")
	chaosSeed  = flag.Uint64("chaos.seed", 0, "seed of TestChaos; 0 takes one from the clock")
)

// chaosQuery counts orders in windows and, without a window, for each customer.
const chaosQuery = `
CREATE TABLE orders (
  id BIGINT NOT NULL, customer TEXT NOT NULL, amount BIGINT NOT NULL, at TIMESTAMP NOT NULL,
  WATERMARK FOR at AS at - INTERVAL '2 seconds'
) WITH (connector = 'single_file', path = '%[1]s/orders.ndjson', type = 'source', format = 'json');
CREATE TABLE per_minute (start TIMESTAMP, customer TEXT, orders BIGINT, total BIGINT, largest BIGINT)
  WITH (connector = 'single_file', path = '%[2]s/per_minute.ndjson', type = 'sink', format = 'json');
CREATE TABLE per_customer (customer TEXT, orders BIGINT, total BIGINT, average DOUBLE)
  WITH (connector = 'single_file', path = '%[2]s/per_customer.ndjson', type = 'sink', format = 'debezium_json');
INSERT INTO per_minute SELECT window.start, customer, orders, total, largest FROM (
  SELECT tumble(INTERVAL '1 minute') AS window, customer, count(*) AS orders, sum(amount) AS total, max(amount) AS largest
  FROM orders GROUP BY window, customer);
INSERT INTO per_customer SELECT customer, count(*), sum(amount), avg(amount) FROM orders GROUP BY customer;
`

// chaosInput writes orders, out of order by up to two seconds.
func chaosInput(t *testing.T, path string, rows int, rng *rand.Rand) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		at = at.Add(time.Duration(rng.IntN(20)) * time.Millisecond)
		late := time.Duration(rng.IntN(2000)) * time.Millisecond
		fmt.Fprintf(w, `{"id":%d,"customer":"c%03d","amount":%d,"at":"%s"}`+"\n", i, rng.IntN(200), rng.IntN(1000), at.Add(-late).Format("2006-01-02T15:04:05.000Z"))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// TestChaos kills the binary at random moments, runs it again with another parallelism, and so on to the end: the output
// has to be that of a run that nobody disturbed.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("kills for seconds")
	}
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-chaos.seed %d", seed)
	dir := t.TempDir()
	chaosInput(t, filepath.Join(dir, "orders.ndjson"), 300_000, rand.New(rand.NewPCG(seed, 0)))
	want := chaosRound(t, &chaos{dir: dir, out: "undisturbed", state: filepath.Join(dir, "undisturbed-state")})
	t.Run("local disk", func(t *testing.T) {
		c := &chaos{dir: dir, rng: rand.New(rand.NewPCG(seed, 1)), kills: *chaosKills}
		c.rounds(t, want, func(round int) string { return filepath.Join(dir, "state", strconv.Itoa(round)) })
	})
	t.Run("s3", func(t *testing.T) {
		c := &chaos{dir: dir, rng: rand.New(rand.NewPCG(seed, 2)), kills: *chaosKills, env: startS3(t, "bucket")}
		c.rounds(t, want, func(round int) string { return "s3://bucket/chaos/" + strconv.Itoa(round) })
	})
}

// keep saves the output of the round from being removed with the test.
func (c *chaos) keep(t *testing.T) string {
	to, err := os.MkdirTemp("", "wadi-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{c.out, "undisturbed"} {
		if err := os.CopyFS(filepath.Join(to, name), os.DirFS(filepath.Join(c.dir, name))); err != nil {
			t.Error(err)
		}
	}
	return to
}

type chaos struct {
	dir, out, state string
	env             []string
	rng             *rand.Rand
	kills           int
	// story is what the processes of the round said.
	story strings.Builder
}

// result is what a pipeline has written: lines of the append output, sorted, and the rows that the changelog comes to.
type result struct {
	windows []string
	rows    map[string]int
	// wrong are changes that cannot be applied.
	wrong []string
}

// rounds runs the pipeline from the start, again and again, until the binary was killed as often as wanted.
func (c *chaos) rounds(t *testing.T, want result, state func(round int) string) {
	for round := 0; c.kills > 0; round++ {
		c.out, c.state = fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), round), state(round)
		before := c.kills
		c.story.Reset()
		got := chaosRound(t, c)
		t.Logf("round %d: %d kills", round, before-c.kills)
		got.check(t, want)
		if t.Failed() {
			t.Logf("the round went like this:\n%s", c.story.String())
			t.Logf("its output is in %s", c.keep(t))
			return
		}
		if round > 20 {
			t.Fatal("the pipeline is done before it can be killed: make the input larger")
		}
	}
}

// chaosRound runs the pipeline to its end, with kills in between while there are any left.
func chaosRound(t *testing.T, c *chaos) result {
	t.Helper()
	out := filepath.Join(c.dir, c.out)
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	query := filepath.Join(c.dir, c.out+".sql")
	if err := os.WriteFile(query, fmt.Appendf(nil, chaosQuery, c.dir, out), 0o644); err != nil {
		t.Fatal(err)
	}
	env := append([]string{
		"WADI__DEFAULT_CHECKPOINT_INTERVAL=20ms", "WADI__PIPELINE__SOURCE_BATCH_SIZE=2", "WADI__PIPELINE__UPDATE_AGGREGATE_FLUSH_INTERVAL=10ms",
	}, c.env...)
	for {
		parallelism := 1
		if c.rng != nil {
			parallelism = 1 + c.rng.IntN(4)
		}
		w := start(t, c.dir, env, nil, "run", "--log-level", "debug", "-p", strconv.Itoa(parallelism), "--state-dir", c.state, query)
		killed := c.kills > 0 && !c.kill(w)
		fmt.Fprintf(&c.story, "-- parallelism %d, killed: %v\n%s", parallelism, killed, w.stderr.String())
		if killed {
			continue
		}
		w.want(0)
		return chaosResult(t, out)
	}
}

// kill ends the process at a random moment; false if it did, true if the process was done before.
func (c *chaos) kill(w *wadi) (ended bool) {
	// Most moments are of a running pipeline, some of a starting one.
	select {
	case <-w.exited:
		return true
	case <-time.After(time.Duration(c.rng.IntN(400)) * time.Millisecond):
	}
	_ = w.cmd.Process.Kill()
	<-w.exited
	if w.cmd.ProcessState.Exited() {
		return true
	}
	c.kills--
	return false
}

func chaosResult(t *testing.T, out string) result {
	t.Helper()
	r := result{rows: map[string]int{}}
	for _, l := range readLines(t, filepath.Join(out, "per_minute.ndjson")) {
		r.windows = append(r.windows, l)
	}
	slices.Sort(r.windows)
	for i, l := range readLines(t, filepath.Join(out, "per_customer.ndjson")) {
		r.apply(t, i+1, l)
	}
	return r
}

// apply applies one line of the changelog.
func (r *result) apply(t *testing.T, n int, line string) {
	var change struct{ Before, After json.RawMessage }
	if err := json.Unmarshal([]byte(line), &change); err != nil {
		t.Fatalf("changelog line %d: %v: %s", n, err, line)
	}
	if row := string(bytes.TrimSpace(change.Before)); row != "" && row != "null" {
		if r.rows[row]--; r.rows[row] < 0 {
			r.wrong = append(r.wrong, fmt.Sprintf("line %d takes back a row that is not there: %s", n, line))
		} else if r.rows[row] == 0 {
			delete(r.rows, row)
		}
	}
	if row := string(bytes.TrimSpace(change.After)); row != "" && row != "null" {
		r.rows[row]++
	}
}

// lines are the rows of the changelog with their number, sorted.
func (r result) lines() []string {
	var out []string
	for row, n := range r.rows {
		out = append(out, fmt.Sprintf("%s × %d", row, n))
	}
	slices.Sort(out)
	return out
}

func (r result) check(t *testing.T, want result) {
	t.Helper()
	if !slices.Equal(r.windows, want.windows) {
		t.Errorf("append output: %d lines, want %d; %s", len(r.windows), len(want.windows), firstDifference(r.windows, want.windows))
	}
	if len(r.wrong) > 0 {
		t.Errorf("changelog: %s, and %d more", r.wrong[0], len(r.wrong)-1)
	}
	if len(want.rows) == 0 || len(want.windows) == 0 {
		t.Error("the undisturbed run wrote nothing")
	}
	if got, want := r.lines(), want.lines(); !slices.Equal(got, want) {
		t.Errorf("changelog comes to %d rows, want %d; %s", len(got), len(want), firstDifference(got, want))
	}
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("first difference: got %s, want %s", got[i], want[i])
		}
	}
	return "one is a part of the other"
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) == 0 {
		return nil
	}
	if data[len(data)-1] != '\n' {
		t.Errorf("%s ends within a line", path)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}
