package ast

import (
	"reflect"

	"wadi/dataflow/fault"
)

var (
	placeType = reflect.TypeFor[Place]()
	nodeType  = reflect.TypeFor[Node]()
)

// Equal reports whether two nodes are the same tree, wherever in a text they stand. Empty and missing lists are the same.
// It may be given any type of this package, also slices of nodes.
func Equal(a, b any) bool { return equal(reflect.ValueOf(a), reflect.ValueOf(b)) }

func equal(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return equal(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		if a.Type() == placeType {
			return true
		}
		for i := range a.NumField() {
			if !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Interface() == b.Interface()
}

// Inspect calls visit for n and, as long as visit says true, for all nodes below it, in the order of their fields. Names
// (Ident, Name) and frame bounds are not visited themselves. A nil node is left out.
func Inspect(n Node, visit func(Node) bool) {
	if n == nil {
		return
	}
	inspect(reflect.ValueOf(n), visit)
}

func inspect(v reflect.Value, visit func(Node) bool) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			inspect(v.Elem(), visit)
		}
	case reflect.Pointer:
		if v.IsNil() || v.Type() == reflect.TypeFor[*Ident]() || !v.Type().Implements(nodeType) {
			return
		}
		if visit(v.Interface().(Node)) {
			inspect(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			inspect(v.Index(i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			inspect(v.Field(i), visit)
		}
	}
}

// Move makes all nodes from n down stand at one place, for trees that come from another text.
func Move(n Node, to fault.Span) { move(reflect.ValueOf(n), Place{Pos: to}) }

func move(v reflect.Value, to Place) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			move(v.Elem(), to)
		}
	case reflect.Slice:
		for i := range v.Len() {
			move(v.Index(i), to)
		}
	case reflect.Struct:
		if v.Type() == placeType && v.CanSet() {
			v.Set(reflect.ValueOf(to))
			return
		}
		for i := range v.NumField() {
			move(v.Field(i), to)
		}
	}
}
