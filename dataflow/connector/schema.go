package connector

import (
	"encoding/json"
	"strconv"
	"strings"
)

// jsonOption is one option as a property of a JSON schema.
type jsonOption struct {
	Title       string     `json:"title"`
	Description string     `json:"description,omitempty"`
	Type        any        `json:"type"`
	Format      string     `json:"format,omitempty"`
	Minimum     *int       `json:"minimum,omitempty"`
	Enum        []string   `json:"enum,omitempty"`
	Default     any        `json:"default,omitempty"`
	Items       *jsonItems `json:"items,omitempty"`
}

type jsonItems struct {
	Type string `json:"type"`
}

// TableSchemaJSON gives the JSON schema (draft 7) of the connector's options as a table's configuration in the REST API:
// an object with one property per option, in the order of the declaration. Options that only some uses need are not
// listed as required.
func (d *Declaration) TableSchemaJSON() string {
	var b strings.Builder
	b.WriteString(`{"$schema":"http://json-schema.org/draft-07/schema#","title":`)
	b.WriteString(quoteJSON(d.Name))
	b.WriteString(`,"description":`)
	b.WriteString(quoteJSON(d.Doc))
	b.WriteString(`,"type":"object","properties":{`)
	required := []string{}
	for i := range d.Options {
		o := &d.Options[i]
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoteJSON(o.Name))
		b.WriteByte(':')
		p, err := json.Marshal(o.property())
		if err != nil {
			panic("connector: option " + o.Name + " of " + d.Name + " has a default that does not fit its type")
		}
		b.Write(p)
		if o.Required && (o.For == 0 || o.For == d.Uses) {
			required = append(required, o.Name)
		}
	}
	names, _ := json.Marshal(required)
	b.WriteString(`},"required":`)
	b.Write(names)
	b.WriteString(`,"additionalProperties":false}`)
	return b.String()
}

func quoteJSON(s string) string {
	q, _ := json.Marshal(s)
	return string(q)
}

func (o *Option) property() jsonOption {
	p := jsonOption{Title: strings.ReplaceAll(o.Name, "_", " "), Description: o.Doc, Type: "string", Enum: o.Values}
	zero := 0
	switch o.Type {
	case Bool:
		p.Type = "boolean"
	case Int:
		p.Type = "integer"
	case Uint:
		p.Type, p.Minimum = "integer", &zero
	case Float:
		p.Type = "number"
	case Size:
		p.Type, p.Format = []string{"integer", "string"}, "data-size"
	case Duration:
		p.Format = "interval"
	case List:
		p.Type, p.Items = "array", &jsonItems{Type: "string"}
	}
	if o.Default != "" {
		p.Default = o.defaultValue()
	}
	return p
}

// defaultValue is the default in the property's own JSON type.
func (o *Option) defaultValue() any {
	switch o.Type {
	case Bool:
		return o.Default == "true"
	case Int, Uint, Float, Size:
		return json.Number(o.Default)
	case Duration:
		n, _ := strconv.ParseInt(o.Default, 10, 64)
		return strconv.FormatFloat(float64(n)/1e9, 'f', -1, 64) + " seconds"
	case List:
		return strings.Split(o.Default, ",")
	}
	return o.Default
}
