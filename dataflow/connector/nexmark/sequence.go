package nexmark

import (
	"encoding/binary"
	"strconv"

	"wadi/dataflow/fault"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// Events come in groups of this size: per group one person, three auctions and 46 bids, out of order within it.
const group = 50

// table is the global table with an entry per sequence: its index in decimal → five little-endian 64-bit words.
const table = "s"

// sequence is a range of event ids, generated in order.
type sequence struct {
	index int64
	// next is how many events have been generated.
	next int64
	// base is the event time before the first event, delay the step of event time per event; nanoseconds.
	base, delay int64
	// sequences is how many there are over all subtasks, events how many events they have together.
	sequences, events int64

	// first is the id that event number 0 would have, limit how many events there are; both follow from the above.
	first uint64
	limit int64
	// order is the place of an event in its group → what it is.
	order [group]place
	// kinds has a bit per place, for persons, auctions and bids.
	kinds [3]uint64
}

// place is one of the places of a group, in the order of generation.
type place struct {
	// offset is the event's number within the group, a fixed permutation.
	offset uint8
	// rest is the event's id modulo the group size, which decides its kind; carry is 1 when the id lies beyond the next
	// multiple of it, counted from the group's first id.
	rest, carry uint8
}

// The kinds of event, in the order of the columns.
const (
	person = iota
	auction
	bid
)

func kindOf(rest uint8) int {
	switch {
	case rest == 0:
		return person
	case rest <= 3:
		return auction
	}
	return bid
}

// prepare computes what follows from the saved members.
func (q *sequence) prepare() {
	share := q.events / q.sequences
	q.first = 1 + uint64(q.index)*uint64(share)
	q.limit = share
	if q.index == q.sequences-1 {
		q.limit = q.events - share*(q.sequences-1)
	}
	for j := range uint64(group) {
		offset := j * 953 % group
		sum := q.first%group + offset
		q.order[j] = place{offset: uint8(offset), rest: uint8(sum % group), carry: uint8(sum / group)}
		q.kinds[kindOf(q.order[j].rest)] |= 1 << j
	}
}

// left is how many events are still to come.
func (q *sequence) left() int64 { return max(0, q.limit-q.next) }

// time is about where the sequence stands in event time.
func (q *sequence) time() int64 { return q.base + q.delay*q.next }

// newSequence makes the sequence of a subtask at its first start.
func newSequence(env operator.Env, s settings) sequence {
	p := int64(env.Parallelism)
	delay := max(1, int64(min(1e9/s.rate*float64(p), 1e18)))
	q := sequence{index: int64(env.Subtask), base: env.Clock.Now().UnixNano(), delay: delay, sequences: p, events: s.events}
	q.prepare()
	return q
}

// restore gives the sequences that this subtask goes on with, and the number of sequences of all subtasks.
func restore(env operator.Env, s settings) (own []sequence, total int64, err error) {
	found := int64(0)
	if env.Restore != nil {
		err := env.Restore.Global(table, func(key, value []byte) error {
			q, err := decodeSequence(key, value)
			if err != nil {
				return err
			}
			found++
			total = q.sequences
			if q.index%int64(env.Parallelism) == int64(env.Subtask) {
				own = append(own, q)
			}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	if found == 0 {
		return []sequence{newSequence(env, s)}, int64(env.Parallelism), nil
	}
	if found != total {
		return nil, 0, fault.Internalf("nexmark: the saved state has %d of %d sequences", found, total)
	}
	return own, total, nil
}

func (q *sequence) save(w state.Writer) {
	var value []byte
	for _, v := range []int64{q.next, q.base, q.delay, q.sequences, q.events} {
		value = binary.LittleEndian.AppendUint64(value, uint64(v))
	}
	w.Global(table, strconv.AppendInt(nil, q.index, 10), value)
}

func decodeSequence(key, value []byte) (sequence, error) {
	index, err := strconv.ParseInt(string(key), 10, 64)
	if err != nil || len(value) != 5*8 {
		return sequence{}, fault.Internalf("nexmark: the saved state is not readable")
	}
	word := func(i int) int64 { return int64(binary.LittleEndian.Uint64(value[8*i:])) }
	q := sequence{index: index, next: word(0), base: word(1), delay: word(2), sequences: word(3), events: word(4)}
	if q.sequences <= 0 || index < 0 || index >= q.sequences {
		return sequence{}, fault.Internalf("nexmark: the saved state is not readable")
	}
	q.prepare()
	return q, nil
}
