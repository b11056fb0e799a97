package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
	"wadi/storage/checkpoint"
)

// place is the state directory of a run.
type place struct {
	// url is how the user calls it.
	url    string
	bucket blob.Bucket
	// chosen says that nobody named it.
	chosen bool
	// id says whose state it is; fresh, that it is not written yet. replaced is the query that --force puts aside.
	id       *identity
	fresh    bool
	replaced *identity
}

// openPlace finds the state directory: the flag's, else the configuration's, else a new one below checkpoint-url.
// Nothing is created.
func (s *session) openPlace(ctx context.Context, opener *blob.Opener, flag string) (*place, error) {
	p := &place{url: flag}
	if p.url == "" {
		p.url = s.config.Run.StateDir
	}
	if p.url == "" {
		p.url = fmt.Sprintf("%s/pipeline-%d", strings.TrimRight(s.config.CheckpointURL, "/"), s.clock.Now().UnixMilli())
		p.chosen = true
	}
	var err error
	if p.bucket, err = opener.Open(ctx, p.url); err != nil {
		return nil, err
	}
	return p, nil
}

// admit finds out whether the query may run here: in an empty directory, in its own, or with force in another query's.
func (p *place) admit(ctx context.Context, q query, name string, force bool) error {
	found, err := readIdentity(ctx, p.bucket)
	if err != nil {
		return err
	}
	p.fresh, p.replaced = false, nil
	switch {
	case found == nil:
		p.fresh = true
	case sameQuery(found.Query, q.text):
		p.id = found
	case !force:
		return fault.Userf(fault.CodeConflict, fault.Span{}, "%s holds the state of another query, %q", p.url, found.Name).
			WithHint("use another --state-dir, or --force to put that query aside and start this one fresh")
	default:
		p.fresh, p.replaced = true, found
	}
	if p.fresh {
		p.id = newIdentity(name, q.text)
	}
	return nil
}

// sameQuery reports whether two texts are one query: space around them does not count.
func sameQuery(a, b string) bool { return strings.TrimSpace(a) == strings.TrimSpace(b) }

// store is where the checkpoints of the job are.
func (p *place) store() (*checkpoint.Store, error) {
	return checkpoint.Open(p.bucket, p.id.PipelineID, p.id.JobID)
}

// finished reports whether the job has come to the end of its input, with all commits.
func (p *place) finished(ctx context.Context) (bool, error) {
	m, err := p.latest(ctx)
	if err != nil || m == nil || !m.Final {
		return false, err
	}
	store, err := p.store()
	if err != nil {
		return false, err
	}
	return store.Committed(ctx, m.Epoch)
}

// latest is the newest checkpoint, nil for none.
func (p *place) latest(ctx context.Context) (*checkpoint.Manifest, error) {
	if p.id == nil || p.fresh {
		return nil, nil
	}
	store, err := p.store()
	if err != nil {
		return nil, err
	}
	return store.Latest(ctx)
}

// settle makes the directory the query's.
func (p *place) settle(ctx context.Context) error {
	if !p.fresh {
		return nil
	}
	if err := writeIdentity(ctx, p.bucket, p.id); err != nil {
		return err
	}
	p.fresh = false
	return nil
}

// local gives the path of a file in the state directory; ok is false if that is not on this machine.
func (p *place) local(name string) (path string, ok bool) {
	dir, ok := p.bucket.Local()
	return filepath.Join(dir, name), ok
}

// discard removes a local directory that nobody has named, with all that is in it.
func (p *place) discard() error {
	dir, ok := p.bucket.Local()
	if !ok || !p.chosen {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return asUser(err, dir)
	}
	// The folder above is ours too, if it is empty now; it is no error if it is not.
	_ = os.Remove(filepath.Dir(dir))
	return nil
}
