package meta_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wadi/storage/disk"
	"wadi/storage/meta"
)

func TestUnwritableAndFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skip("a small file system cannot be mounted here: ", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(dir, 0)) })
	path := filepath.Join(dir, "state.sqlite")
	db, err := meta.Open(t.Context(), path)
	must(t, err)
	id := create(t, db, "fits").Pipeline.ID
	_, err = db.CreatePipeline(t.Context(), meta.NewPipeline{Name: "too big", Parallelism: 1, Program: make([]byte, 1<<20)})
	if f := wantCode(t, err, disk.CodeDiskFull); !strings.Contains(f.Hint, "free some space") || !strings.Contains(f.Error(), path) {
		t.Errorf("%v", f)
	}
	if _, err := db.GetPipeline(t.Context(), id); err != nil {
		t.Error(err)
	}
	create(t, db, "fits too")
	must(t, db.Close())
	must(t, syscall.Mount("", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	_, err = meta.Open(t.Context(), path)
	if f := wantCode(t, err, disk.CodePermission); !strings.Contains(f.Error(), path) || f.Hint == "" {
		t.Errorf("%v", f)
	}
}
