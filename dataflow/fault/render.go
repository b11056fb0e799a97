package fault

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Position is a 1-based line and column (in runes) of a text.
type Position struct {
	Line, Column int
}

// Locate turns a byte offset of text into a position; offsets past the end give the end.
func Locate(text string, offset int) Position {
	offset = max(0, min(offset, len(text)))
	head := text[:offset]
	line := 1 + strings.Count(head, "\n")
	start := strings.LastIndexByte(head, '\n') + 1
	return Position{Line: line, Column: 1 + utf8.RuneCountInString(head[start:])}
}

// Render prints e for a person: "file:line:column: message", the line, a caret line, and the hint. Without a span it
// prints the message and the hint. name is how the user called the text, for example its path. The result ends in a
// newline.
func Render(e *Error, name, text string) string {
	var b strings.Builder
	if e.Span.IsZero() || text == "" {
		fmt.Fprintf(&b, "error: %s\n", seen(e.Error()))
		renderHint(&b, e)
		return b.String()
	}
	pos := Locate(text, e.Span.Start)
	fmt.Fprintf(&b, "%s:%d:%d: error: %s\n", name, pos.Line, pos.Column, seen(e.Error()))
	renderCaret(&b, text, e.Span)
	renderHint(&b, e)
	return b.String()
}

func renderHint(b *strings.Builder, e *Error) {
	if e.Hint != "" {
		fmt.Fprintf(b, "  hint: %s\n", seen(e.Hint))
	}
}

// maxShown bounds how much of one line is shown, in cells of a terminal, so that a script on a single huge line stays
// readable. Behind the line's start and the place nothing is looked at that is further away than maxLooked bytes.
const (
	maxShown  = 120
	maxLooked = 16 * maxShown
)

// renderCaret prints the first line of a span and carets under it. What is as wide as two letters on a terminal gets two
// carets, what combines with the letter before it none of its own.
func renderCaret(b *strings.Builder, text string, span Span) {
	start := max(0, min(span.Start, len(text)))
	end := max(start, min(span.End, len(text)))
	from := strings.LastIndexByte(text[:start], '\n') + 1
	to := len(text)
	if i := strings.IndexByte(text[start:], '\n'); i >= 0 {
		to = start + i
	}
	end = min(end, to)
	before := lastCells(visible(text[runeStart(text, max(from, start-maxLooked)):start]), maxShown/2)
	shown := uniseg.StringWidth(before)
	place := firstCells(visible(text[start:runeStart(text, min(end, start+maxLooked))]), 2*maxShown-shown)
	after := ""
	if wide := shown + uniseg.StringWidth(place); wide < maxShown {
		rest := text[end:runeStart(text, min(to, end+maxLooked))]
		after = firstCells(visible(strings.TrimRight(rest, "\r")), maxShown-wide)
	}
	fmt.Fprintf(b, "  | %s%s%s\n", before, place, after)
	fmt.Fprintf(b, "  | %s%s\n", strings.Repeat(" ", shown), strings.Repeat("^", max(1, uniseg.StringWidth(place))))
}

// runeStart moves an offset back to where a character begins.
func runeStart(text string, at int) int {
	for at > 0 && at < len(text) && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}

// firstCells is the start of s that fits into so many cells.
func firstCells(s string, cells int) string {
	end, rest, state := 0, s, -1
	for rest != "" {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if cells -= width; cells < 0 {
			break
		}
		end += len(cluster)
	}
	return s[:end]
}

// lastCells is the end of s that fits into so many cells.
func lastCells(s string, cells int) string {
	over := uniseg.StringWidth(s) - cells
	state := -1
	for over > 0 && s != "" {
		var width int
		_, s, width, state = uniseg.FirstGraphemeClusterInString(s, state)
		over -= width
	}
	return s
}

// visible replaces what moves or hides other characters on a terminal: tabs by a space, so that they are as wide as the
// carets think, and control characters, of text direction too, by a mark.
func visible(s string) string { return strings.Map(printable, s) }

// seen is visible for a message, which may have several lines.
func seen(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return printable(r)
	}, s)
}

func printable(r rune) rune {
	const joiner = '\u200d' // It makes one emoji of several.
	switch {
	case r == '\t', r == '\u2028', r == '\u2029':
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != joiner:
		return '\uFFFD'
	}
	return r
}
