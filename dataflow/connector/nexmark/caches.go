package nexmark

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// coldChannels is the number of channels beside the four hot ones, which come after them in the caches.
const coldChannels = 10_000

// poolSize is the number of places in a pool at which a random text may start; no text is longer than poolTail.
const (
	poolSize = 1 << 16
	poolTail = 512
)

// cardSize is the length of a credit card's number in bytes.
const cardSize = 19

// caches are the texts that are made once. Columns point into them and copy nothing.
type caches struct {
	channels, urls        []column.View
	names, cities, states words
	// pool is random letters, of which random texts are cut.
	pool []byte
	// emailRows are the rows with an address in the batch before.
	emailRows []int
	email     []byte
}

// words is a small set of texts.
type words struct{ views []column.View }

func (w words) pick(word uint64) *column.View { return &w.views[below(word, uint64(len(w.views)))] }

// prepare makes the caches that the needed members use, and gives each column the buffer that its views point into.
func (c *caches) prepare(r *rows) {
	c.pool = newPool()
	if r.members[bid][bidChannel] || r.members[bid][bidURL] {
		c.channels = share(r.text(bid, bidChannel), channelNames())
		c.urls = share(r.text(bid, bidURL), urlTexts(c.pool))
	}
	c.names = words{share(r.text(person, personName), fullNames())}
	c.cities = words{share(r.text(person, personCity), []string{"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
		"Bend", "Redmond", "Seattle", "Kent", "Cheyenne"})}
	c.states = words{share(r.text(person, personState), []string{"AZ", "CA", "ID", "OR", "WA", "WY"})}
	r.text(person, personCard).AddBuffer(cardDigits())
	for _, col := range []*column.Bytes{r.text(bid, bidExtra), r.text(auction, auctionDescription), r.text(auction, auctionItem),
		r.text(auction, auctionExtra), r.text(person, personExtra)} {
		col.AddBuffer(c.pool)
	}
}

// share puts texts into one buffer, which col gets, and gives a view for each of them.
func share(col *column.Bytes, texts []string) []column.View {
	var buf []byte
	for _, t := range texts {
		buf = append(buf, t...)
	}
	col.AddBuffer(buf)
	made := column.NewBytes(arrow.BinaryTypes.String)
	made.AddBuffer(buf)
	at := 0
	for _, t := range texts {
		made.AppendShared(0, uint32(at), len(t))
		at += len(t)
	}
	return made.Views
}

func newPool() []byte {
	pool := make([]byte, poolSize+poolTail)
	for i := range pool {
		pool[i] = letters[below(draw(uint64(i), forPool), uint64(len(letters)))]
	}
	return pool
}

// cardDigits is a pool of blocks of four digits, each followed by a space.
func cardDigits() []byte {
	pool := make([]byte, poolSize+poolTail)
	for i := range pool {
		pool[i] = '0' + byte(below(draw(uint64(i), forDigits), 10))
		if i%5 == 4 {
			pool[i] = ' '
		}
	}
	return pool
}

func channelNames() []string {
	names := make([]string, 0, coldChannels+4)
	for i := range coldChannels {
		names = append(names, "channel-"+strconv.Itoa(i))
	}
	return append(names, "Google", "Facebook", "Baidu", "Apple")
}

func urlTexts(pool []byte) []string {
	const host, tail = "https://www.nexmark.com", "/item.htm?query=1"
	urls := make([]string, 0, coldChannels+4)
	for i := range uint64(coldChannels) {
		url := host
		for segment := range uint64(3) {
			w := draw(4*i+segment, forURL)
			at := int(below(w, poolSize))
			url += "/" + string(pool[at:at+length(w<<32, 5)])
		}
		url += tail
		if below(draw(4*i+3, forURL), 10) != 0 {
			url += "&channel_id=" + strconv.FormatUint(i, 10)
		}
		urls = append(urls, url)
	}
	for _, path := range []string{"/abo/eoci/cidro", "/eoax/oad/cidro", "/abo/jack/cidro", "/abo/micah/cidro"} {
		urls = append(urls, host+path+tail)
	}
	return urls
}

func fullNames() []string {
	var names []string
	for _, first := range []string{"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"} {
		for _, last := range []string{"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"} {
			names = append(names, first+" "+last)
		}
	}
	return names
}
