// Package codec is the form of keyed state on disk: an Arrow IPC file, compressed with LZ4.
//
// A file holds chunks of one table: the columns hash (uint64) and time (int64), the words w0, w1, … (int64), the byte
// strings b0, b1, … (binary) and deleted (bool). Its schema's metadata names the version of this format and of the
// routing hash. Behind the Arrow file stand four bytes "WDST" and the CRC-32C of everything before, little-endian, since
// Arrow's reader trusts what it reads. Chunks come in and bytes go out, and the other way round; both are only borrowed for the call. Encoding
// and decoding take time in proportion to the data and do no I/O but writing to the given writer. Bytes that are no such
// file give a fault, never a panic.
package codec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// Version is the version of the format.
const Version = 1

const (
	versionKey = "wadi.state"
	hashKey    = "wadi.hash"
)

// maxRows and maxBytes bound one record batch of a file: its rows, and the bytes of one of its byte columns, whose
// offsets are 32 bits wide.
const (
	maxRows  = 64 << 10
	maxBytes = 1 << 30
)

// Stats describe a file for the manifest: a reader with other keys, or that needs no rows of its times, can skip it.
type Stats struct {
	Rows int
	// Hash is the range from the least to the greatest hash, Time the same for times; empty files have zeros.
	Hash             column.KeyRange
	MinTime, MaxTime int64
}

// EncodeChunk writes the chunks, which belong to one table and have the same number of word and byte columns, as a file.
func EncodeChunk(w io.Writer, chunks []*state.Chunk) (Stats, error) {
	var words, bytes int
	if len(chunks) > 0 {
		words, bytes = len(chunks[0].Words), len(chunks[0].Bytes)
	}
	sum := crc32.New(castagnoli())
	out, err := ipc.NewFileWriter(io.MultiWriter(w, sum), ipc.WithSchema(schema(words, bytes)), ipc.WithLZ4())
	if err != nil {
		return Stats{}, encodeError(err)
	}
	e := encoder{out: out, schema: schema(words, bytes)}
	for _, c := range chunks {
		if len(c.Words) != words || len(c.Bytes) != bytes {
			return Stats{}, fault.Internalf("chunks of one table have different shapes")
		}
		if err := e.chunk(c); err != nil {
			return Stats{}, encodeError(err)
		}
	}
	if err := out.Close(); err != nil {
		return Stats{}, encodeError(err)
	}
	sum.Write([]byte(trailer)) // a hash never gives an error
	if _, err := w.Write(binary.LittleEndian.AppendUint32([]byte(trailer), sum.Sum32())); err != nil {
		return Stats{}, encodeError(err)
	}
	return e.stats, nil
}

// trailer stands between the Arrow file and the checksum.
const trailer = "WDST"

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func encodeError(err error) error {
	return fault.Transientf(err, "state could not be written")
}

func schema(words, bytes int) *arrow.Schema {
	fields := []arrow.Field{
		{Name: "hash", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "time", Type: arrow.PrimitiveTypes.Int64},
	}
	for i := range words {
		fields = append(fields, arrow.Field{Name: "w" + strconv.Itoa(i), Type: arrow.PrimitiveTypes.Int64})
	}
	for i := range bytes {
		fields = append(fields, arrow.Field{Name: "b" + strconv.Itoa(i), Type: arrow.BinaryTypes.Binary})
	}
	fields = append(fields, arrow.Field{Name: "deleted", Type: arrow.FixedWidthTypes.Boolean})
	meta := arrow.MetadataFrom(map[string]string{
		versionKey: strconv.Itoa(Version),
		hashKey:    strconv.Itoa(column.HashVersion),
	})
	return arrow.NewSchema(fields, &meta)
}

type encoder struct {
	out    *ipc.FileWriter
	schema *arrow.Schema
	stats  Stats
}

// chunk writes c in as many record batches as it takes.
func (e *encoder) chunk(c *state.Chunk) error {
	for from := 0; from < c.Rows(); {
		to := min(from+maxRows, c.Rows())
		for to > from+1 && !fits(c, from, to) {
			to = from + (to-from)/2
		}
		if !fits(c, from, to) {
			return fmt.Errorf("the state of one key is larger than %d bytes", maxBytes)
		}
		if err := e.rows(c, from, to); err != nil {
			return err
		}
		e.count(c, from, to)
		from = to
	}
	return nil
}

func fits(c *state.Chunk, from, to int) bool {
	for _, b := range c.Bytes {
		n := 0
		for i := from; i < to; i++ {
			n += b.Views[i].Len()
		}
		if n > maxBytes {
			return false
		}
	}
	return true
}

func (e *encoder) count(c *state.Chunk, from, to int) {
	s := &e.stats
	if s.Rows == 0 {
		s.Hash = column.KeyRange{First: math.MaxUint64}
		s.MinTime, s.MaxTime = math.MaxInt64, math.MinInt64
	}
	for i := from; i < to; i++ {
		s.Hash.First, s.Hash.Last = min(s.Hash.First, c.Hash[i]), max(s.Hash.Last, c.Hash[i])
		s.MinTime, s.MaxTime = min(s.MinTime, c.Time[i]), max(s.MaxTime, c.Time[i])
	}
	s.Rows += to - from
}

// rows writes one record batch whose word columns share the chunk's memory.
func (e *encoder) rows(c *state.Chunk, from, to int) error {
	n := to - from
	cols := []arrow.Array{
		fixed(arrow.PrimitiveTypes.Uint64, n, castBytes(c.Hash[from:to])),
		fixed(arrow.PrimitiveTypes.Int64, n, castBytes(c.Time[from:to])),
	}
	for _, w := range c.Words {
		cols = append(cols, fixed(arrow.PrimitiveTypes.Int64, n, castBytes(w[from:to])))
	}
	for _, b := range c.Bytes {
		cols = append(cols, binaryArray(b, from, to))
	}
	deleted := make([]byte, (n+7)/8)
	if c.Deleted != nil {
		for i, d := range c.Deleted[from:to] {
			if d {
				deleted[i/8] |= 1 << (i % 8)
			}
		}
	}
	cols = append(cols, fixed(arrow.FixedWidthTypes.Boolean, n, deleted))
	return e.out.Write(array.NewRecordBatch(e.schema, cols, int64(n)))
}

func castBytes[T int64 | uint64 | int32](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

func fixed(dt arrow.DataType, n int, data []byte) arrow.Array {
	return array.MakeFromData(array.NewData(dt, n, []*memory.Buffer{nil, memory.NewBufferBytes(data)}, nil, 0, 0))
}

func binaryArray(b *column.Bytes, from, to int) arrow.Array {
	offsets := make([]int32, 1, to-from+1)
	var data []byte
	for i := from; i < to; i++ {
		data = append(data, b.At(i)...)
		offsets = append(offsets, int32(len(data)))
	}
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(castBytes(offsets)), memory.NewBufferBytes(data)}
	return array.MakeFromData(array.NewData(arrow.BinaryTypes.Binary, to-from, buffers, nil, 0, 0))
}
