package checkpoint

import (
	"context"
	"sort"

	"wadi/dataflow/fault"
)

// history is every epoch record of a job.
type history struct {
	// records are the readable ones, newest first: by generation, then by epoch.
	records []epochRecord
	// damaged are the faults of the others.
	damaged []error
	// last is the highest epoch that has a record, readable or not.
	last uint64
}

func (s *Store) history(ctx context.Context) (history, error) {
	var h history
	infos, err := s.bucket.List(ctx, epochsDir)
	if err != nil {
		return h, err
	}
	for _, i := range infos {
		epoch, ok := parseRecordKey(i.Key)
		if !ok {
			continue
		}
		h.last = max(h.last, epoch)
		r, err := s.record(ctx, epoch)
		switch {
		case fault.Is(err, fault.CodeNotFound):
			// Collected since the listing.
		case fault.Is(err, CodeCorrupt):
			h.damaged = append(h.damaged, fault.As(err).WithHint("checkpoint %d is passed over; rows that it had committed may appear again", epoch))
		case err != nil:
			return h, err
		default:
			h.records = append(h.records, r)
		}
	}
	sort.Slice(h.records, func(i, j int) bool {
		a, b := h.records[i], h.records[j]
		return a.Generation > b.Generation || a.Generation == b.Generation && a.Epoch > b.Epoch
	})
	return h, nil
}

// record reads one epoch record.
func (s *Store) record(ctx context.Context, epoch uint64) (epochRecord, error) {
	var r epochRecord
	key := recordKey(epoch)
	if err := s.get(ctx, key, &r); err != nil {
		return r, err
	}
	if r.Epoch != epoch || r.Ref != manifestRef(r.Generation, r.Epoch) || r.owner != s.owner {
		return r, corrupt(key, "it describes another checkpoint")
	}
	return r, nil
}

// before is where recovery goes from the unreadable checkpoint r: to its parent, or, where that has no readable record,
// to the newest one before it. The second result is false when there is none.
func (h *history) before(r epochRecord) (epochRecord, bool) {
	for _, p := range h.records {
		if p.Ref == r.Parent {
			return p, true
		}
	}
	for _, p := range h.records {
		if p.Epoch < r.Epoch && p.Generation <= r.Generation {
			return p, true
		}
	}
	return epochRecord{}, false
}

// resolve finds the newest readable checkpoint, nil when the job never had one.
func (s *Store) resolve(ctx context.Context, h history) (*Manifest, []error, error) {
	warnings := append([]error(nil), h.damaged...)
	if len(h.records) == 0 {
		if len(h.damaged) > 0 {
			return nil, warnings, s.allDamaged(len(h.damaged), h.damaged[0])
		}
		return nil, nil, nil
	}
	for r, ok := h.records[0], true; ok; r, ok = h.before(r) {
		m, err := s.readManifest(ctx, r)
		if err == nil {
			return m, warnings, nil
		}
		if !fault.Is(err, CodeCorrupt) {
			return nil, warnings, err
		}
		warnings = append(warnings, fault.As(err).WithHint("checkpoint %d is passed over for the one before it; rows that it had committed may appear again", r.Epoch))
	}
	return nil, warnings, s.allDamaged(len(warnings), warnings[len(warnings)-1])
}

func (s *Store) allDamaged(n int, last error) error {
	return fault.Userf(CodeCorrupt, fault.Span{}, "none of the %d checkpoints in %s can be read", n, s).WithCause(last).
		WithHint("restore the state directory from a copy, or start anew with another one")
}

// Latest gives the newest readable checkpoint without claiming anything, or nil when there is none. Unreadable ones are
// passed over silently: StartGeneration is where they are reported.
func (s *Store) Latest(ctx context.Context) (*Manifest, error) {
	h, err := s.history(ctx)
	if err != nil {
		return nil, err
	}
	m, _, err := s.resolve(ctx, h)
	return m, err
}

// NextEpoch is the first epoch that no record has, for the first checkpoint of a new generation. After a fallback it is
// more than one above the restored epoch: numbers are never used twice.
func (s *Store) NextEpoch(ctx context.Context) (uint64, error) {
	infos, err := s.bucket.List(ctx, epochsDir)
	if err != nil {
		return 0, err
	}
	var last uint64
	for _, i := range infos {
		if epoch, ok := parseRecordKey(i.Key); ok {
			last = max(last, epoch)
		}
	}
	return last + 1, nil
}

// Entry is one durable checkpoint of List.
type Entry struct {
	Generation, Epoch uint64
	// Ref and Parent are the references of the checkpoint's manifest and of its parent's.
	Ref, Parent     string
	NeedsCommit     bool
	CreatedAtMicros int64
}

// List gives the durable checkpoints, from the newest along its parents, oldest first. Manifests are not read.
func (s *Store) List(ctx context.Context) ([]Entry, error) {
	h, err := s.history(ctx)
	if err != nil {
		return nil, err
	}
	chain := h.chain(len(h.records))
	entries := make([]Entry, len(chain))
	for i, r := range chain {
		entries[len(chain)-1-i] = Entry{r.Generation, r.Epoch, r.Ref, r.Parent, r.NeedsCommit, r.CreatedMicros}
	}
	return entries, nil
}

// chain is the newest record and its parents, at most n, newest first.
func (h *history) chain(n int) []epochRecord {
	if len(h.records) == 0 {
		return nil
	}
	byRef := make(map[string]epochRecord, len(h.records))
	for _, r := range h.records {
		byRef[r.Ref] = r
	}
	chain := []epochRecord{h.records[0]}
	for len(chain) < n {
		last := chain[len(chain)-1]
		p, ok := byRef[last.Parent]
		if !ok || p.Epoch >= last.Epoch {
			break
		}
		chain = append(chain, p)
	}
	return chain
}
