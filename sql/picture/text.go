// Package picture draws programs for people: as a tree for a terminal, as mermaid and dot source, and as the JSON that the
// REST API shows.
//
// What comes in: a program. What goes out: text. Nothing here keeps state or blocks.
package picture

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/physical"
)

// width is how many columns of a terminal a picture may take.
const width = 100

// Text draws a program as one tree for each sink: the sink first, below it, step by step, where its rows come from. Between
// two operators stands what flows: the kind of rows and the columns, and for a shuffle the key. An operator that was drawn
// before is only named.
func Text(p *graph.Program) string { return (&drawing{program: p, seen: map[int]bool{}}).text() }

func (d *drawing) text() string {
	first, p := true, d.program
	for i := range p.Nodes {
		if _, ok := p.Nodes[i].Spec.(*graph.SinkSpec); !ok {
			continue
		}
		if !first {
			d.b.WriteByte('\n')
		}
		first = false
		d.node(i, "", "")
	}
	return d.b.String()
}

type drawing struct {
	program *graph.Program
	// full pictures have the state bound of every operator, and mode, columns and key on every edge. keys are those of each
	// operator's rows.
	full bool
	keys [][]int
	b    strings.Builder
	seen map[int]bool
}

// node draws node i; head goes before its first line, rest before the others.
func (d *drawing) node(i int, head, rest string) {
	n := &d.program.Nodes[i]
	kind := Kind(n.Spec)
	if d.seen[i] {
		d.line(head, fmt.Sprintf("↑ %s %s", kind, n.ID))
		return
	}
	d.seen[i] = true
	title := fmt.Sprintf("%s %s", kind, n.ID)
	if n.MaxParallelism > 0 {
		title += fmt.Sprintf(" (at most %d)", n.MaxParallelism)
	}
	if s := State(d.program, i); d.full || s != "none" {
		title += " [state: " + s + "]"
	}
	d.line(head, title)
	in := d.program.In(i)
	bar := "   "
	if len(in) > 0 {
		bar = "│  "
	}
	for _, l := range wrap(details(n), width-len([]rune(rest))-3) {
		d.line(rest+bar, l)
	}
	for k, e := range in {
		last := k == len(in)-1
		for _, l := range wrap(d.edge(e), width-len([]rune(rest))-5) {
			d.line(rest+"│  ", "↑ "+l)
		}
		if last {
			d.node(e.From, rest+"└─ ", rest+"   ")
		} else {
			d.node(e.From, rest+"├─ ", rest+"│  ")
		}
	}
}

func (d *drawing) line(head, text string) {
	d.b.WriteString(strings.TrimRight(head+text, " ") + "\n")
}

// edge says what flows along an edge.
func (d *drawing) edge(e graph.Edge) string {
	from := &d.program.Nodes[e.From]
	parts := d.port(e)
	if d.full || from.Mode == graph.Updating {
		parts = append(parts, from.Mode.String())
	}
	if e.Kind == graph.Shuffle {
		parts = append(parts, "shuffle by "+names(from.Out, e.Keys))
	}
	if d.full || e.Kind == graph.Shuffle || !passes(from.Spec) {
		parts = append(parts, d.row(e.From))
	}
	if d.full && len(d.keys[e.From]) > 0 {
		parts = append(parts, "key "+names(from.Out, d.keys[e.From]))
	}
	return strings.Join(parts, " ")
}

// port names the input of a join that an edge leads to.
func (d *drawing) port(e graph.Edge) []string {
	switch d.program.Nodes[e.To].Spec.(type) {
	case *graph.JoinSpec, *graph.WindowJoinSpec, *graph.IntervalJoinSpec, *graph.AsofJoinSpec:
		return []string{[]string{"left:", "right:"}[e.Input]}
	}
	return nil
}

// passes reports whether an operator's rows have the columns of its input, which are drawn below it.
func passes(s graph.Spec) bool {
	switch s := s.(type) {
	case *graph.WatermarkSpec:
		return true
	case *graph.ProjectSpec:
		return s.Exprs == nil
	}
	return false
}

func names(s *arrow.Schema, columns []int) string {
	if len(columns) == 0 {
		return "nothing (one subtask)"
	}
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = s.Field(c).Name
	}
	return strings.Join(out, ", ")
}

// row spells the columns of node i for an edge: of a source, those that are read.
func (d *drawing) row(i int) string {
	n := &d.program.Nodes[i]
	if in := d.program.In(i); passes(n.Spec) && len(in) == 1 {
		return d.row(in[0].From)
	}
	s, ok := n.Spec.(*graph.SourceSpec)
	if !ok || s.Needed == nil {
		return Row(n.Out)
	}
	var read []arrow.Field
	for _, f := range n.Out.Fields() {
		for _, path := range s.Needed {
			if column, _, _ := strings.Cut(path, "."); column == f.Name {
				read = append(read, f)
				break
			}
		}
	}
	return Row(arrow.NewSchema(read, nil))
}

// maxType bounds how much of a column's type is spelled, in bytes.
const maxType = 48

// Row spells a schema: (id BIGINT, name TEXT NULL).
func Row(s *arrow.Schema) string {
	parts := make([]string, s.NumFields())
	for i, f := range s.Fields() {
		t := expr.TypeName(f.Type)
		if expr.IsJSON(f) {
			t = "JSON"
		}
		if arrow.TypeEqual(f.Type, expr.Window) {
			t = "WINDOW"
		}
		if st, ok := f.Type.(*arrow.StructType); ok && len(t) > maxType {
			t = fmt.Sprintf("STRUCT<%d members>", st.NumFields())
		}
		if f.Nullable {
			t += " NULL"
		}
		parts[i] = f.Name + " " + t
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// details are the lines below an operator's title.
func details(n *graph.Node) string {
	switch s := n.Spec.(type) {
	case *graph.SourceSpec:
		text := n.Description + format(s.Format)
		if s.Needed != nil {
			text += "; reads " + strings.Join(s.Needed, ", ")
			if len(s.Needed) == 0 {
				text += "no columns"
			}
		}
		return text
	case *graph.SinkSpec:
		text := n.Description + format(s.Format) + " " + Row(s.Schema)
		if len(s.PrimaryKey) > 0 {
			text += " key " + names(s.Schema, s.PrimaryKey)
		}
		return text
	}
	return n.Description
}

func format(f graph.FormatSpec) string {
	if f.Name == "" {
		return ""
	}
	return " as " + f.Name
}

// Kind names what an operator does.
func Kind(s graph.Spec) string {
	switch s := s.(type) {
	case *graph.SourceSpec:
		return "source"
	case *graph.ValuesSpec:
		return "values"
	case *graph.SeriesSpec:
		return "series"
	case *graph.UnnestSpec:
		return "unnest"
	case *graph.LateralSpec:
		return "lateral"
	case *graph.ProjectSpec:
		return "project"
	case *graph.WatermarkSpec:
		return "watermark"
	case *graph.WindowAggregateSpec:
		return "window"
	case *graph.SessionAggregateSpec:
		return "session"
	case *graph.AssignSpec:
		return "assign windows"
	case *graph.TopNSpec:
		return "top"
	case *graph.OverSpec:
		return "over"
	case *graph.JoinSpec:
		return "join"
	case *graph.WindowJoinSpec:
		return "window join"
	case *graph.IntervalJoinSpec:
		return "interval join"
	case *graph.LookupJoinSpec:
		return "lookup join"
	case *graph.AsofJoinSpec:
		if s.Versioned {
			return "temporal join"
		}
		return "asof join"
	case *graph.UpdatingAggregateSpec:
		return "updating aggregate"
	case *graph.SinkSpec:
		return "sink"
	}
	return "operator"
}

// State says what bounds the state of operator i: "none", "window", "ttl 1d", "unbounded".
func State(p *graph.Program, i int) string {
	kind, ttl := bound(p, i)
	if kind == "ttl" {
		kind += " " + physical.Duration(ttl)
	}
	return kind
}

// bound is the state bound of an operator, and for "ttl" the time.
func bound(p *graph.Program, i int) (kind string, ttl int64) {
	switch s := p.Nodes[i].Spec.(type) {
	case *graph.WindowAggregateSpec, *graph.SessionAggregateSpec, *graph.WindowJoinSpec, *graph.IntervalJoinSpec:
		return "window", 0
	case *graph.AsofJoinSpec:
		if !s.Versioned && s.Reach == 0 && (s.Forward || len(s.LeftKeys) > 0) {
			return "unbounded", 0
		}
		return "window", 0
	case *graph.JoinSpec:
		return timed(s.TTL)
	case *graph.OverSpec:
		return boundOver(s, takesChanges(p, i))
	case *graph.TopNSpec:
		return boundTopN(s, takesChanges(p, i))
	case *graph.UpdatingAggregateSpec:
		return timed(s.TTL)
	}
	return "none", 0
}

func boundOver(s *graph.OverSpec, changes bool) (kind string, ttl int64) {
	switch {
	case s.PerTime:
		return "window", 0
	case s.Updating && len(s.Keys) == 0 && !changes:
		return "unbounded", 0
	case s.Updating:
		return timed(s.TTL)
	}
	if _, near := s.Near(); near || len(s.Keys) == 0 {
		return "window", 0
	}
	return timed(s.TTL)
}

// boundTopN tells apart rankings that are windowed, those that keep as many rows as they put out, and those whose keys are
// forgotten when they are idle.
func boundTopN(s *graph.TopNSpec, changes bool) (kind string, ttl int64) {
	switch {
	case s.PerTime:
		return "window", 0
	case len(s.Keys) > 0 || changes:
		return timed(s.TTL)
	case s.Limit < 0:
		return "unbounded", 0
	case s.TTL <= 0:
		return "none", 0
	}
	return "ttl", s.TTL
}

// takesChanges reports whether a changelog comes into operator i.
func takesChanges(p *graph.Program, i int) bool {
	for _, e := range p.In(i) {
		if p.Nodes[e.From].Mode == graph.Updating {
			return true
		}
	}
	return false
}

func timed(ttl int64) (string, int64) {
	if ttl <= 0 {
		return "unbounded", 0
	}
	return "ttl", ttl
}

// wrap breaks a text at spaces into lines of at most n runes; words that are longer stand alone.
func wrap(text string, n int) []string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(w)) > max(n, 20) {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
