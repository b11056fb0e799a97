package parse_test

import (
	"testing"

	"wadi/sql/ast"
	"wadi/sql/parse"
)

func TestOperatorsGroupAsInPostgreSQL(t *testing.T) {
	for text, grouped := range map[string]string{
		"a OR b AND c":                         "a OR (b AND c)",
		"a AND b OR c":                         "(a AND b) OR c",
		"a OR b OR c":                          "(a OR b) OR c",
		"NOT a AND b":                          "(NOT a) AND b",
		"NOT a = b":                            "NOT (a = b)",
		"NOT a IS NULL":                        "NOT (a IS NULL)",
		"NOT a IN (1) OR b":                    "(NOT (a IN (1))) OR b",
		"a = b IS NULL":                        "(a = b) IS NULL",
		"a IS NULL = b":                        "(a IS NULL) = b",
		"a IS DISTINCT FROM b AND c":           "(a IS DISTINCT FROM b) AND c",
		"a IS DISTINCT FROM b = c":             "a IS DISTINCT FROM (b = c)",
		"a IS NOT DISTINCT FROM b OR c":        "(a IS NOT DISTINCT FROM b) OR c",
		"a < b = c":                            "(a < b) = c",
		"a = b < c":                            "(a = b) < c",
		"a = b LIKE c":                         "a = (b LIKE c)",
		"a LIKE b || c":                        "a LIKE (b || c)",
		"a LIKE b AND c":                       "(a LIKE b) AND c",
		"a BETWEEN b AND c AND d":              "(a BETWEEN b AND c) AND d",
		"a BETWEEN b + 1 AND c - 1 OR d":       "(a BETWEEN (b + 1) AND (c - 1)) OR d",
		"a + 1 BETWEEN b AND c":                "(a + 1) BETWEEN b AND c",
		"a = b BETWEEN c AND d":                "a = (b BETWEEN c AND d)",
		"a IN (1) = b":                         "(a IN (1)) = b",
		"a || b = c":                           "(a || b) = c",
		"a || b || c":                          "(a || b) || c",
		"a || b + c":                           "a || (b + c)",
		"a -> 'x' = 'y'":                       "(a -> 'x') = 'y'",
		"a -> 'x' ->> 'y'":                     "(a -> 'x') ->> 'y'",
		"a -> 'x' || 'y'":                      "(a -> 'x') || 'y'",
		"a -> b + 1":                           "a -> (b + 1)",
		"a -> 'x'::TEXT":                       "a -> ('x'::TEXT)",
		"a ->> 'x' LIKE 'y'":                   "(a ->> 'x') LIKE 'y'",
		"a ->> 'x' IS NULL":                    "(a ->> 'x') IS NULL",
		"a ? 'x' AND b":                        "(a ? 'x') AND b",
		"a & b = c":                            "(a & b) = c",
		"a | b & c":                            "(a | b) & c",
		"a << 1 + 2":                           "a << (1 + 2)",
		"a ~ b || c":                           "(a ~ b) || c",
		"a + b * c":                            "a + (b * c)",
		"a - b - c":                            "(a - b) - c",
		"a / b * c % d":                        "((a / b) * c) % d",
		"a * b ^ c":                            "a * (b ^ c)",
		"a ^ b ^ c":                            "(a ^ b) ^ c",
		"-a ^ b":                               "(-a) ^ b",
		"a ^ -b":                               "a ^ (-b)",
		"-a::INT":                              "-(a::INT)",
		"-a[1]":                                "-(a[1])",
		"-a.b":                                 "-(a.b)",
		"- - a":                                "-(-a)",
		"-a AT TIME ZONE b":                    "(-a) AT TIME ZONE b",
		"a + b AT TIME ZONE c":                 "a + (b AT TIME ZONE c)",
		"a AT TIME ZONE b::TEXT":               "a AT TIME ZONE (b::TEXT)",
		"a AT TIME ZONE b AT TIME ZONE c":      "(a AT TIME ZONE b) AT TIME ZONE c",
		"~a + b":                               "~(a + b)",
		"~a | b":                               "(~a) | b",
		"a = NOT b":                            "a = (NOT b)",
		"a + NOT b = c":                        "a + (NOT (b = c))",
		"a = ANY (b) AND c":                    "(a = ANY (b)) AND c",
		"a + b = ANY (c)":                      "(a + b) = ANY (c)",
		"INTERVAL '1' DAY * 2 + b":             "((INTERVAL '1' DAY) * 2) + b",
		"ts - INTERVAL '5 seconds'":            "ts - (INTERVAL '5 seconds')",
		"a <=> b AND c":                        "(a <=> b) AND c",
		"a <> b OR c != d":                     "(a <> b) OR (c != d)",
		"CASE WHEN a THEN b END || c":          "(CASE WHEN a THEN b END) || c",
		"a NOT LIKE b ESCAPE c AND d":          "(a NOT LIKE b ESCAPE c) AND d",
		"sum(a) FILTER (WHERE b) OVER w + 1":   "(sum(a) FILTER (WHERE b) OVER w) + 1",
		"a @> b AND b <@ c":                    "(a @> b) AND (b <@ c)",
		"f(x).y.z":                             "((f(x)).y).z",
		"a ~~ b || c":                          "(a ~~ b) || c",
		"x::DOUBLE PRECISION * 2":              "(x::DOUBLE PRECISION) * 2",
		"d + TIME '10:00' > now()":             "(d + TIME '10:00') > now()",
		"a IS NOT NULL AND b IS NOT TRUE OR c": "((a IS NOT NULL) AND (b IS NOT TRUE)) OR c",
	} {
		l, err := parse.ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		r, err := parse.ParseExpr(grouped)
		if err != nil {
			t.Errorf("%s: %v", grouped, err)
			continue
		}
		if !ast.Equal(l, r) {
			t.Errorf("%s is another tree than %s", text, grouped)
		}
	}
}

func TestSetOperatorsGroup(t *testing.T) {
	for text, grouped := range map[string]string{
		"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3":     "SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)",
		"SELECT 1 INTERSECT SELECT 2 UNION SELECT 3":     "(SELECT 1 INTERSECT SELECT 2) UNION SELECT 3",
		"SELECT 1 EXCEPT SELECT 2 UNION SELECT 3":        "(SELECT 1 EXCEPT SELECT 2) UNION SELECT 3",
		"SELECT 1 UNION SELECT 2 ORDER BY 1 LIMIT 1":     "(SELECT 1 UNION SELECT 2) ORDER BY 1 LIMIT 1",
		"SELECT 1 INTERSECT SELECT 2 INTERSECT SELECT 3": "(SELECT 1 INTERSECT SELECT 2) INTERSECT SELECT 3",
	} {
		l, _ := parse.Parse(text)
		r, errs := parse.Parse(grouped)
		if len(errs) > 0 || !ast.Equal(l, r) {
			t.Errorf("%s is another tree than %s (%v)", text, grouped, errs)
		}
	}
}
