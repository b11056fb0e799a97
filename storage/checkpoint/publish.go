package checkpoint

import (
	"bytes"
	"cmp"
	"context"
	"strconv"

	"wadi/dataflow/fault"
)

// Publish makes a checkpoint durable; the package comment has the steps and what a crash between them means. A generation
// publishes one checkpoint at a time. It fills in Version, ids and, if it is zero, CreatedAtMicros. After nil the
// checkpoint is durable, belongs to gen, and its sinks may be told to commit. After fault.CodeStaleRun this generation has
// been replaced and must stop. After any other error the checkpoint may or may not be durable; calling again with the very
// same manifest, CreatedAtMicros included, settles it.
func (s *Store) Publish(ctx context.Context, gen uint64, m Manifest) error {
	m.Version, m.PipelineID, m.JobID = FormatVersion, s.owner.PipelineID, s.owner.JobID
	if m.CreatedAtMicros == 0 {
		m.CreatedAtMicros = s.now()
	}
	if m.Generation != gen {
		return fault.Internalf("generation %d publishes a manifest of generation %d", gen, m.Generation)
	}
	if err := m.validate(); err != nil {
		return fault.Internalf("manifest: %v", err)
	}
	if err := s.CheckCurrent(ctx, gen); err != nil {
		return err
	}
	if err := s.checkParent(ctx, &m); err != nil {
		return err
	}
	if err := s.createManifest(ctx, &m); err != nil {
		return err
	}
	if err := s.createRecord(ctx, &m); err != nil {
		return err
	}
	// A record of an epoch number that a successor had used and collected proves nothing; being current does.
	return s.CheckCurrent(ctx, gen)
}

// checkParent refuses to build on a checkpoint that is not durable, or whose commits are still open: a restore replays
// only the commits of the checkpoint that it restores.
func (s *Store) checkParent(ctx context.Context, m *Manifest) error {
	if m.Parent == "" {
		return nil
	}
	gen, epoch, _ := parseManifestRef(m.Parent)
	r, err := s.record(ctx, epoch)
	if fault.Is(err, fault.CodeNotFound) || err == nil && r.Ref != m.Parent {
		// A successor may have collected it; then that is what to say.
		return cmp.Or(s.CheckCurrent(ctx, m.Generation), error(fault.Internalf("epoch %d: the parent %s is not durable", m.Epoch, m.Parent)))
	}
	if err != nil || !r.NeedsCommit {
		return err
	}
	done, err := s.exists(ctx, committedKey(gen, epoch))
	if err == nil && !done {
		return cmp.Or(s.CheckCurrent(ctx, m.Generation), error(fault.Internalf("epoch %d: the parent %s is not committed", m.Epoch, m.Parent)))
	}
	return err
}

func (s *Store) createManifest(ctx context.Context, m *Manifest) error {
	data, err := encode(m)
	if err != nil {
		return err
	}
	created, err := s.bucket.PutIfAbsent(ctx, m.Ref(), data)
	if err != nil || created {
		return err
	}
	there, err := s.bucket.Get(ctx, m.Ref())
	if err != nil {
		return err
	}
	if !bytes.Equal(there, data) {
		return fault.Internalf("epoch %d of generation %d is published twice with different contents", m.Epoch, m.Generation)
	}
	return nil
}

func (s *Store) createRecord(ctx context.Context, m *Manifest) error {
	r := epochRecord{s.owner, m.Epoch, m.Generation, m.Parent, m.Ref(), m.NeedsCommit(), m.CreatedAtMicros}
	created, err := s.create(ctx, recordKey(m.Epoch), r)
	if err != nil || created {
		return err
	}
	there, err := s.record(ctx, m.Epoch)
	if err != nil {
		return err
	}
	if there != r {
		return s.stale(m.Generation, "epoch "+strconv.FormatUint(m.Epoch, 10)+" belongs to generation "+strconv.FormatUint(there.Generation, 10))
	}
	return nil
}

// MarkCommitted records that all sinks have committed a durable epoch, of this or of an earlier generation. Marking twice
// is no error.
func (s *Store) MarkCommitted(ctx context.Context, gen, epoch uint64) error {
	if err := s.CheckCurrent(ctx, gen); err != nil {
		return err
	}
	r, err := s.record(ctx, epoch)
	if err != nil {
		return err
	}
	_, err = s.create(ctx, committedKey(r.Generation, epoch), committedRecord{s.owner, epoch, r.Generation, gen, r.Ref, s.now()})
	return err
}

// Committed reports whether nothing is left to commit for a durable epoch. fault.CodeNotFound: the epoch is not durable.
func (s *Store) Committed(ctx context.Context, epoch uint64) (bool, error) {
	r, err := s.record(ctx, epoch)
	if err != nil || !r.NeedsCommit {
		return err == nil, err
	}
	return s.exists(ctx, committedKey(r.Generation, epoch))
}
