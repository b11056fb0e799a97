package statetest_test

import (
	"testing"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
	"wadi/dataflow/state/statetest"
)

func chunk(time int64, hashes ...uint64) *state.Chunk {
	c := &state.Chunk{Hash: hashes}
	for range hashes {
		c.Time = append(c.Time, time)
	}
	return c
}

func hashes(t *testing.T, s *statetest.Store, keys column.KeyRange) map[uint64]int {
	t.Helper()
	got := map[uint64]int{}
	err := s.Reader().Keyed("t", keys, func(c *state.Chunk) error {
		for _, h := range c.Hash {
			got[h]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func complete(t *testing.T, s *statetest.Store) {
	t.Helper()
	if err := s.Complete(); err != nil {
		t.Fatal(err)
	}
}

func TestBasesReplaceTheirKeysOnly(t *testing.T) {
	var s statetest.Store
	s.Writer(column.AllKeys).Keyed("t", true, chunk(5, 1, 1<<63))
	complete(t, &s)
	s.Writer(column.Range(0, 2)).Keyed("t", true, chunk(6, 2))
	complete(t, &s)
	got := hashes(t, &s, column.AllKeys)
	if len(got) != 2 || got[2] != 1 || got[1<<63] != 1 {
		t.Errorf("rows are %v", got)
	}
	if got := hashes(t, &s, column.Range(1, 2)); len(got) != 1 || got[1<<63] != 1 {
		t.Errorf("rows of the upper half are %v", got)
	}
}

func TestExpireDropsWholeFiles(t *testing.T) {
	var s statetest.Store
	s.Writer(column.AllKeys).Keyed("t", true, chunk(5, 1))
	complete(t, &s)
	w := s.Writer(column.AllKeys)
	w.Keyed("t", false, chunk(8, 2))
	w.Expire("t", 6)
	complete(t, &s)
	if got := hashes(t, &s, column.AllKeys); len(got) != 1 || got[2] != 1 {
		t.Errorf("rows are %v", got)
	}
}

func TestACrashForgetsWhatIsNotComplete(t *testing.T) {
	var s statetest.Store
	w := s.Writer(column.AllKeys)
	w.Global("g", []byte("k"), []byte("old"))
	w.Watermark(7)
	complete(t, &s)
	s.Writer(column.AllKeys).Global("g", []byte("k"), []byte("new"))
	s.Discard()
	var got string
	err := s.Reader().Global("g", func(_, v []byte) error { got += string(v); return nil })
	if at, ok := s.Reader().Watermark(); err != nil || got != "old" || at != 7 || !ok {
		t.Errorf("entry %q, watermark %d, %v", got, at, err)
	}
}
