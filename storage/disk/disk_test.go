package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wadi/dataflow/fault"
	"wadi/storage/disk"
)

func TestLocalFaultNamesPathOnceAndHints(t *testing.T) {
	for errno, want := range map[syscall.Errno]fault.Code{
		syscall.EACCES: disk.CodePermission, syscall.EPERM: disk.CodePermission, syscall.EROFS: disk.CodePermission, syscall.ENOSPC: disk.CodeDiskFull,
		syscall.EDQUOT: disk.CodeDiskFull, syscall.ENOTDIR: disk.CodeNotDirectory, syscall.EISDIR: disk.CodeNotDirectory, syscall.ENAMETOOLONG: disk.CodeBadName,
		syscall.EMFILE: fault.CodeIO, syscall.EIO: fault.CodeIO, syscall.ENOENT: fault.CodeNotFound} {
		err := disk.Fault("/state/k", errno)
		f := fault.As(err)
		if f.Code != want || f.Hint == "" || strings.Count(f.Error(), "/state/k") != 1 {
			t.Errorf("%v: %v (%s; hint %q)", errno, f, f.Code, f.Hint)
		}
	}
	if disk.Fault("/x", nil) != nil {
		t.Error("nil became a fault")
	}
}

func TestReplaceAndWriteNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := disk.MakeFolder(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "f")
	for _, text := range []string{"one", "", "three"} {
		if err := disk.Replace(path, disk.TempName(dir), []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if err := disk.WriteNew(path, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("an existing file is written anew: %v", err)
	}
	if err := disk.MakeFolder(filepath.Join(path, "c")); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
