package main_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rules say which packages of ours a folder may import: those below the prefixes listed. The longest folder that fits
// decides. Tests may import anything.
var rules = map[string][]string{
	".":   {"wadi/run"},
	"run": {"wadi"},
	"sql": {"wadi/sql", "wadi/dataflow"},
	"controller": {
		"wadi/controller", "wadi/sql", "wadi/storage", "wadi/dataflow", "wadi/worker/wire",
	},
	"worker":      {"wadi/worker", "wadi/dataflow", "wadi/storage"},
	"worker/wire": {"wadi/dataflow/fault"},
	"storage":     {"wadi/storage", "wadi/dataflow/fault", "wadi/dataflow/clock"},

	"dataflow/fault":     {},
	"dataflow/clock":     {},
	"dataflow/column":    {},
	"dataflow/eventtime": {},
	"dataflow/zone":      {},
	"dataflow/expr":      {"wadi/dataflow/fault", "wadi/dataflow/clock", "wadi/dataflow/column", "wadi/dataflow/expr", "wadi/dataflow/zone"},
	"dataflow/state":     {"wadi/dataflow/fault", "wadi/dataflow/column", "wadi/dataflow/state"},
	"dataflow/agg":       {"wadi/dataflow/fault", "wadi/dataflow/column", "wadi/dataflow/expr", "wadi/dataflow/state", "wadi/dataflow/agg"},
	"dataflow/graph":     {"wadi/dataflow/fault", "wadi/dataflow/column", "wadi/dataflow/expr", "wadi/dataflow/agg", "wadi/dataflow/graph"},
	"dataflow/grid": {
		"wadi/dataflow/fault", "wadi/dataflow/eventtime", "wadi/dataflow/zone", "wadi/dataflow/graph",
	},
	"dataflow/operator": {"wadi/dataflow/fault", "wadi/dataflow/clock", "wadi/dataflow/column", "wadi/dataflow/state"},
	"dataflow/operator/operatortest": {
		"wadi/dataflow/clock", "wadi/dataflow/column", "wadi/dataflow/operator", "wadi/dataflow/state",
	},
	"dataflow/framing": {"wadi/dataflow/fault", "wadi/dataflow/column"},
	"dataflow/format": {
		"wadi/dataflow/fault", "wadi/dataflow/column", "wadi/dataflow/expr", "wadi/dataflow/graph", "wadi/dataflow/format",
		"wadi/dataflow/framing",
	},
	"dataflow/connector": append([]string{"wadi/dataflow/connector", "wadi/dataflow/format", "wadi/dataflow/framing"}, operatorImports...),
	"dataflow/constant":  operatorImports,
	"dataflow/project":   operatorImports,
	"dataflow/assign":    operatorImports,
	"dataflow/unnest":    append([]string{"wadi/dataflow/ordered"}, operatorImports...),
	"dataflow/watermark": operatorImports,
	"dataflow/window":    append([]string{"wadi/dataflow/windowed"}, operatorImports...),
	"dataflow/windowed":  operatorImports,
	"dataflow/session":   append([]string{"wadi/dataflow/windowed"}, operatorImports...),
	"dataflow/updating":  operatorImports,
	"dataflow/ordered":   {"wadi/dataflow/fault", "wadi/dataflow/column", "wadi/dataflow/graph", "wadi/dataflow/state"},
	"dataflow/topn":      append([]string{"wadi/dataflow/ordered"}, operatorImports...),
	"dataflow/over":      append([]string{"wadi/dataflow/ordered"}, operatorImports...),
	"dataflow/join":      operatorImports,
	"dataflow/enrich":    append([]string{"wadi/dataflow/ordered"}, operatorImports...),
	"dataflow/lookup":    append([]string{"wadi/dataflow/ordered", "wadi/dataflow/enrich"}, operatorImports...),
	"dataflow/asof":      append([]string{"wadi/dataflow/ordered", "wadi/dataflow/enrich"}, operatorImports...),
}

// operatorImports is what an operator is made from; operators do not know each other.
var operatorImports = []string{
	"wadi/dataflow/fault", "wadi/dataflow/clock", "wadi/dataflow/column", "wadi/dataflow/eventtime", "wadi/dataflow/expr",
	"wadi/dataflow/agg",
	"wadi/dataflow/graph", "wadi/dataflow/grid", "wadi/dataflow/operator", "wadi/dataflow/state",
}

// siblings are folders whose packages never import each other; the ones named after the colon may import all.
var siblings = map[string][]string{
	"dataflow/connector": {"builtin"},
	"dataflow/format":    {},
}

func TestImportsPointDownwards(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || isModuleOfItsOwn(path) {
			return nil
		}
		checkFile(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func isModuleOfItsOwn(path string) bool {
	for dir := filepath.Dir(path); dir != "."; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return true
		}
	}
	return false
}

func checkFile(t *testing.T, path string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.ToSlash(filepath.Dir(path))
	allowed, ok := rulesFor(folder)
	if !ok {
		t.Errorf("no import rule for %s: add its folder to the table in imports_test.go", folder)
		return
	}
	for _, i := range f.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		if name != "wadi" && !strings.HasPrefix(name, "wadi/") || name == "wadi/"+folder {
			continue
		}
		if !within(name, allowed) {
			t.Errorf("%s imports %s, which is not below it", path, name)
		}
		if s := sibling(folder, strings.TrimPrefix(name, "wadi/")); s != "" {
			t.Errorf("%s imports its sibling %s", path, s)
		}
	}
}

func rulesFor(folder string) ([]string, bool) {
	for f := folder; ; f = filepath.ToSlash(filepath.Dir(f)) {
		if r, ok := rules[f]; ok && (f != "." || folder == ".") {
			return r, true
		}
		if f == "." {
			return nil, false
		}
	}
}

func within(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if name == p || strings.HasPrefix(name, p+"/") {
			return true
		}
	}
	return false
}

// sibling gives the imported sibling if both folders lie below one folder of siblings.
func sibling(from, to string) string {
	for parent, exempt := range siblings {
		a, okA := strings.CutPrefix(from, parent+"/")
		b, okB := strings.CutPrefix(to, parent+"/")
		if !okA || !okB || a == b {
			continue
		}
		free := false
		for _, e := range exempt {
			free = free || a == e
		}
		if !free {
			return to
		}
	}
	return ""
}
