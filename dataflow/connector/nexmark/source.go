package nexmark

import (
	"context"
	"time"

	"wadi/dataflow/connector"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

type source struct {
	env       operator.Env
	pacer     *connector.Pacer
	sequences []sequence
	rows      *rows
}

func newSource(c connector.SourceConfig) (operator.Source, error) {
	set, err := readSettings(c.Spec.Options)
	if err != nil {
		return nil, err
	}
	s := &source{env: c.Env}
	var total int64
	if s.sequences, total, err = restore(c.Env, set); err != nil {
		return nil, err
	}
	schema := c.Spec.Schema
	if schema == nil {
		schema = Schema()
	}
	if s.rows, err = newRows(schema, c.Spec.Needed, c.Env.BatchRows); err != nil {
		return nil, err
	}
	interval := 0.0
	if set.paced && len(s.sequences) > 0 {
		interval = 1e9 / (set.rate * float64(len(s.sequences)) / float64(total))
	}
	s.pacer = connector.NewPacer(c.Env, interval)
	return s, nil
}

// left is how many events all sequences of this subtask still have, at most a batch.
func (s *source) left() int {
	n := int64(0)
	for i := range s.sequences {
		n = min(n+s.sequences[i].left(), int64(s.env.BatchRows))
	}
	return int(n)
}

// Read implements operator.Source: it emits at most as many rows as one batch has.
func (s *source) Read(_ context.Context, out operator.Emitter) (operator.Status, error) {
	want := s.left()
	if want == 0 {
		return operator.Done, nil
	}
	n, _ := s.pacer.Take(want)
	for n > 0 {
		q, m := s.turn(n)
		if err := out.Emit(s.rows.fill(q, m)); err != nil {
			return operator.Ready, err
		}
		n -= m
	}
	if want = s.left(); want == 0 {
		return operator.Done, nil
	}
	return s.pacer.Rest(want), nil
}

// maxLead bounds how far one sequence of a subtask may be ahead of the others in event time, so that they do not make
// each other's events late.
const maxLead = int64(250 * time.Millisecond)

// turn gives the sequence that is behind and how many of n events it may generate, at least 1.
func (s *source) turn(n int) (*sequence, int) {
	var q, second *sequence
	for i := range s.sequences {
		c := &s.sequences[i]
		switch {
		case c.left() == 0:
		case q == nil || c.time() < q.time():
			q, second = c, q
		case second == nil || c.time() < second.time():
			second = c
		}
	}
	m := min(int64(n), q.left())
	if second != nil {
		m = min(m, max(1, (second.time()-q.time()+maxLead)/q.delay))
	}
	return q, int(m)
}

// Snapshot implements operator.Source.
func (s *source) Snapshot(w state.Writer) error {
	for i := range s.sequences {
		s.sequences[i].save(w)
	}
	return nil
}

// Close implements operator.Source.
func (s *source) Close() error {
	s.pacer.Close()
	return nil
}
