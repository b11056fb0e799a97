package automaton

import (
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// Regexp is a regular expression and what it takes to find its matches.
type Regexp struct {
	re                *regexp.Regexp
	forward, backward *automaton
	// missed says that there was no match when package regexp was last asked for one.
	missed bool
}

// maxInstructions bounds the programs that automata are made from.
const maxInstructions = 1000

// New makes a Regexp that finds what re finds.
func New(re *regexp.Regexp) *Regexp {
	x := &Regexp{re: re}
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return x
	}
	forward, backward := compile(tree), compile(reverse(tree))
	if forward == nil || backward == nil {
		return x
	}
	x.forward, x.backward = newAutomaton(forward, true), newAutomaton(backward, false)
	x.forward.prefix, _ = forward.Prefix()
	return x
}

func compile(tree *syntax.Regexp) *syntax.Prog {
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || len(prog.Inst) > maxInstructions {
		return nil
	}
	return prog
}

// Regexp gives the expression as package regexp has it.
func (x *Regexp) Regexp() *regexp.Regexp { return x.re }

// Match reports whether there is a match in s.
func (x *Regexp) Match(s string) bool {
	if x.forward != nil {
		if end, ok := x.forward.forward(s, 0, true); ok {
			return end >= 0
		}
	}
	return x.re.MatchString(s)
}

// First gives the bounds of the first match in s, or -1 and -1.
func (x *Regexp) First(s string) (from, to int) {
	if from, to, ok := x.find(s, 0); ok {
		return from, to
	}
	if m := x.re.FindStringIndex(s); m != nil {
		return m[0], m[1]
	}
	return -1, -1
}

// Groups gives the bounds of the first match and of its groups as package regexp does, nil without a match. Where texts
// rarely match, that package is not asked.
func (x *Regexp) Groups(s string) []int {
	if x.missed && !x.Match(s) {
		return nil
	}
	m := x.re.FindStringSubmatchIndex(s)
	x.missed = m == nil
	return m
}

// find gives the bounds of the first match that begins at or after pos; ok is false when the automata have given up. What
// stands before pos counts for assertions like \b.
func (x *Regexp) find(s string, pos int) (from, to int, ok bool) {
	if x.forward == nil {
		return -1, -1, false
	}
	if to, ok = x.forward.forward(s, pos, false); !ok || to < 0 {
		return -1, -1, ok
	}
	from, ok = x.backward.backward(s, pos, to)
	return from, to, ok
}

// Matches walks over the matches of a text that do not overlap. An empty one right behind the match before does not count.
type Matches struct {
	x         *Regexp
	s         string
	pos, last int
	// slow says that package regexp had to find the rest of the matches, which are all.
	slow bool
	all  [][]int
	// From and To are the bounds of the match at hand.
	From, To int
}

// All starts a walk over the matches of s.
func (x *Regexp) All(s string) Matches { return Matches{x: x, s: s, last: -1} }

// Next moves on to the next match; it returns false when there is none.
func (m *Matches) Next() bool {
	for !m.slow && m.pos <= len(m.s) {
		from, to, ok := m.x.find(m.s, m.pos)
		switch {
		case !ok:
			m.giveUp()
			continue
		case to < 0:
			m.pos = len(m.s) + 1
			return false
		}
		fresh := to > m.pos || from != m.last
		if to > m.pos {
			m.pos = to
		} else { // an empty match where the search began
			_, width := utf8.DecodeRuneInString(m.s[m.pos:])
			m.pos += max(1, width)
		}
		if m.last = to; fresh {
			m.From, m.To = from, to
			return true
		}
	}
	if len(m.all) == 0 {
		return false
	}
	m.From, m.To, m.all = m.all[0][0], m.all[0][1], m.all[1:]
	return true
}

// giveUp leaves the rest to package regexp.
func (m *Matches) giveUp() {
	m.slow = true
	for _, b := range m.x.re.FindAllStringIndex(m.s, -1) {
		if b[0] >= m.pos && (b[0] < b[1] || b[0] != m.last) {
			m.all = append(m.all, b)
		}
	}
}

// reverse gives the expression of the reversed texts.
func reverse(re *syntax.Regexp) *syntax.Regexp {
	out := *re
	out.Sub, out.Rune = nil, nil
	switch re.Op {
	case syntax.OpLiteral:
		for i := len(re.Rune) - 1; i >= 0; i-- {
			out.Rune = append(out.Rune, re.Rune[i])
		}
		return &out
	case syntax.OpCharClass:
		out.Rune = re.Rune
	case syntax.OpBeginLine:
		out.Op = syntax.OpEndLine
	case syntax.OpEndLine:
		out.Op = syntax.OpBeginLine
	case syntax.OpBeginText:
		out.Op = syntax.OpEndText
	case syntax.OpEndText:
		out.Op = syntax.OpBeginText
	}
	for _, sub := range re.Sub {
		out.Sub = append(out.Sub, reverse(sub))
	}
	if re.Op == syntax.OpConcat {
		for i, j := 0, len(out.Sub)-1; i < j; i, j = i+1, j-1 {
			out.Sub[i], out.Sub[j] = out.Sub[j], out.Sub[i]
		}
	}
	return &out
}
