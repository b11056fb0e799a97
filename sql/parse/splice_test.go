package parse_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

var pieces = regexp.MustCompile(`'(?:[^']|'')*'|"[^"]*"|\w+|\s+|[^\w\s]`)

// TestSplicedTextsRoundTrip puts pieces of the corpus together at random: most of the results are wrong and must be
// refused in good order, and the others are trees that nobody would write.
func TestSplicedTextsRoundTrip(t *testing.T) {
	rounds := 20000
	if testing.Short() {
		rounds = 500
	}
	r := rand.New(rand.NewPCG(1, 2))
	var texts [][]string
	for _, text := range corpus(t) {
		if len(text) < 400 {
			texts = append(texts, pieces.FindAllString(text, -1))
		}
	}
	for range rounds {
		a, b := texts[r.IntN(len(texts))], texts[r.IntN(len(texts))]
		from, to := r.IntN(len(b)), r.IntN(len(b))
		from, to = min(from, to), max(from, to)
		at, end := r.IntN(len(a)+1), 0
		end = min(at+r.IntN(4), len(a))
		out := append([]string{}, a[:at]...)
		switch r.IntN(4) {
		case 0:
			out = append(out, a[end:]...)
		case 1:
			out = append(append(out, b[from]), a[end:]...)
		case 2:
			out = append(append(out, b[from:min(to, from+8)]...), a[end:]...)
		case 3:
			out = append(append(append(append(out, " ("), b[from:to]...), ") "), a[end:]...)
		}
		checkRoundTrip(t, strings.Join(out, ""))
	}
}
