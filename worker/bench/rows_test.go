package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// The tables that both engines read. Every row of events is 10 µs after the one before it, every row of orders 20 µs, so
// that both cover the same time; keys are drawn evenly.
const (
	eventsColumns = `id BIGINT NOT NULL, small BIGINT NOT NULL, medium BIGINT NOT NULL, large BIGINT NOT NULL, amount BIGINT NOT NULL,
  score DOUBLE NOT NULL, price DECIMAL(18, 2) NOT NULL, channel TEXT NOT NULL, url TEXT NOT NULL, doc TEXT NOT NULL, ts TIMESTAMP NOT NULL`
	ordersColumns = `id BIGINT NOT NULL, large BIGINT NOT NULL, quantity BIGINT NOT NULL, ts TIMESTAMP NOT NULL`

	smallKeys, mediumKeys, largeKeys = 1_000, 10_000, 1_000_000
)

// replay is a connector that lends batches it was made with, as fast as they are taken.
const replay = "replay"

// relation is a table's rows: in batches, and in a file that the second engine loads.
type relation struct {
	rows    int
	batches []*column.Batch
	csv     string
}

// filling fills a relation, row by row.
type filling struct {
	relation *relation
	schema   *arrow.Schema
	builder  *column.Builder
	file     *os.File
	csv      *bufio.Writer
}

func newTable(tb testing.TB, name string, fields ...arrow.Field) *filling {
	tb.Helper()
	t := &filling{relation: &relation{csv: filepath.Join(tb.TempDir(), name+".csv")}, schema: arrow.NewSchema(fields, nil)}
	if !*beside { // nobody loads the file
		t.csv = bufio.NewWriter(io.Discard)
		return t
	}
	var err error
	if t.file, err = os.Create(t.relation.csv); err != nil {
		tb.Fatal(err)
	}
	t.csv = bufio.NewWriterSize(t.file, 1<<20)
	return t
}

const batchRows = 8192

// add takes the values of a row, of the types that the schema's vectors have; the last is its event time.
func (t *filling) add(at time.Time, values ...any) {
	if t.builder == nil {
		t.builder = column.NewBuilder(t.schema, false)
	}
	for i, v := range values {
		switch c := t.builder.Column(i).(type) {
		case *column.Fixed[int64]:
			c.Append(v.(int64))
			t.write(strconv.FormatInt(v.(int64), 10))
		case *column.Fixed[float64]:
			c.Append(v.(float64))
			t.write(strconv.FormatFloat(v.(float64), 'g', -1, 64))
		case *column.Fixed[decimal128.Num]:
			c.Append(v.(decimal128.Num))
			t.write(v.(decimal128.Num).ToString(2))
		case *column.Bytes:
			c.AppendString(v.(string))
			t.write(v.(string))
		}
		t.csv.WriteByte('\t')
	}
	n := len(values)
	t.builder.Column(n).(*column.Fixed[int64]).Append(at.UnixNano())
	t.write(at.Format("2006-01-02 15:04:05.000000") + "\n")
	t.builder.AppendTime(at.UnixNano(), column.Insert)
	t.relation.rows++
	if t.builder.Rows() == batchRows {
		t.cut()
	}
}

func (t *filling) write(s string) { t.csv.WriteString(s) }

func (t *filling) cut() {
	if t.builder != nil {
		t.relation.batches = append(t.relation.batches, t.builder.Batch())
		t.builder = nil
	}
}

func (t *filling) finish(tb testing.TB) *relation {
	tb.Helper()
	t.cut()
	if err := t.csv.Flush(); err != nil {
		tb.Fatal(err)
	}
	if t.file == nil {
		return t.relation
	}
	if err := t.file.Close(); err != nil {
		tb.Fatal(err)
	}
	return t.relation
}

// relations makes n rows of events and half as many of orders.
func relations(tb testing.TB, n int) map[string]*relation {
	tb.Helper()
	integer, text := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	instant := &arrow.TimestampType{Unit: arrow.Nanosecond}
	events := newTable(tb, "events",
		arrow.Field{Name: "id", Type: integer}, arrow.Field{Name: "small", Type: integer}, arrow.Field{Name: "medium", Type: integer},
		arrow.Field{Name: "large", Type: integer}, arrow.Field{Name: "amount", Type: integer}, arrow.Field{Name: "score", Type: arrow.PrimitiveTypes.Float64},
		arrow.Field{Name: "price", Type: &arrow.Decimal128Type{Precision: 18, Scale: 2}}, arrow.Field{Name: "channel", Type: text},
		arrow.Field{Name: "url", Type: text}, arrow.Field{Name: "doc", Type: text}, arrow.Field{Name: "ts", Type: instant})
	orders := newTable(tb, "orders", arrow.Field{Name: "id", Type: integer}, arrow.Field{Name: "large", Type: integer},
		arrow.Field{Name: "quantity", Type: integer}, arrow.Field{Name: "ts", Type: instant})
	r := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		at := start.Add(time.Duration(i) * 10 * time.Microsecond)
		medium, amount, score := r.Int64N(mediumKeys), r.Int64N(1_000_000), r.Float64()*1000
		events.add(at, int64(i), r.Int64N(smallKeys), medium, r.Int64N(largeKeys), amount, score, decimal128.FromI64(r.Int64N(100_000_000)),
			"channel-"+strconv.FormatInt(medium, 10),
			fmt.Sprintf("https://www.example.com/item/%d/view?ref=%d", amount, medium),
			fmt.Sprintf(`{"id":%d,"user":{"name":"user-%d","age":%d},"price":%.3f,"tags":["a","b"],"ok":true}`, i, medium, amount%100, score))
		if i%2 == 0 {
			orders.add(at, int64(i/2), r.Int64N(largeKeys), r.Int64N(100))
		}
	}
	return map[string]*relation{"events": events.finish(tb), "orders": orders.finish(tb)}
}

// connectors gives the connectors there are and the replay of these relations.
func connectors(relations map[string]*relation) *connector.Registry {
	registry := builtin.Registry()
	var decls []*connector.Declaration
	for _, n := range registry.Names() {
		d, _ := registry.Lookup(n)
		decls = append(decls, d)
	}
	decls = append(decls, &connector.Declaration{
		Name: replay, Doc: "lends rows that are in memory", Uses: connector.Source,
		NewSource: func(c connector.SourceConfig) (operator.Source, error) {
			return &replaySource{batches: relations[c.Spec.Table].batches}, nil
		},
	})
	return connector.NewRegistry(decls...)
}

type replaySource struct {
	batches []*column.Batch
	next    int
}

func (s *replaySource) Read(_ context.Context, out operator.Emitter) (operator.Status, error) {
	if s.next == len(s.batches) {
		return operator.Done, nil
	}
	s.next++
	return operator.Ready, out.Emit(s.batches[s.next-1])
}

func (s *replaySource) Snapshot(state.Writer) error { return nil }
func (s *replaySource) Close() error                { return nil }
