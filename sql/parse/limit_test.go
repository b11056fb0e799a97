package parse_test

import (
	"strings"
	"testing"
	"time"

	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/parse"
)

func TestBlankTextHasNoStatements(t *testing.T) {
	for _, text := range []string{"", " \n\t", "-- only\n", "/* a /* b */ */", ";", " ; ;; ", "\ufeff"} {
		if stmts, errs := parse.Parse(text); len(stmts) != 0 || len(errs) != 0 {
			t.Errorf("%q gives %v, %v", text, stmts, errs)
		}
	}
}

func TestWrongEncodingsHaveAPlace(t *testing.T) {
	for text, want := range map[string]string{"SELECT 'a\x00b'": "NUL", "SELECT 'a\xffb'": "UTF-8", "SELECT 'a\xc3": "UTF-8"} {
		stmts, errs := parse.Parse(text)
		if len(stmts) != 0 || len(errs) != 1 || errs[0].Span != (fault.Span{Start: 9, End: 10}) || !strings.Contains(errs[0].Message, want) {
			t.Errorf("%q gives %v, %v", text, stmts, errs)
		}
		if _, err := parse.ParseExpr(text[7:]); err == nil {
			t.Errorf("%q is accepted as an expression", text[7:])
		}
	}
}

func TestSeveralErrorsComeInOrder(t *testing.T) {
	text := "SELECT FROM; SELECT 1; SELECT 'a' 'b'; SELECT 12ab; CREATE TABLE; SELECT 2"
	stmts, errs := parse.Parse(text)
	if len(stmts) != 2 || len(errs) != 4 {
		t.Fatalf("%d statements, %d errors: %v", len(stmts), len(errs), errs)
	}
	for i, e := range errs {
		if i > 0 && e.Span.Start <= errs[i-1].Span.Start {
			t.Errorf("error %d is out of order", i)
		}
		if e.Kind != fault.User || e.Code != fault.CodeSyntax {
			t.Errorf("error %d is a %s fault %s", i, e.Kind, e.Code)
		}
	}
}

func TestNumberOfErrorsIsBounded(t *testing.T) {
	if _, errs := parse.Parse(strings.Repeat("x;", 10_000)); len(errs) > 200 {
		t.Errorf("%d errors", len(errs))
	}
}

// TestDeepNestingIsRefused runs inputs that would exhaust the stack of a parser without bounds.
func TestDeepNestingIsRefused(t *testing.T) {
	const n = 20_000
	for name, text := range map[string]string{
		"parentheses":    "SELECT " + strings.Repeat("(", n),
		"closed":         "SELECT " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n),
		"brackets":       "SELECT " + strings.Repeat("[", n),
		"not":            "SELECT " + strings.Repeat("NOT ", n) + "a",
		"minus":          "SELECT " + strings.Repeat("- ", n) + "a",
		"case":           "SELECT " + strings.Repeat("CASE ", n),
		"casts":          "SELECT " + strings.Repeat("CAST(", n),
		"calls":          "SELECT " + strings.Repeat("f(", n),
		"sum":            "SELECT 1" + strings.Repeat(" + 1", n),
		"and":            "SELECT a" + strings.Repeat(" AND a", n),
		"postfix cast":   "SELECT a" + strings.Repeat("::INT", n),
		"subscripts":     "SELECT a" + strings.Repeat("[1]", n),
		"fields":         "SELECT f()" + strings.Repeat(".a", n),
		"subqueries":     strings.Repeat("SELECT (", n),
		"derived tables": strings.Repeat("SELECT * FROM (", n),
		"nested tables":  "SELECT * FROM " + strings.Repeat("(", n) + "t",
		"joins":          "SELECT * FROM t" + strings.Repeat(" CROSS JOIN t", n),
		"open joins":     "SELECT * FROM t" + strings.Repeat(" JOIN t", n),
		"unions":         "SELECT 1" + strings.Repeat(" UNION SELECT 1", n),
		"queries":        strings.Repeat("(", n) + "SELECT 1",
		"types":          "SELECT a::" + strings.Repeat("ARRAY<", n),
		"array types":    "SELECT a::INT" + strings.Repeat("[]", n),
		"structs":        "SELECT a::" + strings.Repeat("STRUCT<a ", n),
		"explain":        strings.Repeat("EXPLAIN ", n) + "SELECT 1",
		"ctes":           strings.Repeat("WITH a AS (", n),
		"grouping sets":  "SELECT 1 GROUP BY " + strings.Repeat("GROUPING SETS (", n),
		"intervals":      "SELECT " + strings.Repeat("INTERVAL (", n),
		"in":             "SELECT a" + strings.Repeat(" IN (a", n),
		"arrays":         "SELECT " + strings.Repeat("ARRAY(", n),
		"lateral":        "SELECT * FROM " + strings.Repeat("LATERAL (SELECT * FROM ", n),
	} {
		start := time.Now()
		_, errs := parse.Parse(text)
		if len(errs) == 0 {
			t.Errorf("%s: accepted", name)
		} else if m := errs[0].Message; !strings.Contains(m, "nested too deeply") {
			t.Errorf("%s: %s", name, m)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: took %v", name, d)
		}
	}
}

func TestReasonableNestingIsAccepted(t *testing.T) {
	for name, text := range map[string]string{
		"parentheses": "SELECT " + strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300),
		"sum":         "SELECT 1" + strings.Repeat(" + 1", 9000),
		"in list":     "SELECT a IN (1" + strings.Repeat(", -1", 100_000) + ")",
		"values":      "VALUES (1)" + strings.Repeat(", (1 + 2)", 100_000),
		"columns":     "SELECT a" + strings.Repeat(", a + 1 AS b", 20_000) + " FROM t",
		"unions":      "SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", 1000),
		"subqueries":  strings.Repeat("SELECT * FROM (", 100) + "SELECT 1" + strings.Repeat(")", 100),
		"statements":  strings.Repeat("SELECT 1;", 20_000),
	} {
		stmts, errs := parse.Parse(text)
		if len(errs) > 0 {
			t.Errorf("%s: %v", name, errs[0])
			continue
		}
		if name != "statements" && ast.Print(stmts[0]) == "" {
			t.Errorf("%s: nothing printed", name)
		}
	}
}

func TestUnsupportedHasItsCode(t *testing.T) {
	for _, text := range []string{"DROP TABLE t", "SELECT a COLLATE x", "SELECT $1", "SELECT * FROM t MATCH_RECOGNIZE (", "CREATE FUNCTION f()", "SELECT B'1'"} {
		if _, errs := parse.Parse(text); len(errs) != 1 || errs[0].Code != fault.CodeUnsupported {
			t.Errorf("%s: %v", text, errs)
		}
	}
}

func TestStringsAreNotRepeatedInMessages(t *testing.T) {
	for _, text := range []string{"SELECT 'secret' 'secret'", "SELECT a FROM 'secret'", "SELECT a AS 'secret'", "INSERT INTO 'secret'", "SELECT f('x' 'secret'"} {
		_, errs := parse.Parse(text)
		if len(errs) == 0 || strings.Contains(errs.Error()+errs[0].Hint, "secret") {
			t.Errorf("%s: %v %s", text, errs, errs[0].Hint)
		}
	}
}
