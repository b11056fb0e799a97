package expr

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"

	"wadi/dataflow/fault"
)

// Regular expressions are those of Go's regexp package, which is RE2, except that \d, \w and \s are Unicode's digits,
// letters and spaces, as in Arroyo, and that the flag x lets white space and comments stand in a pattern. \b and \B look at
// ASCII only.

// regexpFlags are the flags of the functions; g is theirs and not the pattern's.
const regexpFlags = "imsUxg"

// compileRegexp compiles a pattern under flags. Its fault has no place.
func compileRegexp(pattern, flags string) (*regexp.Regexp, *fault.Error) {
	kept := ""
	for _, f := range flags {
		switch {
		case !strings.ContainsRune(regexpFlags, f):
			return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "there is a flag other than i, m, s, U, x and g").
				WithHint("i is for any case, m for lines, s for . to match line ends, U for short matches, x for spaces, g for all matches")
		case f == 'x':
			pattern = withoutSpace(pattern)
		case f != 'g':
			kept += string(f)
		}
	}
	pattern, ok := unicodeClasses(pattern)
	if kept != "" {
		pattern = "(?" + kept + ")" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil || !ok {
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "the regular expression is not valid").
			WithHint("%s", regexpHint(err))
	}
	return re, nil
}

// regexpHint says what is wrong with a pattern, without words of it.
func regexpHint(err error) string {
	e, ok := err.(*syntax.Error)
	if !ok {
		return "classes of characters have no && here"
	}
	switch e.Code {
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return "a parenthesis is missing; \\( is the character itself"
	case syntax.ErrMissingBracket:
		return "a bracket is missing; \\[ is the character itself"
	case syntax.ErrMissingRepeatArgument, syntax.ErrInvalidRepeatOp:
		return "there is nothing before *, + or ? to repeat; \\* is the character itself"
	case syntax.ErrInvalidRepeatSize:
		return "{n} repeats up to 1000 times"
	case syntax.ErrTrailingBackslash:
		return "a backslash at the end escapes nothing"
	case syntax.ErrLarge, syntax.ErrNestingDepth:
		return "the pattern is too large"
	}
	return "the syntax is RE2's: no look-around, no back-references"
}

// What \w, \s and their opposites are inside a class.
const (
	wordClass  = `\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200c}\x{200d}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189}`
	spaceClass = `\t-\r\x{85}\p{Z}`
)

// perlClasses are the classes of letters by their letter.
var perlClasses = sync.OnceValue(func() map[byte]string {
	return map[byte]string{
		'd': `\p{Nd}`, 'D': `\P{Nd}`, 'w': wordClass, 'W': opposite(wordClass), 's': spaceClass, 'S': opposite(spaceClass),
	}
})

// opposite gives what a class leaves out, as ranges.
func opposite(class string) string {
	re, err := syntax.Parse("[^"+class+"]", syntax.Perl)
	if err != nil {
		panic("expr: " + err.Error())
	}
	var b strings.Builder
	for i := 0; i+1 < len(re.Rune); i += 2 {
		fmt.Fprintf(&b, `\x{%x}-\x{%x}`, re.Rune[i], re.Rune[i+1])
	}
	return b.String()
}

// unicodeClasses spells \d, \w, \s and their opposites out. ok is false for operations on classes, which RE2 would take for
// characters.
func unicodeClasses(pattern string) (spelled string, ok bool) {
	if !strings.ContainsAny(pattern, `\[`) {
		return pattern, true
	}
	var b strings.Builder
	inClass := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern):
			i++
			class := perlClasses()[pattern[i]]
			switch {
			case class == "":
				b.WriteString(pattern[i-1 : i+1])
			case inClass:
				b.WriteString(class)
			default:
				b.WriteString("[" + class + "]")
			}
			continue
		case inClass && strings.HasPrefix(pattern[i:], "&&"):
			return "", false
		case inClass && strings.HasPrefix(pattern[i:], "[:"):
			if n := strings.Index(pattern[i:], ":]"); n > 0 {
				b.WriteString(pattern[i : i+n+2])
				i += n + 1
				continue
			}
		case inClass && c == ']':
			inClass = false
		case !inClass && c == '[':
			inClass = true
			b.WriteByte(c)
			// A bracket that comes first is a character.
			for _, first := range []string{"^", "]"} {
				if strings.HasPrefix(pattern[i+1:], first) {
					b.WriteString(first)
					i++
				}
			}
			continue
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// withoutSpace takes the white space and the comments out of a pattern.
func withoutSpace(pattern string) string {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			b.WriteString(pattern[i : i+2])
			i++
			continue
		case strings.IndexByte(" \t\n\v\f\r", c) >= 0:
			continue
		case c == '#' && !inClass:
			if end := strings.IndexByte(pattern[i:], '\n'); end >= 0 {
				i += end
			} else {
				i = len(pattern)
			}
			continue
		case c == '[':
			inClass = true
		case c == ']':
			inClass = false
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}
