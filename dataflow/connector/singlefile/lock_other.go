//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package singlefile

import "os"

// lock is for systems that have no advisory locks: everybody gets the file.
func lock(*os.File) (ok bool) { return true }
