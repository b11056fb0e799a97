package expr

import (
	"strings"
	"unicode/utf8"

	"wadi/dataflow/column"
)

// runeOffset is the byte offset of character n of s, counted from 0; len(s) if it has fewer, 0 if n is negative.
func runeOffset(s string, n int64) int {
	if n <= 0 {
		return 0
	}
	if n >= int64(len(s)) {
		return len(s)
	}
	i := 0
	for ; n > 0 && i < len(s); n-- {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, w := utf8.DecodeRuneInString(s[i:])
		i += w
	}
	return i
}

// sliceKernel makes kernels of functions whose result is a part of their first argument, a text: no bytes are copied. f
// gives the part of s in row r.
func sliceKernel(f func(c *call, s string, r int) (from, to int, err error)) func(*Node) kernel {
	return func(*Node) kernel {
		out := &bytesOut{}
		return func(c *call) (column.Vector, error) {
			o := out.start(c)
			in := c.text(0)
			base := o.Borrow(in.vec)
			err := c.each(func(r int) error {
				from, to, err := f(c, in.at(r), r)
				if err != nil {
					return err
				}
				o.SetSlice(r, in.vec, r&in.mask, from, to, base)
				return nil
			})
			return &o.Bytes, err
		}
	}
}

// sliceFunctions declares the functions that cut text.
func sliceFunctions() []*function {
	trim := func(name, doc, example, result string, left, right bool) *function {
		mk := sliceKernel(func(c *call, s string, r int) (int, int, error) {
			cut := " "
			if len(c.args) == 2 {
				cut = c.text(1).at(r)
			}
			from, to := 0, len(s)
			if left {
				from = len(s) - len(strings.TrimLeft(s, cut))
			}
			if right {
				to = max(from, len(strings.TrimRight(s, cut)))
			}
			return from, to, nil
		})
		return textFunction(name, doc, example, result, takes(typeText, mk, pText), takes(typeText, mk, pText, pText))
	}
	return []*function{
		trim("btrim", "Without the spaces, or the characters given, at both ends.", "btrim('xxaxx', 'x')", "a", true,
			true).alias("trim"),
		trim("ltrim", "Without the spaces, or the characters given, at the start.", "ltrim('  a')", "a", true, false),
		trim("rtrim", "Without the spaces, or the characters given, at the end.", "rtrim('abcc', 'cb')", "a", false, true),
		textFunction("left", "The first n characters; for a negative n all but the last -n.", "left('abcde', -2)", "abc",
			takes(typeText, sliceKernel(leftPart), pText, pInt)),
		textFunction("right", "The last n characters; for a negative n all but the first -n.", "right('abcde', 2)", "de",
			takes(typeText, sliceKernel(rightPart), pText, pInt)),
		textFunction("substr", "The characters from a position (from 1) on: all, or a number of them.", "substr('abcdef', 2, 3)", "bcd",
			takes(typeText, sliceKernel(substring), pText, pInt),
			takes(typeText, sliceKernel(substring), pText, pInt, pInt)).alias("substring"),
		textFunction("split_part", "Part n (from 1; from the end if negative) of the text split at a separator.",
			"split_part('a.b.c', '.', 2)", "b", takes(typeText, sliceKernel(splitPart), pText, pText, pInt)).
			checked(checkNotZero(2, "parts count from 1, or from -1 backwards", "1 is the first part")),
		textFunction("substr_index", "What stands before occurrence n of a separator; for a negative n, after occurrence -n from the end.",
			"substr_index('a.b.c', '.', 2)", "a.b",
			takes(typeText, sliceKernel(substringIndex), pText, pText, pInt)).alias("substring_index"),
	}
}

func leftPart(c *call, s string, r int) (int, int, error) {
	n := argOf[int64](c, 1).at(r)
	if n < 0 {
		n += int64(utf8.RuneCountInString(s))
	}
	return 0, runeOffset(s, n), nil
}

func rightPart(c *call, s string, r int) (int, int, error) {
	n := argOf[int64](c, 1).at(r)
	if n < 0 {
		// -n overflows for the least integer, but then nothing is left anyway.
		return runeOffset(s, max(-n, -(n+1))), len(s), nil
	}
	return runeOffset(s, int64(utf8.RuneCountInString(s))-n), len(s), nil
}

func substring(c *call, s string, r int) (int, int, error) {
	start := argOf[int64](c, 1).at(r)
	from := runeOffset(s, start-b2i64(start > 0))
	if len(c.args) == 2 {
		return from, len(s), nil
	}
	n := argOf[int64](c, 2).at(r)
	if n < 0 {
		return 0, 0, c.badArgument("the length is negative").WithHint("greatest(n, 0) makes it none")
	}
	if start < 1 {
		// Positions before the text count towards the length.
		if n += start - 1; n <= 0 {
			return 0, 0, nil
		}
	}
	return from, from + runeOffset(s[from:], n), nil
}

func b2i64(b bool) int64 { return int64(b2i(b)) }

func splitPart(c *call, s string, r int) (int, int, error) {
	separator, n := c.text(1).at(r), argOf[int64](c, 2).at(r)
	if n == 0 {
		return 0, 0, c.badArgument("parts count from 1, or from -1 backwards").WithHint("1 is the first part")
	}
	if separator == "" {
		if n == 1 || n == -1 {
			return 0, len(s), nil
		}
		return 0, 0, nil
	}
	if n > 0 {
		from := 0
		for ; n > 1; n-- {
			i := strings.Index(s[from:], separator)
			if i < 0 {
				return 0, 0, nil
			}
			from += i + len(separator)
		}
		if i := strings.Index(s[from:], separator); i >= 0 {
			return from, from + i, nil
		}
		return from, len(s), nil
	}
	to := len(s)
	for ; n < -1; n++ {
		if to = strings.LastIndex(s[:to], separator); to < 0 {
			return 0, 0, nil
		}
	}
	if i := strings.LastIndex(s[:to], separator); i >= 0 {
		return i + len(separator), to, nil
	}
	return 0, to, nil
}

func substringIndex(c *call, s string, r int) (int, int, error) {
	separator, n := c.text(1).at(r), argOf[int64](c, 2).at(r)
	if n == 0 || separator == "" {
		return 0, 0, nil
	}
	if n > 0 {
		to := 0
		for ; n > 0; n-- {
			i := strings.Index(s[to:], separator)
			if i < 0 {
				return 0, len(s), nil
			}
			to += i + len(separator)
		}
		return 0, to - len(separator), nil
	}
	from := len(s)
	for ; n < 0; n++ {
		i := strings.LastIndex(s[:from], separator)
		if i < 0 {
			return 0, len(s), nil
		}
		from = i
	}
	return from + len(separator), len(s), nil
}
