package fault

import "strings"

// Nearest gives, for hints, the word of among that is nearest to word by edit distance, ignoring case; "" when none is near enough
// to be what was meant. Among equally near words the first counts.
func Nearest(word string, among []string) string {
	w := strings.ToLower(word)
	best, bestDistance := "", max(1, min(3, len(w)/3))+1
	for _, candidate := range among {
		if d := EditDistance(w, strings.ToLower(candidate), bestDistance); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// EditDistance counts the insertions, deletions, replacements and swaps of neighbours between a and b (optimal string
// alignment); it may stop counting at limit.
func EditDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, last, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(last[j]+1, cur[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, last, cur = last, cur, before
	}
	return last[len(b)]
}
