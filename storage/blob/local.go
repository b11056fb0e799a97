package blob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"wadi/dataflow/fault"
	"wadi/storage/disk"
)

// local keeps objects as files below root. Every write goes through a temporary file beside its final name, so that a
// reader sees a whole object or none, and a process killed at any moment leaves at most a temporary file. list removes
// temporary files that are older than staleTemp.
type local struct {
	root string
	// folders is held while folders are made or pruned: whoever finds a folder made by another goroutine of this process
	// then knows that its entry in the parent folder is durable.
	folders sync.Mutex
}

const staleTemp = time.Hour

// folderTries is how often a write starts over when its folder is pruned by a concurrent remove.
const folderTries = 10

func (l *local) path(key string) string { return filepath.Join(l.root, filepath.FromSlash(key)) }

func (l *local) get(_ context.Context, key string, off, n int64) ([]byte, error) {
	path := l.path(key)
	f, err := os.Open(path)
	if err != nil {
		return nil, l.readFault(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, disk.Fault(path, err)
	}
	if info.IsDir() {
		return nil, notFound(path)
	}
	off = min(off, info.Size())
	want := info.Size() - off
	if n >= 0 {
		want = min(want, n)
	}
	data := make([]byte, want)
	if got, err := io.ReadFull(io.NewSectionReader(f, off, want), data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return data[:got], nil
		}
		return nil, disk.Fault(path, err)
	}
	return data, nil
}

// readFault tells an object that is absent from a root that is no folder.
func (l *local) readFault(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return notFound(path)
	}
	if errors.Is(err, syscall.ENOTDIR) {
		if info, statErr := os.Stat(l.root); statErr == nil && info.IsDir() {
			return notFound(path)
		}
		return disk.Fault(l.root, err)
	}
	return disk.Fault(path, err)
}

func (l *local) put(_ context.Context, key string, data []byte) error {
	path := l.path(key)
	return l.inFolder(path, func(temp string) error {
		return disk.Replace(path, temp, data)
	})
}

func (l *local) create(_ context.Context, key string, data []byte, _ string) (created bool, err error) {
	path := l.path(key)
	err = l.inFolder(path, func(temp string) error {
		created, err = createSynced(path, temp, data)
		return err
	})
	return created, err
}

func createSynced(path, temp string, data []byte) (created bool, err error) {
	dir := filepath.Dir(path)
	if info, err := os.Lstat(path); err == nil {
		if info.IsDir() {
			return false, syscall.EISDIR
		}
		// The winner may not have come to its own fsync; what is reported as existing has to stay.
		return false, disk.SyncFolder(dir)
	}
	if err := disk.WriteNew(temp, data); err != nil {
		return false, err
	}
	err = linkExclusive(temp, path)
	_ = os.Remove(temp)
	switch {
	case errors.Is(err, fs.ErrExist):
		return false, disk.SyncFolder(dir)
	case err != nil:
		return false, err
	}
	return true, disk.SyncFolder(dir)
}

// inFolder makes the folder of path and runs write with the name of a temporary file in it; again, if the folder was
// pruned in between.
func (l *local) inFolder(path string, write func(temp string) error) error {
	dir := filepath.Dir(path)
	for try := 1; ; try++ {
		if err := l.makeFolder(dir); err != nil {
			return disk.Fault(dir, err)
		}
		err := write(disk.TempName(dir))
		if errors.Is(err, fs.ErrNotExist) && try < folderTries {
			continue
		}
		return disk.Fault(path, err)
	}
}

func (l *local) makeFolder(dir string) error {
	l.folders.Lock()
	defer l.folders.Unlock()
	return disk.MakeFolder(dir)
}

func (l *local) list(ctx context.Context, prefix string) ([]Info, error) {
	// The deepest folder that the prefix names for sure.
	top := l.root
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		top = l.path(prefix[:i])
	}
	var infos []Info
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return l.listFault(path, err)
		}
		if d.IsDir() {
			return ctx.Err()
		}
		info, ok, err := l.entry(path, prefix, d)
		if ok {
			infos = append(infos, info)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return infos, nil
}

func (l *local) listFault(path string, err error) error {
	if err := l.readFault(path, err); !isNotFound(err) {
		return err
	}
	return nil
}

// entry describes one file of a listing; not ok for files that are no objects.
func (l *local) entry(path, prefix string, d fs.DirEntry) (Info, bool, error) {
	rel, err := filepath.Rel(l.root, path)
	if err != nil || rel == "." {
		return Info{}, false, disk.Fault(l.root, syscall.ENOTDIR)
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Info{}, false, nil
		}
		return Info{}, false, disk.Fault(path, err)
	}
	if strings.HasPrefix(d.Name(), disk.TempPrefix) {
		if time.Since(info.ModTime()) > staleTemp {
			_ = os.Remove(path)
		}
		return Info{}, false, nil
	}
	key := filepath.ToSlash(rel)
	if !info.Mode().IsRegular() || !strings.HasPrefix(key, prefix) || ValidKey(key) != nil {
		return Info{}, false, nil
	}
	return Info{Key: key, Size: info.Size(), ModTime: info.ModTime()}, true, nil
}

// remove deletes the file and the folders that it leaves empty, up to the root.
func (l *local) remove(_ context.Context, key string) error {
	path := l.path(key)
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return nil
	}
	if err := os.Remove(path); err != nil {
		if err := l.readFault(path, err); !isNotFound(err) {
			return err
		}
		return nil
	}
	l.folders.Lock()
	defer l.folders.Unlock()
	for dir := filepath.Dir(path); len(dir) > len(l.root); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			break
		}
	}
	return nil
}

func (l *local) dir() (string, bool) { return l.root, true }

func (l *local) close() error { return nil }

func isNotFound(err error) bool { return fault.Is(err, fault.CodeNotFound) }
