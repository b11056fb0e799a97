package config_test

import (
	"errors"
	"strings"

	"wadi/dataflow/fault"
)

// hintsOf joins the hints of all faults in err.
func hintsOf(err error) string {
	var list fault.List
	if !errors.As(err, &list) {
		return ""
	}
	var out []string
	for _, f := range list {
		out = append(out, f.Hint)
	}
	return strings.Join(out, "\n")
}
