package expr

import (
	"unicode"
	"unicode/utf8"
)

func appendLower(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return appendLowerRunes(dst, s, i)
		}
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// appendLowerRunes goes on at byte i with letters beyond ASCII.
func appendLowerRunes(dst []byte, s string, i int) []byte {
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == 'Σ' && endsWord(s, i):
			dst = append(dst, "ς"...)
		case r == 'İ':
			dst = append(dst, "i\u0307"...)
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		i += n
	}
	return dst
}

// endsWord reports whether the letter at byte i has letters before it and none after it, marks not counting: there, a
// sigma has another small letter.
func endsWord(s string, i int) bool {
	before := false
	for head := s[:i]; head != ""; {
		r, n := utf8.DecodeLastRuneInString(head)
		head = head[:len(head)-n]
		if !ignoresCase(r) {
			before = hasCase(r)
			break
		}
	}
	for _, r := range s[i+len("Σ"):] {
		if !ignoresCase(r) {
			return before && !hasCase(r)
		}
	}
	return before
}

func hasCase(r rune) bool { return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) }

// ignoresCase is Unicode's Case_Ignorable, nearly.
func ignoresCase(r rune) bool {
	switch r {
	case '\'', '.', ':', '\u00b7', '\u0387', '\u055f', '\u05f4', '\u2018', '\u2019', '\u2024', '\u2027':
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}

func appendUpper(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			for _, r := range s[i:] {
				dst = appendUpperRune(dst, r)
			}
			return dst
		}
		if c >= 'a' && c <= 'z' {
			c &^= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

func appendUpperRune(dst []byte, r rune) []byte {
	if s := severalCapitals(r); s != "" {
		return append(dst, s...)
	}
	return utf8.AppendRune(dst, unicode.ToUpper(r))
}

// severalCapitals gives the capital letters of a letter that has more than one, as Unicode's SpecialCasing lists them.
func severalCapitals(r rune) string {
	switch {
	case r < 'ß':
		return ""
	case r >= 'ᾀ' && r <= 'ᾯ':
		// Each of the three blocks is eight small letters with a small iota below, and their capitals.
		base := [...]rune{'Ἀ', 'Ἠ', 'Ὠ'}[(r-'ᾀ')/16]
		return string([]rune{base + (r-'ᾀ')%8, 'Ι'})
	}
	switch r {
	case 'ß':
		return "SS"
	case 'ŉ':
		return "ʼN"
	case 'ǰ':
		return "J\u030c"
	case '\u0390', '\u1fd3':
		return "Ι\u0308\u0301"
	case '\u03b0', '\u1fe3':
		return "Υ\u0308\u0301"
	case 'և':
		return "ԵՒ"
	case 'ẖ':
		return "H\u0331"
	case 'ẗ':
		return "T\u0308"
	case 'ẘ':
		return "W\u030a"
	case 'ẙ':
		return "Y\u030a"
	case 'ẚ':
		return "Aʾ"
	case 'ὐ':
		return "Υ\u0313"
	case 'ὒ':
		return "Υ\u0313\u0300"
	case 'ὔ':
		return "Υ\u0313\u0301"
	case 'ὖ':
		return "Υ\u0313\u0342"
	case 'ᾲ':
		return "ᾺΙ"
	case 'ᾳ', 'ᾼ':
		return "ΑΙ"
	case 'ᾴ':
		return "ΆΙ"
	case 'ᾶ':
		return "Α\u0342"
	case 'ᾷ':
		return "Α\u0342Ι"
	case 'ῂ':
		return "ῊΙ"
	case 'ῃ', 'ῌ':
		return "ΗΙ"
	case 'ῄ':
		return "ΉΙ"
	case 'ῆ':
		return "Η\u0342"
	case 'ῇ':
		return "Η\u0342Ι"
	case 'ῒ':
		return "Ι\u0308\u0300"
	case 'ῖ':
		return "Ι\u0342"
	case 'ῗ':
		return "Ι\u0308\u0342"
	case 'ῢ':
		return "Υ\u0308\u0300"
	case 'ῤ':
		return "Ρ\u0313"
	case 'ῦ':
		return "Υ\u0342"
	case 'ῧ':
		return "Υ\u0308\u0342"
	case 'ῲ':
		return "ῺΙ"
	case 'ῳ', 'ῼ':
		return "ΩΙ"
	case 'ῴ':
		return "ΏΙ"
	case 'ῶ':
		return "Ω\u0342"
	case 'ῷ':
		return "Ω\u0342Ι"
	case 'ﬀ':
		return "FF"
	case 'ﬁ':
		return "FI"
	case 'ﬂ':
		return "FL"
	case 'ﬃ':
		return "FFI"
	case 'ﬄ':
		return "FFL"
	case 'ﬅ', 'ﬆ':
		return "ST"
	case 'ﬓ':
		return "ՄՆ"
	case 'ﬔ':
		return "ՄԵ"
	case 'ﬕ':
		return "ՄԻ"
	case 'ﬖ':
		return "ՎՆ"
	case 'ﬗ':
		return "ՄԽ"
	}
	return ""
}

func appendInitcap(dst []byte, s string) []byte {
	inWord := false
	for _, r := range s {
		switch {
		case !inWord:
			dst = appendUpperRune(dst, r)
		case r == 'İ':
			dst = append(dst, "i\u0307"...)
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		inWord = unicode.IsLetter(r) || unicode.IsNumber(r)
	}
	return dst
}
