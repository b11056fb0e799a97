package topn

import (
	"bytes"
	"testing"
)

func TestBlobs(t *testing.T) {
	var b blobs
	b.put([]byte("before"))
	strings := [][]byte{{}, []byte("a"), bytes.Repeat([]byte("long "), 1000), bytes.Repeat([]byte("x"), longest), bytes.Repeat([]byte("y"), longest+5)}
	var refs []int64
	for _, p := range strings {
		refs = append(refs, b.put(p))
	}
	b.warm(append(refs, 0), 1)
	for i, p := range strings {
		if refs[i] <= 0 {
			t.Errorf("%d stands for a string of %d bytes", refs[i], len(p))
		}
		if !bytes.Equal(b.at(refs[i]), p) {
			t.Errorf("a string of %d bytes does not come back", len(p))
		}
		before := b.garbage
		b.free(refs[i])
		if n := b.garbage - before; n != len(p)+4 {
			t.Errorf("%d bytes are freed for a string of %d", n, len(p))
		}
	}
	if !b.wasteful() {
		t.Error("nearly all is free and should be made use of")
	}
}
