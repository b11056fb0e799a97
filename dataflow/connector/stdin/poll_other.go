//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package stdin

import "os"

func newPollInput(*os.File) (input, bool) { return nil, false }
