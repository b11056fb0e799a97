// Package zone finds time zones by name.
//
// In comes a name as people write it, out comes a location of package time. Names of the IANA database are compared
// without case; offsets such as +02:00 and the abbreviations that PostgreSQL knows are zones as well. The database is in
// the binary, for machines that have none. Nothing here keeps state; a zone may be read from the machine's disk.
package zone

import (
	_ "embed"
	"strings"
	"time"
	_ "time/tzdata" // so that time zones do not depend on the machine
)

//go:embed names.txt
var names string

// Names are the zones of the IANA database, in the order of their names.
func Names() []string { return strings.Fields(names) }

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
	if name == "" || strings.EqualFold(name, "local") {
		return nil, false
	}
	if loc, err := time.LoadLocation(name); err == nil {
		return loc, true
	}
	for _, n := range Names() {
		if strings.EqualFold(n, name) {
			loc, err := time.LoadLocation(n)
			return loc, err == nil
		}
	}
	return nil, false
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
