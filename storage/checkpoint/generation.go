package checkpoint

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"wadi/dataflow/fault"
)

// claimTries bounds how many competing controllers one StartGeneration steps over.
const claimTries = 100

// StartGeneration claims the next generation and finds what it restores from: the newest durable checkpoint, nil when
// the job has none. replayCommit says that the checkpoint's sinks may not have committed yet; the caller sends the
// commits again and then calls MarkCommitted. warnings name every record or manifest that was passed over as unreadable,
// each with its key and the reason; the caller has to show them. That every checkpoint is unreadable is an error, as is a
// bucket that does not answer.
func (s *Store) StartGeneration(ctx context.Context) (gen uint64, restore *Manifest, replayCommit bool, warnings []error, err error) {
	gen, err = s.claim(ctx)
	if err != nil {
		return 0, nil, false, nil, err
	}
	if err := s.announce(ctx, gen); err != nil {
		return 0, nil, false, nil, err
	}
	// Only after the claim: whoever published before it sees himself replaced, or is seen here.
	h, err := s.history(ctx)
	if err != nil {
		return 0, nil, false, nil, err
	}
	restore, warnings, err = s.resolve(ctx, h)
	if err != nil || restore == nil {
		return gen, nil, false, warnings, err
	}
	if restore.NeedsCommit() {
		done, err := s.exists(ctx, committedKey(restore.Generation, restore.Epoch))
		if err != nil {
			return 0, nil, false, warnings, err
		}
		replayCommit = !done
	}
	return gen, restore, replayCommit, warnings, nil
}

// claim creates the manifest of the first generation after all that exist.
func (s *Store) claim(ctx context.Context) (uint64, error) {
	infos, err := s.bucket.List(ctx, generationsDir)
	if err != nil {
		return 0, err
	}
	var last uint64
	for _, i := range infos {
		digits, _, _ := strings.Cut(strings.TrimPrefix(i.Key, generationsDir), "/")
		if g, err := strconv.ParseUint(digits, 10, 63); err == nil {
			last = max(last, g)
		}
	}
	for gen := last + 1; gen <= last+claimTries; gen++ {
		created, err := s.create(ctx, claimKey(gen), claimRecord{s.owner, gen, s.now()})
		if err != nil || created {
			return gen, err
		}
	}
	return 0, &fault.Error{Kind: fault.Transient, Code: fault.CodeConflict,
		Message: s.String() + ": other controllers keep starting this job", Hint: "stop the other wadi processes that use this state directory"}
}

// announce writes current-generation.json, unless a later generation already did.
func (s *Store) announce(ctx context.Context, gen uint64) error {
	var cur currentRecord
	err := s.get(ctx, currentKey, &cur)
	if err != nil && !fault.Is(err, fault.CodeNotFound) && !fault.Is(err, CodeCorrupt) {
		return err
	}
	if err == nil && cur.Generation > gen {
		return s.stale(gen, "generation "+strconv.FormatUint(cur.Generation, 10)+" has started")
	}
	data, err := encode(currentRecord{s.owner, gen, claimKey(gen), s.now()})
	if err != nil {
		return err
	}
	return s.bucket.Put(ctx, currentKey, data)
}

func (s *Store) stale(gen uint64, why string) error {
	e := fault.Transientf(nil, "generation %d of %s is no longer current: %s", gen, s, why)
	e.Code = fault.CodeStaleRun
	return e
}

// CheckCurrent returns nil while gen is the newest generation, and fault.CodeStaleRun once a later one was claimed.
func (s *Store) CheckCurrent(ctx context.Context, gen uint64) error {
	var cur currentRecord
	err := s.get(ctx, currentKey, &cur)
	switch {
	case fault.Is(err, fault.CodeNotFound):
		return s.gone()
	case fault.Is(err, CodeCorrupt):
		// Only a hint; the claim below decides.
	case err != nil:
		return err
	case cur.Generation > gen:
		return s.stale(gen, "generation "+strconv.FormatUint(cur.Generation, 10)+" has started")
	case cur.Generation < gen:
		// A slower controller overwrote the hint, or everything was removed and begun anew.
		if mine, err := s.exists(ctx, claimKey(gen)); err != nil || !mine {
			return cmp.Or(err, s.gone())
		}
	}
	next, err := s.exists(ctx, claimKey(gen+1))
	if err != nil {
		return err
	}
	if next {
		return s.stale(gen, "generation "+strconv.FormatUint(gen+1, 10)+" has started")
	}
	return nil
}

func (s *Store) gone() error {
	return fault.Userf(CodeGone, fault.Span{}, "%s was removed while the job was running", s).
		WithHint("stop the job before removing its state; start it again to begin anew")
}
