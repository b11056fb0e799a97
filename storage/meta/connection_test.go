package meta_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"wadi/dataflow/fault"
	"wadi/storage/meta"
)

func TestConnections(t *testing.T) {
	db, clk := open(t)
	p, err := db.CreateProfile(t.Context(), meta.Profile{Name: "fast", Connector: "impulse", Config: json.RawMessage(`{"event_rate":1}`)})
	must(t, err)
	if got, err := db.GetProfile(t.Context(), p.ID); err != nil || got.Name != "fast" || string(got.Config) != `{"event_rate":1}` || got.CreatedAt != 1_000_000 {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = db.CreateProfile(t.Context(), meta.Profile{Name: "fast", Connector: "x", Config: json.RawMessage(`{}`)})
	wantCode(t, err, fault.CodeConflict)
	clk.Advance(5)
	var ids []string
	for _, name := range []string{"a", "b", "c"} {
		n := meta.Table{Name: name, Connector: "impulse", Type: "source", Config: json.RawMessage(`{}`), Schema: json.RawMessage(`{"fields":[]}`), Definition: "CREATE TABLE x"}
		if name == "b" {
			n.Profile = &p
		}
		one, err := db.CreateTable(t.Context(), n)
		must(t, err)
		ids = append(ids, one.ID)
	}
	_, err = db.CreateTable(t.Context(), meta.Table{Name: "A", Connector: "x", Type: "sink", Config: json.RawMessage(`{}`), Schema: json.RawMessage(`{}`)})
	wantCode(t, err, fault.CodeConflict)
	b, err := db.GetTable(t.Context(), ids[1])
	if err != nil || b.Profile == nil || b.Profile.Name != "fast" || b.Consumers != 0 || b.Definition != "CREATE TABLE x" || string(b.Schema) != `{"fields":[]}` {
		t.Errorf("%+v, %v", b, err)
	}
	pj, err := db.CreatePipeline(t.Context(), meta.NewPipeline{Name: "p", Parallelism: 1, Tables: []string{"b", "B", "nosuch"}})
	must(t, err)
	wantCode(t, db.DeleteTable(t.Context(), ids[1]), fault.CodeConflict)
	wantCode(t, db.DeleteProfile(t.Context(), p.ID), fault.CodeConflict)
	seen := map[string]int{}
	for after, more := "", true; more; {
		var tables []meta.Table
		tables, more, err = db.ListTables(t.Context(), meta.Page{Limit: 2, After: after})
		must(t, err)
		for _, one := range tables {
			seen[one.Name] += 1 + one.Consumers
			after = one.ID
		}
	}
	if len(seen) != 3 || seen["a"] != 1 || seen["b"] != 2 || seen["c"] != 1 {
		t.Errorf("%v", seen)
	}
	must(t, db.DeletePipeline(t.Context(), pj.Pipeline.ID))
	must(t, db.DeleteTable(t.Context(), ids[1]))
	must(t, db.DeleteProfile(t.Context(), p.ID))
	wantCode(t, db.DeleteProfile(t.Context(), p.ID), fault.CodeNotFound)
	wantCode(t, db.DeleteTable(t.Context(), ids[1]), fault.CodeNotFound)
	tables, profiles, err := db.Connections(t.Context())
	if err != nil || len(tables) != 2 || len(profiles) != 0 {
		t.Errorf("%v %v %v", tables, profiles, err)
	}
}

func TestOpenReader(t *testing.T) {
	_, err := meta.OpenReader(t.Context(), filepath.Join(t.TempDir(), "nothing"))
	wantCode(t, err, fault.CodeNotFound)
	db, _ := open(t)
	_, err = db.CreateProfile(t.Context(), meta.Profile{Name: "p", Connector: "impulse", Config: json.RawMessage(`{}`)})
	must(t, err)
	r, err := meta.OpenReader(t.Context(), db.Path())
	must(t, err)
	if _, profiles, err := r.Connections(t.Context()); err != nil || len(profiles) != 1 {
		t.Errorf("%v, %v", profiles, err)
	}
	must(t, r.Close())
}
