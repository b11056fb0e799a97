package format

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Use is one of the ways to use a format, as a bit.
type Use uint8

// The ways to use a format.
const (
	ForSource Use = 1 << iota
	ForSink
)

// OptionType is the type of an option's value.
type OptionType uint8

// The option types.
const (
	// Choice is one of the option's Values.
	Choice OptionType = iota
	Bool
	// Uint is a decimal number.
	Uint
)

// Option declares one option of the WITH clause.
type Option struct {
	// Name is the name in SQL with its prefix, for example "json.timestamp_format".
	Name string
	Type OptionType
	Doc  string
	// For says in which uses the option has an effect; elsewhere it is accepted and ignored.
	For     Use
	Default string
	// Values are the choices in their canonical spelling; Aliases maps other spellings to them.
	Values  []string
	Aliases map[string]string
	// Refused maps values that are recognised, but cannot be used, to the reason.
	Refused map[string]string
}

// Declaration is everything there is to know about a format.
type Declaration struct {
	Name string
	Doc  string
	// Updating says that its tables are changelogs.
	Updating bool
	Options  []Option
}

// Declarations lists the formats.
func Declarations() []Declaration {
	return []Declaration{
		{Name: "json", Doc: "one JSON object per record", Options: jsonDeclaration("rfc3339", "number")},
		{Name: "debezium_json", Doc: "Debezium change events in JSON", Updating: true, Options: jsonDeclaration("unix_millis", "bytes")[1:]},
		{Name: "raw_string", Doc: "the record as it is, in one column value TEXT"},
		{Name: "raw_bytes", Doc: "the record as it is, in one column value BYTEA"},
	}
}

// Lookup finds a format by name.
func Lookup(name string) (Declaration, bool) {
	for _, d := range Declarations() {
		if d.Name == name {
			return d, true
		}
	}
	return Declaration{}, false
}

func jsonDeclaration(timestamps, decimals string) []Option {
	const noRegistry = "there is no connection to a schema registry"
	const noCompression = "this connector does not compress"
	return []Option{
		{Name: "json.unstructured", Type: Bool, Default: "false", For: ForSource,
			Doc: "the whole value goes into one column value JSON"},
		{Name: "json.timestamp_format", Default: timestamps, For: ForSink,
			Doc:     "how timestamps and dates are written: as text without a zone, or as milliseconds since the epoch",
			Values:  []string{"rfc3339", "unix_millis"},
			Aliases: map[string]string{"RFC3339": "rfc3339", "UnixMillis": "unix_millis"}},
		{Name: "json.decimal_encoding", Default: decimals, For: ForSink,
			Doc:    "how decimals are written: as a number, in quotes, or as base64 of 16 bytes",
			Values: []string{"number", "string", "bytes"}},
		{Name: "json.include_schema", Type: Bool, Default: "false", For: ForSink,
			Doc: "wrap rows as {schema, payload} in the way of Kafka Connect"},
		{Name: "json.confluent_schema_registry", Type: Bool, Default: "false",
			Doc: "values carry a Confluent Schema Registry header", Refused: map[string]string{"true": noRegistry}},
		{Name: "json.compression", Default: "uncompressed", Doc: "how files are compressed",
			Values: []string{"uncompressed", "gzip"}, Refused: map[string]string{"gzip": noCompression}},
	}
}

// common lists the options that every format has.
func common() []Option {
	return []Option{
		{Name: "bad_data", Default: "fail", For: ForSource, Values: []string{"fail", "drop"},
			Doc: "whether a record that does not fit the table stops the job or is counted and skipped"},
		{Name: "framing", For: ForSource, Values: []string{"newline"}, Doc: "cut messages into records at newlines"},
		{Name: "framing.newline.max_length", Type: Uint, For: ForSource, Doc: "cut longer records to this many bytes"},
	}
}

// Options lists the options of a format, those that every format has included; nil for an unknown one.
func Options(name string) []Option {
	d, ok := Lookup(name)
	if !ok {
		return nil
	}
	return append(d.Options, common()...)
}

// Resolve makes the specification of a table's format from the options of its WITH clause, given by their names in SQL
// ("json.timestamp_format", "bad_data") as text. Defaults are filled in. A fault is of kind User and names the option.
func Resolve(name string, raw map[string]string) (graph.FormatSpec, error) {
	d, ok := Lookup(name)
	if !ok {
		return graph.FormatSpec{}, unknownFormat(name)
	}
	byName := map[string]Option{}
	for _, o := range Options(name) {
		byName[o.Name] = o
	}
	values := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		o, ok := byName[key]
		if !ok {
			return graph.FormatSpec{}, unknownOption(name, key, byName)
		}
		v, err := o.resolve(raw[key])
		if err != nil {
			return graph.FormatSpec{}, err
		}
		values[key] = v
	}
	spec := graph.FormatSpec{Name: name, DropBadData: values["bad_data"] == "drop", Framing: values["framing"]}
	if n, ok := values["framing.newline.max_length"]; ok {
		if spec.Framing == "" {
			return graph.FormatSpec{}, fault.Userf(fault.CodeInvalid, fault.Span{}, "option framing.newline.max_length needs framing = 'newline'").
				WithHint("add framing = 'newline'")
		}
		spec.MaxLength, _ = strconv.ParseInt(n, 10, 64)
	}
	for _, o := range d.Options {
		v, ok := values[o.Name]
		if !ok {
			v = o.Default
		}
		if spec.Options == nil {
			spec.Options = map[string]string{}
		}
		spec.Options[o.short()] = v
	}
	return spec, nil
}

// short is the name without its prefix.
func (o Option) short() string {
	_, s, _ := strings.Cut(o.Name, ".")
	return s
}

// resolve gives a value in its canonical spelling.
func (o Option) resolve(v string) (string, error) {
	if a, ok := o.Aliases[v]; ok {
		v = a
	}
	switch o.Type {
	case Bool:
		switch v {
		case "yes":
			v = "true"
		case "no":
			v = "false"
		case "true", "false":
		default:
			return "", o.invalid("true or false")
		}
	case Uint:
		if n, err := strconv.ParseInt(v, 10, 64); err != nil || n <= 0 {
			return "", o.invalid("a number above zero")
		}
	case Choice:
		if !slices.Contains(o.Values, v) {
			return "", o.invalid("one of '" + strings.Join(o.Values, "', '") + "'")
		}
	}
	if why, ok := o.Refused[v]; ok {
		return "", fault.Userf(fault.CodeUnsupported, fault.Span{}, "option %s = '%s' cannot be used here: %s", o.Name, v, why).
			WithHint("leave out %s", o.Name)
	}
	return v, nil
}

func (o Option) invalid(want string) error {
	return fault.Userf(fault.CodeInvalid, fault.Span{}, "option %s must be %s", o.Name, want).WithHint("%s: %s", o.Name, o.Doc)
}

func unknownFormat(name string) error {
	var names []string
	for _, d := range Declarations() {
		names = append(names, d.Name)
	}
	return fault.Userf(fault.CodeInvalid, fault.Span{}, "there is no format %q", name).
		WithHint("the formats are %s", strings.Join(names, ", "))
}

func unknownOption(format, key string, byName map[string]Option) error {
	return fault.Userf(fault.CodeInvalid, fault.Span{}, "format %s has no option %q", format, key).
		WithHint("its options are %s", strings.Join(slices.Sorted(maps.Keys(byName)), ", "))
}

// options checks a specification once more, since programs also come from elsewhere, and fills in defaults. Options that
// have no effect in this use are ignored, except that a sink cannot be unstructured.
func options(spec graph.FormatSpec, use Use) (map[string]string, error) {
	d, ok := Lookup(spec.Name)
	if !ok {
		return nil, unknownFormat(spec.Name)
	}
	raw := make(map[string]string, len(spec.Options))
	prefix, _, _ := strings.Cut(spec.Name, "_")
	if d.Updating {
		prefix = "json"
	}
	for k, v := range spec.Options {
		raw[prefix+"."+k] = v
	}
	resolved, err := Resolve(spec.Name, raw)
	if err != nil {
		return nil, err
	}
	if use == ForSink && resolved.Options["unstructured"] == "true" {
		return nil, fault.Userf(fault.CodeUnsupported, fault.Span{}, "option json.unstructured is for sources only").
			WithHint("leave out json.unstructured: a column of type JSON is written as JSON")
	}
	return resolved.Options, nil
}
