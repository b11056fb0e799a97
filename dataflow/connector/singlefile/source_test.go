package singlefile_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"wadi/dataflow/connector"
	"wadi/dataflow/connector/connectortest"
	"wadi/dataflow/connector/singlefile"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

func openSource(h *connectortest.Host, path string, drop bool, from *connectortest.State) (operator.Source, error) {
	if from != nil {
		h.Env.Restore = from.Reader()
	}
	return singlefile.Declaration().NewSource(connector.SourceConfig{
		Spec: &graph.SourceSpec{Options: map[string]string{"path": path}, Schema: connectortest.TextSchema,
			Format: graph.FormatSpec{DropBadData: drop}},
		Env:        h.Env,
		NewDecoder: func() (format.Decoder, error) { return connectortest.NewPlain(), nil },
	})
}

func mustOpen(t *testing.T, h *connectortest.Host, path string, drop bool, from *connectortest.State) operator.Source {
	t.Helper()
	s, err := openSource(h, path, drop, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// readAll reads up to reads times, or to the end.
func readAll(t *testing.T, s operator.Source, out *connectortest.Emitter, reads int) bool {
	t.Helper()
	for range reads {
		st, err := s.Read(context.Background(), out)
		if err != nil {
			t.Fatal(err)
		}
		if st == operator.Done {
			return true
		}
	}
	return false
}

func snapshot(t *testing.T, s interface {
	Snapshot(w state.Writer) error
}) *connectortest.State {
	t.Helper()
	st := connectortest.NewState()
	if err := s.Snapshot(st); err != nil {
		t.Fatal(err)
	}
	return st
}

func values(out *connectortest.Emitter) []string {
	var v []string
	for _, r := range out.Rows() {
		_, text, _ := strings.Cut(r, "|")
		v = append(v, strings.Trim(text, `"`))
	}
	return v
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.txt")
	write(t, path, text)
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSourceRestoresAtEveryLine(t *testing.T) {
	want := []string{"a", "", "ccc", "dd", "e", strings.Repeat("x", 9000), "last"}
	for _, text := range []string{strings.Join(want, "\n"), strings.Join(want, "\n") + "\n", strings.Join(want, "\r\n") + "\r\n"} {
		path := file(t, text)
		for _, batch := range []int{1, 3} {
			for reads := 0; reads <= len(want)+1; reads++ {
				h := connectortest.NewHost(t, 0, 1, batch)
				out := &connectortest.Emitter{}
				s := mustOpen(t, h, path, false, nil)
				readAll(t, s, out, reads)
				st := snapshot(t, s)
				s.Close()
				s = mustOpen(t, h, path, false, st)
				if !readAll(t, s, out, 100) {
					t.Fatal("no end")
				}
				if got := values(out); !reflect.DeepEqual(got, want) {
					t.Errorf("restored after %d reads of %d: got %d rows %.80q", reads, batch, len(got), got)
				}
			}
		}
	}
}

func TestEventTimeIsOneReadingPerBatch(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 2)
	out := &connectortest.Emitter{}
	s := mustOpen(t, h, file(t, "a\nb\nc\n"), false, nil)
	readAll(t, s, out, 1)
	h.Clock.Advance(5)
	readAll(t, s, out, 9)
	now := connectortest.Start.UnixNano()
	if b := out.Batch(); b.N != 3 || b.Time[0] != now || b.Time[1] != now || b.Time[2] != now+5 {
		t.Errorf("got times %v", b.Time)
	}
	if n := h.Env.Metrics.BytesIn.Load(); n != 6 {
		t.Errorf("counted %d bytes", n)
	}
}

func TestOnlyTheFirstSubtaskReads(t *testing.T) {
	h := connectortest.NewHost(t, 1, 2, 10)
	s := mustOpen(t, h, "/does/not/exist", false, nil)
	out := &connectortest.Emitter{}
	if !readAll(t, s, out, 1) || out.Len() != 0 {
		t.Error("subtask 1 read")
	}
	if keys := snapshot(t, s).Keys("f"); len(keys) != 0 {
		t.Errorf("subtask 1 wrote state %v", keys)
	}
}

func TestBadLines(t *testing.T) {
	text := "ok\nbad\nnul\x00\nutf\xff8\nok\nbad"
	h := connectortest.NewHost(t, 0, 1, 10)
	path := file(t, text)
	_, err := mustOpen(t, h, path, false, nil).Read(context.Background(), &connectortest.Emitter{})
	f := fault.As(err)
	if f.Kind != fault.Data || f.Record != (fault.Record{Source: path, Line: 2, Column: "value"}) {
		t.Errorf("got %v", err)
	}
	out := &connectortest.Emitter{}
	if !readAll(t, mustOpen(t, h, path, true, nil), out, 5) {
		t.Fatal("no end")
	}
	if got := values(out); !reflect.DeepEqual(got, []string{"ok", "ok"}) {
		t.Errorf("got %q", got)
	}
	if n := h.Env.Metrics.BadRecords.Load(); n != 4 || len(h.Reports()) != 4 {
		t.Errorf("counted %d bad records, reported %d", n, len(h.Reports()))
	}
	if f := fault.As(h.Reports()[3]); f.Record.Line != 6 {
		t.Errorf("the last report is about %v", f.Record)
	}
}

func TestLineNumbersSurviveARestore(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 1)
	path := file(t, "a\nb\nbad\n")
	s := mustOpen(t, h, path, false, nil)
	readAll(t, s, &connectortest.Emitter{}, 2)
	_, err := mustOpen(t, h, path, false, snapshot(t, s)).Read(context.Background(), &connectortest.Emitter{})
	if f := fault.As(err); f.Record.Line != 3 {
		t.Errorf("got %v", err)
	}
}

func TestFileThatChangedIsRefused(t *testing.T) {
	long := strings.Repeat("0123456789\n", 2000)
	for name, c := range map[string]struct {
		text, later string
		reads       int
		ok          bool
	}{
		"same":                   {"a\nb\nc\n", "a\nb\nc\n", 2, true},
		"grown":                  {"a\nb\nc\n", "a\nb\nc\nd\n", 2, true},
		"changed after":          {"a\nb\nc\n", "a\nb\nx\n", 2, true},
		"changed before":         {"a\nb\nc\n", "a\nx\nc\n", 2, false},
		"cut":                    {"a\nb\nc\n", "a\n", 2, false},
		"emptied":                {"a\nb\nc\n", "", 2, false},
		"nothing read":           {"a\nb\nc\n", "x\n", 0, true},
		"long, head changed":     {long, "x" + long[1:], 1900, false},
		"long, tail changed":     {long, long[:1899*11] + "x" + long[1899*11+1:], 1900, false},
		"long, changed after":    {long, long[:1900*11] + "x" + long[1900*11+1:], 1900, true},
		"long, copied and grown": {long, long + long, 1900, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := connectortest.NewHost(t, 0, 1, 1)
			path := file(t, c.text)
			s := mustOpen(t, h, path, false, nil)
			readAll(t, s, &connectortest.Emitter{}, c.reads)
			st := snapshot(t, s)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			write(t, path, c.later)
			s, err := openSource(h, path, false, st)
			if c.ok != (err == nil) {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				if f := fault.As(err); f.Kind != fault.User || f.Code != singlefile.CodeChanged || f.Hint == "" {
					t.Errorf("got %+v", f)
				}
				return
			}
			s.Close()
		})
	}
}

func TestFileCutWhileItIsRead(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 1)
	path := file(t, "a\nb\nc\n")
	s := mustOpen(t, h, path, false, nil)
	readAll(t, s, &connectortest.Emitter{}, 2)
	if err := os.Truncate(path, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Snapshot(connectortest.NewState()); !fault.Is(err, singlefile.CodeChanged) {
		t.Errorf("a checkpoint gave %v", err)
	}
	var err error
	for range 5 {
		if _, err = s.Read(context.Background(), &connectortest.Emitter{}); err != nil {
			break
		}
	}
	if !fault.Is(err, singlefile.CodeChanged) {
		t.Errorf("reading on gave %v", err)
	}
}

func TestAFinishedFileNeedNotExistAnyMore(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 10)
	path := file(t, "a\n")
	s := mustOpen(t, h, path, false, nil)
	readAll(t, s, &connectortest.Emitter{}, 3)
	st := snapshot(t, s)
	os.Remove(path)
	s = mustOpen(t, h, path, false, st)
	out := &connectortest.Emitter{}
	if !readAll(t, s, out, 1) || out.Len() != 0 {
		t.Error("a finished file was read again")
	}
	if again := snapshot(t, s); !reflect.DeepEqual(again, st) {
		t.Error("the state of a finished file changed")
	}
}

func TestSourcesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none"):      "there is no file",
		dir:                             "is a directory",
		"/dev/null":                     "not a file",
		filepath.Join(file(t, ""), "x"): "where a directory is needed",
		strings.Repeat("x", 5000):       "cannot be followed",
	} {
		_, err := openSource(connectortest.NewHost(t, 0, 1, 1), path, false, nil)
		if f := fault.As(err); err == nil || f.Kind != fault.User || f.Hint == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v", path, err)
		}
	}
	if os.Geteuid() == 0 {
		t.Log("running as root: an unreadable file cannot be made; TestExplain covers its message")
		return
	}
	path := file(t, "a")
	os.Chmod(path, 0)
	if _, err := openSource(connectortest.NewHost(t, 0, 1, 1), path, false, nil); fault.As(err).Kind != fault.User || !strings.Contains(err.Error(), "may not be read") {
		t.Errorf("got %v", err)
	}
}

func TestEmptyFile(t *testing.T) {
	out := &connectortest.Emitter{}
	if !readAll(t, mustOpen(t, connectortest.NewHost(t, 0, 1, 1), file(t, ""), false, nil), out, 1) || out.Len() != 0 {
		t.Error("an empty file gave rows")
	}
}

func TestLongLines(t *testing.T) {
	big := strings.Repeat("y", 10<<20)
	out := &connectortest.Emitter{}
	if !readAll(t, mustOpen(t, connectortest.NewHost(t, 0, 1, 8192), file(t, "a\n"+big+"\nb\n"), false, nil), out, 10) {
		t.Fatal("no end")
	}
	if got := values(out); len(got) != 3 || got[1] != big || got[2] != "b" {
		t.Errorf("got %d rows", len(got))
	}
}

func TestPathsThatAreRefusedInThePlan(t *testing.T) {
	for _, path := range []string{"", "dir/", "/dev/stdin", "/dev/stdout", "a\x00b"} {
		raw := map[string]connector.Raw{"path": connector.StringValue(path), "type": connector.StringValue("source")}
		if _, err := singlefile.Declaration().Resolve(connector.Source, raw); err == nil || fault.As(err).Hint == "" {
			t.Errorf("%q: got %v", path, err)
		}
	}
}

func ExampleDeclaration() {
	fmt.Println(singlefile.Declaration().Description(map[string]string{"path": "a.json"}))
	// Output: SingleFile<a.json>
}
