package agg_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/state"
)

// callText matches an aggregate as examples write it.
var callText = regexp.MustCompile(`^(\w+)\((DISTINCT )?(.*?)( ORDER BY .*)?\)(?: WITHIN GROUP \((ORDER BY .*)\))?$`)

// bindExample makes a call over the columns x and y from its text, as the planner does.
func bindExample(t *testing.T, text string, types []arrow.DataType) agg.Call {
	t.Helper()
	m := callText.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%q is no call of an aggregate", text)
	}
	u := agg.Use{Name: m[1], Distinct: m[2] != "", WithinGroup: m[5] != ""}
	var cols []int
	if m[3] != "" {
		for _, a := range strings.Split(m[3], ", ") {
			arg, col := argument(t, a, types)
			u.Args, cols = append(u.Args, arg), append(cols, col)
		}
	}
	if order := m[4] + m[5]; order != "" {
		for _, k := range strings.Split(strings.TrimPrefix(strings.TrimSpace(order), "ORDER BY "), ", ") {
			name, desc := strings.CutSuffix(k, " DESC")
			_, col := argument(t, name, types)
			same := -1
			for i, c := range cols {
				if c == col {
					same = i
				}
			}
			u.OrderBy = append(u.OrderBy, agg.SortKey{Type: types[col], Same: same, Desc: desc, NullsFirst: desc})
			cols = append(cols, col)
		}
	}
	r, err := agg.Builtin().ResolveOrdered(u)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	c := agg.Call{
		Name: r.Name, Distinct: u.Distinct, ArgTypes: r.ArgTypes, OrderBy: r.OrderBy, Params: r.Params, Filter: -1, Type: r.Type,
		Nullable: r.Nullable,
	}
	for _, a := range r.Args {
		c.Args = append(c.Args, cols[a])
	}
	return c
}

func argument(t *testing.T, text string, types []arrow.DataType) (agg.Argument, int) {
	t.Helper()
	switch {
	case text == "x":
		return agg.Argument{Type: types[0]}, 0
	case text == "y":
		return agg.Argument{Type: types[1]}, 1
	case strings.HasPrefix(text, "'"):
		return agg.Argument{Type: arrow.BinaryTypes.String, Literal: true, Value: strings.Trim(text, "'")}, -1
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return agg.Argument{Type: arrow.PrimitiveTypes.Int64, Literal: true, Value: n}, -1
	}
	d, err := decimal128.FromString(text, 10, 4)
	if err != nil {
		t.Fatalf("%q is neither a column nor a literal", text)
	}
	return agg.Argument{Type: &arrow.Decimal128Type{Precision: 10, Scale: 4}, Literal: true, Value: d}, -1
}

// parseColumn reads values separated by spaces: BIGINT, DOUBLE, BOOLEAN or TEXT by their looks.
func parseColumn(t *testing.T, text string, as arrow.DataType) column.Appender {
	t.Helper()
	c := column.NewAppender(as)
	for _, v := range strings.Fields(text) {
		var err error
		switch c := c.(type) {
		case column.Appender:
			if v == "null" {
				c.AppendNull()
				continue
			}
		}
		switch c := c.(type) {
		case *column.Fixed[int64]:
			var n int64
			n, err = strconv.ParseInt(v, 10, 64)
			c.Append(n)
		case *column.Fixed[float64]:
			var f float64
			f, err = strconv.ParseFloat(v, 64)
			c.Append(f)
		case *column.Bool:
			c.Append(v == "true")
		case *column.Bytes:
			c.AppendString(v)
		}
		must(t, err)
	}
	return c
}

func typeOfText(text string) arrow.DataType {
	for _, v := range strings.Fields(text) {
		if v == "null" {
			continue
		}
		if _, err := strconv.ParseInt(v, 10, 64); err == nil {
			return arrow.PrimitiveTypes.Int64
		}
		if _, err := strconv.ParseFloat(v, 64); err == nil {
			return arrow.PrimitiveTypes.Float64
		}
		if v == "true" || v == "false" {
			return arrow.FixedWidthTypes.Boolean
		}
		return arrow.BinaryTypes.String
	}
	return arrow.PrimitiveTypes.Int64
}

// evaluate gives an aggregate over columns in text form; where a cast is asked for, the text is read as that type.
func evaluate(t *testing.T, call, x, y string, retract bool) string {
	t.Helper()
	texts := []string{x, y}
	c := bindExample(t, call, []arrow.DataType{typeOfText(x), typeOfText(y)})
	types := []arrow.DataType{typeOfText(x), typeOfText(y)}
	for i, a := range c.Args {
		types[a] = c.ArgTypes[i]
	}
	cols := []column.Vector{parseColumn(t, texts[0], types[0]), parseColumn(t, texts[1], types[1])}
	set, err := agg.Compile([]agg.Call{c}, retract)
	must(t, err)
	g := set.NewGroups(state.NewLayout(nil, set.Words()), 0)
	g.Table.FindOrInsert([]uint64{1}, nil, 1, nil, nil)
	n := cols[0].Len()
	must(t, g.Update(batchOf(nil, cols...), make([]int32, n), column.AllRows(nil, n)))
	out := column.NewAppender(c.Type)
	must(t, g.Result([]int32{0}, []column.Appender{out}))
	return operatortest.Show(out, 0)
}

// Every aggregate has a line of documentation and an example, and the example is true.
func TestExamples(t *testing.T) {
	f := agg.Builtin()
	for _, name := range f.Names() {
		e := f.Example(name)
		if f.Doc(name) == "" || !strings.HasPrefix(e.Call, name+"(") {
			t.Errorf("%s has documentation %q and example %q", name, f.Doc(name), e.Call)
			continue
		}
		for _, retract := range []bool{false, true} {
			if got := evaluate(t, e.Call, e.X, e.Y, retract); got != e.Result {
				t.Errorf("%s over x = %s, y = %s is %s, want %s", e.Call, e.X, e.Y, got, e.Result)
			}
		}
	}
}

func TestCases(t *testing.T) {
	for _, c := range []struct{ call, x, y, want string }{
		{"array_agg(x)", "", "", "null"}, {"array_agg(x)", "null", "", "[null]"}, {"array_agg(x)", "b a b", "", "[b a b]"},
		{"array_agg(DISTINCT x)", "b a b null", "", "[a b null]"}, {"array_agg(DISTINCT x ORDER BY x DESC)", "1 3 3 2", "", "[3 2 1]"},
		{"array_agg(x ORDER BY y, x DESC)", "a b c d", "2 1 1 null", "[c b a d]"}, {"array_agg(x ORDER BY y DESC)", "a b", "1 null", "[b a]"},
		{"string_agg(x, '')", "a b", "", "ab"}, {"string_agg(x, '-')", "null a null", "", "a"}, {"string_agg(DISTINCT x, '-')", "b a b", "", "a-b"},
		{"string_agg(x, '-' ORDER BY y DESC)", "a b c", "1 2 3", "c-b-a"},
		{"first_value(x)", "null 1", "", "null"}, {"last_value(x)", "1 2 3", "", "3"}, {"last_value(x ORDER BY y DESC)", "1 2 3", "1 5 2", "1"},
		{"nth_value(x, 3)", "1 2", "", "null"}, {"nth_value(x, -1)", "1 2", "", "2"}, {"nth_value(DISTINCT x, 2)", "5 5 4", "", "5"},
		{"median(x)", "1 2", "", "1"}, {"median(x)", "-1 -2", "", "-1"}, {"median(x)", "9223372036854775807 9223372036854775805", "", "9223372036854775806"},
		{"median(x)", "-9223372036854775808 9223372036854775807", "", "0"}, {"median(x)", "", "", "null"}, {"median(DISTINCT x)", "1 1 1 2 9", "", "2"},
		{"median(x)", "1e308 1.5e308", "", "1.25e+308"},
		{"percentile_cont(x, 0)", "3 1 2", "", "1"}, {"percentile_cont(x, 1)", "3 1 2", "", "3"},
		{"percentile_cont(0.25) WITHIN GROUP (ORDER BY x DESC)", "1 2 3 5", "", "3.5"},
		{"percentile_disc(0) WITHIN GROUP (ORDER BY x)", "b a", "", "a"}, {"percentile_disc(1) WITHIN GROUP (ORDER BY x)", "b a", "", "b"},
		{"percentile_disc(0.5) WITHIN GROUP (ORDER BY x DESC)", "1 2 3 4", "", "3"},
		{"mode(x)", "2 1", "", "1"}, {"mode() WITHIN GROUP (ORDER BY x DESC)", "2 1", "", "2"}, {"mode(x)", "null null", "", "null"},
		{"bit_and(x)", "-1 null", "", "-1"}, {"bit_or(x)", "null", "", "null"}, {"bit_xor(DISTINCT x)", "5 5 1", "", "4"},
		{"bool_and(x)", "true null", "", "true"}, {"every(x)", "null true", "", "true"}, {"bool_or(x)", "false null", "", "false"},
		{"stddev(x)", "1", "", "null"}, {"stddev_pop(x)", "1", "", "0"}, {"var_pop(x)", "", "", "null"}, {"var(x)", "1000000001 1000000002 1000000003", "", "1"},
		{"var(x)", "1e15 1000000000000001 1000000000000002", "", "1"}, {"var_pop(x)", "1.5 Inf", "", "NaN"}, {"var(DISTINCT x)", "1 1 3", "", "2"},
		{"corr(y, x)", "1 1", "2 3", "null"}, {"corr(y, x)", "1 2", "2 1", "-1"}, {"corr(y, x)", "1 2 null", "2 4 100", "1"},
		{"regr_r2(y, x)", "1 2", "3 3", "1"}, {"regr_r2(y, x)", "1 1", "3 4", "null"}, {"regr_slope(y, x)", "1", "2", "null"},
		{"regr_count(y, x)", "", "", "0"}, {"regr_sxx(y, x)", "", "", "null"}, {"regr_avgy(y, x)", "1 null", "3 5", "3"},
		{"covar(x, y)", "1", "1", "null"}, {"covar_pop(x, y)", "1", "1", "0"}, {"covar_samp(DISTINCT y, x)", "1 1 3", "1 1 3", "2"},
		{"approx_distinct(x)", "null", "", "0"}, {"approx_distinct(x)", "1 2 1", "", "2"}, {"approx_median(x)", "", "", "null"},
		{"approx_percentile_cont(x, 0.5, 100)", "1 2 3 4", "", "2"}, {"approx_median(x)", "-5.0 7.0", "", "1"},
		{"approx_percentile_cont_with_weight(x, y, 0.5)", "1 2 3", "0.5 0.1 0.1", "1"},
		{"approx_percentile_cont_with_weight(x, y, 0.5)", "1 2", "-1 0", "null"},
		{"count(x ORDER BY y)", "1 2", "1 1", "2"},
	} {
		for _, retract := range []bool{false, true} {
			if got := evaluate(t, c.call, c.x, c.y, retract); got != c.want {
				t.Errorf("%s over x = %s, y = %s is %s, want %s", c.call, c.x, c.y, got, c.want)
			}
		}
	}
}
