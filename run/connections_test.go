package run_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wadi/storage/meta"
)

// TestSavedConnections plans and runs a query with the connections that are saved in its state directory.
func TestSavedConnections(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := meta.Open(t.Context(), filepath.Join(dir, "state", "state.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.CreateProfile(t.Context(), meta.Profile{Name: "fast", Connector: "impulse", Config: json.RawMessage(`{"event_rate":100000}`)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.CreateTable(t.Context(), meta.Table{Name: "ticks", Connector: "impulse", Type: "source", Config: json.RawMessage(`{}`), Schema: json.RawMessage(`{}`),
		Definition: `CREATE TABLE "ticks" WITH (connector = 'impulse', connection_profile = 'fast', message_count = 3)`})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	query := filepath.Join(dir, "q.sql")
	text := "CREATE TABLE more WITH (connector = 'impulse', connection_profile = 'fast', message_count = 2); SELECT counter FROM ticks; SELECT counter FROM more;"
	if err := os.WriteFile(query, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"check", "explain", "visualize"} {
		once(t, dir, nil, command, "-s", "state", query).want(0)
		if w := once(t, dir, nil, command, query).want(1); !strings.Contains(w.stdout.String()+w.stderr.String(), `there is no table "ticks"`) {
			t.Errorf("%s: %s", command, w.stderr.String())
		}
		once(t, dir, nil, command, "-s", "nothing", query).want(1)
	}
	if _, err := os.Stat(filepath.Join(dir, "nothing")); err == nil {
		t.Error("planning has made a directory")
	}
	w := once(t, dir, nil, "run", "-s", "state", query).want(0)
	if n := strings.Count(w.stdout.String(), `{"counter":`); n != 5 {
		t.Errorf("%d rows: %s%s", n, w.stdout.String(), w.stderr.String())
	}
}
