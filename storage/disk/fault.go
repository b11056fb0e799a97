package disk

import (
	"errors"
	"io/fs"
	"syscall"

	"wadi/dataflow/fault"
)

// Codes of the faults that Fault makes, beside fault.CodeNotFound and fault.CodeIO.
const (
	CodePermission   fault.Code = "permission-denied"
	CodeDiskFull     fault.Code = "disk-full"
	CodeNotDirectory fault.Code = "not-a-directory"
	CodeBadName      fault.Code = "bad-file-name"
)

// Fault turns an error of the file system about path into a fault that says what to do; nil stays nil, and so does an
// error that is a fault already.
func Fault(path string, err error) error {
	if err == nil {
		return nil
	}
	var already *fault.Error
	if errors.As(err, &already) {
		return err
	}
	cause := bare(err)
	user := func(code fault.Code, message, hint string) error {
		return (&fault.Error{Kind: fault.User, Code: code, Message: path + ": " + message, Hint: hint}).WithCause(cause)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return user(CodePermission, "no permission", "check the owner and the mode of the folder, or choose another one")
	case errors.Is(err, syscall.EROFS):
		return user(CodePermission, "cannot be written", "the file system is mounted read-only; choose another folder")
	case errors.Is(err, syscall.ENOSPC):
		return user(CodeDiskFull, "cannot be written", "free some space on this disk, or choose a folder on another one")
	case errors.Is(err, syscall.EDQUOT):
		return user(CodeDiskFull, "cannot be written", "the disk quota is used up; free some space, or choose another folder")
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, fs.ErrExist):
		return user(CodeNotDirectory, "a file stands where a folder is needed, or a folder where a file is", "move it away, or choose another folder")
	case errors.Is(err, syscall.ENAMETOOLONG):
		return user(CodeBadName, "the name is too long for this file system", "choose a folder with a shorter path")
	case errors.Is(err, fs.ErrNotExist):
		return user(fault.CodeNotFound, "does not exist", "check the path")
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fault.Transientf(cause, "%s", path).WithHint("raise the limit of open files (ulimit -n)")
	}
	return fault.Transientf(cause, "%s", path).WithHint("check the disk and its mount")
}

// bare takes the path out of an error, so that it is not told twice.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
