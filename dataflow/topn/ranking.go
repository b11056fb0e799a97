package topn

import (
	"math"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/ordered"
)

// Words of a partition.
const (
	// rootWord is the tree of its rows.
	rootWord = iota
	// totalWord is the number of rows, counting copies.
	totalWord
	// groupsWord is the number of groups of rows that are equal by the order, tailWord the number of rows in the last
	// group, lastWord the last row's number + 1. They are kept for bounded rankings only.
	groupsWord
	tailWord
	lastWord
	// limitWord is the complement of the greatest prefix of a row that may still be among the results: 0 is no limit.
	limitWord
	// shownWord is the first row that was put out, as number + 1.
	shownWord
	// changedWord is 1 if the partition has changed since the last flush.
	changedWord
	// seenWord is the wall-clock time of the last row, dueWord the bucket in which it waits to be forgotten.
	seenWord
	dueWord
	partitionWords
)

// Words of a row beside those of the store.
const (
	// linkWord holds the row's children in the tree of its partition: left and right, as numbers + 1.
	linkWord = iota
	// copies is how often the row is there.
	copies
	// shownRank and shownCopies say which of them were put out: their first rank and their number. shownTime is the event
	// time that they were put out with, nextShown the next of the partition's rows that were, as number + 1.
	shownRank
	shownCopies
	shownTime
	nextShown
	rowWords
)

// ranking adds rows to partitions, takes them back, and finds the results.
type ranking struct {
	spec *graph.TopNSpec
	rows *ordered.Rows
	tree *ordered.Tree
	// bound is the greatest rank among the results. bounded drops rows that rank behind it.
	bound   int64
	bounded bool
	// ties keeps rows that are equal to the last one by the order.
	ties bool
	gone []int32
}

func newRanking(spec *graph.TopNSpec, rows *ordered.Rows, mode graph.Mode) *ranking {
	k := &ranking{spec: spec, rows: rows, tree: ordered.NewTree(rows, linkWord), bound: math.MaxInt64}
	if spec.Limit >= 0 && spec.Limit < math.MaxInt64-spec.Offset {
		k.bound = spec.Offset + spec.Limit
	}
	k.bounded = mode == graph.Append && k.bound < math.MaxInt64
	k.ties = spec.WithTies || spec.Rank != graph.RowNumber
	return k
}

// add adds a row to the partition of these words; false if it makes no difference.
func (k *ranking) add(w []int64, hash uint64, time int64, e ordered.Encoded) bool {
	if k.full(w) {
		switch c := k.rows.Compare(e, int32(w[lastWord])-1); {
		case c == 0 && !k.ties:
			k.later(int32(w[lastWord])-1, time)
			return false
		case c > 0 && !(k.ties && k.rows.SameKey(e, int32(w[lastWord])-1)):
			return false
		}
	}
	node, before, after := k.tree.Find(int32(w[rootWord]), e)
	if node != 0 {
		k.later(node-1, time)
	} else {
		node = k.rows.Put(hash, time, e) + 1
		w[rootWord] = int64(k.tree.Insert(int32(w[rootWord]), node))
		k.place(w, e, node, before, after)
	}
	k.rows.Own(node - 1)[copies]++
	k.rows.Mark(node - 1)
	w[totalWord]++
	if k.bounded {
		if k.ties && k.rows.SameKey(e, int32(w[lastWord])-1) {
			w[tailWord]++
		}
		k.evict(w)
	}
	return true
}

func (k *ranking) later(id int32, time int64) {
	if time > k.rows.Time(id) {
		k.rows.SetTime(id, time)
	}
}

// place notes that a new row lies between two others.
func (k *ranking) place(w []int64, e ordered.Encoded, node, before, after int32) {
	if !k.bounded {
		return
	}
	fresh := k.ties && (before == 0 || !k.rows.SameKey(e, before-1)) && (after == 0 || !k.rows.SameKey(e, after-1))
	if fresh {
		w[groupsWord]++
	}
	if after == 0 {
		w[lastWord] = int64(node)
		if fresh {
			w[tailWord] = 0
		}
	}
}

// full reports whether a row behind all others cannot be among the results any more.
func (k *ranking) full(w []int64) bool {
	switch {
	case !k.bounded || w[totalWord] == 0:
		return false
	case k.spec.Rank == graph.DenseRank:
		return w[groupsWord] >= k.bound
	}
	return w[totalWord] >= k.bound
}

// evict drops what has fallen behind the bound.
func (k *ranking) evict(w []int64) {
	switch {
	case k.spec.Rank == graph.DenseRank:
		for w[groupsWord] > k.bound {
			k.dropGroup(w)
		}
	case k.ties:
		for w[totalWord]-w[tailWord] >= k.bound {
			k.dropGroup(w)
		}
	default:
		for w[totalWord] > k.bound {
			k.dropLast(w)
		}
	}
	w[limitWord] = 0
	if k.full(w) {
		w[limitWord] = int64(^k.rows.Prefix(int32(w[lastWord]) - 1))
	}
}

// dropLast drops one copy of the last row.
func (k *ranking) dropLast(w []int64) {
	id := int32(w[lastWord]) - 1
	own := k.rows.Own(id)
	own[copies]--
	w[totalWord]--
	if own[copies] > 0 {
		k.rows.Mark(id)
		return
	}
	root, last := k.tree.RemoveLast(int32(w[rootWord]))
	w[rootWord], w[lastWord] = int64(root), int64(last)
	k.free(id, own)
}

// dropGroup drops the last rows that are equal by the order.
func (k *ranking) dropGroup(w []int64) {
	last := int32(w[lastWord]) - 1
	k.gone = k.gone[:0]
	k.tree.Each(int32(w[rootWord]), true, func(id int32) bool {
		if !k.rows.SameKeys(id, last) {
			return false
		}
		k.gone = append(k.gone, id)
		return true
	})
	for _, id := range k.gone {
		w[totalWord] -= k.rows.Own(id)[copies]
		k.remove(w, id)
	}
	w[groupsWord]--
	k.recount(w)
}

// recount counts the last group.
func (k *ranking) recount(w []int64) {
	w[lastWord] = int64(k.tree.Last(int32(w[rootWord])))
	w[tailWord] = 0
	k.tree.Each(int32(w[rootWord]), true, func(id int32) bool {
		if !k.rows.SameKeys(id, int32(w[lastWord])-1) {
			return false
		}
		w[tailWord] += k.rows.Own(id)[copies]
		return true
	})
}

// retract takes back one copy of a row; false if there is none.
func (k *ranking) retract(w []int64, e ordered.Encoded) bool {
	node, _, _ := k.tree.Find(int32(w[rootWord]), e)
	if node == 0 {
		return false
	}
	k.take(w, node-1)
	return true
}

// take takes one copy of a row away.
func (k *ranking) take(w []int64, id int32) {
	own := k.rows.Own(id)
	own[copies]--
	w[totalWord]--
	if own[copies] > 0 {
		k.rows.Mark(id)
		return
	}
	k.remove(w, id)
}

// remove removes a row from the tree.
func (k *ranking) remove(w []int64, id int32) {
	w[rootWord] = int64(k.tree.Remove(int32(w[rootWord]), id+1))
	own := k.rows.Own(id)
	own[copies] = 0
	k.free(id, own)
}

// free frees a row that is in no tree any more. If it was put out, it stays in the store until the next flush.
func (k *ranking) free(id int32, own []int64) {
	if own[shownCopies] == 0 {
		k.rows.Free(id, !k.spec.PerTime)
	}
}

// clear removes all rows.
func (k *ranking) clear(w []int64) {
	k.gone = k.gone[:0]
	k.tree.Each(int32(w[rootWord]), false, func(id int32) bool {
		k.gone = append(k.gone, id)
		return true
	})
	w[rootWord] = 0
	for _, id := range k.gone {
		own := k.rows.Own(id)
		own[copies] = 0
		k.free(id, own)
	}
	w[totalWord], w[groupsWord], w[tailWord], w[lastWord], w[limitWord] = 0, 0, 0, 0, 0
}

// result is copies of one row among the results. With row numbers, their ranks are rank, rank + 1, …
type result struct {
	id           int32
	rank, copies int64
}

// results appends a partition's results in order.
func (k *ranking) results(w []int64, dst []result) []result {
	var position, rank, dense int64
	before := int32(-1)
	k.tree.Each(int32(w[rootWord]), false, func(id int32) bool {
		if k.ties && (before < 0 || !k.rows.SameKeys(before, id)) {
			rank = position + 1
			dense++
		}
		before = id
		n := k.rows.Own(id)[copies]
		r := result{id, position + 1, n}
		position += n
		switch k.spec.Rank {
		case graph.Rank:
			r.rank = rank
		case graph.DenseRank:
			r.rank = dense
		default:
			if skip := min(r.copies, max(0, k.spec.Offset+1-r.rank)); skip > 0 {
				r.rank += skip
				r.copies -= skip
			}
			if !k.ties {
				r.copies = min(r.copies, max(0, k.bound-r.rank+1))
			}
		}
		if k.ties && rankOf(k.spec.Rank, rank, dense) > k.bound || !k.ties && position-n >= k.bound {
			return false
		}
		if r.rank > k.spec.Offset && r.copies > 0 {
			dst = append(dst, r)
		}
		return true
	})
	return dst
}

func rankOf(kind graph.RankKind, rank, dense int64) int64 {
	if kind == graph.DenseRank {
		return dense
	}
	return rank
}

// rowsOf is the rows of a batch that count.
func rowsOf(b *column.Batch, scratch *[]int32) []int32 {
	if b.Sel != nil {
		return b.Sel
	}
	*scratch = column.AllRows(*scratch, b.N)
	return *scratch
}
