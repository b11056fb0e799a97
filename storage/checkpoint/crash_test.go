package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
	"wadi/storage/blob/errblob"
	"wadi/storage/checkpoint"
)

var errCrash = errors.New("crashed")

// TestPublishCrashPoints cuts Publish off at every call to the bucket, with and without that call having reached it, and
// compares what the next generation restores with the table of the package comment.
func TestPublishCrashPoints(t *testing.T) {
	// The calls of Publish in order, as the table numbers them; true where the call makes the checkpoint durable.
	calls := []struct {
		kind    errblob.Kind
		durable bool
	}{
		{errblob.Get, false}, {errblob.GetRange, false}, {errblob.Get, false}, {errblob.GetRange, false},
		{errblob.PutIfAbsent, false}, {errblob.PutIfAbsent, true}, {errblob.Get, false}, {errblob.GetRange, false},
	}
	durable := false
	for n, call := range calls {
		for _, applied := range []bool{false, true} {
			want := uint64(1)
			if durable || applied && call.durable {
				want = 2
			}
			t.Run(fmt.Sprintf("call %d applied %v", n+1, applied), func(t *testing.T) {
				w := crashAt(t, n, applied)
				if got := w.bucket.Calls(); len(got) != n+1 || got[n].Kind != call.kind {
					t.Fatalf("the table is wrong about Publish:\n%s", w.bucket.Transcript())
				}
				w.bucket.Heal()
				gen, m, replay, warnings, err := w.StartGeneration(t.Context())
				if err != nil || gen != 2 || len(warnings) != 0 || m == nil {
					t.Fatal(gen, m, warnings, err)
				}
				if m.Epoch != want || replay != (want == 2) {
					t.Errorf("restores %d, replays %v; want %d", m.Epoch, replay, want)
				}
				if err := w.verify(t.Context(), m); err != nil {
					t.Error(err)
				}
			})
		}
		durable = durable || call.durable
	}
}

// crashAt publishes and commits epoch 1, then cuts the publication of epoch 2 at its call n.
func crashAt(t *testing.T, n int, applied bool) *world {
	t.Helper()
	w := newWorld(t)
	_, _, _, _, startErr := w.start(t.Context())
	first := w.checkpoint(t.Context(), 1, 1, false, true)
	marked := w.MarkCommitted(t.Context(), 1, 1)
	m, err := w.manifest(t.Context(), 1, 2, false, true)
	if err := errors.Join(startErr, first, marked, err); err != nil {
		t.Fatal(err)
	}
	w.bucket.Forget()
	w.bucket.Fail(errblob.Rule{Skip: n, Times: 1, Err: errCrash, Applied: applied})
	w.bucket.Fail(errblob.Rule{Skip: n, Err: errCrash})
	if err := w.Publish(t.Context(), 1, m); !errors.Is(err, errCrash) {
		t.Fatalf("the publisher is told %v", err)
	}
	return w
}

// TestPublishAgainAfterLostAnswer: the same manifest may be published again until the answer arrives.
func TestPublishAgainAfterLostAnswer(t *testing.T) {
	for n := range 8 {
		for _, applied := range []bool{false, true} {
			w := newWorld(t)
			if _, _, _, _, err := w.start(t.Context()); err != nil {
				t.Fatal(err)
			}
			m, err := w.manifest(t.Context(), 1, 1, false, false)
			if err != nil {
				t.Fatal(err)
			}
			w.bucket.Fail(errblob.Rule{Skip: n, Times: 1, Err: errCrash, Applied: applied})
			_ = w.Publish(t.Context(), 1, m)
			w.bucket.Heal()
			if err := w.Publish(t.Context(), 1, m); err != nil {
				t.Errorf("call %d, applied %v: %v", n, applied, err)
			}
		}
	}
}

// hooked runs a function before its n-th call.
type hooked struct {
	blob.Bucket
	state *hook
}

type hook struct {
	left int
	run  func()
}

func (h *hook) tick() {
	h.left--
	if h.left == -1 {
		h.run()
	}
}

func (h hooked) Sub(p string) blob.Bucket { return hooked{h.Bucket.Sub(p), h.state} }
func (h hooked) Get(ctx context.Context, k string) ([]byte, error) {
	h.state.tick()
	return h.Bucket.Get(ctx, k)
}
func (h hooked) GetRange(ctx context.Context, k string, off, n int64) ([]byte, error) {
	h.state.tick()
	return h.Bucket.GetRange(ctx, k, off, n)
}
func (h hooked) PutIfAbsent(ctx context.Context, k string, d []byte) (bool, error) {
	h.state.tick()
	return h.Bucket.PutIfAbsent(ctx, k, d)
}

// TestZombieAtEveryCall stops generation 1 before each call of publishing epoch 2, lets generation 2 start and go on in
// several ways, and then lets generation 1 continue.
func TestZombieAtEveryCall(t *testing.T) {
	const publishCalls = 7 // the parent has no commits
	type step struct {
		epoch   uint64
		collect bool
	}
	for name, c := range map[string]struct {
		zombie uint64 // the epoch that generation 1 is publishing
		steps  []step // what generation 2 publishes
	}{
		"starts":                   {2, nil},
		"takes the epoch":          {2, []step{{2, false}}},
		"skips the epoch":          {2, []step{{3, false}}},
		"goes on and collects":     {2, []step{{2, false}, {3, false}, {4, true}}},
		"skips, goes on, collects": {2, []step{{5, false}, {6, true}}},
		"is behind":                {9, []step{{2, false}, {3, false}}},
		"is behind and collects":   {9, []step{{2, false}, {3, true}}},
	} {
		for n := range publishCalls + 1 {
			t.Run(fmt.Sprintf("%s/before call %d", name, n+1), func(t *testing.T) {
				w := newWorld(t)
				ctx := t.Context()
				h := &hook{left: n}
				zombie, err := checkpoint.Open(hooked{w.bucket, h}, "pl_1", "job_1")
				check(t, err)
				_, _, _, _, err = w.start(ctx)
				check(t, err)
				check(t, w.checkpoint(ctx, 1, 1, false, false))
				m, err := w.manifest(ctx, 1, c.zombie, false, true)
				check(t, err)

				newest := uint64(0)
				h.run = func() {
					_, seen, replay, _, err := w.start(ctx)
					check(t, err)
					if replay {
						check(t, w.MarkCommitted(ctx, 2, seen.Epoch))
					}
					for _, s := range c.steps {
						if s.epoch <= seen.Epoch {
							continue // the zombie's record came in time
						}
						check(t, w.checkpoint(ctx, 2, s.epoch, s.collect, false))
						newest = s.epoch
						if s.collect {
							_, err := w.Collect(ctx, 2, 1)
							check(t, err)
						}
					}
				}
				pubErr := zombie.Publish(ctx, 1, m)
				if n == publishCalls {
					check(t, pubErr)
					h.run()
					return
				}
				if !fault.Is(pubErr, fault.CodeStaleRun) {
					t.Fatalf("the zombie is told %v", pubErr)
				}
				gen, last, replay, warnings, err := w.start(ctx)
				check(t, err)
				if replay {
					check(t, w.MarkCommitted(ctx, 3, last.Epoch))
				}
				if gen != 3 || len(warnings) != 0 {
					t.Error(gen, warnings)
				}
				if newest > 0 && (last.Generation != 2 || last.Epoch != newest) {
					t.Errorf("restores %d/%d, but generation 2 was told that %d is durable", last.Generation, last.Epoch, newest)
				}
				check(t, w.verify(ctx, last))
				next, err := w.NextEpoch(ctx)
				check(t, err)
				check(t, w.checkpoint(ctx, 3, next, false, false))
			})
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
