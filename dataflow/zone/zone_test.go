package zone

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A machine whose database has other rules, as an old one has, changes nothing. This test is the first: package time asks
// for the directory once.
func TestTheDatabaseOfTheMachineIsNotRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "Europe"), 0o755); err != nil {
		t.Fatal(err)
	}
	// A file of one zone without changes, 0 s from UTC.
	data := "TZif" + strings.Repeat("\x00", 16) + strings.Repeat("\x00", 16) + "\x00\x00\x00\x01\x00\x00\x00\x04" + "\x00\x00\x00\x00\x00\x00XXX\x00"
	if err := os.WriteFile(filepath.Join(dir, "Europe", "Berlin"), []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZONEINFO", dir)
	loc, ok := Load("Europe/Berlin")
	if !ok {
		t.Fatal("not found")
	}
	if _, got := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).In(loc).Zone(); got != 7200 {
		t.Errorf("%d s from UTC", got)
	}
}

func TestEveryNameLoads(t *testing.T) {
	for _, n := range Names() {
		if _, ok := Load(n); !ok {
			t.Errorf("%s does not load", n)
		}
	}
	if n := len(Names()); n < 500 {
		t.Errorf("only %d names", n)
	}
}

func TestLoad(t *testing.T) {
	summer := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]int{
		"Europe/Berlin": 7200, "europe/BERLIN": 7200, "UTC": 0, "utc": 0, "z": 0, "+02:00": 7200, "-0530": -19800, "+18": 64800,
		"Asia/Kathmandu": 20700, "EST": -18000, "cet": 3600, "nst": -12600,
	} {
		loc, ok := Load(name)
		if !ok {
			t.Errorf("%s does not load", name)
			continue
		}
		if _, got := summer.In(loc).Zone(); got != want {
			t.Errorf("%s is %d s from UTC, not %d", name, got, want)
		}
	}
	for _, name := range []string{"", "Local", "local", "Europe/Berlyn", "+2", "+19:00", "+02:60", "+02:00:00", "++0200", "../etc/passwd", "/etc/localtime"} {
		if _, ok := Load(name); ok {
			t.Errorf("%q loads", name)
		}
	}
}
