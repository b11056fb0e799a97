package column

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// View is one string or binary value in Arrow's view layout: 4 bytes of length; values of up to 12 bytes follow inline,
// longer ones have a 4-byte prefix, the index of a buffer and an offset in it.
type View struct {
	len    uint32
	prefix uint32
	buffer uint32
	offset uint32
}

const inlineMax = 12

// Len is the value's length in bytes.
func (v *View) Len() int { return int(v.len) }

// Bytes is a column of strings or byte strings: TEXT, BYTEA, JSON. Views may point into buffers that are shared with
// other columns; nobody writes into a filled part of a buffer.
type Bytes struct {
	DataType arrow.DataType
	Views    []View
	Buffers  [][]byte
	Valid    Bitmap
	// shared is set while Buffers may hold memory of others, which Reset must not reuse; the first foreign of them are
	// another column's, which fills the rest of them itself.
	shared  bool
	foreign int
}

// bufferSize is the size of the buffers that a Bytes column makes for itself.
const bufferSize = 64 << 10

// NewBytes makes an empty column of this type.
func NewBytes(dt arrow.DataType) *Bytes { return &Bytes{DataType: dt} }

// Type implements Vector.
func (b *Bytes) Type() arrow.DataType { return b.DataType }

// Len implements Vector.
func (b *Bytes) Len() int { return len(b.Views) }

// Validity implements Vector.
func (b *Bytes) Validity() Bitmap { return b.Valid }

// Size implements Vector.
func (b *Bytes) Size() int {
	n := 16*len(b.Views) + 8*len(b.Valid)
	for _, buf := range b.Buffers {
		n += len(buf)
	}
	return n
}

// At gives value i, borrowed: it must not be written and lives as long as the column does.
func (b *Bytes) At(i int) []byte {
	v := &b.Views[i]
	if v.len <= inlineMax {
		return unsafe.Slice((*byte)(unsafe.Pointer(&v.prefix)), v.len)
	}
	return b.Buffers[v.buffer][v.offset : v.offset+v.len : v.offset+v.len]
}

// Str gives value i as a string, borrowed like At.
func (b *Bytes) Str(i int) string {
	v := &b.Views[i]
	if v.len <= inlineMax {
		return unsafe.String((*byte)(unsafe.Pointer(&v.prefix)), v.len)
	}
	return unsafe.String(&b.Buffers[v.buffer][v.offset], v.len)
}

// Resize makes b n rows long with empty values, no nulls and no buffers in use, reusing its memory.
func (b *Bytes) Resize(n int) {
	b.Reset()
	if cap(b.Views) < n {
		b.Views = make([]View, n, n+n/4)
		return
	}
	b.Views = b.Views[:n]
	clear(b.Views)
}

// Append appends a copy of v.
func (b *Bytes) Append(v []byte) {
	b.Views = append(b.Views, View{})
	b.Set(len(b.Views)-1, v)
	b.markValid()
}

// AppendString appends a copy of v.
func (b *Bytes) AppendString(v string) { b.Append(unsafe.Slice(unsafe.StringData(v), len(v))) }

func (b *Bytes) markValid() {
	if b.Valid != nil {
		b.Valid = b.Valid.Grow(len(b.Views))
		b.Valid.Set(len(b.Views) - 1)
	}
}

// Set makes value i a copy of v. Bytes of an earlier value stay in their buffer until Reset.
func (b *Bytes) Set(i int, v []byte) {
	view := &b.Views[i]
	*view = View{len: uint32(len(v))}
	if len(v) <= inlineMax {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&view.prefix)), inlineMax), v)
		return
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&view.prefix)), 4), v)
	view.buffer, view.offset = b.store(v)
}

// SetString makes value i a copy of v.
func (b *Bytes) SetString(i int, v string) { b.Set(i, unsafe.Slice(unsafe.StringData(v), len(v))) }

// store copies v into the newest buffer of b's own, making one when it has no room.
func (b *Bytes) store(v []byte) (buffer, offset uint32) {
	k := len(b.Buffers) - 1
	if k < b.foreign || cap(b.Buffers[k])-len(b.Buffers[k]) < len(v) {
		b.Buffers = nextBuffer(b.Buffers, len(v))
		k = len(b.Buffers) - 1
	}
	off := len(b.Buffers[k])
	b.Buffers[k] = append(b.Buffers[k], v...)
	return uint32(k), uint32(off)
}

// nextBuffer adds an empty buffer with room for need bytes, preferring memory kept behind the slice's length by Reset.
func nextBuffer(bufs [][]byte, need int) [][]byte {
	if len(bufs) < cap(bufs) {
		if kept := bufs[:len(bufs)+1]; cap(kept[len(bufs)]) >= need {
			kept[len(bufs)] = kept[len(bufs)][:0]
			return kept
		}
	}
	return append(bufs, make([]byte, 0, max(bufferSize, need)))
}

// AddBuffer lets views point into buf without copying; it returns the buffer's index for AppendShared and SetShared. buf
// must not change while b is in use. It is meant for readers whose views point into the bytes that they read.
func (b *Bytes) AddBuffer(buf []byte) uint32 {
	b.shared = true
	b.Buffers = append(b.Buffers, buf[:len(buf):len(buf)])
	return uint32(len(b.Buffers) - 1)
}

// AppendShared appends the n bytes at offset of a buffer added with AddBuffer.
func (b *Bytes) AppendShared(buffer, offset uint32, n int) {
	b.Views = append(b.Views, View{})
	b.SetShared(len(b.Views)-1, buffer, offset, n)
	b.markValid()
}

// SetShared makes value i the n bytes at offset of a buffer added with AddBuffer.
func (b *Bytes) SetShared(i int, buffer, offset uint32, n int) {
	src := b.Buffers[buffer][offset : int(offset)+n]
	view := &b.Views[i]
	*view = View{len: uint32(n)}
	if n <= inlineMax {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&view.prefix)), inlineMax), src)
		return
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&view.prefix)), 4), src)
	view.buffer, view.offset = buffer, offset
}

// AppendNull implements Appender.
func (b *Bytes) AppendNull() {
	n := len(b.Views)
	b.Views = append(b.Views, View{})
	b.Valid = appendInvalid(b.Valid, n)
}

// AppendSel implements Appender; the bytes are copied into b's own buffers.
func (b *Bytes) AppendSel(src Vector, sel []int32) {
	if c, ok := src.(*Const); ok {
		appendConst(b, c, sel)
		return
	}
	s := src.(*Bytes)
	n := len(b.Views)
	b.Views = appendSlice(b.Views, s.Views, sel)
	b.Valid = appendValidity(b.Valid, n, s.Valid, len(s.Views), sel)
	for i := n; i < len(b.Views); i++ {
		v := &b.Views[i]
		if v.len > inlineMax {
			v.buffer, v.offset = b.store(s.Buffers[v.buffer][v.offset : v.offset+v.len])
		}
	}
}

// ShareSel makes b hold the rows sel of src (all when nil) without copying bytes: b then borrows src's buffers and lives
// no longer than they do.
func (b *Bytes) ShareSel(src *Bytes, sel []int32) {
	b.shared = true
	b.Buffers = src.Buffers[:len(src.Buffers):len(src.Buffers)]
	b.foreign = len(b.Buffers)
	b.Views = appendSlice(b.Views[:0], src.Views, sel)
	b.Valid = appendValidity(nil, 0, src.Valid, len(src.Views), sel)
}

// Truncate implements Appender. Bytes of dropped values stay in their buffer until Reset.
func (b *Bytes) Truncate(n int) {
	b.Views = b.Views[:n]
	b.Valid = truncateValidity(b.Valid, n)
}

// Reset implements Appender. The first buffer is kept for reuse unless one value made it huge.
func (b *Bytes) Reset() {
	b.Views = b.Views[:0]
	b.Valid = nil
	if b.shared {
		b.Buffers, b.shared, b.foreign = nil, false, 0
		return
	}
	for i := range b.Buffers {
		if cap(b.Buffers[i]) > 4*bufferSize {
			b.Buffers[i] = nil
		}
	}
	b.Buffers = b.Buffers[:0]
}

// Borrow makes src's buffers known to b without copying; it returns the base for SetView and SetSlice. b then lives no
// longer than they do.
func (b *Bytes) Borrow(src *Bytes) (base uint32) {
	base = uint32(len(b.Buffers))
	b.shared = true
	for _, buf := range src.Buffers {
		b.Buffers = append(b.Buffers, buf[:len(buf):len(buf)])
	}
	return base
}

// SetView makes value i the value r of src, whose buffers Borrow has given this base.
func (b *Bytes) SetView(i int, src *Bytes, r int, base uint32) {
	v := src.Views[r]
	if v.len > inlineMax {
		v.buffer += base
	}
	b.Views[i] = v
}

// SetSlice makes value i the bytes from..to of value r of src, whose buffers Borrow has given this base.
func (b *Bytes) SetSlice(i int, src *Bytes, r, from, to int, base uint32) {
	n := to - from
	view := &b.Views[i]
	s := src.At(r)[from:to]
	*view = View{len: uint32(n)}
	if n <= inlineMax {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&view.prefix)), inlineMax), s)
		return
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&view.prefix)), 4), s)
	view.buffer, view.offset = src.Views[r].buffer+base, src.Views[r].offset+uint32(from)
}
