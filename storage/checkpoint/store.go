package checkpoint

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/storage/blob"
)

// Store keeps the checkpoints of one job. Its methods may be called from several goroutines; it holds no state of its own.
type Store struct {
	bucket   blob.Bucket
	owner    owner
	clock    clock.Clock
	unique   func() string
	deleters int
}

// Option changes a Store.
type Option func(*Store)

// WithClock sets the clock that stamps records; without it, the machine's.
func WithClock(c clock.Clock) Option { return func(s *Store) { s.clock = c } }

// WithUnique sets what ends the names of table files; without it, random text.
func WithUnique(f func() string) Option { return func(s *Store) { s.unique = f } }

// WithDeleters sets how many objects Collect and Remove delete at a time; without it, 16.
func WithDeleters(n int) Option { return func(s *Store) { s.deleters = max(1, n) } }

// Open gives the store of one job below "<pipeline>/<job>/" of a state directory. It does no I/O. The caller keeps
// owning the bucket.
func Open(bucket blob.Bucket, pipelineID, jobID string, opts ...Option) (*Store, error) {
	for _, id := range []string{pipelineID, jobID} {
		if err := blob.ValidKey(id); err != nil || strings.Contains(id, "/") {
			return nil, fault.Internalf("%q cannot name a folder of checkpoints", id)
		}
	}
	s := &Store{
		bucket:   bucket.Sub(pipelineID + "/" + jobID),
		owner:    owner{pipelineID, jobID},
		clock:    clock.System{},
		unique:   func() string { return strings.ToLower(rand.Text()[:13]) },
		deleters: 16,
	}
	for _, o := range opts {
		o(s)
	}
	return s, nil
}

// String is where the checkpoints are, for people.
func (s *Store) String() string { return s.bucket.String() }

func (s *Store) now() int64 { return s.clock.Now().UnixMicro() }

// get reads one record; fault.CodeNotFound when there is none.
func (s *Store) get(ctx context.Context, key string, body any) error {
	data, err := s.bucket.Get(ctx, key)
	if err != nil {
		return err
	}
	return decode(key, data, body)
}

// create writes one record unless there is one.
func (s *Store) create(ctx context.Context, key string, body any) (created bool, err error) {
	data, err := encode(body)
	if err != nil {
		return false, err
	}
	return s.bucket.PutIfAbsent(ctx, key, data)
}

func (s *Store) exists(ctx context.Context, key string) (bool, error) {
	_, err := s.bucket.GetRange(ctx, key, 0, 1)
	if fault.Is(err, fault.CodeNotFound) {
		return false, nil
	}
	return err == nil, err
}

// readManifest reads the manifest that a record points to.
func (s *Store) readManifest(ctx context.Context, r epochRecord) (*Manifest, error) {
	data, err := s.bucket.Get(ctx, r.Ref)
	if fault.Is(err, fault.CodeNotFound) {
		return nil, corrupt(r.Ref, "it is missing")
	}
	if err != nil {
		return nil, err
	}
	m, err := decodeManifest(r.Ref, data)
	if err != nil {
		return nil, err
	}
	if m.Generation != r.Generation || m.Epoch != r.Epoch || m.PipelineID != s.owner.PipelineID || m.JobID != s.owner.JobID {
		return nil, corrupt(r.Ref, "it describes another checkpoint")
	}
	return m, nil
}

// FileName says what a table file is of.
type FileName struct {
	Generation, Epoch uint64
	Operator, Table   string
	Subtask           int
	// Unique tells files of one table, subtask and checkpoint apart; empty for a random one.
	Unique string
}

func (n FileName) ref() string {
	return fmt.Sprintf("%soperator-%s/table-%s-%03d-%s", checkpointDir(n.Generation, n.Epoch),
		escape(n.Operator), escape(n.Table), n.Subtask, escape(n.Unique))
}

// WriteFile stores one table file durably and gives its entry for the manifest, with Ref, Subtask, Bytes, Epoch and
// CRC32C filled in; the caller adds what the rows say. data is only read.
func (s *Store) WriteFile(ctx context.Context, name FileName, data []byte) (File, error) {
	if name.Unique == "" {
		name.Unique = s.unique()
	}
	f := File{Ref: name.ref(), Subtask: name.Subtask, Bytes: int64(len(data)), Epoch: name.Epoch, CRC32C: checksum(data)}
	if err := f.validate(name.Epoch); err != nil {
		return File{}, fault.Internalf("%v", err)
	}
	return f, s.bucket.Put(ctx, f.Ref, data)
}

// ReadFile gives the bytes of a table file and verifies length and checksum. The slice is the caller's.
func (s *Store) ReadFile(ctx context.Context, f File) ([]byte, error) {
	if err := f.validate(f.Epoch); err != nil {
		return nil, corrupt("a table file's entry", "%v", err)
	}
	data, err := s.bucket.Get(ctx, f.Ref)
	const hint = "restore %s from a copy, or run with a new state directory"
	switch {
	case fault.Is(err, fault.CodeNotFound):
		return nil, corrupt(f.Ref, "it is missing").WithHint(hint, s)
	case err != nil:
		return nil, err
	case int64(len(data)) != f.Bytes:
		return nil, corrupt(f.Ref, "it has %d bytes, %d were written", len(data), f.Bytes).WithHint(hint, s)
	case checksum(data) != f.CRC32C:
		return nil, corrupt(f.Ref, "the checksum does not match").WithHint(hint, s)
	}
	return data, nil
}
