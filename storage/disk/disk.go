// Package disk writes local files so that they survive a crash of the machine, and explains what the file system says.
//
// What comes in: paths and bytes, which are only read. What goes out: plain errors of package os, which Fault turns into
// faults. Everything here blocks on the disk.
package disk

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// TempPrefix begins the names of files that are being written.
const TempPrefix = ".wadi-tmp-"

// TempName is a new name for a temporary file in the folder dir.
func TempName(dir string) string { return filepath.Join(dir, TempPrefix+rand.Text()) }

// MakeFolder is os.MkdirAll that makes every new entry durable.
func MakeFolder(dir string) error {
	info, err := os.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return syscall.ENOTDIR
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if parent == dir {
		return err
	}
	if err := MakeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncFolder(parent)
}

// WriteNew writes a file that does not exist yet and makes its bytes durable, though not its entry in the folder. After
// an error there is no file.
func WriteNew(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

// Replace writes the file path, atomically and durably, by way of the temporary file temp in the same folder, which
// must exist.
func Replace(path, temp string, data []byte) error {
	if err := WriteNew(temp, data); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(temp)
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder makes the entries of dir durable. File systems that cannot sync a folder do not need it.
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}
