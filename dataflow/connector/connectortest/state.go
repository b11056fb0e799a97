package connectortest

import (
	"sort"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// State is the global state of one operator at one checkpoint, in memory. It is the Writer of all subtasks and the
// Reader of a restore.
type State struct {
	tables map[string]map[string]string
}

// NewState gives an empty state.
func NewState() *State { return &State{tables: map[string]map[string]string{}} }

// Epoch implements state.Writer.
func (s *State) Epoch() uint64 { return 1 }

// Global implements state.Writer; a key that is written twice is a broken invariant.
func (s *State) Global(table string, key, value []byte) {
	t := s.tables[table]
	if t == nil {
		t = map[string]string{}
		s.tables[table] = t
	}
	if _, twice := t[string(key)]; twice {
		panic("connectortest: key written twice: " + string(key))
	}
	t[string(key)] = string(value)
}

// Keyed implements state.Writer and is not meant to be called.
func (s *State) Keyed(string, bool, *state.Chunk) { panic("connectortest: keyed state of a connector") }

// Expire implements state.Writer.
func (s *State) Expire(string, int64) {}

// Commit implements state.Writer.
func (s *State) Commit([]byte) {}

// Reader gives the state to a subtask.
func (s *State) Reader() state.Reader { return reader{s} }

// Keys lists the keys of a table, sorted.
func (s *State) Keys(table string) []string {
	var keys []string
	for k := range s.tables[table] {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

type reader struct{ s *State }

func (r reader) Watermark() (int64, bool) { return 0, false }

func (r reader) Global(table string, f func(key, value []byte) error) error {
	for _, k := range r.s.Keys(table) {
		if err := f([]byte(k), []byte(r.s.tables[table][k])); err != nil {
			return err
		}
	}
	return nil
}

func (r reader) Keyed(string, column.KeyRange, func(*state.Chunk) error) error { return nil }
