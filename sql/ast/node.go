// Package ast is the syntax tree of Wadi's SQL dialect: plain structs, no behaviour.
//
// What comes in: nodes made by sql/parse. What goes out: a tree that the binder reads, and that Print turns back into
// SQL. A tree belongs to whoever parsed it; nodes may be shared for reading and nothing here blocks.
//
// The tree says what was written, not what it means. Names keep the case they were written in (the binder folds
// unquoted ones), no name is resolved and no type is checked. Spellings that mean the same are one node: x::t is a Cast,
// a <> b and a != b are one operator, EXTRACT(f FROM x) is the call date_part('f', x), and parentheses leave no trace but in the shape
// of the tree. Every node has a span of bytes in the text that was parsed.
package ast

import (
	"strings"

	"wadi/dataflow/fault"
)

// Node is anything in the tree.
type Node interface {
	// Span is the range of bytes of the SQL text that the node was read from. It is zero for nodes made by hand.
	Span() fault.Span
}

// Place is embedded in every node and holds its span.
type Place struct {
	Pos fault.Span
}

// Span is the node's range of bytes in the SQL text.
func (p Place) Span() fault.Span { return p.Pos }

// At makes a Place of a span.
func At(s fault.Span) Place { return Place{Pos: s} }

// Ident is one name as it was written. Name has no quotes; an unquoted name keeps its case.
type Ident struct {
	Place
	Name   string
	Quoted bool
}

// Folded is the name as the catalog compares it: lower case unless it was quoted.
func (i Ident) Folded() string {
	if i.Quoted {
		return i.Name
	}
	return strings.ToLower(i.Name)
}

// Name is a possibly compound name, such as a, s.t or a.b.c; it is never empty in a parsed tree.
type Name []Ident

// Span covers all parts.
func (n Name) Span() fault.Span {
	var s fault.Span
	for _, i := range n {
		s = s.Join(i.Pos)
	}
	return s
}

// Last is the last part of the name.
func (n Name) Last() Ident { return n[len(n)-1] }

// String joins the parts as they were written, without quotes, with dots: for messages.
func (n Name) String() string {
	parts := make([]string, len(n))
	for i, id := range n {
		parts[i] = id.Name
	}
	return strings.Join(parts, ".")
}
