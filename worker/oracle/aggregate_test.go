package oracle_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"wadi/worker/local/capture"
)

// aggregateCases lists aggregates over the columns v and i (integers with many equal ones), f (floats), m (decimals), s
// (text), b (booleans) and ts. A case with DISTINCT in it is only tried as it is.
const aggregateCases = `
	count(*)
	count(v)
	count(s)
	count(b)
	count(DISTINCT f)
	count(DISTINCT m)
	count(DISTINCT b)
	count(DISTINCT ts)
	sum(v)
	sum(i)
	sum(f)
	sum(m)
	avg(v)
	avg(i)
	avg(f)
	round(CAST(avg(m) AS DOUBLE), 4) ::: round(avg(m), 4)
	min(v)
	max(v)
	min(f)
	max(f)
	min(m)
	max(m)
	min(s)
	max(s)
	min(ts)
	max(ts)
	min(b)
	max(b)
	bit_and(v)
	bit_or(v)
	bit_xor(v)
	bit_xor(i)
	bool_and(b)
	bool_or(b)
	median(f)
	percentile_cont(0.25) WITHIN GROUP (ORDER BY v)
	percentile_cont(0.9) WITHIN GROUP (ORDER BY f)
	percentile_disc(0.5) WITHIN GROUP (ORDER BY v)
	percentile_disc(0) WITHIN GROUP (ORDER BY s)
	percentile_disc(1) WITHIN GROUP (ORDER BY m)
	stddev(v) ::: stddev_samp(v)
	stddev_pop(f)
	var(f) ::: var_samp(f)
	var_pop(v)
	covar_samp(v, f)
	covar_pop(f, i)
	corr(v, f)
	regr_count(v, f)
	regr_avgx(v, f)
	regr_avgy(v, f)
	regr_sxx(v, f)
	regr_syy(v, f)
	regr_sxy(v, f)
	regr_slope(v, f)
	regr_intercept(v, f)
	regr_r2(v, f)
	string_agg(s, ',' ORDER BY id)
	string_agg(DISTINCT s, ',' ORDER BY s)
	array_agg(v ORDER BY id)
	array_agg(s ORDER BY s DESC NULLS LAST, id)
	array_agg(DISTINCT v ORDER BY v DESC NULLS FIRST)
	first_value(v ORDER BY id) ::: first(v ORDER BY id)
	last_value(s ORDER BY id) ::: last(s ORDER BY id)
	first_value(v ORDER BY f NULLS LAST, id DESC) ::: first(v ORDER BY f NULLS LAST, id DESC)
	nth_value(v, 3 ORDER BY id) + 0 ::: array_agg(v ORDER BY id)[3]
	first_value(v ORDER BY id) IGNORE NULLS ::: first(v ORDER BY id) FILTER (WHERE v IS NOT NULL)
	last_value(b ORDER BY id) IGNORE NULLS ::: last(b ORDER BY id) FILTER (WHERE b IS NOT NULL)
	array_agg(s ORDER BY id DESC) IGNORE NULLS ::: array_agg(s ORDER BY id DESC) FILTER (WHERE s IS NOT NULL)
	array_agg(i ORDER BY f DESC NULLS FIRST, id) FILTER (WHERE b) ::: array_agg(i ORDER BY f DESC NULLS FIRST, id) FILTER (WHERE b)
	array_agg(v ORDER BY id)[2:3] ::: array_agg(v ORDER BY id)[2:3]
	string_agg(v, ' ' ORDER BY v DESC, id) ::: string_agg(CAST(v AS VARCHAR), ' ' ORDER BY v DESC, id)
	string_agg(b, ' ' ORDER BY id) ::: string_agg(CAST(b AS VARCHAR), ' ' ORDER BY id)
	date_part('epoch', sum(ts - TIMESTAMP '1970-01-01')) ::: sum(epoch(ts))
	round(date_part('epoch', avg(ts - TIMESTAMP '1970-01-01')), 4) ::: round(avg(epoch(ts)), 4)
	date_part('epoch', max(ts - TIMESTAMP '1970-01-01')) ::: max(epoch(ts))
	sum(DISTINCT m) ::: sum(DISTINCT m)
	every(b) ::: bool_and(b)
	var_sample(f) ::: var_samp(f)
	var_population(DISTINCT v) ::: var_pop(DISTINCT v)
	covar(v, f) ::: covar_samp(v, f)
	mean(f) ::: avg(f)
	approx_distinct(v) ::: count(DISTINCT v)
	approx_distinct(s) ::: count(DISTINCT s)
	abs(approx_median(f) - median(f)) <= 0.001 * abs(median(f)) ::: CASE WHEN count(f) > 0 THEN true END
	abs(approx_percentile_cont(0.75) WITHIN GROUP (ORDER BY f) - percentile_cont(0.75) WITHIN GROUP (ORDER BY f)) <= 0.001 * abs(percentile_cont(0.75) WITHIN GROUP (ORDER BY f)) ::: CASE WHEN count(f) > 0 THEN true END
	mode(v) = any(array_agg(v)) ::: CASE WHEN count(v) > 0 THEN true END
	percentile_disc(0.3) WITHIN GROUP (ORDER BY s DESC)
	percentile_cont(0.5) WITHIN GROUP (ORDER BY i DESC)
	count(*) FILTER (WHERE v > 0 AND b)
	sum(v) + count(*) * 2
	sum(CASE WHEN b THEN v ELSE -v END)
	max(v) - min(i)
`

// aggregateColumns are those of the aggregates' table, with their types in both engines.
func aggregateColumns() (names []string, wadi, duck string, quoted []bool) {
	names = []string{"id", "g", "v", "i", "f", "m", "s", "b", "ts"}
	quoted = []bool{false, false, false, false, false, true, true, false, true}
	wadi = "id BIGINT NOT NULL, g INT, v BIGINT, i INT, f DOUBLE, m DECIMAL(12,2), s TEXT, b BOOLEAN, ts TIMESTAMP"
	duck = "id BIGINT, g INTEGER, v BIGINT, i INTEGER, f DOUBLE, m DECIMAL(12,2), s VARCHAR, b BOOLEAN, ts TIMESTAMP"
	return names, wadi, duck, quoted
}

func aggregateRows(r *rand.Rand, n int) [][]*string {
	draws := []func() string{
		func() string { return strconv.Itoa(r.IntN(5)) },
		func() string { return strconv.Itoa(r.IntN(21) - 10) },
		func() string { return strconv.Itoa(r.IntN(2000) - 1000) },
		func() string { return strconv.FormatFloat(float64(r.IntN(400))/8-10, 'f', -1, 64) },
		func() string { return fmt.Sprintf("%d.%02d", r.IntN(1000), r.IntN(3)*25) },
		func() string { return []string{"a", "b", "", "ab", "é", "日本", "B"}[r.IntN(7)] },
		func() string { return strconv.FormatBool(r.IntN(3) > 0) },
		func() string {
			return time.Unix(r.Int64N(20)*86400-10*86400, 0).UTC().Format("2006-01-02T15:04:05")
		},
	}
	rows := make([][]*string, n)
	for k := range rows {
		id := strconv.Itoa(k)
		rows[k] = []*string{&id}
		for _, draw := range draws {
			v := draw()
			if r.IntN(6) == 0 {
				rows[k] = append(rows[k], nil)
			} else {
				rows[k] = append(rows[k], &v)
			}
		}
	}
	return rows
}

func TestAggregates(t *testing.T) {
	s := startSecond(t)
	names, wadi, duck, quoted := aggregateColumns()
	for round := range *rounds {
		seed := *firstSeed + uint64(round)
		r := rand.New(rand.NewPCG(seed, 23))
		rows := aggregateRows(r, []int{60, 0, 1, 200, 7}[round%5])
		path := filepath.Join(t.TempDir(), "r.ndjson")
		var lines strings.Builder
		for _, row := range rows {
			lines.WriteString(jsonRow(names, quoted, row) + "\n")
		}
		if err := os.WriteFile(path, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		s.exec("CREATE OR REPLACE TABLE r (" + duck + ")")
		s.fill("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
		tables := "CREATE TABLE r (" + wadi + ") WITH (connector = 'single_file', path = '" + path +
			"', type = 'source', format = 'json');\n"
		for _, c := range split(aggregateCases) {
			t.Run(fmt.Sprintf("%d/%s", seed, c.wadi), func(t *testing.T) {
				for _, shape := range []string{"SELECT %s FROM r", "SELECT g, %s FROM r GROUP BY g", "SELECT s, b, %s FROM r WHERE i > 0 GROUP BY s, b"} {
					ours, theirs := aggregateForms(c.wadi), aggregateForms(c.duck)
					if len(ours) != len(theirs) { // spelled in ways that do not go on in the same ones
						ours, theirs = ours[:1], theirs[:1]
					}
					compareQuery(t, s, tables, fmt.Sprintf(shape, strings.Join(ours, ", ")), fmt.Sprintf(shape, strings.Join(theirs, ", ")), r.Uint64())
				}
			})
		}
	}
}

// aggregateForms gives an aggregate as it is and, for a single call without an order, with DISTINCT and with FILTER.
func aggregateForms(call string) []string {
	forms := []string{call + " AS a"}
	name, args, ok := strings.Cut(call, "(")
	args, rest, _ := strings.Cut(args, ")")
	if ok && name != "round" && name != "abs" && (rest == "" || strings.HasPrefix(rest, " WITHIN GROUP")) && !strings.Contains(args, "CASE") {
		forms = append(forms, call+" FILTER (WHERE i % 2 = 0) AS b1", call+" FILTER (WHERE i > 5000) AS b2")
		if rest == "" && !strings.ContainsAny(args, "*, ") {
			forms = append(forms, name+"(DISTINCT "+args+") AS c", name+"(DISTINCT "+args+") FILTER (WHERE b) AS d")
		}
	}
	return forms
}

// compareQuery runs a query in both engines, ours in a way drawn from a seed.
func compareQuery(t *testing.T, s *second, tables, wadi, duck string, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 29))
	v := capture.Variant{
		Parallelism: 1 + r.IntN(3), Batch: []int{1, 3, 8192}[r.IntN(3)], Restore: r.IntN(4),
		Tick: time.Duration(r.IntN(3)) * 400 * time.Millisecond, Seed: seed,
	}
	ours, err := run(tables+wadi, v)
	if err != nil {
		t.Errorf("%s, with %s, tick %s\n%v", wadi, v, v.Tick, err)
		return
	}
	theirs, err := s.query(duck)
	if err != nil {
		t.Errorf("the second engine: %s\n%v", duck, err)
		return
	}
	nullForNaN(theirs)
	before := t.Failed()
	compareRows(t, ours, theirs)
	if t.Failed() && !before {
		t.Errorf("… from %s, with %s, tick %s", wadi, v, v.Tick)
	}
}

// nullForNaN gives what PostgreSQL says where DuckDB says NaN, since nothing in the rows is NaN: the correlation of one
// pair, for example.
func nullForNaN(rows [][]value) {
	for _, row := range rows {
		for i, v := range row {
			if v.kind == 'f' && v.text == "nan" {
				row[i] = value{}
			}
		}
	}
}
