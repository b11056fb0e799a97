package agg

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

func resolveAny(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 1 {
		return Resolved{}, false
	}
	return one(sortable(args[0]), sortable(args[0])), true
}

func resolveArray(args []arrow.DataType) (Resolved, bool) {
	r, ok := resolveAny(args)
	if ok {
		r.Type = arrow.ListOf(r.Type)
	}
	return r, ok
}

func resolveString(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 1 {
		return Resolved{}, false
	}
	switch {
	case classOf(args[0]) == nullClass:
		return one(arrow.BinaryTypes.String, arrow.BinaryTypes.String), true
	case storage(args[0]).ID() == arrow.STRING:
		return one(args[0], arrow.BinaryTypes.String), true
	}
	switch classOf(args[0]) {
	case signedClass, unsignedClass, floatClass, decimalClass, wordClass, intervalClass:
		return one(arrow.BinaryTypes.String, arrow.BinaryTypes.String), true
	}
	return Resolved{}, false
}

func damaged(name string) error {
	return fault.Internalf("stored state of aggregate %s cannot be decoded", name).
		WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
}

// array is array_agg.
type array struct {
	bag
	name string
}

func compileArray(c *Call, retract bool) accumulator {
	return &array{newBag(c, retract, false), c.Name}
}

func (a *array) result(s states, slots []int32, out column.Appender) error {
	o := out.(*column.List)
	for _, slot := range slots {
		entries := a.sorted(s, slot)
		if len(entries) == 0 {
			o.AppendNull()
			continue
		}
		for _, e := range entries {
			if _, ok := takeKey(a.code.valueOf(e), o.Elem); !ok {
				return damaged(a.name)
			}
		}
		o.Append()
	}
	return nil
}

// text is string_agg.
type text struct {
	bag
	name, separator string
	value           *column.Bytes
	joined          []byte
}

func compileString(c *Call, retract bool) accumulator {
	return &text{
		bag: newBag(c, retract, true), name: c.Name, separator: c.Params[0].(string), value: column.NewBytes(arrow.BinaryTypes.String),
	}
}

func (a *text) result(s states, slots []int32, out column.Appender) error {
	for _, slot := range slots {
		entries := a.sorted(s, slot)
		if len(entries) == 0 {
			out.AppendNull()
			continue
		}
		a.joined = a.joined[:0]
		for i, e := range entries {
			a.value.Reset()
			if _, ok := takeKey(a.code.valueOf(e), a.value); !ok {
				return damaged(a.name)
			}
			if i > 0 {
				a.joined = append(a.joined, a.separator...)
			}
			a.joined = append(a.joined, a.value.At(0)...)
		}
		out.(*column.Bytes).Append(a.joined)
	}
	return nil
}

// nth is nth_value.
type nth struct {
	bag
	name string
	n    int64
}

func compileNth(c *Call, retract bool) accumulator {
	return &nth{newBag(c, retract, false), c.Name, c.Params[0].(int64)}
}

func (a *nth) result(s states, slots []int32, out column.Appender) error {
	for _, slot := range slots {
		entries := a.sorted(s, slot)
		i := a.n - 1
		if a.n < 0 {
			i = int64(len(entries)) + a.n
		}
		if i < 0 || i >= int64(len(entries)) {
			out.AppendNull()
			continue
		}
		if _, ok := takeKey(a.code.valueOf(entries[i]), out); !ok {
			return damaged(a.name)
		}
	}
	return nil
}

func compileFirst(c *Call, retract bool) accumulator { return newEdge(c, retract, false) }
func compileLast(c *Call, retract bool) accumulator  { return newEdge(c, retract, true) }

// newEdge takes first_value and last_value as the least and the greatest entry.
func newEdge(c *Call, retract, last bool) accumulator {
	plain := *c
	plain.Distinct = false
	if retract {
		return &edgeOfSet{newBag(&plain, true, false), c.Name, last}
	}
	binary := arrow.BinaryTypes.Binary
	return &edge{
		bytesExtreme: bytesExtreme{max: last}, name: c.Name, code: newEntryCode(&plain),
		keys: column.NewBytes(binary), best: column.NewBytes(binary),
	}
}

// edge keeps only the least or the greatest entry.
type edge struct {
	bytesExtreme
	name string
	code entryCode
	keys *column.Bytes
	rows []int32
	in   input
	best *column.Bytes
	buf  []byte
}

func (a *edge) update(s states, in *input) error {
	a.keys.Reset()
	a.rows = column.AllRows(a.rows, len(in.rows))
	for _, r := range in.rows {
		a.buf = a.code.append(a.buf[:0], in, int(r))
		a.keys.Append(a.buf)
	}
	a.in.cols, a.in.slots, a.in.rows = append(a.in.cols[:0], a.keys), in.slots, a.rows
	return a.bytesExtreme.update(s, &a.in)
}

func (a *edge) result(s states, slots []int32, out column.Appender) error {
	a.best.Reset()
	if err := a.bytesExtreme.result(s, slots, a.best); err != nil {
		return err
	}
	for i := range slots {
		if !a.best.Valid.IsValid(i) {
			out.AppendNull()
			continue
		}
		if _, ok := takeKey(a.code.valueOf(a.best.At(i)), out); !ok {
			return damaged(a.name)
		}
	}
	return nil
}

// edgeOfSet keeps all entries, since the least or the greatest one may be retracted.
type edgeOfSet struct {
	bag
	name string
	last bool
}

func (a *edgeOfSet) result(s states, slots []int32, out column.Appender) error {
	m := s.side.(*multiset)
	for _, slot := range slots {
		a.settle(m, s, slot)
		e := m.extreme(int32(s.w[int(slot)*s.stride]), a.last)
		if e < 0 {
			out.AppendNull()
			continue
		}
		if _, ok := takeKey(a.code.valueOf(entryBytes(m.table, e)), out); !ok {
			return damaged(a.name)
		}
	}
	return nil
}
