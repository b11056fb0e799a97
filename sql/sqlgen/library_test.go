package sqlgen_test

import (
	"math/rand/v2"
	"testing"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql"
	"wadi/sql/sqlgen"
)

func library() *sqlgen.Library {
	return sqlgen.New(expr.Builtin(), agg.Builtin(), builtin.Registry(), "stdout")
}

func TestEveryFunctionIsLearnt(t *testing.T) {
	known, unknown := library().Learnt()
	if len(unknown) > 0 {
		t.Errorf("scripts never use %v", unknown)
	}
	t.Logf("%d functions and aggregates", len(known))
}

// FuzzScripts lets the fuzzer choose how a script is made: whatever comes out is planned, or refused with a place and a hint.
func FuzzScripts(f *testing.F) {
	l := library()
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		choices := make([]byte, 200+r.IntN(400))
		for i := range choices {
			choices[i] = byte(r.Uint32())
		}
		f.Add(choices)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		s := l.Steered(choices, sqlgen.Options{})
		plan, problems := sql.Compile(s.Text("/nowhere"), l.Options())
		if (plan == nil) == (len(problems) == 0) {
			t.Fatal("neither a plan nor a diagnostic, or both")
		}
		for _, p := range problems {
			if p.Kind != fault.User || p.Span.IsZero() || p.Hint == "" {
				t.Fatalf("%s fault without a place or a hint: %s\n%s", p.Kind, p.Message, s.Query)
			}
		}
	})
}
