package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// CodeBadState is the code of a file that cannot be decoded.
const CodeBadState fault.Code = "bad-state"

// DecodeChunks calls f with the rows of a file whose hash lies in r, in the order in which they were written. Chunks are
// lent until f returns and may share data's memory. An error of f is returned as it is.
func DecodeChunks(data []byte, r column.KeyRange, f func(*state.Chunk) error) error {
	data, err := verify(data)
	if err != nil {
		return badState(err)
	}
	d, err := open(data)
	if err != nil {
		return badState(err)
	}
	for i := range d.batches {
		c, err := d.batch(i, r)
		if err != nil {
			return badState(err)
		}
		if c.Rows() == 0 {
			continue
		}
		if err := f(c); err != nil {
			return err
		}
	}
	return nil
}

// verify checks the trailer and gives the Arrow file before it.
func verify(data []byte) ([]byte, error) {
	n := len(data) - 4
	if n < len(trailer) || string(data[n-len(trailer):n]) != trailer {
		return nil, errors.New("it is not a state file, or its end is missing")
	}
	if crc32.Checksum(data[:n], castagnoli()) != binary.LittleEndian.Uint32(data[n:]) {
		return nil, errors.New("its checksum is wrong")
	}
	return data[:n-len(trailer)], nil
}

func badState(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	return (&fault.Error{Kind: fault.Internal, Code: CodeBadState, Message: "a state file cannot be decoded"}).
		WithCause(err).WithHint("start from an earlier checkpoint")
}

type decoder struct {
	file                  *ipc.FileReader
	batches, words, bytes int
}

// caught turns a panic of the Arrow reader, which trusts its input in places, into an error.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the file is damaged: %v", p)
	}
}

func open(data []byte) (d *decoder, err error) {
	defer caught(&err)
	file, err := ipc.NewMappedFileReader(data, ipc.WithAllocator(&limited{left: limitFor(len(data))}))
	if err != nil {
		return nil, err
	}
	d = &decoder{file: file, batches: file.NumRecords()}
	return d, d.check(file.Schema())
}

func (d *decoder) check(s *arrow.Schema) error {
	meta := s.Metadata()
	for _, want := range []struct {
		key     string
		version int
	}{{versionKey, Version}, {hashKey, column.HashVersion}} {
		got, ok := meta.GetValue(want.key)
		if !ok {
			return errors.New("it is not a state file")
		}
		if got != strconv.Itoa(want.version) {
			return (&fault.Error{Kind: fault.User, Code: CodeBadState,
				Message: fmt.Sprintf("a state file has version %s of %s, this program reads %d", quoted(got), want.key, want.version),
			}).WithHint("run the version of the program that wrote the state")
		}
	}
	n := s.NumFields()
	for d.words = 0; 2+d.words < n && s.Field(2+d.words).Name == "w"+strconv.Itoa(d.words); d.words++ {
	}
	d.bytes = n - d.words - 3
	if d.bytes < 0 || !s.Equal(schema(d.words, d.bytes)) {
		return errors.New("its columns are not those of a state file")
	}
	return nil
}

func quoted(s string) string { return strconv.Quote(s[:min(len(s), 20)]) }

// batch gives the rows of record batch i whose hash lies in r.
func (d *decoder) batch(i int, r column.KeyRange) (c *state.Chunk, err error) {
	defer caught(&err)
	rec, err := d.file.RecordBatch(i)
	if err != nil {
		return nil, err
	}
	n := int(rec.NumRows())
	for _, col := range rec.Columns() {
		if col.NullN() != 0 || col.Len() != n {
			return nil, errors.New("it has nulls")
		}
	}
	c = &state.Chunk{
		Hash: rec.Column(0).(*array.Uint64).Uint64Values(),
		Time: rec.Column(1).(*array.Int64).Int64Values(),
	}
	rows := within(c.Hash, r)
	c.Hash, c.Time = pick(c.Hash, rows), pick(c.Time, rows)
	for k := range d.words {
		c.Words = append(c.Words, pick(rec.Column(2+k).(*array.Int64).Int64Values(), rows))
	}
	for k := range d.bytes {
		b, err := bytesColumn(rec.Column(2+d.words+k).(*array.Binary), n, rows)
		if err != nil {
			return nil, err
		}
		c.Bytes = append(c.Bytes, b)
	}
	c.Deleted = deleted(rec.Column(2+d.words+d.bytes).(*array.Boolean), n, rows)
	return c, nil
}

// within gives the rows whose hash lies in r; nil stands for all of them.
func within(hash []uint64, r column.KeyRange) []int32 {
	rows := make([]int32, 0, len(hash))
	for i, h := range hash {
		if r.Contains(h) {
			rows = append(rows, int32(i))
		}
	}
	if len(rows) == len(hash) {
		return nil
	}
	return rows
}

func pick[T any](s []T, rows []int32) []T {
	if rows == nil {
		return s
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = s[r]
	}
	return out
}

func bytesColumn(a *array.Binary, n int, rows []int32) (*column.Bytes, error) {
	b := column.NewBytes(arrow.BinaryTypes.Binary)
	data, offsets := a.ValueBytes(), a.ValueOffsets()
	if n == 0 {
		return b, nil
	}
	first := offsets[0]
	buf := b.AddBuffer(data)
	add := func(i int) bool {
		from, to := int64(offsets[i])-int64(first), int64(offsets[i+1])-int64(first)
		if from < 0 || to < from || to > int64(len(data)) {
			return false
		}
		b.AppendShared(buf, uint32(from), int(to-from))
		return true
	}
	if rows == nil {
		for i := range n {
			if !add(i) {
				return nil, errors.New("a byte string lies outside of its column")
			}
		}
		return b, nil
	}
	for _, r := range rows {
		if !add(int(r)) {
			return nil, errors.New("a byte string lies outside of its column")
		}
	}
	return b, nil
}

func deleted(a *array.Boolean, n int, rows []int32) []bool {
	any := false
	all := make([]bool, n)
	for i := range all {
		all[i] = a.Value(i)
		any = any || all[i]
	}
	if !any {
		return nil
	}
	return pick(all, rows)
}

// limited is an allocator that refuses to hand out more memory than a file can stand for, since a damaged file may claim
// any size.
type limited struct{ left int64 }

// limitFor bounds the uncompressed size of n bytes: LZ4 makes them at most 255 times as many.
func limitFor(n int) int64 { return 256*int64(n) + 1<<16 }

// Allocate implements memory.Allocator.
func (l *limited) Allocate(size int) []byte {
	if l.left -= int64(size); size < 0 || l.left < 0 {
		panic("a buffer is larger than the file can hold")
	}
	return memory.DefaultAllocator.Allocate(size)
}

// Reallocate implements memory.Allocator.
func (l *limited) Reallocate(size int, b []byte) []byte {
	if l.left -= int64(size - len(b)); size < 0 || l.left < 0 {
		panic("a buffer is larger than the file can hold")
	}
	return memory.DefaultAllocator.Reallocate(size, b)
}

// Free implements memory.Allocator.
func (l *limited) Free(b []byte) { memory.DefaultAllocator.Free(b) }
