package lookup

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/enrich"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// Words of a key: its row plus one, 0 for none; whether the answer is known, asked for or neither; until when it holds; and
// whether it was used again since the hand last came by.
const (
	rowWord = iota
	stateWord
	untilWord
	usedWord
	keyWords
)

// The states of an answer.
const (
	unknown = iota
	asked
	known
)

// placeWord is the word of a row, for package enrich.
const (
	placeWord = iota
	rowWords
)

// overhead is about what an answer takes beside its key and its row: words, index, lists.
const overhead = 128

// cache remembers answers. When they take too much memory, a hand goes round them and drops those that were not used again since
// it last came by (CLOCK). Those of the batch at hand stay whole until shrink.
type cache struct {
	keys *state.Table
	rows *ordered.Rows
	key  *ordered.Key
	// limit bounds weight, the memory of all answers; ttl is as in graph.LookupJoinSpec.
	limit, weight, ttl int64
	hand, slots        int32
}

func newCache(row *arrow.Schema, key []arrow.Field, limit, ttl int64) *cache {
	k := ordered.NewKey(row, nil, false)
	return &cache{
		keys: state.NewTable(state.NewLayout(key, keyWords)), rows: ordered.NewRows(row, k, rowWords), key: k, limit: limit, ttl: ttl,
	}
}

func (c *cache) words(slot int32) []int64 {
	w, stride := c.keys.Values()
	return w[int(slot)*stride : int(slot)*stride+keyWords]
}

// open reports whether a key has to be asked for, and counts it as asked for; it is so once, until the answer is there.
func (c *cache) open(slot int32, now int64) bool {
	c.slots = max(c.slots, slot+1)
	w := c.words(slot)
	switch {
	case w[stateWord] == asked:
		return false
	case w[stateWord] == known && (c.ttl == 0 || now < w[untilWord]):
		w[usedWord] = 1
		return false
	case w[stateWord] == known:
		c.forget(slot, w)
	}
	w[stateWord] = asked
	return true
}

// put remembers row at of a batch as the answer for a key, −1 for none.
func (c *cache) put(slot int32, b *column.Batch, at int32, now int64) {
	w := c.words(slot)
	w[stateWord], w[rowWord], w[untilWord] = known, 0, now+c.ttl
	if at >= 0 {
		w[rowWord] = int64(c.rows.Put(c.keys.Hash(slot), 0, c.rows.Encode(b, int(at), 0))) + 1
	}
	c.weight += c.weigh(slot, w)
}

// row is the row of a key whose answer is known.
func (c *cache) row(slot int32) int32 {
	if id := int32(c.words(slot)[rowWord]); id > 0 {
		return id - 1
	}
	return enrich.None
}

func (c *cache) weigh(slot int32, w []int64) int64 {
	n := int64(overhead + c.keys.KeySize(slot))
	if w[rowWord] > 0 {
		n += int64(len(c.rows.Row(int32(w[rowWord]) - 1)))
	}
	return n
}

// forget drops an answer; the key stays.
func (c *cache) forget(slot int32, w []int64) {
	c.weight -= c.weigh(slot, w)
	if w[rowWord] > 0 {
		c.rows.Free(int32(w[rowWord])-1, false)
	}
	w[rowWord], w[stateWord] = 0, unknown
}

// shrink drops answers until the others fit. An answer that was not used again since the hand came by is dropped, any other
// has one more round.
func (c *cache) shrink() {
	for c.weight > c.limit {
		if c.hand++; c.hand >= c.slots {
			c.hand = 0
		}
		if !c.keys.Alive(c.hand) {
			continue
		}
		w := c.words(c.hand)
		if w[usedWord] != 0 && c.limit > 0 {
			w[usedWord] = 0
			continue
		}
		c.forget(c.hand, w)
		c.keys.Delete(c.hand)
	}
}

func (c *cache) size() int64 { return c.keys.Size() + c.rows.Size() }
