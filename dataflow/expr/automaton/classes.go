package automaton

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// kind is what an assertion needs to know of a character.
type kind uint8

const (
	// edge stands for the end of the text in either direction.
	edge kind = iota
	newline
	word
	other
	kinds
)

func kindOf(r rune) kind {
	switch {
	case r == '\n':
		return newline
	case syntax.IsWordChar(r):
		return word
	}
	return other
}

// between gives the assertions that hold between two characters.
func between(before, after kind) syntax.EmptyOp {
	var op syntax.EmptyOp
	if before == edge {
		op |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	}
	if before == newline {
		op |= syntax.EmptyBeginLine
	}
	if after == edge {
		op |= syntax.EmptyEndText | syntax.EmptyEndLine
	}
	if after == newline {
		op |= syntax.EmptyEndLine
	}
	if (before == word) != (after == word) {
		return op | syntax.EmptyWordBoundary
	}
	return op | syntax.EmptyNoWordBoundary
}

// classes sorts characters into those that a program does not tell apart.
type classes struct {
	// n is the number of classes; the last is the end of the text.
	n int
	// asserts says that the program has assertions, so that characters of different kinds are told apart.
	asserts bool
	ascii   [utf8.RuneSelf]uint16
	// from are the characters at which a class begins, ascending from 0, class which one that is.
	from  []rune
	class []uint16
	// runes has one character of each class, kinds their kind.
	runes []rune
	kinds []kind
}

func newClasses(prog *syntax.Prog) classes {
	var c classes
	c.from = []rune{0}
	split := func(low, high rune) { c.from = append(c.from, low, high+1) }
	var sets []*syntax.Inst
	for i := range prog.Inst {
		inst := &prog.Inst[i]
		switch inst.Op {
		case syntax.InstEmptyWidth:
			c.asserts = true
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			sets = append(sets, inst)
			if len(inst.Rune) == 1 {
				r := inst.Rune[0]
				split(r, r)
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					split(f, f)
				}
			}
			for k := 0; k+1 < len(inst.Rune); k += 2 {
				split(inst.Rune[k], inst.Rune[k+1])
			}
		}
	}
	if c.asserts {
		split('\n', '\n')
		split('0', '9')
		split('A', 'Z')
		split('_', '_')
		split('a', 'z')
	}
	slices.Sort(c.from)
	c.from = slices.Compact(c.from)
	c.merge(sets)
	for b := range c.ascii {
		c.ascii[b] = uint16(c.of(rune(b)))
	}
	return c
}

// merge gives ranges of characters one class if they are in the same sets.
func (c *classes) merge(sets []*syntax.Inst) {
	known := map[string]uint16{}
	var in []byte
	for _, r := range c.from {
		in = in[:0]
		for i, s := range sets {
			if s.MatchRune(r) {
				in = binary.AppendUvarint(in, uint64(i))
			}
		}
		k := other
		if c.asserts {
			k = kindOf(r)
		}
		in = append(in, byte(k))
		id, ok := known[string(in)]
		if !ok {
			id = uint16(len(c.runes))
			known[string(in)] = id
			c.runes, c.kinds = append(c.runes, r), append(c.kinds, k)
		}
		c.class = append(c.class, id)
	}
	c.runes, c.kinds = append(c.runes, -1), append(c.kinds, edge)
	c.n = len(c.runes)
}

// of is the class of a character.
func (c *classes) of(r rune) int {
	i, found := slices.BinarySearch(c.from, r)
	if !found {
		i--
	}
	return int(c.class[i])
}
