package engine

import (
	"bytes"
	"context"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
	"wadi/dataflow/state/codec"
)

// Snapshot is what one operator at one subtask has put into a checkpoint; its files are durable.
type Snapshot struct {
	Subtask Subtask
	Epoch   uint64
	// Watermark is set if the operator had one.
	Watermark *int64
	Tables    []Table
	// Commit is the data of a two-phase sink's pre-commit.
	Commit [][]byte
	// StartMicros and FinishMicros bound the synchronous part and the upload; Bytes is the size of all files.
	StartMicros, FinishMicros, Bytes int64
}

// Table is a table of a snapshot, or of a restored operator.
type Table struct {
	Name string
	// Global tables are read whole by every subtask; the others are keyed.
	Global bool
	// Base says that Files replace everything that this subtask's key range held before.
	Base bool
	// ExpireBelow permits to drop files without rows at or above this event time.
	ExpireBelow *int64
	Files       []File
}

// File is a checkpoint file.
type File struct {
	Ref     string
	Epoch   uint64
	Subtask int
	// Base as in Table; then Keys is the whole key range that the file stands for, else what its rows span.
	Base             bool
	Keys             column.KeyRange
	MinTime, MaxTime int64
	Rows, Bytes      int64
	CRC32C           uint32
}

// FileName says what a file is for; a Store makes a unique path from it.
type FileName struct {
	Epoch    uint64
	Operator string
	Table    string
	Subtask  int
}

// Store keeps checkpoint files. Its methods may block and are called from several goroutines.
type Store interface {
	// Write stores data durably and gives its reference and checksum.
	Write(ctx context.Context, name FileName, data []byte) (ref string, crc32c uint32, err error)
	// Read gives back what Write stored, verified.
	Read(ctx context.Context, f File) ([]byte, error)
}

// snapshotWriter collects one operator's state at a barrier.
type snapshotWriter struct {
	barrier Barrier
	started int64
	global  map[string]*state.Chunk
	keyed   map[string]*keyedTable
	order   []string // table names as they came, so that files are written in one order
	expire  map[string]int64
	commits [][]byte
}

type keyedTable struct {
	base   bool
	chunks []*state.Chunk
}

func newSnapshotWriter(b Barrier) *snapshotWriter {
	return &snapshotWriter{barrier: b, global: map[string]*state.Chunk{}, keyed: map[string]*keyedTable{}, expire: map[string]int64{}}
}

// Epoch implements state.Writer.
func (w *snapshotWriter) Epoch() uint64 { return w.barrier.Epoch }

// Global implements state.Writer.
func (w *snapshotWriter) Global(table string, key, value []byte) {
	c := w.global[table]
	if c == nil {
		c = globalChunk()
		w.global[table] = c
		w.order = append(w.order, table)
	}
	c.Hash = append(c.Hash, 0)
	c.Time = append(c.Time, 0)
	c.Bytes[0].Append(key)
	c.Bytes[1].Append(value)
}

// Keyed implements state.Writer.
func (w *snapshotWriter) Keyed(table string, base bool, c *state.Chunk) {
	t := w.keyed[table]
	if t == nil {
		t = &keyedTable{base: base}
		w.keyed[table] = t
		w.order = append(w.order, table)
	}
	t.chunks = append(t.chunks, c)
}

// Expire implements state.Writer.
func (w *snapshotWriter) Expire(table string, t int64) { w.expire[table] = t }

// Commit implements state.Writer.
func (w *snapshotWriter) Commit(data []byte) { w.commits = append(w.commits, data) }

// snapshotted takes a finished synchronous part; encoding and upload run on the engine's pool.
func (e *Engine) snapshotted(i *instance, w *snapshotWriter) {
	e.config.Listener.CheckpointSynced(i.id(), w.barrier.Epoch)
	w.started = e.config.Clock.Now().UnixMicro()
	s := Snapshot{Subtask: i.id(), Epoch: w.barrier.Epoch, StartMicros: w.started, Commit: w.commits}
	if i.hasReached {
		r := i.reached
		s.Watermark = &r
	}
	keys := i.keys
	if e.config.Synchronous {
		e.upload(e.ctx, s, w, keys)
		return
	}
	e.uploads.Go(func() error {
		e.upload(e.ctx, s, w, keys)
		return nil
	})
}

func (e *Engine) upload(ctx context.Context, s Snapshot, w *snapshotWriter, keys column.KeyRange) {
	for _, name := range w.order {
		t, err := e.writeTable(ctx, s, name, w, keys)
		if err != nil {
			e.fail(s.Subtask, err)
			return
		}
		for _, f := range t.Files {
			s.Bytes += f.Bytes
		}
		s.Tables = append(s.Tables, t)
	}
	for name, below := range w.expire {
		if _, written := w.keyed[name]; !written {
			s.Tables = append(s.Tables, Table{Name: name, ExpireBelow: &below})
		}
	}
	s.FinishMicros = e.config.Clock.Now().UnixMicro()
	e.config.Listener.CheckpointCompleted(s)
}

func (e *Engine) writeTable(ctx context.Context, s Snapshot, name string, w *snapshotWriter, keys column.KeyRange) (Table, error) {
	t := Table{Name: name}
	var chunks []*state.Chunk
	if g := w.global[name]; g != nil {
		t.Global = true
		chunks = []*state.Chunk{g}
	} else {
		t.Base = w.keyed[name].base
		chunks = w.keyed[name].chunks
		if below, ok := w.expire[name]; ok {
			t.ExpireBelow = &below
		}
	}
	var buf bytes.Buffer
	stats, err := codec.EncodeChunk(&buf, chunks)
	if err != nil {
		return t, err
	}
	if stats.Rows == 0 && !t.Base {
		return t, nil
	}
	f := File{
		Epoch: s.Epoch, Subtask: s.Subtask.Index, Base: t.Base, Keys: stats.Hash,
		MinTime: stats.MinTime, MaxTime: stats.MaxTime, Rows: int64(stats.Rows), Bytes: int64(buf.Len()),
	}
	if t.Base {
		f.Keys = keys
	}
	f.Ref, f.CRC32C, err = e.config.Store.Write(ctx, FileName{s.Epoch, s.Subtask.Operator, name, s.Subtask.Index}, buf.Bytes())
	t.Files = []File{f}
	return t, err
}
