package stdin_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"wadi/dataflow/connector"
	"wadi/dataflow/connector/connectortest"
	"wadi/dataflow/connector/stdin"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

// source is a source under test with its surroundings.
type source struct {
	t *testing.T
	h *connectortest.Host
	operator.Source
	out connectortest.Emitter
}

func open(t *testing.T, in io.Reader, batch int, drop bool, from *connectortest.State) *source {
	t.Helper()
	h := connectortest.NewHost(t, 0, 1, batch)
	h.Env.IO.Stdin = in
	if from != nil {
		h.Env.Restore = from.Reader()
	}
	s, err := stdin.Declaration().NewSource(connector.SourceConfig{
		Spec: &graph.SourceSpec{Schema: connectortest.TextSchema, Format: graph.FormatSpec{DropBadData: drop}}, Env: h.Env,
		NewDecoder: func() (format.Decoder, error) { return connectortest.NewPlain(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &source{t: t, h: h, Source: s}
}

func (s *source) read() operator.Status {
	s.t.Helper()
	st, err := s.Read(context.Background(), &s.out)
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// readTo reads until there are rows rows or the end; like the runtime, it reads again after a wake-up and after the
// linger time.
func (s *source) readTo(rows int) {
	s.t.Helper()
	for s.out.Len() < rows {
		before := s.out.Len()
		st := s.read()
		if st == operator.Waiting {
			s.h.Clock.Advance(s.h.Env.Linger)
			st = s.read()
		}
		if st == operator.Done {
			return
		}
		if st == operator.Waiting && s.out.Len() == before {
			s.wake()
		}
	}
}

func (s *source) wake() {
	s.t.Helper()
	select {
	case <-s.h.Wakes:
	case <-time.After(10 * time.Second):
		s.t.Fatal("nothing woke the source")
	}
}

func (s *source) stop() {
	s.t.Helper()
	if err := s.Source.(operator.Stopper).Stop(context.Background(), &s.out); err != nil {
		s.t.Fatal(err)
	}
}

func (s *source) snapshot() *connectortest.State {
	s.t.Helper()
	st := connectortest.NewState()
	if err := s.Snapshot(st); err != nil {
		s.t.Fatal(err)
	}
	return st
}

func (s *source) values() []string {
	v := []string{}
	for _, r := range s.out.Rows() {
		_, text, _ := strings.Cut(r, "|")
		v = append(v, strings.Trim(text, `"`))
	}
	return v
}

func (s *source) expect(want ...string) {
	s.t.Helper()
	if got := s.values(); !reflect.DeepEqual(got, append([]string{}, want...)) {
		s.t.Errorf("got rows %q, want %q", got, want)
	}
}

// pipes are the kinds of stream that can be interrupted.
var pipes = map[string]func(t *testing.T) (io.Reader, io.WriteCloser){
	"pollable": func(t *testing.T) (io.Reader, io.WriteCloser) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close(); w.Close() })
		return r, w
	},
	"connection": func(t *testing.T) (io.Reader, io.WriteCloser) {
		r, w := net.Pipe()
		t.Cleanup(func() { r.Close(); w.Close() })
		return r, w
	},
	"blocking": blockingPipe,
}

func eachPipe(t *testing.T, f func(t *testing.T, r io.Reader, w io.WriteCloser)) {
	for kind, open := range pipes {
		t.Run(kind, func(t *testing.T) {
			r, w := open(t)
			f(t, r, w)
		})
	}
}

func TestRowsOfAQuietStreamLeaveAtOnce(t *testing.T) {
	eachPipe(t, func(t *testing.T, r io.Reader, w io.WriteCloser) {
		s := open(t, r, 100, false, nil)
		defer s.Close()
		for i, line := range []string{"a\n", "b\n", "c\n"} {
			io.WriteString(w, line)
			s.wake()
			if st := s.read(); st != operator.Waiting || s.out.Len() != i+1 {
				t.Fatalf("%d rows, %v after line %d", s.out.Len(), st, i+1)
			}
			s.h.Clock.Advance(time.Minute)
		}
		io.WriteString(w, "d\n")
		s.wake()
		s.read()
		io.WriteString(w, "e\n")
		s.wake()
		if s.read(); s.out.Len() != 4 {
			t.Error("a row did not wait for the linger time of the batch before")
		}
		s.h.Clock.Advance(100 * time.Millisecond)
		s.read()
		s.expect("a", "b", "c", "d", "e")
	})
}

func TestEndOfInput(t *testing.T) {
	eachPipe(t, func(t *testing.T, r io.Reader, w io.WriteCloser) {
		s := open(t, r, 2, false, nil)
		defer s.Close()
		go func() {
			io.WriteString(w, "a\nb\r\n\nc\nlast")
			w.Close()
		}()
		s.readTo(100)
		s.expect("a", "b", "", "c", "last")
		if st := s.read(); st != operator.Done {
			t.Errorf("got %v", st)
		}
		again := open(t, strings.NewReader("x\n"), 2, false, s.snapshot())
		defer again.Close()
		again.readTo(1)
		again.expect()
		if len(again.h.Reports()) != 0 {
			t.Errorf("got %v", again.h.Reports())
		}
	})
}

func TestCleanStopLosesNothing(t *testing.T) {
	eachPipe(t, func(t *testing.T, r io.Reader, w io.WriteCloser) {
		s := open(t, r, 2, false, nil)
		io.WriteString(w, "a\nb\nc\nd\ne\nparti")
		s.readTo(2)
		s.stop()
		s.expect("a", "b", "c", "d", "e")
		if st := s.read(); st != operator.Waiting {
			t.Errorf("a stopped source answers %v", st)
		}
		reports := s.h.Reports()
		if len(reports) != 1 || !fault.Is(reports[0], stdin.CodePartialLine) || !strings.Contains(reports[0].Error(), "stdin:6: ") ||
			!strings.Contains(reports[0].Error(), "5 bytes") {
			t.Errorf("got reports %v", reports)
		}
		st := s.snapshot()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// The stream is as it was: what comes now is for the next run.
		written := make(chan struct{})
		go func() {
			io.WriteString(w, "f\n")
			w.Close()
			close(written)
		}()
		next := open(t, r, 2, false, st)
		defer next.Close()
		next.readTo(100)
		next.expect("f")
		<-written
		notice := fault.As(next.h.Reports()[0])
		if notice.Code != stdin.CodeResumed || notice.Kind != fault.User || !strings.Contains(notice.Message, "5 lines") || !strings.Contains(notice.Message, "none is lost") {
			t.Errorf("got %v", notice)
		}
	})
}

func TestCrashIsAnnounced(t *testing.T) {
	s := open(t, strings.NewReader("a\nb\nc\n"), 1, false, nil)
	s.readTo(2)
	st := s.snapshot()
	s.Close()
	next := open(t, strings.NewReader("x\ny\nbad\n"), 1, false, st)
	defer next.Close()
	notice := fault.As(next.h.Reports()[0])
	if notice.Code != stdin.CodeResumed || !strings.Contains(notice.Message, "lines after line 2 that it had read are lost unless they are piped again") {
		t.Errorf("got %v", notice)
	}
	next.readTo(2)
	again := open(t, strings.NewReader(""), 1, false, next.snapshot())
	defer again.Close()
	if m := fault.As(again.h.Reports()[0]).Message; !strings.Contains(m, "lines after line 4") {
		t.Errorf("after two runs: %s", m)
	}
}

func TestBadLines(t *testing.T) {
	text := "ok\nbad\nnul\x00\nutf\xff8\nok\n"
	s := open(t, strings.NewReader(text), 10, false, nil)
	defer s.Close()
	s.wake()
	_, err := s.Read(context.Background(), &s.out)
	if f := fault.As(err); f.Kind != fault.Data || f.Record != (fault.Record{Source: "stdin", Line: 2, Column: "value"}) {
		t.Errorf("got %v", err)
	}
	d := open(t, strings.NewReader(text), 10, true, nil)
	defer d.Close()
	d.readTo(100)
	d.expect("ok", "ok")
	if n := d.h.Env.Metrics.BadRecords.Load(); n != 3 || len(d.h.Reports()) != 3 {
		t.Errorf("counted %d, reported %v", n, d.h.Reports())
	}
}

func TestMuchInput(t *testing.T) {
	eachPipe(t, func(t *testing.T, r io.Reader, w io.WriteCloser) {
		const lines = 20_000
		go func() {
			for range lines / 100 {
				io.WriteString(w, strings.Repeat(strings.Repeat("z", 200)+"\n", 100))
			}
			w.Close()
		}()
		s := open(t, r, 512, false, nil)
		defer s.Close()
		s.readTo(lines + 1)
		if s.out.Len() != lines || s.h.Env.Metrics.BytesIn.Load() != lines*201 {
			t.Errorf("got %d rows, %d bytes", s.out.Len(), s.h.Env.Metrics.BytesIn.Load())
		}
	})
}

// tap is a reader that always has a line, can be interrupted, and tells of each read.
type tap struct{ reads chan int }

func (r tap) Read(p []byte) (int, error) {
	r.reads <- 1
	return copy(p, "x\n"), nil
}

func (tap) SetReadDeadline(time.Time) error { return nil }

func TestReadAheadIsBounded(t *testing.T) {
	r := tap{make(chan int, 100)}
	s := open(t, r, 10, false, nil)
	// Four blocks wait for the source and one for room among them.
	for range 5 {
		<-r.reads
	}
	s.Close()
	if n := len(r.reads); n != 0 {
		t.Errorf("%d more reads, for nobody", n)
	}
}

// endless is a reader that blocks until the test is over and cannot be interrupted.
type endless struct {
	reading chan struct{}
	over    chan struct{}
}

func (e endless) Read([]byte) (int, error) {
	close(e.reading)
	<-e.over
	return 0, io.EOF
}

func TestCloseDoesNotWaitForAReaderThatCannotBeInterrupted(t *testing.T) {
	e := endless{make(chan struct{}), make(chan struct{})}
	defer close(e.over)
	s := open(t, e, 10, false, nil)
	<-e.reading
	s.stop()
	s.expect()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestARegularFileAndADirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, []byte("a\nb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := open(t, f, 10, false, nil)
	defer s.Close()
	s.readTo(100)
	s.expect("a", "b")

	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	d := open(t, dir, 10, false, nil)
	defer d.Close()
	d.wake()
	if _, err := d.Read(context.Background(), &d.out); fault.As(err) == nil || fault.As(err).Kind != fault.User || !strings.Contains(err.Error(), "directory") {
		t.Errorf("got %v", err)
	}
}

func TestWithoutStandardInput(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 1)
	_, err := stdin.Declaration().NewSource(connector.SourceConfig{Spec: &graph.SourceSpec{}, Env: h.Env,
		NewDecoder: func() (format.Decoder, error) { return connectortest.NewPlain(), nil }})
	if fault.As(err) == nil || fault.As(err).Kind != fault.User {
		t.Errorf("got %v", err)
	}
	other := connectortest.NewHost(t, 1, 2, 1)
	s, err := stdin.Declaration().NewSource(connector.SourceConfig{Spec: &graph.SourceSpec{}, Env: other.Env})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if st, err := s.Read(context.Background(), nil); st != operator.Done || err != nil {
		t.Errorf("another subtask: %v, %v", st, err)
	}
}
