package nexmark

// firstID is the id of the first person and of the first auction.
const firstID = 1000

// hotEvery is how many persons, or auctions, share one that is hot.
const hotEvery = 100

// The members of the bid struct.
const (
	bidAuction = iota
	bidBidder
	bidPrice
	bidChannel
	bidURL
	_
	bidExtra
)

// bidExtraSize is the length of a bid's extra text in bytes.
const bidExtraSize = 168

// choice is whom a bid, or a seller, may refer to: a hot id, or one of span ids from low on.
type choice struct {
	hot, low int64
	span     uint64
}

// pickAuction is for bids in epoch: the third auction of the epoch is the last one.
func pickAuction(epoch int64) choice {
	last := 3*epoch + 2
	low := max(0, last-100)
	return choice{hot: last/hotEvery*hotEvery + firstID, low: low + firstID, span: uint64(last + 10 - low + 1)}
}

// pickPerson is for bids and auctions in epoch: the newest person has the epoch's number.
func pickPerson(epoch int64) choice {
	active := min(epoch, 1000)
	return choice{hot: epoch/hotEvery*hotEvery + firstID, low: epoch - active + firstID, span: uint64(active + 10)}
}

// take gives the hot id if hot is all ones, and else, if it is 0, one of the others.
func (c *choice) take(word, hot uint64) int64 {
	v := c.low + int64(below(word, c.span))
	return v ^ (v^c.hot)&int64(hot)
}

// fillBids fills the bid columns in every row, whatever its kind: that is cheaper than to look for the bids.
func (r *rows) fillBids(q *sequence) {
	if !r.needed[bid] {
		return
	}
	need := r.members[bid]
	if need[bidAuction] {
		r.fillBidAuction(q, r.ints64(bid, bidAuction))
	}
	if need[bidBidder] {
		r.fillBidder(q, r.ints64(bid, bidBidder))
	}
	if need[bidPrice] {
		r.fillPrice(q, r.ints64(bid, bidPrice))
	}
	if need[bidChannel] || need[bidURL] {
		r.fillChannel(q, need[bidChannel], need[bidURL])
	}
	if need[bidExtra] {
		r.fillBidExtra(q)
	}
}

// fillBidAuction: every second bid is for the hot auction.
func (r *rows) fillBidAuction(q *sequence, column []int64) {
	for i := range r.segments {
		s := &r.segments[i]
		choices := [2]choice{pickAuction(s.epoch), pickAuction(s.epoch + 1)}
		places, out := q.order[s.from:s.from+s.n], column[s.row:s.row+s.n]
		for k := range out {
			p := &places[k]
			w := draw(s.id+uint64(p.offset), forAuction)
			out[k] = choices[p.carry&1].take(w, -(w & 1))
		}
	}
}

// fillBidder: three of four bids are by the hot person.
func (r *rows) fillBidder(q *sequence, column []int64) {
	for i := range r.segments {
		s := &r.segments[i]
		choices := [2]choice{pickPerson(s.epoch), pickPerson(s.epoch + 1)}
		places, out := q.order[s.from:s.from+s.n], column[s.row:s.row+s.n]
		for k := range out {
			p := &places[k]
			w := draw(s.id+uint64(p.offset), forBidder)
			out[k] = choices[p.carry&1].take(w, -((w | w>>1) & 1))
		}
	}
}

func (r *rows) fillPrice(q *sequence, column []int64) {
	for i := range r.segments {
		s := &r.segments[i]
		places, out := q.order[s.from:s.from+s.n], column[s.row:s.row+s.n]
		for k := range out {
			out[k] = r.prices.price(draw(s.id+uint64(places[k].offset), forPrice))
		}
	}
}

// fillChannel: every second bid comes through one of four hot channels; the texts are prepared.
func (r *rows) fillChannel(q *sequence, channel, url bool) {
	channels, urls := r.caches.channels, r.caches.urls
	for i := range r.segments {
		s := &r.segments[i]
		for k := range s.n {
			w := draw(s.id+uint64(q.order[s.from+k].offset), forChannel)
			n, hot := below(w, coldChannels), -(w & 1)
			n ^= (n ^ (coldChannels + w>>1&3)) & hot
			if channel {
				r.text(bid, bidChannel).Views[s.row+k] = channels[n]
			}
			if url {
				r.text(bid, bidURL).Views[s.row+k] = urls[n]
			}
		}
	}
}

func (r *rows) fillBidExtra(q *sequence) {
	out := r.text(bid, bidExtra)
	for i := range r.segments {
		s := &r.segments[i]
		for k := range s.n {
			w := draw(s.id+uint64(q.order[s.from+k].offset), forExtra)
			out.SetShared(s.row+k, 0, uint32(below(w, poolSize)), bidExtraSize)
		}
	}
}
