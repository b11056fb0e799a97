package ordered

// Tree is ordered sets of rows of a store: treaps whose priorities are the rows' ages, spread. A set is known by its
// root, a row's number + 1, or 0 if it is empty; its links are words of the rows, so that a set of any size costs no
// memory of its own. Rows that are equal in all their bytes order by event time, then by age.
//
// A counted Tree also keeps the size of each subtree, and so finds rows by their position.
type Tree struct {
	rows *Rows
	// link is the owner's word that holds a row's children, size the one with the number of rows below it and itself, or -1.
	link, size int
	stack      []int32
}

// NewTree makes sets of the rows of a store; link is the owner's word that they may use.
func NewTree(rows *Rows, link int) *Tree { return &Tree{rows: rows, link: link, size: -1} }

// NewCountedTree makes sets that know their sizes; it takes two of the owner's words.
func NewCountedTree(rows *Rows, link, size int) *Tree {
	return &Tree{rows: rows, link: link, size: size}
}

func (t *Tree) links(n int32) *int64 { return &t.rows.Own(n - 1)[t.link] }

// Len is the number of rows of a counted set.
func (t *Tree) Len(root int32) int64 {
	if root == 0 {
		return 0
	}
	return t.rows.Own(root - 1)[t.size]
}

// put gives a node its children.
func (t *Tree) put(n, left, right int32) {
	own := t.rows.Own(n - 1)
	own[t.link] = pack(left, right)
	if t.size >= 0 {
		own[t.size] = t.Len(left) + t.Len(right) + 1
	}
}

// before reports whether row n comes before row m.
func (t *Tree) before(n, m int32) bool {
	c := t.rows.CompareRows(n-1, m-1)
	if c == 0 {
		if a, b := t.rows.Time(n-1), t.rows.Time(m-1); a != b {
			return a < b
		}
		return t.rows.Age(n-1) < t.rows.Age(m-1)
	}
	return c < 0
}

// priority mixes the age as splitmix64 does (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
func (t *Tree) priority(n int32) uint64 {
	x := uint64(t.rows.Age(n-1)+1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func pack(left, right int32) int64 { return int64(uint64(uint32(left))<<32 | uint64(uint32(right))) }
func left(l int64) int32           { return int32(uint64(l) >> 32) }
func right(l int64) int32          { return int32(uint32(l)) }

// Find looks for a row: it gives its node, or 0 and the nodes between which it belongs.
func (t *Tree) Find(root int32, e Encoded) (node, before, after int32) {
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

// Insert adds a row, node n, which has no links yet, to the set with this root and gives the new root.
func (t *Tree) Insert(root, n int32) int32 {
	if root == 0 || t.priority(n) > t.priority(root) {
		before, after := t.split(root, n)
		t.put(n, before, after)
		return n
	}
	l := *t.links(root)
	if t.before(n, root) {
		t.put(root, t.Insert(left(l), n), right(l))
	} else {
		t.put(root, left(l), t.Insert(right(l), n))
	}
	return root
}

// split takes a tree apart into what comes before n and the rest.
func (t *Tree) split(root, n int32) (before, after int32) {
	if root == 0 {
		return 0, 0
	}
	l := *t.links(root)
	if t.before(root, n) {
		a, b := t.split(right(l), n)
		t.put(root, left(l), a)
		return root, b
	}
	a, b := t.split(left(l), n)
	t.put(root, b, right(l))
	return a, root
}

// Remove takes node n, which is in it, out of the set with this root and gives the new root.
func (t *Tree) Remove(root, n int32) int32 {
	l := *t.links(root)
	switch {
	case root == n:
		return t.join(left(l), right(l))
	case t.before(n, root):
		t.put(root, t.Remove(left(l), n), right(l))
	default:
		t.put(root, left(l), t.Remove(right(l), n))
	}
	return root
}

func (t *Tree) join(a, b int32) int32 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	case t.priority(a) > t.priority(b):
		l := *t.links(a)
		t.put(a, left(l), t.join(right(l), b))
		return a
	}
	l := *t.links(b)
	t.put(b, t.join(a, left(l)), right(l))
	return b
}

// At is the row at a position from 0 in a counted set, -1 if there is none.
func (t *Tree) At(root int32, at int64) int32 {
	for root != 0 {
		l := *t.links(root)
		switch n := t.Len(left(l)); {
		case at < n:
			root = left(l)
		case at == n:
			return root - 1
		default:
			at, root = at-n-1, right(l)
		}
	}
	return -1
}

// Position is the number of rows of a counted set that come before node n, which may be one of them.
func (t *Tree) Position(root, n int32) int64 {
	at := int64(0)
	for root != 0 {
		l := *t.links(root)
		if t.before(root, n) {
			at += t.Len(left(l)) + 1
			root = right(l)
		} else {
			root = left(l)
		}
	}
	return at
}

// Search gives the number of rows at the beginning of a counted set for which f is false; behind them it is true.
func (t *Tree) Search(root int32, f func(id int32) bool) int64 {
	n := int64(0)
	for root != 0 {
		l := *t.links(root)
		if f(root - 1) {
			root = left(l)
		} else {
			n += t.Len(left(l)) + 1
			root = right(l)
		}
	}
	return n
}

// AppendRange appends the rows of a counted set from a position from 0 until another to dst.
func (t *Tree) AppendRange(dst []int32, root int32, from, until int64) []int32 {
	stack := t.stack[:0]
	skip := from
	for root != 0 { // down to the first row
		l := *t.links(root)
		if n := t.Len(left(l)); skip <= n {
			stack = append(stack, root)
			root = left(l)
		} else {
			skip -= n + 1
			root = right(l)
		}
	}
	for from < until && len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		dst = append(dst, n-1)
		from++
		for root = right(*t.links(n)); root != 0; root = left(*t.links(root)) {
			stack = append(stack, root)
		}
	}
	t.stack = stack[:0]
	return dst
}

// Last is the last node, 0 if there is none.
func (t *Tree) Last(root int32) int32 {
	for root != 0 {
		r := right(*t.links(root))
		if r == 0 {
			return root
		}
		root = r
	}
	return 0
}

// RemoveLast removes the last node of a set that is not counted, and gives the new root and the node that is last now.
func (t *Tree) RemoveLast(root int32) (newRoot, last int32) {
	before, n := int32(0), root
	for r := right(*t.links(n)); r != 0; r = right(*t.links(n)) {
		before, n = n, r
	}
	child := left(*t.links(n))
	if before == 0 {
		return child, t.Last(child)
	}
	l := t.links(before)
	*l = pack(left(*l), child)
	if child == 0 {
		return root, before
	}
	return root, t.Last(child)
}

// Each calls f for the rows in order, or backwards, until it gives false. f may not change the tree.
func (t *Tree) Each(root int32, backwards bool, f func(id int32) bool) {
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
