package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"wadi/dataflow/fault"
)

func TestRenderPointsAtThePlace(t *testing.T) {
	sql := "SELECT a,\n\tbb FROM t"
	e := fault.Userf("unknown-column", fault.Span{Start: 11, End: 13}, "unknown column %q", "bb").WithHint("did you mean %q?", "b")
	want := "q.sql:2:2: error: unknown column \"bb\"\n  |  bb FROM t\n  |  ^^\n  hint: did you mean \"b\"?\n"
	if got := fault.Render(e, "q.sql", sql); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRenderKeepsControlCharactersFromTheTerminal(t *testing.T) {
	sql := "SELECT \x1b[31mx\x7f"
	got := fault.Render(fault.Userf(fault.CodeSyntax, fault.Span{Start: 7, End: 8}, "no"), "q", sql)
	if strings.ContainsAny(got, "\x1b\x7f") || !strings.Contains(got, "  | SELECT \uFFFD[31mx\uFFFD\n  |        ^\n") {
		t.Errorf("got %q", got)
	}
}

func TestRenderSurvivesOddSpans(t *testing.T) {
	for _, s := range []fault.Span{{Start: 0, End: 1}, {Start: 5, End: 900}, {Start: 900, End: 901}, {Start: 3, End: 3}} {
		if fault.Render(fault.Userf(fault.CodeSyntax, s, "x"), "q", "añb\nc") == "" {
			t.Errorf("nothing rendered for %v", s)
		}
	}
}

func TestIsFindsCodeThroughWrapping(t *testing.T) {
	inner := fault.Transientf(errors.New("refused"), "connect")
	err := fmt.Errorf("outer: %w", &fault.Error{Code: fault.CodeConflict, Message: "lease", Err: inner})
	if !fault.Is(err, fault.CodeIO) || !fault.Is(err, fault.CodeConflict) || fault.Is(err, fault.CodeSyntax) {
		t.Errorf("Is gave the wrong answer for %v", err)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"auction", "bidder", "price", "date_time"}
	for word, want := range map[string]string{
		"acution": "auction", "Price": "price", "pric": "price", "biddr": "bidder", "channel": "", "x": "", "datetime": "date_time",
	} {
		if got := fault.Nearest(word, words); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}
