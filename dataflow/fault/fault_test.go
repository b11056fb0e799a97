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

func TestRenderPointsUnderWideCharacters(t *testing.T) {
	for _, c := range []struct{ before, place, pad, carets string }{
		{"SELECT '日本', ", "x", "SELECT 'xxxx', ", "^"},
		{"SELECT ", "\"名前\"", "SELECT ", "^^^^^^"},
		{"SELECT 'é', ", "x", "SELECT 'e', ", "^"},
		{"SELECT 'e\u0301', ", "x", "SELECT 'e', ", "^"},
		{"SELECT '👩\u200d👩\u200d👧', ", "x", "SELECT 'xx', ", "^"},
		{"SELECT '🇩🇪', ", "x", "SELECT 'xx', ", "^"},
		{"SELECT '❤\ufe0f', ", "x", "SELECT 'xx', ", "^"},
		{"SELECT 'ｆｕｌｌ', '한국', ", "x", "SELECT 'xxxxxxxx', 'xxxx', ", "^"},
		{"\tSELECT\t", "x", " SELECT ", "^"},
		{"SELECT '\u202eabc\u00ad', ", "x", "SELECT '.abc.', ", "^"},
	} {
		text := c.before + c.place + " FROM t"
		e := fault.Userf(fault.CodeSyntax, fault.Span{Start: len(c.before), End: len(c.before) + len(c.place)}, "no")
		lines := strings.Split(fault.Render(e, "q", text), "\n")
		want := "  | " + strings.Repeat(" ", len(c.pad)) + c.carets
		if lines[2] != want {
			t.Errorf("%q: got %q, want %q", text, lines[2], want)
		}
	}
}

func TestRenderCutsLongLinesByWhatIsSeen(t *testing.T) {
	text := strings.Repeat("日", 500) + "x" + strings.Repeat("本", 500)
	e := fault.Userf(fault.CodeSyntax, fault.Span{Start: 1500, End: 1501}, "no")
	want := "q:1:501: error: no\n  | " + strings.Repeat("日", 30) + "x" + strings.Repeat("本", 29) + "\n  | " + strings.Repeat(" ", 60) + "^\n"
	if got := fault.Render(e, "q", text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e.Span = fault.Span{Start: 0, End: len(text)}
	if lines := strings.Split(fault.Render(e, "q", text), "\n"); lines[2] != "  | "+strings.Repeat("^", 240) {
		t.Errorf("got %q", lines[2])
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
