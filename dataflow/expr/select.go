package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// Predicate finds the rows for which an expression is true. It belongs to one goroutine.
type Predicate struct {
	exec exec
	node *instance
	rows []int32
}

// selecter is a step that gives a selection without making a vector of booleans first.
type selecter interface {
	// selectTrue gives the rows of sel (all when nil) where the value is true; lent until the next batch.
	selectTrue(x *exec, sel []int32) ([]int32, error)
}

// CompilePredicate makes a predicate of n, a BOOL, over batches of schema in.
func CompilePredicate(n *Node, in *arrow.Schema, fs *Functions, opts ...Option) (*Predicate, error) {
	if n.Type.ID() != arrow.BOOL && !isNull(n.Type) {
		return nil, fault.Userf(CodeTypeMismatch, n.Span, "a condition is a BOOLEAN, this is %s", TypeName(n.Type))
	}
	p := &Predicate{exec: exec{clock: clock.System{}}}
	for _, o := range opts {
		o(&p.exec)
	}
	var err error
	p.node, err = newCompiler(in, fs).compile(n)
	return p, err
}

// Select gives the rows of b that count and for which the predicate is true, ascending; never nil. The memory is lent
// until the next Select.
func (p *Predicate) Select(b *column.Batch) ([]int32, error) {
	p.exec.begin(b)
	var err error
	var rows []int32
	if rows, p.rows, err = p.exec.selectTrue(p.node, b.Sel, p.rows); err != nil {
		return nil, err
	}
	return rows, nil
}

// selectTrue gives the rows of sel where i is true. Steps that cannot say so themselves are evaluated and their result
// read, into scratch, which is returned grown.
func (x *exec) selectTrue(i *instance, sel, scratch []int32) (rows, grown []int32, err error) {
	s, ok := i.step.(selecter)
	switch {
	case !ok || i.epoch == x.epoch:
		v, err := x.eval(i, sel)
		if err != nil {
			return nil, scratch, err
		}
		scratch = trueRows(scratch, v, sel, x.n)
		return scratch, scratch, nil
	case i.pickedEpoch == x.epoch:
		// The first call was for the rows of the scope; this one may be for fewer.
		scratch = intersect(scratch, i.picked, sel)
		return scratch, scratch, nil
	}
	if rows, err = s.selectTrue(x, sel); err != nil {
		return nil, scratch, err
	}
	i.pickedEpoch, i.sel, i.picked = x.epoch, sel, rows
	return rows, scratch, nil
}

// trueRows gives the rows of sel where v, a boolean vector or constant, is true.
func trueRows(dst []int32, v column.Vector, sel []int32, n int) []int32 {
	if c, ok := v.(*column.Const); ok {
		if c.IsNull() || !c.Value.(*column.Bool).Bits.Get(0) {
			return scratchRows(dst, 0)
		}
		return validRows(dst, nil, sel, n)
	}
	b := v.(*column.Bool)
	if b.Valid == nil {
		return validRows(dst, b.Bits, sel, n)
	}
	if sel == nil {
		return bitRowsAnd(dst, b.Bits, b.Valid, n)
	}
	dst = scratchRows(dst, len(sel))
	k := 0
	for _, r := range sel {
		dst[k] = r
		w := uint32(r) >> 6
		k += int(b.Bits[w] & b.Valid[w] >> (uint32(r) & 63) & 1)
	}
	return dst[:k]
}

// bitRowsAnd gives the numbers of the bits among the first n that are set in both.
func bitRowsAnd(dst []int32, a, b column.Bitmap, n int) []int32 {
	dst = scratchRows(dst, n)
	k := 0
	for i := range column.Words(n) {
		w := [1]uint64{a[i] & b[i]}
		rest := min(64, n-i*64)
		part := bitRows(dst[k:k:len(dst)], w[:], rest)
		for j := range part {
			part[j] += int32(i * 64)
		}
		k += len(part)
	}
	return dst[:k]
}
