package connection_test

import (
	"fmt"
	"strings"
	"testing"

	"wadi/controller/connection"
	"wadi/dataflow/connector/builtin"
)

func TestColumnsOfJSONSchemas(t *testing.T) {
	decl, _ := builtin.Registry().Lookup("blackhole")
	for schema, want := range map[string]string{
		`{"type":"object","properties":{"id":{"type":"integer"},"n":{"type":["null","number"]},"b":{"type":"boolean"}},"required":["id","n"]}`:                                                                                           `"id" BIGINT NOT NULL, "n" DOUBLE, "b" BOOLEAN`,
		`{"properties":{"z":{"type":"string"},"a":{"type":"string","format":"date-time"},"u":{"type":"string","format":"uuid"}}}`:                                                                                                        `"z" TEXT, "a" TIMESTAMP, "u" JSON`,
		`{"type":"object","properties":{"i":{"type":"integer","format":"int32"},"f":{"type":"number","format":"float"},"e":{"enum":["a"],"type":"string"},"o":{"oneOf":[{}]},"x":{}}}`:                                                   `"i" INTEGER, "f" FLOAT, "e" JSON, "o" JSON, "x" JSON`,
		`{"type":"object","properties":{"s":{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}},"m":{"type":"object","additionalProperties":{"type":"string"}}}}}}`:                                           `"s" STRUCT<"a" BIGINT[], "m" JSON>`,
		`{"type":"object","properties":{"p":{"$ref":"#/$defs/P"},"q":{"$ref":"#/definitions/Q"},"r":{"$ref":"other.json"}},"$defs":{"P":{"type":"object","properties":{"x":{"type":"integer"}}}},"definitions":{"Q":{"type":"string"}}}`: `"p" STRUCT<"x" BIGINT>, "q" TEXT, "r" JSON`,
		`{"$ref":"#/$defs/T","$defs":{"T":{"type":"object","properties":{"v":{"type":"integer"}},"required":["v"]}}}`:                                                                                                                    `"v" BIGINT NOT NULL`,
		`{"type":"object","properties":{"t":{"type":"array","items":[{"type":"integer"}]},"l":{"type":"array"}}}`:                                                                                                                        `"t" JSON, "l" JSON`,
	} {
		s := connection.Schema{Definition: &connection.Definition{Type: "json_schema", Schema: schema}}
		got, err := connection.Table{Name: "t", Schema: &s}.Definition(decl)
		if want := `CREATE TABLE "t" (` + want + `) WITH (connector = 'blackhole')`; err != nil || got != want {
			t.Errorf("%s\n%s, %v\nwant %s", schema, got, err, want)
		}
	}
	// A schema that holds itself comes to an end.
	s := connection.Schema{Definition: &connection.Definition{Type: "json_schema", Schema: `{"$ref":"#/$defs/T","$defs":{"T":{"type":"object","properties":{"v":{"$ref":"#/$defs/T"}}}}}`}}
	if err := s.Expand(); err != nil || len(s.Fields) != 1 {
		t.Errorf("%v %v", s.Fields, err)
	}
	// One that doubles at every step does, too.
	var defs []string
	for i := range 40 {
		ref := fmt.Sprintf(`{"$ref":"#/$defs/T%d"}`, i+1)
		defs = append(defs, fmt.Sprintf(`"T%d":{"type":"object","properties":{"a":%s,"b":%s}}`, i, ref, ref))
	}
	s = connection.Schema{Definition: &connection.Definition{Type: "json_schema", Schema: `{"$ref":"#/$defs/T0","$defs":{` + strings.Join(defs, ",") + `}}`}}
	if err := s.Expand(); err == nil {
		t.Error("a schema of 2^40 fields is taken")
	}
	for _, bad := range []string{"", "{", "[]", "{}", `{"type":"array"}`, `{"properties":5}`, `{"$ref":"#/$defs/T","$defs":{"T":{"$ref":"#/$defs/T"}}}`} {
		s := connection.Schema{Definition: &connection.Definition{Type: "json_schema", Schema: bad}}
		if err := s.Expand(); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
