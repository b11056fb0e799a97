package over

// notes are byte strings that belong to rows, by the rows' numbers.
type notes struct {
	// refs have, per row, where its note is; free room in the arena is garbage.
	refs    []note
	arena   []byte
	garbage int
}

// note is bytes of the arena; size is −1 for none.
type note struct {
	at         int64
	size, room int32
}

// get gives a row's note, borrowed until the next change, and whether it has one.
func (n *notes) get(id int32) ([]byte, bool) {
	if int(id) >= len(n.refs) || n.refs[id].size < 0 {
		return nil, false
	}
	r := n.refs[id]
	return n.arena[r.at : r.at+int64(r.size)], true
}

// set gives a row a note, which is copied.
func (n *notes) set(id int32, b []byte) {
	for int(id) >= len(n.refs) {
		n.refs = append(n.refs, note{size: -1})
	}
	r := &n.refs[id]
	if r.size < 0 {
		n.garbage -= int(r.room)
	}
	if len(b) > int(r.room) {
		n.garbage += int(r.room)
		r.room = 0 // so that compact leaves it out
		if len(n.arena)+len(b) > cap(n.arena) && 2*n.garbage > len(n.arena) {
			n.compact()
		}
		r.at, r.room = int64(len(n.arena)), int32(len(b))
		n.arena = append(n.arena, b...)
	}
	r.size = int32(len(b))
	copy(n.arena[r.at:], b)
}

// drop takes a row's note away. Its room stays for the next row of that number.
func (n *notes) drop(id int32) {
	if int(id) < len(n.refs) && n.refs[id].size >= 0 {
		n.garbage += int(n.refs[id].room)
		n.refs[id].size = -1
	}
}

func (n *notes) compact() {
	fresh := make([]byte, 0, len(n.arena)-n.garbage+len(n.arena)/4)
	for i := range n.refs {
		r := &n.refs[i]
		if r.size < 0 || r.room == 0 {
			r.room = 0
			continue
		}
		at := int64(len(fresh))
		fresh = append(fresh, n.arena[r.at:r.at+int64(r.size)]...)
		r.at, r.room = at, r.size
	}
	n.arena, n.garbage = fresh, 0
}

func (n *notes) memory() int64 { return int64(cap(n.arena) + 16*cap(n.refs)) }
