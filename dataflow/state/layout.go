package state

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// Layout says how a Table stores its rows. It is chosen once per operator and shared by all of its tables, which use its
// scratch memory, so that they belong to one goroutine.
//
// A row is a run of 64-bit words: the key's routing hash, the key, and the values, side by side. Keys whose columns all
// have a fixed width lie in the row itself, one or two words per column and, if a column is nullable, one more word with
// a bit per null. Any other key lies encoded in the table's arena and the row holds a reference to it.
type Layout struct {
	types []arrow.DataType
	// widths has the number of words per key column of a fixed layout.
	widths   []int
	keyWords int
	nulls    bool
	arena    bool
	// oneWord marks the key of a single 8-byte column without nulls, oneBytes that of a single variable-width column.
	oneWord, oneBytes bool
	// hashed says that keys with different hashes are different.
	hashed  bool
	values  int
	stride  int
	scratch scratch
}

type scratch struct {
	words  []int64
	bytes  []byte
	ends   []int
	slots  []int32
	target []int32
}

// NewLayout makes a layout for keys of these fields, in order, and the given number of value words.
func NewLayout(keys []arrow.Field, values int) *Layout {
	l := &Layout{values: values}
	for _, f := range keys {
		w := fixedWidth(f.Type)
		l.types = append(l.types, f.Type)
		l.widths = append(l.widths, w)
		l.keyWords += w
		l.nulls = l.nulls || f.Nullable
		l.arena = l.arena || w == 0
	}
	if l.nulls && len(keys) > 64 {
		l.arena = true
	}
	switch {
	case l.arena:
		l.keyWords, l.nulls = 1, false
		l.oneBytes = len(keys) == 1 && isBytes(l.types[0])
	case l.nulls:
		l.keyWords++
	default:
		l.oneWord = len(keys) == 1 && l.keyWords == 1
	}
	l.stride = 1 + l.keyWords + values
	return l
}

// CompareHashes makes keys with different hashes different, and returns l. A caller can so keep a part of a key in the
// high half of its hash alone; the low half is what tables look for.
func (l *Layout) CompareHashes() *Layout {
	l.hashed = true
	return l
}

// Values is the number of value words per row.
func (l *Layout) Values() int { return l.values }

// fixedWidth is the number of words of a key column of this type, 0 if its width varies.
func fixedWidth(dt arrow.DataType) int {
	if e, ok := dt.(arrow.ExtensionType); ok {
		dt = e.StorageType()
	}
	switch dt.ID() {
	case arrow.STRUCT, arrow.LIST, arrow.MAP, arrow.STRING, arrow.BINARY, arrow.FIXED_SIZE_BINARY, arrow.STRING_VIEW,
		arrow.LARGE_STRING:
		return 0
	case arrow.DECIMAL128, arrow.INTERVAL_MONTH_DAY_NANO:
		return 2
	}
	return 1
}

func isBytes(dt arrow.DataType) bool {
	_, ok := column.NewAppender(dt).(*column.Bytes)
	return ok
}

// NewChunk makes an empty chunk for rows of this layout, with extra byte columns after the layout's own.
func (l *Layout) NewChunk(extra int) *Chunk {
	c := &Chunk{}
	n := l.values
	if !l.arena {
		n += l.keyWords
	} else {
		extra++
	}
	c.Words = make([][]int64, n)
	for range extra {
		c.Bytes = append(c.Bytes, column.NewBytes(arrow.BinaryTypes.Binary))
	}
	return c
}

// ExtraBytes is the index of the first byte column of a chunk that is not the layout's own.
func (l *Layout) ExtraBytes() int {
	if l.arena {
		return 1
	}
	return 0
}
