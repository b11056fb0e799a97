package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"wadi/dataflow/connector"
)

type connectorShape struct {
	ID               string  `json:"id"`
	Name             string  `json:"name"`
	Icon             string  `json:"icon"`
	Description      string  `json:"description"`
	TableConfig      string  `json:"table_config"`
	Enabled          bool    `json:"enabled"`
	Source           bool    `json:"source"`
	Sink             bool    `json:"sink"`
	CustomSchemas    bool    `json:"custom_schemas"`
	Testing          bool    `json:"testing"`
	Hidden           bool    `json:"hidden"`
	ConnectionConfig *string `json:"connection_config"`
}

func (s *server) getConnectors(w http.ResponseWriter, _ *http.Request) error {
	out := list[connectorShape]{Data: []connectorShape{}}
	for _, name := range s.Connectors.Names() {
		d, _ := s.Connectors.Lookup(name)
		out.Data = append(out.Data, connectorShape{
			ID: d.Name, Name: strings.ReplaceAll(d.Name, "_", " "), Description: d.Doc, TableConfig: tableConfig(d), Enabled: true,
			Source: d.Uses&connector.Source != 0, Sink: d.Uses&connector.Sink != 0, CustomSchemas: d.Schema == nil, Hidden: d.Hidden,
		})
	}
	slices.SortFunc(out.Data, func(a, b connectorShape) int { return strings.Compare(a.Name, b.Name) })
	return ok(w, out)
}

// tableConfig is the JSON schema of a connector's options, from their declaration.
func tableConfig(d *connector.Declaration) string {
	properties := map[string]any{}
	required := []string{}
	for _, o := range d.Options {
		p := map[string]any{"type": jsonType(o.Type), "description": o.Doc}
		if o.Default != "" {
			p["default"] = defaultOf(o)
		}
		if len(o.Values) > 0 {
			p["enum"] = o.Values
		}
		properties[o.Name] = p
		if o.Required {
			required = append(required, o.Name)
		}
	}
	b, err := json.Marshal(map[string]any{
		"type": "object", "title": d.Name, "properties": properties, "required": required, "additionalProperties": false,
	})
	if err != nil {
		panic(err) // strings, numbers and booleans
	}
	return string(b)
}

func jsonType(t connector.OptionType) string {
	switch t {
	case connector.Bool:
		return "boolean"
	case connector.Int, connector.Uint:
		return "integer"
	case connector.Float:
		return "number"
	}
	return "string"
}

func defaultOf(o connector.Option) any {
	switch o.Type {
	case connector.Bool:
		return o.Default == "true"
	case connector.Int, connector.Uint, connector.Float:
		if n, err := strconv.ParseFloat(o.Default, 64); err == nil {
			return n
		}
	}
	return o.Default
}
