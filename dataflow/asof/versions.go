package asof

import (
	"encoding/binary"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// versions keeps the current right row of each key, in the words of the key itself, so that whoever looks for a key finds its
// row in the same line of the cache. Columns of varying width are encoded elsewhere. A newer row overwrites an older one, and
// a snapshot holds the keys that have changed.
type versions struct {
	table  *state.Table
	layout *state.Layout
	inc    state.Incremental
	// cells are the columns that lie in words, nil for the others. blob is the first of two words with the place and the size
	// of the others, −1 if there are none.
	cells []cell
	blob  int
	// arena holds the other columns, each row's behind its size; garbage counts what nothing refers to any more.
	arena   []byte
	garbage int
	buf     []byte
	slots   []int32
}

// Words of a key: what is known of its row, the row's time, and behind them a bit per column that is null, then the columns.
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
	v := &versions{blob: -1, cells: make([]cell, schema.NumFields())}
	at := headWords + column.Words(schema.NumFields())
	for i, f := range schema.Fields() {
		var words int
		if v.cells[i], words = newCell(f.Type, at); v.cells[i] == nil && v.blob < 0 {
			v.blob, words = at, 2
		}
		at += words
	}
	v.layout = state.NewLayout(keys, at)
	v.table = state.NewTable(v.layout)
	if _, stride := v.table.Values(); stride < 8 { // a row in two lines would take as long as two
		for 8%stride != 0 {
			stride++
			at++
		}
		v.layout = state.NewLayout(keys, at)
		v.table = state.NewTable(v.layout)
	}
	v.table.Track()
	return v
}

// cell is where a column's values lie.
type cell interface {
	put(words []int64, stride int, slots []int32, src column.Vector, rows []int32)
	gather(words []int64, stride int, slots []int32, dst column.Appender, null null)
}

// null is where the bit of a column is that says that it is null.
type null struct {
	word int
	bit  int64
}

func nullOf(column int) null { return null{headWords + column/64, 1 << (column % 64)} }

// mark clears the bits of those of the last rows that are null.
func (n null) mark(words []int64, stride int, slots []int32, valid column.Bitmap, rows int) column.Bitmap {
	for i, s := range slots {
		if words[int(s)*stride+n.word]&n.bit == 0 {
			continue
		}
		if valid == nil {
			valid = column.NewBitmap(rows, false)
			valid.SetRange(0, rows)
		}
		valid.Clear(rows - len(slots) + i)
	}
	return valid
}

func newCell(dt arrow.DataType, at int) (cell, int) {
	switch column.NewAppender(dt).(type) {
	case *column.Fixed[int64]:
		return fixed[int64]{at}, 1
	case *column.Fixed[int32]:
		return fixed[int32]{at}, 1
	case *column.Fixed[int16]:
		return fixed[int16]{at}, 1
	case *column.Fixed[int8]:
		return fixed[int8]{at}, 1
	case *column.Fixed[uint64]:
		return fixed[uint64]{at}, 1
	case *column.Fixed[uint32]:
		return fixed[uint32]{at}, 1
	case *column.Fixed[uint16]:
		return fixed[uint16]{at}, 1
	case *column.Fixed[uint8]:
		return fixed[uint8]{at}, 1
	case *column.Fixed[float64]:
		return fixed[float64]{at}, 1
	case *column.Fixed[float32]:
		return fixed[float32]{at}, 1
	case *column.Fixed[decimal128.Num]:
		return fixed[decimal128.Num]{at}, 2
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		return fixed[arrow.MonthDayNanoInterval]{at}, 2
	case *column.Bool:
		return boolean{at}, 1
	}
	return nil, 0
}

// fixed is a cell of one or two words, of which a value takes the first bytes.
type fixed[T column.Value] struct{ at int }

func (f fixed[T]) put(words []int64, stride int, slots []int32, src column.Vector, rows []int32) {
	vals := src.(*column.Fixed[T]).Values
	rows = rows[:len(slots)]
	for i, s := range slots {
		*(*T)(unsafe.Pointer(&words[int(s)*stride+f.at])) = vals[rows[i]]
	}
}

func (f fixed[T]) gather(words []int64, stride int, slots []int32, dst column.Appender, null null) {
	d := dst.(*column.Fixed[T])
	out := d.Extend(len(slots))
	for i, s := range slots {
		out[i] = *(*T)(unsafe.Pointer(&words[int(s)*stride+f.at]))
	}
	d.Valid = null.mark(words, stride, slots, d.Valid, d.Len())
}

type boolean struct{ at int }

func (f boolean) put(words []int64, stride int, slots []int32, src column.Vector, rows []int32) {
	bits := src.(*column.Bool).Bits
	for i, s := range slots {
		words[int(s)*stride+f.at] = 0
		if bits.Get(int(rows[i])) {
			words[int(s)*stride+f.at] = 1
		}
	}
}

func (f boolean) gather(words []int64, stride int, slots []int32, dst column.Appender, null null) {
	d := dst.(*column.Bool)
	for _, s := range slots {
		d.Append(words[int(s)*stride+f.at] != 0)
	}
	d.Valid = null.mark(words, stride, slots, d.Valid, d.Len())
}

// put overwrites the columns of the keys in these slots with those of rows of a batch.
func (v *versions) put(slots []int32, b *column.Batch, rows []int32) {
	words, stride := v.table.Values()
	for i, c := range v.cells {
		if c == nil {
			continue
		}
		c.put(words, stride, slots, b.Cols[i], rows)
		null, valid := nullOf(i), b.Cols[i].Validity()
		for k, s := range slots {
			w := &words[int(s)*stride+null.word]
			if *w &^= null.bit; valid != nil && !valid.Get(int(rows[k])) {
				*w |= null.bit
			}
		}
	}
	if v.blob >= 0 {
		for k, s := range slots {
			v.buf = v.buf[:0]
			for i, c := range v.cells {
				if c == nil {
					v.buf = state.AppendValue(v.buf, b.Cols[i], int(rows[k]))
				}
			}
			v.store(words[int(s)*stride+v.blob:], v.buf)
		}
	}
	v.table.MarkDirty(slots)
}

// store writes bytes to the place in the arena that w, the two words of a key, leads to if there is room, else to a new one.
func (v *versions) store(w []int64, p []byte) {
	need := int64(sizeBytes + len(p))
	if w[1] < need {
		v.garbage += int(w[1])
		w[0], w[1] = int64(len(v.arena)), need
		v.arena = append(v.arena, make([]byte, need)...)
	}
	binary.LittleEndian.PutUint32(v.arena[w[0]:], uint32(len(p)))
	copy(v.arena[w[0]+sizeBytes:], p)
}

const sizeBytes = 4

// bytes are the encoded columns of a key.
func (v *versions) bytes(words []int64, stride int, slot int32) []byte {
	at := words[int(slot)*stride+v.blob]
	n := int64(binary.LittleEndian.Uint32(v.arena[at:]))
	return v.arena[at+sizeBytes : at+sizeBytes+n]
}

// tidy rewrites an arena of which half is garbage.
func (v *versions) tidy() {
	if v.garbage < 1<<16 || 2*v.garbage < len(v.arena) {
		return
	}
	words, stride := v.table.Values()
	fresh := make([]byte, 0, len(v.arena)-v.garbage+len(v.arena)/8)
	v.slots = v.table.Slots(v.slots[:0])
	for _, s := range v.slots {
		w := words[int(s)*stride+v.blob:]
		if w[1] > 0 {
			at := int64(len(fresh))
			fresh = append(fresh, v.arena[w[0]:w[0]+w[1]]...)
			w[0] = at
		}
	}
	v.arena, v.garbage = fresh, 0
}

// gather appends the rows of the keys in these slots to one appender per column of the schema.
func (v *versions) gather(slots []int32, dst []column.Appender) {
	words, stride := v.table.Values()
	for i, c := range v.cells {
		if c != nil {
			c.gather(words, stride, slots, dst[i], nullOf(i))
		}
	}
	if v.blob < 0 {
		return
	}
	for _, s := range slots {
		p := v.bytes(words, stride, s)
		for i, c := range v.cells {
			if c == nil {
				p, _ = state.TakeValue(p, dst[i])
			}
		}
	}
}

// delete forgets a key.
func (v *versions) delete(slot int32) {
	if v.blob >= 0 {
		words, stride := v.table.Values()
		v.garbage += int(words[int(slot)*stride+v.blob+1])
	}
	v.table.Delete(slot)
}

// extra is the number of byte columns in a chunk of state that are not the keys'.
func (v *versions) extra() int {
	if v.blob >= 0 {
		return 1
	}
	return 0
}

// save writes the keys that have changed, or all, to a keyed table without times.
func (v *versions) save(w state.Writer, table string) {
	dirty := v.table.Dirty()
	if v.table.NeedsBase() {
		dirty += 4*v.table.Len() + 4096
	}
	base := v.inc.Base(v.table.Len(), dirty)
	c := v.layout.NewChunk(v.extra())
	if base {
		v.table.TakeDeleted(v.layout.NewChunk(v.extra()), 0)
		v.table.TakeDirty(nil)
		v.slots = v.table.Slots(v.slots[:0])
	} else { // a key that was deleted may be there again
		v.table.TakeDeleted(c, 0)
		v.slots = v.table.TakeDirty(v.slots[:0])
	}
	v.table.AppendRows(c, v.slots, 0)
	if v.blob >= 0 {
		words, stride := v.table.Values()
		for _, s := range v.slots {
			c.Bytes[v.layout.ExtraBytes()].Append(v.bytes(words, stride, s))
		}
	}
	if base || c.Rows() > 0 {
		w.Keyed(table, base, c)
	}
}

// load reads back what save has written of the keys whose hashes lie in keys.
func (v *versions) load(r state.Reader, table string, schema *arrow.Schema, keys column.KeyRange) error {
	var other []column.Appender
	for i, c := range v.cells {
		if c == nil {
			other = append(other, column.NewAppender(schema.Field(i).Type))
		}
	}
	err := r.Keyed(table, keys, func(c *state.Chunk) error {
		if err := v.layout.CheckChunk(c, v.extra()); err != nil {
			return err
		}
		for i := range c.Rows() {
			old := v.table.Seek(c, i)
			if c.Deleted != nil && c.Deleted[i] {
				if old >= 0 {
					v.delete(old)
				}
				continue
			}
			var place [2]int64
			if old >= 0 && v.blob >= 0 {
				words, stride := v.table.Values()
				copy(place[:], words[int(old)*stride+v.blob:])
			}
			slot, err := v.table.Put(c, i)
			if err != nil {
				return err
			}
			words, stride := v.table.Values()
			w := words[int(slot)*stride:]
			w[flagsWord] &= present | ended
			if v.blob < 0 {
				continue
			}
			p := c.Bytes[v.layout.ExtraBytes()].At(i)
			rest, ok := p, true
			for _, o := range other {
				o.Reset()
				if rest, ok = state.TakeValue(rest, o); !ok {
					break
				}
			}
			if !ok || len(rest) > 0 {
				return fault.Internalf("stored state holds a row that cannot be decoded").
					WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
			}
			copy(w[v.blob:v.blob+2], place[:])
			v.store(w[v.blob:], p)
		}
		return nil
	})
	v.tidy()
	return err
}

func (v *versions) size() int64 { return v.table.Size() + int64(cap(v.arena)) }
