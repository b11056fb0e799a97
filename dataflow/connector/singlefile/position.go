package singlefile

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// position says how far a file has been read, and what it looked like: hashes of its first bytes and of those just
// before the offset. Contents are compared and not times or inode numbers, since appending changes the one and copying a
// file to another machine both.
type position struct {
	offset, lines int64
	done          bool
	head, tail    uint64
}

// markSize is how many bytes, at most, are behind each of the two hashes.
const markSize = 4 << 10

// positionSize is the size of a saved position: five little-endian 64-bit words.
const positionSize = 5 * 8

func (p *position) encode() []byte {
	var done uint64
	if p.done {
		done = 1
	}
	out := make([]byte, 0, positionSize)
	for _, w := range []uint64{uint64(p.offset), uint64(p.lines), done, p.head, p.tail} {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}

func (p *position) decode(b []byte) error {
	if len(b) != positionSize {
		return fault.Internalf("single_file: the saved state is not readable")
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	*p = position{offset: int64(word(0)), lines: int64(word(1)), done: word(2) != 0, head: word(3), tail: word(4)}
	return nil
}

// mark takes the hashes of f for the offset.
func (p *position) mark(f *os.File, path string) error {
	n := min(p.offset, markSize)
	var err error
	if p.head, err = p.hash(f, path, 0, n); err != nil {
		return err
	}
	p.tail, err = p.hash(f, path, p.offset-n, n)
	return err
}

func (p *position) hash(f *os.File, path string, at, n int64) (uint64, error) {
	var buf [markSize]byte
	k, err := f.ReadAt(buf[:n], at)
	if int64(k) == n {
		return column.HashBytes(column.HashSeed, buf[:n]), nil
	}
	if errors.Is(err, io.EOF) {
		return 0, shortened(path, at+int64(k), p.offset)
	}
	return 0, explain(err, path, "read")
}

// verify refuses a file that is not the one which the position belongs to.
func (p *position) verify(f *os.File, path string) error {
	if p.offset == 0 {
		return nil
	}
	now := position{offset: p.offset}
	if err := now.mark(f, path); err != nil {
		return err
	}
	if now.head != p.head || now.tail != p.tail {
		return fault.Userf(CodeChanged, fault.Span{}, "file %q is another one than at the last checkpoint, which had read %d lines of it",
			path, p.lines).WithHint("put the file back (it may have grown), or start over with another state directory or --force")
	}
	return nil
}

func shortened(path string, size, offset int64) error {
	return fault.Userf(CodeChanged, fault.Span{}, "file %q has shrunk to %d bytes, but %d had been read", path, size, offset).
		WithHint("put the file back (it may have grown), or start over with another state directory or --force")
}
