//go:build !linux

package blob

import "os"

// linkExclusive gives the file temp the name path unless something has that name already (fs.ErrExist then).
func linkExclusive(temp, path string) error { return os.Link(temp, path) }
