package json

import (
	"unsafe"
)

// registration is what a Bytes column calls a piece of memory: the index of its buffer. It holds for one generation.
type registration struct {
	generation uint64
	buffer     uint32
}

// memory is where long strings lie that views point to: the region that the frame is a part of, and an arena for the
// strings that cannot stay there.
type memory struct {
	// region starts at an earlier frame and ends where that frame's underlying array does. Frames that a reader cuts from
	// one large buffer therefore lie in one region, and a column registers it once.
	region []byte
	base   unsafe.Pointer
	// offset is where the current frame starts in region; negative if the frame is not part of one.
	offset int
	// regions and arenas count up, so that registrations of earlier ones are known to be stale.
	regions, arenas uint64

	// chunks are the arena; chunk is the one being filled, up to filled.
	chunks [][]byte
	chunk  int
	filled int
}

const (
	// minRegion is how large a region must be. A reader that allocates per frame would otherwise make columns register a
	// buffer per row.
	minRegion = 16 << 10
	chunkSize = 64 << 10
)

func (m *memory) init() {
	m.regions, m.arenas = 1, 1
	m.chunks = [][]byte{make([]byte, chunkSize)}
}

// reset forgets the memory of the batch before, which has been used up.
func (m *memory) reset() {
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

// enter finds the region of a frame.
func (m *memory) enter(frame []byte) {
	p := unsafe.Pointer(unsafe.SliceData(frame))
	off := uintptr(p) - uintptr(m.base)
	if off < uintptr(len(m.region)) && off+uintptr(len(frame)) <= uintptr(len(m.region)) {
		m.offset = int(off)
		return
	}
	if cap(frame) < minRegion {
		m.offset = -1
		return
	}
	m.region = frame[:cap(frame):cap(frame)]
	m.base = p
	m.offset = 0
	m.regions++
}

// inlineMax is the length up to which a view holds its value inline.
const inlineMax = 12

// appendText appends to f's column the string between i and j of the text, which has no escapes.
func (d *Decoder) appendText(f *field, i, j int) {
	switch n := j - i; {
	case n <= inlineMax:
		f.bytes.Append(d.buf[i:j])
	case d.offset < 0 || uint64(d.offset+i) > 1<<32-1:
		d.appendCopy(f, d.buf[i:j])
	default:
		if f.frames.generation != d.regions {
			f.frames = registration{d.regions, f.bytes.AddBuffer(d.region)}
		}
		f.bytes.AppendShared(f.frames.buffer, uint32(d.offset+i), n)
	}
}

// appendCopy appends a copy of v, which lives in the arena if it is long.
func (d *Decoder) appendCopy(f *field, v []byte) {
	if len(v) <= inlineMax {
		f.bytes.Append(v)
		return
	}
	for d.filled+len(v) > len(d.chunks[d.chunk]) {
		d.nextChunk(len(v))
	}
	copy(d.chunks[d.chunk][d.filled:], v)
	if f.arena.generation != d.arenas {
		f.arena = registration{d.arenas, f.bytes.AddBuffer(d.chunks[d.chunk])}
	}
	f.bytes.AppendShared(f.arena.buffer, uint32(d.filled), len(v))
	d.filled += len(v)
}

func (m *memory) nextChunk(need int) {
	m.chunk++
	m.filled = 0
	m.arenas++
	if m.chunk == len(m.chunks) {
		m.chunks = append(m.chunks, make([]byte, max(chunkSize, need)))
	}
}
