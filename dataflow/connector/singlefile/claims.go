package singlefile

import (
	"os"
	"sync"

	"wadi/dataflow/fault"
)

// claims knows the files that are open in this process, so that no job overwrites what it reads. Plans are checked for
// equal paths before (connector.Registry.CheckOutputs); this finds the same file under two names. Whether two sinks share
// a file is up to lock.
type claims struct {
	mu   sync.Mutex
	open map[*claim]bool
}

// claim is one open file.
type claim struct {
	all     *claims
	job     string
	info    os.FileInfo
	path    string
	writing bool
}

func newClaims() *claims { return &claims{open: map[*claim]bool{}} }

// take notes that a job reads or writes f; it is refused if the job does the other with it.
func (c *claims) take(f *os.File, path, job string, writing bool) (*claim, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, explain(err, path, "opened")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for o := range c.open {
		if o.job == job && o.writing != writing && os.SameFile(o.info, info) {
			return nil, fault.Userf(fault.CodeConflict, fault.Span{}, "this pipeline would overwrite a file that it reads: %q and %q are the same file",
				o.path, path).WithHint("write to another file")
		}
	}
	n := &claim{all: c, job: job, info: info, path: path, writing: writing}
	c.open[n] = true
	return n, nil
}

// release gives the file up; a nil claim has none.
func (n *claim) release() {
	if n == nil {
		return
	}
	n.all.mu.Lock()
	defer n.all.mu.Unlock()
	delete(n.all.open, n)
}
