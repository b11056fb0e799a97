package topn

import "wadi/dataflow/ordered"

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

// tree is the ordered sets of rows of all partitions: treaps whose priorities are the rows' ages, spread. A set is known
// by its root, a row's number + 1, or 0 if it is empty.
type tree struct {
	rows  *ordered.Rows
	stack []int32
}

func (t *tree) links(n int32) *int64 { return &t.rows.Own(n - 1)[linkWord] }

// priority mixes the age as splitmix64 does (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
func (t *tree) priority(n int32) uint64 {
	x := uint64(t.rows.Age(n-1)+1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func pack(left, right int32) int64 { return int64(uint64(uint32(left))<<32 | uint64(uint32(right))) }
func left(l int64) int32           { return int32(uint64(l) >> 32) }
func right(l int64) int32          { return int32(uint32(l)) }

// find looks for a row: it gives its node, or 0 and the nodes between which it belongs.
func (t *tree) find(root int32, e ordered.Encoded) (node, before, after int32) {
	for root != 0 {
		l := *t.links(root)
		switch c := t.rows.Compare(e, root-1); {
		case c == 0:
			return root, 0, 0
		case c < 0:
			after, root = root, left(l)
		default:
			before, root = root, right(l)
		}
	}
	return 0, before, after
}

func (t *tree) insert(root, n int32) int32 {
	if root == 0 {
		return n
	}
	if t.priority(n) > t.priority(root) {
		*t.links(n) = pack(t.split(root, n))
		return n
	}
	l := *t.links(root)
	if t.rows.CompareRows(n-1, root-1) < 0 {
		l = pack(t.insert(left(l), n), right(l))
	} else {
		l = pack(left(l), t.insert(right(l), n))
	}
	*t.links(root) = l
	return root
}

// split takes a tree apart into what comes before n and the rest.
func (t *tree) split(root, n int32) (before, after int32) {
	if root == 0 {
		return 0, 0
	}
	l := *t.links(root)
	if t.rows.CompareRows(root-1, n-1) < 0 {
		a, b := t.split(right(l), n)
		*t.links(root) = pack(left(l), a)
		return root, b
	}
	a, b := t.split(left(l), n)
	*t.links(root) = pack(b, right(l))
	return a, root
}

func (t *tree) remove(root, n int32) int32 {
	l := *t.links(root)
	if root == n {
		return t.join(left(l), right(l))
	}
	if t.rows.CompareRows(n-1, root-1) < 0 {
		l = pack(t.remove(left(l), n), right(l))
	} else {
		l = pack(left(l), t.remove(right(l), n))
	}
	*t.links(root) = l
	return root
}

func (t *tree) join(a, b int32) int32 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	case t.priority(a) > t.priority(b):
		l := *t.links(a)
		*t.links(a) = pack(left(l), t.join(right(l), b))
		return a
	}
	l := *t.links(b)
	*t.links(b) = pack(t.join(a, left(l)), right(l))
	return b
}

// last is the last node, 0 if there is none.
func (t *tree) last(root int32) int32 {
	for root != 0 {
		r := right(*t.links(root))
		if r == 0 {
			return root
		}
		root = r
	}
	return 0
}

// removeLast removes the last node and gives the new root and the node that is last now.
func (t *tree) removeLast(root int32) (newRoot, last int32) {
	before, n := int32(0), root
	for r := right(*t.links(n)); r != 0; r = right(*t.links(n)) {
		before, n = n, r
	}
	child := left(*t.links(n))
	if before == 0 {
		return child, t.last(child)
	}
	l := t.links(before)
	*l = pack(left(*l), child)
	if child == 0 {
		return root, before
	}
	return root, t.last(child)
}

// each calls f for the rows in order, or backwards, until it gives false. f may not change the tree.
func (t *tree) each(root int32, backwards bool, f func(id int32) bool) {
	stack := t.stack[:0]
	for root != 0 || len(stack) > 0 {
		for root != 0 {
			stack = append(stack, root)
			l := *t.links(root)
			if root = left(l); backwards {
				root = right(l)
			}
		}
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !f(n - 1) {
			break
		}
		l := *t.links(n)
		if root = right(l); backwards {
			root = left(l)
		}
	}
	t.stack = stack[:0]
}
