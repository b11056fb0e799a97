package oracle_test

// scalarCases lists what both engines compute, in the words of ours and, where they are others, of the second one. How the
// second engine is brought to our meaning where it has another is explained in differences_test.go.
func scalarCases() []scalarCase {
	var all []scalarCase
	for _, text := range []string{
		arithmeticCases, floatCases, decimalCases, bitCases, comparisonCases, logicCases, textCases, patternCases, castCases, timeCases,
		encodingCases, listCases, moreListCases, mapCases, jsonCases, rowCases, moreTextCases, moreTimeCases,
	} {
		all = append(all, split(text)...)
	}
	return all
}

const arithmeticCases = `
	i8 + j8
	i16 - j16
	i32 * j32
	i64 + j64
	i64 - j64
	i64 * j64
	u32 + v32
	u32 * v32
	u8 + v8
	u64 + v64
	i32 + i64
	i8 + i32
	i16 * k
	i64 / j64 ::: i64 // CASE j64 WHEN 0 THEN FAIL ELSE j64 END
	i32 / j32 ::: i32 // CASE j32 WHEN 0 THEN FAIL ELSE j32 END
	i64 % j64 ::: CASE j64 WHEN -1 THEN 0 * i64 WHEN 0 THEN FAIL ELSE i64 % j64 END
	i8 % j8 ::: CASE j8 WHEN -1 THEN 0 * i8 WHEN 0 THEN FAIL ELSE i8 % j8 END
	u32 / v32 ::: u32 // CASE v32 WHEN 0 THEN FAIL ELSE v32 END
	u64 % v64 ::: u64 % CASE v64 WHEN 0 THEN FAIL ELSE v64 END
	-i8
	-i32
	-i64
	abs(i8)
	abs(i16)
	abs(i32)
	abs(i64)
	gcd(i64, j64) ::: CAST(gcd(CAST(i64 AS HUGEINT), CAST(j64 AS HUGEINT)) AS BIGINT)
	gcd(k, l)
	lcm(i32, k) ::: lcm(CAST(i32 AS BIGINT), k)
	factorial(k) ::: CASE WHEN k >= 0 THEN factorial(CAST(k AS INTEGER)) WHEN k < 0 THEN FAIL END
	power(k, q) ::: CAST(power(k, q) AS BIGINT)
	nullif(i64, j64)
	nullif(k, l)
	coalesce(i64, j64, 7)
	greatest(i64, j64, k)
	least(i64, j64, k)
	CASE WHEN k > l THEN i64 WHEN k = l THEN j64 ELSE 0 END
	CASE k WHEN 1 THEN 'one' WHEN l THEN 'l' END
	nvl(k, l) ::: coalesce(k, l)
	nvl2(k, l, q) ::: CASE WHEN k IS NOT NULL THEN l ELSE q END
`

const floatCases = `
	d + e
	d - e
	d * e
	d / e
	x / y
	k / x
	x + y
	x * y
	-d
	r + r
	abs(d)
	abs(r)
	ceil(d)
	floor(d)
	ceil(x)
	floor(x)
	round(d)
	round(x)
	round(x, 2)
	round(x, 0)
	trunc(d)
	trunc(x)
	signum(d) ::: CASE WHEN isnan(d) THEN d ELSE sign(d) END
	sqrt(x) ::: CASE WHEN x < 0 THEN 'NaN' ELSE sqrt(x) END
	sqrt(abs(d))
	cbrt(d)
	exp(x)
	ln(x) ::: CASE WHEN x < 0 THEN 'NaN' WHEN x = 0 THEN '-inf' ELSE ln(x) END
	log2(x) ::: CASE WHEN x < 0 THEN 'NaN' WHEN x = 0 THEN '-inf' ELSE log2(x) END
	log10(x) ::: CASE WHEN x < 0 THEN 'NaN' WHEN x = 0 THEN '-inf' ELSE log10(x) END
	log(x) ::: CASE WHEN x < 0 THEN 'NaN' WHEN x = 0 THEN '-inf' ELSE log10(x) END
	log(abs(y), abs(x)) ::: if(x = 0, '-inf'::DOUBLE, ln(abs(nullif(x, 0)))) / if(y = 0, '-inf'::DOUBLE, ln(abs(nullif(y, 0))))
	power(x, y)
	power(x, k)
	sin(x)
	cos(x)
	tan(x)
	asin(x) ::: CASE WHEN abs(x) > 1 THEN 'NaN' ELSE asin(x) END
	acos(x) ::: CASE WHEN abs(x) > 1 THEN 'NaN' ELSE acos(x) END
	atan(d)
	atan2(d, e)
	sinh(x)
	cosh(x)
	tanh(x)
	asinh(x)
	acosh(x)
	atanh(x) ::: CASE WHEN abs(x) > 1 THEN 'NaN' ELSE atanh(x) END
	cot(x) ::: CASE WHEN x = 0 THEN 1 / x ELSE cot(x) END
	degrees(x)
	radians(x)
	pi()
	isnan(d)
	iszero(d) ::: d = 0
	nanvl(d, e) ::: CASE WHEN e IS NULL THEN NULL WHEN isnan(d) THEN e ELSE d END
	d % e
	x % y
	greatest(d, e)
	least(d, e)
	d = e
	d < e
	d <= x
	d IS DISTINCT FROM e
	r < d
	i64 < d
	i64 = d
	k + x
	k * r ::: k * CAST(r AS DOUBLE)
`

const decimalCases = `
	m + n ::: CAST(m AS DECIMAL(30,4)) + n
	m - n ::: CAST(m AS DECIMAL(30,4)) - n
	m + m ::: CAST(m AS DECIMAL(30,4)) + m
	n * n ::: CAST(n AS DECIMAL(19,2)) * n
	m * n ::: CAST(m AS DECIMAL(19,4)) * CAST(n AS DECIMAL(19,2))
	-m
	-w
	m = n
	m < n
	m <= w
	m <> k
	m > x
	m + k
	n * k
	m * x
	m / n ::: CASE WHEN n = 0 THEN FAIL ELSE CAST(sign(m) * sign(n) * ((2 * CAST(abs(CAST(m AS DECIMAL(30,4))) * 10000 AS HUGEINT) * 1000000 + CAST(abs(CAST(n AS DECIMAL(30,2))) * 100 AS HUGEINT)) // nullif(2 * CAST(abs(CAST(n AS DECIMAL(30,2))) * 100 AS HUGEINT), 0)) AS DECIMAL(30,0)) * CAST(0.00000001 AS DECIMAL(8,8)) END
	m % n ::: m % CASE n WHEN 0 THEN FAIL ELSE n END
	abs(m)
	abs(w)
	ceil(m) ::: CAST(ceil(m) AS DECIMAL(18,4))
	floor(m) ::: CAST(floor(m) AS DECIMAL(18,4))
	ceil(n) ::: CAST(ceil(n) AS DECIMAL(12,2))
	floor(w) ::: CAST(floor(w) AS DECIMAL(38,10))
	round(m, 2) ::: CAST(round(m, 2) AS DECIMAL(18,4))
	round(m) ::: CAST(round(m) AS DECIMAL(18,4))
	round(n, 1) ::: CAST(round(n, 1) AS DECIMAL(12,2))
	round(w, 3) ::: CAST(round(w, 3) AS DECIMAL(38,10))
	trunc(m)
	w + 1
	w + w
	greatest(m, n)
	least(m, w)
	coalesce(m, n)
	CAST(m AS DECIMAL(10,1))
	CAST(w AS DECIMAL(20,2))
	CAST(n AS DECIMAL(6,0))
`

const bitCases = `
	i64 & j64
	i64 | j64
	i64 # j64 ::: xor(i64, j64)
	i32 & j32
	i8 | j8
	u64 & v64
	u32 # v32 ::: xor(u32, v32)
	i64 >> q
	i64 >> k ::: i64 >> (k & 63)
`

const comparisonCases = `
	i64 = j64
	k = l
	k <> l
	k < l
	k >= l
	i64 <= i8
	u64 > i64
	u64 = i64
	u64 < i32
	u32 >= i8
	i32 = 2.5
	i64 > 9223372036854775806
	k BETWEEN 0 AND l
	k NOT BETWEEN l AND 5
	k IN (1, 2, l)
	k NOT IN (1, 2, NULL)
	k IN (NULL, 3)
	p IN ('a', 'b', '', o)
	x IN (0, 1, -1)
	n IN (0, 1, 2.5)
	k IS NULL
	s IS NOT NULL
	k IS DISTINCT FROM l
	k IS NOT DISTINCT FROM l
	b IS DISTINCT FROM c
	p < o
	s = t
	s < t
	s >= t
	b = c
	b < c
	ts < us
	ts = us
	ts >= dt
	dt < du
	dt = ts
	dt <> du
	greatest(s, t)
	least(p, o)
	greatest(ts, us)
	least(dt, du)
	greatest(b, c)
	dt IN ('2024-02-29', '1970-01-01')
	ts BETWEEN '1970-01-01' AND '2024-12-31'
`

const logicCases = `
	b AND c
	b OR c
	NOT b
	b AND NOT c OR k > l
	b IS TRUE
	b IS NOT TRUE
	b IS FALSE
	b IS NOT FALSE
	b IS UNKNOWN ::: b IS NULL
	(k > l) IS NOT UNKNOWN ::: (k > l) IS NOT NULL
	(b OR k / l > 0) IS TRUE ::: CASE WHEN b THEN true WHEN l = 0 AND k IS NOT NULL THEN FAIL = 0 ELSE coalesce(k // l > 0, false) END
	CASE WHEN b THEN k / nullif(l, 0) END ::: CASE WHEN b THEN k // nullif(l, 0) END
	coalesce(b, c, true)
	nullif(b, c)
`

const textCases = `
	length(s)
	char_length(s) ::: length(s)
	octet_length(s) ::: strlen(s)
	bit_length(s)
	upper(p)
	lower(s)
	upper(s) ::: replace(upper(s), 'ẞ', 'SS')
	initcap(p) ::: CASE WHEN p = '' THEN '' ELSE list_aggregate(list_transform(regexp_extract_all(p, '[a-zé]+|[^a-zé]+'), lambda w: upper(w[1]) || lower(w[2:])), 'string_agg', '') END
	reverse(p)
	s || t
	p || k
	k || p
	concat(s, k, b)
	concat(s, NULL, t)
	concat_ws('-', p, o, k)
	concat_ws(p, s, NULL, t)
	left(s, k)
	right(s, k)
	left(p, i32)
	substr(s, k) ::: CASE WHEN k > 0 THEN substr(s, k) WHEN k <= 0 AND s IS NOT NULL THEN s END
	substr(s, k, q) ::: CASE WHEN k > 0 THEN substr(s, k, q) WHEN k <= 0 AND q IS NOT NULL THEN left(s, greatest(k + q - 1, 0)) END
	lpad(p, k, o) ::: CASE WHEN k IS NULL OR o IS NULL THEN NULL WHEN k <= 0 OR o = '' THEN left(p, greatest(k, 0)) ELSE lpad(p, CAST(k AS INTEGER), o) END
	rpad(p, k, o) ::: CASE WHEN k IS NULL OR o IS NULL THEN NULL WHEN k <= 0 OR o = '' THEN left(p, greatest(k, 0)) ELSE rpad(p, CAST(k AS INTEGER), o) END
	lpad(p, q) ::: lpad(p, CAST(q AS INTEGER), ' ')
	rpad(p, q) ::: rpad(p, CAST(q AS INTEGER), ' ')
	repeat(p, k)
	replace(s, 'a', 'xy')
	replace(s, p, o)
	replace(p, z, '_')
	strpos(p, z)
	position(z IN p)
	instr(s, p)
	contains(s, p)
	starts_with(s, p)
	ends_with(s, p)
	ltrim(s) ::: ltrim(s, ' ')
	rtrim(s) ::: rtrim(s, ' ')
	btrim(s) ::: trim(s, ' ')
	ltrim(p, o)
	rtrim(p, o)
	trim(p, 'a') ::: trim(p, 'a')
	ascii(s)
	chr(i16) ::: CASE WHEN i16 > 0 AND i16 NOT BETWEEN 55296 AND 57343 THEN chr(CAST(i16 AS INTEGER)) WHEN i16 <= 0 THEN CAST(FAIL AS VARCHAR) END
	split_part(p, 'a', q) ::: split_part(p, 'a', CAST(q AS INTEGER))
	split_part(p, 'a', k) ::: CASE WHEN k = 0 AND p IS NOT NULL THEN CAST(FAIL AS VARCHAR) ELSE split_part(p, 'a', k) END
	translate(p, 'abc', 'xy')
	translate(s, p, o)
	levenshtein(p, o) ::: levenshtein(replace(p, 'é', '3'), replace(o, 'é', '3'))
	levenshtein(s, 'hello world') ::: levenshtein(translate(s, 'ÉéßñÑ日本語😀Жж', '2345678$#@!'), 'hello world')
	to_hex(i64) ::: lower(to_hex(i64))
	overlay(p, 'xyz', q, 2) ::: left(p, q - 1) || 'xyz' || substr(p, q + 2)
	substr_index(p, 'a', q) ::: array_to_string(string_split(p, 'a')[1:q], 'a')
	find_in_set(z, 'a,b,aa,-,é') ::: coalesce(list_position(['a', 'b', 'aa', '-', 'é'], z), CASE WHEN z IS NOT NULL THEN 0 END)
	coalesce(s, t, 'none')
	nullif(p, o)
`

const patternCases = `
	s LIKE 'a%'
	s LIKE '%c'
	s LIKE '%b%'
	s LIKE '_b%'
	s LIKE ''
	s LIKE '%'
	p LIKE '_'
	p LIKE '__%'
	p LIKE '%a%b%'
	p LIKE z
	p LIKE z || '%'
	p NOT LIKE '%' || z || '%'
	s LIKE 'a\%b%' ::: s LIKE 'a\%b%' ESCAPE '\'
	s LIKE '%!_%' ESCAPE '!'
	s ILIKE '%A%'
	s NOT ILIKE 'é%'
	p SIMILAR TO '(a|b)+' ::: regexp_full_match(p, '(a|b)+')
	s SIMILAR TO '%b_c%' ::: regexp_full_match(s, '(.|\n)*b(.|\n)c(.|\n)*')
	p ~ '^a+b' ::: regexp_matches(p, '^a+b')
	s ~* 'ABC' ::: regexp_matches(s, 'ABC', 'i')
	s !~ '[a-c]$' ::: NOT regexp_matches(s, '[a-c]$')
	regexp_like(s, '\d') ::: regexp_matches(s, '\d')
	regexp_like(p, 'é|-') ::: regexp_matches(p, 'é|-')
	regexp_replace(s, '[aeiou]', '*')
	regexp_replace(s, '[^a-z]+', '_', 'g')
	regexp_replace(p, '(a)(b)', '\2\1', 'g')
	regexp_replace(p, 'a*', 'x', 'g')
	regexp_count(p, 'a+') ::: len(regexp_extract_all(p, 'a+'))
`

const castCases = `
	CAST(i64 AS TINYINT)
	CAST(i64 AS SMALLINT)
	CAST(i64 AS INT)
	CAST(i32 AS SMALLINT)
	CAST(i8 AS TINYINT UNSIGNED) ::: CAST(i8 AS UTINYINT)
	CAST(i64 AS INT UNSIGNED) ::: CAST(i64 AS UINTEGER)
	CAST(i64 AS BIGINT UNSIGNED) ::: CAST(i64 AS UBIGINT)
	CAST(u64 AS BIGINT)
	CAST(u32 AS INT)
	CAST(u64 AS DOUBLE)
	CAST(i64 AS DOUBLE)
	CAST(i64 AS REAL)
	CAST(i64 AS TEXT)
	CAST(u64 AS TEXT)
	CAST(i64 AS BOOLEAN)
	CAST(i64 AS DECIMAL(20,1))
	CAST(i64 AS DECIMAL(10,2))
	CAST(b AS INT)
	CAST(b AS TEXT)
	CAST(d AS BIGINT) ::: CAST(trunc(d) AS BIGINT)
	CAST(d AS INT) ::: CAST(trunc(d) AS INTEGER)
	CAST(x AS TINYINT) ::: CAST(trunc(x) AS TINYINT)
	CAST(r AS INT) ::: CAST(trunc(r) AS INTEGER)
	CAST(d AS REAL) ::: CASE WHEN isfinite(d) AND abs(d) > 3.5e38 THEN CAST(if(d > 0, 'inf', '-inf') AS REAL) ELSE CAST(d AS REAL) END
	CAST(r AS DOUBLE)
	CAST(x AS DECIMAL(12,6)) ::: CAST(CAST(x AS VARCHAR) AS DECIMAL(12,6))
	CAST(x AS DECIMAL(6,2)) ::: CAST(CAST(x AS VARCHAR) AS DECIMAL(6,2))
	CAST(d AS DECIMAL(20,2)) ::: CASE WHEN abs(d) < 0.0049 THEN 0 WHEN abs(d) < 1e15 THEN CAST(CAST(d AS VARCHAR) AS DECIMAL(20,2)) ELSE CAST(d AS DECIMAL(20,2)) END
	CAST(m AS BIGINT) ::: CAST(trunc(m) AS BIGINT)
	CAST(n AS INT) ::: CAST(trunc(n) AS INTEGER)
	CAST(w AS BIGINT) ::: CAST(trunc(w) AS BIGINT)
	CAST(m AS DOUBLE)
	CAST(w AS DOUBLE)
	CAST(m AS TEXT)
	CAST(w AS TEXT)
	CAST(nt AS BIGINT) ::: CASE WHEN regexp_full_match(nt, '-?\d+') OR nt IS NULL THEN CAST(nt AS BIGINT) ELSE FAIL END
	CAST(nt AS INT) ::: CASE WHEN regexp_full_match(nt, '-?\d+') OR nt IS NULL THEN CAST(nt AS INTEGER) ELSE FAIL END
	CAST(nt AS TINYINT) ::: CASE WHEN regexp_full_match(nt, '-?\d+') OR nt IS NULL THEN CAST(nt AS TINYINT) ELSE FAIL END
	CAST(nt AS BIGINT UNSIGNED) ::: CASE WHEN regexp_full_match(nt, '-?\d+') OR nt IS NULL THEN CAST(nt AS UBIGINT) ELSE FAIL END
	CAST(nt AS DOUBLE) ::: CASE WHEN nt = '1e400' THEN FAIL ELSE CAST(nt AS DOUBLE) END
	CAST(nt AS DECIMAL(12,3))
	CAST(nt AS BOOLEAN)
	TRY_CAST(nt AS INT) ::: CASE WHEN regexp_full_match(nt, '-?\d+') THEN TRY_CAST(nt AS INTEGER) END
	TRY_CAST(nt AS DOUBLE) ::: CASE WHEN nt <> '1e400' THEN TRY_CAST(nt AS DOUBLE) END
	TRY_CAST(i64 AS SMALLINT)
	TRY_CAST(d AS INT) ::: TRY_CAST(trunc(d) AS INTEGER)
	CAST(dt AS TEXT)
	CAST(dt AS TIMESTAMP)
	CAST(ts AS DATE)
	CAST(ts AS TIME)
	CAST(CAST(ts AS TEXT) AS TIMESTAMP)
	CAST(CAST(dt AS TEXT) AS DATE)
	CAST(CAST(d AS TEXT) AS DOUBLE)
	CAST(CAST(r AS TEXT) AS REAL)
	CAST(CAST(tm AS TEXT) AS TIME)
`

const timeCases = `
	date_part('year', ts)
	date_part('month', ts)
	date_part('day', ts)
	date_part('hour', ts)
	date_part('minute', ts)
	date_part('quarter', ts)
	date_part('week', ts)
	date_part('dow', ts)
	date_part('isodow', ts)
	date_part('doy', ts)
	date_part('epoch', ts)
	date_part('second', ts) ::: date_part('second', ts)
	date_part('year', dt)
	date_part('doy', dt)
	date_part('week', dt)
	date_part('epoch', dt)
	date_part('hour', tm)
	date_part('minute', tm)
	EXTRACT(month FROM dt)
	date_trunc('year', ts)
	date_trunc('quarter', ts)
	date_trunc('month', ts)
	date_trunc('week', ts)
	date_trunc('day', ts)
	date_trunc('hour', ts)
	date_trunc('minute', ts)
	date_trunc('second', ts)
	date_trunc('millisecond', ts)
	date_trunc('month', dt)
	date_trunc('week', dt)
	ts + INTERVAL '1 month'
	ts - INTERVAL '1 month'
	ts + INTERVAL '1 year'
	ts - INTERVAL '13 months'
	ts + INTERVAL '1 month 1 day'
	ts + INTERVAL '36 hours'
	ts - INTERVAL '1.5 seconds'
	ts + INTERVAL '90 days'
	dt + INTERVAL '1 month'
	dt - INTERVAL '1 day'
	dt + INTERVAL '1 hour'
	ts - us > INTERVAL '1 day'
	EXTRACT(epoch FROM ts - us) ::: date_part('epoch', ts - us)
	date_bin(INTERVAL '15 minutes', ts) ::: time_bucket(INTERVAL '15 minutes', ts, TIMESTAMP '1970-01-01')
	date_bin(INTERVAL '7 hours', ts) ::: time_bucket(INTERVAL '7 hours', ts, TIMESTAMP '1970-01-01')
	date_bin(INTERVAL '1 day', ts, us) ::: time_bucket(INTERVAL '1 day', ts, us)
	date_bin(INTERVAL '1 month', ts) ::: time_bucket(INTERVAL '1 month', ts, TIMESTAMP '1970-01-01')
	make_date(1999 + k, q, q * 5)
	make_date(2000 + q, k, 28)
	make_date(2001, 2, 24 + q)
	to_timestamp_seconds(i32) ::: make_timestamp(CAST(i32 AS BIGINT) * 1000000)
	to_timestamp_millis(i32) ::: make_timestamp(CAST(i32 AS BIGINT) * 1000)
	to_timestamp_micros(i32) ::: make_timestamp(CAST(i32 AS BIGINT))
	from_unixtime(i32) ::: make_timestamp(CAST(i32 AS BIGINT) * 1000000)
	to_unixtime(ts) ::: CAST(floor(epoch_us(ts) / 1000000) AS BIGINT)
	to_unixtime(dt) ::: epoch_us(dt) // 1000000
	to_char(ts, '%Y-%m-%d %H:%M:%S') ::: strftime(ts, '%Y-%m-%d %H:%M:%S')
	to_char(ts, '%a %A %b %B %d %j %y %I %p %u %w %%') ::: strftime(ts, '%a %A %b %B %d %j %y %I %p %u %w %%')
	to_char(ts, '%U %W %V %G') ::: strftime(ts, '%U %W %V %G')
	to_char(dt, '%d.%m.%Y') ::: strftime(dt, '%d.%m.%Y')
	to_date(to_char(dt, '%d/%m/%Y'), '%d/%m/%Y') ::: dt
	to_timestamp(to_char(ts, '%d.%m.%Y %H:%M'), '%d.%m.%Y %H:%M') ::: date_trunc('minute', ts)
	ts AT TIME ZONE 'Europe/Berlin' ::: make_timestamp(epoch_us(ts AT TIME ZONE 'Europe/Berlin'))
	ts AT TIME ZONE 'America/New_York' ::: make_timestamp(epoch_us(ts AT TIME ZONE 'America/New_York'))
	(ts AT TIME ZONE 'UTC') AT TIME ZONE 'Asia/Kolkata'
	ts AT TIME ZONE 'Pacific/Apia' ::: make_timestamp(epoch_us(ts AT TIME ZONE 'Pacific/Apia'))
`

const encodingCases = `
	md5(s)
	md5(p || o)
	encode(sha256(s), 'hex') ::: sha256(s)
	encode(s, 'hex') ::: lower(hex(encode(s)))
	encode(s, 'base64') ::: rtrim(base64(encode(s)), '=')
	decode(encode(s, 'hex'), 'hex')::text ::: s
	decode(encode(s, 'base64'), 'base64')::text ::: s
`

const listCases = `
	make_array(k, l, q) ::: [k, l, q]
	make_array(k, l, q)[q] ::: [k, l, q][q]
	make_array(p, o, z)[2] ::: [p, o, z][2]
	array_length(make_array(k, l)) ::: len([k, l])
	array_has(make_array(1, 2, q), k) ::: list_contains([1, 2, q], k)
	array_position(make_array(1, 3, q, 5), 5) ::: list_position([1, 3, q, 5], 5)
	array_append(make_array(k, l), q) ::: list_append([k, l], q)
	array_prepend(q, make_array(k, l)) ::: list_prepend(q, [k, l])
	array_concat(make_array(k), make_array(l, q)) ::: list_concat([k], [l, q])
	array_reverse(make_array(k, l, q)) ::: list_reverse([k, l, q])
	array_sort(make_array(k, l, q), 'ASC', 'NULLS LAST') ::: list_sort([k, l, q], 'ASC', 'NULLS LAST')
	array_sort(make_array(p, o, z), 'DESC', 'NULLS FIRST') ::: list_sort([p, o, z], 'DESC', 'NULLS FIRST')
	array_slice(make_array(k, l, q, 4, 5), 2, q) ::: list_slice([k, l, q, 4, 5], 2, coalesce(q, 5))
	array_to_string(make_array(p, o, z), '-') ::: coalesce(array_to_string([p, o, z], '-'), '')
	string_to_array(p, 'a') ::: CASE WHEN p = '' THEN [] ELSE string_split(p, 'a') END
	array_max(make_array(k, l, q)) ::: list_max([k, l, q])
	array_min(make_array(k, l, q)) ::: list_min([k, l, q])
	array_has_any(make_array(1, 2), make_array(coalesce(k, 0), 9)) ::: list_has_any([1, 2], [coalesce(k, 0), 9])
	array_has_all(make_array(1, 2, 3), make_array(coalesce(k, 0))) ::: list_has_all([1, 2, 3], [coalesce(k, 0)])
	cardinality(make_array(k, l, q)) ::: len([k, l, q])
	range(q) ::: range(q)
	generate_series(1, q) ::: generate_series(1, q)
	regexp_match(p, '(a+)(b)') ::: CASE WHEN regexp_matches(p, '(a+)(b)') THEN [regexp_extract(p, '(a+)(b)', 1), regexp_extract(p, '(a+)(b)', 2)] END
`

const moreListCases = `
	array_any_value(make_array(k, l, q)) ::: coalesce(k, l, q)
	array_dims(make_array(k, l)) ::: [2]
	array_ndims(make_array(make_array(k))) ::: 2
	array_distance(make_array(x, y), make_array(y, x)) ::: CASE WHEN x IS NOT NULL AND y IS NOT NULL THEN list_distance([x, y], [y, x]) END
	array_sort(array_remove_all(array_distinct(make_array(k, l, q, k)), NULL)) ::: list_sort(list_distinct([k, l, q, k]))
	array_element(make_array(k, l, q), q) ::: [k, l, q][q]
	array_element(make_array(k, l, q), k) ::: CASE WHEN k <> 0 THEN [k, l, q][k] END
	array_sort(array_intersect(make_array(1, 2, 3), make_array(k, l, 2))) ::: list_sort(list_intersect([1, 2, 3], [k, l, 2]))
	array_except(make_array(1, 2, 3, 2), make_array(k, l)) ::: list_filter([1, 2, 3], lambda v: NOT list_contains(list_filter([k, l], lambda w: w IS NOT NULL), v))
	array_pop_back(make_array(k, l, q)) ::: [k, l]
	array_pop_front(make_array(k, l, q)) ::: [l, q]
	array_positions(make_array(1, 3, 1, q), 1) ::: list_filter([1, 2, 3, 4], lambda i: [1, 3, 1, q][i] = 1)
	array_position(make_array(k, l, q), 2, 2) ::: CASE WHEN l = 2 THEN 2 WHEN q = 2 THEN 3 END
	array_remove(make_array(k, 2, 2, q), 2) ::: CASE WHEN k = 2 THEN [2, 2, q] ELSE [k, 2, q] END
	array_remove_n(make_array(2, k, 2, 2), 2, 2) ::: CASE WHEN k = 2 THEN [2, 2] ELSE [k, 2] END
	array_remove_all(make_array(k, l, 2, 2), 2) ::: list_filter([k, l, 2, 2], lambda v: v IS DISTINCT FROM 2)
	array_repeat(p, k) ::: CASE WHEN k IS NOT NULL THEN list_transform(range(greatest(k, 0)), lambda i: p) END
	array_replace(make_array(k, 2, 2), 2, 9) ::: CASE WHEN k = 2 THEN [9, 2, 2] ELSE [k, 9, 2] END
	array_replace_n(make_array(2, k, 2), 2, 9, 2) ::: CASE WHEN k = 2 THEN [9, 9, 2] ELSE [9, k, 9] END
	array_replace_all(make_array(k, l, q), 2, 9) ::: list_transform([k, l, q], lambda v: CASE WHEN v = 2 THEN 9 ELSE v END)
	array_resize(make_array(k, l), q) ::: CASE WHEN q IS NOT NULL THEN list_resize([k, l], q) END
	array_resize(make_array(k, l), q, 0) ::: CASE WHEN q IS NOT NULL THEN list_resize([k, l], q, 0) END
	array_sort(array_remove_all(array_union(make_array(1, 2), make_array(k)), NULL)) ::: list_sort(list_distinct([1, 2, k]))
	empty(string_to_array(p, 'a')) ::: p = ''
	flatten(make_array(make_array(k, l), make_array(q))) ::: flatten([[k, l], [q]])
	array_slice(make_array(k, l, q, 4, 5), -3, -1) ::: list_slice([k, l, q, 4, 5], -3, -1)
	array_slice(make_array(k, l, q, 4, 5), 1, 5, q) ::: list_slice([k, l, q, 4, 5], 1, 5, coalesce(q, 1))
	make_array(k, l, q, 4, 5)[2:4] ::: [k, l, q, 4, 5][2:4]
	make_array(k, l, q, 4, 5)[:3] ::: [k, l, q, 4, 5][:3]
	make_array(k, l, q, 4, 5)[-2:] ::: [k, l, q, 4, 5][-2:]
	k = ANY(make_array(1, l, q)) ::: k IN (1, l, q)
	k <> ALL(make_array(1, l, q)) ::: k NOT IN (1, l, q)
	k > ANY(make_array(l, q)) ::: k > l OR k > q
	k <= ALL(make_array(l, q)) ::: k <= l AND k <= q
	s = ANY(make_array(t, p)) ::: s IN (t, p)
	make_array(q, 1) = make_array(1, q) ::: [q, 1] IS NOT DISTINCT FROM [1, q]
	make_array(k) || make_array(l, q) ::: list_concat([k], [l, q])
	make_array(k) || l ::: list_append([k], l)
	k || make_array(l) ::: list_prepend(k, [l])
	make_array(1, 2, q) @> make_array(coalesce(k, 0)) ::: list_has_all([1, 2, q], [coalesce(k, 0)])
	make_array(coalesce(k, 0)) <@ make_array(1, 2, 3) ::: list_has_all([1, 2, 3], [coalesce(k, 0)])
	make_array(1, 2) && make_array(coalesce(k, 0), coalesce(l, 0)) ::: list_has_any([1, 2], [coalesce(k, 0), coalesce(l, 0)])
	range(k, q) ::: range(k, q)
	generate_series(k, q, 2) ::: generate_series(k, q, 2)
	generate_series(q, k, -1) ::: generate_series(q, k, -1)
	array_to_string(make_array(k, l, q), ', ', '-') ::: coalesce(CAST(k AS VARCHAR), '-') || ', ' || coalesce(CAST(l AS VARCHAR), '-') || ', ' || coalesce(CAST(q AS VARCHAR), '-')
	string_to_array(p, 'a', '') ::: CASE WHEN p = '' THEN [] ELSE list_transform(string_split(p, 'a'), lambda v: nullif(v, '')) END
	array_max(make_array(p, o, z)) ::: list_max([p, o, z])
	array_min(make_array(x, y)) ::: list_min([x, y])
	array_reverse(array_sort(make_array(x, y, 0.5))) ::: list_sort([x, y, 0.5], 'DESC', 'NULLS LAST')
	CAST(make_array(k, l) AS TEXT[]) ::: CAST([k, l] AS VARCHAR[])
	TRY_CAST(make_array(p, nt) AS DOUBLE[]) ::: [CAST(NULL AS DOUBLE), CASE WHEN nt <> '1e400' THEN TRY_CAST(nt AS DOUBLE) END]
`

const mapCases = `
	make_map('a', k, 'b', l)['b'] ::: MAP {'a': k, 'b': l}['b']
	make_map('a', k)[p] ::: CASE WHEN p = 'a' THEN k END
	map_keys(make_map('a', k, 'b', l)) ::: map_keys(MAP {'a': k, 'b': l})
	map_values(make_map('a', k, 'b', l)) ::: map_values(MAP {'a': k, 'b': l})
	map_extract(make_map('a', k), 'a') ::: map_extract(MAP {'a': k}, 'a')
	map_extract(make_map('a', k), 'b') ::: map_extract(MAP {'a': k}, 'b')
	map_contains_key(make_map('a', k), p) ::: CASE WHEN p IS NOT NULL THEN map_contains(MAP {'a': k}, p) END
	cardinality(map(make_array('a', 'b'), make_array(k, l))) ::: cardinality(MAP(['a', 'b'], [k, l]))
	map(make_array(1, 2), make_array(p, o))[q] ::: CASE q WHEN 1 THEN p WHEN 2 THEN o END
	named_struct('a', k, 'b', p)['b'] ::: struct_pack(a := k, b := p)['b']
	get_field(named_struct('a', k), 'a') ::: k
	struct(k, p).c1 ::: p
`

// js is a document with the members a (a number), b (a list), c (an object) and d (anything), or no JSON.
const jsonCases = `
	json_get_int(js, 'a') ::: CASE WHEN json_valid(js) AND json_type(js, '$.a') IN ('BIGINT', 'UBIGINT') THEN TRY_CAST(json_extract_string(js, '$.a') AS BIGINT) END
	json_get_float(js, 'a') ::: CASE WHEN json_valid(js) AND json_type(js, '$.a') IN ('BIGINT', 'UBIGINT', 'DOUBLE') THEN CAST(json_extract_string(js, '$.a') AS DOUBLE) END
	json_get_str(js, 'd') ::: CASE WHEN json_valid(js) AND json_type(js, '$.d') = 'VARCHAR' THEN json_extract_string(js, '$.d') END
	json_get_bool(js, 'd') ::: CASE WHEN json_valid(js) AND json_type(js, '$.d') = 'BOOLEAN' THEN CAST(json_extract_string(js, '$.d') AS BOOLEAN) END
	js ->> 'd' ::: CASE WHEN json_valid(js) AND json_type(js, '$.d') NOT IN ('OBJECT', 'ARRAY', 'DOUBLE') THEN json_extract_string(js, '$.d') WHEN json_valid(js) AND json_type(js, '$.d') <> 'NULL' THEN CAST(json_extract(js, '$.d') AS VARCHAR) END
	(js -> 'c' -> 'e')::double ::: CASE WHEN json_valid(js) AND json_type(js, '$.c.e') IN ('BIGINT', 'UBIGINT', 'DOUBLE') THEN CAST(json_extract_string(js, '$.c.e') AS DOUBLE) END
	(js -> 'b' -> 1)::text ::: CASE WHEN json_valid(js) AND json_type(js, '$.b[1]') = 'VARCHAR' THEN json_extract_string(js, '$.b[1]') END
	json_length(js, 'b') ::: CASE WHEN json_valid(js) AND json_type(js, '$.b') = 'ARRAY' THEN json_array_length(js, '$.b') END
	json_object_keys(js) ::: CASE WHEN json_valid(js) AND json_type(js) = 'OBJECT' THEN json_keys(js) END
	json_object_keys(js, 'c') ::: CASE WHEN json_valid(js) AND json_type(js, '$.c') = 'OBJECT' THEN json_keys(js, '$.c') END
	coalesce(js ? 'd', false) ::: CASE WHEN json_valid(js) THEN json_exists(js, '$.d') ELSE false END
	extract_json_string(js, '$.b[1]') ::: CASE WHEN json_valid(js) AND json_type(js, '$.b[1]') = 'VARCHAR' THEN json_extract_string(js, '$.b[1]') END
	get_first_json_object(js, '$.b[0]') ::: CASE WHEN json_valid(js) THEN CAST(json_extract(js, '$.b[0]') AS VARCHAR) END
	extract_json(js, '$.b[*]') ::: CASE WHEN json_valid(js) THEN CAST(json_extract(js, '$.b[*]') AS VARCHAR[]) END
	array_length(extract_json(js, '$.c.*')) ::: CASE WHEN json_valid(js) THEN len(json_extract(js, '$.c.*')) END
	union_tag(js -> 'd') ::: CASE WHEN json_valid(js) THEN CASE json_type(js, '$.d') WHEN 'BOOLEAN' THEN 'bool' WHEN 'BIGINT' THEN 'int' WHEN 'UBIGINT' THEN 'int' WHEN 'DOUBLE' THEN 'float' WHEN 'VARCHAR' THEN 'str' WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'object' END END
`

const rowCases = `
	(k, l) = (l, q) ::: k = l AND l = q
	(k, l) <> (l, q) ::: k <> l OR l <> q
	(k, l) < (l, q) ::: k < l OR (k = l AND l < q)
	(k, l) >= (l, q) ::: k > l OR (k = l AND l >= q)
	(k, p, x) <= (l, o, y) ::: k < l OR (k = l AND (p < o OR (p = o AND x <= y)))
	(k, l) IN ((1, 2), (l, q)) ::: (k = 1 AND l = 2) OR (k = l AND l = q)
	(k, l) NOT IN ((1, 2), (l, NULL)) ::: NOT ((k = 1 AND l = 2) OR (k = l AND l = NULL))
	(k, l) IS NULL ::: k IS NULL AND l IS NULL
	(k, l) IS NOT NULL ::: k IS NOT NULL AND l IS NOT NULL
	(k, p) IS DISTINCT FROM (l, o) ::: k IS DISTINCT FROM l OR p IS DISTINCT FROM o
	(k, l) BETWEEN (l, k) AND (q, 3) ::: (k > l OR (k = l AND l >= k)) AND (k < q OR (k = q AND l <= 3))
`

const moreTextCases = `
	s ^@ p ::: starts_with(s, p)
	overlay(p, z, q) ::: left(p, q - 1) || z || substr(p, q + length(z))
	substr_index(p, 'a', -q) ::: array_to_string(string_split(p, 'a')[-q:], 'a')
	p LIKE ANY (ARRAY['a%', '%b']) ::: p LIKE 'a%' OR p LIKE '%b'
	p NOT LIKE ALL (ARRAY['a%', z]) ::: p NOT LIKE 'a%' AND p NOT LIKE z
	p ~ ANY (ARRAY['^a', 'b$']) ::: regexp_matches(p, '^a') OR regexp_matches(p, 'b$')
	p SIMILAR TO '[a-c]+(-|é)?%' ::: regexp_full_match(p, '[a-c]+(-|é)?(.|\n)*')
	p SIMILAR TO '_{2,3}' ::: regexp_full_match(p, '(.|\n){2,3}')
	p NOT SIMILAR TO '%(aa|bb)%' ::: NOT regexp_matches(p, 'aa|bb')
	regexp_count(p, 'a', 2) ::: len(regexp_extract_all(substr(p, 2), 'a'))
	regexp_replace(s, 'A', '*', 'gi') ::: regexp_replace(s, 'a', '*', 'gi')
	regexp_replace(s, '\s+', ' ', 'g') ::: regexp_replace(s, '\s+', ' ', 'g')
	regexp_like(s, 'A.C', 'is') ::: regexp_matches(s, 'a.c', 'is')
	regexp_match(p, '(b)?(a)') ::: CASE WHEN regexp_matches(p, 'a') THEN [nullif(regexp_extract(p, '(b)?(a)', 1), ''), 'a'] END
	s LIKE p || '%' ESCAPE '' ::: CASE WHEN p LIKE '%\%%' ESCAPE '\' OR p LIKE '%\_%' ESCAPE '\' THEN s LIKE p || '%' ELSE starts_with(s, p) END
	reverse(s) = s ::: list_reverse(string_split(s, '')) = string_split(s, '')
	concat(p, x > 1, dt) ::: coalesce(p, '') || coalesce(CAST(x > 1 AS VARCHAR), '') || coalesce(CAST(dt AS VARCHAR), '')
	repeat(p, q) || z ::: repeat(p, q) || z
	chr(ascii(s)) ::: CASE WHEN s <> '' THEN left(s, 1) WHEN s = '' THEN CAST(FAIL AS VARCHAR) END
	strpos(reverse(p), z) ::: strpos(reverse(p), z)
	~i64 ::: ~i64
	~i8 ::: ~i8
	~u32 ::: ~u32
	nullif(NULL, k) ::: CAST(NULL AS BIGINT)
	encode(decode(to_hex(q * 4096), 'hex'), 'hex') ::: lower(to_hex(q * 4096))
`

const moreTimeCases = `
	date_part('decade', ts)
	date_part('century', ts)
	date_part('millennium', ts)
	date_part('isoyear', ts)
	date_part('julian', dt)
	date_part('millisecond', ts)
	date_part('microsecond', ts)
	date_part('second', tm)
	date_part('epoch', tm)
	date_part('day', ts - us)
	date_part('hour', ts - us)
	date_part('minute', ts - us)
	date_part('year', INTERVAL '1 month' * k)
	date_part('month', INTERVAL '1 month' * k)
	ts + k * INTERVAL '1 day' ::: ts + k * INTERVAL 1 DAY
	ts - INTERVAL '1 hour' * l ::: ts - INTERVAL 1 HOUR * l
	ts + INTERVAL '1-2' YEAR TO MONTH ::: ts + INTERVAL '14 months'
	ts - INTERVAL 'P1DT2H' ::: ts - INTERVAL '26 hours'
	ts + INTERVAL '1 12:30:15' DAY TO SECOND ::: ts + INTERVAL '131415 seconds'
	ts + (us - ts) = us ::: ts + (us - ts) = us
	dt + k ::: dt + CAST(k AS INTEGER)
	dt - k ::: dt - CAST(k AS INTEGER)
	dt - du
	dt + tm
	tm + INTERVAL '90 minutes'
	tm - INTERVAL '25 hours'
	date_part('epoch', tm - TIME '12:00:00') ::: date_part('epoch', tm) - 43200
	INTERVAL '1 day' * k > INTERVAL '30 hours' ::: INTERVAL 1 DAY * k > INTERVAL '30 hours'
	INTERVAL '1 month' * k = INTERVAL '30 days' * k ::: INTERVAL 1 MONTH * k = INTERVAL '30 days' * k
	date_part('epoch', INTERVAL '1 day' / q) ::: 86400 / q
	date_bin(INTERVAL '1 week', ts) ::: time_bucket(INTERVAL '7 days', ts, TIMESTAMP '1970-01-01')
	date_bin(INTERVAL '2 days', dt) ::: CAST(time_bucket(INTERVAL '2 days', dt, DATE '1970-01-01') AS TIMESTAMP)
	date_bin(INTERVAL '3 months', ts, TIMESTAMP '2001-02-03') ::: CAST(time_bucket(INTERVAL '3 months', CAST(date_trunc('day', ts - INTERVAL '2 days') AS TIMESTAMP), TIMESTAMP '2001-02-01') AS TIMESTAMP) + INTERVAL '2 days'
	date_trunc('decade', ts)
	to_timestamp_nanos(CAST(i32 AS BIGINT) * 1000) ::: make_timestamp(CAST(i32 AS BIGINT))
	to_timestamp(i32) ::: make_timestamp(CAST(i32 AS BIGINT) * 1000000)
	to_local_time(ts) ::: ts
	to_local_time(ts AT TIME ZONE 'Asia/Tokyo') ::: ts
	to_date(i16) ::: DATE '1970-01-01' + CAST(i16 AS INTEGER)
	to_char(ts, '%-d.%-m.%y %-I:%M') ::: strftime(ts, '%-d.%-m.%y %-I:%M')
	to_date(to_char(dt, '%G-W%V-%u'), '%G-W%V-%u') ::: dt
	to_date(to_char(dt, '%Y%j'), '%Y%j') ::: dt
	to_date(to_char(dt, '%Y %U %w'), '%Y %U %w') ::: dt
	to_date(to_char(dt, '%Y %W %a'), '%Y %W %a') ::: dt
	to_timestamp(to_char(ts, '%Y%m%d%H%M%S%.f'), '%Y%m%d%H%M%S%.f') ::: ts
	CAST(to_char(dt, '%Y%m%d') AS DATE) ::: dt
	ts::timestamptz AT TIME ZONE 'Europe/Berlin' ::: (ts AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin'
	ts::timestamptz AT TIME ZONE 'America/St_Johns' ::: (ts AT TIME ZONE 'UTC') AT TIME ZONE 'America/St_Johns'
	ts AT TIME ZONE INTERVAL '-5 hours' ::: make_timestamp(epoch_us(ts + INTERVAL '5 hours'))
	dt AT TIME ZONE 'Asia/Tokyo' ::: (CAST(dt AS TIMESTAMP) AT TIME ZONE 'UTC') AT TIME ZONE 'Asia/Tokyo'
	date_part('hour', ts AT TIME ZONE INTERVAL '9 hours') ::: date_part('hour', ts - INTERVAL '9 hours')
	CAST(ts AS BIGINT) ::: epoch_us(ts) * 1000
	CAST(dt AS BIGINT) ::: dt - DATE '1970-01-01'
	CAST(CAST(i64 AS TIMESTAMP(6)) AS BIGINT) ::: i64
	TRY_CAST(CAST(ts AS TIMESTAMP(0)) AS INT) ::: TRY_CAST(CAST(floor(epoch_us(ts) / 1000000) AS BIGINT) AS INTEGER)
	CAST(tm AS BIGINT) ::: CAST(date_part('microsecond', tm) AS BIGINT) * 1000 + (date_part('hour', tm) * 60 + date_part('minute', tm)) * 60000000000
	greatest(tm, TIME '12:00:00')
	tm < TIME '12:00:00'
	ts IS DISTINCT FROM us
	(ts, us) OVERLAPS (ts + INTERVAL '1 day', us) ::: CASE WHEN ts IS NOT NULL AND us IS NOT NULL THEN us <= ts OR us > ts + INTERVAL '1 day' END
	(dt, du) OVERLAPS (dt, INTERVAL '0 days') ::: CASE WHEN dt IS NOT NULL AND du IS NOT NULL THEN dt >= least(dt, du) AND (dt < greatest(dt, du) OR dt = du) END
`
