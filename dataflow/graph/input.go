package graph

import "github.com/apache/arrow-go/v18/arrow"

// Input describes the rows that come into a port of a node: a column may be null, and rows may be retracted, if that is so on
// any of the edges that lead there. The schema is nil if none does.
func (p *Program) Input(node, port int) (*arrow.Schema, Mode) {
	var out *arrow.Schema
	mode := Append
	for _, e := range p.In(node) {
		if e.Input != port {
			continue
		}
		from := &p.Nodes[e.From]
		if from.Mode == Updating {
			mode = Updating
		}
		out = either(out, from.Out)
	}
	return out, mode
}

// either is the schema of rows of one or the other, which have the same columns.
func either(a, b *arrow.Schema) *arrow.Schema {
	if a == nil || b == nil || a.NumFields() != b.NumFields() {
		if a == nil {
			return b
		}
		return a
	}
	fields, same := a.Fields(), true
	for i, f := range b.Fields() {
		if f.Nullable && !fields[i].Nullable {
			fields[i].Nullable, same = true, false
		}
	}
	if same {
		return a
	}
	md := a.Metadata()
	return arrow.NewSchema(fields, &md)
}
