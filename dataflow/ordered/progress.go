package ordered

import (
	"encoding/binary"
	"math"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// EndOfTime is the watermark after the last row; it passes every event time.
const EndOfTime = math.MaxInt64

// Progress is how far event time has come: the watermark, and for ranges of keys that a restored subtask had taken
// further, theirs. Rows before it are late, and their results have gone out.
type Progress struct {
	// Watermark is the one that holds for all keys.
	Watermark int64
	ahead     []reached
}

type reached struct {
	keys      column.KeyRange
	watermark int64
}

// NewProgress is the progress before the first watermark.
func NewProgress() Progress { return Progress{Watermark: math.MinInt64} }

// Passed reports whether the watermark has passed rows of this hash and time, so that one that comes now is late.
func (p *Progress) Passed(hash uint64, time int64) bool {
	if passes(p.Watermark, time) {
		return true
	}
	for _, a := range p.ahead {
		if a.keys.Contains(hash) && passes(a.watermark, time) {
			return true
		}
	}
	return false
}

func passes(w, time int64) bool { return time < w || w == EndOfTime }

// Advance takes over a watermark; false if it is none that is new.
func (p *Progress) Advance(w int64) bool {
	if w <= p.Watermark {
		return false
	}
	p.Watermark = w
	kept := p.ahead[:0]
	for _, a := range p.ahead {
		if a.watermark > w {
			kept = append(kept, a)
		}
	}
	p.ahead = kept
	return true
}

// Save writes the progress of the subtask that owns these keys to a global table.
func (p *Progress) Save(w state.Writer, table string, subtask int, keys column.KeyRange) {
	for i, a := range append([]reached{{keys, p.Watermark}}, p.ahead...) {
		key := binary.BigEndian.AppendUint32(nil, uint32(subtask))
		var b []byte
		for _, v := range []uint64{a.keys.First, a.keys.Last, uint64(a.watermark)} {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		w.Global(table, binary.BigEndian.AppendUint32(key, uint32(i)), b)
	}
}

// LoadProgress reads the progress of the subtasks that owned these keys: it goes on from the one furthest behind.
func LoadProgress(r state.Reader, table string, keys column.KeyRange) (Progress, error) {
	p := Progress{Watermark: EndOfTime}
	err := r.Global(table, func(_, b []byte) error {
		if len(b) != 24 {
			return fault.Internalf("stored progress of event time cannot be decoded").
				WithHint("start the pipeline from an empty state directory")
		}
		at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
		a := reached{column.KeyRange{First: max(at(0), keys.First), Last: min(at(1), keys.Last)}, int64(at(2))}
		if a.keys.First <= a.keys.Last {
			p.ahead = append(p.ahead, a)
			p.Watermark = min(p.Watermark, a.watermark)
		}
		return nil
	})
	if len(p.ahead) == 0 {
		p.Watermark = math.MinInt64
	}
	kept := p.ahead[:0]
	for _, a := range p.ahead {
		if a.watermark > p.Watermark {
			kept = append(kept, a)
		}
	}
	p.ahead = kept
	return p, err
}
