package automaton

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// automaton reads a text in one direction. Its states are made when they are first reached.
type automaton struct {
	prog *syntax.Prog
	// search begins a match anywhere and prefers as package regexp does; otherwise a match begins where the walk does,
	// and the longest counts.
	search bool
	// prefix is what every match begins with, "" if that is not known.
	prefix  string
	classes classes

	// states[id] is the state with this number, byKey finds it; next has, per state and class, where it goes. A number of 0
	// stands for a state that is not known yet; that of dead leads nowhere.
	states []set
	byKey  map[string]uint32
	next   []step
	starts [kinds]uint32

	// forgotten is how often states have been forgotten, read how much has been read since, strikes how often in a row it
	// was too little.
	forgotten, read, strikes int

	work worklist
}

// step is a state's number above two bits: a match ends in front of the character read, and the state is that of a start.
type step uint32

const (
	matchEnds step = 1 << iota
	isStart
	stepBits = iota

	dead = 1
)

// set is a state: places in the program, in the order of preference. In a program without assertions they are those that
// read something or end a match; otherwise what can be reached from the places depends on the next character.
type set struct {
	insts []uint32
	// before is the kind of the character in front.
	before kind
	// restart says that a match may begin later, too.
	restart bool
}

// maxNext bounds the size of next, and maxStrikes how often in a row all states are forgotten before they paid.
const (
	maxNext    = 1 << 17
	maxStrikes = 8
)

func newAutomaton(prog *syntax.Prog, search bool) *automaton {
	a := &automaton{prog: prog, search: search, classes: newClasses(prog)}
	a.work.prog, a.work.seen = prog, make([]uint64, len(prog.Inst))
	a.forget()
	return a
}

// forget drops all states.
func (a *automaton) forget() {
	a.states = append(a.states[:0], set{}, set{}) // those of the numbers 0 and dead
	a.byKey = map[string]uint32{}
	a.next = append(a.next[:0], make([]step, 2*a.classes.n)...)
	a.read = 0
	a.forgotten++
	for k := range kinds {
		a.starts[k] = 0
		if a.classes.asserts || k == other {
			a.work.reset()
			a.add(uint32(a.prog.Start))
			a.starts[k] = a.number(set{insts: a.work.list, before: k, restart: a.search})
		}
	}
}

// forward gives where the first match ends that begins at or after pos, or where any match ends; -1 without one. ok is
// false when there were too many states.
func (a *automaton) forward(s string, pos int, any bool) (end int, ok bool) {
	if a.strikes > maxStrikes {
		return -1, false
	}
	end = -1
	n := a.classes.n
	state, i := a.skip(s, pos)
	for i >= 0 {
		class, width := n-1, 1
		if i < len(s) {
			if b := s[i]; b < utf8.RuneSelf {
				class = int(a.classes.ascii[b])
			} else {
				var r rune
				r, width = utf8.DecodeRuneInString(s[i:])
				class = a.classes.of(r)
			}
		}
		t := a.next[int(state)*n+class]
		if t == 0 {
			t = a.advance(state, class)
		}
		if t&matchEnds != 0 {
			end = i
			if any {
				break
			}
		}
		if state = uint32(t >> stepBits); state == dead {
			break
		}
		i += width
		a.read += width
		if t&isStart != 0 && a.prefix != "" {
			state, i = a.skip(s, i)
		}
	}
	return end, a.strikes <= maxStrikes
}

// skip gives the place from pos on where a match may begin, -1 if there is none, and the state in which to begin there.
func (a *automaton) skip(s string, pos int) (state uint32, at int) {
	if a.prefix != "" {
		i := strings.Index(s[pos:], a.prefix)
		if i < 0 {
			return dead, -1
		}
		pos += i
	}
	before := rune(-1)
	if pos > 0 && a.classes.asserts {
		before, _ = utf8.DecodeLastRuneInString(s[:pos])
	}
	return a.start(before), pos
}

// backward gives where the longest match begins that ends at end, and at or after pos.
func (a *automaton) backward(s string, pos, end int) (from int, ok bool) {
	if a.strikes > maxStrikes {
		return -1, false
	}
	before := rune(-1)
	if end < len(s) {
		before, _ = utf8.DecodeRuneInString(s[end:])
	}
	from = -1
	n := a.classes.n
	state := a.start(before)
	i := end
	for {
		class, width := n-1, 1
		if i > 0 {
			if b := s[i-1]; b < utf8.RuneSelf {
				class = int(a.classes.ascii[b])
			} else {
				var r rune
				r, width = utf8.DecodeLastRuneInString(s[:i])
				class = a.classes.of(r)
			}
		}
		t := a.next[int(state)*n+class]
		if t == 0 {
			t = a.advance(state, class)
		}
		if t&matchEnds != 0 {
			from = i
		}
		if state = uint32(t >> stepBits); state == dead || i <= pos {
			break
		}
		i -= width
	}
	a.read += end - i
	return from, from >= 0 && a.strikes <= maxStrikes
}

// start is the state in which a walk begins behind a character, at the edge of the text if it is -1.
func (a *automaton) start(before rune) uint32 {
	switch {
	case !a.classes.asserts:
		return a.starts[other]
	case before < 0:
		return a.starts[edge]
	}
	return a.starts[kindOf(before)]
}

// advance computes where a state goes when it reads a character of a class, and remembers it.
func (a *automaton) advance(state uint32, class int) step {
	from := a.states[state]
	insts := from.insts
	end := class == a.classes.n-1
	if a.classes.asserts {
		insts = a.work.resolve(insts, between(from.before, a.classes.kinds[class]))
	}
	matched := false
	to := set{before: other, restart: from.restart && !end}
	if a.classes.asserts {
		to.before = a.classes.kinds[class]
	}
	a.work.reset()
	for _, pc := range insts {
		inst := &a.prog.Inst[pc]
		if inst.Op == syntax.InstMatch {
			matched = true
			if a.search { // whatever comes later is less preferred
				to.restart = false
				break
			}
		} else if !end && inst.MatchRune(a.classes.runes[class]) {
			a.add(inst.Out)
		}
	}
	if to.restart {
		a.add(uint32(a.prog.Start))
	}
	if to.insts = a.work.list; !a.search {
		slices.Sort(to.insts) // without preferences their order says nothing
	}
	t := step(dead << stepBits)
	before := a.forgotten
	if len(to.insts) > 0 {
		id := a.number(to)
		t = step(id << stepBits)
		if id == a.starts[to.before] {
			t |= isStart
		}
	}
	if matched {
		t |= matchEnds
	}
	if a.forgotten == before { // the state that is left still has its number
		a.next[int(state)*a.classes.n+class] = t
	}
	return t
}

// number gives the number of a state, a new one if it is not known.
func (a *automaton) number(s set) uint32 {
	key := a.work.key[:0]
	head := byte(s.before)
	if s.restart {
		head |= 0x80
	}
	key = append(key, head)
	for _, pc := range s.insts {
		key = binary.AppendUvarint(key, uint64(pc))
	}
	a.work.key = key
	if id, ok := a.byKey[string(key)]; ok {
		return id
	}
	if len(a.next) >= maxNext {
		if a.read < 10*len(a.states) {
			a.strikes++
		} else {
			a.strikes = 0
		}
		a.forget()
	}
	id := uint32(len(a.states))
	s.insts = slices.Clone(s.insts)
	a.states = append(a.states, s)
	a.next = append(a.next, make([]step, a.classes.n)...)
	a.byKey[string(key)] = id
	return id
}

// add adds a place to the next state.
func (a *automaton) add(pc uint32) {
	if a.classes.asserts {
		a.work.keep(pc)
	} else {
		a.work.follow(pc, 0)
	}
}

// worklist collects places in a program, each once.
type worklist struct {
	prog        *syntax.Prog
	list, spare []uint32
	// seen holds the round in which a place was last met.
	seen  []uint64
	round uint64
	key   []byte
}

func (w *worklist) reset() {
	w.list = w.list[:0]
	w.round++
}

// resolve gives what can be reached from places where these assertions hold. The result is valid until the next call.
func (w *worklist) resolve(places []uint32, holds syntax.EmptyOp) []uint32 {
	w.reset()
	for _, pc := range places {
		w.follow(pc, holds)
	}
	w.list, w.spare = w.spare, w.list
	return w.spare
}

// met reports whether a place has been met in this round, and meets it.
func (w *worklist) met(pc uint32) bool {
	if w.seen[pc] == w.round {
		return true
	}
	w.seen[pc] = w.round
	return false
}

func (w *worklist) keep(pc uint32) {
	if !w.met(pc) {
		w.list = append(w.list, pc)
	}
}

// follow adds what can be reached from a place without reading.
func (w *worklist) follow(pc uint32, holds syntax.EmptyOp) {
	if w.met(pc) {
		return
	}
	inst := &w.prog.Inst[pc]
	switch inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		w.follow(inst.Out, holds)
		w.follow(inst.Arg, holds)
	case syntax.InstCapture, syntax.InstNop:
		w.follow(inst.Out, holds)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(inst.Arg)&^holds == 0 {
			w.follow(inst.Out, holds)
		}
	case syntax.InstFail:
	default:
		w.list = append(w.list, pc)
	}
}
