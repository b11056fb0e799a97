package expr

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

const categoryList = "lists"

// maxElements bounds the lists that functions build: 16 Mi elements.
const maxElements = 16 << 20

func isList(dt arrow.DataType) bool { return dt.ID() == arrow.LIST }
func isMap(dt arrow.DataType) bool  { return dt.ID() == arrow.MAP }

// elemOf is the type of a list's elements.
func elemOf(dt arrow.DataType) arrow.DataType { return dt.(*arrow.ListType).Elem() }

// lists reads an argument of lists or maps that may be constant.
type lists struct {
	vec  *column.List
	mask int
}

func (a lists) isNull(r int) bool { return !a.vec.Valid.IsValid(r & a.mask) }

// span gives the elements of row r: from..to-1.
func (a lists) span(r int) (from, to int) {
	r &= a.mask
	return int(a.vec.Offsets[r]), int(a.vec.Offsets[r+1])
}

func (a lists) len(r int) int {
	from, to := a.span(r)
	return to - from
}

func listsOf(v column.Vector) lists {
	if c, ok := v.(*column.Const); ok {
		return lists{c.Value.(*column.List), 0}
	}
	return lists{v.(*column.List), -1}
}

func (c *call) list(i int) lists { return listsOf(c.args[i]) }

// value gives the vector of argument i and the row of it that stands for row r.
func (c *call) value(i, r int) (column.Vector, int) {
	if k, ok := c.args[i].(*column.Const); ok {
		return k.Value, 0
	}
	return c.args[i], r
}

// isNull reports whether argument i is null in row r.
func (c *call) isNull(i, r int) bool {
	v, r := c.value(i, r)
	return !v.Validity().IsValid(r)
}

// picker collects values of the arguments, or elements of them, that make a column; they are copied in runs.
type picker struct {
	// from says for every value where it is from: 3·i for argument i, 3·i+1 for the elements of its lists, 3·i+2 for the
	// elements of those; -1 for null.
	from []int32
	rows []int32
}

func (p *picker) reset() { p.from, p.rows = p.from[:0], p.rows[:0] }

func (p *picker) pick(from, row int) {
	p.from = append(p.from, int32(from))
	p.rows = append(p.rows, int32(row))
}

func (p *picker) null()            { p.pick(-1, 0) }
func (p *picker) value(i, row int) { p.pick(3*i, row) }
func (p *picker) elem(i, e int)    { p.pick(3*i+1, e) }
func (p *picker) deep(i, e int)    { p.pick(3*i+2, e) }

func (p *picker) elems(i, from, to int) {
	for ; from < to; from++ {
		p.elem(i, from)
	}
}

// flush copies what was picked to dst.
func (p *picker) flush(c *call, dst column.Appender) {
	for i := 0; i < len(p.from); {
		from, j := p.from[i], i+1
		for j < len(p.from) && p.from[j] == from {
			j++
		}
		if from < 0 {
			for range j - i {
				dst.AppendNull()
			}
		} else {
			dst.AppendSel(c.source(int(from)), p.rows[i:j])
		}
		i = j
	}
}

// source is the vector that a picker's number stands for.
func (c *call) source(from int) column.Vector {
	arg := c.args[from/3]
	if from%3 == 0 {
		return arg
	}
	elem := listsOf(arg).vec.Elem
	if from%3 == 1 {
		return elem
	}
	return elem.(*column.List).Elem
}

// listOut builds a column of lists from values that are picked: rows in ascending order, each ended by end or null.
type listOut struct {
	picker
	vec   *column.List
	valid column.Bitmap
}

func newListOut(dt arrow.DataType) *listOut {
	return &listOut{vec: column.NewAppender(dt).(*column.List)}
}

func (o *listOut) start(n int) {
	o.reset()
	o.vec.Reset()
	o.valid = o.valid.Resize(n)
	o.valid.ClearAll()
}

// skip leaves the rows up to r out: they are empty, and null.
func (o *listOut) skip(r int) {
	for len(o.vec.Offsets) <= r {
		o.vec.Offsets = append(o.vec.Offsets, int32(len(o.from)))
	}
}

// end closes the list of row r.
func (o *listOut) end(r int) {
	o.vec.Offsets = append(o.vec.Offsets, int32(len(o.from)))
	o.valid.Set(r)
}

func (o *listOut) finish(c *call) column.Vector {
	o.skip(c.n)
	o.flush(c, o.vec.Elem)
	o.vec.Valid = o.valid
	return o.vec
}

// listKernel makes kernels that give lists of picked values; f picks those of row r, or reports false for null.
func listKernel(f func(c *call, o *listOut, r int) (bool, error)) func(*Node) kernel {
	return func(n *Node) kernel {
		out := newListOut(n.Type)
		return func(c *call) (column.Vector, error) {
			out.start(c.n)
			err := c.each(func(r int) error {
				out.skip(r)
				before := len(out.from)
				ok, err := f(c, out, r)
				switch {
				case err != nil:
					return err
				case len(out.from)-before > maxElements:
					return c.tooMany()
				case ok:
					out.end(r)
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			return out.finish(c), nil
		}
	}
}

// tooMany is the fault of a list that would have more than maxElements.
func (c *call) tooMany() error {
	return c.fail(fault.CodeOverflow, "%s: the list would have more than 16 Mi elements", c.step.name).WithHint("keep lists short; unnest makes rows of elements")
}

// pickKernel makes kernels that give one picked value per row; f picks it or reports false for null.
func pickKernel(f func(c *call, p *picker, r int) (bool, error)) func(*Node) kernel {
	return func(n *Node) kernel {
		out := column.NewAppender(n.Type)
		var p picker
		return func(c *call) (column.Vector, error) {
			p.reset()
			out.Reset()
			err := c.each(func(r int) error {
				for len(p.from) < r {
					p.null()
				}
				ok, err := f(c, &p, r)
				if err == nil && !ok {
					p.null()
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			for len(p.from) < c.n {
				p.null()
			}
			p.flush(c, out)
			return out, nil
		}
	}
}

// padList appends nulls until a list of lists has n rows.
func padList(l *column.List, n int) {
	for l.Len() < n {
		l.AppendNull()
	}
}

// valuesKernel makes kernels that append to the elements of a list by themselves; f reports false for null.
func valuesKernel[E column.Appender](f func(c *call, elem E, r int) (bool, error)) func(*Node) kernel {
	return func(n *Node) kernel {
		out := column.NewAppender(n.Type).(*column.List)
		return func(c *call) (column.Vector, error) {
			out.Reset()
			err := c.each(func(r int) error {
				padList(out, r)
				before := out.Elem.Len()
				ok, err := f(c, out.Elem.(E), r)
				switch {
				case err != nil:
					return err
				case ok:
					out.Append()
				default:
					out.Elem.Truncate(before)
					out.AppendNull()
				}
				return nil
			})
			padList(out, c.n)
			return out, err
		}
	}
}

// optionalNumber makes kernels of functions to numbers that may be null.
func optionalNumber[T column.Value](f func(c *call, r int) (T, bool, error)) func(*Node) kernel {
	return func(*Node) kernel {
		out := &fixedOut[T]{}
		return func(c *call) (column.Vector, error) {
			o := out.start(c)
			err := c.each(func(r int) error {
				v, ok, err := f(c, r)
				if o.Values[r] = v; !ok {
					o.setNull(r)
				}
				return err
			})
			return &o.Fixed, err
		}
	}
}

// optionalTest makes kernels of functions to truth values that may be null.
func optionalTest(f func(c *call, r int) (v, ok bool, err error)) func(*Node) kernel {
	return func(*Node) kernel {
		out := &boolOut{}
		return func(c *call) (column.Vector, error) {
			o := out.start(c)
			err := c.each(func(r int) error {
				v, ok, err := f(c, r)
				o.Bits.SetTo(r, v)
				if !ok {
					o.setNull(r)
				}
				return err
			})
			return &o.Bool, err
		}
	}
}

// optionalText is textKernel for functions whose result may be null.
func optionalText(f func(c *call, dst []byte, r int) ([]byte, bool, error)) kernel {
	out := &bytesOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		err := c.each(func(r int) error {
			var ok bool
			var err error
			if o.buf, ok, err = f(c, o.buf[:0], r); err == nil && ok {
				o.Set(r, o.buf)
			} else {
				o.setNull(r)
			}
			return err
		})
		return &o.Bytes, err
	}
}

// binder resolves a call; see function.bind.
type binder = func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error)

// listFunction declares a function that sees nulls and may give null. Functions named array_x are named list_x, too.
func listFunction(name, takes, doc, example, result string, bind binder, mk func(n *Node) kernel) *function {
	f := &function{
		name: name, category: categoryList, doc: doc, example: example, result: result, takes: takes, callsNull: true,
		mayNull: true, bind: bind, make: mk,
	}
	if rest, ok := strings.CutPrefix(name, "array_"); ok {
		f.alias("list_" + rest)
	}
	return f
}

// listAlias adds names; those named array_x are there as list_x, too.
func (f *function) listAlias(names ...string) *function {
	for _, name := range names {
		f.alias(name)
		if rest, ok := strings.CutPrefix(name, "array_"); ok {
			f.alias("list_" + rest)
		}
	}
	return f
}

// withElem finds the common type of the elements of the arguments at lists and of the arguments at values, and converts
// them all. A null is a list of whatever is needed.
func (s *callSite) withElem(args []*Node, lists, values []int) ([]*Node, arrow.DataType, error) {
	var elem arrow.DataType = typeNull
	for _, i := range lists {
		switch dt := args[i].Type; {
		case isNull(dt):
		case !isList(dt):
			return nil, nil, s.mismatch(args)
		default:
			t, ok := CommonType(elem, elemOf(dt))
			if !ok {
				return nil, nil, s.mismatch(args)
			}
			elem = t
		}
	}
	for _, i := range values {
		if a := args[i]; a.Kind == Literal && !isNull(elem) && (fitsInteger(a, elem) || isText(a.Type) && canCoerce(a, elem)) {
			continue
		}
		t, ok := CommonType(elem, args[i].Type)
		if !ok {
			return nil, nil, s.mismatch(args)
		}
		elem = t
	}
	out := append([]*Node{}, args...)
	for _, i := range lists {
		c, err := CastTo(args[i], arrow.ListOf(elem), false, s.span)
		if err != nil {
			return nil, nil, err
		}
		out[i] = c
	}
	for _, i := range values {
		c, err := CastTo(args[i], elem, false, s.span)
		if err != nil {
			return nil, nil, err
		}
		out[i] = c
	}
	return out, elem, nil
}

// Places of arguments for bindElem.
const (
	atList  = 'l' // a list
	atValue = 'v' // a value of the type of the elements
	atInt   = 'i' // a BIGINT
	atText  = 't' // a TEXT
)

// bindElem binds functions of lists and values of one element type: shape has a letter per argument, those behind a '?'
// being optional, and a '*' behind the last one lets it repeat. result gives the type of the result from that of the
// elements.
func bindElem(shape string, result func(elem arrow.DataType) arrow.DataType) binder {
	repeat := strings.HasSuffix(shape, "*")
	shape = strings.TrimSuffix(shape, "*")
	least := strings.IndexByte(shape, '?')
	shape = strings.ReplaceAll(shape, "?", "")
	if least < 0 {
		least = len(shape)
	}
	return func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
		if len(args) < least || len(args) > len(shape) && !repeat {
			return nil, nil, s.mismatch(args)
		}
		var lists, values []int
		out := append([]*Node{}, args...)
		for i, a := range args {
			to := arrow.DataType(nil)
			switch shape[min(i, len(shape)-1)] {
			case atList:
				lists = append(lists, i)
			case atValue:
				values = append(values, i)
			case atInt:
				to = typeInt64
			case atText:
				to = typeText
			}
			if to == nil {
				continue
			}
			c, err := Coerce(a, to, s.span)
			if err != nil {
				return nil, nil, s.mismatch(args)
			}
			out[i] = c
		}
		out, elem, err := s.withElem(out, lists, values)
		if err != nil {
			return nil, nil, err
		}
		return out, result(elem), nil
	}
}

func listResult(elem arrow.DataType) arrow.DataType { return arrow.ListOf(elem) }
func elemResult(elem arrow.DataType) arrow.DataType { return elem }

func always(dt arrow.DataType) func(arrow.DataType) arrow.DataType {
	return func(arrow.DataType) arrow.DataType { return dt }
}
