package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
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
		return nil, localFault(path, err)
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
		return nil, localFault(path, err)
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
		return localFault(l.root, err)
	}
	return localFault(path, err)
}

func (l *local) put(_ context.Context, key string, data []byte) error {
	path := l.path(key)
	return l.inFolder(path, func(temp string) error {
		if err := writeSynced(temp, data); err != nil {
			return err
		}
		if err := os.Rename(temp, path); err != nil {
			_ = os.Remove(temp)
			return err
		}
		return syncDir(filepath.Dir(path))
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
		return false, syncDir(dir)
	}
	if err := writeSynced(temp, data); err != nil {
		return false, err
	}
	err = linkExclusive(temp, path)
	_ = os.Remove(temp)
	switch {
	case errors.Is(err, fs.ErrExist):
		return false, syncDir(dir)
	case err != nil:
		return false, err
	}
	return true, syncDir(dir)
}

// inFolder makes the folder of path and runs write with the name of a temporary file in it; again, if the folder was
// pruned in between.
func (l *local) inFolder(path string, write func(temp string) error) error {
	dir := filepath.Dir(path)
	for try := 1; ; try++ {
		if err := l.makeFolder(dir); err != nil {
			return localFault(dir, err)
		}
		err := write(filepath.Join(dir, tempPrefix+rand.Text()))
		if errors.Is(err, fs.ErrNotExist) && try < folderTries {
			continue
		}
		return localFault(path, err)
	}
}

func (l *local) makeFolder(dir string) error {
	l.folders.Lock()
	defer l.folders.Unlock()
	return makeFolderSynced(dir)
}

// makeFolderSynced is os.MkdirAll that makes every new entry durable.
func makeFolderSynced(dir string) error {
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
	if err := makeFolderSynced(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func writeSynced(path string, data []byte) (err error) {
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

// syncDir makes the entries of dir durable. File systems that cannot sync a folder do not need it.
func syncDir(dir string) error {
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
	if fault := l.readFault(path, err); !isNotFound(fault) {
		return fault
	}
	return nil
}

// entry describes one file of a listing; not ok for files that are no objects.
func (l *local) entry(path, prefix string, d fs.DirEntry) (Info, bool, error) {
	rel, err := filepath.Rel(l.root, path)
	if err != nil || rel == "." {
		return Info{}, false, localFault(l.root, syscall.ENOTDIR)
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Info{}, false, nil
		}
		return Info{}, false, localFault(path, err)
	}
	if strings.HasPrefix(d.Name(), tempPrefix) {
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
