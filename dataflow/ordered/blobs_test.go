package ordered

import (
	"bytes"
	"testing"
)

func TestBlobs(t *testing.T) {
	var b blobs
	b.put([]byte("before"))
	strings := [][]byte{{}, []byte("a"), bytes.Repeat([]byte("long "), 1000), bytes.Repeat([]byte("x"), largest), bytes.Repeat([]byte("y"), largest+5)}
	var refs []int64
	for _, p := range strings {
		refs = append(refs, b.put(p))
	}
	b.warm(append(refs, 0), 1)
	i := 0
	b.each(refs, 1, []int32{4, 0, 1}, func(p []byte) {
		if want := strings[[]int{4, 0, 1}[i]]; !bytes.Equal(p, want) {
			t.Errorf("a string of %d bytes instead of one of %d", len(p), len(want))
		}
		i++
	})
	var other blobs
	other.put([]byte("before"))
	moved := make([]int64, 1000)
	for i := 0; i < len(moved); i += 2 {
		moved[i] = refs[i%len(refs)/3]
		moved[i+1] = -1
	}
	moved[998] = 0
	other.move(&b, moved, 2)
	for i := 0; i < 998; i += 2 {
		if want := strings[i%len(refs)/3]; !bytes.Equal(other.at(moved[i]), want) || moved[i+1] != -1 {
			t.Fatalf("a string of %d bytes is another after it was moved", len(want))
		}
	}
	if moved[998] != 0 {
		t.Error("a string was moved that is none")
	}
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
	n := b.put([]byte("some room"))
	for _, p := range []string{"a", "some room", "", "a room"} {
		if m := b.replace(n, []byte(p)); m != n || string(b.at(n)) != p {
			t.Errorf("%q is %q in the place of another", p, b.at(m))
		}
	}
	before := b.garbage
	if m := b.replace(n, []byte("more than there was")); m == n || string(b.at(m)) != "more than there was" || b.garbage-before != 4+len("some room") {
		t.Errorf("%q took the place of a shorter one", b.at(m))
	}
	if m := b.replace(0, nil); m <= 0 || len(b.at(m)) > 0 {
		t.Error("nothing is not kept")
	}
	if !b.wasteful() {
		t.Error("nearly all is free and should be made use of")
	}
}
