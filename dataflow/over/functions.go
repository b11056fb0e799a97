package over

import (
	"math"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

type kind uint8

const (
	aggregate kind = iota
	rowNumber
	rank
	denseRank
	percentRank
	cumeDist
	ntile
	lag
	lead
	firstValue
	lastValue
	nthValue
)

var kinds = map[string]kind{
	"row_number": rowNumber, "rank": rank, "dense_rank": denseRank, "percent_rank": percentRank, "cume_dist": cumeDist,
	"ntile": ntile, "lag": lag, "lead": lead, "first_value": firstValue, "last_value": lastValue, "nth_value": nthValue,
}

// call is one function compiled.
type call struct {
	graph.OverCall
	kind kind
	// n is the literal argument of lag, lead, nth_value and ntile.
	n int64
	// frame is the index of its frame, for aggregates and the values of a frame.
	frame int
	// scans is set if it remembers what it needs of the rows from the first one on.
	scans bool
	// whole is set if it needs the whole partition.
	whole bool
	out   column.Appender
}

// newCall checks a call's name, arguments and parameters; names that are not of this package are left to package agg.
func newCall(c graph.OverCall) (call, error) {
	k := call{OverCall: c, kind: kinds[c.Name], n: 1, frame: -1}
	if len(c.OrderBy) > 0 {
		k.kind = aggregate // first_value in an order of its own looks at no order of the window
	}
	if len(c.Params) > 0 && k.kind != aggregate {
		n, ok := c.Params[0].(int64)
		if !ok {
			return k, fault.Internalf("the parameter of %s is a %T", c.Name, c.Params[0])
		}
		k.n = n
	}
	args := 0
	switch k.kind {
	case percentRank, cumeDist:
		k.whole = true
	case ntile:
		k.whole = true
		if k.n <= 0 {
			return k, fault.Userf(fault.CodeInvalid, c.Span, "ntile needs a positive number of buckets")
		}
	case lag, lead:
		args = 1
		if k.n < 0 { // looks the other way
			k.kind, k.n = lag+lead-k.kind, -max(k.n, -math.MaxInt64)
		}
		k.scans = k.kind == lag && c.IgnoreNulls && k.n > 0
	case nthValue:
		args = 1
		if k.n <= 0 {
			return k, fault.Userf(fault.CodeInvalid, c.Span, "nth_value counts from 1").
				WithHint("write a positive number as its second argument")
		}
	case firstValue, lastValue:
		args = 1
	}
	if len(c.Args) < args {
		return k, fault.Internalf("%s has %d arguments", c.Name, len(c.Args))
	}
	return k, nil
}

// ahead is the position that lead looks at; false if there is none among the rows so far.
func (e *evaluator) ahead(p *partition, c *call, at int64) (int64, bool) {
	if !c.IgnoreNulls || c.n == 0 {
		at = add(at, c.n)
		return at, at < p.end()
	}
	n := c.n
	for at++; at < p.end(); at++ {
		if !e.isNull(p.row(at), c.Args[0]) {
			if n--; n == 0 {
				return at, true
			}
		}
	}
	return 0, false
}

// value gives the encoded value of a column of a row.
func (e *evaluator) value(id int32, col int) []byte {
	data := e.rows.Row(id)
	for i := range col {
		data = ordered.Skip(data, e.in.Field(i).Type)
	}
	return data
}

func (e *evaluator) isNull(id int32, col int) bool { return e.value(id, col)[0] == 0 }

func take(data []byte, out column.Appender) []byte {
	rest, ok := state.TakeValue(data, out)
	if !ok {
		panic("over: a row that was kept cannot be decoded")
	}
	return rest
}

func (e *evaluator) call(p *partition, i int, at int64) error {
	c := &e.calls[i]
	own := e.rows.Own(p.row(at))
	switch c.kind {
	case aggregate:
	case rowNumber:
		return appendCount(c, at)
	case rank:
		return appendCount(c, own[peerWord])
	case denseRank:
		return appendCount(c, own[groupWord])
	case ntile:
		return appendCount(c, bucket(at-1, p.end()-1, c.n)+1)
	case percentRank:
		share := 0.0
		if n := p.end() - 2; n > 0 {
			share = float64(own[peerWord]-1) / float64(n)
		}
		c.out.(*column.Fixed[float64]).Append(share)
	case cumeDist:
		c.out.(*column.Fixed[float64]).Append(float64(e.lastPeer(p, at)) / float64(p.end()-1))
	case lag:
		e.putNeighbour(c, p.row(at), e.behind(p, i, at))
	case lead:
		id := int32(-1)
		if r, ok := e.ahead(p, c, at); ok {
			id = p.row(r)
		}
		e.putNeighbour(c, p.row(at), id)
	default:
		e.putValue(c, e.framed(p, i, at))
	}
	return nil
}

// lastPeer is the position of the last row that is equal to the row at a position by the order.
func (e *evaluator) lastPeer(p *partition, at int64) int64 {
	if e.peers.slot == p.slot && e.peers.group == e.group(p, at) {
		return e.peers.last
	}
	e.peers = peers{p.slot, e.group(p, at), at}
	for p.has(e.peers.last+1) && e.group(p, e.peers.last+1) == e.peers.group {
		e.peers.last++
	}
	return e.peers.last
}

// peers remembers the end of a group.
type peers struct {
	slot        int32
	group, last int64
}

// bucket is the bucket from 0 on of the row i of n when they are dealt out over a number of buckets, the first of which
// have one row more if they do not come out even.
func bucket(i, n, buckets int64) int64 {
	size, more := n/buckets, n%buckets
	if i < more*(size+1) {
		return i / (size + 1)
	}
	return more + (i-more*(size+1))/size
}

// behind gives the row that lag looks at, -1 if there is none.
func (e *evaluator) behind(p *partition, i int, at int64) int32 {
	c := &e.calls[i]
	if c.scans {
		s := &p.scans[i]
		e.scan(p, i, at)
		if int64(len(s.pins)) < c.n {
			return -1
		}
		return s.pins[0]
	}
	if r := at - c.n; r >= 1 {
		return p.row(r)
	}
	return -1
}

// scan lets a function look at the rows before a position that it has not seen.
func (e *evaluator) scan(p *partition, i int, until int64) {
	c, s := &e.calls[i], &p.scans[i]
	for ; s.at < until; s.at++ {
		id := p.row(s.at)
		if c.IgnoreNulls && e.isNull(id, c.Args[0]) {
			continue
		}
		s.count++
		keep := int64(1)
		switch c.kind {
		case firstValue:
			if s.count != 1 {
				continue
			}
		case nthValue:
			if s.count != c.n {
				continue
			}
		case lag:
			keep = c.n
		}
		s.pins = append(s.pins, e.pin(id))
		if int64(len(s.pins)) > keep {
			old := s.pins[0]
			s.pins = s.pins[:copy(s.pins, s.pins[1:])]
			e.unpin(p, old)
		}
	}
}

// framed gives the row whose value a function has of the frame of the row at a position, -1 if there is none.
func (e *evaluator) framed(p *partition, i int, at int64) int32 {
	c := &e.calls[i]
	f := &p.frames[c.frame]
	if c.scans {
		e.scan(p, i, f.hi)
		if s := &p.scans[i]; len(s.pins) > 0 {
			return s.pins[0]
		}
		return -1
	}
	from, until, keep := e.excluded(p, &e.frames[c.frame], f, at)
	if !c.IgnoreNulls && c.kind != lastValue && from >= until {
		if r := add(f.lo, c.n-1); r < f.hi {
			return p.row(r)
		}
		return -1
	}
	first, step, n := f.lo, int64(1), c.n
	if c.kind == lastValue {
		first, step = f.hi-1, -1
	}
	for r := first; r >= f.lo && r < f.hi; r += step {
		if r >= from && r < until && r != keep || c.IgnoreNulls && e.isNull(p.row(r), c.Args[0]) {
			continue
		}
		if n--; n == 0 {
			return p.row(r)
		}
	}
	return -1
}

// putNeighbour appends the value of another row, or the default for this one.
func (e *evaluator) putNeighbour(c *call, this, other int32) {
	if other < 0 && len(c.Args) > 1 {
		take(e.value(this, c.Args[1]), c.out)
		return
	}
	e.putValue(c, other)
}

func (e *evaluator) putValue(c *call, id int32) {
	if id < 0 {
		c.out.AppendNull()
		return
	}
	take(e.value(id, c.Args[0]), c.out)
}

// appendCount appends a number to a column of whatever integer type the plan gives it.
func appendCount(c *call, n int64) error {
	switch out := c.out.(type) {
	case *column.Fixed[int64]:
		out.Append(n)
	case *column.Fixed[uint64]:
		out.Append(uint64(n))
	case *column.Fixed[int32]:
		out.Append(int32(min(n, math.MaxInt32)))
	default:
		return fault.Internalf("%s cannot be a %s", c.Name, c.Type)
	}
	return nil
}
