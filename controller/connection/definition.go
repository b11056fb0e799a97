package connection

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
)

// Table is a connection table to be saved.
type Table struct {
	Name, Connector string
	// Profile is the name of its profile, or empty.
	Profile string
	// Config is a JSON object with the connector's options.
	Config json.RawMessage
	Schema *Schema
}

// Definition is the CREATE TABLE statement that a table stands for. Whether its connector takes it is for the planner to
// say.
func (t Table) Definition(decl *connector.Declaration) (string, error) {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + quoted(t.Name))
	options := []string{"connector = '" + strings.ReplaceAll(decl.Name, "'", "''") + "'"}
	if t.Profile != "" {
		text, _ := literal(t.Profile)
		options = append(options, "connection_profile = "+text)
	}
	config, err := object(t.Config)
	if err != nil {
		return "", err
	}
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if config[key] == nil {
			continue
		}
		text, ok := literal(config[key])
		if !ok {
			return "", invalid("config.%s is not a value of an option", key).WithHint("options are texts, numbers, booleans and lists of them")
		}
		options = append(options, quoted(optionName(decl, key))+" = "+text)
	}
	if s := t.Schema; s != nil {
		columns, err := s.columns()
		if err != nil {
			return "", err
		}
		if columns != "" {
			b.WriteString(" (" + columns + ")")
		}
		more, err := s.options()
		if err != nil {
			return "", err
		}
		options = append(options, more...)
	}
	b.WriteString(" WITH (" + strings.Join(options, ", ") + ")")
	return b.String(), nil
}

func invalid(format string, args ...any) *fault.Error {
	return fault.Userf(fault.CodeInvalid, fault.Span{}, format, args...)
}

// optionName lets table_type, as Arroyo's files call it, stand for the option type.
func optionName(decl *connector.Declaration, key string) string {
	has := func(name string) bool {
		return slices.ContainsFunc(decl.Options, func(o connector.Option) bool { return o.Name == name })
	}
	if key == "table_type" && !has(key) && has("type") {
		return "type"
	}
	return key
}

// object reads a JSON object; none is empty.
func object(raw json.RawMessage) (map[string]any, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		return nil, invalid("config is not an object")
	}
	return out, nil
}

// columns writes the fields as columns of a CREATE TABLE.
func (s *Schema) columns() (string, error) {
	if err := s.Expand(); err != nil {
		return "", err
	}
	out := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		text, err := f.Type.sql(f.Name)
		if err != nil {
			return "", err
		}
		out[i] = quoted(f.Name) + " " + text
		if f.Required {
			out[i] += " NOT NULL"
		}
		if f.MetadataKey != nil && *f.MetadataKey != "" {
			key, _ := literal(*f.MetadataKey)
			out[i] += " METADATA FROM " + key
		}
	}
	if len(s.PrimaryKeys) > 0 && len(out) > 0 {
		keys := make([]string, len(s.PrimaryKeys))
		for i, k := range s.PrimaryKeys {
			keys[i] = quoted(k)
		}
		out = append(out, "PRIMARY KEY ("+strings.Join(keys, ", ")+")")
	}
	return strings.Join(out, ", "), nil
}

// Check refuses types that there are not, and definitions of which no columns can be made.
func (s *Schema) Check() error {
	if err := s.Expand(); err != nil {
		return err
	}
	for _, f := range s.Fields {
		if _, err := f.Type.sql(f.Name); err != nil {
			return err
		}
	}
	return nil
}

// sql spells the type of the field at a path.
func (t Type) sql(path string) (string, error) {
	if name, ok := simpleTypes[t.Type]; ok {
		return name, nil
	}
	switch t.Type {
	case "decimal128":
		if t.Precision == nil {
			return "DECIMAL(38, 10)", nil
		}
		scale := 0
		if t.Scale != nil {
			scale = *t.Scale
		}
		return fmt.Sprintf("DECIMAL(%d, %d)", *t.Precision, scale), nil
	case "timestamp", "timestamptz":
		digits, ok := units[t.Unit]
		if !ok {
			return "", invalid("field %s: there is no unit %q", path, t.Unit).WithHint("the units are second, millisecond, microsecond and nanosecond")
		}
		return strings.ToUpper(t.Type) + digits, nil
	case "struct":
		members := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			text, err := f.Type.sql(path + "." + f.Name)
			if err != nil {
				return "", err
			}
			members[i] = quoted(f.Name) + " " + text
		}
		return "STRUCT<" + strings.Join(members, ", ") + ">", nil
	case "list":
		text, err := t.Items.sql(path + "[]")
		return text + "[]", err
	case "map":
		key, err := t.Key.sql(path + " (key)")
		if err != nil {
			return "", err
		}
		value, err := t.Value.sql(path + "[]")
		return "MAP<" + key + ", " + value + ">", err
	}
	return "", invalid("field %s: there is no type %q", path, t.Type).
		WithHint("the types are %s, decimal128, timestamp, timestamptz, struct, list and map", strings.Join(slices.Sorted(maps.Keys(simpleTypes)), ", "))
}

// sql spells the type of a field that may be missing.
func (f *Field) sql(path string) (string, error) {
	if f == nil {
		return "", invalid("field %s has no type", path).WithHint("a list has items, a map a key and a value")
	}
	return f.Type.sql(path)
}

// options writes format, framing and bad data as options.
func (s *Schema) options() ([]string, error) {
	var out []string
	add := func(key string, v any) {
		if text, ok := literal(v); ok {
			out = append(out, quoted(key)+" = "+text)
		}
	}
	if len(s.Format) > 0 {
		name, ok := s.Format["type"].(string)
		if !ok {
			return nil, invalid("schema.format has no type").WithHint(`for example "format": {"type": "json"}`)
		}
		prefix := name
		if name == "json" && s.Format["debezium"] == true {
			name = "debezium_json"
		}
		add("format", name)
		for _, key := range slices.Sorted(maps.Keys(s.Format)) {
			// What is off by default says nothing, and formats need not know it.
			if v := s.Format[key]; v != nil && v != false && v != "uncompressed" && key != "type" && key != "debezium" && key != "schema_id" {
				add(prefix+"."+key, v)
			}
		}
	}
	if s.BadData != nil {
		add("bad_data", s.BadData.Behavior)
	}
	if f := s.Framing; f != nil {
		add("framing", f.Method)
		if f.MaxLineLength != nil {
			add("framing.newline.max_length", json.Number(strconv.FormatInt(*f.MaxLineLength, 10)))
		}
	}
	return out, nil
}
