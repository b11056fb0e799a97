package json_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/format/json"
	"wadi/dataflow/framing"
)

// benchRecords makes n lines of about 200 bytes with 8 fields: three integers, two floating-point numbers (one of them
// with up to 17 digits), two strings and a timestamp in milliseconds.
func benchRecords(n int) []byte {
	r := rand.New(rand.NewSource(1))
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	channels := []string{"Google", "Facebook", "Baidu", "Apple", "channel-1234"}
	var b []byte
	for i := range n {
		b = fmt.Appendf(b, `{"id":%d,"auction":%d,"bidder":%d,"price":%s,"score":%s,"channel":"%s","url":"https://www.nexmark.com/%s/item.htm?query=%d","ts":"%s"}`+"\n",
			i, 1000+r.Intn(100000), 1000+r.Intn(1000000), strconv.FormatFloat(float64(r.Intn(10000000))/100, 'f', -1, 64),
			strconv.FormatFloat(r.Float64(), 'g', -1, 64), channels[r.Intn(5)], "abcdefghij"[:5+r.Intn(5)], r.Intn(10000),
			start.Add(time.Duration(i)*time.Millisecond).Format("2006-01-02T15:04:05.000Z"))
	}
	return b
}

var benchSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "auction", Type: arrow.PrimitiveTypes.Int64},
	{Name: "bidder", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "price", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "score", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "channel", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "url", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Nanosecond}, Nullable: true},
}, nil)

func benchmarkDecode(b *testing.B, needed []string) {
	const rows = 8192
	data := benchRecords(rows)
	d, err := json.NewDecoder(benchSchema, nil, needed)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		rest := data
		for len(rest) > 0 {
			i := bytes.IndexByte(rest, '\n')
			if err := d.Decode(rest[:i], 1); err != nil {
				b.Fatal(err)
			}
			rest = rest[i+1:]
		}
		if d.Take().N != rows {
			b.Fatal("rows lost")
		}
	}
	b.ReportMetric(float64(b.N)*rows/1e6/b.Elapsed().Seconds(), "Mrow/s")
}

func BenchmarkDecode(b *testing.B)     { benchmarkDecode(b, nil) }
func BenchmarkDecodeTwo(b *testing.B)  { benchmarkDecode(b, []string{"price", "auction"}) }
func BenchmarkDecodeNone(b *testing.B) { benchmarkDecode(b, []string{}) }

func BenchmarkEncode(b *testing.B) {
	const rows = 8192
	data := benchRecords(rows)
	d, err := json.NewDecoder(benchSchema, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		if err := d.Decode(line, 1); err != nil {
			b.Fatal(err)
		}
	}
	batch := d.Take()
	e, err := json.NewEncoder(benchSchema, json.EncoderOptions{})
	if err != nil {
		b.Fatal(err)
	}
	var out []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if out, err = e.Encode(out[:0], batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*rows/1e6/b.Elapsed().Seconds(), "Mrow/s")
}

// BenchmarkReadDecode is the way of a file through framing and the decoder.
func BenchmarkReadDecode(b *testing.B) {
	const rows = 200_000
	data := benchRecords(rows)
	d, err := json.NewDecoder(benchSchema, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		l := framing.NewLines(bytes.NewReader(data), framing.Options{})
		n := 0
		for l.Fill(b.Context()) != io.EOF {
			for {
				line, ok := l.Next()
				if !ok {
					break
				}
				if err := d.Decode(line, 1); err != nil {
					b.Fatal(err)
				}
				if d.Rows() == 8192 {
					n += d.Take().N
					l.Release()
				}
			}
		}
		if n += d.Take().N; n != rows {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N)*rows/1e6/b.Elapsed().Seconds(), "Mrow/s")
}
