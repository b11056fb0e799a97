package expr_test

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

// testClock stands at the time that the examples of now() and its relatives show.
var testClock = clock.NewVirtual(time.Date(2024, 2, 3, 4, 5, 6, 789e6, time.UTC))

// oneRow is a batch of one row without columns.
func oneRow() *column.Batch { return &column.Batch{N: 1, Time: []int64{0}} }

// textOf evaluates n over one row and gives its value cast to text.
func textOf(t testing.TB, n *expr.Node) (string, error) {
	t.Helper()
	text, err := expr.CastTo(n, arrow.BinaryTypes.String, false, fault.Span{})
	if err != nil {
		return "", err
	}
	e, err := expr.Compile([]*expr.Node{text}, nil, expr.Builtin(), expr.WithClock(testClock))
	if err != nil {
		t.Fatalf("%s: %v", expr.Format(n), err)
	}
	out, err := e.Eval(oneRow())
	if err != nil {
		return "", err
	}
	if !out[0].Validity().IsValid(0) {
		return "NULL", nil
	}
	return string(out[0].(*column.Bytes).At(0)), nil
}

func TestEveryExampleGivesItsResult(t *testing.T) {
	fs := expr.Builtin()
	for _, name := range fs.Names() {
		d, ok := fs.Doc(name)
		if !ok || d.Summary == "" || d.Example == "" || len(d.Signatures) == 0 || d.Category == "" {
			t.Errorf("%s: the declaration is not complete: %+v", name, d)
			continue
		}
		n, err := parse(fs, nil, d.Example)
		if err != nil {
			t.Errorf("%s: %s: %v (%s)", name, d.Example, err, fault.As(err).Hint)
			continue
		}
		got, err := textOf(t, n)
		if err != nil {
			t.Errorf("%s: %s: %v", name, d.Example, err)
			continue
		}
		if got != d.Result {
			t.Errorf("%s: %s gives %q, the declaration says %q", name, d.Example, got, d.Result)
		}
		if folded, err := textOf(t, expr.Fold(n)); err != nil || folded != got {
			t.Errorf("%s: %s gives %q folded, %v", name, d.Example, folded, err)
		}
	}
}
