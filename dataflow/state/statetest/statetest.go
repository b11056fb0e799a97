// Package statetest keeps checkpoints in memory, for tests of operators and sources.
//
// A Store stands for the storage of one operator. At a checkpoint every subtask gets a Writer and hands its state over;
// Complete makes the checkpoint durable; Reader gives it back to subtasks of any parallelism. Keyed state goes through
// the codec of files, so that a test also proves that it survives there. A Store belongs to one goroutine.
package statetest

import (
	"bytes"
	"math"
	"slices"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
	"wadi/dataflow/state/codec"
)

// Store is the checkpoints of one operator; the zero value is empty and ready to use.
type Store struct {
	epoch   uint64
	pending []*Writer
	global  map[string]map[string][]byte
	files   []*file
	marks   []int64
	commits [][]byte
}

// file is one file of a keyed table. Its rows count for the hashes in keys that are in none of gone, which later bases
// replaced.
type file struct {
	table string
	data  []byte
	stats codec.Stats
	keys  column.KeyRange
	gone  []column.KeyRange
}

// Writer implements state.Writer for one subtask at one checkpoint.
type Writer struct {
	epoch   uint64
	keys    column.KeyRange
	global  map[string]map[string][]byte
	keyed   map[string]*keyed
	order   []string
	expire  map[string]int64
	commits [][]byte
	mark    *int64
}

type keyed struct {
	base   bool
	chunks []*state.Chunk
}

// Writer gives a writer for a subtask that owns these keys.
func (s *Store) Writer(keys column.KeyRange) *Writer {
	w := &Writer{
		epoch: s.epoch + 1, keys: keys,
		global: map[string]map[string][]byte{}, keyed: map[string]*keyed{}, expire: map[string]int64{},
	}
	s.pending = append(s.pending, w)
	return w
}

// Epoch implements state.Writer.
func (w *Writer) Epoch() uint64 { return w.epoch }

// Global implements state.Writer.
func (w *Writer) Global(table string, key, value []byte) {
	if w.global[table] == nil {
		w.global[table] = map[string][]byte{}
	}
	w.global[table][string(key)] = slices.Clone(value)
}

// Keyed implements state.Writer.
func (w *Writer) Keyed(table string, base bool, c *state.Chunk) {
	k := w.keyed[table]
	if k == nil {
		k = &keyed{base: base}
		w.keyed[table] = k
		w.order = append(w.order, table)
	}
	if k.base != base {
		panic("statetest: chunks of one table are partly base and partly not")
	}
	k.chunks = append(k.chunks, c)
}

// Expire implements state.Writer.
func (w *Writer) Expire(table string, t int64) { w.expire[table] = t }

// Commit implements state.Writer.
func (w *Writer) Commit(data []byte) { w.commits = append(w.commits, slices.Clone(data)) }

// Watermark notes the subtask's watermark at the checkpoint.
func (w *Writer) Watermark(t int64) { w.mark = &t }

// Complete makes a checkpoint of what the writers since the last one were given. Global entries replace those of the
// checkpoint before; keyed tables keep theirs but for what a base replaces and for what has expired.
func (s *Store) Complete() error {
	s.epoch++
	s.global, s.marks, s.commits = map[string]map[string][]byte{}, nil, nil
	expire := map[string]int64{}
	for _, w := range s.pending {
		for table, entries := range w.global {
			if s.global[table] == nil {
				s.global[table] = map[string][]byte{}
			}
			for k, v := range entries {
				s.global[table][k] = v
			}
		}
		for _, table := range w.order {
			if err := s.write(w, table); err != nil {
				return err
			}
		}
		for table, t := range w.expire {
			if old, ok := expire[table]; !ok || t < old {
				expire[table] = t
			}
		}
		if w.mark != nil {
			s.marks = append(s.marks, *w.mark)
		}
		s.commits = append(s.commits, w.commits...)
	}
	s.pending = nil
	s.files = slices.DeleteFunc(s.files, func(f *file) bool {
		t, ok := expire[f.table]
		return ok && f.stats.Rows > 0 && f.stats.MaxTime < t
	})
	return nil
}

// Discard forgets what the writers since the last Complete were given, as a crash does.
func (s *Store) Discard() { s.pending = nil }

func (s *Store) write(w *Writer, table string) error {
	k := w.keyed[table]
	if k.base {
		for _, f := range s.files {
			if f.table == table && f.keys.Overlaps(w.keys) {
				f.gone = append(f.gone, w.keys)
			}
		}
	}
	var data bytes.Buffer
	stats, err := codec.EncodeChunk(&data, k.chunks)
	if err != nil {
		return err
	}
	s.files = append(s.files, &file{table: table, data: data.Bytes(), stats: stats, keys: w.keys})
	return nil
}

// Rows is the number of rows in the files of a keyed table, replaced ones included: what checkpoints have cost.
func (s *Store) Rows(table string) int {
	n := 0
	for _, f := range s.files {
		if f.table == table {
			n += f.stats.Rows
		}
	}
	return n
}

// Commits is what the last completed checkpoint asks to commit.
func (s *Store) Commits() [][]byte { return s.commits }

// Reader gives the last completed checkpoint.
func (s *Store) Reader() *Reader { return &Reader{s} }

// Reader implements state.Reader.
type Reader struct{ s *Store }

// Watermark implements state.Reader: the least of the subtasks' watermarks.
func (r *Reader) Watermark() (int64, bool) {
	if len(r.s.marks) == 0 {
		return math.MinInt64, false
	}
	return slices.Min(r.s.marks), true
}

// Global implements state.Reader, in the order of the keys.
func (r *Reader) Global(table string, f func(key, value []byte) error) error {
	entries := r.s.global[table]
	keys := make([]string, 0, len(entries))
	for k := range entries {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := f([]byte(k), entries[k]); err != nil {
			return err
		}
	}
	return nil
}

// Keyed implements state.Reader.
func (r *Reader) Keyed(table string, keys column.KeyRange, f func(c *state.Chunk) error) error {
	for _, file := range r.s.files {
		if file.table != table {
			continue
		}
		for _, part := range file.parts(keys) {
			if err := codec.DecodeChunks(file.data, part, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// parts is the ranges of keys for which the file's rows still count.
func (f *file) parts(keys column.KeyRange) []column.KeyRange {
	parts := []column.KeyRange{keys}
	for _, g := range f.gone {
		var left []column.KeyRange
		for _, p := range parts {
			if !p.Overlaps(g) {
				left = append(left, p)
				continue
			}
			if p.First < g.First {
				left = append(left, column.KeyRange{First: p.First, Last: g.First - 1})
			}
			if p.Last > g.Last {
				left = append(left, column.KeyRange{First: g.Last + 1, Last: p.Last})
			}
		}
		parts = left
	}
	return parts
}
