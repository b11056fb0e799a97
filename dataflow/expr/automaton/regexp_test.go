package automaton_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wadi/dataflow/expr/automaton"
)

// check compares with package regexp.
func check(t *testing.T, x *automaton.Regexp, s string) {
	t.Helper()
	re := x.Regexp()
	if got, want := x.Match(s), re.MatchString(s); got != want {
		t.Fatalf("%q in %q: match %v, want %v", re, s, got, want)
	}
	from, to := x.First(s)
	want := re.FindStringIndex(s)
	if want == nil {
		want = []int{-1, -1}
	}
	if from != want[0] || to != want[1] {
		t.Fatalf("%q in %q: first match %d to %d, want %v", re, s, from, to, want)
	}
	if got, want := x.Groups(s), re.FindStringSubmatchIndex(s); !slices.Equal(got, want) {
		t.Fatalf("%q in %q: groups %v, want %v", re, s, got, want)
	}
	all := re.FindAllStringIndex(s, -1)
	m := x.All(s)
	for i := 0; m.Next(); i++ {
		if i >= len(all) || m.From != all[i][0] || m.To != all[i][1] {
			t.Fatalf("%q in %q: match %d is %d to %d, want %v", re, s, i, m.From, m.To, all)
		}
		if i == len(all)-1 {
			all = nil
		}
	}
	if all != nil {
		t.Fatalf("%q in %q: matches are missing: %v", re, s, all)
	}
	if m.Next() {
		t.Fatalf("%q in %q: there is one after the last", re, s)
	}
}

func TestMatches(t *testing.T) {
	texts := []string{
		"", "a", "aa", "ab", "ba", "aab", "abab", "b", "\n", "a\n", "\na", "a\nb", "ab\nab\n", "foo bar", "foo-bar baz", "_x9 9", "aé", "é", "ée", "日本語",
		"日本 a", "\xff", "a\xffb", "\xe2\x82", "\xe2\x82\xac", "\xf0\x9f\x98", "\ufffd", "Kk\u212a", "sS\u017f", "https://www.example.com/item/123455/view?ref=7",
		"aaaaaaaaaaaaaaaaaaaaaaaab", "xabcabcdabcde", "   ", "a b  c", "ABC abc",
	}
	for _, p := range []string{
		"", "a", "a*", "a+", "a?", "a|b", "a|ab", "ab|a", "(a|ab)(b|)", "(?:ab)+", "a*?", "a+?", "a??b", "^a", "a$", "^a*$", "(?m)^a", "(?m)a$", "(?m)^$", "^", "$",
		"^$", `\ba`, `a\b`, `\Ba`, `\b`, `\B`, `\bfoo\b`, ".", ".*", ".+?", "(?s).", "(?s).*", "[^a]", "[a-c]+", `\d+`, `\w+`, `\s+`, `\pL+`, `[\p{Han}]+`, "(?i)k+", "(?i)s",
		"(?i)abc", "é", "é*", "[é日]+", "item/[0-9]+5/view", "[0-9]+", "(foo|foobar|bar)", "x*y*", "(a|b)*abb?", `\A`, `\z`, `a\z`, `\Aa`, "(a*)*", "(a|b|)*", "(|a)*", "(|a)+",
		"a{2,3}", "(ab){2}", `\x{fffd}`, "[[:^ascii:]]", `(?U)a+`, `[^\n]*$`, `$\n^`, `(?m)$\n^`, `\w\b\W`, "a.c", "(?:a|^)b", "(?:$|a)b", "b(?:a|$)", "(^|a)*b", `\b\b`, "[^[:^word:]]",
	} {
		x := automaton.New(regexp.MustCompile(p))
		for _, s := range texts {
			check(t, x, s)
		}
	}
}

var pieces = []string{
	"a", "b", "ab", ".", "[ab]", "[^a]", `\b`, `\B`, "^", "$", "(?m:^)", "(?m:$)", "(?i:A)", "é", `\w`, `\W`, "[é-ü]", `\n`, "(?s:.)", "", `\z`, `\A`, "c", "[a-c]",
}

func pattern(r *rand.Rand, depth int) string {
	if depth == 0 {
		return pieces[r.IntN(len(pieces))]
	}
	x, y := pattern(r, r.IntN(depth)), pattern(r, r.IntN(depth))
	switch r.IntN(9) {
	case 0, 1, 2, 3:
		return x + y
	case 4, 5:
		return "(?:" + x + "|" + y + ")"
	case 6:
		return "(" + x + ")" + []string{"*", "+", "?", "{2}", "{0,2}"}[r.IntN(5)]
	default:
		return "(" + x + ")" + []string{"*?", "+?", "??", "{1,2}?"}[r.IntN(4)] + y
	}
}

func text(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString([]string{"a", "b", "ab", "aa", "c", "\n", "é", " ", "A", "\xff", "_", "ü"}[r.IntN(12)])
	}
	return b.String()
}

// Random expressions find in random texts what package regexp finds.
func TestRandomExpressions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		re, err := regexp.Compile(pattern(r, 1+r.IntN(5)))
		if err != nil {
			continue
		}
		x := automaton.New(re)
		for range 10 {
			check(t, x, text(r))
		}
	}
}

// An expression whose states are more than there are places for starts afresh, and in the end leaves the work to others.
func TestTooManyStates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range []string{"(a|b)*a(a|b){14}", "(a|b)*a(a|b){14}c", `(?:\b|c)(a|b)*a(a|b| ){13}`} {
		x := automaton.New(regexp.MustCompile(p))
		for range 300 {
			var b strings.Builder
			for range r.IntN(200) {
				b.WriteByte("aab b"[r.IntN(5)])
			}
			check(t, x, b.String())
		}
	}
	big := automaton.New(regexp.MustCompile(strings.Repeat("(a|b)?", 900)))
	check(t, big, "abab c ab")
}

// Steady use takes no memory.
func TestNoAllocations(t *testing.T) {
	x := automaton.New(regexp.MustCompile(`item/[0-9]+`))
	s := "https://www.example.com/item/123455/view?ref=7"
	n := testing.AllocsPerRun(100, func() {
		if !x.Match(s) {
			t.Fatal("no match")
		}
		for m := x.All(s); m.Next(); {
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRegexp(f *testing.F) {
	f.Add("a(b|c)*", "abcabc")
	f.Add(`\b[a-z]+$`, "foo bar\n")
	f.Add("(?i)é+?", "xéÉ")
	f.Fuzz(func(t *testing.T, p, s string) {
		if len(p) > 60 || len(s) > 200 {
			return
		}
		re, err := regexp.Compile(p)
		if err != nil {
			return
		}
		check(t, automaton.New(re), s)
	})
}

func BenchmarkRegexp(b *testing.B) {
	s := "https://www.example.com/item/123455/view?ref=7"
	for _, p := range []string{"item/[0-9]+5/view", "[0-9]+", "^https?://[a-z.]+/(item|shop)/", "x$", `\bref\b`} {
		re := regexp.MustCompile(p)
		x := automaton.New(re)
		b.Run("match "+p, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Match(s)
			}
		})
		b.Run("first "+p, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.First(s)
			}
		})
		b.Run("package regexp "+p, func(b *testing.B) {
			for b.Loop() {
				re.MatchString(s)
			}
		})
	}
}
