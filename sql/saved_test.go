package sql_test

import (
	"slices"
	"strings"
	"testing"

	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/sql"
)

func withSaved() sql.Options {
	o := options()
	o.Tables = []sql.SavedTable{
		{"people", `CREATE TABLE "people" ("id" BIGINT NOT NULL, "name" TEXT, PRIMARY KEY ("id")) WITH (connector = 'single_file', path = 'p.json', type = 'source', format = 'json')`},
		{"Out", `CREATE TABLE "Out" WITH (connector = 'single_file', path = 'o.json', type = 'sink', format = 'json')`},
		{"ticks", `CREATE TABLE "ticks" WITH (connector = 'impulse', connection_profile = 'slow')`},
		{"broken", `CREATE TABLE "broken" (x INT) WITH (connector = 'nosuch')`},
		{"unreadable", `CREATE TABEL x`},
	}
	o.Profiles = []sql.Profile{{Name: "slow", Connector: "impulse", Options: map[string]connector.Raw{"event_rate": {Kind: connector.RawNumber, Text: "1"}}}}
	return o
}

func TestSavedTables(t *testing.T) {
	for text, want := range map[string]string{
		"INSERT INTO out SELECT id FROM people":               "Out people",
		"SELECT * FROM People p JOIN ticks ON counter = p.id": "people ticks",
		"CREATE TABLE people (x INT) WITH (connector = 'single_file', path = 'q.json', type = 'source', format = 'json'); SELECT x FROM people":               "",
		"CREATE TABLE IF NOT EXISTS people (x INT) WITH (connector = 'single_file', path = 'q.json', type = 'source', format = 'json'); SELECT x FROM people": "",
		"CREATE TABLE t WITH (connector = 'impulse', connection_profile = 'slow', message_count = 5); SELECT * FROM t":                                        "",
		// A table that nobody reads may be broken.
		"SELECT id FROM people WHERE name = 'broken'": "people",
	} {
		plan, errs := sql.Compile(text, withSaved())
		if len(errs) > 0 {
			t.Errorf("%s: %v", text, errs)
			continue
		}
		if got := strings.Join(plan.Tables, " "); got != want {
			t.Errorf("%s uses %q, want %q", text, got, want)
		}
	}
}

func TestSavedTablesThatCannotBeUsed(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT x FROM broken":                     `the saved table "broken" cannot be used: unknown connector "nosuch"`,
		"SELECT x FROM unreadable":                 `the saved table "unreadable" cannot be used: `,
		"SELECT x FROM peopel":                     `there is no table "peopel"`,
		"INSERT INTO people SELECT id FROM people": `attempted to insert into "people", but it is a source`,
		"CREATE TABLE t WITH (connector = 'impulse', connection_profile = 'slow', event_rate = 5); SELECT * FROM t": `option "event_rate" comes from the connection profile "slow"`,
		"CREATE TABLE t WITH (connector = 'impulse', connection_profile = 'slwo'); SELECT * FROM t":                 `there is no connection profile "slwo"`,
		"CREATE TABLE t WITH (connector = 'nexmark', connection_profile = 'slow'); SELECT * FROM t":                 `the connection profile "slow" is for connector "impulse", not for "nexmark"`,
		"CREATE TABLE t WITH (connector = 'impulse', connection_profile = slow); SELECT * FROM t":                   `option "connection_profile" takes a string, not a name`,
	} {
		_, errs := sql.Compile(text, withSaved())
		i := slices.IndexFunc(errs, func(e *fault.Error) bool { return strings.HasPrefix(e.Message, want) })
		if i < 0 {
			t.Errorf("%s: %v, want %s", text, errs, want)
			continue
		}
		if e := errs[i]; e.Span.IsZero() || e.Span.End > len(text) || e.Hint == "" {
			t.Errorf("%s: span %v, hint %q", text, e.Span, e.Hint)
		}
	}
}

func TestCheckTable(t *testing.T) {
	o := withSaved()
	for i, want := range []string{"source", "sink", "source", "", ""} {
		table, errs := sql.CheckTable(o.Tables[i], o)
		if (len(errs) > 0) != (want == "") || table.Use.String() != want {
			t.Errorf("%s: %v %v", o.Tables[i].Name, table, errs)
		}
	}
	if table, _ := sql.CheckTable(o.Tables[2], o); len(table.Columns) != 2 {
		t.Errorf("%v", table)
	}
}
