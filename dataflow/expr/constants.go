package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// AppendConstants computes rows of expressions that look at no columns, and appends them to a builder of their types with
// the Unix epoch as their time.
func AppendConstants(rows [][]*Node, fs *Functions, out *column.Builder, opts ...Option) error {
	var cells []*Node
	for _, r := range rows {
		cells = append(cells, r...)
	}
	e, err := Compile(cells, arrow.NewSchema(nil, nil), fs, opts...)
	if err != nil {
		return err
	}
	cols, err := e.Eval(&column.Batch{N: 1, Time: []int64{0}})
	if err != nil {
		return err
	}
	first := []int32{0}
	for i, c := range cols {
		out.Column(i%len(rows[0])).AppendSel(c, first)
	}
	for range rows {
		out.AppendTime(0, column.Insert)
	}
	return nil
}
