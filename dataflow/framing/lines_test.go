package framing_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"wadi/dataflow/fault"
	"wadi/dataflow/framing"
)

// chunks is a reader that hands out the pieces of a text one by one.
type chunks struct {
	text  []byte
	sizes []byte
	k     int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.text) == 0 {
		return 0, io.EOF
	}
	n := len(c.text)
	if len(c.sizes) > 0 {
		n = min(n, int(c.sizes[c.k%len(c.sizes)]))
		c.k++
	}
	n = copy(p, c.text[:n])
	c.text = c.text[n:]
	return n, nil
}

// readAll gives copies of all frames; a refused line is the frame "<too long>".
func readAll(t *testing.T, l *framing.Lines, releaseEach int) []string {
	t.Helper()
	var out []string
	var lent [][]byte
	check := func() {
		for i, f := range lent {
			if want := out[len(out)-len(lent)+i]; want != "<too long>" && string(f) != want {
				t.Fatalf("frame %q changed to %q before its release", want, f)
			}
		}
		lent = lent[:0]
	}
	for {
		for {
			f, ok := l.Next()
			if !ok {
				break
			}
			out = append(out, string(f))
			lent = append(lent, f)
			if len(lent) == releaseEach {
				check()
				l.Release()
			}
		}
		err := l.Fill(context.Background())
		switch {
		case errors.Is(err, io.EOF):
			check()
			return out
		case fault.Is(err, framing.CodeLineTooLong):
			out = append(out, "<too long>")
			lent = append(lent, nil)
		case err != nil:
			t.Fatal(err)
		}
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name, in string
		o        framing.Options
		want     []string
	}{
		{"empty", "", framing.Options{}, nil},
		{"newline ends a line", "a\nb\n", framing.Options{}, []string{"a", "b"}},
		{"last line without newline", "a\nb", framing.Options{}, []string{"a", "b"}},
		{"blank lines are frames", "\n\na\n\n", framing.Options{}, []string{"", "", "a", ""}},
		{"one carriage return is stripped", "a\r\nb\r\r\nc\r", framing.Options{}, []string{"a", "b\r", "c"}},
		{"carriage return kept", "a\r\nb", framing.Options{KeepCR: true}, []string{"a\r", "b"}},
		{"nul is a byte like others", "a\x00b\nc", framing.Options{}, []string{"a\x00b", "c"}},
		{"at the limit", "abcde\nabcde", framing.Options{MaxLength: 5}, []string{"abcde", "abcde"}},
		{"over the limit", "abcdef\nab\nabcdef", framing.Options{MaxLength: 5}, []string{"<too long>", "ab", "<too long>"}},
		{"truncated", "abcdef\nab\nabcdef", framing.Options{Truncate: 4}, []string{"abcd", "ab", "abcd"}},
		{"truncation wins over the limit", "abcdefgh\nab\n", framing.Options{Truncate: 4, MaxLength: 5}, []string{"abcd", "ab"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 7, 1000} {
				for _, release := range []int{0, 1, 2} {
					o := c.o
					o.BufferSize = size
					l := framing.NewLines(iotest.HalfReader(strings.NewReader(c.in)), o)
					if got := readAll(t, l, release); !slices.Equal(got, c.want) {
						t.Errorf("buffer of %d, release every %d: got %q, want %q", size, release, got, c.want)
					}
					offset, lines := l.Position()
					if offset != int64(len(c.in)) || lines != int64(len(c.want)) {
						t.Errorf("buffer of %d: ended at byte %d, line %d", size, offset, lines)
					}
				}
			}
		})
	}
}

func TestRefusedLineNamesItsPlace(t *testing.T) {
	l := framing.NewLines(strings.NewReader("ok\nmuch too long\n"), framing.Options{Source: "in.ndjson", MaxLength: 4, Lines: 10, Offset: 100})
	if err := l.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := l.Next(); !ok {
		t.Fatal("no first line")
	}
	if _, ok := l.Next(); ok {
		t.Fatal("the long line was handed out")
	}
	e := fault.As(l.Fill(t.Context()))
	if e == nil || e.Kind != fault.Data || e.Record.Source != "in.ndjson" || e.Record.Line != 12 {
		t.Fatalf("got %+v", e)
	}
	// Until the line has been skipped to its end, the position is before it: a restart meets it again.
	if offset, lines := l.Position(); offset != 103 || lines != 11 {
		t.Fatalf("position %d, %d", offset, lines)
	}
}

// endless gives the same byte for ever, up to n of them.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	k := int(min(int64(len(p)), e.n))
	for i := range p[:k] {
		p[i] = 'x'
	}
	e.n -= int64(k)
	return k, nil
}

func TestHugeLineIsNotKept(t *testing.T) {
	const size = 256 << 20
	l := framing.NewLines(io.MultiReader(&endless{size}, strings.NewReader("\nnext\n")), framing.Options{MaxLength: 1 << 20})
	var got []string
	most := 0
	for {
		for {
			f, ok := l.Next()
			if !ok {
				break
			}
			got = append(got, string(f))
		}
		most = max(most, l.Held())
		if err := l.Fill(t.Context()); err == io.EOF {
			break
		} else if err != nil && !fault.Is(err, framing.CodeLineTooLong) {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, []string{"next"}) || most > 4<<20 {
		t.Fatalf("got %q, held up to %d bytes", got, most)
	}
	if offset, lines := l.Position(); offset != size+6 || lines != 2 {
		t.Fatalf("position %d, %d", offset, lines)
	}
}

func TestTenMegabyteLine(t *testing.T) {
	text := strings.Repeat("y", 10<<20)
	l := framing.NewLines(strings.NewReader("a\n"+text+"\nb\n"), framing.Options{})
	if got := readAll(t, l, 1); len(got) != 3 || got[1] != text {
		t.Fatal("the long line did not arrive")
	}
}

func TestUnterminated(t *testing.T) {
	l := framing.NewLines(strings.NewReader("a\nb"), framing.Options{})
	var got []bool
	for {
		for {
			if _, ok := l.Next(); !ok {
				break
			}
			got = append(got, l.Unterminated())
		}
		if l.Fill(t.Context()) == io.EOF {
			break
		}
	}
	if !slices.Equal(got, []bool{false, true}) {
		t.Fatal(got)
	}
}

func TestReaderError(t *testing.T) {
	l := framing.NewLines(iotest.ErrReader(io.ErrUnexpectedEOF), framing.Options{})
	if err := l.Fill(t.Context()); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	l = framing.NewLines(iotest.DataErrReader(strings.NewReader("a")), framing.Options{})
	if got := readAll(t, l, 0); !slices.Equal(got, []string{"a"}) {
		t.Fatal(got)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := framing.NewLines(strings.NewReader("a\n"), framing.Options{})
	if err := l.Fill(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestBuffersAreReused(t *testing.T) {
	line := strings.Repeat("z", 99) + "\n"
	l := framing.NewLines(strings.NewReader(strings.Repeat(line, 100_000)), framing.Options{BufferSize: 8 << 10})
	n := 0
	round := func() {
		for range 1000 {
			if _, ok := l.Next(); ok {
				n++
			} else if err := l.Fill(t.Context()); err != nil {
				return
			}
		}
		l.Release()
	}
	round()
	if a := testing.AllocsPerRun(20, round); a > 0 {
		t.Fatalf("%v allocations per 1000 lines", a)
	}
	if n == 0 {
		t.Fatal("no lines")
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nbb\r\n\nccc"), []byte{1, 2}, uint8(3), uint8(0), uint8(0))
	f.Add([]byte("abcdefghij\nk\n"), []byte{5}, uint8(4), uint8(4), uint8(0))
	f.Add([]byte("abcdefghij\nk\n"), []byte{3}, uint8(4), uint8(0), uint8(3))
	f.Fuzz(func(t *testing.T, text, sizes []byte, buffer, limit, cut uint8) {
		if slices.Contains(sizes, 0) || bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
			t.Skip() // the byte order mark has a test of its own
		}
		o := framing.Options{MaxLength: int(limit), Truncate: int(cut), KeepCR: true}
		var want []string
		for line := range bytes.Lines(text) {
			line = bytes.TrimSuffix(line, []byte("\n"))
			switch {
			case cut > 0:
				line = line[:min(len(line), int(cut))]
				if limit > 0 {
					line = line[:min(len(line), int(limit))]
				}
			case limit > 0 && len(line) > int(limit):
				line = []byte("<too long>")
			}
			want = append(want, string(line))
		}
		o.BufferSize = int(buffer)
		l := framing.NewLines(&chunks{text: text, sizes: sizes}, o)
		if got := readAll(t, l, int(buffer%4)); !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		if offset, lines := l.Position(); offset != int64(len(text)) || lines != int64(len(want)) {
			t.Fatalf("ended at byte %d, line %d", offset, lines)
		}
	})
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int
		want []string
	}{
		{"", 0, nil},
		{"a", 0, []string{"a"}},
		{"a\r\n\nb\n", 0, []string{"a\r", "", "b"}},
		{"\n", 0, []string{""}},
		{"abcdef\nab", 3, []string{"abc", "ab"}},
	} {
		var got []string
		for f := range framing.Split([]byte(c.in), c.max) {
			got = append(got, string(f))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q", c.in, got)
		}
	}
}

func BenchmarkLines(b *testing.B) {
	data := []byte(strings.Repeat(strings.Repeat("z", 199)+"\n", 100_000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		l := framing.NewLines(bytes.NewReader(data), framing.Options{})
		n := 0
		for l.Fill(b.Context()) != io.EOF {
			for {
				if _, ok := l.Next(); !ok {
					break
				}
				n++
			}
			l.Release()
		}
		if n != 100_000 {
			b.Fatal(n)
		}
	}
}

func TestAByteOrderMarkIsNotPartOfTheFirstLine(t *testing.T) {
	l := framing.NewLines(strings.NewReader("\xef\xbb\xbf{}\n\xef\xbb\xbfx\n"), framing.Options{Source: "f"})
	var got []string
	for {
		if frame, ok := l.Next(); ok {
			got = append(got, string(frame))
			continue
		}
		if err := l.Fill(context.Background()); err != nil {
			break
		}
	}
	if bytes, lines := l.Position(); len(got) != 2 || got[0] != "{}" || got[1] != "\xef\xbb\xbfx" || bytes != 11 || lines != 2 {
		t.Errorf("lines %q, position %d in line %d", got, bytes, lines)
	}
}
