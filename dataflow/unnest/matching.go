package unnest

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// matching puts constant rows beside rows that have their keys.
type matching struct {
	next  stage
	spec  *graph.LateralMatch
	table *column.Batch
	// first finds the first row with a key, behind which after leads to the others; −1 ends a list.
	first map[string]int32
	after []int32
	key   []byte
	// picked are the rows for the output at hand, beside which stand the rows from of part at, for the input rows origin.
	at                        *part
	picked, from, origin, all []int32
	times                     []int64
	columns                   []column.Appender
	result                    column.Batch
	out                       part
}

// cells bounds how many constants are computed at once.
const cells = 4096

func newMatching(s *graph.LateralStep, own *arrow.Schema, functions *expr.Functions, env operator.Env, next stage) (stage, error) {
	for _, k := range s.Match.Keep {
		if k >= own.NumFields() {
			return nil, fault.Internalf("a lateral query keeps column %d of %d", k, own.NumFields())
		}
	}
	rowsOnly := arrow.NewSchema(s.Out.Fields()[len(s.Match.Keep):], nil)
	m := &matching{next: next, spec: s.Match, first: map[string]int32{}, result: column.Batch{Schema: s.Out}}
	table := column.NewBuilder(rowsOnly, false)
	for rows := s.Match.Rows; len(rows) > 0; {
		n := min(len(rows), max(1, cells/max(1, len(rows[0]))))
		if err := expr.AppendConstants(rows[:n], functions, table, expr.WithClock(env.Clock)); err != nil {
			return nil, err
		}
		rows = rows[n:]
	}
	m.table = table.Batch()
	m.after = make([]int32, m.table.N)
	// From the last to the first, so that lists are in the order of the rows.
	for i := m.table.N - 1; i >= 0; i-- {
		m.after[i] = -1
		if !m.encode(m.table.Cols, s.Match.RowKeys, i) {
			continue
		}
		if k, ok := m.first[string(m.key)]; ok {
			m.after[i] = k
		}
		m.first[string(m.key)] = int32(i)
	}
	for _, f := range s.Out.Fields() {
		a := column.NewAppender(f.Type)
		m.columns = append(m.columns, a)
		m.result.Cols = append(m.result.Cols, a)
	}
	return m, nil
}

// encode makes the key of row i; false if it has a null that equals nothing.
func (m *matching) encode(cols []column.Vector, keys []int, i int) bool {
	m.key = m.key[:0]
	for k, c := range keys {
		if !cols[c].Validity().IsValid(i) && (m.spec.NullSafe == nil || !m.spec.NullSafe[k]) {
			return false
		}
		m.key = state.AppendValue(m.key, cols[c], i)
	}
	return true
}

func (m *matching) open(in *column.Batch) { m.next.open(in) }

func (m *matching) push(p *part) error {
	m.all, m.at = column.AllRows(m.all, p.rows.N), p
	for _, r := range p.rows.Selected(m.all) {
		if !m.encode(p.rows.Cols, m.spec.Keys, int(r)) {
			continue
		}
		k, ok := m.first[string(m.key)]
		for ; ok && k >= 0; k = m.after[k] {
			m.picked, m.from = append(m.picked, k), append(m.from, r)
			m.origin = append(m.origin, p.origin[r])
			m.times = append(m.times, p.rows.Time[r])
			if len(m.picked) == maxRows {
				if err := m.emit(); err != nil {
					return err
				}
			}
		}
	}
	return m.emit()
}

// emit passes on the rows picked so far.
func (m *matching) emit() error {
	if len(m.picked) == 0 {
		return nil
	}
	keep := len(m.spec.Keep)
	for i, c := range m.columns {
		c.Reset()
		if i < keep {
			gather(c, m.at.rows.Cols[m.spec.Keep[i]], m.from)
		} else {
			gather(c, m.table.Cols[i-keep], m.picked)
		}
	}
	m.result.N, m.result.Time = len(m.picked), m.times
	m.out = part{rows: &m.result, origin: m.origin}
	err := m.next.push(&m.out)
	m.picked, m.from, m.origin, m.times = m.picked[:0], m.from[:0], m.origin[:0], m.times[:0]
	return err
}

func (m *matching) end() error { return m.next.end() }
