package over

import (
	"wadi/dataflow/column"
)

// input is what is computed of each batch that comes in.
type input struct {
	keys     []column.Vector
	hashes   []uint64
	prefixes []uint64
	all      []int32
	// slots are those of the rows' partitions, where the operator wants them.
	slots []int32
}

// take computes the hashes of the keys and the prefixes of the order, and gives the rows that count.
func (in *input) take(e *evaluator, b *column.Batch) []int32 {
	for i, k := range e.spec.Keys {
		in.keys[i] = b.Cols[k]
	}
	in.hashes = column.HashColumns(in.hashes, in.keys, b.N, b.Sel)
	rows := b.Sel
	if rows == nil {
		in.all = column.AllRows(in.all, b.N)
		rows = in.all
	}
	in.prefixes = e.rows.Key().Prefixes(in.prefixes, b, rows)
	return rows
}

// finder finds the partitions of rows that are kept.
type finder struct {
	e      *evaluator
	batch  *column.Builder
	cols   []column.Appender
	keys   []column.Vector
	hashes []uint64
	slots  []int32
}

func newFinder(e *evaluator) finder {
	f := finder{e: e, batch: column.NewBuilder(e.in, false), keys: make([]column.Vector, len(e.spec.Keys))}
	for i := range e.in.NumFields() {
		f.cols = append(f.cols, f.batch.Column(i))
	}
	return f
}

// find calls f with the slot of each row's partition, which it makes where it is new.
func (f *finder) find(ids []int32, each func(slot, id int32)) {
	for len(ids) > 0 {
		n := min(len(ids), maxRows)
		f.batch.Reset()
		f.hashes = f.hashes[:0]
		for _, id := range ids[:n] {
			f.e.rows.Append(id, f.cols)
			f.hashes = append(f.hashes, f.e.rows.Hash(id))
		}
		for i, k := range f.e.spec.Keys {
			f.keys[i] = f.cols[k]
		}
		f.slots = f.e.partitions.FindOrInsert(f.hashes, f.keys, n, nil, f.slots)
		for i, id := range ids[:n] {
			each(f.slots[i], id)
		}
		ids = ids[n:]
	}
}
