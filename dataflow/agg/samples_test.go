package agg

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSamples adds values to groups, merges groups, reads them and takes them through a snapshot in random order, and
// compares with plain lists.
func TestSamples(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		const groups = 5
		m, other := &samples{}, &samples{}
		s := states{w: make([]int64, groups*sampleWords), stride: sampleWords, side: m}
		o := states{w: make([]int64, groups*sampleWords), stride: sampleWords, side: other}
		var want, there [groups][]int64
		distinct := []int64{3, 40, 700, 1 << 40}[seed%4]
		words := func(s states, g int) []int64 { return s.w[g*sampleWords:][:sampleWords] }
		add := func(m *samples, s states, lists *[groups][]int64) {
			var values []int64
			var slots, rows []int32
			for range r.IntN(2000) {
				g := r.IntN(groups)
				v := r.Int64N(distinct) - distinct/2
				rows, slots, values = append(rows, int32(len(values))), append(slots, int32(g)), append(values, v)
				lists[g] = append(lists[g], v)
			}
			m.add(s, values, slots, rows)
		}
		for range 40 {
			g := r.IntN(groups)
			switch r.IntN(6) {
			case 0, 1:
				add(m, s, &want)
			case 2:
				add(other, o, &there)
			case 3:
				m.addGroup(words(s, g), other, words(o, g))
				m.collect(s)
				want[g] = append(want[g], there[g]...)
			case 4:
				data := m.save(words(s, g), nil)
				m.free(words(s, g))
				if !m.load(int32(g), words(s, g), data) {
					t.Fatalf("seed %d: what was saved cannot be loaded", seed)
				}
			case 5:
				other.free(words(o, g))
				there[g] = nil
			}
			slices.Sort(want[g])
			if got := expand(m.sorted(words(s, g))); !slices.Equal(got, want[g]) {
				t.Fatalf("seed %d: group %d has %d values, want %d, or others", seed, g, len(got), len(want[g]))
			}
		}
		if distinct == 3 && m.size() > 8*16*minMerged*groups {
			t.Errorf("seed %d: %d bytes for three values in each of %d groups", seed, m.size(), groups)
		}
	}
}

// expand lists each value as often as it occurs.
func expand(values, counts []int64) []int64 {
	var all []int64
	for i, v := range values {
		n := int64(1)
		if counts != nil {
			n = counts[i]
		}
		for range n {
			all = append(all, v)
		}
	}
	return all
}

// TestDamagedSamples does not load what samples never write.
func TestDamagedSamples(t *testing.T) {
	good := appendSample(appendSample(nil, 5, 2), 7, 3)
	for name, data := range map[string][]byte{
		"cut off": good[:len(good)-1], "no value": {2}, "null": {2, 0}, "negative": appendSample(nil, 1, -1),
		"not at all": appendSample(nil, 1, 0), "out of order": append(appendSample(nil, 9, 2), good...),
	} {
		if (&samples{}).load(0, make([]int64, sampleWords), data) {
			t.Errorf("%s: loaded", name)
		}
	}
	if !(&samples{}).load(0, make([]int64, sampleWords), good) {
		t.Error("what is good is not loaded")
	}
}
