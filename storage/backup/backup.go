// Package backup copies the metadata database into a remote state directory, so that the console remembers pipelines and
// errors after the machine is gone. It is never the truth about a checkpoint: that is in the manifests, which are written
// there directly.
//
// What comes in: a database that can write a consistent copy of itself, and a bucket. What goes out: the object
// "state.sqlite", and errors through a callback, called on the backup's goroutine. Request never blocks; Close and
// Download block on disk and network.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/storage/blob"
	"wadi/storage/disk"
)

// Object is the key of the copy.
const Object = "state.sqlite"

// DefaultInterval is the time between backups that nobody asked for.
const DefaultInterval = time.Minute

// Source writes a consistent copy of a database to a file that does not exist yet. meta.DB does.
type Source interface {
	Backup(ctx context.Context, toPath string) error
}

// Options are the parts of a backup.
type Options struct {
	Bucket blob.Bucket
	Source Source
	// Interval is DefaultInterval when zero.
	Interval time.Duration
	// Clock is the machine's when nil.
	Clock clock.Clock
	// OnError hears of every failed backup but the last, which Close returns. It may be nil.
	OnError func(error)
	// TempDir is where copies are made; empty for the machine's.
	TempDir string
}

// Backup is a running backup.
type Backup struct {
	o       Options
	request chan struct{}
	stop    chan struct{}
	cancel  context.CancelFunc
	done    chan struct{}
	// last is the checksum of the copy in the bucket; only the backup's goroutine uses it, and Close after it.
	last [sha256.Size]byte
}

// Start makes a first backup and then one every interval and after every Request, on a goroutine that Close ends.
func Start(o Options) *Backup {
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := &Backup{o: o, request: make(chan struct{}, 1), stop: make(chan struct{}), cancel: cancel, done: make(chan struct{})}
	b.Request()
	go b.loop(ctx)
	return b
}

// Request asks for a backup of what the database holds now. Requests that come while one is waiting are one with it; a
// request that comes while a backup is running is served by the next.
func (b *Backup) Request() {
	select {
	case b.request <- struct{}{}:
	default:
	}
}

func (b *Backup) loop(ctx context.Context) {
	defer close(b.done)
	for {
		select {
		case <-b.stop:
			return
		case <-b.request:
		case <-b.o.Clock.After(b.o.Interval):
		}
		if err := b.copy(ctx, false); err != nil && ctx.Err() == nil {
			b.o.OnError(err)
		}
	}
}

// Close ends the backup with a last copy, always; its error is Close's. When ctx ends first, both the running and the last
// copy are given up. Close is called once.
func (b *Backup) Close(ctx context.Context) error {
	close(b.stop)
	defer b.cancel()
	select {
	case <-b.done:
	case <-ctx.Done():
		b.cancel()
		<-b.done
	}
	return b.copy(ctx, true)
}

// copy uploads one copy; one that is already there only if always is set.
func (b *Backup) copy(ctx context.Context, always bool) error {
	data, err := b.snapshot(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	if sum == b.last && !always {
		return nil
	}
	if err := b.o.Bucket.Put(ctx, Object, data); err != nil {
		return err
	}
	b.last = sum
	return nil
}

func (b *Backup) snapshot(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp(b.o.TempDir, "wadi-backup-")
	if err != nil {
		return nil, disk.Fault(filepath.Join(b.o.TempDir, "wadi-backup-"), err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, Object)
	if err := b.o.Source.Backup(ctx, path); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	return data, disk.Fault(path, err)
}

// Download writes the bucket's copy to path, durably, and makes its folder. Without a copy found is false and nothing is
// made. What is at path already is replaced.
func Download(ctx context.Context, bucket blob.Bucket, path string) (found bool, err error) {
	data, err := bucket.Get(ctx, Object)
	if fault.Is(err, fault.CodeNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !whole(data) {
		return false, fault.Userf(CodeCorrupt, fault.Span{}, "%s/%s is not a whole SQLite database (%d bytes)", bucket, Object, len(data)).
			WithHint("move this object away and start again; checkpoints are kept in manifests beside it, so no data is lost with it, only saved connections")
	}
	dir := filepath.Dir(path)
	if err := disk.MakeFolder(dir); err != nil {
		return false, disk.Fault(dir, err)
	}
	// The log of another database would be replayed into this one.
	for _, log := range []string{path + "-wal", path + "-shm"} {
		if err := os.Remove(log); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, disk.Fault(log, err)
		}
	}
	return true, disk.Fault(path, disk.Replace(path, disk.TempName(dir), data))
}

// CodeCorrupt is a copy that is no database.
const CodeCorrupt fault.Code = "corrupt-database"

// whole checks a SQLite file's header (https://www.sqlite.org/fileformat2.html#the_database_header): the magic, and that
// page size times page count is the length.
func whole(data []byte) bool {
	const magic = "SQLite format 3\x00"
	if len(data) < 100 || string(data[:len(magic)]) != magic {
		return false
	}
	size := int64(binary.BigEndian.Uint16(data[16:]))
	if size == 1 {
		size = 65536
	}
	return size*int64(binary.BigEndian.Uint32(data[28:])) == int64(len(data))
}
