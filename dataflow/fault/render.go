package fault

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
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
		fmt.Fprintf(&b, "error: %s\n", e.Error())
		renderHint(&b, e)
		return b.String()
	}
	pos := Locate(text, e.Span.Start)
	fmt.Fprintf(&b, "%s:%d:%d: error: %s\n", name, pos.Line, pos.Column, e.Error())
	renderCaret(&b, text, e.Span)
	renderHint(&b, e)
	return b.String()
}

func renderHint(b *strings.Builder, e *Error) {
	if e.Hint != "" {
		fmt.Fprintf(b, "  hint: %s\n", e.Hint)
	}
}

// maxShown bounds how much of one line is shown, so that a script on a single huge line stays readable.
const maxShown = 120

func renderCaret(b *strings.Builder, text string, span Span) {
	start := max(0, min(span.Start, len(text)))
	end := max(start, min(span.End, len(text)))
	from := strings.LastIndexByte(text[:start], '\n') + 1
	to := len(text)
	if i := strings.IndexByte(text[start:], '\n'); i >= 0 {
		to = start + i
	}
	end = min(end, to)
	for start-from > maxShown/2 {
		_, n := utf8.DecodeRuneInString(text[from:])
		from += n
	}
	for to-from > maxShown && to > end {
		_, n := utf8.DecodeLastRuneInString(text[from:to])
		to -= n
	}
	if to-from > 2*maxShown {
		to = from + 2*maxShown
		end = min(end, to)
	}
	line := strings.Map(printable, strings.TrimRight(text[from:to], "\r"))
	width := max(1, utf8.RuneCountInString(text[start:end]))
	fmt.Fprintf(b, "  | %s\n", line)
	fmt.Fprintf(b, "  | %s%s\n", strings.Repeat(" ", utf8.RuneCountInString(text[from:start])), strings.Repeat("^", width))
}

// printable keeps characters that move nothing on a terminal; every other one becomes one that takes as much room.
func printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case unicode.IsControl(r):
		return '\uFFFD'
	}
	return r
}
