package expr

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

// jsonOperators are the functions behind ->, ->> and ?.
var jsonOperators = []string{"json_get", "json_as_text", "json_contains"}

// insteads say, for a call of one of these functions with so many arguments of which one is of a type that the function takes
// elsewhere, what to write here. The first that fits counts.
var insteads = []struct {
	names []string
	args  int
	at    int
	is    func(arrow.DataType) bool
	hint  string
}{
	{[]string{"substr"}, 2, 1, isText, "regexp_match(x, 'pattern')[1] gives what a pattern finds"},
	{[]string{"substr"}, 3, 1, isText, "regexp_match(x, 'pattern')[1] gives what a pattern finds"},
	{jsonOperators, 2, 0, isMap, "write x['key'] for the value of a key"},
	{jsonOperators, 2, 0, isList, "write x[1] for an element"},
	{jsonOperators, 2, 0, isStructType, "write x.name for a member of a struct"},
	{[]string{"array_element"}, 2, 0, isText, "substr(x, 1, 1) takes characters of a text"},
	{[]string{"array_slice"}, 3, 0, isText, "substr(x, from, number) takes characters of a text"},
	{[]string{"to_char"}, 2, 0, isNumeric, "to_char is for times; CAST(x AS TEXT) writes a number, and round(x, 2) rounds it"},
	{[]string{"to_char"}, 2, 0, isInterval, "to_char is for times; CAST(x AS TEXT) writes an interval"},
	{[]string{"character_length"}, 1, 0, isBinary, "octet_length(x) counts bytes"},
	{[]string{"date_trunc"}, 3, 0, isText, "only a TIMESTAMP WITH TIME ZONE is cut by the clock of a zone: CAST(x AS TIMESTAMPTZ)"},
	{[]string{"date_part"}, 2, 1, isTime, "a TIME has hours, minutes, seconds and their parts, and an epoch"},
	{[]string{"date_part"}, 2, 1, isInterval, "an INTERVAL has years, quarters, months, weeks, days, hours, minutes, seconds and their parts, and an epoch"},
}

// insteadOf says what to write for arguments that a function of this name takes elsewhere; "" for others.
func insteadOf(name string, args []*Node) string {
	for _, i := range insteads {
		if len(args) == i.args && i.is(args[i.at].Type) && slices.Contains(i.names, name) {
			return i.hint
		}
	}
	return ""
}

func isStructType(dt arrow.DataType) bool { return dt.ID() == arrow.STRUCT }
