package engine

import (
	"context"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
	"wadi/dataflow/state/codec"
)

// OperatorState is what a checkpoint holds of one operator.
type OperatorState struct {
	// Watermark is the least over the subtasks; nil if any had none.
	Watermark *int64
	Tables    []Table
}

func globalChunk() *state.Chunk {
	return &state.Chunk{Bytes: []*column.Bytes{
		column.NewBytes(arrow.BinaryTypes.Binary), column.NewBytes(arrow.BinaryTypes.Binary),
	}}
}

// stateReader implements state.Reader over checkpoint files.
type stateReader struct {
	ctx   context.Context
	store Store
	state OperatorState
}

// Watermark implements state.Reader.
func (r *stateReader) Watermark() (int64, bool) {
	if r.state.Watermark == nil {
		return 0, false
	}
	return *r.state.Watermark, true
}

func (r *stateReader) files(table string) []File {
	for _, t := range r.state.Tables {
		if t.Name == table {
			return t.Files
		}
	}
	return nil
}

// Global implements state.Reader.
func (r *stateReader) Global(table string, f func(key, value []byte) error) error {
	for _, file := range r.files(table) {
		data, err := r.store.Read(r.ctx, file)
		if err != nil {
			return err
		}
		err = codec.DecodeChunks(data, column.AllKeys, func(c *state.Chunk) error {
			if len(c.Bytes) != 2 {
				return fault.Internalf("global state table %s has %d byte columns", table, len(c.Bytes))
			}
			for i := range c.Rows() {
				if err := f(c.Bytes[0].At(i), c.Bytes[1].At(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Keyed implements state.Reader. A base file stands for the whole of its key range at its epoch, so rows of older files in
// that range no longer count.
func (r *stateReader) Keyed(table string, keys column.KeyRange, f func(c *state.Chunk) error) error {
	files := append([]File(nil), r.files(table)...)
	sort.SliceStable(files, func(i, j int) bool { return files[i].Epoch < files[j].Epoch })
	for i, file := range files {
		if !file.Keys.Overlaps(keys) {
			continue
		}
		var newer []column.KeyRange
		for _, later := range files[i+1:] {
			if later.Base && later.Epoch > file.Epoch && later.Keys.Overlaps(file.Keys) {
				newer = append(newer, later.Keys)
			}
		}
		if covered(file.Keys, newer) {
			continue
		}
		data, err := r.store.Read(r.ctx, file)
		if err != nil {
			return err
		}
		err = codec.DecodeChunks(data, keys, func(c *state.Chunk) error {
			c = without(c, newer)
			if c.Rows() == 0 {
				return nil
			}
			return f(c)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// covered reports whether one of the ranges holds all of k.
func covered(k column.KeyRange, by []column.KeyRange) bool {
	for _, b := range by {
		if b.First <= k.First && k.Last <= b.Last {
			return true
		}
	}
	return false
}

// without gives the rows of c outside all ranges.
func without(c *state.Chunk, ranges []column.KeyRange) *state.Chunk {
	if len(ranges) == 0 {
		return c
	}
	var keep []int32
	for i, h := range c.Hash {
		in := false
		for _, r := range ranges {
			in = in || r.Contains(h)
		}
		if !in {
			keep = append(keep, int32(i))
		}
	}
	if len(keep) == c.Rows() {
		return c
	}
	out := &state.Chunk{}
	for _, i := range keep {
		out.Hash = append(out.Hash, c.Hash[i])
		out.Time = append(out.Time, c.Time[i])
		if c.Deleted != nil {
			out.Deleted = append(out.Deleted, c.Deleted[i])
		}
	}
	for _, w := range c.Words {
		col := make([]int64, len(keep))
		for k, i := range keep {
			col[k] = w[i]
		}
		out.Words = append(out.Words, col)
	}
	for _, b := range c.Bytes {
		col := column.NewBytes(b.DataType)
		col.AppendSel(b, keep)
		out.Bytes = append(out.Bytes, col)
	}
	return out
}
