package blob

import (
	"context"
	"errors"
	"testing"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
)

// failing is a driver whose calls fail a number of times before they reach the memory below.
type failing struct {
	memory
	left int
	err  error
	seen int
	tok  map[string]bool
}

func (f *failing) get(ctx context.Context, key string, off, n int64) ([]byte, error) {
	f.seen++
	if f.left > 0 {
		f.left--
		return nil, f.err
	}
	return f.memory.get(ctx, key, off, n)
}

func (f *failing) create(ctx context.Context, key string, data []byte, token string) (bool, error) {
	f.tok[token] = true
	if f.left > 0 {
		f.left--
		return false, f.err
	}
	return f.memory.create(ctx, key, data, token)
}

// stepping is a clock that moves as soon as someone waits.
type stepping struct {
	clock.Virtual
	waits []time.Duration
}

func (s *stepping) After(d time.Duration) <-chan time.Time {
	s.waits = append(s.waits, d)
	c := s.Virtual.After(d)
	s.Advance(d)
	return c
}

func newFailing(left int, err error) (*failing, *stepping, Bucket) {
	clk := &stepping{}
	f := &failing{memory: memory{clock: clk, objects: map[string]memObject{"k": {data: []byte("v")}}}, left: left, err: err, tok: map[string]bool{}}
	return f, clk, &bucket{driver: f, url: URL{Scheme: SchemeMem, Bucket: "b"}, clock: clk, retry: DefaultRetry}
}

func TestRetryBacksOffAndIsBounded(t *testing.T) {
	f, clk, b := newFailing(100, fault.Transientf(errors.New("reset"), "mem"))
	_, err := b.Get(t.Context(), "k")
	if fault.As(err).Kind != fault.Transient || f.seen != DefaultRetry.Attempts || len(clk.waits) != f.seen-1 {
		t.Fatalf("%v after %d tries, waits %v", err, f.seen, clk.waits)
	}
	for i, w := range clk.waits {
		most := min(DefaultRetry.Base<<i, DefaultRetry.Cap)
		if w < most/2 || w > most {
			t.Errorf("wait %d is %v, want %v to %v", i, w, most/2, most)
		}
	}
}

func TestRetryKeepsTheTokenAndSucceeds(t *testing.T) {
	f, _, b := newFailing(3, fault.Transientf(nil, "mem"))
	if created, err := b.PutIfAbsent(t.Context(), "new", nil); err != nil || !created || len(f.tok) != 1 {
		t.Fatalf("%v, %v, tokens %v", created, err, f.tok)
	}
}

func TestRetryLeavesOtherFaultsAlone(t *testing.T) {
	f, _, b := newFailing(1, fault.Userf(CodePermission, fault.Span{}, "no"))
	if _, err := b.Get(t.Context(), "k"); !fault.Is(err, CodePermission) || f.seen != 1 {
		t.Fatalf("%v after %d tries", err, f.seen)
	}
}

func TestRetryEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f, _, b := newFailing(100, nil)
	f.err = fault.Transientf(nil, "mem")
	b.(*bucket).clock = cancelOnWait{cancel}
	if _, err := b.Get(ctx, "k"); !fault.Is(err, fault.CodeCanceled) || !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

type cancelOnWait struct{ cancel func() }

func (cancelOnWait) Now() time.Time { return time.Time{} }

func (c cancelOnWait) After(time.Duration) <-chan time.Time {
	c.cancel()
	return nil
}
