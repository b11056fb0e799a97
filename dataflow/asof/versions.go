package asof

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// versions keeps the current right row of each key, in the words of the key itself, so that whoever looks for a key finds its
// row in the same line of the cache. A newer row overwrites an older one, and a snapshot holds the keys that have changed.
type versions struct {
	table *state.Table
	// saved is the layout of what is saved of a key: all words but the last ones.
	saved  *state.Layout
	inc    state.Incremental
	record *ordered.Record
}

// Words of a key, in front of the record of its row: what is known of the row, and its time.
const (
	flagsWord = iota
	timeWord
	headWords
)

// Flags of a key: there is a row, it is the end of the one before, and it is noted somewhere when the row is of no use any
// more. Above them is, while rows that are due are looked through, the last of them plus one.
const (
	present = 1 << iota
	ended
	noted
	latestShift = iota
	flagMask    = present | ended | noted
)

// newVersions makes an empty store for right rows of this schema and keys of these fields.
func newVersions(schema *arrow.Schema, keys []arrow.Field) *versions {
	v := &versions{record: ordered.NewRecord(schema, nil, nil)}
	v.saved = state.NewLayout(keys, headWords+v.record.Flags+1)
	n := headWords + v.record.Size
	v.table = state.NewTable(state.NewLayout(keys, n))
	if _, stride := v.table.Values(); stride < 8 { // a row in two lines would take as long as two
		for 8%stride != 0 {
			stride++
			n++
		}
		v.table = state.NewTable(state.NewLayout(keys, n))
	}
	v.table.Track()
	return v
}

// records has the record of each key, at its slot times stride.
func (v *versions) records() (words []int64, stride int) {
	words, stride = v.table.Values()
	return words[min(headWords, len(words)):], stride
}

// put overwrites the columns of the keys in these slots with those of rows of a batch.
func (v *versions) put(slots []int32, b *column.Batch, rows []int32) {
	words, stride := v.records()
	if v.record.HasNulls {
		for _, s := range slots {
			words[int(s)*stride+v.record.Flags] = 0
		}
	}
	v.record.Put(words, stride, slots, b, rows)
	v.record.Tidy(ordered.Records{Words: words, Stride: stride})
	v.table.MarkDirty(slots)
}

// gather appends the rows of the keys in these slots to one appender per column of the schema.
func (v *versions) gather(slots []int32, dst []column.Appender) {
	words, stride := v.records()
	v.record.Append(words, stride, slots, dst)
}

// delete forgets a key.
func (v *versions) delete(slot int32) {
	words, stride := v.records()
	v.record.Free(words[int(slot)*stride:])
	v.table.Delete(slot)
}

// save writes the keys that have changed, or all, to a keyed table without times.
func (v *versions) save(w state.Writer, table string) {
	c, slots, base := v.table.TakeChanges(v.saved, v.record.Extra(), &v.inc)
	if v.record.Loose > 0 {
		words, stride := v.records()
		v.record.AppendLoose(words, stride, slots, c.Bytes[v.saved.ExtraBytes()])
	}
	if base || c.Rows() > 0 {
		w.Keyed(table, base, c)
	}
}

// load reads back what save has written of the keys whose hashes lie in keys.
func (v *versions) load(r state.Reader, table string, keys column.KeyRange) error {
	return r.Keyed(table, keys, func(c *state.Chunk) error {
		if err := v.saved.CheckChunk(c, v.record.Extra()); err != nil {
			return err
		}
		for i := range c.Rows() {
			if old := v.table.Seek(c, i); old >= 0 { // from an earlier checkpoint
				v.delete(old)
			}
			if c.Deleted != nil && c.Deleted[i] {
				continue
			}
			slot, err := v.table.Put(c, i)
			if err != nil {
				return err
			}
			words, stride := v.table.Values()
			w := words[int(slot)*stride:]
			w[flagsWord] &= present | ended
			if v.record.Loose > 0 {
				if err := v.record.TakeLoose(w[headWords:], c.Bytes[v.saved.ExtraBytes()].At(i)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (v *versions) size() int64 { return v.table.Size() + v.record.Memory() }
