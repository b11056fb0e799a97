package connector_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
)

func declaration() *connector.Declaration {
	return &connector.Declaration{
		Name: "demo", Doc: "A connector \"for\" tests.", Uses: connector.Source | connector.Sink,
		Options: []connector.Option{
			{Name: "type", Type: connector.String, Values: []string{"source", "sink"}},
			{Name: "path", Type: connector.String, Required: true, Doc: "the file", Check: func(v string) error {
				if v == "" {
					return fault.Userf(fault.CodeInvalid, fault.Span{}, "the path is empty").WithHint("name a file")
				}
				return nil
			}},
			{Name: "wait", Type: connector.Bool, Default: "true", For: connector.Source},
			{Name: "offset", Type: connector.Int},
			{Name: "count", Type: connector.Uint},
			{Name: "rate", Type: connector.Float},
			{Name: "buffer", Type: connector.Size, Default: "1024"},
			{Name: "every", Type: connector.Duration, Default: "1500000000"},
			{Name: "key", Type: connector.Column},
			{Name: "topics", Type: connector.List},
		},
	}
}

func str(s string) connector.Raw { return connector.Raw{Kind: connector.RawString, Text: s} }
func num(s string) connector.Raw { return connector.Raw{Kind: connector.RawNumber, Text: s} }
func boolean(s string) connector.Raw {
	return connector.Raw{Kind: connector.RawBool, Text: s}
}
func name(s string) connector.Raw { return connector.Raw{Kind: connector.RawIdent, Text: s} }
func nanos(n int64) connector.Raw { return connector.Raw{Kind: connector.RawInterval, Nanos: n} }
func list(items ...connector.Raw) connector.Raw {
	return connector.Raw{Kind: connector.RawArray, Items: items}
}

func TestResolveGivesCanonicalTextAndDefaults(t *testing.T) {
	got, err := declaration().Resolve(connector.Source, map[string]connector.Raw{
		"path": str("a.json"), "offset": num("-5"), "count": str("18446744073709551615"), "rate": num("1e3"),
		"key": name("id"), "topics": str("a, b"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"path": "a.json", "wait": "true", "offset": "-5", "count": "18446744073709551615", "rate": "1000",
		"buffer": "1024", "every": "1500000000", "key": "id", "topics": "a,b"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	sink, err := declaration().Resolve(connector.Sink, map[string]connector.Raw{"path": str("a")})
	if err != nil || sink["wait"] != "" {
		t.Errorf("a sink got a source's default: %v, %v", sink, err)
	}
}

func TestCoercions(t *testing.T) {
	for _, c := range []struct {
		option string
		raw    connector.Raw
		want   string // "" is a refusal
	}{
		{"path", name("a"), ""}, {"path", num("1"), ""}, {"path", boolean("true"), ""}, {"path", str("x y"), "x y"},
		{"wait", boolean("false"), "false"}, {"wait", str("yes"), "true"}, {"wait", str("no"), "false"}, {"wait", str("Yes"), ""}, {"wait", num("1"), ""},
		{"offset", num("9223372036854775807"), "9223372036854775807"}, {"offset", num("9223372036854775808"), ""},
		{"offset", num("1e6"), "1000000"}, {"offset", num("1.5"), ""}, {"offset", str("x"), ""}, {"offset", str("+7"), "7"},
		{"offset", num("1e999999999"), ""}, {"offset", nanos(5), ""}, {"offset", boolean("true"), ""},
		{"count", num("-1"), ""}, {"count", num("0"), "0"}, {"count", num("18446744073709551616"), ""},
		{"rate", str("0.5"), "0.5"}, {"rate", str("NaN"), ""}, {"rate", num("1e999"), ""}, {"rate", name("x"), ""},
		{"buffer", str("64MB"), "67108864"}, {"buffer", str("1k"), "1024"}, {"buffer", str("7"), "7"}, {"buffer", num("9"), "9"},
		{"buffer", str("8eb"), ""}, {"buffer", str("7eb"), "8070450532247928832"}, {"buffer", str("1 xb"), ""}, {"buffer", str("kb"), ""}, {"buffer", str("-1"), ""}, {"buffer", str("99999999999999999999"), ""},
		{"every", nanos(5), "5"}, {"every", nanos(-5), ""}, {"every", str("2 hours 30 minutes"), "9000000000000"}, {"every", str("1 month"), ""},
		{"every", str("1"), ""}, {"every", str("NaN s"), ""}, {"every", str("-1 s"), ""}, {"every", str("99999999999 weeks"), ""}, {"every", num("5"), ""}, {"every", str("1.5 s"), "1500000000"},
		{"key", str("id"), "id"}, {"key", num("1"), ""},
		{"topics", list(str("a"), name("b")), "a,b"}, {"topics", list(num("1")), ""}, {"topics", list(str("a,b")), ""}, {"topics", num("1"), ""},
	} {
		c.raw.Span = fault.Span{Start: 10, End: 14}
		raw := map[string]connector.Raw{"path": str("p"), c.option: c.raw}
		got, err := declaration().Resolve(connector.Source, raw)
		if c.want != "" {
			if err != nil || got[c.option] != c.want {
				t.Errorf("%s = %+v: got %q, %v, want %q", c.option, c.raw, got[c.option], err, c.want)
			}
			continue
		}
		f := fault.As(err)
		if err == nil || f.Kind != fault.User || f.Span != c.raw.Span || f.Hint == "" && f.Code != connector.CodeOptionValue {
			t.Errorf("%s = %+v: got %v, %+v, want a refusal with a place and a hint", c.option, c.raw, got[c.option], f)
		}
		if err != nil && c.raw.Text != "" && len(c.raw.Text) > 4 && strings.Contains(err.Error(), c.raw.Text) {
			t.Errorf("the message shows the value: %v", err)
		}
	}
}

func TestUnknownOptionsAreNamedTogether(t *testing.T) {
	_, err := declaration().Resolve(connector.Sink, map[string]connector.Raw{
		"path":  str("p"),
		"zzz":   {Kind: connector.RawString, Key: fault.Span{Start: 40, End: 43}, Span: fault.Span{Start: 46, End: 50}},
		"ofset": {Kind: connector.RawNumber, Text: "1", Key: fault.Span{Start: 20, End: 25}, Span: fault.Span{Start: 28, End: 29}},
	})
	f := fault.As(err)
	if f.Code != connector.CodeUnknownOption || f.Message != `unknown options for connector "demo": 'ofset', 'zzz'` {
		t.Errorf("got %v", f)
	}
	if f.Span != (fault.Span{Start: 20, End: 29}) || f.Hint != "did you mean 'offset'?" {
		t.Errorf("span %v hint %q", f.Span, f.Hint)
	}
	_, err = declaration().Resolve(connector.Sink, map[string]connector.Raw{"path": str("p"), "wait": boolean("true")})
	if f := fault.As(err); f.Code != connector.CodeUnknownOption || f.Hint != "'wait' does not apply to a sink" {
		t.Errorf("got %v, hint %q", f, f.Hint)
	}
}

func TestAllFaultsAreReported(t *testing.T) {
	_, err := declaration().Resolve(connector.Source, map[string]connector.Raw{"type": str("x"), "rate": str("y"), "nope": str("")})
	var l fault.List
	if !errors.As(err, &l) || len(l) != 4 {
		t.Fatalf("got %v, want four faults", err)
	}
	for i, code := range []fault.Code{connector.CodeOptionValue, connector.CodeMissingOption, connector.CodeOptionType, connector.CodeUnknownOption} {
		if l[i].Code != code {
			t.Errorf("fault %d is %s, want %s", i, l[i].Code, code)
		}
	}
	_, err = declaration().Resolve(connector.Source, map[string]connector.Raw{"path": {Kind: connector.RawString, Span: fault.Span{Start: 3, End: 5}}})
	if f := fault.As(err); f.Kind != fault.User || f.Span.Start != 3 || f.Hint != "name a file" {
		t.Errorf("the check's fault lost its place: %+v", f)
	}
}

func TestUseOf(t *testing.T) {
	d := declaration()
	for _, c := range []struct {
		raw  map[string]connector.Raw
		want connector.Use
		code fault.Code
	}{
		{map[string]connector.Raw{"type": str("source")}, connector.Source, ""},
		{map[string]connector.Raw{"type": str("sink")}, connector.Sink, ""},
		{map[string]connector.Raw{"type": str("lookup")}, 0, connector.CodeNoSuchUse},
		{map[string]connector.Raw{"type": str("x")}, 0, connector.CodeOptionValue},
		{map[string]connector.Raw{"type": name("source")}, 0, connector.CodeOptionValue},
		{nil, 0, connector.CodeMissingOption},
	} {
		got, err := d.UseOf(c.raw)
		if got != c.want || (err != nil) != (c.code != "") || err != nil && fault.As(err).Code != c.code {
			t.Errorf("%v: got %v, %v", c.raw, got, err)
		}
	}
	d.Uses = connector.Sink
	if got, err := d.UseOf(nil); got != connector.Sink || err != nil {
		t.Errorf("got %v, %v for the only use", got, err)
	}
	if _, err := d.Resolve(connector.Source, nil); !fault.Is(err, connector.CodeNoSuchUse) {
		t.Errorf("got %v for a use that there is not", err)
	}
}

func TestTableSchemaIsJSON(t *testing.T) {
	text := declaration().TableSchemaJSON()
	var s struct {
		Properties map[string]map[string]any
		Required   []string
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if !reflect.DeepEqual(s.Required, []string{"path"}) || len(s.Properties) != 10 {
		t.Errorf("got %+v", s)
	}
	if s.Properties["wait"]["default"] != true || s.Properties["buffer"]["default"] != 1024.0 || s.Properties["every"]["default"] != "1.5 seconds" {
		t.Errorf("defaults: %v", s.Properties)
	}
	if strings.Index(text, `"path"`) > strings.Index(text, `"wait"`) {
		t.Error("the properties are not in the order of the declaration")
	}
}
