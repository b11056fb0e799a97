package bench

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql"
	"wadi/worker/local"
	"wadi/worker/operators"
)

var (
	beside     = flag.Bool("beside", false, "print the table of shapes beside DuckDB")
	shapeRows  = flag.Int("rows", 2_000_000, "rows of the larger table of the shapes")
	only       = flag.String("shapes", ".", "the shapes to measure, as a regular expression")
	checkpoint = flag.Duration("checkpoint", 10*time.Second, "time between checkpoints of the shapes")
)

// shape is one line of the table beside DuckDB: a query of ours and the same for the other engine. What they read is
// counted in rows: all of events, and of orders in a join.
type shape struct {
	name, wadi, duckdb string
	// reads says what: "events", "orders" as well, or the "file".
	reads string
}

// duckdbOf stands for the same text.
const same = ""

var shapes = []shape{
	{"scan: two columns", `SELECT medium, amount FROM events`, same, "events"},
	{"filter and project", `SELECT id, amount * 2 AS a FROM events WHERE amount % 10 = 3`, same, "events"},

	{"tumbling count, 1 k keys", `SELECT small, tumble(INTERVAL '1 second') AS w, count(*) AS n FROM events GROUP BY 1, 2`,
		`SELECT small, time_bucket(INTERVAL '1 second', ts) AS w, count(*) AS n FROM events GROUP BY 1, 2`, "events"},
	{"tumbling count, 1 M keys", `SELECT large, tumble(INTERVAL '1 second') AS w, count(*) AS n FROM events GROUP BY 1, 2`,
		`SELECT large, time_bucket(INTERVAL '1 second', ts) AS w, count(*) AS n FROM events GROUP BY 1, 2`, "events"},
	{"hopping count (2 s of 10 s), 10 k keys", `SELECT medium, hop(INTERVAL '2 seconds', INTERVAL '10 seconds') AS w, count(*) AS n FROM events GROUP BY 1, 2`,
		`SELECT medium, time_bucket(INTERVAL '2 seconds', ts) + i AS w, count(*) AS n FROM events, (SELECT INTERVAL '2 seconds' * range AS i FROM range(5)) GROUP BY 1, 2`, "events"},
	{"window, count distinct of 10 k", `SELECT tumble(INTERVAL '1 second') AS w, small, count(DISTINCT medium) AS n FROM events GROUP BY 1, 2`,
		`SELECT time_bucket(INTERVAL '1 second', ts) AS w, small, count(DISTINCT medium) AS n FROM events GROUP BY 1, 2`, "events"},
	{"window, array_agg", `SELECT medium, tumble(INTERVAL '1 second') AS w, array_agg(amount) AS a FROM events GROUP BY 1, 2`,
		`SELECT medium, time_bucket(INTERVAL '1 second', ts) AS w, array_agg(amount ORDER BY ts) AS a FROM events GROUP BY 1, 2`, "events"},
	{"sessions (gap 300 ms), 10 k keys", `SELECT medium, session(INTERVAL '300 milliseconds') AS w, count(*) AS n FROM events GROUP BY 1, 2`,
		`SELECT medium, min(ts) AS s, max(ts) AS e, count(*) AS n FROM (SELECT medium, ts, sum(new) OVER (PARTITION BY medium ORDER BY ts) AS session FROM
		  (SELECT medium, ts, CASE WHEN ts - lag(ts) OVER (PARTITION BY medium ORDER BY ts) < INTERVAL '300 milliseconds' THEN 0 ELSE 1 END AS new FROM events)) GROUP BY medium, session`, "events"},

	{"updating count and sum, 1 k keys", `SELECT small, count(*) AS n, sum(amount) AS s FROM events GROUP BY 1`, same, "events"},
	{"updating count and sum, 1 M keys", `SELECT large, count(*) AS n, sum(amount) AS s FROM events GROUP BY 1`, same, "events"},
	{"updating count, text key, 10 k keys", `SELECT channel, count(*) AS n FROM events GROUP BY 1`, same, "events"},
	{"sum of doubles, 10 k keys", `SELECT medium, sum(score) AS s FROM events GROUP BY 1`, `SELECT medium, fsum(score) AS s FROM events GROUP BY 1`, "events"},
	{"sum of decimals, 10 k keys", `SELECT medium, sum(price) AS s FROM events GROUP BY 1`, same, "events"},
	{"min and max, 10 k keys", `SELECT medium, min(amount) AS a, max(score) AS b FROM events GROUP BY 1`, same, "events"},
	{"min and max, 1 M keys", `SELECT large, min(amount) AS a, max(score) AS b FROM events GROUP BY 1`, same, "events"},
	{"median, 10 k keys", `SELECT medium, median(score) AS m FROM events GROUP BY 1`, same, "events"},
	{"count distinct of 1 M, 1 k keys", `SELECT small, count(DISTINCT large) AS n FROM events GROUP BY 1`, same, "events"},
	{"count distinct of 1 M", `SELECT count(DISTINCT large) AS n FROM events`, same, "events"},
	{"array_agg, 10 k keys", `SELECT medium, array_agg(amount) AS a FROM events GROUP BY 1`, `SELECT medium, array_agg(amount ORDER BY ts) AS a FROM events GROUP BY 1`, "events"},
	{"string_agg, 10 k keys", `SELECT medium, string_agg(channel, ',') AS a FROM events GROUP BY 1`, `SELECT medium, string_agg(channel, ',' ORDER BY ts) AS a FROM events GROUP BY 1`, "events"},
	{"SELECT DISTINCT, 1 M keys", `SELECT DISTINCT large FROM events`, same, "events"},

	{"top 3 per key, 10 k keys", `SELECT medium, id, amount FROM (SELECT medium, id, amount, row_number() OVER (PARTITION BY medium ORDER BY amount DESC) AS r FROM events) WHERE r <= 3`, same, "events"},
	{"first row per key, 1 M keys", `SELECT large, id FROM (SELECT large, id, row_number() OVER (PARTITION BY large ORDER BY ts) AS r FROM events) WHERE r = 1`, same, "events"},
	{"last row per key, 1 M keys", `SELECT large, id FROM (SELECT large, id, row_number() OVER (PARTITION BY large ORDER BY ts DESC) AS r FROM events) WHERE r = 1`, same, "events"},
	{"ORDER BY … LIMIT 100", `SELECT id, amount FROM events ORDER BY amount DESC LIMIT 100`, same, "events"},
	{"running sum OVER, 10 k keys", `SELECT id, sum(amount) OVER (PARTITION BY medium ORDER BY ts ROWS UNBOUNDED PRECEDING) AS s FROM events`, same, "events"},
	{"sum OVER 10 rows, 10 k keys", `SELECT id, sum(amount) OVER (PARTITION BY medium ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS s FROM events`, same, "events"},
	{"lag OVER, 10 k keys", `SELECT id, lag(amount) OVER (PARTITION BY medium ORDER BY ts) AS s FROM events`, same, "events"},

	{"inner join, 1 M keys", `SELECT e.id, e.amount, o.quantity FROM events e JOIN orders o ON e.large = o.large`, same, "orders"},
	{"left join, 1 M keys", `SELECT e.id, e.amount, o.quantity FROM events e LEFT JOIN orders o ON e.large = o.large`, same, "orders"},
	{"semi join, 1 M keys", `SELECT id, amount FROM events WHERE large IN (SELECT large FROM orders)`, same, "orders"},
	{"interval join (± 100 ms), 1 M keys", `SELECT e.id, o.quantity FROM events e JOIN orders o ON e.large = o.large AND e.ts BETWEEN o.ts - INTERVAL '100 milliseconds' AND o.ts + INTERVAL '100 milliseconds'`, same, "orders"},
	{"ASOF join, 1 M keys", `SELECT e.id, o.quantity FROM events e ASOF JOIN orders o ON e.large = o.large AND e.ts >= o.ts`, same, "orders"},
	{"ASOF left join, 1 M keys", `SELECT e.id, o.quantity FROM events e ASOF LEFT JOIN orders o ON e.large = o.large AND e.ts >= o.ts`, same, "orders"},
	{"temporal join, 1 M keys", `WITH o AS (SELECT large, quantity FROM (SELECT large, quantity, row_number() OVER (PARTITION BY large ORDER BY ts DESC) AS n FROM orders) WHERE n = 1)
		SELECT e.id, o.quantity FROM events e LEFT JOIN o FOR SYSTEM_TIME AS OF e.ts ON e.large = o.large`,
		`SELECT e.id, o.quantity FROM events e ASOF LEFT JOIN orders o ON e.large = o.large AND e.ts >= o.ts`, "orders"},

	{"json ->>", `SELECT doc ->> 'price' AS p FROM events`, same, "events"},
	{"json_get_int", `SELECT json_get_int(doc, 'user', 'age') AS p FROM events`, `SELECT CAST(json_extract(doc, '$.user.age') AS BIGINT) AS p FROM events`, "events"},
	{"extract_json", `SELECT extract_json(doc, '$.user.name') AS p FROM events`, `SELECT json_extract(doc, ['$.user.name']) AS p FROM events`, "events"},
	{"regexp_like", `SELECT regexp_like(url, 'item/[0-9]+5/view') AS p FROM events`, `SELECT regexp_matches(url, 'item/[0-9]+5/view') AS p FROM events`, "events"},
	{"regexp_replace", `SELECT regexp_replace(url, '[0-9]+', 'n') AS p FROM events`, same, "events"},
	{"regexp_match of a group", `SELECT regexp_match(url, 'item/([0-9]+)/')[1] AS p FROM events`, `SELECT regexp_extract(url, 'item/([0-9]+)/', 1) AS p FROM events`, "events"},
	{"LIKE '%…%'", `SELECT url LIKE '%ref=99%' AS p FROM events`, same, "events"},
	{"LIKE '…%_…'", `SELECT url LIKE 'https://%/item/1_3%/view%' AS p FROM events`, same, "events"},
	{"upper and substr", `SELECT upper(channel) AS u, substr(url, 20, 10) AS p FROM events`, same, "events"},
	{"decimal arithmetic", `SELECT price * 2 + price AS p FROM events`, same, "events"},

	{"NDJSON file: filter", `SELECT id, url FROM file WHERE amount % 10 = 3`, same, "file"},
	{"NDJSON file: by a text key", `SELECT channel, count(*) AS n, sum(amount) AS s FROM file GROUP BY 1`, same, "file"},
	{"NDJSON file: one-day window", `SELECT channel, tumble(INTERVAL '1 day') AS w, count(*) AS n, sum(amount) AS s FROM file GROUP BY 1, 2`,
		`SELECT channel, time_bucket(INTERVAL '1 day', ts) AS w, count(*) AS n, sum(amount) AS s FROM file GROUP BY 1, 2`, "file"},
	{"NDJSON file: in and out", `SELECT id, amount * 2 AS amount, channel, url, score, ts FROM file`, `COPY`, "file"},
}

// TestBeside prints the table of shapes; without -beside it only checks that every query runs.
func TestBeside(t *testing.T) {
	chosen, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	if !*beside {
		*shapeRows, *rounds = 20_000, 1
	} else {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	}
	d := newDesk(t, *shapeRows)
	if *beside {
		fmt.Printf("| shape | Wadi ns/row | DuckDB ns/row | times | last checkpoint | wall clock: Wadi | DuckDB |\n|---|---:|---:|---:|---:|---:|---:|\n")
	}
	for _, s := range shapes {
		if !chosen.MatchString(s.name) {
			continue
		}
		ours, theirs := spent{1e9, 1e9, 1e9}, spent{1e9, 1e9, 1e9}
		for range *rounds {
			ours = ours.min(d.wadi(t, s))
			if d.second != nil {
				theirs = theirs.min(d.duckdb(t, s))
			}
		}
		if !*beside {
			continue
		}
		n := float64(d.rows(s)) / 1e9
		if d.second == nil {
			fmt.Printf("| %s | %.1f | | | %.1f | %.1f | |\n", s.name, ours.cpu/n, ours.last/n, ours.wall/n)
			continue
		}
		fmt.Printf("| %s | %.1f | %.1f | %.2f | %.1f | %.1f | %.1f |\n", s.name, ours.cpu/n, theirs.cpu/n, ours.cpu/theirs.cpu, ours.last/n, ours.wall/n, theirs.wall/n)
	}
}

// BenchmarkShapes measures ours alone, for profiles.
func BenchmarkShapes(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	d := newDesk(b, *shapeRows)
	for _, s := range shapes {
		b.Run(s.name, func(b *testing.B) {
			best := spent{1e9, 1e9, 1e9}
			for range b.N {
				best = best.min(d.wadi(b, s))
			}
			b.ReportMetric(best.cpu*1e9/float64(d.rows(s)), "cpu-ns/row")
			b.ReportMetric(best.last*1e9/float64(d.rows(s)), "last-ns/row")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// spent is what a run took, in seconds: the last checkpoint, whose share would be smaller in a longer run, by itself.
type spent struct{ cpu, wall, last float64 }

func (s spent) min(o spent) spent {
	return spent{min(s.cpu, o.cpu), min(s.wall, o.wall), min(s.last, o.last)}
}

// desk has the rows that both engines read.
type desk struct {
	relations map[string]*relation
	file, out string
	library   operators.Library
	tables    string
	second    *second
}

func newDesk(tb testing.TB, n int) *desk {
	dir := tb.TempDir()
	d := &desk{relations: relations(tb, n), file: filepath.Join(dir, "file.ndjson"), out: filepath.Join(dir, "out.ndjson")}
	d.library = operators.Library{Connectors: connectors(d.relations), Functions: expr.Builtin(), Aggregates: agg.Builtin()}
	fileColumns := `id BIGINT NOT NULL, amount BIGINT NOT NULL, score DOUBLE NOT NULL, channel TEXT NOT NULL, url TEXT NOT NULL, ts TIMESTAMP NOT NULL`
	d.tables = fmt.Sprintf(`CREATE TABLE events (%s, WATERMARK FOR ts) WITH (connector = '%s');
CREATE TABLE orders (%s, WATERMARK FOR ts) WITH (connector = '%s');
CREATE TABLE file (%s, WATERMARK FOR ts) WITH (connector = 'single_file', path = '%s', type = 'source', format = 'json');
`, eventsColumns, replay, ordersColumns, replay, fileColumns, d.file)
	d.wadiRun(tb, "to a file", `CREATE TABLE out WITH (connector = 'single_file', path = '`+d.file+`', format = 'json', type = 'sink');
INSERT INTO out SELECT id, amount, score, channel, url, ts FROM events;`)
	if !*beside {
		return d
	}
	if d.second = startSecond(tb); d.second == nil {
		return d
	}
	for name, columns := range map[string]string{"events": eventsColumns, "orders": ordersColumns} {
		d.second.run(tb, fmt.Sprintf(`CREATE TABLE %s (%s)`, name, columns))
		d.second.run(tb, fmt.Sprintf(`COPY %s FROM '%s' (FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '')`, name, d.relations[name].csv))
	}
	d.second.run(tb, fmt.Sprintf(`CREATE VIEW file AS SELECT * FROM read_json('%s', format = 'newline_delimited',
	  columns = {id: 'BIGINT', amount: 'BIGINT', score: 'DOUBLE', channel: 'VARCHAR', url: 'VARCHAR', ts: 'TIMESTAMP'})`, d.file))
	return d
}

func (d *desk) rows(s shape) int {
	if s.reads == "orders" {
		return d.relations["events"].rows + d.relations["orders"].rows
	}
	return d.relations["events"].rows
}

func (d *desk) wadi(tb testing.TB, s shape) spent {
	sink := blackhole
	if s.duckdb == "COPY" {
		sink = `CREATE TABLE out WITH (connector = 'single_file', path = '` + d.out + `', format = 'json', type = 'sink');
INSERT INTO out `
	}
	return d.wadiRun(tb, s.name, sink+s.wadi+";")
}

func (d *desk) wadiRun(tb testing.TB, name, query string) spent {
	tb.Helper()
	program := compile(tb, name, d.tables+query, d.library.Connectors)
	runtime.GC()
	var s spent
	start, used := time.Now(), cpu()
	if _, err := local.Run(context.Background(), local.Config{
		Program: program, Constructor: d.library, Parallelism: 1, Interval: *checkpoint,
		Drained: func() { s = spent{cpu: cpu() - used, wall: time.Since(start).Seconds()} },
	}); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	s.last = cpu() - used - s.cpu
	return s
}

func (d *desk) duckdb(tb testing.TB, s shape) spent {
	switch s.duckdb {
	case same:
		return d.second.run(tb, "EXPLAIN ANALYZE "+s.wadi)
	case "COPY":
		return d.second.run(tb, "COPY ("+s.wadi+") TO '"+d.out+"' (FORMAT json)")
	}
	return d.second.run(tb, "EXPLAIN ANALYZE "+s.duckdb)
}

// cpu is the time that the process has been running for, in seconds, which does not depend on who else is.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func compile(tb testing.TB, name, text string, connectors *connector.Registry) *graph.Program {
	tb.Helper()
	plan, problems := sql.Compile(text, sql.Options{
		Name: name, DefaultSink: "blackhole", UpdateAggregateFlushInterval: time.Second, UpdatingTTL: 24 * time.Hour,
		Connectors: connectors, Functions: expr.Builtin(), Aggregates: agg.Builtin(),
	})
	if len(problems) > 0 {
		tb.Fatalf("%s: %v", name, problems)
	}
	return plan.Program
}

// version is the one that .ci/oracle installs.
const version = "1.4.1"

//go:embed second.py
var driver string

// second is DuckDB: a process with a database in memory and one thread.
type second struct {
	in  *json.Encoder
	out *bufio.Reader
}

// startSecond gives nil where it is not installed.
func startSecond(tb testing.TB) *second {
	tb.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		tb.Logf("no folder for DuckDB: %v", err)
		return nil
	}
	python := filepath.Join(cache, "wadi", "oracle", "duckdb-"+version, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		tb.Logf("DuckDB %s is not installed, so that ours stands alone; run .ci/oracle", version)
		return nil
	}
	cmd := exec.Command(python, "-c", driver)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		if err := cmd.Wait(); err != nil {
			tb.Errorf("DuckDB ends with %v", err)
		}
	})
	return &second{in: json.NewEncoder(stdin), out: bufio.NewReader(stdout)}
}

// run runs a statement that has to work.
func (s *second) run(tb testing.TB, sql string) spent {
	tb.Helper()
	if err := s.in.Encode(map[string]string{"sql": sql}); err != nil {
		tb.Fatalf("DuckDB is gone: %v", err)
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		tb.Fatalf("DuckDB is gone: %v", err)
	}
	var a struct {
		CPU, Wall float64
		Error     string
	}
	if err := json.Unmarshal(line, &a); err != nil {
		tb.Fatal(err)
	}
	if a.Error != "" {
		tb.Fatalf("DuckDB: %s\n%s", a.Error, strings.TrimSpace(sql))
	}
	return spent{cpu: a.CPU, wall: a.Wall}
}
