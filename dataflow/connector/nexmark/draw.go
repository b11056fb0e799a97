package nexmark

import (
	"math"
	"math/bits"
)

// A draw's purpose: every value that is drawn for an event has its own stream of random numbers.
const (
	forAuction uint64 = iota + 1
	forBidder
	forPrice
	forChannel
	forExtra
	forName
	forEmail
	forEmailHost
	forCard
	forCity
	forState
	forSeller
	forCategory
	forReserve
	forExpires
	forItem
	forItemLength
	forDescription
	forDescriptionLength
	forURL
	forPool
	forDigits
)

// draw is a random word for an event and a purpose: wyrand (https://github.com/wangyi-fudan/wyhash, public domain) with
// the event's id as the position in the stream.
func draw(id, purpose uint64) uint64 {
	x := id*0xa0761d6478bd642f + purpose*0xd1b54a32d192ed03
	hi, lo := bits.Mul64(x, x^0xe7037ed1a0b428db)
	return hi ^ lo
}

// below maps a random word to 0…n-1; it depends on the word's high bits, so low bits can decide something else.
func below(word, n uint64) uint64 {
	hi, _ := bits.Mul64(word, n)
	return hi
}

// letters is where random texts come from.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// length is U{3…m-1}, the length of a random text.
func length(word uint64, m uint64) int { return 3 + int(below(word, m-3)) }

// prices maps a uniform draw to ⌊10^U[0,6) × 100⌋, by linear interpolation in a table of fixed-point numbers.
type prices struct {
	at, step [priceSteps]int64
}

const (
	priceSteps = 1024
	// priceShift is the number of binary places of a table entry, fractionBits of the place between two entries.
	priceShift   = 16
	fractionBits = 20
)

func newPrices() *prices {
	p := &prices{}
	entry := func(i int) int64 {
		return int64(math.Round(math.Pow(10, 6*float64(i)/priceSteps) * 100 * (1 << priceShift)))
	}
	for i := range p.at {
		p.at[i] = entry(i)
		p.step[i] = entry(i+1) - entry(i)
	}
	return p
}

func (p *prices) price(word uint64) int64 {
	i := word >> 54 & (priceSteps - 1)
	fraction := int64(word >> 34 & (1<<fractionBits - 1))
	return (p.at[i] + p.step[i]*fraction>>fractionBits) >> priceShift
}
