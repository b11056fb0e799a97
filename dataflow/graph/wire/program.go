package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"math"

	"google.golang.org/protobuf/proto"

	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// FormatVersion is the version that Encode writes.
const FormatVersion = 1

// Encode gives the bytes of p: deterministic, so that equal programs have equal bytes. It fails on what a program must
// not hold, such as a negative column number or text that is not UTF-8.
func Encode(p *graph.Program) ([]byte, error) {
	var e encoder
	msg := e.program(p)
	if e.err != nil {
		return nil, e.err
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg)
	if err != nil {
		return nil, fault.Internalf("a program does not fit its format").WithCause(err)
	}
	return b, nil
}

// Decode reads what Encode wrote. Bytes that are no program, or one of a later format, give an error.
func Decode(b []byte) (*graph.Program, error) {
	var msg Program
	if err := proto.Unmarshal(b, &msg); err != nil {
		return nil, fault.Internalf("the bytes are not a program").WithCause(err)
	}
	if msg.Version != FormatVersion {
		return nil, fault.Internalf("the program has format version %d, this release reads %d", msg.Version, FormatVersion).
			WithHint("run the release that wrote it, or submit the query again")
	}
	var d decoder
	p := d.program(&msg)
	if d.err != nil {
		return nil, d.err
	}
	return p, nil
}

// Hash is the SHA-256 of p's bytes, in hexadecimal; "" for a program that Encode refuses.
func Hash(p *graph.Program) string {
	b, err := Encode(p)
	if err != nil {
		return ""
	}
	return HashBytes(b)
}

// HashBytes is Hash for a program that is encoded already.
func HashBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// encoder makes messages; it keeps the first error and goes on, so that the code reads like the format.
type encoder struct{ err error }

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fault.Internalf(format, args...)
	}
}

func (e *encoder) uint(n int) uint32 {
	if n < 0 || int64(n) > math.MaxInt32 {
		e.fail("the number %d does not fit a program", n)
		return 0
	}
	return uint32(n)
}

func (e *encoder) uints(ns []int) []uint32 {
	if len(ns) == 0 {
		return nil
	}
	out := make([]uint32, len(ns))
	for i, n := range ns {
		out[i] = e.uint(n)
	}
	return out
}

func (e *encoder) span(s fault.Span) *Span {
	if s.IsZero() {
		return nil
	}
	return &Span{Start: e.uint(s.Start), End: e.uint(s.End)}
}

func (e *encoder) program(p *graph.Program) *Program {
	msg := &Program{Version: FormatVersion, Sql: p.SQL}
	for i := range p.Nodes {
		msg.Nodes = append(msg.Nodes, e.node(&p.Nodes[i]))
	}
	for _, d := range p.Edges {
		msg.Edges = append(msg.Edges, &Edge{
			From: e.uint(d.From), To: e.uint(d.To), Input: e.uint(d.Input), Kind: e.edgeKind(d.Kind), Keys: e.uints(d.Keys),
		})
	}
	return msg
}

func (e *encoder) node(n *graph.Node) *Node {
	msg := &Node{
		Id:             n.ID,
		Description:    n.Description,
		MaxParallelism: e.uint(n.MaxParallelism),
		Out:            e.schema(n.Out),
		Mode:           Mode_MODE_APPEND,
		Span:           e.span(n.Span),
	}
	if n.Mode == graph.Updating {
		msg.Mode = Mode_MODE_UPDATING
	}
	e.spec(n, msg)
	return msg
}

func (e *encoder) edgeKind(k graph.EdgeKind) EdgeKind {
	switch k {
	case graph.Forward:
		return EdgeKind_EDGE_KIND_FORWARD
	case graph.Shuffle:
		return EdgeKind_EDGE_KIND_SHUFFLE
	}
	e.fail("no edge has the kind %d", k)
	return 0
}

// decoder makes the program; like encoder it keeps the first error and goes on.
type decoder struct{ err error }

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fault.Internalf("the program is damaged: "+format, args...)
	}
}

func (d *decoder) int(n uint32) int {
	if n > math.MaxInt32 {
		d.fail("the number %d is too large", n)
		return 0
	}
	return int(n)
}

func (d *decoder) ints(ns []uint32) []int {
	if len(ns) == 0 {
		return nil
	}
	out := make([]int, len(ns))
	for i, n := range ns {
		out[i] = d.int(n)
	}
	return out
}

func (d *decoder) span(s *Span) fault.Span {
	if s == nil {
		return fault.Span{}
	}
	return fault.Span{Start: d.int(s.Start), End: d.int(s.End)}
}

func (d *decoder) program(msg *Program) *graph.Program {
	p := &graph.Program{SQL: msg.Sql}
	ids := make(map[string]bool, len(msg.Nodes))
	for _, n := range msg.Nodes {
		if n.GetId() == "" || ids[n.GetId()] {
			d.fail("operator ids are missing or repeat")
			return p
		}
		ids[n.GetId()] = true
		p.Nodes = append(p.Nodes, d.node(n))
	}
	for _, e := range msg.Edges {
		p.Edges = append(p.Edges, d.edge(e, p.Nodes))
	}
	return p
}

func (d *decoder) node(msg *Node) graph.Node {
	n := graph.Node{
		ID:             msg.Id,
		Description:    msg.Description,
		MaxParallelism: d.int(msg.MaxParallelism),
		Out:            d.schema(msg.Out),
		Span:           d.span(msg.Span),
		Spec:           d.spec(msg),
	}
	switch msg.Mode {
	case Mode_MODE_APPEND:
		n.Mode = graph.Append
	case Mode_MODE_UPDATING:
		n.Mode = graph.Updating
	default:
		d.fail("no operator has the mode %d", msg.Mode)
	}
	return n
}

func (d *decoder) edge(msg *Edge, nodes []graph.Node) graph.Edge {
	e := graph.Edge{From: d.int(msg.From), To: d.int(msg.To), Input: d.int(msg.Input), Keys: d.ints(msg.Keys)}
	switch msg.Kind {
	case EdgeKind_EDGE_KIND_FORWARD:
		e.Kind = graph.Forward
	case EdgeKind_EDGE_KIND_SHUFFLE:
		e.Kind = graph.Shuffle
	default:
		d.fail("no edge has the kind %d", msg.Kind)
	}
	if e.From >= e.To || e.To >= len(nodes) {
		d.fail("an edge leads from operator %d to %d of %d", e.From, e.To, len(nodes))
		return e
	}
	out := nodes[e.From].Out
	if out == nil {
		d.fail("an edge leads out of the sink %q", nodes[e.From].ID)
		return e
	}
	for _, k := range e.Keys {
		if k >= out.NumFields() {
			d.fail("an edge has the key %d of %d columns", k, out.NumFields())
		}
	}
	return e
}
