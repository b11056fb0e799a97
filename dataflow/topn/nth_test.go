package topn

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Uint64Range(0, rapid.SampledFrom([]uint64{1, 10, 1 << 63}).Draw(t, "range")), 1, 200).Draw(t, "words")
		n := rapid.IntRange(0, len(p)-1).Draw(t, "n")
		want := slices.Sorted(slices.Values(p))[n]
		if got := nth(p, n); got != want {
			t.Fatalf("word %d is %d, want %d", n, got, want)
		}
	})
}
