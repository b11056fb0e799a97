package stdin

import (
	"fmt"

	"wadi/dataflow/fault"
)

// notice says what a resumed pipeline has lost of its standard input.
func (p position) notice() *fault.Error {
	f := fault.Userf(CodeResumed, fault.Span{},
		"standard input goes on after the %s of the earlier run, which was stopped cleanly: none is lost", plural(p.lines, "line"))
	if p.clean {
		return f.WithHint("pipe what comes after them")
	}
	f.Message = fmt.Sprintf("standard input goes on after the first %s of the earlier run, which was not stopped cleanly: "+
		"lines after line %d that it had read are lost unless they are piped again", plural(p.lines, "line"), p.lines)
	return f.WithHint("where the input is a file, pipe it from line %d on: tail -n +%d", p.lines+1, p.lines+1)
}

func partialLine(bytes int64) string {
	return fmt.Sprintf("the input was stopped within a line: the %s read of it are dropped", plural(bytes, "byte"))
}

func plural(n int64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
