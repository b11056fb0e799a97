package impulse

import (
	"context"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// table is the global table with an entry per sequence: its number in decimal → counter, start and sequences as
// little-endian 64-bit words.
const table = "i"

// sequence is one counter.
type sequence struct {
	index int64
	// next is the counter of the next row.
	next int64
	// start is the event time of row 0, if there is an interval.
	start int64
}

type source struct {
	env       operator.Env
	pacer     *connector.Pacer
	sequences []sequence
	// total is the number of sequences over all subtasks.
	total int64
	// interval is the step of event time in ns, -1 for the wall clock; count the limit of each sequence, -1 for none.
	interval, count int64

	counter, subtask *column.Fixed[uint64]
	batch            column.Batch
}

func newSource(c connector.SourceConfig) (operator.Source, error) {
	rate, err := strconv.ParseFloat(c.Spec.Options["event_rate"], 64)
	if err != nil {
		return nil, fault.Internalf("impulse: event_rate is not a number")
	}
	s := &source{env: c.Env, interval: option(c, "event_time_interval"), count: option(c, "message_count")}
	s.counter = column.NewFixed[uint64](arrow.PrimitiveTypes.Uint64)
	s.subtask = column.NewFixed[uint64](arrow.PrimitiveTypes.Uint64)
	s.batch = column.Batch{Schema: c.Spec.Schema, Cols: []column.Vector{s.counter, s.subtask}}
	if s.batch.Schema == nil {
		s.batch.Schema = Schema()
	}
	if err := s.restore(); err != nil {
		return nil, err
	}
	share := rate * float64(len(s.sequences)) / float64(s.total)
	s.pacer = connector.NewPacer(c.Env, 1e9/share)
	return s, nil
}

func option(c connector.SourceConfig, name string) int64 {
	if n, err := strconv.ParseInt(c.Spec.Options[name], 10, 64); err == nil {
		return n
	}
	return -1
}

// restore takes over the sequences that this subtask goes on with; a fresh start has one per subtask.
func (s *source) restore() error {
	found := int64(0)
	if s.env.Restore != nil {
		err := s.env.Restore.Global(table, func(key, value []byte) error {
			index, err := strconv.ParseInt(string(key), 10, 64)
			if err != nil || len(value) != 24 {
				return fault.Internalf("impulse: the saved state is not readable")
			}
			found++
			s.total = int64(binary.LittleEndian.Uint64(value[16:]))
			if index%int64(s.env.Parallelism) == int64(s.env.Subtask) {
				s.sequences = append(s.sequences, sequence{index: index,
					next: int64(binary.LittleEndian.Uint64(value)), start: int64(binary.LittleEndian.Uint64(value[8:]))})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if found == 0 {
		s.total = int64(s.env.Parallelism)
		s.sequences = []sequence{{index: int64(s.env.Subtask), start: s.env.Clock.Now().UnixNano()}}
		return nil
	}
	if found != s.total {
		return fault.Internalf("impulse: the saved state has %d of %d sequences", found, s.total)
	}
	return nil
}

// left is how many rows all sequences of this subtask still have, at most limit.
func (s *source) left(limit int) int {
	if s.count < 0 {
		if len(s.sequences) == 0 {
			return 0
		}
		return limit
	}
	n := int64(0)
	for _, q := range s.sequences {
		n += min(max(0, s.count-q.next), int64(limit))
	}
	return int(min(n, int64(limit)))
}

// Read implements operator.Source: it emits at most one batch.
func (s *source) Read(_ context.Context, out operator.Emitter) (operator.Status, error) {
	want := s.left(s.env.BatchRows)
	if want == 0 {
		return operator.Done, nil
	}
	n, now := s.pacer.Take(want)
	if n > 0 {
		if err := s.fill(n, now.UnixNano()); err != nil {
			return operator.Ready, err
		}
		if err := out.Emit(&s.batch); err != nil {
			return operator.Ready, err
		}
		if want = s.left(s.env.BatchRows); want == 0 {
			return operator.Done, nil
		}
	}
	return s.pacer.Rest(want), nil
}

func (s *source) fill(n int, now int64) error {
	s.counter.Resize(n)
	s.subtask.Resize(n)
	if cap(s.batch.Time) < n {
		s.batch.Time = make([]int64, n)
	}
	s.batch.Time = s.batch.Time[:n]
	s.batch.N = n
	if len(s.sequences) == 1 {
		return s.fillFrom(&s.sequences[0], 0, n, now)
	}
	for i := range n {
		if err := s.fillFrom(s.earliest(), i, i+1, now); err != nil {
			return err
		}
	}
	return nil
}

// earliest is the sequence whose next row has the lowest event time, so that sequences which share a subtask do not make
// each other's rows late.
func (s *source) earliest() *sequence {
	var best *sequence
	for i := range s.sequences {
		q := &s.sequences[i]
		if s.count >= 0 && q.next >= s.count {
			continue
		}
		if best == nil || s.sortTime(q) < s.sortTime(best) {
			best = q
		}
	}
	return best
}

func (s *source) sortTime(q *sequence) int64 {
	if s.interval < 0 {
		return q.next
	}
	return q.start + s.interval*q.next
}

// fillFrom makes rows from to to-1 of the batch the next ones of q.
func (s *source) fillFrom(q *sequence, from, to int, now int64) error {
	counters, subtasks, times := s.counter.Values[from:to], s.subtask.Values[from:to], s.batch.Time[from:to]
	step, t := int64(0), now
	if s.interval > 0 {
		last := q.next + int64(to-from)
		if last > (math.MaxInt64-q.start)/s.interval {
			return fault.Userf(fault.CodeOverflow, fault.Span{}, "impulse: the event time of row %d is out of range", last).
				WithHint("choose a smaller event_time_interval (nanoseconds)")
		}
	}
	if s.interval >= 0 {
		step, t = s.interval, q.start+s.interval*q.next
	}
	c, index := uint64(q.next), uint64(q.index)
	for i := range counters {
		counters[i] = c + uint64(i)
		subtasks[i] = index
		times[i] = t
		t += step
	}
	q.next += int64(to - from)
	return nil
}

// Snapshot implements operator.Source.
func (s *source) Snapshot(w state.Writer) error {
	for _, q := range s.sequences {
		value := binary.LittleEndian.AppendUint64(nil, uint64(q.next))
		value = binary.LittleEndian.AppendUint64(value, uint64(q.start))
		value = binary.LittleEndian.AppendUint64(value, uint64(s.total))
		w.Global(table, strconv.AppendInt(nil, q.index, 10), value)
	}
	return nil
}

// Close implements operator.Source.
func (s *source) Close() error {
	s.pacer.Close()
	return nil
}
