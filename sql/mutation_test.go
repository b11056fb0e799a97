package sql_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"wadi/dataflow/fault"
	"wadi/sql"
)

// script is a query that is right, behind the definitions that it needs.
type script struct{ setup, query string }

var (
	cases   = regexp.MustCompile(`(?:^|\n\n|#.*\n)(setup|tables|plan|query|updating|mermaid|dot|json)(?: .*)?\n((?:.+\n|\n)*?)----\n`)
	lexemes = regexp.MustCompile(`'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|[\pL_][\pL\pN_]*|[0-9][0-9.]*|\s+|->>?|<=>|<>|[<>!=]=|=>|::|\|\||.`)
)

// rightScripts are the scripts of both corpora that have no errors.
func rightScripts(t *testing.T) []script {
	var out []script
	paths, _ := filepath.Glob("testdata/*.txt")
	more, _ := filepath.Glob("../testdata/corpus/*.txt")
	for _, path := range append(paths, more...) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		setup := ""
		for _, m := range cases.FindAllStringSubmatch(string(data), -1) {
			switch m[1] {
			case "setup", "tables":
				setup = m[2]
			default:
				if _, errs := sql.Compile(setup+m[2], options()); len(errs) == 0 {
					out = append(out, script{setup, m[2]})
				}
			}
		}
	}
	if len(out) < 1000 {
		t.Fatalf("there are only %d scripts", len(out))
	}
	return out
}

// breakOne makes one mistake, of those that people make, at the token at: it is left out, written twice, swapped with the next
// one or written as another one, or the text ends there.
func breakOne(pieces []string, words []int, at, how int) string {
	out := slices.Clone(pieces)
	i := words[at]
	switch others := [...]string{",", ")", "(", "FROM", "5", "'x'", "=", "AND", "SELECT", "x", ".", "&&", "!", ";", "\"x\"", "日", "END", "order"}; how {
	case 0:
		out[i] = ""
	case 1:
		out[i] += " " + out[i]
	case 2:
		if at+1 < len(words) {
			next := words[at+1]
			out[i], out[next] = out[next]+" ", " "+out[i]
		}
	case 3:
		out = out[:i]
	default:
		out[i] = " " + others[(how-4)%len(others)] + " "
	}
	return strings.Join(out, "")
}

const (
	mistakes = 22
	// mostErrors bounds what may be reported about a single mistake: one in a definition shows in every use of it.
	mostErrors = 10
)

// TestOneMistakeIsExplained breaks scripts that are right at one place each. Whatever is reported of that has a code, a message that
// says more than that something is unexpected, one thing to try and a place within the text, and nothing is reported twice.
func TestOneMistakeIsExplained(t *testing.T) {
	scripts := rightScripts(t)
	r := rand.New(rand.NewPCG(11, 5))
	rounds := 10000
	if testing.Short() {
		rounds = 1500
	}
	for range rounds {
		s := scripts[r.IntN(len(scripts))]
		pieces := lexemes.FindAllString(s.query, -1)
		var words []int
		for i, p := range pieces {
			if strings.TrimSpace(p) != "" && !strings.HasPrefix(p, "--") {
				words = append(words, i)
			}
		}
		if len(words) == 0 {
			continue
		}
		checkExplained(t, s.setup, breakOne(pieces, words, r.IntN(len(words)), r.IntN(mistakes)))
	}
}

func checkExplained(t *testing.T, setup, query string) {
	t.Helper()
	text := setup + query
	o := options()
	o.Name = "query.sql"
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("a panic: %v\n%s\n%s", r, query, debug.Stack())
		}
	}()
	errs, warnings := sql.Check(text, o)
	bad := func(e *fault.Error, why string) {
		t.Errorf("%s:\n%s\n%s", why, query, fault.Render(moved(e, len(setup)), "q", query))
	}
	if len(errs) > mostErrors {
		bad(errs[0], "one mistake, many errors")
	}
	told := map[fault.Span]string{}
	for _, e := range append(slices.Clone(errs), warnings...) {
		switch {
		case e.Kind == fault.Internal:
			bad(e, "an internal fault")
		case e.Code == "" || e.Message == "":
			bad(e, "no code or message")
		case e.Hint == "":
			bad(e, "no hint")
		case e.Code == "no-query":
		case e.Span.IsZero():
			bad(e, "no place")
		case e.Span.Start < 0 || e.Span.Start > len(text) || e.Span.End <= e.Span.Start || e.Span.End > len(text)+1:
			bad(e, "a place outside of the text")
		case told[e.Span] == e.Message:
			bad(e, "told twice")
		}
		told[e.Span] = e.Message
	}
}
