package oracle_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// updatingCases lists queries over a changelog c and a second one d.
const updatingCases = `
	SELECT * FROM c
	SELECT id, k, v FROM c WHERE v > 3
	SELECT k FROM c
	SELECT v * 2 AS w, coalesce(k, '-') AS l FROM c WHERE b IS NOT TRUE
	SELECT count(*) AS n FROM c
	SELECT count(*) AS n, count(v) AS nv, sum(v) AS s, min(v) AS lo, max(v) AS hi, avg(v) AS a, sum(m) AS sm FROM c
	SELECT sum(v) AS s, max(k) AS x FROM c WHERE v > 100
	SELECT k, count(*) AS n, sum(v) AS s, min(v) AS lo, max(v) AS hi FROM c GROUP BY k
	SELECT k, g, count(*) AS n, sum(m) AS s, min(k) AS a FROM c GROUP BY k, g
	SELECT k, count(DISTINCT v) AS n, sum(DISTINCT v) AS s, count(DISTINCT g) AS ng FROM c GROUP BY k
	SELECT g, count(*) FILTER (WHERE b) AS n, sum(v) FILTER (WHERE v > 2) AS s, bool_and(b) AS ba, bool_or(b) AS bo FROM c GROUP BY g
	SELECT g, count(DISTINCT v) FILTER (WHERE k = 'x') AS n FROM c GROUP BY g
	SELECT k, array_agg(id ORDER BY id) AS ids, string_agg(k, '+' ORDER BY id) AS ks FROM c GROUP BY k
	SELECT g, median(CAST(v AS DOUBLE)) AS m, stddev_pop(v) AS d FROM c GROUP BY g
	SELECT g, first_value(v ORDER BY id) AS f, last_value(v ORDER BY id) AS l FROM c GROUP BY g ::: SELECT g, first(v ORDER BY id) AS f, last(v ORDER BY id) AS l FROM c GROUP BY g
	SELECT k, count(*) AS n FROM c GROUP BY k HAVING count(*) > 2
	SELECT g, sum(v) AS s FROM c GROUP BY g HAVING sum(v) > 5 OR min(v) IS NULL
	SELECT k, sum(v) + count(*) AS x FROM c WHERE g > 0 GROUP BY k HAVING max(v) > 1
	SELECT DISTINCT k FROM c
	SELECT DISTINCT k, g FROM c WHERE v IS NOT NULL
	SELECT DISTINCT v % 3 AS r FROM c
	SELECT n, count(*) AS groups FROM (SELECT k, count(*) AS n FROM c GROUP BY k) GROUP BY n
	SELECT max(n) AS most, min(s) AS least FROM (SELECT k, count(*) AS n, sum(v) AS s FROM c GROUP BY k)
	SELECT g, sum(n) AS n, count(*) AS kinds FROM (SELECT g, k, count(*) AS n FROM c GROUP BY g, k) GROUP BY g
	SELECT count(*) AS n FROM (SELECT DISTINCT k FROM c)
	SELECT x, count(*) AS n FROM (SELECT g, max(v) AS x FROM c WHERE b GROUP BY g) WHERE x > 1 GROUP BY x
	SELECT count(*) AS n FROM (SELECT m, count(*) AS n FROM (SELECT g, max(v) AS m FROM c GROUP BY g) GROUP BY m)
	SELECT id, v FROM c UNION ALL SELECT id, v FROM d
	SELECT k, sum(v) AS s FROM (SELECT k, v FROM c UNION ALL SELECT k, v FROM d WHERE v > 0) GROUP BY k
	SELECT k, count(*) AS n FROM c GROUP BY k UNION ALL SELECT k, count(*) AS n FROM d GROUP BY k
	SELECT DISTINCT k FROM (SELECT k FROM c UNION ALL SELECT k FROM d)
	WITH a AS (SELECT k, sum(v) AS s FROM c GROUP BY k) SELECT s > 4 AS big, count(*) AS n FROM a GROUP BY s > 4
	SELECT c.id, c.v, d.v AS w FROM c JOIN d ON c.id = d.id
	SELECT c.id, d.k FROM c LEFT JOIN d ON c.k = d.k AND c.v = d.v
	SELECT id FROM c WHERE k IN (SELECT k FROM d WHERE v > 2)
	SELECT k FROM c UNION SELECT k FROM d
	SELECT k FROM c INTERSECT SELECT k FROM d
	SELECT k, g FROM c EXCEPT SELECT k, g FROM d
	SELECT k FROM c INTERSECT ALL SELECT k FROM d
	SELECT k FROM c EXCEPT ALL SELECT k FROM d
	SELECT k, g FROM d EXCEPT ALL SELECT k, g FROM c
	SELECT v FROM c EXCEPT ALL (SELECT v FROM d INTERSECT ALL SELECT g FROM c)
	SELECT k, count(*) AS n FROM (SELECT k FROM c EXCEPT ALL SELECT k FROM d) GROUP BY k
	SELECT id, k FROM c UNION ALL BY NAME SELECT v, id FROM d
	SELECT id, x FROM c, unnest(ARRAY[v, g, NULL]) AS u(x)
	SELECT x, count(*) AS n FROM c, unnest(ARRAY[v, g]) AS u(x) WHERE x IS NOT NULL GROUP BY x
	SELECT id, unnest(ARRAY[v, v, g]) AS x, k FROM c
	SELECT k, unnest(array_agg(id ORDER BY id)) AS id FROM c GROUP BY k
	SELECT id, x FROM c, generate_series(1, coalesce(v, 0)) AS s(x)
	SELECT c.id, t.name FROM c JOIN (VALUES (1, 'one'), (2, 'two'), (2, 'zwei')) AS t(g, name) ON c.g = t.g
	SELECT t.x, c.id FROM (VALUES (1), (2), (99)) AS t(x) LEFT JOIN c ON c.v = t.x
	SELECT id, v FROM c ORDER BY v DESC NULLS LAST, id LIMIT 3
	SELECT CASE WHEN v > 3 THEN 'high' WHEN v IS NULL THEN 'none' ELSE 'low' END AS level, count(*) AS n FROM c GROUP BY 1
`

// overCases lists functions over the ordered rows of c. Orders end with the key, so that they tell all rows apart where that
// matters.
const overCases = `
	SELECT id, row_number() OVER (ORDER BY v, id) AS r FROM c
	SELECT id, row_number() OVER (PARTITION BY k ORDER BY v DESC, id) AS r FROM c
	SELECT id, rank() OVER (PARTITION BY g ORDER BY v) AS r, dense_rank() OVER (PARTITION BY g ORDER BY v) AS d FROM c
	SELECT id, rank() OVER (ORDER BY v DESC NULLS LAST) AS r, percent_rank() OVER (ORDER BY v DESC NULLS LAST) AS p FROM c
	SELECT id, cume_dist() OVER (PARTITION BY k ORDER BY v) AS c, ntile(3) OVER (PARTITION BY k ORDER BY v, id) AS n FROM c
	SELECT id, ntile(2) OVER (ORDER BY id DESC) AS n FROM c
	SELECT id, lag(v) OVER (PARTITION BY k ORDER BY id) AS a, lead(v, 2) OVER (PARTITION BY k ORDER BY id) AS b FROM c
	SELECT id, lag(id, 2, -1) OVER (ORDER BY v DESC, id) AS a, lead(k, 1, 'none') OVER (ORDER BY v DESC, id) AS b FROM c
	SELECT id, lag(v IGNORE NULLS) OVER (PARTITION BY g ORDER BY id) AS a, lead(v, 2 IGNORE NULLS) OVER (ORDER BY id) AS b FROM c
	SELECT id, first_value(v) OVER (PARTITION BY k ORDER BY id) AS a, last_value(v) OVER (PARTITION BY k ORDER BY id) AS b, nth_value(v, 2) OVER (PARTITION BY k ORDER BY id) AS n FROM c
	SELECT id, first_value(v IGNORE NULLS) OVER (PARTITION BY k ORDER BY id) AS a, last_value(v IGNORE NULLS) OVER (PARTITION BY k ORDER BY id) AS b FROM c
	SELECT id, nth_value(v, 2 IGNORE NULLS) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING) AS a FROM c
	SELECT id, last_value(v) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS l FROM c
	SELECT id, sum(v) OVER (PARTITION BY k) AS s, count(*) OVER (PARTITION BY k) AS n, max(v) OVER () AS m FROM c
	SELECT id, sum(v) OVER (PARTITION BY k ORDER BY v) AS s, avg(v) OVER (ORDER BY g, id) AS a FROM c
	SELECT id, min(v) OVER (ORDER BY id ROWS 2 PRECEDING) AS lo, max(v) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS hi FROM c
	SELECT id, count(v) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS n, sum(v) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS s FROM c
	SELECT id, count(*) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS n FROM c
	SELECT id, sum(v) OVER (PARTITION BY g ORDER BY v RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS s FROM c
	SELECT id, count(*) OVER (ORDER BY v DESC RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) AS n FROM c
	SELECT id, count(*) OVER (ORDER BY m RANGE BETWEEN 2.5 PRECEDING AND 0.5 FOLLOWING) AS n FROM c ::: SELECT id, count(*) OVER (ORDER BY m RANGE BETWEEN 2.5::DECIMAL(12,2) PRECEDING AND 0.5::DECIMAL(12,2) FOLLOWING) AS n FROM c
	SELECT id, sum(v) OVER (ORDER BY CAST(m AS DOUBLE) RANGE BETWEEN 1.25 PRECEDING AND 1.25 FOLLOWING) AS s FROM c ::: SELECT id, sum(v) OVER (ORDER BY CAST(m AS DOUBLE) RANGE BETWEEN 1.25::DOUBLE PRECEDING AND 1.25::DOUBLE FOLLOWING) AS s FROM c
	SELECT id, count(*) OVER (ORDER BY CAST(m AS DOUBLE) DESC RANGE BETWEEN 3 PRECEDING AND UNBOUNDED FOLLOWING) AS n FROM c ::: SELECT id, count(*) OVER (ORDER BY CAST(m AS DOUBLE) DESC RANGE BETWEEN 3::DOUBLE PRECEDING AND UNBOUNDED FOLLOWING) AS n FROM c
	SELECT id, sum(v) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '2 hours' PRECEDING AND CURRENT ROW) AS s FROM (SELECT id, v, TIMESTAMP '2026-01-01 00:00:00' + v * INTERVAL '1 hour' AS ts FROM c)
	SELECT id, count(*) OVER (ORDER BY d RANGE BETWEEN INTERVAL '36 hours' PRECEDING AND INTERVAL '1 day' FOLLOWING) AS n FROM (SELECT id, CAST(TIMESTAMP '2026-01-01 00:00:00' + v * INTERVAL '1 day' AS DATE) AS d FROM c)
	SELECT id, sum(v) OVER (PARTITION BY g ORDER BY v GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS s FROM c
	SELECT id, count(*) OVER (ORDER BY k DESC GROUPS 1 PRECEDING) AS n FROM c
	SELECT id, sum(v) OVER (ORDER BY v GROUPS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS s FROM c
	SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW) AS s FROM c
	SELECT id, sum(id) OVER (PARTITION BY g ORDER BY v ROWS UNBOUNDED PRECEDING EXCLUDE NO OTHERS) - sum(id) OVER (PARTITION BY g ORDER BY v ROWS UNBOUNDED PRECEDING EXCLUDE NO OTHERS) AS z FROM c
	SELECT id, count(*) OVER (ORDER BY v RANGE UNBOUNDED PRECEDING EXCLUDE GROUP) AS s, sum(id) OVER (ORDER BY v RANGE UNBOUNDED PRECEDING EXCLUDE TIES) AS t FROM c
	SELECT id, max(id) OVER (ORDER BY v GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP) AS m FROM c
	SELECT id, count(*) FILTER (WHERE v > 2) OVER (PARTITION BY k ORDER BY id) AS n, sum(v) FILTER (WHERE b) OVER (PARTITION BY k) AS s FROM c
	SELECT id, count(DISTINCT v) OVER (PARTITION BY g ORDER BY id) AS n, count(DISTINCT k) OVER (PARTITION BY g) AS m FROM c
	SELECT id, string_agg(k, '+') OVER (PARTITION BY g ORDER BY id) AS s, array_agg(v) OVER (ORDER BY id ROWS 2 PRECEDING) AS a FROM c
	SELECT id, median(CAST(v AS DOUBLE)) OVER (PARTITION BY g) AS m, stddev_pop(v) OVER (ORDER BY id) AS d FROM c
	SELECT id, sum(v) OVER w AS s, rank() OVER w AS r, lag(v) OVER w AS l FROM c WINDOW w AS (PARTITION BY g ORDER BY id)
	SELECT id, sum(v) OVER (w ROWS 1 PRECEDING) AS s, count(*) OVER w AS n FROM c WINDOW w AS (PARTITION BY g ORDER BY id)
	SELECT id, v * 100 / nullif(sum(v) OVER (PARTITION BY k), 0) AS share FROM c ::: SELECT id, v * 100 // nullif(sum(v) OVER (PARTITION BY k), 0) AS share FROM c
	SELECT k, sum(v) AS s, sum(sum(v)) OVER (ORDER BY k) AS running, rank() OVER (ORDER BY count(*) DESC) AS r FROM c GROUP BY k
	SELECT g, count(*) AS n, count(*) * 1.0 / sum(count(*)) OVER () AS share FROM c GROUP BY g ::: SELECT g, count(*) AS n, count(*)::DOUBLE / sum(count(*)) OVER () AS share FROM c GROUP BY g
	SELECT id, v FROM c QUALIFY row_number() OVER (PARTITION BY k ORDER BY v DESC NULLS LAST, id) <= 2
	SELECT id FROM c QUALIFY rank() OVER (PARTITION BY g ORDER BY v) = 1
	SELECT id, v FROM c QUALIFY v > avg(v) OVER (PARTITION BY k)
	SELECT k, id FROM (SELECT k, id, row_number() OVER (PARTITION BY k ORDER BY id DESC) AS n FROM c) WHERE n BETWEEN 2 AND 3
	SELECT k, n, id FROM (SELECT k, id, dense_rank() OVER (PARTITION BY k ORDER BY v) AS n FROM c) WHERE n < 3
	SELECT g, max(d) AS most FROM (SELECT g, v - lag(v) OVER (PARTITION BY g ORDER BY id) AS d FROM c) GROUP BY g
	SELECT r, count(*) AS n FROM (SELECT rank() OVER (ORDER BY v) AS r FROM c) GROUP BY r
	SELECT c.id, d.n FROM c JOIN (SELECT id, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM d) AS d ON c.id = d.id
`

// collectingCases lists aggregates that keep their values, combined in all ways, over groups that come and go.
const collectingCases = `
	SELECT g, percentile_cont(0.25) WITHIN GROUP (ORDER BY v) AS a, percentile_disc(0.75) WITHIN GROUP (ORDER BY k) AS b FROM c GROUP BY g
	SELECT k, percentile_disc(0.5) WITHIN GROUP (ORDER BY m DESC) AS a, percentile_cont(0.9) WITHIN GROUP (ORDER BY v) FILTER (WHERE b) AS p FROM c GROUP BY k
	SELECT median(CAST(v AS DOUBLE)) FILTER (WHERE v > 0) AS a, median(CAST(m AS DOUBLE)) AS b, percentile_cont(0) WITHIN GROUP (ORDER BY v) AS lo FROM c
	SELECT g, mode() WITHIN GROUP (ORDER BY v) AS m FROM c GROUP BY g ::: SELECT g, first(v ORDER BY n DESC, v) FILTER (WHERE v IS NOT NULL) AS m FROM (SELECT g, v, count(*) AS n FROM c GROUP BY g, v) GROUP BY g
	SELECT mode() WITHIN GROUP (ORDER BY k) FILTER (WHERE v > 1) AS m FROM c ::: SELECT first(k ORDER BY n DESC, k) FILTER (WHERE k IS NOT NULL) AS m FROM (SELECT k, count(*) AS n FROM c WHERE v > 1 GROUP BY k)
	SELECT g, count(DISTINCT v) FILTER (WHERE b) AS n, sum(DISTINCT v) FILTER (WHERE NOT b) AS s, avg(DISTINCT v) AS a FROM c GROUP BY g
	SELECT k, array_agg(DISTINCT v ORDER BY v DESC NULLS LAST) FILTER (WHERE g > 0) AS l FROM c GROUP BY k
	SELECT k, string_agg(DISTINCT k, '/' ORDER BY k) FILTER (WHERE v IS NOT NULL) AS s, string_agg(CAST(v AS TEXT), '' ORDER BY v, id) AS t FROM c GROUP BY k
	SELECT (array_agg(id ORDER BY v DESC NULLS LAST, id))[2] AS second, array_agg(id ORDER BY id)[1] AS first FROM c
	SELECT g, first_value(id ORDER BY v DESC NULLS LAST, id) AS f, last_value(id ORDER BY v NULLS FIRST, id) FILTER (WHERE b) AS l FROM c GROUP BY g ::: SELECT g, first(id ORDER BY v DESC NULLS LAST, id) AS f, last(id ORDER BY v NULLS FIRST, id) FILTER (WHERE b) AS l FROM c GROUP BY g
	SELECT min(k) AS a, max(m) AS b, min(b) AS c, max(v) FILTER (WHERE v < 0) AS d, min(DISTINCT v) AS e FROM c
	SELECT k, min(v) - max(v) AS spread, max(k) AS k2 FROM c WHERE b GROUP BY k
	SELECT count(*) AS n, sum(v) AS s, array_agg(v) AS l, string_agg(k, ',') AS t, median(CAST(v AS DOUBLE)) AS m FROM c WHERE v > 1000
	SELECT g, k, count(*) AS n, grouping(g, k) AS w FROM c GROUP BY ROLLUP (g, k)
	SELECT g, k, sum(v) AS s FROM c GROUP BY GROUPING SETS ((g), (k), ()) HAVING count(*) > 1
	SELECT bool_and(v > 0) AS a, bool_or(b) AS b, bit_or(v) AS c, bit_xor(v) AS d FROM c WHERE g = 1
	SELECT g, corr(v, id) AS a, stddev_pop(v) AS b, covar_samp(v, id) AS c FROM c GROUP BY g HAVING count(v) > 2
`

// firstCases lists queries for the first rows.
const firstCases = `
	SELECT id, v FROM c ORDER BY v, id LIMIT 4 OFFSET 2
	SELECT id FROM c ORDER BY k DESC, m, id OFFSET 3
	SELECT id, v FROM c QUALIFY rank() OVER (ORDER BY v DESC NULLS LAST) <= 3
	SELECT id, v FROM c ORDER BY v NULLS LAST FETCH FIRST 3 ROWS WITH TIES ::: SELECT id, v FROM c QUALIFY rank() OVER (ORDER BY v NULLS LAST) <= 3
	SELECT v FROM (SELECT v, dense_rank() OVER (PARTITION BY g ORDER BY v) AS d FROM c) WHERE d <= 2
	SELECT g, id FROM (SELECT g, id, row_number() OVER (PARTITION BY g ORDER BY m DESC, id) AS n FROM c) WHERE n = 1
	SELECT g, id, n FROM (SELECT g, id, row_number() OVER (PARTITION BY g ORDER BY v, id) AS n FROM c) WHERE n < 4 AND n > 1
	SELECT DISTINCT ON (k) k, id, v FROM c ORDER BY k, v DESC NULLS LAST, id
	SELECT DISTINCT ON (k, g) id FROM c ORDER BY k, g, m, id
	SELECT k FROM c GROUP BY k ORDER BY count(*) DESC, k LIMIT 2
	SELECT k, sum(v) AS s FROM c GROUP BY k ORDER BY 2 DESC NULLS LAST, 1 LIMIT 1
	SELECT sum(v) AS s, count(*) AS n FROM (SELECT v FROM c ORDER BY v DESC NULLS LAST, id LIMIT 5)
	SELECT id FROM c WHERE v IN (SELECT v FROM d ORDER BY v DESC NULLS LAST, id LIMIT 3)
	(SELECT id, k FROM c ORDER BY id LIMIT 2) UNION ALL (SELECT id, k FROM d ORDER BY id DESC LIMIT 2)
	SELECT DISTINCT v % 4 AS r FROM c ORDER BY v % 4 NULLS FIRST LIMIT 2
	SELECT id FROM c ORDER BY sum(v) OVER (PARTITION BY k) DESC NULLS LAST, id LIMIT 3
	SELECT c.id, d.v FROM c JOIN d ON c.k = d.k ORDER BY d.v DESC, c.id, d.id LIMIT 3
	SELECT id FROM c ORDER BY id LIMIT 0
`

// TestUpdatingQueriesGiveTheBatchAnswer checks after each prefix of a changelog that what a query leaves is what the second
// engine says of the rows that are left.
func TestUpdatingQueriesGiveTheBatchAnswer(t *testing.T) {
	s := startSecond(t)
	for round := range *rounds {
		seed := *firstSeed + uint64(round)
		r := rand.New(rand.NewPCG(seed, 31))
		dir := t.TempDir()
		c, d := newChangelog(r), newChangelog(r)
		tables := c.table("c", dir) + d.table("d", dir)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for n := 0; n <= 60 && !t.Failed(); n += 1 + r.IntN(11) {
				c.grow(n)
				d.grow(n / 2)
				c.load(t, s, "c", dir)
				d.load(t, s, "d", dir)
				for _, q := range split(updatingCases + overCases + collectingCases + firstCases) {
					compareQuery(t, s, tables, q.wadi, q.duck, r.Uint64())
				}
			}
		})
	}
}

// changelog is a table that changes, and how it did.
type changelog struct {
	r      *rand.Rand
	events []string
	rows   map[int][]*string
	ids    []int
	nextID int
}

func newChangelog(r *rand.Rand) *changelog { return &changelog{r: r, rows: map[int][]*string{}} }

func (c *changelog) table(name, dir string) string {
	return "CREATE TABLE " + name + " (id BIGINT NOT NULL PRIMARY KEY, k TEXT, g INT, v BIGINT, m DECIMAL(12,2), b BOOLEAN) WITH (" +
		"connector = 'single_file', path = '" + filepath.Join(dir, name) + "', type = 'source', format = 'debezium_json');\n"
}

// grow adds events until there are n: rows that come, change one or more of their columns or none, and go.
func (c *changelog) grow(n int) {
	for len(c.events) < n {
		what := c.r.IntN(10)
		switch {
		case len(c.ids) == 0 || what < 4:
			c.insert()
		case what < 8:
			c.update()
		default:
			c.remove()
		}
	}
}

func (c *changelog) insert() {
	id := c.nextID
	if c.nextID++; c.r.IntN(4) == 0 && c.nextID > 3 && c.rows[c.nextID-3] == nil {
		id, c.nextID = c.nextID-3, c.nextID-1 // a key that was there before
	}
	c.ids = append(c.ids, id)
	c.rows[id] = c.draw(id)
	c.event("null", changelogRow(c.rows[id]), []string{"c", "r"}[c.r.IntN(2)])
}

func (c *changelog) update() {
	id := c.ids[c.r.IntN(len(c.ids))]
	before := changelogRow(c.rows[id])
	after := append([]*string(nil), c.rows[id]...)
	for i, v := range c.draw(id) {
		if c.r.IntN(3) == 0 {
			after[i] = v
		}
	}
	c.rows[id] = after
	c.event(before, changelogRow(after), "u")
}

func (c *changelog) remove() {
	i := c.r.IntN(len(c.ids))
	id := c.ids[i]
	c.ids = append(c.ids[:i], c.ids[i+1:]...)
	c.event(changelogRow(c.rows[id]), "null", "d")
	delete(c.rows, id)
}

func (c *changelog) event(before, after, op string) {
	c.events = append(c.events, fmt.Sprintf(`{"before":%s,"after":%s,"op":%q}`, before, after, op))
}

func (c *changelog) draw(id int) []*string {
	row := []string{
		strconv.Itoa(id), []string{"x", "y", "z", ""}[c.r.IntN(4)], strconv.Itoa(c.r.IntN(3)), strconv.Itoa(c.r.IntN(9) - 2),
		fmt.Sprintf("%d.%02d", c.r.IntN(20)-10, c.r.IntN(100)), strconv.FormatBool(c.r.IntN(2) == 0),
	}
	out := make([]*string, len(row))
	for i := range row {
		if i == 0 || c.r.IntN(5) > 0 {
			out[i] = &row[i]
		}
	}
	return out
}

func changelogRow(row []*string) string {
	return jsonRow([]string{"id", "k", "g", "v", "m", "b"}, []bool{false, true, false, false, true, false}, row)
}

// load writes the events for us, and the rows that are left for the second engine.
func (c *changelog) load(t *testing.T, s *second, name, dir string) {
	text := strings.Join(c.events, "\n")
	if text != "" {
		text += "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s.exec("CREATE OR REPLACE TABLE " + name + " (id BIGINT, k VARCHAR, g INTEGER, v BIGINT, m DECIMAL(12,2), b BOOLEAN)")
	var rows [][]*string
	for _, row := range c.rows {
		rows = append(rows, row)
	}
	s.fill("INSERT INTO "+name+" VALUES (?, ?, ?, ?, ?, ?)", rows)
}
