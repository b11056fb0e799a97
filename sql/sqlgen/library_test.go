package sqlgen_test

import (
	"testing"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/expr"
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
