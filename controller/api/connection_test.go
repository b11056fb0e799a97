package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"wadi/controller/api"
	"wadi/controller/connection"
	"wadi/dataflow/agg"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/expr"
	"wadi/sql"
)

// withConnectors lets connections be saved for the connectors that there are.
func withConnectors(c *api.Config) {
	c.Connectors = builtin.Registry()
	c.Options = func(ctx context.Context) (sql.Options, error) {
		o := sql.Options{DefaultSink: "stdout", UpdateAggregateFlushInterval: time.Second, Connectors: c.Connectors, Functions: expr.Builtin(), Aggregates: agg.Builtin()}
		err := connection.Saved(ctx, c.DB, &o)
		return o, err
	}
}

func TestProfiles(t *testing.T) {
	c := start(t, withConnectors)
	var p struct{ ID, Name, Connector string }
	c.get(&p, "POST", "/connection_profiles", `{"name":"fast","connector":"impulse","config":{"event_rate":1000}}`)
	if !strings.HasPrefix(p.ID, "cp_") || p.Name != "fast" {
		t.Errorf("%+v", p)
	}
	var all struct{ Data []object }
	c.get(&all, "GET", "/connection_profiles", "")
	if len(all.Data) != 1 || all.Data[0]["config"].(object)["event_rate"] != 1000.0 {
		t.Errorf("%v", all)
	}
	var values struct{ Values map[string][]string }
	if c.get(&values, "GET", "/connection_profiles/"+p.ID+"/autocomplete", ""); values.Values == nil {
		t.Errorf("%v", values)
	}
	for body, want := range map[string]string{
		`{"name":"fast","connector":"impulse","config":{}}`:               "a connection profile with this name exists already",
		`{"name":" ","connector":"impulse","config":{}}`:                  "the connection profile needs a name",
		`{"name":"a","connector":"nosuch","config":{}}`:                   "there is no connector nosuch",
		`{"name":"a","connector":"preview","config":{}}`:                  "there is no connector preview",
		`{"name":"a","connector":"impulse","config":{"event_rat":1}}`:     "unknown option for connector",
		`{"name":"a","connector":"impulse","config":{"event_rate":"x"}}`:  "takes a number",
		`{"name":"a","connector":"impulse","config":{"event_rate":{}}}`:   "config.event_rate is not a value of an option",
		`{"name":"a","connector":"impulse","config":[1]}`:                 "config is not an object",
		`{"name":"a","connector":"impulse","config":{"event_rate":-1.5}}`: "the rate must be above 0",
	} {
		if code, text := c.call("POST", "/api/v1/connection_profiles", body); code != http.StatusBadRequest || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", body, code, text)
		}
		var m struct {
			Error, Done bool
			Message     string
		}
		if c.get(&m, "POST", "/connection_profiles/test", body); !m.Done || m.Error != !strings.Contains(body, `"fast"`) {
			t.Errorf("test of %s: %+v", body, m)
		}
	}
	for _, at := range []string{"DELETE /api/v1/connection_profiles/cp_none", "GET /api/v1/connection_profiles/cp_none/autocomplete"} {
		method, path, _ := strings.Cut(at, " ")
		if code, text := c.call(method, path, ""); code != http.StatusNotFound || !strings.Contains(text, "Connection profile not found") {
			t.Errorf("%s: %d %s", at, code, text)
		}
	}
	if code, text := c.call("DELETE", "/api/v1/connection_profiles/"+p.ID, ""); code != http.StatusOK || text != "" {
		t.Errorf("%d %s", code, text)
	}
}

func TestConnectionTables(t *testing.T) {
	c := start(t, withConnectors)
	var p struct{ ID string }
	c.get(&p, "POST", "/connection_profiles", `{"name":"it's \"fast\"","connector":"impulse","config":{"event_rate":1000}}`)
	var ticks object
	c.get(&ticks, "POST", "/connection_tables", `{"name":"ticks","connector":"impulse","connection_profile_id":"`+p.ID+`","config":{"message_count":3},"schema":null}`)
	if ticks["table_type"] != "source" || ticks["connection_profile"].(object)["id"] != p.ID || len(ticks["schema"].(object)["fields"].([]any)) != 2 {
		t.Errorf("%v", ticks)
	}
	// Every type, as the planner takes it and as SQL spells it.
	var saved struct {
		ID, Definition string
		Schema         struct{ Fields []object }
	}
	c.get(&saved, "POST", "/connection_tables", `{"name":"saved","connector":"single_file","config":{"path":"it's.json","table_type":"source","wait_for_control":null},"schema":{
		"format":{"type":"json","confluent_schema_registry":false,"schema_id":null,"include_schema":false,"debezium":false,"unstructured":false,"timestamp_format":"rfc3339","decimal_encoding":"number","compression":"uncompressed"},
		"bad_data":{"behavior":"drop"},"framing":{"method":"newline","max_line_length":100},"primary_keys":["a b"],"fields":[
		{"name":"a b","type":"int64","required":true},{"name":"c","type":"decimal128","precision":10,"scale":2},{"name":"d","type":"timestamp","unit":"millisecond"},
		{"name":"e","type":"struct","fields":[{"name":"x","type":"json"},{"name":"y","type":"list","items":{"name":"item","type":"uint32"}}]},
		{"name":"f","type":"map","key":{"type":"string"},"value":{"type":"uuid"}},{"name":"g","type":"timestamptz","unit":"second"},{"name":"h","type":"int64","metadata_key":"line"},
		{"name":"i","type":"bytes"},{"name":"j","type":"date"},{"name":"k","type":"time"},{"name":"l","type":"int8"},{"name":"m","type":"float32"},{"name":"n","type":"bool"}]}}`)
	want := `CREATE TABLE "saved" ("a b" BIGINT NOT NULL, "c" DECIMAL(10, 2), "d" TIMESTAMP(3), "e" STRUCT<"x" JSON, "y" INTEGER UNSIGNED[]>, "f" MAP<TEXT, UUID>, "g" TIMESTAMPTZ(0), ` +
		`"h" BIGINT METADATA FROM 'line', "i" BYTEA, "j" DATE, "k" TIME, "l" TINYINT, "m" FLOAT, "n" BOOLEAN, PRIMARY KEY ("a b")) WITH (connector = 'single_file', "path" = 'it''s.json', "type" = 'source', ` +
		`"format" = 'json', "json.decimal_encoding" = 'number', "json.timestamp_format" = 'rfc3339', "bad_data" = 'drop', "framing" = 'newline', "framing.newline.max_length" = 100)`
	if saved.Definition != want {
		t.Errorf("%s\nwant\n%s", saved.Definition, want)
	}
	if n := saved.Schema.Fields[3]["sql_name"]; n != `STRUCT<"x" JSON, "y" INTEGER UNSIGNED[]>` {
		t.Errorf("%v", n)
	}
	var sink object
	c.get(&sink, "POST", "/connection_tables", `{"name":"changes","connector":"single_file","config":{"path":"o","type":"sink"},"schema":{"format":{"type":"json","debezium":true,"timestamp_format":"unix_millis"},"fields":[],"primary_keys":[]}}`)
	if sink["table_type"] != "sink" || !strings.Contains(sink["definition"].(string), `"format" = 'debezium_json', "json.timestamp_format" = 'unix_millis'`) || sink["schema"].(object)["inferred"] != true {
		t.Errorf("%v", sink)
	}
	for body, want := range map[string]string{
		`{"name":"SAVED","connector":"impulse","config":{"event_rate":1}}`:                                                                                                                    "exists already",
		`{"name":"","connector":"impulse","config":{"event_rate":1}}`:                                                                                                                         "needs a name",
		`{"name":"x","connector":"impulse","config":{}}`:                                                                                                                                      `needs the option \"event_rate\"`,
		`{"name":"x","connector":"impulse","config":{"event_rate":1,"foo":2}}`:                                                                                                                "unknown option",
		`{"name":"x","connector":"impulse","config":{"event_rate":{"a":1}}}`:                                                                                                                  "is not a value of an option",
		`{"name":"x","connector":"impulse","connection_profile_id":"cp_none","config":{}}`:                                                                                                    "there is no connection profile cp_none",
		`{"name":"x","connector":"nexmark","connection_profile_id":"` + p.ID + `","config":{"event_rate":1}}`:                                                                                 `is for connector \"impulse\"`,
		`{"name":"x","connector":"single_file","config":{"path":"p","type":"source"},"schema":{"fields":[]}}`:                                                                                 `needs the option \"format\"`,
		`{"name":"x","connector":"single_file","config":{"path":"p","type":"source"},"schema":{"format":{"type":"avro"},"fields":[{"name":"a","type":"int64"}]}}`:                             "is not supported",
		`{"name":"x","connector":"single_file","config":{"path":"p","type":"source"},"schema":{"format":{"type":"json"},"fields":[{"name":"a","type":"int65"}]}}`:                             `there is no type \"int65\"`,
		`{"name":"x","connector":"single_file","config":{"path":"p","type":"source"},"schema":{"format":{"type":"json"},"fields":[{"name":"a","type":"list"}]}}`:                              "has no type",
		`{"name":"x","connector":"single_file","config":{"path":"p","type":"source"},"schema":{"format":{"type":"json"},"fields":[{"name":"a","type":"int64"},{"name":"a","type":"int64"}]}}`: "declared twice",
		`{"name":"x","connector":"single_file","config":{"path":"p","type":"source"},"schema":{"format":{},"fields":[],"definition":{"type":"json_schema","schema":"{}"}}}`:                   "not that of an object with properties",
	} {
		if code, text := c.call("POST", "/api/v1/connection_tables", body); code != http.StatusBadRequest || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", body, code, text)
		}
	}
	if _, text := c.call("POST", "/api/v1/connection_tables/test", `{"name":"x","connector":"impulse","config":{}}`); !strings.HasPrefix(text, `data: {"error":true,"done":true,`) {
		t.Errorf("%s", text)
	}
	if code, text := c.call("POST", "/api/v1/connection_tables/schemas/test", `{"fields":[{"name":"a","type":"map"}]}`); code != http.StatusBadRequest {
		t.Errorf("%d %s", code, text)
	}
	if code, text := c.call("POST", "/api/v1/connection_tables/schemas/test", `{"fields":[{"name":"a","type":"int32"}]}`); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
	c.pagesAndUses(saved.ID, p.ID)
}

// pagesAndUses walks through the tables, and deletes what may be deleted.
func (c *client) pagesAndUses(saved, profile string) {
	c.Helper()
	var pipeline struct{ ID string }
	c.get(&pipeline, "POST", "/pipelines", `{"name":"p","parallelism":1,"query":"SELECT * FROM saved"}`)
	uses := map[string]float64{}
	for after, more := "", true; more; {
		var page struct {
			Data    []object
			HasMore bool
		}
		c.get(&page, "GET", "/connection_tables?limit=2&starting_after="+after, "")
		for _, t := range page.Data {
			uses[t["name"].(string)] = t["consumers"].(float64)
			after = t["id"].(string)
		}
		more = page.HasMore
	}
	if len(uses) != 3 || uses["saved"] != 1 || uses["ticks"] != 0 {
		c.Errorf("%v", uses)
	}
	for path, want := range map[string]string{
		"/connection_tables/" + saved: "used by 1 pipeline", "/connection_profiles/" + profile: "used by 1 connection table",
	} {
		if code, text := c.call("DELETE", "/api/v1"+path, ""); code != http.StatusBadRequest || !strings.Contains(text, want) {
			c.Errorf("%s: %d %s", path, code, text)
		}
	}
	if code, text := c.call("DELETE", "/api/v1/connection_tables/ct_none", ""); code != http.StatusNotFound || !strings.Contains(text, "Connection table not found") {
		c.Errorf("%d %s", code, text)
	}
	if code, _ := c.call("GET", "/api/v1/connection_tables?starting_after=ct_none", ""); code != http.StatusBadRequest {
		c.Error(code)
	}
}
