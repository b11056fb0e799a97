package status_test

import (
	"bytes"
	"fmt"
	"testing"

	"wadi/run/status"
)

func TestConsoleKeepsBlockAndLinesApart(t *testing.T) {
	var tty bytes.Buffer
	c := status.NewConsole(&tty)
	rows, log := c.Over(&tty), c.Above(&tty)
	fmt.Fprint(log, "starting\n")
	c.Draw([]string{"block"})
	fmt.Fprint(rows, "row 1\n")
	fmt.Fprint(rows, "row 2\n")
	c.Draw([]string{"block"})
	fmt.Fprint(log, "a line\n")
	c.Close()
	c.Draw([]string{"too late"})
	fmt.Fprint(rows, "row 3\n")
	const up = "\x1b[1A\x1b[J"
	want := "starting\nblock\n" + up + "row 1\nrow 2\nblock\n" + up + "a line\nblock\n" + up + "row 3\n"
	if got := tty.String(); got != want {
		t.Errorf("terminal got\n%q, want\n%q", got, want)
	}
}
