package nexmark

import "wadi/dataflow/column"

// The members of the person struct.
const (
	personID = iota
	personName
	personEmail
	personCard
	personCity
	personState
	_
	personExtra
)

// personSize is the size that a person is padded to, personNumbers the part of it that its numbers count for.
const personSize, personNumbers = 200, 8

func (r *rows) fillPersons() {
	if !r.needed[person] {
		return
	}
	need := r.members[person]
	c := &r.caches
	if need[personEmail] {
		r.resetEmails()
	}
	for i := range r.entities[person] {
		e := &r.entities[person][i]
		name := c.names.pick(draw(e.id, forName))
		city := c.cities.pick(draw(e.id, forCity))
		state := c.states.pick(draw(e.id, forState))
		c.email = appendEmail(c.email[:0], c.pool, e.id)
		if need[personID] {
			r.ints64(person, personID)[e.row] = e.epoch + firstID
		}
		if need[personName] {
			r.text(person, personName).Views[e.row] = *name
		}
		if need[personEmail] {
			r.text(person, personEmail).Set(e.row, c.email)
			c.emailRows = append(c.emailRows, e.row)
		}
		if need[personCard] {
			at := 5 * below(draw(e.id, forCard), poolSize/5)
			r.text(person, personCard).SetShared(e.row, 0, uint32(at), cardSize)
		}
		if need[personCity] {
			r.text(person, personCity).Views[e.row] = *city
		}
		if need[personState] {
			r.text(person, personState).Views[e.row] = *state
		}
		if need[personExtra] {
			used := personNumbers + name.Len() + len(c.email) + cardSize + city.Len() + state.Len()
			r.setRandom(person, personExtra, e, forExtra, personSize-used)
		}
	}
}

// resetEmails forgets the addresses of the batch before, the only texts that lie in a buffer of the column's own.
func (r *rows) resetEmails() {
	c := &r.caches
	col := r.text(person, personEmail)
	n := len(col.Views)
	full := col.Views[:cap(col.Views)]
	for _, row := range c.emailRows {
		full[row] = column.View{}
	}
	c.emailRows = c.emailRows[:0]
	col.Reset()
	col.Views = col.Views[:n]
}

// appendEmail appends a random address.
func appendEmail(dst, pool []byte, id uint64) []byte {
	w := draw(id, forEmail)
	at := below(w, poolSize)
	dst = append(dst, pool[at:int(at)+length(w<<32, 7)]...)
	dst = append(dst, '@')
	w = draw(id, forEmailHost)
	at = below(w, poolSize)
	dst = append(dst, pool[at:int(at)+length(w<<32, 5)]...)
	return append(dst, ".com"...)
}
