package over

// span is a place of a partition that has changed: the rows at the positions from to until − 1 are new, and rows may have
// gone at either end and in between. It may be empty.
type span struct{ from, until int64 }

// spans are places that have changed, in order, and apart from each other.
type spans []span

// maxSpans bounds how many places are told apart; beyond it the nearest become one.
const maxSpans = 32

// insert notes that a row has come to a position; those from there on have moved one further.
func (s spans) insert(at int64) spans {
	i := s.reach(at)
	if i == len(s) || s[i].from > at {
		s = append(s, span{})
		copy(s[i+1:], s[i:])
		s[i] = span{at, at}
	}
	s[i].until++
	for j := i + 1; j < len(s); j++ {
		s[j].from++
		s[j].until++
	}
	return s.fewer()
}

// remove notes that the row at a position has gone; those behind it have moved one back.
func (s spans) remove(at int64) spans {
	i := s.reach(at)
	switch {
	case i == len(s) || s[i].from > at+1:
		s = append(s, span{})
		copy(s[i+1:], s[i:])
		s[i] = span{at, at}
	case s[i].from == at+1: // the row in front of the place
		s[i].from--
		s[i].until--
	case s[i].until > at:
		s[i].until--
	}
	for j := i + 1; j < len(s); j++ {
		s[j].from--
		s[j].until--
	}
	if i+1 < len(s) && s[i+1].from <= s[i].until {
		s = s.join(i)
	}
	return s.fewer()
}

// reach is the index of the first place that does not end before a position.
func (s spans) reach(at int64) int {
	for i := range s {
		if s[i].until >= at {
			return i
		}
	}
	return len(s)
}

// join makes one of the places i and i + 1.
func (s spans) join(i int) spans {
	s[i].until = max(s[i].until, s[i+1].until)
	return append(s[:i+1], s[i+2:]...)
}

func (s spans) fewer() spans {
	if len(s) <= maxSpans {
		return s
	}
	best := 0
	for i := 1; i+1 < len(s); i++ {
		if s[i+1].from-s[i].until < s[best+1].from-s[best].until {
			best = i
		}
	}
	return s.join(best)
}
