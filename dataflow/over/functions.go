package over

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

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

// determined reports whether all that the results of the row at a position depend on is known.
func (o *over) determined(p *partition, at int64) bool {
	if o.complete {
		return true
	}
	for i := range o.calls {
		c := &o.calls[i]
		switch {
		case c.whole:
			return false
		case c.kind == lead:
			if at, ok := o.ahead(p, c, at); !ok || at >= p.end() {
				return false
			}
		}
	}
	for i := range o.frames {
		if !o.frameKnown(p, &o.frames[i], at) {
			return false
		}
	}
	return true
}

// frameKnown reports whether no row can come any more that belongs into the frame of a row.
func (o *over) frameKnown(p *partition, f *frame, at int64) bool {
	to := f.To
	switch {
	case to.Kind == graph.UnboundedFollowing:
		return false
	case to.Kind != graph.Following:
		return true
	case f.Unit == graph.Rows:
		return add(at, to.N) < p.end()
	case f.Unit == graph.Groups:
		return o.group(p, p.end()-1) >= add(o.group(p, at), to.N)
	}
	return add(o.rows.Time(p.row(at)), to.N) < o.progress.Watermark
}

// waits reports whether a row may have to wait for later ones.
func (o *over) waits() bool {
	for i := range o.calls {
		if o.calls[i].whole || o.calls[i].kind == lead {
			return true
		}
	}
	for i := range o.frames {
		if k := o.frames[i].To.Kind; k == graph.Following || k == graph.UnboundedFollowing {
			return true
		}
	}
	return false
}

// ahead is the position that lead looks at; false if there is none among the rows so far.
func (o *over) ahead(p *partition, c *call, at int64) (int64, bool) {
	if !c.IgnoreNulls || c.n == 0 {
		at = add(at, c.n)
		return at, at < p.end()
	}
	n := c.n
	for at++; at < p.end(); at++ {
		if !o.isNull(p.row(at), c.Args[0]) {
			if n--; n == 0 {
				return at, true
			}
		}
	}
	return 0, false
}

// value gives the encoded value of a column of a row.
func (o *over) value(id int32, col int) []byte {
	data := o.rows.Row(id)
	for i := range col {
		data = ordered.Skip(data, o.in.Field(i).Type)
	}
	return data
}

func (o *over) isNull(id int32, col int) bool { return o.value(id, col)[0] == 0 }

func take(data []byte, out column.Appender) []byte {
	rest, ok := state.TakeValue(data, out)
	if !ok {
		panic("over: a row that was kept cannot be decoded")
	}
	return rest
}

// put appends the results of the row at a position.
func (o *over) put(p *partition, at int64) error {
	for i := range o.frames {
		if err := o.move(p, i, at); err != nil {
			return err
		}
		f := &o.frames[i]
		if f.set == nil {
			continue
		}
		o.slot = append(o.slot[:0], p.frames[i].group)
		if err := f.groups.Result(o.slot, f.out); err != nil {
			return err
		}
	}
	for i := range o.calls {
		if err := o.call(p, i, at); err != nil {
			return err
		}
	}
	return nil
}

func (o *over) call(p *partition, i int, at int64) error {
	c := &o.calls[i]
	own := o.rows.Own(p.row(at))
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
		c.out.(*column.Fixed[float64]).Append(float64(o.lastPeer(p, at)) / float64(p.end()-1))
	case lag:
		o.putNeighbour(c, p.row(at), o.behind(p, i, at))
	case lead:
		id := int32(-1)
		if r, ok := o.ahead(p, c, at); ok {
			id = p.row(r)
		}
		o.putNeighbour(c, p.row(at), id)
	default:
		o.putValue(c, o.framed(p, i))
	}
	return nil
}

// lastPeer is the position of the last row that is equal to the row at a position by the order.
func (o *over) lastPeer(p *partition, at int64) int64 {
	if o.peers.slot == p.slot && o.peers.group == o.group(p, at) {
		return o.peers.last
	}
	o.peers = peers{p.slot, o.group(p, at), at}
	for p.has(o.peers.last+1) && o.group(p, o.peers.last+1) == o.peers.group {
		o.peers.last++
	}
	return o.peers.last
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
func (o *over) behind(p *partition, i int, at int64) int32 {
	c := &o.calls[i]
	if c.scans {
		s := &p.scans[i]
		o.scan(p, i, at)
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
func (o *over) scan(p *partition, i int, until int64) {
	c, s := &o.calls[i], &p.scans[i]
	for ; s.at < until; s.at++ {
		id := p.row(s.at)
		if c.IgnoreNulls && o.isNull(id, c.Args[0]) {
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
		s.pins = append(s.pins, o.pin(id))
		if int64(len(s.pins)) > keep {
			old := s.pins[0]
			s.pins = s.pins[:copy(s.pins, s.pins[1:])]
			o.unpin(p, old)
		}
	}
}

// framed gives the row whose value a function of the frame has, -1 if there is none.
func (o *over) framed(p *partition, i int) int32 {
	c := &o.calls[i]
	f := &p.frames[c.frame]
	if c.scans {
		o.scan(p, i, f.hi)
		if s := &p.scans[i]; len(s.pins) > 0 {
			return s.pins[0]
		}
		return -1
	}
	if c.kind == lastValue {
		for r := f.hi - 1; r >= f.lo; r-- {
			if id := p.row(r); !c.IgnoreNulls || !o.isNull(id, c.Args[0]) {
				return id
			}
		}
		return -1
	}
	n := c.n
	if !c.IgnoreNulls {
		if r := add(f.lo, n-1); r < f.hi {
			return p.row(r)
		}
		return -1
	}
	for r := f.lo; r < f.hi; r++ {
		if id := p.row(r); !o.isNull(id, c.Args[0]) {
			if n--; n == 0 {
				return id
			}
		}
	}
	return -1
}

// putNeighbour appends the value of another row, or the default for this one.
func (o *over) putNeighbour(c *call, this, other int32) {
	if other < 0 && len(c.Args) > 1 {
		take(o.value(this, c.Args[1]), c.out)
		return
	}
	o.putValue(c, other)
}

func (o *over) putValue(c *call, id int32) {
	if id < 0 {
		c.out.AppendNull()
		return
	}
	take(o.value(id, c.Args[0]), c.out)
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

// measure gives the value that range frames with distances measure, as a number that grows along the order.
func measure(v column.Vector, i int, desc bool) int64 {
	n := int64(0)
	switch c := v.(type) {
	case *column.Fixed[int64]:
		n = c.Values[i]
	case *column.Fixed[int32]:
		n = int64(c.Values[i])
		if c.DataType.ID() == arrow.DATE32 {
			n *= 24 * 60 * 60 * 1e9
		}
	case *column.Fixed[int16]:
		n = int64(c.Values[i])
	case *column.Fixed[int8]:
		n = int64(c.Values[i])
	case *column.Fixed[uint64]:
		n = int64(c.Values[i] ^ 1<<63)
	case *column.Fixed[uint32]:
		n = int64(c.Values[i])
	case *column.Fixed[uint16]:
		n = int64(c.Values[i])
	case *column.Fixed[uint8]:
		n = int64(c.Values[i])
	}
	if desc {
		n = ^n
	}
	return n
}

// measurable reports whether measure takes values of this type.
func measurable(dt arrow.DataType) bool {
	switch t := dt.(type) {
	case *arrow.TimestampType:
		return t.Unit == arrow.Nanosecond
	case *arrow.Time64Type:
		return t.Unit == arrow.Nanosecond
	case *arrow.Date32Type:
		return true
	}
	return arrow.IsInteger(dt.ID())
}
