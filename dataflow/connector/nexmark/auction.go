package nexmark

// The members of the auction struct.
const (
	auctionID = iota
	auctionDescription
	auctionItem
	auctionInitialBid
	auctionReserve
	_
	auctionExpires
	auctionSeller
	auctionCategory
	auctionExtra
)

// auctionSize is the size that an auction is padded to, auctionNumbers the part of it that its numbers count for.
const auctionSize, auctionNumbers = 500, 48

// expiryEvents is how many events an auction is open for, on average: 100 auctions in flight.
const expiryEvents = 100 * group / 3

func (r *rows) fillAuctions(q *sequence) {
	if !r.needed[auction] {
		return
	}
	need := r.members[auction]
	for i := range r.entities[auction] {
		e := &r.entities[auction][i]
		r.fillAuctionNumbers(q, e, need)
		r.fillAuctionTexts(e, need)
	}
}

func (r *rows) fillAuctionNumbers(q *sequence, e *entity, need []bool) {
	if need[auctionID] {
		r.ints64(auction, auctionID)[e.row] = 3*e.epoch + int64(e.rest) - 1 + firstID
	}
	if need[auctionInitialBid] || need[auctionReserve] {
		initial := r.prices.price(draw(e.id, forPrice))
		if need[auctionInitialBid] {
			r.ints64(auction, auctionInitialBid)[e.row] = initial
		}
		if need[auctionReserve] {
			r.ints64(auction, auctionReserve)[e.row] = initial + r.prices.price(draw(e.id, forReserve))
		}
	}
	if need[auctionExpires] {
		open := below(draw(e.id, forExpires), uint64(2*expiryEvents*q.delay+1))
		r.ints64(auction, auctionExpires)[e.row] = r.batch.Time[e.row] + 1 + max(int64(open), 1)
	}
	if need[auctionSeller] {
		c := pickPerson(e.epoch)
		w := draw(e.id, forSeller)
		r.ints64(auction, auctionSeller)[e.row] = c.take(w, -((w | w>>1) & 1))
	}
	if need[auctionCategory] {
		r.ints64(auction, auctionCategory)[e.row] = 10 + int64(below(draw(e.id, forCategory), 5))
	}
}

func (r *rows) fillAuctionTexts(e *entity, need []bool) {
	item := length(draw(e.id, forItemLength), 20)
	description := length(draw(e.id, forDescriptionLength), 100)
	if need[auctionItem] {
		r.setRandom(auction, auctionItem, e, forItem, item)
	}
	if need[auctionDescription] {
		r.setRandom(auction, auctionDescription, e, forDescription, description)
	}
	if need[auctionExtra] {
		r.setRandom(auction, auctionExtra, e, forExtra, auctionSize-auctionNumbers-item-description)
	}
}

// setRandom makes a member n random letters.
func (r *rows) setRandom(kind, member int, e *entity, purpose uint64, n int) {
	r.text(kind, member).SetShared(e.row, 0, uint32(below(draw(e.id, purpose), poolSize)), n)
}
