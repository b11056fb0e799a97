package oracle_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// A columnKind is a column of the table of generated values.
type columnKind struct {
	name string
	// wadi and duck are the column's type in either engine.
	wadi, duck string
	// make draws a value, as text.
	make func(r *rand.Rand) string
}

// columns are those of the table that the scalar cases read, by the letters of their names: i and j integers, u unsigned
// ones, k and q small ones, r, d and e floats, x floats around 1, m, n and w decimals, s and t text, p and o short text
// of few letters, b and c booleans, ts and us timestamps, dt and du dates, tm time of day, nt text that may spell a number, js text that may be JSON.
func columns() []columnKind {
	var all []columnKind
	add := func(wadi, duck string, mk func(r *rand.Rand) string, names ...string) {
		for _, n := range names {
			all = append(all, columnKind{n, wadi, duck, mk})
		}
	}
	add("TINYINT", "TINYINT", integer(-1<<7, 1<<7-1), "i8", "j8")
	add("SMALLINT", "SMALLINT", integer(-1<<15, 1<<15-1), "i16", "j16")
	add("INT", "INTEGER", integer(-1<<31, 1<<31-1), "i32", "j32")
	add("BIGINT", "BIGINT", integer(-1<<63, 1<<63-1), "i64", "j64")
	add("TINYINT UNSIGNED", "UTINYINT", integer(0, 1<<8-1), "u8", "v8")
	add("SMALLINT UNSIGNED", "USMALLINT", integer(0, 1<<16-1), "u16")
	add("INT UNSIGNED", "UINTEGER", integer(0, 1<<32-1), "u32", "v32")
	add("BIGINT UNSIGNED", "UBIGINT", unsigned, "u64", "v64")
	add("BIGINT", "BIGINT", func(r *rand.Rand) string { return strconv.Itoa(r.IntN(18) - 5) }, "k", "l")
	add("BIGINT", "BIGINT", func(r *rand.Rand) string { return strconv.Itoa(1 + r.IntN(6)) }, "q")
	add("REAL", "FLOAT", float32Text, "r")
	add("DOUBLE", "DOUBLE", double, "d", "e")
	add("DOUBLE", "DOUBLE", around1, "x", "y")
	add("DECIMAL(18,4)", "DECIMAL(18,4)", decimal(18, 4), "m")
	add("DECIMAL(12,2)", "DECIMAL(12,2)", decimal(12, 2), "n")
	add("DECIMAL(38,10)", "DECIMAL(38,10)", decimal(38, 10), "w")
	add("TEXT", "VARCHAR", text, "s", "t")
	add("TEXT", "VARCHAR", letters(6), "p", "o")
	add("TEXT", "VARCHAR", letters(2), "z")
	add("BOOLEAN", "BOOLEAN", func(r *rand.Rand) string { return strconv.FormatBool(r.IntN(2) == 0) }, "b", "c")
	add("TIMESTAMP", "TIMESTAMP", timestamp, "ts", "us")
	add("DATE", "DATE", func(r *rand.Rand) string { return timestamp(r)[:10] }, "dt", "du")
	add("TIME", "TIME", func(r *rand.Rand) string { return timestamp(r)[11:] }, "tm")
	add("TEXT", "VARCHAR", numeral, "nt")
	add("TEXT", "VARCHAR", document, "js")
	return all
}

// pick draws one of the extremes now and then, else what draw gives.
func pick(draw func(r *rand.Rand) string, extremes ...string) func(r *rand.Rand) string {
	return func(r *rand.Rand) string {
		if r.IntN(4) == 0 {
			return extremes[r.IntN(len(extremes))]
		}
		return draw(r)
	}
}

// integer draws integers of all magnitudes between two extremes.
func integer(least, most int64) func(r *rand.Rand) string {
	text := func(n int64) string { return strconv.FormatInt(n, 10) }
	return pick(func(r *rand.Rand) string {
		n := int64(r.Uint64() >> 1 >> r.IntN(63))
		if r.IntN(2) == 0 {
			n = -n
		}
		return text(min(max(n, least), most))
	}, text(least), text(most), text(least+1), text(most-1), "0", "1", text(max(least, -1)), "2", "3", "7", "10")
}

func unsigned(r *rand.Rand) string {
	return pick(func(r *rand.Rand) string { return strconv.FormatUint(r.Uint64()>>r.IntN(64), 10) },
		"0", "1", "2", "10", "9223372036854775807", "9223372036854775808", "18446744073709551615")(r)
}

func double(r *rand.Rand) string {
	return pick(func(r *rand.Rand) string {
		switch r.IntN(3) {
		case 0:
			return strconv.FormatFloat(math.Float64frombits(r.Uint64()&^(1<<62)|1<<60), 'g', -1, 64)
		case 1:
			return strconv.FormatFloat(math.Round(r.NormFloat64()*1e4)/100, 'f', -1, 64)
		}
		return strconv.FormatFloat(r.NormFloat64()*math.Pow(10, float64(r.IntN(20)-6)), 'g', -1, 64)
	}, "0", "-0.0", "1", "-1", "0.5", "2.5", "-2.5", "1.5", "3", "1e308", "-1e308", "5e-324", "NaN", "inf", "-inf", "1e16", "0.1",
		"9007199254740993", "9223372036854775807", "9223372036854774784", "-9223372036854775808")(r)
}

func float32Text(r *rand.Rand) string {
	return pick(func(r *rand.Rand) string {
		return strconv.FormatFloat(float64(float32(r.NormFloat64()*math.Pow(10, float64(r.IntN(12)-3)))), 'g', -1, 32)
	}, "0", "-0.0", "1", "-1", "0.5", "2.5", "3e38", "1e-45", "NaN", "inf", "-inf", "0.1", "16777217")(r)
}

func around1(r *rand.Rand) string {
	return pick(func(r *rand.Rand) string { return strconv.FormatFloat(r.NormFloat64()*3, 'f', 4+r.IntN(8), 64) },
		"0", "1", "-1", "0.5", "-0.5", "2", "3", "10", "100", "-0.0", "1.0000001")(r)
}

// decimal draws decimals with up to precision digits.
func decimal(precision, scale int) func(r *rand.Rand) string {
	nines := strings.Repeat("9", precision-scale) + "." + strings.Repeat("9", scale)
	return pick(func(r *rand.Rand) string {
		var b strings.Builder
		if r.IntN(2) == 0 {
			b.WriteByte('-')
		}
		for range 1 + r.IntN(precision-scale) {
			b.WriteByte(byte('0' + r.IntN(10)))
		}
		b.WriteByte('.')
		for range scale {
			b.WriteByte(byte('0' + r.IntN(10)))
		}
		return b.String()
	}, nines, "-"+nines, "0", "1", "-1", "0.5", "-0.5", "2.5", "1.25", "-1.25", "3", "10")
}

// alphabet has letters of one to four bytes, with and without case, and what has a meaning in patterns.
var alphabet = []rune("abcABCxyz 019_%.\\-+*'\"éÉßñÑ日本語😀Жж\t\n")

func text(r *rand.Rand) string {
	return pick(func(r *rand.Rand) string {
		var b strings.Builder
		n := r.IntN(12)
		if r.IntN(20) == 0 {
			n = 300
		}
		for range n {
			b.WriteRune(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}, "", " ", "a", "abc", "  abc  ", "ABC", "hello world", "é", "日本語", "😀😀", "a,b,c", "a%b_c", "%", "\\", "aaa", "Straße", "a-b-c")(r)
}

func letters(n int) func(r *rand.Rand) string {
	return func(r *rand.Rand) string {
		var b strings.Builder
		for range r.IntN(n + 1) {
			b.WriteRune([]rune("aabbc-é")[r.IntN(7)])
		}
		return b.String()
	}
}

func timestamp(r *rand.Rand) string {
	const layout = "2006-01-02T15:04:05.000000"
	return pick(func(r *rand.Rand) string {
		t := time.Unix(r.Int64N(8e9)-4e9, 0).UTC()
		switch r.IntN(3) {
		case 0:
			t = t.Truncate(24 * time.Hour)
		case 1:
			t = t.Add(time.Duration(r.IntN(1e6)) * time.Microsecond)
		}
		return t.Format(layout)
	}, "1970-01-01T00:00:00.000000", "1969-12-31T23:59:59.999999", "2024-02-29T12:00:00.000000", "2000-02-29T00:00:00.000001",
		"1900-03-01T00:00:00.000000", "2023-12-31T23:59:59.999999", "2024-12-30T00:00:00.000000", "2021-01-03T00:00:00.000000",
		"1968-02-29T23:59:59.500000", "2024-01-31T10:20:30.123456", "2016-01-01T01:01:01.001001")(r)
}

// numeral draws text that spells a number, nearly.
func numeral(r *rand.Rand) string {
	return pick(func(r *rand.Rand) string {
		switch r.IntN(3) {
		case 0:
			return integer(-1<<63, 1<<63-1)(r)
		case 1:
			return around1(r)
		}
		return decimal(12, 3)(r)
	}, "", "abc", "1e3", "9223372036854775808", "-9223372036854775808", "128", "-129", "255", "256", "1.5", "2.5", "-0.5", "12abc", "1e400")(r)
}

// document draws JSON with the members a, b, c and d, or something that is none.
func document(r *rand.Rand) string {
	leaf := func() string {
		return []string{"null", "true", "false", strconv.Itoa(r.IntN(100) - 50), strconv.FormatFloat(math.Round(r.NormFloat64()*1e3)/1e3, 'f', -1, 64), `"x"`, `""`,
			`"a \"b\" é"`, "-9223372036854775808", "9223372036854775807", "[]", "{}", `[1,"y",null]`, `{"k":-1}`}[r.IntN(14)]
	}
	return pick(func(r *rand.Rand) string {
		var b []string
		for range r.IntN(4) {
			b = append(b, leaf())
		}
		parts := []string{`"a":` + []string{strconv.Itoa(r.IntN(1000) - 500), strconv.FormatFloat(r.NormFloat64()*100, 'f', 2, 64), "1e3", "null"}[r.IntN(4)],
			`"b":[` + strings.Join(b, ",") + `]`, `"c":{"e":` + leaf() + `,"f":` + leaf() + `}`, `"d":` + leaf()}
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		return "{" + strings.Join(parts[r.IntN(2):], ",") + "}"
	}, "", "no JSON", "{", "[]", "{}", "null", "5", `"a"`, `{"d":{"a":[1,2]}}`)(r)
}

// table draws n rows of columns, a few of the values null. The first row is all null.
func table(seed uint64, n int) [][]*string {
	r := rand.New(rand.NewPCG(seed, 17))
	kinds := columns()
	rows := make([][]*string, n)
	for i := range rows {
		rows[i] = make([]*string, len(kinds))
		for j, c := range kinds {
			v := c.make(r)
			if i > 0 && r.IntN(25) > 0 {
				rows[i][j] = &v
			}
		}
	}
	return rows
}

// loadTable makes table "t" in the second engine, with the rows' numbers as id.
func (s *second) loadTable(rows [][]*string) {
	var defs, casts []string
	for _, c := range columns() {
		defs = append(defs, c.name+" "+c.duck)
		casts = append(casts, "CAST(? AS "+c.duck+")")
	}
	s.exec("CREATE OR REPLACE TABLE t (id BIGINT, " + strings.Join(defs, ", ") + ")")
	numbered := make([][]*string, len(rows))
	for i, row := range rows {
		id := fmt.Sprint(i)
		numbered[i] = append([]*string{&id}, row...)
	}
	s.fill("INSERT INTO t VALUES (CAST(? AS BIGINT), "+strings.Join(casts, ", ")+")", numbered)
}
