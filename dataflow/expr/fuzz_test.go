package expr_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

// FuzzTextFunctions runs whatever reads text over arbitrary text: nothing may panic, and errors are faults of the user.
func FuzzTextFunctions(f *testing.F) {
	for _, s := range []string{"", "2024-01-01T00:00:00.5+02:00", "1 year -2.5 days 03:04:05", "%Y-%m-%d %H:%M:%S%.3f", "a%b_\\%", "(a|b)*[^c]{2}",
		"-1e-7", "99999999999999999999999999999999999999.5", "\xff\xfe", "añb", "0001-01-01", "Europe/Berlin"} {
		f.Add(s, "a%")
		f.Add("2024", s)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "s", Type: testTypes["text"]}, {Name: "r", Type: testTypes["text"]}}, nil)
	var evaluators []*expr.Evaluator
	for _, text := range []string{
		"s::timestamp", "s::timestamp_s", "s::date", "s::time", "s::interval", "s::double", "s::decimal(38, 10)", "s::bigint", "s::boolean",
		"to_timestamp(s, r)", "to_char(TIMESTAMP '1969-12-31T23:59:59.5', s)", "to_timestamp(to_char(TIMESTAMP '2024-02-29T23:59:59.5', s), s)",
		"s LIKE r", "s ILIKE r", "s SIMILAR TO r", "regexp_replace(s, r, s)", "regexp_match(s, r)", "split_part(s, r, -2)", "substr(s, 2, 3)",
		"substr_index(s, r, -1)", "translate(s, r, 'x')", "btrim(s, r)", "lpad(s, 5, r)", "overlay(s, r, 2)", "initcap(s)", "reverse(s)", "upper(s)",
		"left(s, -1)", "right(s, 2)", "replace(s, r, 'yy')", "levenshtein(s, r)", "decode(s, 'base64')", "decode(s, r)",
		"TIMESTAMP '2024-01-01T00:00:00' AT TIME ZONE s", "date_trunc(s, TIMESTAMP '2024-01-01T00:00:00')", "s::interval * 1.5",
		"TIMESTAMP '2024-01-01T00:00:00' + s::interval", "date_bin(s::interval, TIMESTAMP '1969-01-01T00:00:00')", "s::interval::text",
	} {
		e, err := expr.Compile([]*expr.Node{mustParse(f, schema, text)}, schema, expr.Builtin())
		if err != nil {
			f.Fatal(err)
		}
		evaluators = append(evaluators, e)
	}
	f.Fuzz(func(t *testing.T, s, r string) {
		if len(s)+len(r) > 1000 {
			return
		}
		b := column.NewBuilder(schema, false)
		b.Column(0).(*column.Bytes).AppendString(s)
		b.Column(1).(*column.Bytes).AppendString(r)
		b.AppendTime(0, column.Insert)
		for _, e := range evaluators {
			if _, err := e.Eval(b.Batch()); err != nil {
				if e := fault.As(err); e.Kind != fault.User || strings.Contains(e.Message, "%!") {
					t.Fatalf("%v", err)
				}
			}
		}
	})
}
