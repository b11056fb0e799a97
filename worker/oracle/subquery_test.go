package oracle_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// subqueryCases lists queries with subqueries over the changelogs of updatingCases.
const subqueryCases = `
	SELECT id, k IN (SELECT k FROM d) AS f FROM c
	SELECT id, k NOT IN (SELECT k FROM d WHERE k IS NOT NULL) AS f FROM c
	SELECT id, v IN (SELECT v FROM d WHERE d.k = c.k) AS f, v NOT IN (SELECT v FROM d WHERE d.g > c.g) AS h FROM c
	SELECT id, EXISTS (SELECT 1 FROM d WHERE d.k = c.k) AS e, EXISTS (SELECT 1 FROM d WHERE v > 5) AS any FROM c
	SELECT id, NOT EXISTS (SELECT 1 FROM d WHERE d.v > c.v AND d.k = c.k) AS e FROM c
	SELECT id FROM c WHERE k IN (SELECT k FROM d) OR v > 4
	SELECT id FROM c WHERE NOT (k IN (SELECT k FROM d) AND v IN (SELECT v FROM d))
	SELECT id FROM c WHERE v NOT IN (SELECT v FROM d WHERE d.k = c.k)
	SELECT id FROM c WHERE v NOT IN (SELECT v FROM d WHERE d.g < c.g)
	SELECT id FROM c WHERE 3 NOT IN (SELECT v FROM d)
	SELECT id FROM c WHERE (k, v) IN (SELECT k, v FROM d) ::: SELECT id FROM c WHERE CASE WHEN EXISTS (SELECT 1 FROM d WHERE d.k = c.k AND d.v = c.v) THEN TRUE WHEN EXISTS (SELECT 1 FROM d WHERE coalesce(d.k = c.k, TRUE) AND coalesce(d.v = c.v, TRUE)) THEN NULL ELSE FALSE END
	SELECT id FROM c WHERE (k, v) NOT IN (SELECT k, v FROM d) ::: SELECT id FROM c WHERE NOT CASE WHEN EXISTS (SELECT 1 FROM d WHERE d.k = c.k AND d.v = c.v) THEN TRUE WHEN EXISTS (SELECT 1 FROM d WHERE coalesce(d.k = c.k, TRUE) AND coalesce(d.v = c.v, TRUE)) THEN NULL ELSE FALSE END
	SELECT id, (k, v) IN (SELECT k, v FROM d) AS f FROM c ::: SELECT id, CASE WHEN EXISTS (SELECT 1 FROM d WHERE d.k = c.k AND d.v = c.v) THEN TRUE WHEN EXISTS (SELECT 1 FROM d WHERE coalesce(d.k = c.k, TRUE) AND coalesce(d.v = c.v, TRUE)) THEN NULL ELSE FALSE END AS f FROM c
	SELECT id, (id, v) NOT IN (SELECT id, v FROM d) AS h FROM c ::: SELECT id, NOT CASE WHEN EXISTS (SELECT 1 FROM d WHERE d.id = c.id AND d.v = c.v) THEN TRUE WHEN EXISTS (SELECT 1 FROM d WHERE coalesce(d.id = c.id, TRUE) AND coalesce(d.v = c.v, TRUE)) THEN NULL ELSE FALSE END AS h FROM c
	SELECT id, (k, v) IN (SELECT k, v FROM d WHERE d.g = c.g) AS f FROM c ::: SELECT id, CASE WHEN EXISTS (SELECT 1 FROM d WHERE d.g = c.g AND d.k = c.k AND d.v = c.v) THEN TRUE WHEN EXISTS (SELECT 1 FROM d WHERE d.g = c.g AND coalesce(d.k = c.k, TRUE) AND coalesce(d.v = c.v, TRUE)) THEN NULL ELSE FALSE END AS f FROM c
	SELECT id, CASE WHEN EXISTS (SELECT 1 FROM d WHERE d.id = c.id) THEN 'both' WHEN k IN (SELECT k FROM d) THEN 'key' ELSE 'none' END AS w FROM c
	SELECT id, v > ANY (SELECT v FROM d) AS a, v > ALL (SELECT v FROM d) AS b, v <= ANY (SELECT v FROM d) AS x, v <= ALL (SELECT v FROM d) AS y FROM c
	SELECT id, v = ANY (SELECT v FROM d) AS a, v <> ALL (SELECT v FROM d) AS b, v <> ANY (SELECT v FROM d WHERE d.k = c.k) AS x, v = ALL (SELECT v FROM d WHERE d.k = c.k) AS y FROM c
	SELECT id, v >= ANY (SELECT v FROM d WHERE d.k = c.k) AS a, v < ALL (SELECT v FROM d WHERE d.g <> c.g) AS b FROM c
	SELECT id FROM c WHERE v >= ALL (SELECT v FROM d WHERE d.k = c.k AND v IS NOT NULL)
	SELECT id, (SELECT max(v) FROM d) AS m, (SELECT count(*) FROM d WHERE d.k = c.k) AS n FROM c
	SELECT id, (SELECT count(*) + coalesce(sum(v), 100) FROM d WHERE d.k = c.k) AS n FROM c
	SELECT id, (SELECT c.v + count(v) FROM d WHERE d.k = c.k) AS n FROM c
	SELECT id, (SELECT CASE WHEN count(*) = 0 THEN 'none' ELSE 'some' END FROM d WHERE d.k = c.k AND d.g = c.g) AS n FROM c
	SELECT id, (SELECT sum(v) FROM d WHERE d.v < c.v) AS s, (SELECT count(*) FROM d WHERE d.v < c.v) AS n FROM c
	SELECT id, (SELECT max(v) FROM d WHERE d.k = c.k HAVING count(*) > 1) AS m FROM c
	SELECT id, (SELECT count(*) FROM d WHERE d.k = c.k HAVING count(*) <> 1) AS m FROM c
	SELECT id, 0 IN (SELECT count(*) FROM d WHERE d.k = c.k) AS z, EXISTS (SELECT count(*) FROM d WHERE d.k = c.k) AS e FROM c
	SELECT id, EXISTS (SELECT max(v) FROM d WHERE d.k = c.k HAVING max(v) > 3) AS e FROM c
	SELECT id, (SELECT v FROM d WHERE d.id = c.id) AS w, (SELECT d.k FROM d WHERE d.id = c.id AND d.v IS NOT DISTINCT FROM c.v) AS x FROM c
	SELECT id FROM c WHERE v > (SELECT v FROM d WHERE d.id = c.id)
	SELECT id, (SELECT v FROM d WHERE d.k = c.k ORDER BY v DESC NULLS LAST LIMIT 1) AS top FROM c
	SELECT id, (SELECT d.id FROM d WHERE d.g < c.g ORDER BY d.id LIMIT 1) AS low FROM c
	SELECT id, (SELECT d.id FROM d WHERE d.k = c.k ORDER BY d.id LIMIT 1 OFFSET 1) AS second FROM c
	SELECT id FROM c WHERE v = (SELECT max(v) FROM c AS i WHERE i.k = c.k)
	SELECT id FROM c AS o WHERE v > (SELECT avg(v) FROM c AS i WHERE i.g <> o.g)
	SELECT id FROM c WHERE EXISTS (SELECT 1 FROM d WHERE d.k = c.k AND EXISTS (SELECT 1 FROM c AS e WHERE e.g = d.g AND e.id > c.id))
	SELECT id FROM c WHERE k IN (SELECT k FROM d WHERE v IN (SELECT v FROM c AS e WHERE e.g = c.g AND e.k = d.k))
	SELECT id, (SELECT max((SELECT count(*) FROM c AS e WHERE e.g = d.g AND e.id <> c.id)) FROM d WHERE d.k = c.k) AS m FROM c
	SELECT id, (SELECT count(*) FROM (SELECT DISTINCT g FROM d WHERE d.k = c.k) x WHERE x.g < c.v) AS n FROM c
	SELECT id, (SELECT count(*) FROM (SELECT g, max(v) AS m FROM d WHERE d.v > c.v GROUP BY g) x) AS n FROM c
	SELECT id, (SELECT max(n) FROM (SELECT count(*) AS n FROM d WHERE d.v > c.v) x) AS n FROM c
	SELECT id, (SELECT count(*) FROM d JOIN c AS e ON d.id = e.id AND e.v = c.v) AS n FROM c
	SELECT id, (SELECT count(*) FROM d LEFT JOIN c AS e ON d.k = e.k AND e.v = c.v WHERE e.id IS NULL) AS n FROM c ::: SELECT id, (SELECT count(*) FROM d WHERE NOT EXISTS (SELECT 1 FROM c AS e WHERE d.k = e.k AND e.v = c.v)) AS n FROM c
	SELECT id, (SELECT count(*) FROM (SELECT k FROM d WHERE d.v > c.v UNION SELECT 'x' FROM d) u) AS n FROM c
	SELECT id FROM c WHERE k IN (SELECT k FROM d WHERE d.g = c.g UNION ALL SELECT k FROM d WHERE v < 0)
	SELECT id FROM c WHERE k IN (SELECT k FROM d WHERE d.g = c.g EXCEPT SELECT k FROM d WHERE d.v = c.v)
	SELECT k, count(*) AS n, (SELECT max(v) FROM d WHERE d.k = c.k) AS m FROM c GROUP BY k
	SELECT k, count(*) AS n FROM c GROUP BY k HAVING k IN (SELECT k FROM d)
	SELECT k, count(*) AS n FROM c GROUP BY k HAVING count(*) > (SELECT count(*) FROM d WHERE d.k = c.k)
	SELECT k, count(*) AS n FROM c GROUP BY k HAVING count(*) IN (SELECT v FROM d)
	SELECT g, sum((SELECT max(v) FROM d WHERE d.k = c.k)) AS s, count(*) FILTER (WHERE k IN (SELECT k FROM d)) AS n FROM c GROUP BY g
	SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM d WHERE d.id = c.id)) AS n FROM c
	SELECT k IN (SELECT k FROM d) AS f, count(*) AS n FROM c GROUP BY k IN (SELECT k FROM d)
	SELECT (SELECT count(*) FROM d WHERE d.k = c.k) AS x, count(*) AS n FROM c GROUP BY 1
	SELECT id, v FROM c ORDER BY (SELECT count(*) FROM d WHERE d.id = c.id), id LIMIT 3 ::: SELECT id, v FROM c ORDER BY (SELECT count(*) FROM d WHERE d.id = c.id), id LIMIT 3
	SELECT c.id, d.id AS e FROM c JOIN d ON c.k = d.k AND c.v IN (SELECT v FROM d AS x WHERE x.g = d.g)
	SELECT c.id, d.id AS e FROM c LEFT JOIN d ON c.k = d.k AND d.v IN (SELECT v FROM c AS x)
	SELECT c.id, d.id AS e FROM c LEFT JOIN d ON c.k = d.k AND EXISTS (SELECT 1 FROM d AS x WHERE x.v > c.v) ::: SELECT c.id, d.id AS e FROM (SELECT *, EXISTS (SELECT 1 FROM d AS x WHERE x.v > c.v) AS f FROM c) c LEFT JOIN d ON c.k = d.k AND c.f
	SELECT id FROM c WHERE (SELECT count(*) FROM d WHERE d.k = c.k) BETWEEN 1 AND 2
	WITH x AS (SELECT k, max(v) AS m FROM d GROUP BY k) SELECT id, (SELECT m FROM x WHERE x.k = c.k) AS m, k IN (SELECT k FROM x WHERE m > 2) AS f FROM c
	SELECT id, (WITH x AS (SELECT v FROM d WHERE d.k = c.k) SELECT count(*) FROM x WHERE x.v > 1) AS n FROM c
	SELECT DISTINCT k IN (SELECT k FROM d) AS f, g FROM c
	SELECT id, (SELECT count(DISTINCT v) FROM d WHERE d.k = c.k) AS n, (SELECT string_agg(d.k, ',' ORDER BY d.id) FROM d WHERE d.v = c.v) AS s FROM c
	SELECT id, row_number() OVER (ORDER BY (SELECT count(*) FROM d WHERE d.k = c.k), id) AS r FROM c
	SELECT id, row_number() OVER (PARTITION BY g ORDER BY id) IN (SELECT v FROM d) AS f FROM c
	SELECT id FROM c QUALIFY count(*) OVER (PARTITION BY k) NOT IN (SELECT v FROM d WHERE d.g = c.g) ::: SELECT id FROM (SELECT *, count(*) OVER (PARTITION BY k) AS n FROM c) c WHERE n NOT IN (SELECT v FROM d WHERE d.g = c.g)
	SELECT id FROM c WHERE (g, v) > (SELECT g, max(v) FROM d WHERE d.k = c.k AND d.g = c.g GROUP BY g) ::: SELECT c.id FROM c JOIN (SELECT k, g, max(v) AS v FROM d GROUP BY k, g) x ON x.k = c.k AND x.g = c.g AND c.v > x.v
	SELECT id, (coalesce(g, 0), id) < ANY (SELECT coalesce(g, 0), id FROM d WHERE d.k = c.k) AS a, (coalesce(g, 0), id) >= ALL (SELECT coalesce(g, 0), id FROM d WHERE d.k = c.k) AS b FROM c ::: SELECT id, EXISTS (SELECT 1 FROM d WHERE d.k = c.k AND (coalesce(c.g, 0) < coalesce(d.g, 0) OR coalesce(c.g, 0) = coalesce(d.g, 0) AND c.id < d.id)) AS a, NOT EXISTS (SELECT 1 FROM d WHERE d.k = c.k AND NOT (coalesce(c.g, 0) > coalesce(d.g, 0) OR coalesce(c.g, 0) = coalesce(d.g, 0) AND c.id >= d.id)) AS b FROM c
	SELECT k, sum(v) AS s FROM c GROUP BY k HAVING EXISTS (SELECT 1 FROM d WHERE d.k = c.k AND d.v > min(c.v))
	SELECT k, g, (SELECT count(*) + max(c.v) FROM d WHERE d.v < max(c.v)) AS n FROM c GROUP BY ROLLUP (k, g)
	SELECT c.id, d.id AS e FROM c LEFT JOIN d ON c.k = d.k AND EXISTS (SELECT 1 FROM d AS x WHERE x.v = c.v AND x.g = d.g) ::: SELECT c.id, d.id AS e FROM c LEFT JOIN LATERAL (SELECT * FROM d WHERE c.k = d.k AND EXISTS (SELECT 1 FROM d AS x WHERE x.v = c.v AND x.g = d.g)) d ON TRUE
	SELECT c.id, d.id AS e FROM c FULL JOIN d ON c.k = d.k AND (SELECT count(*) FROM d AS x WHERE x.k = c.k AND x.g = d.g) > 1 ::: SELECT c.id, d.id AS e FROM c FULL JOIN (SELECT *, (SELECT count(*) FROM d AS x WHERE x.k = d.k AND x.g = d.g) AS n FROM d) d ON c.k = d.k AND d.n > 1
	SELECT c.id, x.id AS e FROM c LEFT JOIN LATERAL (SELECT id, v FROM d WHERE d.k = c.k ORDER BY v DESC NULLS LAST, id LIMIT 2) x ON x.v > c.v
	SELECT id, (SELECT count(*) FROM (SELECT id FROM d WHERE d.k = c.k) x FULL JOIN (SELECT id FROM c AS e WHERE e.g = c.g) y ON x.id = y.id) AS n FROM c ::: SELECT id, (SELECT count(*) FROM (SELECT id FROM d WHERE d.k = c.k UNION SELECT id FROM c AS e WHERE e.g = c.g)) AS n FROM c
	SELECT k, g, count(*) AS n, rank() OVER (PARTITION BY grouping(k, g) ORDER BY count(*) DESC) AS r FROM c GROUP BY CUBE (k, g)
`

// TestSubqueriesGiveTheBatchAnswer is TestUpdatingQueriesGiveTheBatchAnswer for subqueries.
func TestSubqueriesGiveTheBatchAnswer(t *testing.T) {
	s := startSecond(t)
	for round := range *rounds {
		seed := *firstSeed + uint64(round)
		r := rand.New(rand.NewPCG(seed, 37))
		dir := t.TempDir()
		c, d := newChangelog(r), newChangelog(r)
		tables := c.table("c", dir) + d.table("d", dir)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for n := 0; n <= 36 && !t.Failed(); n += 1 + r.IntN(17) {
				c.grow(n)
				d.grow(n / 2)
				c.load(t, s, "c", dir)
				d.load(t, s, "d", dir)
				for _, q := range split(subqueryCases) {
					compareQuery(t, s, tables, q.wadi, q.duck, r.Uint64())
				}
			}
		})
	}
}
