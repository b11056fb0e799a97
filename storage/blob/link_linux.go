package blob

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// linkExclusive gives the file temp the name path unless something has that name already (fs.ErrExist then). File
// systems without hard links get a rename that refuses to replace. temp may or may not still exist afterwards.
func linkExclusive(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || !noHardLinks(err) {
		return err
	}
	if renameErr := unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE); renameErr != nil {
		return &os.LinkError{Op: "link", Old: temp, New: path, Err: renameErr}
	}
	return nil
}

func noHardLinks(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS)
}
