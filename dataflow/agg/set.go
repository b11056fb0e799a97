package agg

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

// accumulator is one aggregate compiled for its argument types. A group's state begins as words of zero, which stand for
// the aggregate of no rows.
type accumulator interface {
	// words is the number of words per group.
	words() int
	// update adds rows, or takes them back where their change is Retract. Only an accumulator that was compiled for it
	// sees a retraction.
	update(s states, in *input) error
	// merge adds, for every i, the state of slot from[i] of src to that of slot to[i] of s; with sign -1 it takes it back,
	// which only an accumulator that is invertible is asked to do.
	merge(s states, to []int32, src states, from []int32, sign int64) error
	invertible() bool
	// result appends the aggregate of each slot.
	result(s states, slots []int32, out column.Appender) error
	// newSide makes what groups keep outside of their words, or nil if there is nothing.
	newSide() side
}

// side is memory of one accumulator for all groups of a table, to which the groups' words refer. Without pointers in it,
// as far as it grows with the data.
type side interface {
	// free releases what a group refers to; its words are overwritten or dropped next.
	free(w []int64)
	// save appends the group's state beyond its words to buf.
	save(w []int64, buf []byte) []byte
	// load makes the words, which are as they were when saved, refer to what save wrote; ok is false if it is damaged.
	load(slot int32, w []int64, data []byte) (ok bool)
	reset()
	size() int64
}

// states is the accumulator's words of every group of a table: word i of a slot is w[slot·stride+i].
type states struct {
	w      []int64
	stride int
	side   side
}

// input is the rows that an accumulator has to add: slots[j] is the group of physical row rows[j].
type input struct {
	cols []column.Vector
	// times are the event times per physical row; aggregates whose result depends on the order of rows need them.
	times       []int64
	slots, rows []int32
	// change is per physical row, nil if all are inserts.
	change []column.Change
}

// Set is the compiled aggregates of one operator.
type Set struct {
	calls   []compiled
	words   int
	sides   int
	invert  bool
	in      input
	scratch [2][]int32
	bytes   []byte
}

type compiled struct {
	call Call
	acc  accumulator
	// at is the first of the accumulator's words, side the index of its side memory or -1.
	at, side int
}

// Compile makes accumulators for calls as a plan holds them. retract says that the input has retractions.
func Compile(calls []Call, retract bool) (*Set, error) {
	s := &Set{invert: true}
	functions := Builtin()
	for _, c := range calls {
		fn := functions.byName[c.Name]
		if fn == nil {
			return nil, functions.unknown(c.Name, c.Span)
		}
		own := len(c.ArgTypes)
		if fn.args != variadic {
			own = min(own, fn.args)
		}
		_, ok := fn.resolve(c.ArgTypes[:own])
		if !ok || len(c.Args) != len(c.ArgTypes) || fn.args != variadic && own < fn.args || !fn.checkCall(&c) {
			return nil, wrongArguments(fn, c.ArgTypes, c.Span)
		}
		if !fn.ordered && !fn.within {
			c.Args, c.ArgTypes, c.OrderBy = c.Args[:own], c.ArgTypes[:own], nil
		}
		s.add(c, fn, retract)
	}
	return s, nil
}

func (s *Set) add(c Call, fn *function, retract bool) {
	acc := fn.compile(&c, retract)
	if c.Distinct && !fn.plain && !fn.knowsDistinct {
		acc = newDistinct(&c, fn.compile(&c, true))
	}
	k := compiled{call: c, acc: acc, at: s.words, side: -1}
	if acc.newSide() != nil {
		k.side = s.sides
		s.sides++
	}
	s.words += acc.words()
	s.invert = s.invert && acc.invertible()
	s.calls = append(s.calls, k)
}

// Words is the number of value words that a group's accumulators take.
func (s *Set) Words() int { return s.words }

// Invertible reports whether Groups.Subtract may be used.
func (s *Set) Invertible() bool { return s.invert }

// overflow is the fault of a result that does not fit into its type.
func overflow(c *Call, dt arrow.DataType) error {
	err := fault.Userf(fault.CodeOverflow, c.Span, "the result of %s does not fit into %s", c.Name, expr.TypeName(dt))
	if classOf(dt) == intervalClass {
		return err.WithHint("sum the seconds instead, as in sum(date_part('epoch', x))")
	}
	return err.WithHint("cast the argument to DOUBLE or to a wider type, as in %s(CAST(x AS DOUBLE))", c.Name)
}
