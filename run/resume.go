package run

import (
	"strings"
)

// resumeCommand is the command line that goes on with the state directory url: the one of this process, with
// --state-dir.
func resumeCommand(args []string, url, queryName string) string {
	out := []string{"wadi"}
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "-s" || a == "--state-dir" || a == "-state-dir":
			i++ // and its value
		case strings.HasPrefix(a, "--state-dir=") || strings.HasPrefix(a, "-s=") || strings.HasPrefix(a, "-state-dir="):
		case a == "-f" || a == "--force" || a == "-force" || a == "--force=true" || a == "-":
		default:
			out = append(out, quoted(a))
		}
	}
	out = append(out, "--state-dir", quoted(url))
	if queryName == fromStdin {
		out = append(out, "< the same query")
	}
	return strings.Join(out, " ")
}

// quoted makes a word that a POSIX shell reads as itself.
func quoted(word string) string {
	plain := word != "" && strings.IndexFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@%+", r))
	}) < 0
	if plain {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
