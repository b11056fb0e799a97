package expr

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"wadi/dataflow/column"
	"wadi/dataflow/expr/automaton"
)

// patternFunctions declares LIKE, SIMILAR TO and the functions of regular expressions, in RE2 syntax.
func patternFunctions() []*function {
	match := func(name, text, example, result, flags string, negated bool) *function {
		return &function{
			name: name, operator: text, category: "operators", doc: "Matches a text with a regular expression, anywhere in it.",
			example: example, result: result, check: checkRegexp(0),
			overloads: []overload{takes(typeBool, regexpTest(flags, negated), pText, pText)},
		}
	}
	similar := func(name, text, example, result string, negated bool) *function {
		return &function{
			name: name, operator: text, category: "operators",
			doc:     "Matches a whole text with an SQL pattern: %, _, |, *, +, ?, {m,n}, (), [].",
			example: example, result: result, check: checkLike,
			overloads: []overload{takes(typeBool, similarTest(negated), pText, pText),
				takes(typeBool, similarTest(negated), pText, pText, pText)},
		}
	}
	fs := append(likeFunctions(),
		match("regexp_match_op", "~", "'abc' ~ '^a.c$'", "true", "", false),
		match("regexp_imatch_op", "~*", "'ABC' ~* 'b'", "true", "i", false),
		match("regexp_not_match_op", "!~", "'abc' !~ 'b'", "false", "", true),
		match("regexp_not_imatch_op", "!~*", "'ABC' !~* 'x'", "true", "i", true),
		similar("similar_to", "SIMILAR TO", "'abc' SIMILAR TO '(a|x)b%'", "true", false),
		similar("not_similar_to", "NOT SIMILAR TO", "'abc' NOT SIMILAR TO 'b'", "true", true),
	)
	const category = "regular expressions"
	return append(fs,
		&function{
			name: "regexp_like", category: category, doc: "Whether a regular expression matches; flags: i, m, s, U, x.", check: checkRegexp(2),
			example: "regexp_like('Köln', 'K(ö|oe)ln')", result: "true",
			overloads: []overload{takes(typeBool, regexpTest("", false), pText, pText),
				takes(typeBool, regexpTest("", false), pText, pText, pText)},
		},
		&function{
			name: "regexp_count", category: category, doc: "How often a regular expression matches from a position (1) on.", check: checkRegexp(3),
			example: "regexp_count('abcabAbc', 'abc', 2, 'i')", result: "1",
			overloads: []overload{takes(typeInt64, regexpCountKernel, pText, pText),
				takes(typeInt64, regexpCountKernel, pText, pText, pInt),
				takes(typeInt64, regexpCountKernel, pText, pText, pInt, pText)},
		},
		&function{
			name: "regexp_replace", category: category,
			doc:     `Replaces the first match, or all with flag g; \1 or $1 in the replacement is the first group, $name a named one.`,
			check:   checkRegexp(3),
			example: `regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g')`, result: "fooXarYXazY",
			overloads: []overload{takes(typeText, regexpReplace, pText, pText, pText),
				takes(typeText, regexpReplace, pText, pText, pText, pText)},
		},
		&function{
			name: "regexp_match", category: category, doc: "The groups of the first match, or the match if there are no groups; null without one.",
			example: "regexp_match('abc', 'x') IS NULL", result: "true", mayNull: true, check: checkRegexp(2),
			overloads: []overload{takes(typeTexts, regexpMatch, pText, pText), takes(typeTexts, regexpMatch, pText, pText, pText)},
		},
	)
}

// patterns keeps compiled regular expressions by their text; a query has few different ones.
type patterns struct {
	last     *automaton.Regexp
	lastKey  string
	compiled map[patternKey]*automaton.Regexp
}

type patternKey struct{ pattern, flags string }

// maxPatterns bounds what is kept when patterns come from data.
const maxPatterns = 256

// get compiles a pattern under flags.
func (p *patterns) get(c *call, pattern, flags string) (*automaton.Regexp, error) {
	if flags == "" && p.last != nil && p.lastKey == pattern {
		return p.last, nil
	}
	key := patternKey{pattern, flags}
	re := p.compiled[key]
	if re == nil {
		key = patternKey{strings.Clone(pattern), strings.Clone(flags)} // expressions keep parts of it, and the batch is only borrowed
		compiled, err := compileRegexp(key.pattern, key.flags)
		if err != nil {
			return nil, c.badArgument("%s", err.Message).WithHint("%s", err.Hint)
		}
		re = automaton.New(compiled)
		if p.compiled == nil || len(p.compiled) >= maxPatterns {
			p.compiled = make(map[patternKey]*automaton.Regexp)
		}
		p.compiled[key] = re
	}
	if flags == "" {
		p.last, p.lastKey = re, strings.Clone(pattern)
	}
	return re, nil
}

// flagsOf gives argument i of the call in row r, or none.
func flagsOf(c *call, i, r int) string {
	if i < len(c.args) {
		return c.text(i).at(r)
	}
	return ""
}

func regexpTest(always string, negated bool) func(*Node) kernel {
	return func(*Node) kernel {
		var cache patterns
		return testKernel(func(c *call, r int) (bool, error) {
			re, err := cache.get(c, c.text(1).at(r), always+flagsOf(c, 2, r))
			if err != nil {
				return false, err
			}
			return re.Match(c.text(0).at(r)) != negated, nil
		})
	}
}

func regexpCountKernel(n *Node) kernel { return textNumber(regexpCount())(n) }

func regexpCount() func(c *call, r int) (int64, error) {
	var cache patterns
	return func(c *call, r int) (int64, error) {
		re, err := cache.get(c, c.text(1).at(r), flagsOf(c, 3, r))
		if err != nil {
			return 0, err
		}
		s := c.text(0).at(r)
		if len(c.args) > 2 {
			start := argOf[int64](c, 2).at(r)
			if start < 1 {
				return 0, c.badArgument("the position is below 1").WithHint("the first character is at position 1")
			}
			s = s[runeOffset(s, start-1):]
		}
		n := int64(0)
		for m := re.All(s); m.Next(); {
			n++
		}
		return n, nil
	}
}

func regexpReplace(*Node) kernel {
	var cache patterns
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		flags := flagsOf(c, 3, r)
		re, err := cache.get(c, c.text(1).at(r), flags)
		if err != nil {
			return dst, err
		}
		s, with, all := c.text(0).at(r), c.text(2).at(r), strings.Contains(flags, "g")
		if strings.ContainsAny(with, `\$`) {
			return replaceGroups(re, dst, s, replacement(with), all), nil
		}
		from := 0
		for m := re.All(s); m.Next(); {
			dst = append(append(dst, s[from:m.From]...), with...)
			if from = m.To; !all {
				break
			}
		}
		return append(dst, s[from:]...), nil
	})
}

// replaceGroups appends s with the first or all matches replaced by what with makes of their groups.
func replaceGroups(x *automaton.Regexp, dst []byte, s, with string, all bool) []byte {
	if !all {
		m := x.Groups(s)
		if m == nil {
			return append(dst, s...)
		}
		dst = x.Regexp().ExpandString(append(dst, s[:m[0]]...), with, s, m)
		return append(dst, s[m[1]:]...)
	}
	if !x.Match(s) {
		return append(dst, s...)
	}
	from := 0
	for _, m := range x.Regexp().FindAllStringSubmatchIndex(s, -1) {
		dst = x.Regexp().ExpandString(append(dst, s[from:m[0]]...), with, s, m)
		from = m[1]
	}
	return append(dst, s[from:]...)
}

// replacement turns \1 into the form of the regexp package, which knows $1, $name and $$ itself.
func replacement(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		next := byte(0)
		if i+1 < len(s) {
			next = s[i+1]
		}
		switch {
		case s[i] == '\\' && next >= '0' && next <= '9':
			b.WriteString("${" + string(next) + "}")
			i++
		case s[i] == '\\' && next == '&':
			b.WriteString("${0}")
			i++
		case s[i] == '\\' && next == '\\':
			b.WriteByte('\\')
			i++
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func regexpMatch(n *Node) kernel {
	var cache patterns
	out := column.NewAppender(n.Type).(*column.List)
	return func(c *call) (column.Vector, error) {
		out.Reset()
		elem := out.Elem.(*column.Bytes)
		err := c.each(func(r int) error {
			padList(out, r)
			re, err := cache.get(c, c.text(1).at(r), flagsOf(c, 2, r))
			if err != nil {
				return err
			}
			s := c.text(0).at(r)
			m := re.Groups(s)
			if m == nil {
				out.AppendNull()
				return nil
			}
			if len(m) > 2 {
				m = m[2:]
			}
			for ; len(m) > 0; m = m[2:] {
				if m[0] < 0 {
					elem.AppendNull()
				} else {
					elem.AppendString(s[m[0]:m[1]])
				}
			}
			out.Append()
			return nil
		})
		padList(out, c.n)
		return out, err
	}
}

func similarTest(negated bool) func(*Node) kernel {
	return func(*Node) kernel {
		var cache patterns
		var pattern, escape, converted string
		return testKernel(func(c *call, r int) (bool, error) {
			p, e := c.text(1).at(r), `\`
			if len(c.args) == 3 {
				e = c.text(2).at(r)
			}
			if converted == "" || p != pattern || e != escape {
				if utf8.RuneCountInString(e) > 1 {
					return false, c.badArgument("ESCAPE takes one character").WithHint("for example ESCAPE '!'")
				}
				var ok bool
				if converted, ok = similarToRegexp(p, e); !ok {
					return false, c.badArgument("the pattern ends with the escape character").WithHint("write it twice for the character itself")
				}
				pattern, escape = strings.Clone(p), strings.Clone(e)
			}
			re, err := cache.get(c, converted, "")
			if err != nil {
				return false, err
			}
			return re.Match(c.text(0).at(r)) != negated, nil
		})
	}
}

// similarToRegexp translates a SIMILAR TO pattern, which has to match the whole text.
func similarToRegexp(pattern, escape string) (string, bool) {
	var b strings.Builder
	b.WriteString(`^(?s:`)
	escaped, inClass, skip := false, false, 0
	for i, r := range pattern {
		ch := string(r)
		switch {
		case i < skip:
		case escaped:
			b.WriteString(regexp.QuoteMeta(ch))
			escaped = false
		case ch == escape:
			escaped = true
		case inClass && strings.HasPrefix(pattern[i:], "[:") && strings.Contains(pattern[i:], ":]"):
			// A class with a name goes on as it is.
			n := strings.Index(pattern[i:], ":]") + len(":]")
			b.WriteString(pattern[i : i+n])
			skip = i + n
		case inClass:
			if ch == `\` || ch == "[" {
				b.WriteByte('\\')
			}
			b.WriteString(ch)
			inClass = ch != "]"
		case ch == "[":
			b.WriteString(ch)
			inClass = true
		case ch == "%":
			b.WriteString(".*")
		case ch == "_":
			b.WriteByte('.')
		case strings.Contains("|*+?{}()", ch):
			b.WriteString(ch)
		default:
			b.WriteString(regexp.QuoteMeta(ch))
		}
	}
	b.WriteString(`)$`)
	return b.String(), !escaped
}
