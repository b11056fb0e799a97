package bench

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/expr"
	"wadi/worker/local"
	"wadi/worker/operators"
)

var (
	table  = flag.Bool("table", false, "print the table of figures")
	events = flag.Int("events", 4_000_000, "events per run of the generated sources")
	rounds = flag.Int("rounds", 5, "runs per pipeline; the best counts")
)

// pipeline is one line of the table. Target is the design's figure, events per second per core.
type pipeline struct {
	name, what string
	target     float64
	sql        string
	json       bool
}

const nexmark = `CREATE TABLE nexmark WITH (connector = 'nexmark', event_rate = 100000, paced = false, message_count = %d);
`

const records = `CREATE TABLE records (
  id BIGINT NOT NULL, auction BIGINT NOT NULL, bidder BIGINT NOT NULL, price DOUBLE NOT NULL, score DOUBLE NOT NULL,
  channel TEXT NOT NULL, url TEXT NOT NULL, time TIMESTAMP NOT NULL, WATERMARK FOR time
) WITH (connector = 'single_file', path = '%s', type = 'source', format = 'json');
`

const blackhole = `CREATE TABLE out WITH (connector = 'blackhole');
INSERT INTO out `

var pipelines = []pipeline{
	{"q0", "all fields of every bid", 8e6, `SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, bid.datetime, bid.extra FROM nexmark WHERE bid IS NOT NULL`, false},
	{"q1", "the same with the price in another currency", 8e6, `SELECT bid.auction, bid.bidder, bid.price * 0.908 AS price, bid.channel, bid.url, bid.datetime, bid.extra FROM nexmark WHERE bid IS NOT NULL`, false},
	{"q2", "bids on a few auctions", 20e6, `SELECT bid.auction, bid.price FROM nexmark WHERE bid IS NOT NULL AND bid.auction % 123 = 0`, false},
	{"q5 hop", "count per auction, 10 s every 2 s", 12e6, `SELECT bid.auction AS auction, hop(INTERVAL '2 seconds', INTERVAL '10 seconds') AS w, count(*) AS bids FROM nexmark WHERE bid IS NOT NULL GROUP BY 1, 2`, false},
	{"q7 max", "highest price per 10 s", 15e6, `SELECT tumble(INTERVAL '10 seconds') AS w, max(bid.price) AS price FROM nexmark WHERE bid IS NOT NULL GROUP BY 1`, false},
	{"updating", "count, sum and max per auction", 8e6, `SELECT bid.auction AS auction, count(*) AS bids, sum(bid.price) AS total, max(bid.price) AS highest FROM nexmark WHERE bid IS NOT NULL GROUP BY 1`, false},
	{"json project", "NDJSON, 200 bytes, 8 fields, projection", 2.5e6, `SELECT id, auction, price * 0.908 AS price, channel, url, time FROM records`, true},
	{"json aggregate", "NDJSON, count and sum per auction, 1 min", 2.5e6, `SELECT auction, tumble(INTERVAL '1 minute') AS w, count(*) AS bids, sum(price) AS total FROM records GROUP BY 1, 2`, true},
}

func BenchmarkPipelines(b *testing.B) {
	runtime.GOMAXPROCS(1)
	file := jsonFile(b)
	for _, p := range pipelines {
		b.Run(p.name, func(b *testing.B) {
			var total, rows float64
			for range b.N {
				d, n := p.run(b, file)
				total += d.Seconds()
				rows += float64(n)
			}
			b.ReportMetric(rows/total, "events/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestTable prints the table; without -table it only checks that every pipeline of it runs.
func TestTable(t *testing.T) {
	if !*table {
		*events, *rounds = 20_000, 1
	} else {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	}
	file := jsonFile(t)
	best := make([]float64, len(pipelines))
	for range *rounds {
		for i, p := range pipelines {
			d, n := p.run(t, file)
			best[i] = max(best[i], float64(n)/d.Seconds())
		}
	}
	if !*table {
		return
	}
	fmt.Printf("| pipeline | what | events/s per core | target | share |\n|---|---|---:|---:|---:|\n")
	for i, p := range pipelines {
		fmt.Printf("| %s | %s | %.2f M | %.1f M | %.0f %% |\n", p.name, p.what, best[i]/1e6, p.target/1e6, 100*best[i]/p.target)
	}
}

// run gives the time that the pipeline took and the number of events that its source made.
func (p pipeline) run(tb testing.TB, file string) (time.Duration, int) {
	tb.Helper()
	text, n := fmt.Sprintf(nexmark, *events), *events
	if p.json {
		text, n = fmt.Sprintf(records, file), jsonRows()
	}
	library := operators.Library{Connectors: builtin.Registry(), Functions: expr.Builtin(), Aggregates: agg.Builtin()}
	program := compile(tb, p.name, text+blackhole+p.sql+";", library.Connectors)
	runtime.GC()
	start := time.Now()
	_, err := local.Run(context.Background(), local.Config{
		Program: program, Constructor: library, Parallelism: 1, Interval: 100 * time.Millisecond,
	})
	if err != nil {
		tb.Fatalf("%s: %v", p.name, err)
	}
	return time.Since(start), n
}

func jsonRows() int { return *events / 4 }

// jsonFile writes records of about 200 bytes with 8 fields.
func jsonFile(tb testing.TB) string {
	path := filepath.Join(tb.TempDir(), "records.ndjson")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	r := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var buf []byte
	for i := range jsonRows() {
		at = at.Add(100 * time.Microsecond)
		buf = fmt.Appendf(buf, `{"id":%d,"auction":%d,"bidder":%d,"price":%.2f,"score":%v,"channel":"channel-%d","url":"https://www.nexmark.com/item/%06d/view","time":"%s"}`+"\n",
			i, 1000+r.IntN(100_000), 1000+r.IntN(50_000), float64(r.IntN(1e7))/100, r.Float64(), r.IntN(10_000), r.IntN(1e6), at.Format("2006-01-02T15:04:05.000Z"))
		if len(buf) > 1<<20 {
			if _, err := f.Write(buf); err != nil {
				tb.Fatal(err)
			}
			buf = buf[:0]
		}
	}
	if _, err := f.Write(buf); err != nil {
		tb.Fatal(err)
	}
	return path
}
