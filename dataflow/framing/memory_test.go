package framing_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/framing"
)

func TestMemory(t *testing.T) {
	m := framing.NewMemory()
	var r framing.Registration
	c := column.NewBytes(arrow.BinaryTypes.String)
	buffer := []byte(strings.Repeat("0123456789abcdefghij", 10_000))
	other := append([]byte(nil), buffer...)
	for round := range 3 {
		var want []string
		add := func(frame []byte, from, to int) {
			m.Enter(frame)
			m.Append(c, &r, frame[from:to], from)
			want = append(want, string(frame[from:to]))
		}
		for i := range 1000 {
			add(buffer[i*20:i*20+20], 1, 19)
			add(other[i*20:i*20+20], 2, 5)
		}
		add([]byte("in a frame of its own, small and therefore copied"), 3, 40)
		m.AppendCopy(c, &r, []byte(strings.Repeat("huge", 100_000)))
		want = append(want, strings.Repeat("huge", 100_000))
		m.AppendCopy(c, &r, []byte("copied after the huge one"))
		want = append(want, "copied after the huge one")
		m.Trim(c, &r)
		for i, w := range want {
			if c.Str(i) != w {
				t.Fatalf("round %d, value %d is %.50q", round, i, c.Str(i))
			}
		}
		c.Reset()
		m.Reset()
	}
}

func TestMemoryRegistersABufferOnce(t *testing.T) {
	m := framing.NewMemory()
	var r framing.Registration
	c := column.NewBytes(arrow.BinaryTypes.String)
	buffer := make([]byte, 100_000)
	for i := 0; i < len(buffer); i += 100 {
		m.Enter(buffer[i : i+100])
		m.Append(c, &r, buffer[i+5:i+50], 5)
	}
	m.Trim(c, &r)
	if len(c.Buffers) != 1 || len(c.Buffers[0]) != len(buffer) {
		t.Fatalf("%d buffers", len(c.Buffers))
	}
}
