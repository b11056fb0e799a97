package singlefile

import (
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"wadi/dataflow/fault"
)

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		err  error
		kind fault.Kind
		code fault.Code
		want string
	}{
		{syscall.EACCES, fault.User, fault.CodeIO, `file "f" may not be written: permission denied`},
		{syscall.EROFS, fault.User, fault.CodeIO, `file "f" may not be written: read-only file system`},
		{syscall.ENOENT, fault.User, fault.CodeNotFound, `there is no file "f"`},
		{syscall.ENOSPC, fault.Transient, CodeDiskFull, `no room for more rows in "f": no space left on device`},
		{syscall.EDQUOT, fault.Transient, CodeDiskFull, `no room for more rows in "f": disk quota exceeded`},
		{syscall.EIO, fault.Transient, fault.CodeIO, `file "f" cannot be written: input/output error`},
	} {
		err := explain(&fs.PathError{Op: "write", Path: "f", Err: c.err}, "f", "written")
		f := fault.As(err)
		if f.Kind != c.kind || f.Code != c.code || !strings.HasPrefix(f.Error(), c.want) || f.Hint == "" {
			t.Errorf("%v: got %s %s %q", c.err, f.Kind, f.Code, f)
		}
	}
}
