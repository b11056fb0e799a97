package over

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Between two places that have changed, the rows are those that were next to each other before, and every new row lies in
// a place.
func TestSpansCoverWhatChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var old []int
		for i := range rapid.IntRange(0, 200).Draw(t, "rows") {
			old = append(old, i)
		}
		rows := slices.Clone(old)
		var s spans
		for range rapid.IntRange(1, 120).Draw(t, "changes") {
			if n := len(rows); n > 0 && rapid.Bool().Draw(t, "remove") {
				at := rapid.IntRange(1, n).Draw(t, "at")
				rows = slices.Delete(rows, at-1, at)
				s = s.remove(int64(at))
			} else {
				at := rapid.IntRange(1, n+1).Draw(t, "at")
				rows = slices.Insert(rows, at-1, -1)
				s = s.insert(int64(at))
			}
		}
		if len(s) > maxSpans {
			t.Fatalf("%d places", len(s))
		}
		from := int64(1)
		for i := 0; i <= len(s); i++ {
			until := int64(len(rows) + 1)
			if i < len(s) {
				until = s[i].from
			}
			if from > until || i > 0 && i < len(s) && from == until {
				t.Fatalf("places %v of %d rows are not apart", s, len(rows))
			}
			kept := rows[from-1 : until-1]
			for j, row := range kept {
				if row < 0 || j > 0 && row != kept[j-1]+1 {
					t.Fatalf("places %v do not cover what has changed in %v", s, rows)
				}
			}
			if len(kept) > 0 && (i == 0 && kept[0] != 0 || i == len(s) && kept[len(kept)-1] != len(old)-1) {
				t.Fatalf("places %v do not cover what has gone at an end of %v", s, rows)
			}
			if i < len(s) {
				from = s[i].until
			}
		}
	})
}
