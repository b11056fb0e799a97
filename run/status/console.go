package status

import (
	"io"
	"sync"
)

// Console shares a terminal between log lines, the status block and, where standard output is the same terminal, rows:
// the block is taken away before anything else is written. Its methods and writers may be used from several goroutines.
type Console struct {
	mu     sync.Mutex
	screen Screen
	lines  []string
	closed bool
}

// NewConsole draws on w, a terminal.
func NewConsole(w io.Writer) *Console { return &Console{screen: Screen{W: w}} }

// Draw replaces the block.
func (c *Console) Draw(lines []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.lines = lines
		c.screen.Draw(lines)
	}
}

// Close takes the block away for good.
func (c *Console) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed, c.lines = true, nil
	c.screen.Clear()
}

// Above gives a writer whose text, whole lines, appears above the block, which is drawn again below it.
func (c *Console) Above(w io.Writer) io.Writer { return above{c, w, true} }

// Over gives a writer whose text takes the block away until it is drawn the next time: for output that comes fast.
func (c *Console) Over(w io.Writer) io.Writer { return above{c, w, false} }

type above struct {
	c      *Console
	w      io.Writer
	redraw bool
}

// Write implements io.Writer.
func (a above) Write(p []byte) (int, error) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	a.c.screen.Clear()
	n, err := a.w.Write(p)
	if a.redraw && len(a.c.lines) > 0 {
		a.c.screen.Draw(a.c.lines)
	}
	return n, err
}
