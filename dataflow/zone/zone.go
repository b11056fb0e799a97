// Package zone finds time zones by name.
//
// In comes a name as people write it, out comes a location of package time. Names of the IANA database are compared
// without case; offsets such as +02:00 and the abbreviations that PostgreSQL knows are zones as well. The database is in
// the binary, and that of the machine is never looked at: other rules for a zone would be other results. Nothing here
// keeps state but what it has read of the database.
package zone

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// zoneinfo is lib/time/zoneinfo.zip of a Go release, the IANA database (2025c) in the public domain. Package time has it as
// well, but asks the machine first.
//
//go:embed zoneinfo.zip
var zoneinfo []byte

// database are the zones of the IANA database by their names in lower case.
var database = sync.OnceValue(func() map[string]*zip.File {
	r, err := zip.NewReader(bytes.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		panic(err)
	}
	zones := make(map[string]*zip.File, len(r.File))
	for _, f := range r.File {
		if f.Name != "Factory" { // the database's mark of a machine that has no zone
			zones[strings.ToLower(f.Name)] = f
		}
	}
	return zones
})

// Names are the zones of the IANA database, in the order of their names.
func Names() []string {
	names := make([]string, 0, len(database()))
	for f := range maps.Values(database()) {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// maxHours is the largest distance of a fixed zone from UTC.
const maxHours = 18

// abbreviations are in minutes east of Greenwich. Unlike the zones CET, EET, MET and WET of the database, they have no
// summer time, which goes by another name; that is how PostgreSQL reads them.
var abbreviations = map[string]int{
	"GMT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120, "EET": 120, "EEST": 180, "MSK": 180,
	"NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360,
	"PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "JST": 540, "KST": 540, "AWST": 480, "ACST": 570, "ACDT": 630,
	"AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
}

// Load finds a zone: a name of the database, an abbreviation, UTC, Z, or an offset such as +02:00, +0200 or -05.
func Load(name string) (*time.Location, bool) {
	if d, ok := Fixed(name); ok {
		if d == 0 {
			return time.UTC, true
		}
		return time.FixedZone(name, int(d/time.Second)), true
	}
	f := database()[strings.ToLower(name)]
	if f == nil {
		return nil, false
	}
	loc, err := read(f)
	if err != nil {
		panic(err)
	}
	return loc, true
}

func read(f *zip.File) (*time.Location, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return time.LoadLocationFromTZData(f.Name, data)
}

// Fixed gives the distance from UTC of a zone that never changes its clocks, if the name says so by itself.
func Fixed(name string) (time.Duration, bool) {
	minutes, short := abbreviations[strings.ToUpper(name)]
	switch {
	case strings.EqualFold(name, "utc") || strings.EqualFold(name, "z"):
		return 0, true
	case short:
		return time.Duration(minutes) * time.Minute, true
	case len(name) < 3 || name[0] != '+' && name[0] != '-':
		return 0, false
	}
	h, rest, ok := twoDigits(name[1:])
	m := 0
	if ok && rest != "" {
		m, rest, ok = twoDigits(strings.TrimPrefix(rest, ":"))
	}
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if !ok || rest != "" || m > 59 || h > maxHours {
		return 0, false
	}
	if name[0] == '-' {
		d = -d
	}
	return d, true
}

func twoDigits(s string) (n int, rest string, ok bool) {
	if len(s) < 2 || s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return 0, "", false
	}
	return int(s[0]-'0')*10 + int(s[1]-'0'), s[2:], true
}
