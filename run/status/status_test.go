package status_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"wadi/run/status"
)

func TestBlockShowsRatesAndBusiest(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 10, 0, time.UTC)
	a := status.Sample{At: at.Add(-2 * time.Second), RowsIn: 1000, Operators: []status.Operator{{Name: "window", Busy: time.Second, Subtasks: 2}}}
	b := status.Sample{
		At: at, State: "Running", RowsIn: 2_001_000, RowsOut: 10, Watermark: at.Add(-3 * time.Second).UnixNano(), HasWatermark: true,
		StateBytes: 5 << 20, Epoch: 4, CheckpointAt: at.Add(-time.Second), LateRows: 1234,
		Operators: []status.Operator{{Name: "window", Busy: 3 * time.Second, Subtasks: 2}, {Name: "sink", Busy: time.Millisecond, Subtasks: 1}},
	}
	text := strings.Join(status.Block(a, b, "q", 80, false), "\n")
	for _, want := range []string{"2,001,000", "1,000,000/s", "3s behind", "5.0 MiB", "4, 1s ago", "window (50%)", "1,234 late rows dropped"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if l := status.Line(a, b); strings.Contains(l, "\n") || !strings.Contains(l, "1,000,000/s") {
		t.Errorf("line is %q", l)
	}
	for _, l := range status.Block(a, b, "a very long name", 20, true) {
		if n := len([]rune(strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "", "\x1b[33m", "").Replace(l))); n > 20 {
			t.Errorf("%d columns in %q", n, l)
		}
	}
}

func TestScreenErasesWhatItDrew(t *testing.T) {
	var out bytes.Buffer
	s := status.Screen{W: &out}
	s.Draw([]string{"a", "b"})
	s.Draw([]string{"c"})
	s.Clear()
	s.Clear()
	if got, want := out.String(), "a\nb\n\x1b[2A\x1b[Jc\n\x1b[1A\x1b[J"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}
