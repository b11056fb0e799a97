package connection

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"wadi/dataflow/fault"
)

// jsonSchema is as much of a JSON schema as columns can be made of.
type jsonSchema struct {
	Type       any                   `json:"type"`
	Format     string                `json:"format"`
	Ref        string                `json:"$ref"`
	Properties properties            `json:"properties"`
	Required   []string              `json:"required"`
	Items      json.RawMessage       `json:"items"`
	Additional any                   `json:"additionalProperties"`
	Enum       []any                 `json:"enum"`
	OneOf      []any                 `json:"oneOf"`
	AnyOf      []any                 `json:"anyOf"`
	AllOf      []any                 `json:"allOf"`
	Defs       map[string]jsonSchema `json:"$defs"`
	Old        map[string]jsonSchema `json:"definitions"`
}

// properties keep the order in which they were written.
type properties []property

type property struct {
	name   string
	schema jsonSchema
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *properties) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return &json.UnmarshalTypeError{Value: "something else", Field: "properties"}
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		one := property{name: name.(string)}
		if err := d.Decode(&one.schema); err != nil {
			return err
		}
		*p = append(*p, one)
	}
	return nil
}

// maxRefs bounds how many references follow each other, maxFields what becomes of a schema in all.
const (
	maxRefs   = 32
	maxFields = 10_000
)

// expansion makes fields of one document.
type expansion struct {
	root *jsonSchema
	// open are the references that are being followed: a schema that holds itself becomes JSON there.
	open []string
	made int
}

// Expand makes fields of a definition, if there are none. What has no column of its own becomes JSON.
func (s *Schema) Expand() error {
	if s.Definition == nil || len(s.Fields) > 0 {
		return nil
	}
	if s.Definition.Type != "json_schema" {
		return fault.Userf(fault.CodeUnsupported, fault.Span{}, "columns cannot be made of a schema of type %q", s.Definition.Type).
			WithHint("give the columns as fields")
	}
	var root jsonSchema
	if err := json.Unmarshal([]byte(s.Definition.Schema), &root); err != nil {
		return invalid("the schema is not a JSON schema").WithHint(`for example {"type": "object", "properties": {"id": {"type": "integer"}}}`)
	}
	x := &expansion{root: &root}
	object := root.resolve(&root)
	if object.kind() != "object" || len(object.Properties) == 0 {
		return invalid("the schema is not that of an object with properties").WithHint("a record is an object, and its properties are the columns")
	}
	s.Fields = x.fields(object)
	if x.made > maxFields {
		s.Fields = nil
		return invalid("the schema stands for more than %d fields", maxFields).WithHint("give the columns as fields, nested ones as JSON")
	}
	return nil
}

// resolve follows a reference within the document.
func (j *jsonSchema) resolve(root *jsonSchema) *jsonSchema {
	for range maxRefs {
		if j.Ref == "" {
			return j
		}
		where, name, _ := cutLast(j.Ref, "/")
		from := root.Defs
		if where == "#/definitions" {
			from = root.Old
		}
		target, ok := from[name]
		if !ok || where != "#/definitions" && where != "#/$defs" {
			return &jsonSchema{}
		}
		j = &target
	}
	return &jsonSchema{}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// kind is the one type of a value besides null; empty if there are several, or alternatives.
func (j *jsonSchema) kind() string {
	if len(j.Enum)+len(j.OneOf)+len(j.AnyOf)+len(j.AllOf) > 0 {
		return ""
	}
	switch t := j.Type.(type) {
	case string:
		return t
	case []any:
		t = slices.DeleteFunc(slices.Clone(t), func(x any) bool { return x == "null" })
		if len(t) == 1 {
			kind, _ := t[0].(string)
			return kind
		}
	case nil:
		if len(j.Properties) > 0 {
			return "object"
		}
	}
	return ""
}

// mayBeNull reports whether null is among the types.
func (j *jsonSchema) mayBeNull() bool {
	list, ok := j.Type.([]any)
	return ok && slices.Contains(list, any("null"))
}

func (x *expansion) fields(j *jsonSchema) []Field {
	out := make([]Field, len(j.Properties))
	for i, p := range j.Properties {
		out[i] = Field{Name: p.name, Type: x.typeOf(&p.schema)}
		out[i].Required = slices.Contains(j.Required, p.name) && !p.schema.resolve(x.root).mayBeNull()
	}
	return out
}

// typeOf is the type of a column for values of a schema.
func (x *expansion) typeOf(j *jsonSchema) Type {
	if x.made++; x.made > maxFields || slices.Contains(x.open, j.Ref) {
		return Type{Type: "json"}
	}
	if j.Ref != "" {
		x.open = append(x.open, j.Ref)
		defer func() { x.open = x.open[:len(x.open)-1] }()
		j = j.resolve(x.root)
	}
	kind := j.kind()
	switch {
	case kind == "object" && len(j.Properties) > 0:
		return Type{Type: "struct", Fields: x.fields(j)}
	case kind == "array" && len(j.Items) > 0:
		var items jsonSchema
		if json.Unmarshal(j.Items, &items) == nil {
			return Type{Type: "list", Items: &Field{Name: "item", Type: x.typeOf(&items)}}
		}
	}
	return j.scalar(kind)
}

// scalar is the type of a column for values that hold no others.
func (j *jsonSchema) scalar(kind string) Type {
	name := ""
	switch kind {
	case "boolean":
		name = "bool"
	case "integer":
		if name = j.Format; !slices.Contains([]string{"int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"}, name) {
			name = "int64"
		}
	case "number":
		if name = "float64"; j.Format == "float" {
			name = "float32"
		}
	case "string":
		switch j.Format {
		case "date-time":
			return Type{Type: "timestamp", Unit: "nanosecond"}
		case "", "email", "uri":
			name = "string"
		}
	}
	if name == "" {
		name = "json"
	}
	return Type{Type: name}
}
