package connector

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"wadi/dataflow/fault"
)

// String names an option type for messages and documentation.
func (t OptionType) String() string {
	return [...]string{
		String: "a string", Bool: "true or false", Int: "a whole number", Uint: "a whole number of 0 or more",
		Float: "a number", Size: "a size such as '64mb'", Duration: "an interval", Column: "a column's name",
		List: "a list of strings",
	}[t]
}

// coerce turns a value into the canonical text of the option's type. The forms that are accepted are Arroyo's, and a few
// more where there is only one thing that can be meant (a bare number as a size in bytes).
func coerce(o *Option, r Raw) (string, *fault.Error) {
	switch o.Type {
	case String:
		if r.Kind == RawString {
			return r.Text, nil
		}
	case Bool:
		return coerceBool(o, r)
	case Int, Uint, Float:
		if r.Kind == RawNumber || r.Kind == RawString {
			return coerceNumber(o, r)
		}
	case Size:
		if r.Kind == RawNumber || r.Kind == RawString {
			return coerceSize(o, r)
		}
	case Duration:
		return coerceDuration(o, r)
	case Column:
		if r.Kind == RawIdent || r.Kind == RawString {
			return r.Text, nil
		}
	case List:
		return coerceList(o, r)
	}
	return "", wrongType(o, r)
}

func wrongType(o *Option, r Raw) *fault.Error {
	f := fault.Userf(CodeOptionType, r.Span, "option %q takes %s, not %s", o.Name, o.Type, r.Kind)
	switch {
	case o.Type == String && r.Kind == RawIdent:
		f.Hint = "strings are written in single quotes"
	case o.Type == String:
		f.Hint = "write the value in single quotes"
	case o.Type == Duration:
		f.Hint = "write it as INTERVAL '10' SECOND"
	default:
		f.Hint = o.example()
	}
	return f
}

// example is what a hint says about an option whose value has the wrong form.
func (o *Option) example() string {
	value := map[OptionType]string{Bool: "true", Int: "10", Uint: "10", Float: "10.5", Column: "id", List: "'a,b'"}[o.Type]
	if o.Doc == "" {
		return "for example " + o.Name + " = " + value
	}
	return "for example " + o.Name + " = " + value + ": " + o.Doc
}

func badValue(o *Option, r Raw) *fault.Error {
	return fault.Userf(CodeOptionType, r.Span, "option %q takes %s, and this string is none", o.Name, o.Type).WithHint("%s", o.example())
}

func coerceBool(o *Option, r Raw) (string, *fault.Error) {
	if r.Kind != RawBool && r.Kind != RawString {
		return "", wrongType(o, r)
	}
	switch r.Text {
	case "true", "yes":
		return "true", nil
	case "false", "no":
		return "false", nil
	}
	return "", badValue(o, r)
}

func coerceNumber(o *Option, r Raw) (string, *fault.Error) {
	text := strings.TrimPrefix(strings.TrimSpace(r.Text), "+")
	if o.Type == Float {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return "", badNumber(o, r)
		}
		return strconv.FormatFloat(f, 'g', -1, 64), nil
	}
	n, ok := wholeNumber(text)
	if !ok {
		return "", badNumber(o, r)
	}
	if o.Type == Int && !n.IsInt64() || o.Type == Uint && !n.IsUint64() {
		f := fault.Userf(CodeOptionValue, r.Span, "option %q is out of range", o.Name)
		if o.Type == Uint && n.Sign() < 0 {
			f.Hint = "it must be 0 or more"
		}
		return "", f
	}
	return n.String(), nil
}

func badNumber(o *Option, r Raw) *fault.Error {
	if r.Kind == RawString {
		return badValue(o, r)
	}
	return fault.Userf(CodeOptionType, r.Span, "option %q takes %s", o.Name, o.Type).WithHint("%s", o.example())
}

// wholeNumber reads a decimal number without a fraction; 1e6 and 10.0 are such numbers too. Exponents beyond what 64
// bits could hold are refused before they cost memory.
func wholeNumber(text string) (*big.Int, bool) {
	if n, ok := new(big.Int).SetString(text, 10); ok && len(text) < 64 {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > 1<<65 || f != math.Trunc(f) {
		return nil, false
	}
	n, accuracy := big.NewFloat(f).Int(nil)
	return n, accuracy == big.Exact
}

// sizeUnits are powers of 1024.
var sizeUnits = map[string]uint{
	"": 0, "b": 0, "k": 10, "kb": 10, "m": 20, "mb": 20, "g": 30, "gb": 30, "t": 40, "tb": 40, "p": 50, "pb": 50, "e": 60, "eb": 60,
}

func coerceSize(o *Option, r Raw) (string, *fault.Error) {
	digits := 0
	for digits < len(r.Text) && r.Text[digits] >= '0' && r.Text[digits] <= '9' {
		digits++
	}
	shift, known := sizeUnits[strings.ToLower(strings.TrimSpace(r.Text[digits:]))]
	n, err := strconv.ParseUint(r.Text[:digits], 10, 63)
	if !known || digits == 0 || err != nil || n > math.MaxInt64>>shift {
		return "", fault.Userf(CodeOptionType, r.Span, "option %q takes a size", o.Name).
			WithHint("digits and a unit: b, kb, mb, gb, tb, pb, eb (powers of 1024), for example '64mb'")
	}
	return strconv.FormatUint(n<<shift, 10), nil
}

// intervalUnits are the units of a quoted interval; months and years have no fixed length and are refused.
var intervalUnits = map[string]time.Duration{
	"nanosecond": 1, "ns": 1, "microsecond": time.Microsecond, "us": time.Microsecond,
	"millisecond": time.Millisecond, "ms": time.Millisecond, "second": time.Second, "sec": time.Second, "s": time.Second,
	"minute": time.Minute, "min": time.Minute, "m": time.Minute, "hour": time.Hour, "h": time.Hour,
	"day": 24 * time.Hour, "d": 24 * time.Hour, "week": 7 * 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

func coerceDuration(o *Option, r Raw) (string, *fault.Error) {
	nanos := r.Nanos
	switch r.Kind {
	case RawInterval:
	case RawString:
		var ok bool
		if nanos, ok = quotedInterval(r.Text); !ok {
			return "", badValue(o, r).WithHint("write it as INTERVAL '10' SECOND; months and years have no fixed length")
		}
	default:
		return "", wrongType(o, r)
	}
	if nanos < 0 {
		return "", fault.Userf(CodeOptionValue, r.Span, "option %q is negative", o.Name).WithHint("an interval of 0 or more is meant")
	}
	return strconv.FormatInt(nanos, 10), nil
}

// quotedInterval reads "90 seconds" or "1 hour 30 minutes", the older way to write an interval.
func quotedInterval(text string) (int64, bool) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 || len(words)%2 != 0 {
		return 0, false
	}
	total := 0.0
	for i := 0; i < len(words); i += 2 {
		n, err := strconv.ParseFloat(words[i], 64)
		unit, known := intervalUnits[words[i+1]]
		if !known {
			unit, known = intervalUnits[strings.TrimSuffix(words[i+1], "s")]
		}
		if err != nil || !known || math.IsNaN(n) {
			return 0, false
		}
		total += n * float64(unit)
	}
	if math.Abs(total) >= math.MaxInt64 {
		return 0, false
	}
	return int64(math.Round(total)), true
}

func coerceList(o *Option, r Raw) (string, *fault.Error) {
	if r.Kind == RawString {
		parts := strings.Split(r.Text, ",")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		return strings.Join(parts, ","), nil
	}
	if r.Kind != RawArray {
		return "", wrongType(o, r)
	}
	parts := make([]string, len(r.Items))
	for i, item := range r.Items {
		if item.Kind != RawString && item.Kind != RawIdent || strings.Contains(item.Text, ",") {
			return "", fault.Userf(CodeOptionType, item.Span.Join(r.Span), "option %q takes a list of strings without commas", o.Name).
				WithHint("%s", o.example())
		}
		parts[i] = item.Text
	}
	return strings.Join(parts, ","), nil
}
