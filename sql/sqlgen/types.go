package sqlgen

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/sql/ast"
	"wadi/sql/parse"
	"wadi/sql/types"
)

// columnTypes are the types of columns and of values in expressions, by their names.
var columnTypes = []string{
	"BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "TINYINT UNSIGNED", "SMALLINT UNSIGNED", "INT UNSIGNED", "BIGINT UNSIGNED",
	"FLOAT", "DOUBLE", "DECIMAL(12, 2)", "DECIMAL(38, 10)", "TEXT", "BYTEA", "JSON", "UUID", "TIMESTAMP", "TIMESTAMP(0)", "TIMESTAMP(3)",
	"TIMESTAMP(6)", "TIMESTAMP WITH TIME ZONE", "DATE", "TIME", "INTERVAL", "BIGINT[]", "TEXT[]", "BIGINT[][]", "STRUCT<a INT, b TEXT>",
	"MAP<TEXT, BIGINT>",
}

// plainTypes are those that a second engine has as well.
var plainTypes = []string{"BIGINT", "TEXT", "BOOLEAN", "INT", "DECIMAL(12, 2)"}

// argumentTypes are the types with which functions are tried.
var argumentTypes = []string{
	"BOOLEAN", "INT", "BIGINT", "BIGINT UNSIGNED", "DOUBLE", "DECIMAL(12, 2)", "TEXT", "BYTEA", "JSON", "UUID", "TIMESTAMP", "TIMESTAMP(3)",
	"TIMESTAMP WITH TIME ZONE", "DATE", "TIME", "INTERVAL", "BIGINT[]", "TEXT[]", "STRUCT<a INT, b TEXT>", "MAP<TEXT, BIGINT>",
}

// typeOf gives the type of a name; nil if it is none.
func typeOf(name string) arrow.DataType {
	e, err := parse.ParseExpr("CAST(NULL AS " + name + ")")
	if err != nil {
		return nil
	}
	cast, ok := e.(*ast.Cast)
	if !ok {
		return nil
	}
	dt, fault := types.Cast(cast.Type)
	if fault != nil {
		return nil
	}
	return dt
}

// members are the members of a struct type: names and types in turn.
func members(t string) [][2]string {
	inner, ok := strings.CutPrefix(t, "STRUCT<")
	if !ok || !strings.HasSuffix(inner, ">") {
		return nil
	}
	var out [][2]string
	for _, m := range strings.Split(strings.TrimSuffix(inner, ">"), ", ") {
		if name, dt, ok := strings.Cut(m, " "); ok {
			out = append(out, [2]string{name, dt})
		}
	}
	return out
}

// literal writes a constant of a type. small keeps numbers from overflowing at once.
func (s source) literal(t string, small bool) string {
	if s.in(12) {
		return "CAST(NULL AS " + t + ")"
	}
	quoted := func(v string) string { return "'" + strings.ReplaceAll(v, "'", "''") + "'" }
	cast := func(v string) string { return "CAST(" + v + " AS " + t + ")" }
	switch t {
	case "BIGINT":
		return s.number(small)
	case "DOUBLE":
		return pick(s, []string{"0.5", "1.5", "-2.25", "1e3", "CAST('NaN' AS DOUBLE)", "0.0", "CAST(7 AS DOUBLE)"})
	case "TEXT":
		return quoted(s.text())
	case "BOOLEAN":
		return pick(s, []string{"TRUE", "FALSE"})
	case "TIMESTAMP":
		return "TIMESTAMP " + quoted(s.timestamp())
	case "DATE":
		return "DATE " + quoted(s.date())
	case "TIME":
		return "TIME " + quoted(s.clock())
	case "INTERVAL":
		return "INTERVAL " + quoted(s.interval())
	case "BYTEA":
		return pick(s, []string{"X''", "X'00ff'", "X'6162'"})
	case "BIGINT[]":
		return pick(s, []string{"ARRAY[1, 2, 3]", "ARRAY[NULL, 5]", "CAST(make_array() AS BIGINT[])"})
	case "TEXT[]":
		return pick(s, []string{"ARRAY['a', 'b']", "ARRAY['', NULL]"})
	case "MAP<TEXT, BIGINT>":
		return pick(s, []string{"map(ARRAY['a', 'b'], ARRAY[1, 2])", "map(ARRAY['x'], ARRAY[7])"})
	case "STRUCT<a INT, b TEXT>":
		return "STRUCT(CAST(" + s.number(true) + " AS INT) AS a, " + quoted(s.text()) + " AS b)"
	case "JSON":
		return cast(quoted(s.json()))
	case "UUID":
		return cast(quoted(s.uuid()))
	case "BIGINT[][]":
		return "ARRAY[ARRAY[1, 2], ARRAY[3]]"
	}
	switch {
	case strings.HasPrefix(t, "TIMESTAMP"):
		return cast(quoted(s.timestamp()))
	case strings.HasPrefix(t, "DECIMAL"):
		return cast(quoted(s.decimal()))
	case strings.HasSuffix(t, "INT"), strings.Contains(t, "UNSIGNED"), t == "FLOAT":
		return cast(strconv.Itoa(s.n(20)))
	}
	return "CAST(NULL AS " + t + ")"
}

func (s source) number(small bool) string {
	if small || !s.in(8) {
		return strconv.Itoa(s.n(14) - 3)
	}
	return pick(s, []string{"1000000", "9223372036854775807", "-9223372036854775808", "2147483648", "-1"})
}

func (s source) text() string {
	return pick(s, []string{"", "a", "b", "x", "y", "abc", "a b", "A,b,c", "é", "日本", "12", "-3.5", "2024-01-02", "true", "%", "[0-9]+", "it's"})
}

func (s source) timestamp() string {
	return pick(s, []string{
		"2024-01-01T00:00:05", "2024-01-01T00:00:11.5", "2024-02-29T23:59:59.999", "1969-12-31T23:59:59", "1970-01-01T00:00:00", "2024-07-01T12:00:00",
	})
}

func (s source) date() string {
	return pick(s, []string{"2024-01-01", "2024-02-29", "1969-12-31", "2025-12-31"})
}

func (s source) clock() string { return pick(s, []string{"00:00:00", "12:34:56.789", "23:59:59.999"}) }

func (s source) interval() string {
	return pick(s, []string{"1 second", "10 seconds", "1 day", "1 month", "-3 hours", "1 year 2 months 3 days", "0 seconds"})
}

func (s source) decimal() string {
	return pick(s, []string{"0", "1.5", "-2.25", "99.99", "1234567.89", "-0.01"})
}

func (s source) json() string {
	return pick(s, []string{`{"a":1,"b":[1,2,{"c":null}]}`, `[1,"x",true]`, `null`, `"t"`, `12.5`, `{}`})
}

func (s source) uuid() string {
	return pick(s, []string{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"})
}

// value writes a value of a type as JSON; id keeps small numbers apart. It is never null.
func (s source) value(t string) string {
	switch t {
	case "BOOLEAN":
		return pick(s, []string{"true", "false"})
	case "FLOAT", "DOUBLE":
		return pick(s, []string{"0", "1.5", "-2.25", "3", "1e3", "0.1", "7"})
	case "TEXT":
		return strconv.Quote(pick(s, []string{"x", "y", "z", "", "abc", "a b", "é", "12"}))
	case "BYTEA":
		return pick(s, []string{`""`, `"AP8="`, `"YWI="`})
	case "JSON":
		return s.json()
	case "UUID":
		return strconv.Quote(s.uuid())
	case "DATE":
		return strconv.Quote(s.date())
	case "TIME":
		return strconv.Quote(s.clock())
	case "INTERVAL":
		return strconv.Quote(s.interval())
	case "BIGINT[]":
		return pick(s, []string{"[]", "[1]", "[1,2,null]", "[3,3]"})
	case "TEXT[]":
		return pick(s, []string{"[]", `["a"]`, `["a","b",null]`})
	case "BIGINT[][]":
		return pick(s, []string{"[]", "[[1,2],null]", "[[],[3]]"})
	case "STRUCT<a INT, b TEXT>":
		return fmt.Sprintf(`{"a":%d,"b":%q}`, s.n(4), pick(s, []string{"x", "y"}))
	case "MAP<TEXT, BIGINT>":
		return pick(s, []string{"{}", `{"a":1}`, `{"a":2,"b":null}`})
	}
	switch {
	case strings.HasPrefix(t, "TIMESTAMP"):
		return strconv.Quote(s.timestamp())
	case strings.HasPrefix(t, "DECIMAL"):
		return strconv.Quote(fmt.Sprintf("%d.%02d", s.n(20)-10, s.n(100)))
	case strings.Contains(t, "UNSIGNED"):
		return strconv.Itoa(s.n(9))
	}
	return strconv.Itoa(s.n(9) - 2)
}
