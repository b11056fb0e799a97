package debezium_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/format/debezium"
	"wadi/dataflow/format/json"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "n", Type: arrow.PrimitiveTypes.Int64},
}, nil)

// batch makes a changelog from "+key:n" and "-key:n".
func batch(rows ...string) *column.Batch {
	b := column.NewBuilder(schema, true)
	for i, r := range rows {
		k, n, _ := strings.Cut(r[1:], ":")
		if k == "null" {
			b.Column(0).AppendNull()
		} else {
			b.Column(0).(*column.Bytes).AppendString(k)
		}
		v := int64(0)
		for _, c := range n {
			v = v*10 + int64(c-'0')
		}
		b.Column(1).(*column.Fixed[int64]).Append(v)
		c := column.Insert
		if r[0] == '-' {
			c = column.Retract
		}
		b.AppendTime(int64(i), c)
	}
	return b.Batch()
}

func encode(t testing.TB, b *column.Batch, key ...int) []string {
	t.Helper()
	rows, err := json.NewEncoder(schema, json.EncoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := debezium.NewEncoder(rows, key, "").Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return short(string(out))
}

// short writes events as "u a:1 a:2".
func short(out string) []string {
	var events []string
	r := strings.NewReplacer(`{"before":`, "", `,"after":`, " ", `,"op":`, " ", `{"k":`, "", `,"n":`, ":", `"`, "", "}", "")
	for line := range strings.Lines(out) {
		events = append(events, strings.TrimSpace(r.Replace(line)))
	}
	return events
}

func TestEvents(t *testing.T) {
	long := "a key beyond twelve bytes"
	for _, c := range []struct {
		name string
		rows []string
		key  []int
		want []string
	}{
		{"insert", []string{"+a:1"}, []int{0}, []string{"null a:1 c"}},
		{"retract", []string{"-a:1"}, []int{0}, []string{"a:1 null d"}},
		{"update", []string{"-a:1", "+a:2"}, []int{0}, []string{"a:1 a:2 u"}},
		{"insert twice", []string{"+a:1", "+a:2"}, []int{0}, []string{"null a:1 c", "null a:2 c"}},
		{"insert before the retraction", []string{"+a:2", "-a:1"}, []int{0}, []string{"a:1 a:2 u"}},
		{"out of order throughout", []string{"+a:3", "+a:2", "-a:2", "-a:1", "-b:1"}, []int{0}, []string{"a:1 a:3 u", "b:1 null d"}},
		{"back to the same", []string{"-a:1", "+a:2", "+a:1", "-a:2"}, []int{0}, nil},
		{"an update to the same is nothing", []string{"-a:1", "+a:1", "-b:1", "+b:2"}, []int{0}, []string{"b:1 b:2 u"}},
		{"neither is one without a key", []string{"-a:1", "+a:1", "-null:1", "+null:1"}, nil, nil},
		{"insert and retract is nothing", []string{"+a:1", "-a:1"}, []int{0}, nil},
		{"first and last count", []string{"-a:1", "+a:2", "-a:2", "+a:3"}, []int{0}, []string{"a:1 a:3 u"}},
		{"retract at both ends", []string{"-a:1", "+a:2", "-a:2"}, []int{0}, []string{"a:1 null d"}},
		{"order of first occurrence", []string{"-b:1", "+c:1", "-a:1", "+b:2", "+a:2"}, []int{0}, []string{"b:1 b:2 u", "null c:1 c", "a:1 a:2 u"}},
		{"null is a key", []string{"-null:1", "+a:9", "+null:2"}, []int{0}, []string{"null:1 null:2 u", "null a:9 c"}},
		{"long keys", []string{"-" + long + ":1", "+" + long + "s:1", "+" + long + ":2"}, []int{0}, []string{long + ":1 " + long + ":2 u", "null " + long + "s:1 c"}},
		{"two key columns", []string{"-a:1", "+a:2"}, []int{0, 1}, []string{"a:1 null d", "null a:2 c"}},
		{"no key pairs neighbours", []string{"-a:1", "+a:2", "+b:1", "-c:1", "-d:1", "+d:2"}, nil, []string{"a:1 a:2 u", "null b:1 c", "c:1 null d", "d:1 d:2 u"}},
		{"no rows", nil, []int{0}, nil},
	} {
		if got := encode(t, batch(c.rows...), c.key...); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAppendInput(t *testing.T) {
	b := *batch("+a:1", "+b:2", "+a:3")
	b.Change = nil
	b.Sel = []int32{0, 2}
	if got := encode(t, &b, 0); strings.Join(got, "|") != "null a:1 c|null a:3 c" {
		t.Fatal(got)
	}
}

func TestSelection(t *testing.T) {
	b := *batch("-a:1", "+a:2", "-b:1", "+b:2")
	b.Sel = []int32{1, 2}
	if got := encode(t, &b, 0); strings.Join(got, "|") != "null a:2 c|b:1 null d" {
		t.Fatal(got)
	}
}

func TestText(t *testing.T) {
	rows, err := json.NewEncoder(schema, json.EncoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := debezium.NewEncoder(rows, []int{0}, `{"s":1}`).Encode([]byte("> "), batch("-a:1", "+a:2"))
	want := `> {"schema":{"s":1},"payload":{"before":{"k":"a","n":1},"after":{"k":"a","n":2},"op":"u"}}` + "\n"
	if err != nil || string(out) != want {
		t.Fatalf("%v %s", err, out)
	}
}

func decoder(t testing.TB, s *arrow.Schema, meta, needed []string) *debezium.Decoder {
	t.Helper()
	envelope, paths := debezium.Envelope(s, meta, needed)
	events, err := json.NewDecoder(envelope, nil, paths)
	if err != nil {
		t.Fatal(err)
	}
	return debezium.NewDecoder(events, s, meta, needed, []int{0})
}

// changes shows a changelog in the form that batch takes.
func changes(b *column.Batch) string {
	var out []string
	for i := range b.N {
		sign := "+"
		if b.Change[i] == column.Retract {
			sign = "-"
		}
		k := b.Cols[0].(*column.Bytes)
		name := "null"
		if k.Valid.IsValid(i) {
			name = k.Str(i)
		}
		out = append(out, sign+name+":"+string(rune('0'+b.Cols[1].(*column.Fixed[int64]).Values[i])))
	}
	return strings.Join(out, " ")
}

func TestDecode(t *testing.T) {
	d := decoder(t, schema, nil, nil)
	for range 2 {
		for in, want := range map[string]string{
			`{"op":"c","before":null,"after":{"k":"a","n":1}}`:                                         "+a:1",
			`{"op":"r","after":{"k":"a","n":1},"source":{"db":"x"},"ts_ms":1}`:                         "+a:1",
			`{"op":"u","before":{"k":"a","n":1},"after":{"k":"a","n":2}}`:                              "-a:1 +a:2",
			`{"op":"d","before":{"k":null,"n":1},"after":null}`:                                        "-null:1",
			`{"op":"d","before":{"k":"beyond twelve bytes","n":1},"after":{"k":"ignored","n":"what"}}`: `! column "after.n": expected BIGINT, got a string (4 bytes) that is not an integer`,
			`{"op":"u","before":null,"after":{"k":"a","n":2}}`:                                         `! column "before": expected the row that the operation is about, got none`,
			`{"op":"u","after":{"k":"a","n":2}}`:                                                       `! column "before": expected the row that the operation is about, got none`,
			`{"op":"d","before":null}`:                                                                 `! column "before": expected the row that the operation is about, got none`,
			`{"op":"c","after":null}`:                                                                  `! column "after": expected the row that the operation is about, got none`,
			`{"op":"u","before":{"k":"a"},"after":{"k":"a","n":2}}`:                                    `! column "before.n": expected a value for a NOT NULL column, got none`,
			`{"op":"t"}`:                        `! column "op": a Debezium event has an operation other than c, r, u and d`,
			`{"payload":{"op":"c","after":{}}}`: `! column "after.n": expected a value for a NOT NULL column, got none`,
			`{"schema":{"type":"struct"},"payload":{"op":"c","after":{"k":"a","n":1}}}`:               "+a:1",
			`{"payload":{"op":"u","before":{"k":"a","n":1},"after":{"k":"b","n":1},"ts_ms":5},"x":1}`: "-a:1 +b:1",
			`{"payload":{"payload":{"op":"c"}}}`:                                                      `! column "op": expected a Debezium operation, got none`,
			`{"payload":5}`:                                                                           `! not a JSON object (byte 1): a number instead of an object`,
			`{"payload":{"op":"c","after":{"k":"a","n":1}}`:                                           `! not a JSON object (byte 46): it ends before a closing }`,
			`{"payload":null}`:                                                                        "", ` {"schema":null,"payload":null} `: "",
			`null`: "", " \r\n": "",
			`{"status":"BEGIN","id":"571:53","event_count":null,"data_collections":null,"ts_ms":5}`:       "",
			`{"status":"END","id":"571:53","event_count":2,"data_collections":[{"data_collection":"t"}]}`: "",
			`{"payload":{"status":"END","id":"571:53"}}`:                                                  "",
			`{"status":"END"}`:                  `! column "op": expected a Debezium operation, got none`,
			`{"a":1}`:                           `! column "op": expected a Debezium operation, got none`,
			`{"op":1}`:                          `! column "op": expected TEXT, got a number (1 byte)`,
			``:                                  "",
			`{"op":"c","after":{"k":"a","n":1}`: `! not a JSON object (byte 34): it ends before a closing }`,
			`{"op":"c","after":{"k":"a","k":"b","n":"4"}}`: "+b:4",
		} {
			err := d.Decode([]byte(in), 7)
			if e, bad := strings.CutPrefix(want, "! "); bad {
				if err == nil || err.Error() != e || d.Rows() != 0 {
					t.Errorf("%s: %v, %d rows", in, err, d.Rows())
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", in, err)
				continue
			}
			if got := changes(d.Take()); got != want {
				t.Errorf("%s: got %s, want %s", in, got, want)
			}
		}
	}
	if e := fault.As(d.Decode([]byte(`{"op":"m"}`), 0)); e.Kind != fault.User {
		t.Error("an unknown operation could be dropped")
	}
}

func TestNeededAndMetadata(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{schema.Field(0), {Name: "m", Type: arrow.PrimitiveTypes.Int64}, schema.Field(1)}, nil)
	d := decoder(t, s, []string{"", "offset_id", ""}, []string{"k"})
	n := int64(0)
	d.SetMetadata(func(i int, to column.Appender) {
		n++
		to.(*column.Fixed[int64]).Append(n)
	})
	if err := d.Decode([]byte(`{"op":"u","before":{"k":"a","n":1},"after":{"k":"b"}}`), 7); err != nil {
		t.Fatal(err)
	}
	if d.Rows() != 2 {
		t.Fatal(d.Rows())
	}
	b := d.Take()
	k, m := b.Cols[0].(*column.Bytes), b.Cols[1].(*column.Fixed[int64])
	if b.N != 2 || k.Str(0) != "a" || k.Str(1) != "b" || m.Values[0] != 1 || m.Values[1] != 2 || b.Time[1] != 7 || b.Cols[2].Len() != 2 {
		t.Fatal(b)
	}
}

// The end of a row is told where its key goes out of use, and asked for only then.
func TestEnded(t *testing.T) {
	s := arrow.NewSchema(append(schema.Fields(), arrow.Field{Name: "end", Type: arrow.FixedWidthTypes.Timestamp_ns, Nullable: true}), nil)
	meta := []string{"", "", debezium.Ended}
	d := decoder(t, s, meta, nil)
	for _, c := range []struct {
		event, want string
	}{
		{`{"op":"c","after":{"k":"a","n":1},"ts_ms":5}`, "null"},
		{`{"op":"u","before":{"k":"a","n":1},"after":{"k":"a","n":2},"ts_ms":6}`, "null null"},
		{`{"op":"u","before":{"k":"a","n":1},"after":{"k":"a","n":2}}`, "null null"},
		{`{"op":"u","before":{"k":"a","n":2},"after":{"k":"b","n":2},"ts_ms":7}`, "7000000 null"},
		{`{"op":"u","before":{"k":null,"n":2},"after":{"k":"b","n":2},"ts_ms":7}`, "7000000 null"},
		{`{"op":"u","before":{"k":null,"n":2},"after":{"k":null,"n":3},"ts_ms":7}`, "null null"},
		{`{"op":"d","before":{"k":"b","n":2},"ts_ms":-8}`, "-8000000"},
		{`{"op":"d","before":{"k":"b","n":2}}`, `! column "ts_ms": expected the time of a deletion in milliseconds, got none`},
		{`{"op":"d","before":{"k":"b","n":2},"ts_ms":9223372036854775807}`, `! column "ts_ms": the time of a deletion in milliseconds is out of range`},
	} {
		err := d.Decode([]byte(c.event), 0)
		if e, bad := strings.CutPrefix(c.want, "! "); bad {
			if err == nil || err.Error() != e || d.Rows() != 0 {
				t.Errorf("%s: %v, %d rows", c.event, err, d.Rows())
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.event, err)
			continue
		}
		end := d.Take().Cols[2].(*column.Fixed[int64])
		var got []string
		for i, v := range end.Values {
			if end.Valid.IsValid(i) {
				got = append(got, fmt.Sprint(v))
			} else {
				got = append(got, "null")
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.event, got, c.want)
		}
	}
	if err := decoder(t, s, meta, []string{"k"}).Decode([]byte(`{"op":"d","before":{"k":"b","n":2}}`), 0); err != nil {
		t.Errorf("a time that nobody needs: %v", err)
	}
}

// TestMaterialises applies a random changelog directly, and through events that are written and read again: the rows
// that are left are the same, however the changelog is cut into batches.
func TestMaterialises(t *testing.T) {
	d := decoder(t, schema, nil, nil)
	rapid.Check(t, func(t *rapid.T) {
		have := map[string]string{}
		var rows []string
		for range rapid.IntRange(0, 40).Draw(t, "changes") {
			k := rapid.SampledFrom([]string{"a", "b", "a_key_beyond_twelve_bytes", "null"}).Draw(t, "k")
			if old, ok := have[k]; ok {
				rows = append(rows, "-"+k+":"+old)
				delete(have, k)
				if rapid.Bool().Draw(t, "gone") {
					continue
				}
			}
			have[k] = rapid.StringMatching(`[0-9]`).Draw(t, "n")
			rows = append(rows, "+"+k+":"+have[k])
		}
		enc, err := json.NewEncoder(schema, json.EncoderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		e := debezium.NewEncoder(enc, []int{0}, "")
		got := map[string]string{}
		for len(rows) > 0 {
			n := rapid.IntRange(1, len(rows)).Draw(t, "batch")
			out, err := e.Encode(nil, batch(rows[:n]...))
			if err != nil {
				t.Fatal(err)
			}
			rows = rows[n:]
			for line := range strings.Lines(string(out)) {
				if err := d.Decode([]byte(line), 0); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range strings.Split(changes(d.Take()), " ") {
				apply(t, got, c)
			}
		}
		if len(got) != len(have) {
			t.Fatalf("left %v, want %v", got, have)
		}
		for k, v := range have {
			if got[k] != v {
				t.Fatalf("left %v, want %v", got, have)
			}
		}
	})
}

func apply(t *rapid.T, rows map[string]string, change string) {
	if change == "" {
		return
	}
	k, n, _ := strings.Cut(change[1:], ":")
	switch old, ok := rows[k]; {
	case change[0] == '+' && !ok:
		rows[k] = n
	case change[0] == '-' && ok && old == n:
		delete(rows, k)
	default:
		t.Fatalf("change %s does not apply to %v", change, rows)
	}
}

func BenchmarkEncode(b *testing.B) {
	var rows []string
	for i := range 4096 {
		k := "key-" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		rows = append(rows, "-"+k+":1", "+"+k+":2")
	}
	changelog := batch(rows...)
	enc, err := json.NewEncoder(schema, json.EncoderOptions{})
	if err != nil {
		b.Fatal(err)
	}
	e := debezium.NewEncoder(enc, []int{0}, "")
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		if out, err = e.Encode(out[:0], changelog); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*8192/1e6/b.Elapsed().Seconds(), "Mrow/s")
}
