package picture

import (
	"encoding/json"
	"slices"
	"strings"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Explain draws a program with everything that is known about it: the state bound of every operator, and on every edge
// whether rows are appended or updated, the columns, and the key of an updating stream. Format is "text", "mermaid", "dot"
// or "json"; all but the text leave the warnings to the caller, except json, which has them.
func Explain(p *graph.Program, format string, warnings fault.List) string {
	d := &drawing{program: p, seen: map[int]bool{}, full: true, keys: keys(p)}
	switch format {
	case "mermaid":
		return d.mermaid()
	case "dot":
		return d.dot()
	case "json":
		return d.json(warnings)
	}
	return d.text()
}

// plan is the JSON form of an explained program.
type plan struct {
	Operators []planOperator `json:"operators"`
	Edges     []planEdge     `json:"edges"`
	Warnings  []planWarning  `json:"warnings"`
}

type planOperator struct {
	ID             string `json:"id"`
	Kind           string `json:"kind"`
	Description    string `json:"description"`
	MaxParallelism int    `json:"max_parallelism,omitempty"`
	// State is "none", "window", "ttl" or "unbounded"; TTL is in nanoseconds.
	State string    `json:"state"`
	TTL   int64     `json:"ttl,omitempty"`
	Place *position `json:"place,omitempty"`
}

type planEdge struct {
	From      string       `json:"from"`
	To        string       `json:"to"`
	Input     int          `json:"input"`
	Mode      string       `json:"mode"`
	Columns   []planColumn `json:"columns"`
	Key       []string     `json:"key,omitempty"`
	ShuffleBy []string     `json:"shuffle_by,omitempty"`
}

type planColumn struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
}

type planWarning struct {
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"`
	Place   *position `json:"place,omitempty"`
}

type position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

func locate(text string, span fault.Span) *position {
	if span.IsZero() {
		return nil
	}
	at := fault.Locate(text, span.Start)
	return &position{at.Line, at.Column}
}

func (d *drawing) json(warnings fault.List) string {
	p := d.program
	out := plan{Operators: []planOperator{}, Edges: []planEdge{}, Warnings: []planWarning{}}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		o := planOperator{ID: n.ID, Kind: Kind(n.Spec), Description: details(n), MaxParallelism: n.MaxParallelism, Place: locate(p.SQL, n.Span)}
		o.State, o.TTL = bound(p, i)
		out.Operators = append(out.Operators, o)
	}
	for _, e := range p.Edges {
		from := &p.Nodes[e.From]
		edge := planEdge{From: from.ID, To: p.Nodes[e.To].ID, Input: e.Input, Mode: from.Mode.String(), Columns: []planColumn{}}
		for _, f := range from.Out.Fields() {
			t := expr.TypeName(f.Type)
			if expr.IsJSON(f) {
				t = "JSON"
			}
			edge.Columns = append(edge.Columns, planColumn{f.Name, t, f.Nullable})
		}
		for _, k := range d.keys[e.From] {
			edge.Key = append(edge.Key, from.Out.Field(k).Name)
		}
		for _, k := range e.Keys {
			edge.ShuffleBy = append(edge.ShuffleBy, from.Out.Field(k).Name)
		}
		out.Edges = append(out.Edges, edge)
	}
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, planWarning{w.Error(), w.Hint, locate(p.SQL, w.Span)})
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil {
		panic("picture: " + err.Error())
	}
	return b.String()
}

// keys finds, for every operator with an updating output, the columns that identify its rows; nil where nothing does.
func keys(p *graph.Program) [][]int {
	out := make([][]int, len(p.Nodes))
	for i := range p.Nodes {
		n := &p.Nodes[i]
		in := p.In(i)
		if n.Mode != graph.Updating {
			continue
		}
		switch s := n.Spec.(type) {
		case *graph.SourceSpec:
			out[i] = s.PrimaryKey
		case *graph.UpdatingAggregateSpec:
			for k := range s.Keys {
				out[i] = append(out[i], k)
			}
		case *graph.WatermarkSpec:
			if len(in) == 1 {
				out[i] = out[in[0].From]
			}
		case *graph.ProjectSpec:
			if len(in) == 1 {
				out[i] = through(s, out[in[0].From])
			}
		case *graph.TopNSpec:
			switch {
			case s.Rank != graph.RowNumber || s.WithTies:
			case s.Limit == 1 && s.Offset == 0 && len(s.Keys) > 0:
				out[i] = s.Keys
			case s.WithRank:
				out[i] = append(slices.Clone(s.Keys), n.Out.NumFields()-1)
			}
		case *graph.OverSpec:
			if len(in) == 1 {
				out[i] = out[in[0].From]
			}
		}
	}
	return out
}

// through gives the columns that hold a projection's input columns; nil if one is lost.
func through(s *graph.ProjectSpec, key []int) []int {
	if s.Exprs == nil {
		return key
	}
	var out []int
	for _, k := range key {
		at := -1
		for i, e := range s.Exprs {
			if e.Kind == expr.Column && e.Index == k && at < 0 {
				at = i
			}
		}
		if at < 0 {
			return nil
		}
		out = append(out, at)
	}
	return out
}
