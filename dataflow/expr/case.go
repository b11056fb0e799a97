package expr

import (
	"wadi/dataflow/column"
)

// caseStep evaluates CASE, COALESCE and their relatives: every branch for the rows that take it only.
type caseStep struct {
	branches []caseBranch
	// rest is the ELSE; nil for NULL.
	rest *instance
	out  assigner
}

type caseBranch struct {
	when, then *instance
	// rows are those that take the branch, left those that go on.
	rows, left, scratch []int32
}

func (c *compiler) caseStep(n *Node) (step, error) {
	s := &caseStep{out: newAssigner(n.Type)}
	args := n.Args
	opened := 0
	defer func() {
		for range opened {
			c.close()
		}
	}()
	for len(args) >= 2 {
		var b caseBranch
		var err error
		if b.when, err = c.compile(args[0]); err != nil {
			return nil, err
		}
		if b.then, err = c.compileNarrow(args[1]); err != nil {
			return nil, err
		}
		s.branches = append(s.branches, b)
		args = args[2:]
		c.open()
		opened++
	}
	if len(args) == 1 {
		var err error
		if s.rest, err = c.compile(args[0]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *caseStep) eval(x *exec, sel []int32) (column.Vector, error) {
	s.out.start(x.n)
	for i := range s.branches {
		b := &s.branches[i]
		rows, scratch, err := x.selectTrue(b.when, sel, b.scratch)
		b.scratch = scratch
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			v, err := x.eval(b.then, rows)
			if err != nil {
				return nil, err
			}
			s.out.assign(v, rows)
		}
		b.left = without(b.left, sel, rows, x.n)
		if sel = b.left; len(sel) == 0 {
			return s.out.result(), nil
		}
	}
	if s.rest == nil {
		s.out.setNull(sel)
		return s.out.result(), nil
	}
	v, err := x.eval(s.rest, sel)
	if err != nil {
		return nil, err
	}
	s.out.assign(v, sel)
	return s.out.result(), nil
}

// coalesceStep gives the first argument that is not null.
type coalesceStep struct {
	args []*instance
	left [][]int32
	rows []int32
	out  assigner
}

func newCoalesceStep(c *compiler, n *Node) (step, error) {
	s := &coalesceStep{out: newAssigner(n.Type), left: make([][]int32, len(n.Args))}
	for i, a := range n.Args {
		inst, err := c.compile(a)
		if err != nil {
			return nil, err
		}
		s.args = append(s.args, inst)
		if i < len(n.Args)-1 {
			c.open()
			defer c.close()
		}
	}
	return s, nil
}

func (s *coalesceStep) eval(x *exec, sel []int32) (column.Vector, error) {
	s.out.start(x.n)
	for i, a := range s.args {
		v, err := x.eval(a, sel)
		if err != nil {
			return nil, err
		}
		c, constant := v.(*column.Const)
		switch {
		case constant && c.IsNull():
			continue
		case i == 0 && !constant && v.Validity() == nil:
			return v, nil
		case constant || v.Validity() == nil:
			s.out.assign(v, sel)
			return s.out.result(), nil
		}
		s.rows = validRows(s.rows, v.Validity(), sel, x.n)
		s.out.assign(v, s.rows)
		s.left[i] = invalidRows(s.left[i], v.Validity(), sel, x.n)
		if sel = s.left[i]; len(sel) == 0 {
			return s.out.result(), nil
		}
	}
	s.out.setNull(sel)
	return s.out.result(), nil
}
