package framing

import (
	"math"
	"unsafe"

	"wadi/dataflow/column"
)

// Memory gives text columns their bytes without a copy where it can: values that a decoder takes unchanged out of a frame
// stay where the frame is, and only their place is recorded. Other values are copied into an arena that is reused from
// batch to batch. It knows which frames lie in one buffer by their capacity, which reaches to the buffer's end.
type Memory struct {
	// region starts at an earlier frame and ends where that frame's buffer does; base is its address.
	region []byte
	base   unsafe.Pointer
	// offset is where the current frame starts in region; negative if the frame is not part of one.
	offset int
	// end is how far the frames so far reach into region.
	end int
	// regions and arenas count up, so that registrations of earlier ones are known to be stale.
	regions, arenas uint64

	// chunks are the arena; chunk is the one being filled, up to filled.
	chunks [][]byte
	chunk  int
	filled int
}

// Registration remembers, for one column, under which numbers the column knows a Memory's buffers. The zero value is
// ready.
type Registration struct{ frames, arena registration }

type registration struct {
	generation uint64
	buffer     uint32
}

const (
	// minRegion is how large a buffer must be to be shared. A reader that allocates per frame would otherwise make columns
	// register a buffer per row.
	minRegion = 16 << 10
	chunkSize = 64 << 10
	// inlineMax is the length up to which a view holds its value itself.
	inlineMax = 12
)

// NewMemory makes an empty memory.
func NewMemory() *Memory {
	return &Memory{regions: 1, arenas: 1, chunks: [][]byte{make([]byte, chunkSize)}}
}

// Reset says that the batch before has been used up and that its columns were reset.
func (m *Memory) Reset() {
	m.region, m.base = nil, nil
	m.regions++
	m.arenas++
	m.chunk, m.filled = 0, 0
	for i := range m.chunks {
		if len(m.chunks[i]) > 4*chunkSize {
			m.chunks[i] = make([]byte, chunkSize)
		}
	}
}

// Enter makes frame the current one. It must stay as it is until the batch has been used up.
func (m *Memory) Enter(frame []byte) {
	p := unsafe.Pointer(unsafe.SliceData(frame))
	off := uintptr(p) - uintptr(m.base)
	if size := uintptr(len(m.region)); off < size && off+uintptr(len(frame)) <= size {
		m.offset = int(off)
		m.end = max(m.end, m.offset+len(frame))
		return
	}
	if cap(frame) < minRegion {
		m.offset = -1
		return
	}
	m.region = frame[:cap(frame):cap(frame)]
	m.base = p
	m.offset, m.end = 0, len(frame)
	m.regions++
}

// Append appends v, which stands at position at of the current frame, to c.
func (m *Memory) Append(c *column.Bytes, r *Registration, v []byte, at int) {
	switch {
	case len(v) <= inlineMax:
		c.Append(v)
	case m.offset < 0 || m.offset+at > math.MaxUint32-len(v):
		m.AppendCopy(c, r, v)
	default:
		if r.frames.generation != m.regions {
			r.frames = registration{m.regions, c.AddBuffer(m.region)}
		}
		c.AppendShared(r.frames.buffer, uint32(m.offset+at), len(v))
	}
}

// AppendCopy appends a copy of v to c.
func (m *Memory) AppendCopy(c *column.Bytes, r *Registration, v []byte) {
	if len(v) <= inlineMax {
		c.Append(v)
		return
	}
	for m.filled+len(v) > len(m.chunks[m.chunk]) {
		m.nextChunk(len(v))
	}
	copy(m.chunks[m.chunk][m.filled:], v)
	if r.arena.generation != m.arenas {
		r.arena = registration{m.arenas, c.AddBuffer(m.chunks[m.chunk])}
	}
	c.AppendShared(r.arena.buffer, uint32(m.filled), len(v))
	m.filled += len(v)
}

// Trim says that c takes no more values until the next Reset: its newest buffers end where its values do, so that c's
// size is not that of a whole, hardly used buffer.
func (m *Memory) Trim(c *column.Bytes, r *Registration) {
	if r.frames.generation == m.regions {
		c.Buffers[r.frames.buffer] = m.region[:m.end:m.end]
	}
	if r.arena.generation == m.arenas {
		c.Buffers[r.arena.buffer] = m.chunks[m.chunk][:m.filled:m.filled]
	}
}

func (m *Memory) nextChunk(need int) {
	m.chunk++
	m.filled = 0
	m.arenas++
	if m.chunk == len(m.chunks) {
		m.chunks = append(m.chunks, make([]byte, max(chunkSize, need)))
	}
}
