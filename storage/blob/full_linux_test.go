package blob_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"wadi/storage/blob"
)

func TestLocalDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("a small file system cannot be mounted here: ", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(dir, 0)) })
	b := open(t, dir)
	must(t, b.Put(t.Context(), "k", []byte("small")))
	f := wantCode(t, b.Put(t.Context(), "k", make([]byte, 1<<20)), blob.CodeDiskFull)
	if !strings.Contains(f.Error(), dir) || !strings.Contains(f.Hint, "free some space") {
		t.Errorf("%v", f)
	}
	wantGet(t, b, "k", "small")
	if _, err := b.PutIfAbsent(t.Context(), "l", make([]byte, 1<<20)); err == nil {
		t.Error("created on a full disk")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
