package stdin

import (
	"errors"
	"sync"
)

// The buffers that are read ahead into.
const (
	bufferSize = 256 << 10
	buffers    = 4
)

// block is what one read gave.
type block struct {
	data []byte
	// err is the end of the input or what went wrong; nothing follows.
	err error
}

// pump reads an input on a goroutine of its own into a bounded number of buffers.
type pump struct {
	in   input
	wake func()
	// full are the blocks read, closed after the last one; free are buffers to read into. A pump has two buffers more than
	// fit into full: the one it reads into and the one that the consumer has.
	full chan block
	free chan []byte
	// stopping is closed when no more is to be read, abandoned when nobody wants what was read.
	stopping, abandoned chan struct{}
	stop                sync.Once
	// interruptible says, once stopped, whether the goroutine will end by itself.
	interruptible bool
}

func startPump(in input, wake func()) *pump {
	p := &pump{in: in, wake: wake, full: make(chan block, buffers), free: make(chan []byte, buffers+2),
		stopping: make(chan struct{}), abandoned: make(chan struct{})}
	for range buffers + 2 {
		p.free <- nil
	}
	go p.run()
	return p
}

func (p *pump) run() {
	defer close(p.full)
	for {
		var buf []byte
		select {
		case buf = <-p.free:
		case <-p.stopping:
			return
		}
		if buf == nil {
			buf = make([]byte, bufferSize)
		}
		n, err := p.in.Read(buf[:cap(buf)])
		interrupted := errors.Is(err, errInterrupted)
		if interrupted {
			err = nil
		}
		if n > 0 || err != nil {
			select {
			case p.full <- block{data: buf[:n], err: err}:
				p.wake()
			case <-p.abandoned:
				return
			}
		} else {
			p.free <- buf
		}
		if err != nil || interrupted || p.isStopping() {
			return
		}
	}
}

func (p *pump) isStopping() bool {
	select {
	case <-p.stopping:
		return true
	default:
		return false
	}
}

// halt makes the goroutine read no more. What it has read can still be received; the end of full tells when that is all,
// if the input is interruptible.
func (p *pump) halt() {
	p.stop.Do(func() {
		close(p.stopping)
		p.interruptible = p.in.interrupt()
	})
}

// close ends the goroutine and, where that is possible, waits for it.
func (p *pump) close() {
	p.halt()
	close(p.abandoned)
	if !p.interruptible {
		return
	}
	for range p.full {
	}
	p.in.release()
}
