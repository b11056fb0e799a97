package bind

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/sql/catalog"
)

// otherFormats are formats of the dialect that tables cannot have; they are refused by name.
var otherFormats = []string{"avro", "parquet", "protobuf"}

// format takes the options about the format, framing and bad data.
func (g *bag) format(decl *connector.Declaration) graph.FormatSpec {
	name, span := g.text("format", "")
	given := !span.IsZero()
	if given && !decl.Formats {
		g.b.warn(CodeOption, span, "connector %q has no format; the option is ignored", decl.Name).WithHint("leave format out")
	}
	if !given && decl.Formats {
		g.fail(fault.Userf(connector.CodeMissingOption, g.span, "connector %q needs the option \"format\"", decl.Name).WithHint("add format = 'json'"))
	}
	_, known := format.Lookup(name)
	if !known {
		if given && name != "" {
			g.unknownFormat(name, span)
		}
		// The options that every format has still belong to no one else.
		name = "raw_string"
	}
	spec := g.formatOptions(name)
	if !known || !decl.Formats {
		spec.Name, spec.Options = "", nil
	}
	return spec
}

func (g *bag) unknownFormat(name string, span fault.Span) {
	var names []string
	for _, d := range format.Declarations() {
		names = append(names, d.Name)
	}
	if slices.Contains(otherFormats, name) {
		e := fault.Userf(fault.CodeUnsupported, span, "format %q is not supported", name)
		g.fail(hintAmong(e, "", names, "formats"))
		return
	}
	g.fail(hintAmong(fault.Userf(connector.CodeOptionValue, span, "unknown format %q", name), name, names, "formats"))
}

// formatOptions takes the options that a format declares. Each is checked alone first, so that a fault has its place.
func (g *bag) formatOptions(name string) graph.FormatSpec {
	values := map[string]string{}
	var place fault.Span
	for _, o := range format.Options(name) {
		r, ok := g.take(o.Name)
		if !ok {
			continue
		}
		place = r.Span
		switch r.Kind {
		case connector.RawString, connector.RawBool, connector.RawNumber:
		default:
			g.fail(fault.Userf(connector.CodeOptionType, r.Span, "option %q does not take %s", o.Name, r.Kind).WithHint("write the value in single quotes: %s", o.Doc))
			continue
		}
		alone := map[string]string{o.Name: r.Text}
		if o.Name == "framing.newline.max_length" {
			alone["framing"] = "newline"
		}
		if _, err := format.Resolve(name, alone); err != nil {
			g.b.report(err, r.Span)
			g.ok = false
			continue
		}
		values[o.Name] = r.Text
	}
	spec, err := format.Resolve(name, values)
	if err != nil {
		g.b.report(err, place)
		g.ok = false
	}
	return spec
}

// strangers refuses options that can only be meant for a format, and that this one does not have.
func (g *bag) strangers(name string) {
	for _, o := range g.left() {
		prefix, _, dotted := strings.Cut(o, ".")
		if !dotted || prefix != "json" && prefix != "avro" && prefix != "parquet" && prefix != "framing" {
			continue
		}
		r, _ := g.take(o)
		if name == "" {
			// That the format is missing or unknown is reported already.
			continue
		}
		var known []string
		for _, k := range format.Options(name) {
			known = append(known, k.Name)
		}
		g.fail(hintAmong(fault.Userf(connector.CodeUnknownOption, r.Key, "format %q has no option %q", name, o), o, known, "options"))
	}
}

// updating reports whether tables of a format are changelogs.
func updating(formatName string) bool {
	d, _ := format.Lookup(formatName)
	return d.Updating
}

// columnsFit checks what a format asks of the declared columns.
func (b *Binder) columnsFit(t *catalog.Table) bool {
	var physical []catalog.Column
	virtual := false
	for _, c := range t.Columns {
		virtual = virtual || c.Virtual
		if !c.Virtual && c.Metadata == "" {
			physical = append(physical, c)
		}
	}
	single := func(is func(arrow.Field) bool, what string) bool {
		if len(physical) == 0 && t.Inferred || len(physical) == 1 && physical[0].Field.Name == "value" && is(physical[0].Field) {
			return true
		}
		b.errorf(CodeTable, t.Span, "table %q needs exactly one column, value %s, beside metadata", t.Name, what).
			WithHint("declare it as: CREATE TABLE %s (value %s) WITH (…)", t.Name, what)
		return false
	}
	switch {
	case t.Format.Name == "raw_string":
		return single(func(f arrow.Field) bool { return f.Type.ID() == arrow.STRING }, "TEXT")
	case t.Format.Name == "raw_bytes":
		return single(func(f arrow.Field) bool { return f.Type.ID() == arrow.BINARY }, "BYTEA")
	case t.Format.Options["unstructured"] == "true":
		return single(expr.IsJSON, "JSON")
	case updating(t.Format.Name) && virtual:
		b.errorf(CodeTable, t.Span, "table %q can't use virtual columns with format '%s'", t.Name, t.Format.Name).
			WithHint("compute the column in a view over the table")
		return false
	case updating(t.Format.Name) && t.Kind == catalog.Source && len(t.PrimaryKey()) == 0:
		b.errorf(CodeTable, t.Span, "a source with format '%s' must have at least one PRIMARY KEY column", t.Format.Name).
			WithHint("add PRIMARY KEY behind the type of the column that identifies a row")
		return false
	}
	return true
}

// readable checks that a format can read the columns of a source, so that nobody finds out at run time.
func (b *Binder) readable(spec *graph.SourceSpec, t *catalog.Table) bool {
	if spec.Format.Name == "" {
		return true
	}
	if _, err := format.NewDecoder(spec); err != nil {
		b.report(err, t.ColumnSpan(fault.As(err).Record.Column))
		return false
	}
	return true
}

// writable checks that a format can write the columns of a sink; span gives the place of the column at a path.
func (b *Binder) writable(spec *graph.SinkSpec, mode graph.Mode, span func(path string) fault.Span) bool {
	if spec.Format.Name == "" {
		return true
	}
	if _, err := format.NewEncoder(spec.Format, spec.Schema, mode, spec.PrimaryKey); err != nil {
		b.report(err, span(fault.As(err).Record.Column))
		return false
	}
	return true
}
