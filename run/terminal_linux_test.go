package run_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo-terminal: the end of the person, and the end of the program.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skip(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetWinsize(int(person.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 60}); err != nil {
		t.Skip(err)
	}
	return person, program
}

// onTerminal runs the counter on a terminal and gives what was sent to it.
func onTerminal(t *testing.T, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	query := counting(t, dir, "event_rate = '1000', message_count = '1300'")
	person, program := openTerminal(t)
	defer person.Close()
	w := start(t, dir, env, func(c *exec.Cmd) { c.Stdout, c.Stderr = program, program }, "run", query)
	program.Close()
	sent := make(chan string)
	go func() {
		data, _ := io.ReadAll(person) // ends with an error when the program has gone
		sent <- string(data)
	}()
	text := <-sent
	w.want(0)
	return strings.ReplaceAll(text, "\r\n", "\n")
}

var (
	control = regexp.MustCompile(`\x1b\[([0-9]*)A\x1b\[J`)
	colour  = regexp.MustCompile(`\x1b\[[0-9;]*m`)
)

// screen is what a person sees after all of it: lines, with those taken away that were erased.
func screen(text string) []string {
	var lines []string
	for text != "" {
		if m := control.FindStringSubmatchIndex(text); m != nil && m[0] == 0 {
			up, _ := strconv.Atoi(text[m[2]:m[3]])
			lines = lines[:max(0, len(lines)-up)]
			text = text[m[1]:]
			continue
		}
		line, rest, _ := strings.Cut(text, "\n")
		lines, text = append(lines, colour.ReplaceAllString(line, "")), rest
	}
	return lines
}

func TestStatusBlockAndRowsOnOneTerminal(t *testing.T) {
	t.Parallel()
	text := onTerminal(t, "TERM=xterm")
	if !strings.Contains(text, "rows in") || !strings.Contains(text, "\x1b[1m") {
		t.Error("no status block was drawn")
	}
	row := 0
	for _, l := range screen(text) {
		switch {
		case strings.HasPrefix(l, "{"):
			if want := fmt.Sprintf(`{"counter":%d,"subtask_index":0}`, row); l != want && l != fmt.Sprintf(`{"counter":%d}`, row) {
				t.Fatalf("row %d is shown as %q", row, l)
			}
			row++
		case !strings.Contains(l, " INF "):
			t.Errorf("what stays on the screen includes %q", l)
		}
	}
	if row != 1300 {
		t.Errorf("%d rows are on the screen", row)
	}
}

func TestTerminalsThatWantLess(t *testing.T) {
	t.Parallel()
	t.Run("dumb", func(t *testing.T) {
		t.Parallel()
		if text := onTerminal(t, "TERM=dumb"); strings.Contains(text, "\x1b") {
			t.Errorf("a dumb terminal got %q", text[strings.Index(text, "\x1b"):])
		}
	})
	t.Run("without colour", func(t *testing.T) {
		t.Parallel()
		text := onTerminal(t, "TERM=xterm", "NO_COLOR=1")
		if colour.MatchString(text) || !strings.Contains(text, "rows in") {
			t.Error("colour, or no block")
		}
	})
	t.Run("json", func(t *testing.T) {
		t.Parallel()
		if text := onTerminal(t, "TERM=xterm", "WADI__LOGGING__FORMAT=json"); strings.Contains(text, "\x1b") {
			t.Error("control codes beside JSON lines")
		}
	})
}
