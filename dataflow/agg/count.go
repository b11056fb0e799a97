package agg

import (
	"wadi/dataflow/column"
)

// count counts rows in which none of the arguments is null. One word.
type count struct {
	args []int
}

func compileCount(c *Call, _ bool) accumulator { return &count{args: c.Args} }

func (a *count) words() int       { return 1 }
func (a *count) invertible() bool { return true }
func (a *count) newSide() side    { return nil }

func (a *count) update(s states, in *input) error {
	var valid column.Bitmap
	nullable := 0
	for _, c := range a.args {
		if v := in.cols[c].Validity(); v != nil {
			valid = v
			nullable++
		}
	}
	switch {
	case nullable > 1:
		a.updateMany(s, in)
	case valid == nil && in.change == nil:
		w, stride := s.w, s.stride
		for _, slot := range in.slots {
			w[int(slot)*stride]++
		}
	default:
		for j, r := range in.rows {
			if valid.IsValid(int(r)) {
				s.w[int(in.slots[j])*s.stride] += sign(in.change, r)
			}
		}
	}
	return nil
}

func (a *count) updateMany(s states, in *input) {
next:
	for j, r := range in.rows {
		for _, c := range a.args {
			if !in.cols[c].Validity().IsValid(int(r)) {
				continue next
			}
		}
		s.w[int(in.slots[j])*s.stride] += sign(in.change, r)
	}
}

// sign is the change of row r: 1 or -1.
func sign(change []column.Change, r int32) int64 {
	if change == nil {
		return 1
	}
	return int64(change[r])
}

func (a *count) merge(s states, to []int32, src states, from []int32, sign int64) error {
	for i, t := range to {
		s.w[int(t)*s.stride] += sign * src.w[int(from[i])*src.stride]
	}
	return nil
}

func (a *count) result(s states, slots []int32, out column.Appender) error {
	o := out.(*column.Fixed[int64])
	if o.Valid != nil {
		for _, slot := range slots {
			o.Append(s.w[int(slot)*s.stride])
		}
		return nil
	}
	for _, slot := range slots {
		o.Values = append(o.Values, s.w[int(slot)*s.stride])
	}
	return nil
}
