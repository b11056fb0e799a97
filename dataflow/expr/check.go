package expr

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
)

// A check refuses a call whose constant arguments can never work, when it is resolved and not only when a row comes. The
// kernels check too, since most of these arguments may come from columns.
type check func(s *callSite, args []*Node) error

func (f *function) checked(c check) *function {
	f.check = c
	return f
}

// constant gives argument i if it is a constant text.
func constant(args []*Node, i int) (string, bool) {
	if i >= len(args) || args[i].Kind != Literal {
		return "", false
	}
	text, ok := args[i].Value.(string)
	return text, ok
}

// at gives a fault the place of argument i, and the function's name.
func (s *callSite) at(err *fault.Error, args []*Node, i int) *fault.Error {
	moved := *err
	moved.Span = spanOf(args[i], s.span)
	moved.Message = s.name + ": " + err.Message
	return &moved
}

func (s *callSite) invalid(args []*Node, i int, message, hint string) *fault.Error {
	return s.at(fault.Userf(fault.CodeInvalid, fault.Span{}, "%s", message).WithHint("%s", hint), args, i)
}

// checkRegexp checks the pattern, which is argument 1, and the flags, which may be argument flags.
func checkRegexp(flags int) check {
	return func(s *callSite, args []*Node) error {
		pattern, ok := constant(args, 1)
		if !ok {
			return nil
		}
		f := ""
		if flags > 0 && flags < len(args) {
			if f, ok = constant(args, flags); !ok {
				f = ""
			}
		}
		if _, err := compileRegexp(pattern, f); err != nil {
			at := 1
			if _, err := compileRegexp(pattern, ""); err == nil {
				at = flags
			}
			return s.at(err, args, at)
		}
		return nil
	}
}

// checkLike checks the pattern and the escape of LIKE and SIMILAR TO.
func checkLike(s *callSite, args []*Node) error {
	escape := `\`
	if len(args) == 3 {
		var ok bool
		if escape, ok = constant(args, 2); !ok {
			return nil
		}
		if utf8.RuneCountInString(escape) > 1 {
			return s.invalid(args, 2, "ESCAPE takes one character", "for example ESCAPE '!'")
		}
	}
	pattern, ok := constant(args, 1)
	if !ok {
		return nil
	}
	converted, ok := similarToRegexp(pattern, escape)
	if !ok {
		return s.invalid(args, 1, "the pattern ends with the escape character", "write it twice for the character itself")
	}
	if strings.Contains(s.fn.name, "similar") {
		if _, err := compileRegexp(converted, ""); err != nil {
			return s.at(err.WithHint("parentheses and brackets come in pairs, and *, + and ? behind what they repeat"), args, 1)
		}
	}
	return nil
}

// checkFormats checks the formats of times from argument 1 on.
func checkFormats(s *callSite, args []*Node) error {
	for i := 1; i < len(args); i++ {
		if format, ok := constant(args, i); ok {
			if _, ok := parseTimeFormat(format); !ok {
				return s.invalid(args, i, "the format has a conversion that there is not", formatExample)
			}
			if !strings.Contains(format, "%") && foreignFormat(format) {
				return s.invalid(args, i, "the format has letters for conversions, which are written with %", formatExample)
			}
		}
	}
	return nil
}

// foreignFormat reports whether a format has fields as PostgreSQL and Java write them.
func foreignFormat(format string) bool {
	return slices.ContainsFunc([]string{"YY", "yy", "MM", "DD", "dd", "HH", "MI", "mm", "SS", "ss"}, func(field string) bool {
		return strings.Contains(format, field)
	})
}

const formatExample = "for example %Y-%m-%d %H:%M:%S%.3f"

func checkZone(s *callSite, args []*Node) error {
	if name, ok := constant(args, 1); ok && findZone(name) == nil {
		return unknownZone(spanOf(args[1], s.span))
	}
	return nil
}

// checkWord checks that argument 1 is one that known takes.
func checkWord(known func(string) bool, message, hint string) check {
	return func(s *callSite, args []*Node) error {
		if name, ok := constant(args, 1); ok && !known(name) {
			return s.invalid(args, 1, message, hint)
		}
		return nil
	}
}

// checkWidth refuses bins without a width.
func checkWidth(s *callSite, args []*Node) error {
	v, ok := args[0].Value.(arrow.MonthDayNanoInterval)
	switch {
	case args[0].Kind != Literal || !ok:
	case v.Months != 0 && (v.Days != 0 || v.Nanoseconds != 0 || v.Months < 0):
		return s.invalid(args, 0, "a width in months has no days and no time, and is positive", "write INTERVAL '1 month'")
	case v.Months == 0 && float64(v.Days)*float64(dayNanos)+float64(v.Nanoseconds) <= 0:
		return s.invalid(args, 0, "the width is not positive", "write INTERVAL '15 minutes'")
	}
	return nil
}

// checkNotZero refuses a constant 0 as argument i.
func checkNotZero(i int, message, hint string) check {
	return func(s *callSite, args []*Node) error {
		if i < len(args) && args[i].Kind == Literal && (args[i].Value == int64(0) || args[i].Value == arrow.MonthDayNanoInterval{}) {
			return s.invalid(args, i, message, hint)
		}
		return nil
	}
}

// checkOrder checks the words of array_sort.
func checkOrder(s *callSite, args []*Node) error {
	words := []string{"ASC", "DESC"}
	for i := 1; i < len(args); i++ {
		word, ok := constant(args, i)
		if ok && !slices.Contains(words, strings.ToUpper(strings.TrimSpace(word))) {
			return s.invalid(args, i, "that is no order", "orders are 'ASC' and 'DESC', then 'NULLS FIRST' and 'NULLS LAST'")
		}
		words = []string{"NULLS FIRST", "NULLS LAST"}
	}
	return nil
}
