package parse

import (
	"slices"
	"strings"

	"wadi/dataflow/fault"
)

// expectation is what the parser would have accepted at one token.
type expectation struct {
	at int
	// shown are listed in the message.
	shown []string
	// words are all the keywords, for finding misspellings.
	words []string
}

// turn makes p.now the expectation at the cursor.
func (p *parser) turn() {
	if p.now.at == p.pos {
		return
	}
	p.before, p.now = p.now, expectation{at: p.pos, shown: p.before.shown[:0], words: p.before.words[:0]}
}

// want notes something that would have been accepted at the cursor.
func (p *parser) want(what string) {
	if p.failed {
		return
	}
	p.turn()
	if !slices.Contains(p.now.shown, what) {
		p.now.shown = append(p.now.shown, what)
	}
}

func (p *parser) wantWord(words []string) {
	if p.failed {
		return
	}
	if len(words) == 1 {
		p.want(words[0])
	} else {
		p.want(strings.Join(words, " "))
	}
	p.near(words[0])
}

// near notes keywords of which a misspelling would be recognised.
func (p *parser) near(words ...string) {
	if p.failed {
		return
	}
	p.turn()
	for _, w := range words {
		if !slices.Contains(p.now.words, w) {
			p.now.words = append(p.now.words, w)
		}
	}
}

// fail reports the error of the current statement; only the first one counts. It returns a fault to add a hint to.
func (p *parser) fail(span fault.Span, format string, args ...any) *fault.Error {
	e := fault.Userf(fault.CodeSyntax, span, format, args...)
	if !p.failed {
		p.errs = append(p.errs, e)
	}
	p.failed = true
	return e
}

// unsupported refuses, by name, something that is understood.
func (p *parser) unsupported(span fault.Span, what string) *fault.Error {
	e := p.fail(span, "%s is not supported", what)
	e.Code = fault.CodeUnsupported
	return e
}

// unexpected reports the token at the cursor: "expected X or Y, found Z". The fault is returned for a hint to be added to;
// one that nobody sees if an error was reported before.
func (p *parser) unexpected() *fault.Error {
	if p.failed {
		return &fault.Error{}
	}
	p.turn()
	t := p.peek()
	if t.kind == tokenBad {
		p.failed = true
		return &fault.Error{}
	}
	hint := p.hint(t)
	span := t.span()
	if t.kind == tokenEnd {
		// The caret stands right behind the last token: the end of the text may be many blank lines further on.
		span = fault.Span{Start: p.lastEnd(), End: p.lastEnd() + 1}
	}
	if last := p.last(); last.kind == tokenString && t.kind == tokenWord && last.end == t.start {
		p.forgetUnclosed(t.end)
	}
	e := p.fail(span, "expected %s, found %s", listOr(p.now.shown), t.describe())
	e.Hint = hint
	return e
}

// expected is unexpected when only what is accepted.
func (p *parser) expected(what string) *fault.Error {
	if !p.failed {
		p.turn()
		p.now.shown = append(p.now.shown[:0], what)
	}
	return p.unexpected()
}

func listOr(items []string) string {
	switch len(items) {
	case 0:
		return "something else"
	case 1:
		return items[0]
	}
	return strings.Join(items[:len(items)-1], ", ") + " or " + items[len(items)-1]
}
