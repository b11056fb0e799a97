package local_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wadi/worker/local/capture"
)

// everyType has, for each type of a column, how values of it are drawn as JSON. Values come again, in several spellings.
var everyType = map[string]func(r *rand.Rand) string{
	"BOOLEAN":  func(r *rand.Rand) string { return oneOf(r, "true", "false") },
	"TINYINT":  func(r *rand.Rand) string { return oneOf(r, "-128", "127", "0", `"0"`, "0.5") },
	"SMALLINT": func(r *rand.Rand) string { return oneOf(r, "-32768", "32767", "7") },
	"INT":      func(r *rand.Rand) string { return oneOf(r, "-2147483648", "2147483647", "7") },
	"BIGINT":   func(r *rand.Rand) string { return oneOf(r, "-9223372036854775808", "9223372036854775807", "7") },

	"TINYINT UNSIGNED":  func(r *rand.Rand) string { return oneOf(r, "0", "255", "128") },
	"SMALLINT UNSIGNED": func(r *rand.Rand) string { return oneOf(r, "0", "65535", "32768") },
	"INT UNSIGNED":      func(r *rand.Rand) string { return oneOf(r, "0", "4294967295", "2147483648") },
	"BIGINT UNSIGNED":   func(r *rand.Rand) string { return oneOf(r, "0", "18446744073709551615", "9223372036854775808") },

	"FLOAT":  func(r *rand.Rand) string { return oneOf(r, "0.1", "-1.5", "3.4e38", "16777217") },
	"DOUBLE": func(r *rand.Rand) string { return oneOf(r, "0.1", "-1.5", "1.7e308", "9007199254740993") },
	"DECIMAL(38,2)": func(r *rand.Rand) string {
		return oneOf(r, "0.01", `"0.010"`, "-999999999999999999999999999999999999.99", "999999999999999999999999999999999999.99")
	},
	"DECIMAL(5,-2)": func(r *rand.Rand) string { return oneOf(r, "100", "123", "-9999900") },
	"TEXT": func(r *rand.Rand) string {
		return oneOf(r, `""`, `"a"`, `"\u0061"`, `"żółw, which is longer than twelve"`)
	},
	"BYTEA": func(r *rand.Rand) string { return oneOf(r, `""`, `"AP8="`, `"AP8"`, `"AAECAwQFBgcICQoLDA0ODw=="`) },
	"TIMESTAMP": func(r *rand.Rand) string {
		return oneOf(r, `"1960-01-01T00:00:00.5"`, `"2024-01-01"`, `"2024-01-01T01:00:00+01:00"`, "1")
	},
	"TIMESTAMP(0)": func(r *rand.Rand) string { return oneOf(r, `"1960-01-01T00:00:00.5"`, `"1960-01-01"`, "0") },
	"TIMESTAMP(3)": func(r *rand.Rand) string { return oneOf(r, `"1969-12-31T23:59:59.9999"`, "-1", "0") },
	"TIMESTAMP(6)": func(r *rand.Rand) string { return oneOf(r, `"1969-12-31T23:59:59.999999"`, "-1", "0") },
	"TIMESTAMPTZ": func(r *rand.Rand) string {
		return oneOf(r, `"2024-01-01T00:00:00Z"`, `"2024-01-01T02:00:00+02:00"`, `"1900-01-01"`)
	},
	"TIMESTAMPTZ(3)": func(r *rand.Rand) string {
		return oneOf(r, `"2024-01-01T00:00:00.123Z"`, "1704067200123", `"1900-01-01"`)
	},
	"DATE": func(r *rand.Rand) string { return oneOf(r, `"2024-02-29"`, "19782", "1709164800000", `"0001-01-01"`) },
	"TIME": func(r *rand.Rand) string {
		return oneOf(r, `"12:34:56.789"`, "45296789", `"00:00"`, `"23:59:59.999999999"`)
	},
	"INTERVAL": func(r *rand.Rand) string { return oneOf(r, `"1 day"`, `"-1 mons"`, `"00:00:01"`, `"1 second"`) },
	"UUID": func(r *rand.Rand) string {
		return oneOf(r, `"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"`, `"{a0eebc999c0b4ef8bb6d6bb9bd380a11}"`, `"b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`)
	},
	"JSON":                  func(r *rand.Rand) string { return oneOf(r, `{"a": 1}`, `{"a":1}`, `"x"`, "[]") },
	"BIGINT[]":              func(r *rand.Rand) string { return oneOf(r, "[]", "[1,null]", "[1]", "[ 1 ]") },
	"TEXT[][]":              func(r *rand.Rand) string { return oneOf(r, "[]", `[[],null,["a"]]`, `[["a"]]`) },
	"STRUCT<a INT, b TEXT>": func(r *rand.Rand) string { return oneOf(r, "{}", `{"b":"x","a":1}`, `{"a":1,"b":"x","c":5}`) },
	"STRUCT<l DATE[], m MAP<TEXT, TIME>>": func(r *rand.Rand) string {
		return oneOf(r, `{"l":["2024-01-01"],"m":{"a":1000}}`, `{"l":[19723],"m":{"a":"00:00:01"}}`, `{"l":null}`)
	},
	"MAP<TEXT, BIGINT>": func(r *rand.Rand) string {
		return oneOf(r, "{}", `{"a":1,"b":null}`, `{"b":2,"a":1}`, `{"a":5,"b":2,"a":1}`)
	},
	"MAP<BIGINT, UUID>": func(r *rand.Rand) string {
		return oneOf(r, "{}", `{"1":"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}`, `{"1":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}`)
	},
	"MAP<TEXT, STRUCT<x INT>>": func(r *rand.Rand) string { return oneOf(r, "{}", `{"a":{"x":1}}`, `{"a":null}`) },
}

func oneOf(r *rand.Rand, values ...string) string { return values[r.IntN(len(values))] }

// TestEveryTypeEverywhere uses a column of each type as a group key, a join key and so on, and compares the results with
// what the values say when they are printed: two values are equal if they print alike.
func TestEveryTypeEverywhere(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(everyType)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			oneType(t, name, everyType[name])
		})
	}
}

func oneType(t *testing.T, name string, draw func(*rand.Rand) string) {
	r := rand.New(rand.NewPCG(5, uint64(len(name))))
	dir := t.TempDir()
	var lines strings.Builder
	const rows = 24
	for id := range rows {
		at := time.Date(2024, 1, 1, 0, 0, id, 0, time.UTC).Format(time.RFC3339)
		switch v := draw(r); r.IntN(6) {
		case 0:
			fmt.Fprintf(&lines, "{\"id\":%d,\"at\":%q}\n", id, at)
		default:
			fmt.Fprintf(&lines, "{\"id\":%d,\"at\":%q,\"v\":%s}\n", id, at, v)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "t"), []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &corpus{dir: dir, data: "no data", tables: "CREATE TABLE t (id BIGINT NOT NULL, at TIMESTAMP NOT NULL, v " + name + ", WATERMARK FOR at) " +
		"WITH (connector = 'single_file', path = '$dir/t', type = 'source', format = 'json'); "}
	run := func(query string) []map[string]json.RawMessage {
		t.Helper()
		var first string
		for i, v := range []capture.Variant{{Parallelism: 1, Batch: 8192, Seed: 1}, {Parallelism: 3, Batch: 3, Restore: 2, Seed: 2}} {
			got, err := c.simulate(c.text(query), v)
			if err != nil {
				t.Fatalf("%s: %s", query, c.show(err, c.text(query)))
			}
			if i > 0 && got != first {
				t.Fatalf("%s: %s gives\n%s\ninstead of\n%s", query, v, got, first)
			}
			first = got
		}
		return decoded(t, first)
	}
	counts := map[string]int{}
	for _, row := range run("SELECT id, v FROM t") {
		counts[string(row["v"])]++
	}
	want := slices.Sorted(maps.Values(counts))
	for _, query := range []string{
		"SELECT v, count(*) AS n FROM t GROUP BY v", "SELECT v, n FROM (SELECT v, count(*) AS n FROM t GROUP BY v) WHERE n > 0",
		"SELECT v, count(*) AS n FROM (SELECT DISTINCT id, v FROM t) GROUP BY v",
	} {
		var got []int
		for _, row := range run(query) {
			n := 0
			if err := json.Unmarshal(row["n"], &n); err != nil {
				t.Fatal(err)
			}
			got = append(got, n)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: groups of %v rows, want %v", query, got, want)
		}
	}
	pairs := 0
	for v, n := range counts {
		if v != "null" {
			pairs += n * n
		}
	}
	if got := len(run("SELECT a.id, b.id AS other FROM t a JOIN t b ON a.v = b.v")); got != pairs {
		t.Errorf("a join gives %d pairs, want %d", got, pairs)
	}
	for _, query := range []string{
		"SELECT v, count(*) AS n FROM t GROUP BY v, tumble(INTERVAL '7' SECOND)", "SELECT v, count(*) AS n FROM t GROUP BY v, hop(INTERVAL '2' SECOND, INTERVAL '6' SECOND)",
		"SELECT v, count(*) AS n FROM t GROUP BY v, session(INTERVAL '2' SECOND)", "SELECT DISTINCT v FROM t", "SELECT count(DISTINCT v) AS n FROM t",
		"SELECT array_agg(v ORDER BY id) AS l FROM t", "SELECT first_value(v ORDER BY id) AS f, last_value(v ORDER BY id) AS l FROM t GROUP BY id % 3",
		"SELECT id, v FROM t ORDER BY v, id LIMIT 5", "SELECT id, v FROM t ORDER BY v DESC NULLS LAST, id LIMIT 5",
		"SELECT id, lag(v) OVER (ORDER BY at) AS p, lead(v) OVER (ORDER BY at) AS n FROM t", "SELECT id, v, row_number() OVER (PARTITION BY v ORDER BY id) AS n FROM t",
		"SELECT id FROM t a WHERE v IN (SELECT v FROM t WHERE id < 5)", "SELECT id FROM t a WHERE NOT EXISTS (SELECT 1 FROM t b WHERE b.v = a.v AND b.id < a.id)",
		"SELECT v FROM t WHERE id < 10 INTERSECT SELECT v FROM t WHERE id >= 10", "SELECT v FROM t EXCEPT SELECT v FROM t WHERE id > 3",
		"SELECT a.v, b.v AS w FROM t a LEFT JOIN t b ON a.id = b.id + 1", "SELECT a.v, b.v AS w FROM t a FULL JOIN t b ON a.v IS NOT DISTINCT FROM b.v AND a.id = b.id + 3",
		"SELECT coalesce(v, v) AS a, CASE WHEN id > 3 THEN v END AS b, v = v AS c, v IS DISTINCT FROM v AS d, nullif(v, v) AS e FROM t", "SELECT TRY_CAST(v AS TEXT) AS t FROM t",
		"CREATE TABLE m (v " + name + " DEFAULT NULL); INSERT INTO m SELECT v FROM t; SELECT v FROM m", "SELECT named_struct('v', v) AS s, make_array(v) AS l, count(*) AS n FROM t GROUP BY 1, 2",
	} {
		run(query)
	}
}

func decoded(t *testing.T, lines string) []map[string]json.RawMessage {
	t.Helper()
	var out []map[string]json.RawMessage
	for l := range strings.Lines(lines) {
		var row map[string]json.RawMessage
		if strings.HasPrefix(l, "{") {
			if err := json.Unmarshal([]byte(l), &row); err != nil {
				t.Fatalf("%v in %s", err, l)
			}
			out = append(out, row)
		}
	}
	return out
}
