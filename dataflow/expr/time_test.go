package expr_test

import (
	"testing"
	"time"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
)

func TestTimes(t *testing.T) {
	runTable(t, `
		TIMESTAMP '2024-01-31T00:00:00' + INTERVAL '1 month' => 2024-02-29T00:00:00
		TIMESTAMP '2024-03-31T12:00:00' - INTERVAL '1 month 1 day' => 2024-02-28T12:00:00
		TIMESTAMP '1970-01-01T00:00:00' - INTERVAL '1 ns' => 1969-12-31T23:59:59.999999999
		INTERVAL '1 hour' + TIMESTAMP '2024-01-01T00:00:00' => 2024-01-01T01:00:00
		TIMESTAMP '2024-01-01T00:00:00' + '1 day' => 2024-01-02T00:00:00
		TIMESTAMP '2024-01-02T01:00:00' - TIMESTAMP '2024-01-01T02:00:00' => 23 hours
		TIMESTAMP '2024-01-03T01:00:00' - '2024-01-01T00:00:00' => 2 days 1 hours
		TIMESTAMP '2262-01-01T00:00:00' + INTERVAL '100 years' => !overflow
		DATE '2024-02-28' + 2 => 2024-03-01
		2 + DATE '2024-02-28' => 2024-03-01
		DATE '2024-03-01' - DATE '2024-02-01' => 29
		DATE '2024-01-31' + INTERVAL '1 month' => 2024-02-29
		DATE '2024-01-31' + INTERVAL '1 hour' => 2024-01-31T01:00:00
		TIME '23:00:00' + INTERVAL '2 hours' => 01:00:00
		TIME '01:00:00' - TIME '02:30:00' => -1 hours -30 mins
		INTERVAL '1 day' * 2.5 => 2 days 12 hours
		3 * INTERVAL '10 minutes' => 30 mins
		INTERVAL '1 hour' / 4 => 15 mins
		INTERVAL '1 hour' / 0 => !division-by-zero
		INTERVAL '1 month' - INTERVAL '1 day' => 1 mons -1 days
		-INTERVAL '1 hour' => -1 hours
		INTERVAL '1 month' = INTERVAL '30 days' => true
		INTERVAL '25 hours' > INTERVAL '1 day' => true
		TIMESTAMP '2024-01-01T00:00:00' * 2 => !type-mismatch
		TIMESTAMP '2024-01-01T00:00:00' + TIMESTAMP '2024-01-01T00:00:00' => !type-mismatch
		TIMESTAMP '2024-01-01T00:00:00' > '2023-12-31' => true
		TIMESTAMP '2024-01-01T00:00:00' = DATE '2024-01-01' => true
		TIMESTAMP '2024-01-01T00:00:00' = 'soon' => !type-mismatch
		TIMESTAMP '2024-01-01T00:00:00' < 'soon' => !type-mismatch
		date_trunc('week', TIMESTAMP '2024-02-04T12:00:00') => 2024-01-29T00:00:00
		date_trunc('quarter', TIMESTAMP '2024-06-30T12:00:00') => 2024-04-01T00:00:00
		date_trunc('year', DATE '1969-06-30') => 1969-01-01T00:00:00
		date_trunc('hour', TIMESTAMP '1969-12-31T23:59:59') => 1969-12-31T23:00:00
		date_trunc('day', TIMESTAMP '1969-12-31T00:00:00') => 1969-12-31T00:00:00
		date_trunc('second', TIMESTAMP '1969-12-31T23:59:58.5'::timestamp_s) => 1969-12-31T23:59:58
		date_trunc('century', TIMESTAMP '2000-06-30T00:00:00') => 1901-01-01T00:00:00
		date_trunc('decade', TIMESTAMP '1999-06-30T00:00:00') => 1990-01-01T00:00:00
		date_trunc('sometime', TIMESTAMP '2000-06-30T00:00:00') => !invalid
		date_trunc(NULL, TIMESTAMP '2000-06-30T00:00:00') => NULL
		date_part('year', TIMESTAMP '1969-12-31T23:59:59.5') => 1969
		date_part('epoch', TIMESTAMP '1969-12-31T23:59:59.5') => -0.5
		date_part('second', TIMESTAMP '1969-12-31T23:59:59.5') => 59
		date_part('millisecond', TIMESTAMP '2024-01-01T00:00:02.5') => 2500
		date_part('microseconds', TIMESTAMP '2024-01-01T00:00:02.5') => 2500000
		date_part('nanosecond', TIMESTAMP '2024-01-01T00:00:59.5') => 59500000000
		date_part('week', DATE '2021-01-03') => 53
		date_part('isoyear', DATE '2021-01-03') => 2020
		date_part('dow', DATE '2024-02-04') => 0
		date_part('isodow', DATE '2024-02-04') => 7
		date_part('quarter', DATE '2024-12-04') => 4
		date_part('century', DATE '2000-12-04') => 20
		date_part('millennium', DATE '2001-01-01') => 3
		date_part('julian', DATE '1970-01-01') => 2440588
		date_part('hour', TIME '17:30:00') => 17
		date_part('year', TIME '17:30:00') => !type-mismatch
		date_part('hour', INTERVAL '26 hours') => 26
		date_part('month', INTERVAL '14 months') => 2
		date_part('epoch', INTERVAL '1 day 1 second') => 86401.0
		date_part('flavour', DATE '2001-01-01') => !invalid
		date_bin(INTERVAL '1 day', TIMESTAMP '1969-12-31T12:00:00') => 1969-12-31T00:00:00
		date_bin(INTERVAL '15 minutes', TIMESTAMP '2024-01-01T00:14:00', TIMESTAMP '2024-01-01T00:05:00') => 2024-01-01T00:05:00
		date_bin(INTERVAL '2 months', TIMESTAMP '2024-04-15T00:00:00') => 2024-03-01T00:00:00
		date_bin(INTERVAL '1 month', TIMESTAMP '1969-12-15T00:00:00', TIMESTAMP '2000-01-10T00:00:00') => 1969-12-10T00:00:00
		date_bin(INTERVAL '0 s', TIMESTAMP '2024-04-15T00:00:00') => !invalid
		make_date(2023, 2, 29) => !invalid
		to_timestamp('2024-01-01 10:00') => 2024-01-01T10:00:00
		to_timestamp('nonsense') => !invalid
		to_timestamp('01/02/2024', '%Y', '%d/%m/%Y') => 2024-02-01T00:00:00
		to_timestamp('x', '%Q') => !invalid
		to_timestamp(1.5) => 1970-01-01T00:00:01.500
		to_timestamp(-1) => 1969-12-31T23:59:59
		to_timestamp(9223372036854775807) => !overflow
		to_timestamp_millis('1970-01-01T00:00:01.234567') => 1970-01-01T00:00:01.234
		to_timestamp_seconds(TIMESTAMP '1969-12-31T23:59:59.5') => 1969-12-31T23:59:59
		to_timestamp('12 Mar 2024 1:05 pm', '%d %b %Y %I:%M %p') => 2024-03-12T13:05:00
		to_timestamp('2024-060 23:59:59.123 +0200', '%Y-%j %H:%M:%S%.f %z') => 2024-02-29T21:59:59.123
		to_timestamp('1700000000', '%s') => 2023-11-14T22:13:20
		to_unixtime('1969-12-31T23:59:59') => -1
		to_unixtime(DATE '1970-01-02') => 86400
		from_unixtime(0, 'America/New_York') => 1969-12-31T19:00:00
		to_date('2024-02-30') => !invalid
		to_date(19000) => 2022-01-08
		to_char(TIMESTAMP '1969-12-31T23:59:59.123456789', '%Y %y %C %m %B %b %d %e %j %U %W %G %V %u %w %a %A') => 1969 69 19 12 December Dec 31 31 365 52 52 1970 01 3 3 Wed Wednesday
		to_char(TIMESTAMP '1969-12-31T23:59:59.123456789', '%H %I %l %k %p %P %M %S %f %.f %3f %.6f %z %:z %Z %s %% %t') => 23 11 11 23 PM pm 59 59 123456789 .123456789 123 .123456 +0000 +00:00 UTC -1 % 	
		to_char(DATE '2024-03-05', '%-d.%-m.%Y %_d %D %F %v %c') => 5.3.2024  5 03/05/24 2024-03-05  5-Mar-2024 Tue Mar  5 00:00:00 2024
		to_char(TIME '01:02:03', '%T %R %r %X %+') => 01:02:03 01:02 01:02:03 AM 01:02:03 1970-01-01T01:02:03+00:00
		to_char(DATE '2024-03-05', '%Q') => !invalid
		TIMESTAMP '2024-03-31T02:30:00' AT TIME ZONE 'Europe/Berlin' => 2024-03-31T01:30:00Z
		TIMESTAMP '2024-10-27T02:30:00' AT TIME ZONE 'Europe/Berlin' => 2024-10-27T01:30:00Z
		TIMESTAMP '2024-01-01T00:00:00' AT TIME ZONE '+05:30' => 2023-12-31T18:30:00Z
		TIMESTAMPTZ '2024-07-01T12:00:00Z' AT TIME ZONE 'America/New_York' => 2024-07-01T08:00:00
		TIMESTAMP '2024-01-01T00:00:00' AT TIME ZONE 'Atlantis' => !invalid
		TIMESTAMPTZ '2024-07-01T12:00:00+02:00' => 2024-07-01T10:00:00Z
	`)
}

// TestCalendarAgreesWithGo walks over four centuries and the ends of the range.
func TestIntervalSpellings(t *testing.T) {
	runTable(t, `
		INTERVAL 'P1Y2M3W4DT5H6M7.5S' => 14 mons 25 days 5 hours 6 mins 7.500 secs
		INTERVAL '-P1DT2H' => -1 days -2 hours
		INTERVAL 'P-1DT1,5H' => -1 days 1 hours 30 mins
		INTERVAL 'pt0.001s' => 0.001 secs
		'P'::interval => !invalid
		'PT'::interval => !invalid
		'P1H'::interval => !invalid
		'P1D1Y'::interval => !invalid
		'P1'::interval => !invalid
		INTERVAL '1-2' => 14 mons
		INTERVAL '-1-2' => -14 mons
		INTERVAL '1-2 3 4:05:06' => 14 mons 3 days 4 hours 5 mins 6 secs
		'1-12'::interval => !invalid
		INTERVAL '1 12:30' => 1 days 12 hours 30 mins
		INTERVAL '-1 12:30' => -1 days 12 hours 30 mins
		INTERVAL '@ 1 day 2 hours ago' => -1 days -2 hours
		INTERVAL '1 day 2' => 1 days 2 secs
		INTERVAL '1 millennium' => 12000 mons
		'178956971 years'::interval => !invalid
		'ago'::interval => !invalid
		'1 -'::interval => !invalid
		':'::interval => !invalid
	`)
}

func TestTimesInFormats(t *testing.T) {
	runTable(t, `
		to_date('20240517', '%Y%m%d') => 2024-05-17
		to_date('2024138', '%Y%j') => 2024-05-17
		to_date('2024366', '%Y%j') => 2024-12-31
		to_date('2023366', '%Y%j') => !invalid
		to_date('2024-W20-5', '%G-W%V-%u') => 2024-05-17
		to_date('2020-W53-7', '%G-W%V-%u') => 2021-01-03
		to_date('2021-W53-1', '%G-W%V-%u') => !invalid
		to_date('2024 20 5', '%Y %W %w') => 2024-05-17
		to_date('2024 19 Fri', '%Y %U %a') => 2024-05-17
		to_date('2023 0 0', '%Y %U %w') => !invalid
		to_date('20 24 05 17', '%C %y %m %d') => 2024-05-17
		to_date('+20240-05-17', '%Y-%m-%d') => +20240-05-17
		to_date('-44-03-15', '%Y-%m-%d') => -0044-03-15
		to_date('69-01-01', '%y-%m-%d') => 2069-01-01
		to_date('70-01-01', '%y-%m-%d') => 1970-01-01
		to_timestamp('20240517101112', '%Y%m%d%H%M%S') => 2024-05-17T10:11:12
		to_timestamp('20240517 101112.5', '%Y%m%d %H%M%S%.f') => 2024-05-17T10:11:12.500
		to_timestamp_seconds(1.9) => 1970-01-01T00:00:01
		to_timestamp(1.9) => 1970-01-01T00:00:01.900
		'20240517'::date => 2024-05-17
		'20241317'::date => !invalid
		'20240517T10:11'::timestamp => 2024-05-17T10:11:00
	`)
}

func TestZones(t *testing.T) {
	runTable(t, `
		TIMESTAMP '2024-11-03T01:30:00' AT TIME ZONE 'America/New_York' => 2024-11-03T06:30:00Z
		TIMESTAMP '2024-03-10T02:30:00' AT TIME ZONE 'America/New_York' => 2024-03-10T07:30:00Z
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'europe/BERLIN' => 2024-07-01T10:00:00Z
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'america/port-au-prince' => 2024-07-01T16:00:00Z
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'etc/gmt+3' => 2024-07-01T15:00:00Z
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'CET' => 2024-07-01T11:00:00Z
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'pdt' => 2024-07-01T19:00:00Z
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE INTERVAL '-8 hours' => 2024-07-01T20:00:00Z
		TIMESTAMP '2024-07-01T12:00:00'::timestamptz AT TIME ZONE INTERVAL '-8 hours' => 2024-07-01T04:00:00
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE INTERVAL '1 day' => !invalid
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE '../Berlin' => !invalid
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'local' => !invalid
		DATE '2024-07-01' AT TIME ZONE 'Europe/Berlin' => 2024-07-01T02:00:00
		TIME '12:00:00' AT TIME ZONE 'UTC' => !type-mismatch
		to_local_time(TIMESTAMP '2024-05-17T10:00:00' AT TIME ZONE 'Europe/Berlin') => 2024-05-17T10:00:00
		to_local_time(TIMESTAMP '2024-05-17T10:00:00'::timestamptz) => 2024-05-17T10:00:00
		'2024-07-01 12:00:00 Europe/Berlin'::timestamptz => 2024-07-01T10:00:00Z
		'2024-07-01 12:00:00 PST'::timestamp => 2024-07-01T20:00:00
		'2024-07-01 12:00:00 Mars/Base'::timestamp => !invalid
		date_bin(INTERVAL '2 days', DATE '2024-01-03') => 2024-01-02T00:00:00
	`)
}

func TestCalendarAgreesWithGo(t *testing.T) {
	schema := benchSchema
	e, err := expr.Compile([]*expr.Node{
		mustParse(t, schema, "CAST(t AS text)"), mustParse(t, schema, "date_part('week', t)"),
		mustParse(t, schema, "date_part('doy', t)"), mustParse(t, schema, "date_trunc('month', t)"),
		mustParse(t, schema, "CAST(CAST(t AS text) AS timestamp)"),
	}, schema, expr.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	b := column.NewBuilder(schema, false)
	times := b.Column(7).(*column.Fixed[int64])
	for at := time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2250; at = at.Add(7*24*time.Hour + 3723456789000) {
		times.Append(at.UnixNano())
	}
	batch := *b.Batch()
	batch.N = times.Len()
	out, err := e.Eval(&batch)
	if err != nil {
		t.Fatal(err)
	}
	for r, v := range times.Values {
		at := time.Unix(0, v).UTC()
		_, week := at.ISOWeek()
		month := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		layout := "2006-01-02T15:04:05.000000000"
		switch {
		case at.Nanosecond() == 0:
			layout = layout[:19]
		case at.Nanosecond()%1e6 == 0:
			layout = layout[:23]
		case at.Nanosecond()%1e3 == 0:
			layout = layout[:26]
		}
		if got := string(out[0].(*column.Bytes).At(r)); got != at.Format(layout) {
			t.Fatalf("%v is written %s", at, got)
		}
		if out[1].(*column.Fixed[int32]).Values[r] != int32(week) || out[2].(*column.Fixed[int32]).Values[r] != int32(at.YearDay()) ||
			out[3].(*column.Fixed[int64]).Values[r] != month.UnixNano() || out[4].(*column.Fixed[int64]).Values[r] != v {
			t.Fatalf("%v: %v %v %v %v", at, out[1].(*column.Fixed[int32]).Values[r], out[2].(*column.Fixed[int32]).Values[r],
				out[3].(*column.Fixed[int64]).Values[r], out[4].(*column.Fixed[int64]).Values[r])
		}
	}
}

func TestClockIsReadOncePerBatch(t *testing.T) {
	n := mustParse(t, nil, "now() = current_timestamp() AND current_date() = now()::date")
	if got, err := textOf(t, n); got != "true" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if f := expr.Fold(n); f.Kind == expr.Literal {
		t.Error("now() was computed at plan time")
	}
}
