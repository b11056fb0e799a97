package sqlgen

import (
	"fmt"
	"slices"
	"strings"
)

// span is an interval of n units of the script's event times.
func (g *generator) span(n int) string { return fmt.Sprintf("INTERVAL '%d' %s", n, g.unit) }

// zones are those of windows: with summer time, without, and with an odd offset.
var zones = []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "+05:30"}

// windowArguments draws the arguments of a window function behind the table and its time: the lengths, then the offset by
// position if positional says that it may stand there, or arguments with names.
func (g *generator) windowArguments(name string, positional bool) []string {
	var lengths, more []string
	calendar := g.in(4)
	switch name {
	case "tumble":
		lengths = []string{pick(g.source, []string{g.span(10), g.span(60), g.span(7)})}
		if calendar {
			lengths = []string{pick(g.source, []string{"INTERVAL '1' DAY", "INTERVAL '1' MONTH", "INTERVAL '2' DAY", "INTERVAL '1' YEAR"})}
		}
	case "hop":
		lengths = pick(g.source, [][]string{{g.span(5), g.span(10)}, {g.span(4), g.span(10)}, {g.span(2), g.span(20)}, {g.span(10), g.span(6)}})
		if calendar {
			lengths = pick(g.source, [][]string{{"INTERVAL '1' DAY", "INTERVAL '3' DAY"}, {"INTERVAL '1' MONTH", "INTERVAL '3' MONTH"}, {"INTERVAL '1' DAY", "INTERVAL '1' MONTH"}})
		}
	case "cumulate":
		lengths = pick(g.source, [][]string{{g.span(2), g.span(10)}, {g.span(5), g.span(20)}})
		if calendar {
			lengths = pick(g.source, [][]string{{"INTERVAL '1' DAY", "INTERVAL '1' MONTH"}, {"INTERVAL '6' HOUR", "INTERVAL '1' DAY"}})
		}
	case "session":
		return []string{pick(g.source, []string{g.span(3), g.span(2), g.span(8)})}
	}
	if g.in(3) {
		offset := pick(g.source, []string{g.span(3), g.span(-4), g.span(25)})
		if positional && g.in(2) {
			lengths = append(lengths, offset)
		} else {
			more = append(more, `"offset" => `+offset)
		}
	}
	if calendar && g.in(2) || g.in(6) {
		more = append(more, "time_zone => '"+pick(g.source, zones)+"'")
	}
	return append(lengths, more...)
}

// windowCall makes a call in GROUP BY.
func (g *generator) windowCall() string {
	name := pick(g.source, []string{"tumble", "hop", "session", "cumulate", "tumble"})
	return name + "(" + strings.Join(g.windowArguments(name, false), ", ") + ")"
}

// windowTable makes a relation whose rows have been given their windows; ok is false if there are no rows with a time.
func (g *generator) windowTable(depth int) (out relation, ok bool) {
	var list []*table
	for _, t := range slices.Concat(g.tables, g.within) {
		if slices.ContainsFunc(t.columns, func(c column) bool { return c.time || c.ref == "ts" }) {
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return out, false
	}
	t := pick(g.source, list)
	columns, time, table := t.columns, t.time, "TABLE "+t.name
	if depth > 1 && t.time && g.in(4) {
		table = "TABLE (SELECT * FROM " + t.name + " WHERE id % 3 <> 1)"
		if slices.Contains(g.within, t) {
			table = "TABLE (SELECT * FROM " + t.name + ")"
		}
	}
	name := pick(g.source, []string{"tumble", "hop", "cumulate", "session"})
	if !time {
		name = pick(g.source, []string{"tumble", "hop", "cumulate"})
	}
	at := ""
	for _, c := range columns {
		if c.time || at == "" && c.ref == "ts" {
			at = c.ref
		}
	}
	if name == "session" && g.in(2) {
		by := pick(g.source, columns)
		if by.ref != at {
			table += " PARTITION BY " + by.ref
		}
	}
	call := name + "(" + table + ", DESCRIPTOR(" + at + "), " + strings.Join(g.windowArguments(name, true), ", ") + ")"
	if !g.in(4) {
		call = "TABLE(" + call + ")"
	}
	alias := g.name("r")
	columns = append(untimed(columns), column{ref: "window_start", kind: "TIMESTAMP"}, column{ref: "window_end", kind: "TIMESTAMP"}, column{ref: "window_time", kind: "TIMESTAMP", time: time})
	out = aliased(call, alias, columns, time)
	out.window = []string{alias + ".window_start", alias + ".window_end"}
	return out, true
}
