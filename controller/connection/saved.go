package connection

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"wadi/dataflow/connector"
	"wadi/sql"
	"wadi/storage/meta"
)

// Saved puts the tables and profiles of a database into the options of the planner. It blocks on the disk.
func Saved(ctx context.Context, db *meta.DB, o *sql.Options) error {
	tables, profiles, err := db.Connections(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		o.Tables = append(o.Tables, sql.SavedTable{Name: t.Name, Definition: t.Definition})
	}
	for _, p := range profiles {
		options, err := Options(p.Config)
		if err != nil {
			return err
		}
		o.Profiles = append(o.Profiles, sql.Profile{Name: p.Name, Connector: p.Connector, Options: options})
	}
	return nil
}

// Options are the options that a profile's configuration, a JSON object, gives.
func Options(config json.RawMessage) (map[string]connector.Raw, error) {
	values, err := object(config)
	if err != nil {
		return nil, err
	}
	out := map[string]connector.Raw{}
	for key, v := range values {
		if v == nil {
			continue
		}
		r, ok := rawOf(v)
		if !ok {
			return nil, invalid("config.%s is not a value of an option", key).WithHint("options are texts, numbers, booleans and lists of them")
		}
		out[key] = r
	}
	return out, nil
}

func rawOf(v any) (connector.Raw, bool) {
	switch v := v.(type) {
	case string:
		return connector.StringValue(v), true
	case json.Number:
		return connector.Raw{Kind: connector.RawNumber, Text: v.String()}, true
	case bool:
		text := "false"
		if v {
			text = "true"
		}
		return connector.Raw{Kind: connector.RawBool, Text: text}, true
	case []any:
		list := connector.Raw{Kind: connector.RawArray}
		for _, x := range v {
			item, ok := rawOf(x)
			if !ok || item.Kind == connector.RawArray {
				return list, false
			}
			list.Items = append(list.Items, item)
		}
		return list, true
	}
	return connector.Raw{}, false
}

// CheckProfile refuses options that a connector does not have, and values that they do not take. What only a table can
// give may be missing.
func CheckProfile(decl *connector.Declaration, config json.RawMessage) error {
	options, err := Options(config)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(options)) {
		if err := decl.CheckOption(key, options[key]); err != nil {
			return err
		}
	}
	return nil
}
