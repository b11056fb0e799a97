package redis_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/redis"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.BinaryTypes.String}, {Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

func open(t *testing.T, drop bool, options map[string]string) (operator.Lookup, *operator.Metrics) {
	t.Helper()
	table := &graph.SourceSpec{
		Table: "names", Connector: "redis", Options: options, Schema: schema, Metadata: []string{"key", "", ""}, PrimaryKey: []int{0},
		Format: graph.FormatSpec{Name: "json", DropBadData: drop},
	}
	m := &operator.Metrics{}
	l, err := redis.Declaration().NewLookup(connector.LookupConfig{
		Table: table, Env: operator.Env{Clock: clock.NewVirtual(time.Unix(1, 0)), Metrics: m},
		NewDecoder: func() (format.Decoder, error) { return format.NewDecoder(table) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, m
}

// ask gives the answers as "k name n", one after the other.
func ask(t *testing.T, l operator.Lookup, keys ...string) (string, error) {
	t.Helper()
	c := column.NewBytes(arrow.BinaryTypes.String)
	for _, k := range keys {
		c.AppendString(k)
	}
	b, at, err := l.Fetch(context.Background(), []column.Vector{c}, len(keys))
	if err != nil {
		return "", err
	}
	var out []string
	for _, i := range at {
		if i < 0 {
			out = append(out, "none")
			continue
		}
		line := b.Cols[0].(*column.Bytes).Str(int(i))
		for _, v := range b.Cols[1:] {
			if !v.Validity().IsValid(int(i)) {
				line += " null"
			} else if s, ok := v.(*column.Bytes); ok {
				line += " " + s.Str(int(i))
			} else {
				line += fmt.Sprint(" ", v.(*column.Fixed[int64]).Values[i])
			}
		}
		out = append(out, line)
	}
	return strings.Join(out, "; "), nil
}

func fill(s *miniredis.Miniredis) {
	s.Set("a", `{"name":"Ann","n":1}`)
	s.Set("b", `{"n":"2","k":"ignored"}`)
	s.Set("", `{"name":"empty"}`)
	s.Set("schlüssel beyond twelve bytes", `{}`)
	s.Set("bad", `{"n":"x"}`)
	s.HSet("hash", "name", "x")
}

const want = "a Ann 1; none; b null 2; none;  empty null; schlüssel beyond twelve bytes null null"

func keys() []string {
	return []string{"a", "nobody", "b", "hash", "", "schlüssel beyond twelve bytes"}
}

func TestFetch(t *testing.T) {
	s := miniredis.RunT(t)
	fill(s)
	l, m := open(t, false, map[string]string{"address": "redis://" + s.Addr()})
	for range 2 {
		if got, err := ask(t, l, keys()...); err != nil || got != want {
			t.Fatalf("%v\ngot  %s\nwant %s", err, got, want)
		}
	}
	_, err := ask(t, l, "a", "bad")
	if f := fault.As(err); f.Kind != fault.Data || f.Record.Column != "n" || !strings.HasPrefix(f.Record.Source, "redis ") {
		t.Errorf("%+v", f)
	}
	l, m = open(t, true, map[string]string{"address": "redis://" + s.Addr()})
	if got, err := ask(t, l, "bad", "a"); err != nil || got != "none; a Ann 1" || m.BadRecords.Load() != 1 {
		t.Errorf("%s %v, %d bad records", got, err, m.BadRecords.Load())
	}
}

func TestCluster(t *testing.T) {
	s := miniredis.RunT(t)
	fill(s)
	l, _ := open(t, false, map[string]string{"cluster.addresses": "redis://" + s.Addr()})
	if got, err := ask(t, l, keys()...); err != nil || got != want {
		t.Fatalf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

func TestUsers(t *testing.T) {
	s := miniredis.RunT(t)
	fill(s)
	s.RequireUserAuth("me", "secret")
	for _, o := range []map[string]string{
		{"address": "redis://" + s.Addr(), "username": "me", "password": "secret"}, {"address": "redis://me:secret@" + s.Addr()},
	} {
		l, _ := open(t, false, o)
		if got, err := ask(t, l, "a"); err != nil || got != "a Ann 1" {
			t.Errorf("%s %v", got, err)
		}
	}
	l, _ := open(t, false, map[string]string{"address": "redis://" + s.Addr(), "username": "me", "password": "wrong"})
	if _, err := ask(t, l, "a"); err == nil || fault.As(err).Kind != fault.User || strings.Contains(err.Error(), "wrong") {
		t.Errorf("%v", err)
	}
}

func TestServersThatDoNotAnswer(t *testing.T) {
	s := miniredis.RunT(t)
	fill(s)
	l, _ := open(t, false, map[string]string{"address": "redis://user:hidden@" + s.Addr()})
	s.RequireUserAuth("user", "hidden")
	if _, err := ask(t, l, "a"); err != nil {
		t.Fatal(err)
	}
	addr := s.Addr()
	s.Close()
	_, err := ask(t, l, "a")
	if f := fault.As(err); err == nil || f.Kind != fault.Transient || f.Hint == "" || strings.Contains(f.Message, "hidden") || !strings.Contains(f.Message, addr) {
		t.Errorf("%v", err)
	}
	if err := s.StartAddr(addr); err != nil {
		t.Fatal(err)
	}
	s.RequireUserAuth("user", "hidden")
	s.Set("a", `{"name":"back"}`)
	if got, err := ask(t, l, "a"); err != nil || got != "a back null" {
		t.Errorf("%s %v", got, err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := fault.Internalf("stopped")
	cancel(stop)
	c := column.NewBytes(arrow.BinaryTypes.String)
	c.AppendString("a")
	if _, _, err := l.Fetch(ctx, []column.Vector{c}, 1); err != error(stop) {
		t.Errorf("%v", err)
	}
}

func TestOptions(t *testing.T) {
	d := redis.Declaration()
	for _, c := range []struct {
		options map[string]string
		want    string
	}{
		{map[string]string{"address": "redis://h:6379"}, ""},
		{map[string]string{"address": "rediss://u:p@h:6379/3"}, ""},
		{map[string]string{"cluster.addresses": "redis://a:1,redis://b:2"}, ""},
		{map[string]string{}, "needs the option"},
		{map[string]string{"address": "redis://h", "cluster.addresses": "redis://a"}, "either"},
		{map[string]string{"address": "http://h"}, "no address"},
		{map[string]string{"address": "redis://u:p a s s@h"}, "no address"},
		{map[string]string{"address": "redis://h/notanumber"}, "no address"},
		{map[string]string{"cluster.addresses": "redis://a,h:1"}, "no address"},
	} {
		raw := map[string]connector.Raw{"type": connector.StringValue("lookup")}
		for k, v := range c.options {
			raw[k] = connector.StringValue(v)
		}
		_, err := d.Resolve(connector.Lookup, raw)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || fault.As(err).Hint == "") {
			t.Errorf("%v: %v", c.options, err)
		}
		if err != nil && strings.Contains(err.Error(), "p a s s") {
			t.Errorf("the message shows the password: %v", err)
		}
	}
	if got := d.Description(map[string]string{"address": "redis://me:secret@h:1"}); got != "Redis<h:1>" {
		t.Error(got)
	}
}
