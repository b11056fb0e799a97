package oracle_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// difference is a place where our answer is another one than PostgreSQL's or DuckDB's, on purpose. Cases in
// scalarCases that meet one spell our meaning out for the second engine.
type difference struct {
	// what is SQL, ours what it gives here; postgres and duckdb are "same" where they agree.
	what, ours, postgres, duckdb string
	reason                       string
}

func differences() []difference {
	const datafusion = "as in Arroyo"
	return []difference{
		{"`7 / 2`", "3", "same", "3.5", "integers divide without the fraction, as the SQL standard and Arroyo have it"},
		{"`1 / 0`, `1 % 0` of integers and decimals", "error", "same", "inf, NULL", "a division that has no answer is not to go unnoticed; write `nullif(b, 0)`"},
		{"`1.0 / 0` of DOUBLE", "inf", "error", "same", "floats follow IEEE 754, " + datafusion},
		{"`-9223372036854775808 % -1`", "0", "same", "error", "the remainder fits"},
		{"`sqrt(-1)`, `ln(-1)`, `log10(-1)`, `log2(-1)`, `asin(2)`, `acos(2)`, `atanh(2)`", "NaN", "error", "error", "floats follow IEEE 754, " + datafusion},
		{"`ln(0)`, `log10(0)`, `log2(0)`", "-inf", "error", "error", "floats follow IEEE 754, " + datafusion},
		{"`cot(0)`", "inf", "same", "error", "floats follow IEEE 754, " + datafusion},
		{"`nanvl(1, NULL)`", "NULL", "no such function", "no such function", "a null argument makes the result null, " + datafusion},
		{"BIGINT `*` REAL", "DOUBLE", "same", "REAL", "a REAL has too few digits for a BIGINT"},
		{"`a + b`, `a * b` of decimals", "more digits than the operands, up to 38", "any number of digits", "up to 18 digits for operands of up to 18", "results are exact as long as 38 digits hold them, and an error beyond"},
		{"`a / b` of decimals", "a decimal with four more digits after the point", "a decimal with about 16 digits", "a DOUBLE", "the type of a result is known before it runs, " + datafusion},
		{"`ceil`, `floor`, `round`, `trunc` of decimals", "the argument's type; an error if the result has one digit more", "any number of digits", "a decimal without a fraction", "the type stays that of the column; CAST to more digits first"},
		{"`1 << 65`", "2", "same", "error", "the count of a shift is taken modulo the width, " + datafusion},
		{"`upper('ß')`", "SS", "ß", "ẞ", "Unicode's full case mapping, " + datafusion},
		{"`chr(0)`", "error", "same", "a text with a zero byte", "such a text cannot be stored in most systems"},
		{"`substr('abc', -1)`", "abc", "same", "c", "positions before the text are empty, as the SQL standard and Arroyo have it"},
		{"`levenshtein` of text beyond ASCII", "counts characters", "same", "counts bytes", "a letter with an accent is one letter"},
		{"`lpad(s, n)`, `rpad(s, n)`", "pads with blanks", "same", "needs the padding", datafusion},
		{"`ltrim(s)`, `rtrim(s)`, `trim(s)`", "takes blanks only", "same", "takes no-break spaces and the like too", "as the SQL standard has it"},
		{"`encode(s, 'base64')`", "without the padding `=`", "with it", "with it", datafusion + "; `decode` takes both"},
		{"`x LIKE 'a\\%'`", "the backslash escapes", "same", "it is a letter like others without ESCAPE", "as in PostgreSQL"},
		{"`CAST(2.5 AS INT)`, `CAST(-1.7 AS INT)`", "2, -1: cuts the fraction off", "rounds", "rounds", datafusion + "; write `round` first to round"},
		{"`CAST('2.5' AS INT)`", "error", "same", "3", "a text that spells no integer is none"},
		{"`CAST('1e400' AS DOUBLE)`", "error", "same", "inf", "an overflow is not to go unnoticed"},
		{"`CAST(1e300 AS REAL)`", "inf", "error", "error", "floats follow IEEE 754, " + datafusion},
		{"`CAST(4.1347605::DOUBLE AS DECIMAL(12, 6))`", "4.134761", "same", "4.134760", "the digits that the float prints with are rounded, half away from zero"},
		{"`corr`, `regr_slope` and the like of one pair", "NULL", "same", "NaN", "there is no line through one point"},
		{"`array_slice(list, 2, NULL)`", "a bound that is null is open", "NULL", "NULL", "there is no other way to leave a bound out of a call"},
		{"`array_to_string` of nulls only", "the empty text", "same", "NULL", "nulls are left out, and nothing is left"},
		{"`string_to_array('', 'a')`", "an empty list", "same", "a list of one empty text", "as in PostgreSQL"},
		{"`to_char(t, format)`", "strftime's format", "PostgreSQL's own", "`strftime(t, format)`", datafusion},
		{"`power(2, -1)`, `2 ^ -1` of integers", "error", "0.5", "0.5", "an integer to a negative power is no integer, " + datafusion + "; write `power(2.0, -1)`"},
		{"`median` of integers", "an integer, cut", "no such aggregate", "a DOUBLE", datafusion + "; `percentile_cont(0.5)` gives a DOUBLE"},
		{"`'é' ~ '\\w'`, and `\\d` and `\\s` beyond ASCII", "true", "same", "false", "they are Unicode's, " + datafusion},
		{"`'été' ~ '\\bt'`", "true: ends of words are those of ASCII letters", "`\\y`, false", "same", "as in RE2; Arroyo says false"},
		{"`regexp_replace('abc', '(b)', '[$1]')`", "a[b]c", "a[$1]c", "a[$1]c", "`$1` is a group, as `\\1` is, " + datafusion},
		{"`ARRAY[1] || NULL`", "[1]", "same", "NULL", "as in PostgreSQL; a list that is null has no elements"},
		{"`t AT TIME ZONE '+02:00'`", "two hours east of Greenwich", "two hours west", "error", "as in ISO 8601 and Arroyo; `INTERVAL '2 hours'` means the same everywhere"},
		{"`date_trunc('century', DATE '2000-02-29')`", "1901-01-01", "same", "2000-01-01", "the first century began with the year 1"},
		{"`'{\"a\": 1' -> 'a'`, a document cut off", "1", "error", "error", "documents are read as far as the value, " + datafusion},
		{"`date_bin(width, t)`", "from 1970-01-01", "needs the origin", "`time_bucket`, with another origin", datafusion},
	}
}

const page = "../../docs/sql/differences.md"

// TestDifferencesAreDocumented keeps the table in the documentation equal to the one above.
func TestDifferencesAreDocumented(t *testing.T) {
	const begin, end = "<!-- differences: begin -->\n", "<!-- differences: end -->"
	var b strings.Builder
	b.WriteString("| SQL | here | PostgreSQL | DuckDB | why |\n|---|---|---|---|---|\n")
	cell := strings.NewReplacer("|", "\\|")
	for _, d := range differences() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", cell.Replace(d.what), cell.Replace(d.ours), cell.Replace(d.postgres), cell.Replace(d.duckdb), cell.Replace(d.reason))
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", page)
	}
	want := before + begin + b.String() + end + after
	if want == string(text) {
		return
	}
	if !*rewrite {
		t.Fatalf("the table in %s is not the one in differences_test.go; run go test ./worker/oracle -run Differences -oracle.rewrite", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
