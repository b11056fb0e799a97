package expr

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// UUID is the type of UUIDs: text in its canonical form, 36 characters in lower case, to which every cast brings it, so
// that equal UUIDs have equal bytes. Arrow's large string, which no type of SQL stands for, carries it through schemas.
var UUID arrow.DataType = arrow.BinaryTypes.LargeString

func isUUID(dt arrow.DataType) bool { return dt.ID() == arrow.LARGE_STRING }

// AppendUUID appends the canonical form of a UUID to dst. Digits may be in any case and hyphens may be missing or stand
// after any group of four digits, and braces around them, as in PostgreSQL. ok is false if text is no UUID.
func AppendUUID(dst []byte, text string) (_ []byte, ok bool) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
		text = text[1 : len(text)-1]
	}
	digits := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '-' {
			if digits == 0 || digits%4 != 0 || digits == 32 || text[i-1] == '-' {
				return dst, false
			}
			continue
		}
		if c-'0' > 9 {
			if c |= 0x20; c < 'a' || c > 'f' {
				return dst, false
			}
		}
		if digits == 8 || digits == 12 || digits == 16 || digits == 20 {
			dst = append(dst, '-')
		}
		if digits++; digits > 32 {
			return dst, false
		}
		dst = append(dst, c)
	}
	return dst, digits == 32
}

// parseUUIDs converts text to UUIDs.
func (k caster) parseUUIDs() kernel {
	return optionalText(func(c *call, dst []byte, r int) ([]byte, bool, error) {
		dst, ok := AppendUUID(dst, c.text(0).at(r))
		if !ok && !k.try {
			return dst, false, k.unreadable(c)
		}
		return dst, ok, nil
	})
}
