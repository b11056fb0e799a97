package session

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// Tables of the operator's state: the open sessions, and per subtask how far its keys had come.
const (
	sessionTable  = "sessions"
	progressTable = "progress"
)

// progress is the last watermark that the subtask with these keys had seen.
type progress struct {
	keys      column.KeyRange
	watermark int64
}

// Snapshot implements operator.Operator.
func (a *aggregate) Snapshot(w state.Writer) error {
	a.writeProgress(w)
	chunk, base := a.groups.Changes(&a.inc)
	// On disk a row has the hash that routes its key.
	copy(chunk.Hash, a.column(chunk, hashWord))
	if base || chunk.Rows() > 0 {
		w.Keyed(sessionTable, base, chunk)
	}
	return nil
}

// column gives one of the operator's words of all rows of a chunk.
func (a *aggregate) column(c *state.Chunk, word int) []uint64 {
	words := c.Words[len(c.Words)-a.groups.Table.Layout().Values()+word]
	out := make([]uint64, len(words))
	for i, w := range words {
		out[i] = uint64(w)
	}
	return out
}

func (a *aggregate) writeProgress(w state.Writer) {
	own := progress{a.env.Keys, a.watermark}
	for i, p := range append([]progress{own}, a.ahead...) {
		key := binary.BigEndian.AppendUint32(nil, uint32(a.env.Subtask))
		var value []byte
		for _, v := range []uint64{p.keys.First, p.keys.Last, uint64(p.watermark)} {
			value = binary.LittleEndian.AppendUint64(value, v)
		}
		w.Global(progressTable, binary.BigEndian.AppendUint32(key, uint32(i)), value)
	}
}

// restore reads the sessions of this subtask's keys. The subtasks that owned them had usually come equally far; where
// they had not, the operator goes on from the one that was furthest behind.
func (a *aggregate) restore(r state.Reader, keys []arrow.Field) error {
	least := int64(math.MaxInt64)
	err := r.Global(progressTable, func(_, value []byte) error {
		if len(value) != 24 {
			return damaged()
		}
		at := func(i int) uint64 { return binary.LittleEndian.Uint64(value[8*i:]) }
		p := progress{column.KeyRange{First: at(0), Last: at(1)}, int64(at(2))}
		if p.keys.Overlaps(a.env.Keys) {
			p.keys.First, p.keys.Last = max(p.keys.First, a.env.Keys.First), min(p.keys.Last, a.env.Keys.Last)
			a.ahead = append(a.ahead, p)
			least = min(least, p.watermark)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(a.ahead) > 0 {
		a.watermark = least
	}
	a.ahead = slices.DeleteFunc(a.ahead, func(p progress) bool { return p.watermark == least })
	if err := r.Keyed(sessionTable, a.env.Keys, a.load); err != nil {
		return err
	}
	a.relink(keys)
	return nil
}

func damaged() error {
	return fault.Internalf("stored state of a session cannot be decoded").
		WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
}

func (a *aggregate) load(c *state.Chunk) error {
	if err := a.set.Check(a.groups.Table.Layout(), c); err != nil {
		return err
	}
	rows := *c
	rows.Hash = a.column(c, idWord)
	for i, id := range rows.Hash {
		rows.Hash[i] = column.HashWord(c.Hash[i], id)
	}
	for i := range rows.Rows() {
		if _, err := a.groups.Load(&rows, i); err != nil {
			return err
		}
	}
	return nil
}

// relink makes the index, the order of the sessions of each key, and the timers.
func (a *aggregate) relink(fields []arrow.Field) {
	slots := a.groups.Table.Slots(nil)
	const partRows = 8192
	for part := range slices.Chunk(slots, partRows) {
		var keys []column.Vector
		var out []column.Appender
		for _, f := range fields {
			c := column.NewAppender(f.Type)
			keys, out = append(keys, c), append(out, c)
		}
		a.groups.Table.AppendKeys(part, out)
		hashes := make([]uint64, len(part))
		for i, s := range part {
			hashes[i] = uint64(a.own(s)[hashWord])
		}
		a.heads = a.index.FindOrInsert(hashes, keys, len(part), nil, a.heads)
		for i, s := range part {
			own := a.own(s)
			own[keyWord] = int64(a.heads[i])
			a.nextID = max(a.nextID, own[idWord]+1)
			a.timers.add(s, a.end(own), a)
		}
	}
	slices.SortFunc(slots, func(x, y int32) int {
		p, q := a.own(x), a.own(y)
		return cmp.Or(cmp.Compare(p[keyWord], q[keyWord]), cmp.Compare(p[lastWord], q[lastWord]))
	})
	for _, s := range slots {
		a.link(s, 0, a.head(int32(a.own(s)[keyWord])))
	}
}
