package codec_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
	"wadi/dataflow/state/codec"
)

func chunk(n int, words, byteCols int, seed uint64) *state.Chunk {
	c := &state.Chunk{}
	next := func() uint64 { seed = column.HashWord(seed, 1); return seed }
	for range n {
		c.Hash = append(c.Hash, next())
		c.Time = append(c.Time, int64(next()))
	}
	for range words {
		w := make([]int64, n)
		for i := range w {
			w[i] = int64(next())
		}
		c.Words = append(c.Words, w)
	}
	for range byteCols {
		b := column.NewBytes(arrow.BinaryTypes.Binary)
		for range n {
			b.Append(bytes.Repeat([]byte{byte(next())}, int(next()%40)))
		}
		c.Bytes = append(c.Bytes, b)
	}
	if seed%2 == 0 {
		c.Deleted = make([]bool, n)
		for i := range c.Deleted {
			c.Deleted[i] = next()%3 == 0
		}
	}
	return c
}

type row struct {
	hash    uint64
	time    int64
	words   []int64
	bytes   []string
	deleted bool
}

func rows(c *state.Chunk, r column.KeyRange) (out []row) {
	for i := range c.Rows() {
		if !r.Contains(c.Hash[i]) {
			continue
		}
		x := row{hash: c.Hash[i], time: c.Time[i], deleted: c.Deleted != nil && c.Deleted[i]}
		for _, w := range c.Words {
			x.words = append(x.words, w[i])
		}
		for _, b := range c.Bytes {
			x.bytes = append(x.bytes, string(b.At(i)))
		}
		out = append(out, x)
	}
	return out
}

func same(a, b row) bool {
	return a.hash == b.hash && a.time == b.time && a.deleted == b.deleted && slices.Equal(a.words, b.words) && slices.Equal(a.bytes, b.bytes)
}

// What goes in comes out, for every key range, also from files of several chunks and of more than one record batch.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words, byteCols := rapid.IntRange(0, 4).Draw(t, "words"), rapid.IntRange(0, 3).Draw(t, "bytes")
		var chunks []*state.Chunk
		for _, n := range rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 7, 100, 3000}), 0, 3).Draw(t, "sizes") {
			chunks = append(chunks, chunk(n, words, byteCols, rapid.Uint64().Draw(t, "seed")))
		}
		parts := rapid.IntRange(1, 4).Draw(t, "parts")
		r := column.Range(rapid.IntRange(0, parts-1).Draw(t, "part"), parts)
		var file bytes.Buffer
		stats, err := codec.EncodeChunk(&file, chunks)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []row
		total := 0
		for _, c := range chunks {
			want = append(want, rows(c, r)...)
			total += c.Rows()
			for i, h := range c.Hash {
				if !stats.Hash.Contains(h) || c.Time[i] < stats.MinTime || c.Time[i] > stats.MaxTime {
					t.Fatalf("statistics %+v leave out row %d", stats, i)
				}
			}
		}
		err = codec.DecodeChunks(file.Bytes(), r, func(c *state.Chunk) error {
			got = append(got, rows(c, column.AllKeys)...)
			return nil
		})
		if err != nil || stats.Rows != total || !slices.EqualFunc(got, want, same) {
			t.Fatalf("%v: %d rows of %d came back as %d of %d", err, len(want), total, len(got), stats.Rows)
		}
	})
}

func TestManyRows(t *testing.T) {
	c := chunk(150_000, 1, 1, 5)
	var file bytes.Buffer
	if _, err := codec.EncodeChunk(&file, []*state.Chunk{c}); err != nil {
		t.Fatal(err)
	}
	var got []row
	err := codec.DecodeChunks(file.Bytes(), column.AllKeys, func(c *state.Chunk) error {
		got = append(got, rows(c, column.AllKeys)...)
		return nil
	})
	if err != nil || !slices.EqualFunc(got, rows(c, column.AllKeys), same) {
		t.Fatalf("%v, %d rows", err, len(got))
	}
}

func TestErrorsOfTheCallbackPassThrough(t *testing.T) {
	var file bytes.Buffer
	if _, err := codec.EncodeChunk(&file, []*state.Chunk{chunk(3, 1, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	want := errors.New("stop")
	if err := codec.DecodeChunks(file.Bytes(), column.AllKeys, func(*state.Chunk) error { return want }); err != want {
		t.Errorf("got %v", err)
	}
}

func TestShapesMustAgree(t *testing.T) {
	_, err := codec.EncodeChunk(&bytes.Buffer{}, []*state.Chunk{chunk(1, 1, 0, 1), chunk(1, 2, 0, 1)})
	if err == nil {
		t.Error("chunks of different shapes were accepted")
	}
}

func FuzzDecode(f *testing.F) {
	for _, n := range []int{0, 1, 50} {
		var file bytes.Buffer
		if _, err := codec.EncodeChunk(&file, []*state.Chunk{chunk(n, 2, 2, uint64(n))}); err != nil {
			f.Fatal(err)
		}
		f.Add(file.Bytes())
		f.Add(file.Bytes()[:file.Len()/2])
	}
	f.Add([]byte("ARROW1\x00\x00ARROW1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := codec.DecodeChunks(data, column.KeyRange{First: 1, Last: math.MaxUint64 / 2}, func(c *state.Chunk) error {
			for _, r := range rows(c, column.AllKeys) {
				_ = r.bytes
			}
			return nil
		})
		var e *fault.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("not a fault: %v", err)
		}
	})
}

// Any single byte may be damaged.
func TestDamage(t *testing.T) {
	var file bytes.Buffer
	if _, err := codec.EncodeChunk(&file, []*state.Chunk{chunk(40, 2, 1, 9)}); err != nil {
		t.Fatal(err)
	}
	for i := range file.Len() {
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := slices.Clone(file.Bytes())
			bad[i] ^= flip
			err := codec.DecodeChunks(bad, column.AllKeys, func(c *state.Chunk) error { rows(c, column.AllKeys); return nil })
			if !fault.Is(err, codec.CodeBadState) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
}
