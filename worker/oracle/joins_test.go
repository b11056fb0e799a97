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
)

// joinCases lists joins of the changelogs c and d, which are updating.
const joinCases = `
	SELECT c.id, d.id AS e FROM c FULL JOIN d ON c.k = d.k AND c.g = d.g
	SELECT k, c.id, d.id AS e FROM c FULL JOIN d USING (k)
	SELECT k, g, c.id, d.id AS e FROM c RIGHT JOIN d USING (k, g)
	SELECT * FROM (SELECT id, k, g FROM c) NATURAL FULL JOIN (SELECT g, k, v FROM d) ::: SELECT k, g, id, v FROM (SELECT id, k, g FROM c) NATURAL FULL JOIN (SELECT g, k, v FROM d)
	SELECT c.id, d.id AS e FROM c RIGHT JOIN d ON c.k IS NOT DISTINCT FROM d.k AND c.v < d.v
	SELECT c.id, d.id AS e FROM c FULL JOIN d ON c.k IS NOT DISTINCT FROM d.k AND c.g = d.g
	SELECT c.id FROM c LEFT SEMI JOIN d ON c.k = d.k AND c.v > d.v ::: SELECT c.id FROM c SEMI JOIN d ON c.k = d.k AND c.v > d.v
	SELECT c.id FROM c LEFT ANTI JOIN d ON c.k IS NOT DISTINCT FROM d.k ::: SELECT c.id FROM c ANTI JOIN d ON c.k IS NOT DISTINCT FROM d.k
	SELECT d.id FROM c RIGHT ANTI JOIN d ON c.k = d.k AND c.v = d.v ::: SELECT d.id FROM d ANTI JOIN c ON c.k = d.k AND c.v = d.v
	SELECT c.id, d.id AS e FROM c JOIN d ON c.v < d.v AND c.g <> d.g
	SELECT c.id, d.id AS e FROM c LEFT JOIN d ON c.v > d.v * 2
	SELECT c.id, d.id AS e FROM c CROSS JOIN d WHERE c.id + d.id = 10
	SELECT c.id, d.id AS e FROM c, d WHERE c.k = d.k AND c.v IS NOT NULL AND d.v > 1
	SELECT a.id, b.id AS e, x.id AS f FROM c a JOIN d b ON a.k = b.k LEFT JOIN c x ON x.id = b.id AND x.v = a.v
	SELECT a.id, b.n FROM c a LEFT JOIN (SELECT k, count(*) AS n FROM d GROUP BY k) b ON a.k = b.k
	SELECT a.k, a.s, b.s AS t FROM (SELECT k, sum(v) AS s FROM c GROUP BY k) a FULL JOIN (SELECT k, sum(v) AS s FROM d GROUP BY k) b ON a.k IS NOT DISTINCT FROM b.k
	SELECT u.id, d.v FROM (SELECT id, k FROM c UNION ALL SELECT id, k FROM d) u JOIN d ON u.k = d.k AND d.g = 1
	SELECT k, count(e) AS n FROM (SELECT c.k, d.id AS e FROM c LEFT JOIN d ON c.k = d.k) GROUP BY k
	SELECT c.id, d.id AS e FROM c ASOF JOIN d ON c.k = d.k AND c.v >= d.id
	SELECT c.id, d.id AS e FROM c ASOF LEFT JOIN d ON c.k = d.k AND c.id < d.id
	SELECT c.id, d.id AS e FROM c ASOF LEFT JOIN d ON c.id <= d.id
	SELECT c.id, d.k FROM c ASOF LEFT JOIN d ON c.g = d.g AND c.id > d.id
	SELECT e, count(*) AS n FROM (SELECT c.id, d.id AS e FROM c ASOF LEFT JOIN d ON c.k = d.k AND c.id >= d.id) GROUP BY e
`

// streamJoins lists joins of the streams a and b by event time, and with the versions of r, which the second engine has as
// the table h with the times from and until which they are valid.
const streamJoins = `
	SELECT a.id, b.id AS e FROM a JOIN b ON a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '5 seconds' AND b.ts + INTERVAL '7 seconds'
	SELECT a.id, b.id AS e FROM a LEFT JOIN b ON a.k = b.k AND a.ts > b.ts - INTERVAL '5 seconds' AND a.ts < b.ts + INTERVAL '7 seconds'
	SELECT a.id, b.id AS e FROM a RIGHT JOIN b ON a.k = b.k AND a.ts - b.ts < INTERVAL '4 seconds' AND b.ts - a.ts <= INTERVAL '3 seconds'
	SELECT a.id, b.id AS e FROM a FULL JOIN b ON a.k IS NOT DISTINCT FROM b.k AND a.ts - b.ts BETWEEN INTERVAL '-3 seconds' AND INTERVAL '8 seconds' AND a.v < b.v
	SELECT a.id, b.id AS e FROM a FULL JOIN b ON a.ts = b.ts
	SELECT a.id, b.id AS e FROM a LEFT JOIN b ON a.ts = b.ts + INTERVAL '1 second' AND a.k = b.k
	SELECT a.id, b.id AS e FROM a LEFT JOIN b ON date_trunc('minute', a.ts) = date_trunc('minute', b.ts) AND a.k = b.k
	SELECT a.id FROM a LEFT SEMI JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '6 seconds' ::: SELECT a.id FROM a SEMI JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '6 seconds'
	SELECT a.id FROM a LEFT ANTI JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '6 seconds' ::: SELECT a.id FROM a ANTI JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '6 seconds'
	SELECT a.id, b.id AS e FROM a ASOF JOIN b ON a.k = b.k AND a.ts >= b.ts
	SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.ts >= b.ts
	SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.ts > b.ts
	SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.ts <= b.ts
	SELECT a.id, b.id AS e FROM a ASOF JOIN b ON a.k = b.k AND a.ts < b.ts
	SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN b ON a.ts >= b.ts
	SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN b USING (k, ts)
	SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN (SELECT * FROM b WHERE v > 3) b ON a.k = b.k AND a.ts >= b.ts WHERE b.id IS NOT NULL OR a.v > 2
	SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.ts >= b.ts AND b.ts >= a.ts - INTERVAL '6 seconds' ::: SELECT a.id, CASE WHEN b.ts >= a.ts - INTERVAL '6 seconds' THEN b.id END AS e FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.ts >= b.ts
	SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.ts < b.ts AND b.ts < a.ts + INTERVAL '6 seconds' ::: SELECT a.id, CASE WHEN b.ts < a.ts + INTERVAL '6 seconds' THEN b.id END AS e FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.ts < b.ts
	SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.v >= b.id
	SELECT a.id, n.id AS e FROM a LEFT JOIN newest FOR SYSTEM_TIME AS OF a.ts AS n ON a.k = n.k ::: SELECT a.id, b.id AS e FROM a ASOF LEFT JOIN b ON a.k = b.k AND a.ts >= b.ts
	SELECT a.id, n.id AS e FROM a JOIN (SELECT * FROM b) x ON a.k = x.k AND x.ts BETWEEN a.ts AND a.ts + INTERVAL '2 seconds' LEFT JOIN newest FOR SYSTEM_TIME AS OF row_time() AS n ON a.k = n.k ::: SELECT y.id, b.id AS e FROM (SELECT a.id, a.k, x.ts FROM a JOIN b x ON a.k = x.k AND x.ts BETWEEN a.ts AND a.ts + INTERVAL '2 seconds') y ASOF LEFT JOIN b ON y.k = b.k AND y.ts >= b.ts
	SELECT a.id, r.rate FROM a JOIN r FOR SYSTEM_TIME AS OF a.ts AS r ON a.k = r.k ::: SELECT a.id, h.rate FROM a JOIN h ON a.k = h.k AND a.ts >= h.since AND a.ts < h.until
	SELECT a.id, r.rate FROM a LEFT JOIN r FOR SYSTEM_TIME AS OF a.ts AS r ON a.k = r.k AND r.rate > a.v ::: SELECT a.id, h.rate FROM a LEFT JOIN h ON a.k = h.k AND a.ts >= h.since AND a.ts < h.until AND h.rate > a.v
	SELECT a.id, r.rate FROM a LEFT JOIN good FOR SYSTEM_TIME AS OF a.ts AS r ON a.k = r.k WHERE a.v <> 1 ::: SELECT a.id, h.rate FROM a LEFT JOIN h ON a.k = h.k AND a.ts >= h.since AND a.ts < h.until AND h.rate % 2 = 0 WHERE a.v <> 1
	SELECT r.rate, count(*) AS n, sum(a.v) AS s FROM a LEFT JOIN r FOR SYSTEM_TIME AS OF a.ts AS r ON a.k = r.k GROUP BY r.rate ::: SELECT h.rate, count(*) AS n, sum(a.v) AS s FROM a LEFT JOIN h ON a.k = h.k AND a.ts >= h.since AND a.ts < h.until GROUP BY h.rate
	SELECT a.id, r.rate, b.id AS e FROM a LEFT JOIN r FOR SYSTEM_TIME AS OF a.ts AS r ON a.k = r.k ASOF LEFT JOIN b ON a.k = b.k AND a.ts >= b.ts ::: SELECT a.id, h.rate, b.id AS e FROM a LEFT JOIN h ON a.k = h.k AND a.ts >= h.since AND a.ts < h.until ASOF LEFT JOIN b ON a.k = b.k AND a.ts >= b.ts
`

// TestUpdatingJoinsGiveTheBatchAnswer is TestUpdatingQueriesGiveTheBatchAnswer for joins.
func TestUpdatingJoinsGiveTheBatchAnswer(t *testing.T) {
	s := startSecond(t)
	for round := range *rounds {
		seed := *firstSeed + uint64(round)
		r := rand.New(rand.NewPCG(seed, 41))
		dir := t.TempDir()
		c, d := newChangelog(r), newChangelog(r)
		tables := c.table("c", dir) + d.table("d", dir)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for n := 0; n <= 40 && !t.Failed(); n += 1 + r.IntN(17) {
				c.grow(n)
				d.grow(n / 2)
				c.load(t, s, "c", dir)
				d.load(t, s, "d", dir)
				for _, q := range split(joinCases) {
					compareQuery(t, s, tables, q.wadi, q.duck, r.Uint64())
				}
			}
		})
	}
}

// TestStreamJoinsGiveTheBatchAnswer compares joins by event time over streams that are out of order.
func TestStreamJoinsGiveTheBatchAnswer(t *testing.T) {
	s := startSecond(t)
	for round := range *rounds {
		seed := *firstSeed + uint64(round)
		r := rand.New(rand.NewPCG(seed, 43))
		dir := t.TempDir()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for _, n := range []int{0, 1, 7, 60} {
				tables := loadStream(t, s, r, "a", dir, n) + loadStream(t, s, r, "b", dir, n/2) + loadVersions(t, s, r, dir, n)
				tables += "CREATE VIEW newest AS SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY ts DESC) AS n FROM b) WHERE n = 1;\n" +
					"CREATE VIEW good AS SELECT k, rate FROM r WHERE rate % 2 = 0;\n"
				for _, q := range split(streamJoins) {
					if compareQuery(t, s, tables, q.wadi, q.duck, r.Uint64()); t.Failed() {
						return
					}
				}
			}
		})
	}
}

// origin is where the times of these tests begin.
var origin = time.Date(1969, 12, 31, 23, 59, 30, 0, time.UTC)

// eventTime is so many half seconds after the origin.
func eventTime(n int) string {
	return origin.Add(time.Duration(n) * time.Second / 2).Format("2006-01-02T15:04:05.999")
}

// loadStream makes a table of n rows with different event times within a minute, in any order.
func loadStream(t *testing.T, s *second, r *rand.Rand, name, dir string, n int) string {
	var lines strings.Builder
	var rows [][]*string
	times := r.Perm(120)
	for i := range n {
		id, v, ts := strconv.Itoa(i), strconv.Itoa(r.IntN(9)), eventTime(times[i])
		row := []*string{&id, nil, &v, &ts}
		if k := []string{"x", "y", "z"}[r.IntN(3)]; r.IntN(6) > 0 {
			row[1] = &k
		}
		rows = append(rows, row)
		lines.WriteString(jsonRow([]string{"id", "k", "v", "ts"}, []bool{false, true, false, true}, row) + "\n")
	}
	write(t, dir, name, lines.String())
	s.exec("CREATE OR REPLACE TABLE " + name + " (id BIGINT, k VARCHAR, v BIGINT, ts TIMESTAMP)")
	s.fill("INSERT INTO "+name+" VALUES (?, ?, ?, ?)", rows)
	return "CREATE TABLE " + name + " (id BIGINT, k TEXT, v BIGINT, ts TIMESTAMP NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '1 hour') WITH (" +
		"connector = 'single_file', path = '" + filepath.Join(dir, name) + "', type = 'source', format = 'json');\n"
}

// loadVersions makes the changelog r of a table of rates, and for the second engine h, how long each was valid.
func loadVersions(t *testing.T, s *second, r *rand.Rand, dir string, n int) string {
	type version struct {
		rate, since int
	}
	image := func(k string, v *version) string {
		if v == nil {
			return "null"
		}
		return fmt.Sprintf(`{"k":%q,"rate":%d,"since":%q}`, k, v.rate, eventTime(v.since))
	}
	var logs [3][]string
	var rows [][]*string
	for i, k := range []string{"x", "y", "z"} {
		var now *version
		at := r.IntN(20)
		ended := func(until string) {
			rate, since := strconv.Itoa(now.rate), eventTime(now.since)
			rows = append(rows, []*string{&k, &rate, &since, &until})
		}
		for range n / 4 {
			op, next := "c", &version{r.IntN(9), at}
			switch {
			case now != nil && r.IntN(3) == 0:
				op, next = "d", nil
			case now != nil:
				op = "u"
			}
			if now != nil {
				ended(eventTime(at))
			}
			millis := origin.UnixMilli() + int64(at)*500
			if op != "d" {
				millis += int64(r.IntN(3000)) // says nothing of what comes
			}
			logs[i] = append(logs[i], fmt.Sprintf(`{"op":%q,"before":%s,"after":%s,"ts_ms":%d}`, op, image(k, now), image(k, next), millis))
			now = next
			at += r.IntN(12) // versions of one time replace each other
		}
		if now != nil {
			ended("9999-01-01")
		}
	}
	var lines strings.Builder
	for len(logs[0])+len(logs[1])+len(logs[2]) > 0 {
		if i := r.IntN(3); len(logs[i]) > 0 {
			lines.WriteString(logs[i][0] + "\n")
			logs[i] = logs[i][1:]
		}
	}
	write(t, dir, "r", lines.String())
	s.exec("CREATE OR REPLACE TABLE h (k VARCHAR, rate BIGINT, since TIMESTAMP, until TIMESTAMP)")
	s.fill("INSERT INTO h VALUES (?, ?, ?, ?)", rows)
	return "CREATE TABLE r (k TEXT PRIMARY KEY, rate BIGINT, since TIMESTAMP NOT NULL, WATERMARK FOR since AS since - INTERVAL '1 hour') WITH (" +
		"connector = 'single_file', path = '" + filepath.Join(dir, "r") + "', type = 'source', format = 'debezium_json');\n"
}

func write(t *testing.T, dir, name, text string) {
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
