package join_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/join"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
)

// nearModel is what an interval join must have put out so far.
type nearModel struct {
	on           *graph.JoinOn
	lower, upper int64
	rows         [2][]aRow
	mark         int64
	late         int64
}

func (m *nearModel) near(l, r *aRow) bool {
	return r.time >= l.time+m.lower && r.time <= l.time+m.upper
}

// hopeless reports whether a key is null that equals nothing.
func (m *nearModel) hopeless(r *aRow) bool {
	for k := range m.on.LeftKeys {
		null := k == 0 && r.a == nil || k == 1 && r.b == nil
		if null && !(m.on.NullSafe != nil && m.on.NullSafe[k]) && !(k == 0 && m.on.NullAware) {
			return true
		}
	}
	return false
}

// settled reports whether nothing that is still to come can match a row.
func (m *nearModel) settled(port int, r *aRow) bool {
	reach := m.upper
	if port == 1 {
		reach = -m.lower
	}
	return m.hopeless(r) || m.mark == operator.EndOfTime || r.time+reach < m.mark
}

// want is the join of what has come, without the rows that wait for a match.
func (m *nearModel) want() map[string]int {
	all := batchJoin(m.on, m.rows[0], m.rows[1], m.near)
	for port := range m.rows {
		if m.on.Kind == graph.SemiJoin {
			break
		}
		for i := range m.rows[port] {
			r := &m.rows[port][i]
			if m.settled(port, r) {
				continue
			}
			line := fmt.Sprintf("%s|%s @%d", r.show(0), (*aRow)(nil).show(1), r.time)
			switch {
			case m.on.Kind == graph.AntiJoin && port == 0:
				line = fmt.Sprintf("%s| @%d", r.show(0), r.time)
			case port == 1:
				line = fmt.Sprintf("%s|%s @%d", (*aRow)(nil).show(0), r.show(1), r.time)
			}
			if m.alone(port, r) {
				all[line]--
			}
		}
	}
	return all
}

// alone reports whether a row goes out by itself when it is settled.
func (m *nearModel) alone(port int, r *aRow) bool {
	switch m.on.Kind {
	case graph.LeftJoin, graph.AntiJoin:
		if port == 1 {
			return false
		}
	case graph.RightJoin:
		if port == 0 {
			return false
		}
	case graph.InnerJoin, graph.SemiJoin:
		return false
	}
	for i := range m.rows[1-port] {
		l, o := r, &m.rows[1-port][i]
		if port == 1 {
			l, o = o, l
		}
		if m.near(l, o) && matches(m.on, l, o) {
			return false
		}
	}
	return true
}

// Whatever the order of the two inputs and the watermarks, an interval join puts out every pair once, and every row without
// a match once, when the watermark says so, and never behind the watermark that it passed on.
func TestIntervalJoinIsTheNestedLoop(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		on := drawOn(rt)
		m := &nearModel{on: &on, mark: math.MinInt64}
		m.lower = int64(rapid.IntRange(-8, 8).Draw(rt, "lower"))
		m.upper = m.lower + int64(rapid.IntRange(0, 10).Draw(rt, "width"))
		window := rapid.IntRange(0, 3).Draw(rt, "window") == 0
		if window {
			m.lower, m.upper = 0, 0
		}
		c := newCluster(rt, &on, false, func(env operator.Env) (operator.Operator, error) {
			if window {
				return join.NewWindow(&graph.WindowJoinSpec{JoinOn: on}, inputs, expr.Builtin(), env)
			}
			return join.NewInterval(&graph.IntervalJoinSpec{JoinOn: on, Lower: m.lower, Upper: m.upper}, inputs, expr.Builtin(), env)
		})
		c.Start(rapid.IntRange(1, 3).Draw(rt, "parallelism"))
		at := int64(0)
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			switch rapid.IntRange(0, 8).Draw(rt, "step") {
			case 0:
				c.Checkpoint()
			case 1:
				c.Checkpoint()
				c.Start(rapid.IntRange(1, 3).Draw(rt, "parallelism"))
			case 2, 3, 4:
				m.mark = max(m.mark, at-int64(rapid.IntRange(-3, 8).Draw(rt, "delay")))
				c.Watermark(m.mark)
			default:
				port := rapid.IntRange(0, 1).Draw(rt, "port")
				b := column.NewBuilder(inputs[port], false)
				for range rapid.IntRange(1, 8).Draw(rt, "rows") {
					at += int64(rapid.IntRange(0, 2).Draw(rt, "ahead"))
					r := drawRow(rt, port)
					r.time = at - int64(rapid.IntRange(0, 6).Draw(rt, "behind"))
					appendRow(b, port, r, column.Insert)
					if r.time < m.mark {
						m.late++
					} else {
						m.rows[port] = append(m.rows[port], r)
					}
				}
				c.send(port, b)
			}
			c.compare(rt, m)
		}
		m.mark = operator.EndOfTime
		c.Watermark(m.mark)
		c.compare(rt, m)
		for i, o := range c.Outs {
			if o.Mark != operator.EndOfTime {
				rt.Fatalf("subtask %d passed on %d at the end", i, o.Mark)
			}
		}
		if n := c.Late(); n != m.late {
			rt.Fatalf("%d late rows, want %d", n, m.late)
		}
	})
}

// compare looks at what has come out; the watermark that went on lags behind by no more than a match may.
func (c *cluster) compare(t *rapid.T, m *nearModel) {
	if d := operatortest.Difference(c.Outs[0].Rows, m.want()); d != "" {
		t.Fatalf("%s join within %d..%d at %d, keys %v, null safe %v, null aware %v, residual %v:\n%s",
			m.on.Kind, m.lower, m.upper, m.mark, m.on.LeftKeys, m.on.NullSafe, m.on.NullAware, m.on.Residual != nil, d)
	}
	for i, o := range c.Outs {
		if m.mark > math.MinInt64/2 && m.mark < operator.EndOfTime && o.Mark > m.mark {
			t.Fatalf("subtask %d passed on %d at %d", i, o.Mark, m.mark)
		}
	}
}
