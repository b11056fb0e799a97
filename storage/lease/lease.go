// Package lease keeps two processes from running on one state directory at the same time.
//
// What comes in: a bucket. What goes out: a Lease, or a fault that names the holder. Acquire and Release block on the
// bucket; a goroutine of the lease renews it until Release.
//
// Every holder creates lease/<token>.json with a token one above all that exist, only if absent: of any number of
// processes that want the same lease at the same moment, exactly one gets it, on local disks and object stores alike. The
// highest token holds. A holder renews by writing the time into its own object, and looks for higher tokens first: a
// holder that was replaced cannot take the lease back by renewing. Releasing writes a mark and keeps the object, so that
// tokens only grow.
//
// A lease is free when it is released, when its holder was a process of this machine that is dead, or when it was not
// renewed for the TTL. A holder on another machine whose lease seems to have run out is watched for half a TTL more, as
// that machine's clock may be behind. The holder counts more strictly than the others: it gives its lease up after nine
// tenths of the TTL without a renewal.
//
// The lease saves people from mistakes. That no rows are lost or doubled when two processes run all the same, for example
// after one was paused for minutes, is not its task but that of the generations in package checkpoint.
package lease

import (
	"context"
	"os"
	"sync"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/storage/blob"
)

// DefaultTTL is how long a lease lives without renewal.
const DefaultTTL = 30 * time.Second

// Options say who wants the lease, and how much.
type Options struct {
	// Force takes the lease from a living holder.
	Force bool
	// TTL is DefaultTTL when zero. All who share a lease use the same.
	TTL time.Duration
	// Clock is the machine's when nil.
	Clock clock.Clock
	// Host and PID name the holder to others; empty for this process.
	Host string
	PID  int
	// Machine finds out about processes; nil for this machine's.
	Machine Machine
}

func (o Options) filled() (Options, error) {
	if o.TTL <= 0 {
		o.TTL = DefaultTTL
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Machine == nil {
		o.Machine = thisMachine{}
	}
	if o.PID == 0 {
		o.PID = os.Getpid()
	}
	if o.Host == "" {
		host, err := os.Hostname()
		if err != nil {
			return o, fault.Internalf("this machine's name: %v", err)
		}
		o.Host = host
	}
	return o, nil
}

// Lease is a lease that is held.
type Lease struct {
	bucket blob.Bucket
	o      Options
	// token never changes; record is the goroutine's that renews, until that has ended.
	token  uint64
	record record
	// Replaced describes the holder that was forced out or had died; empty if there was none.
	Replaced string

	cancel context.CancelFunc
	done   chan struct{}
	lost   chan struct{}

	mu     sync.Mutex
	reason error
}

// Acquire takes the lease of a state directory and starts to renew it. A lease that someone else holds is
// fault.CodeConflict, naming the holder's host, process and age. The caller calls Release.
func Acquire(ctx context.Context, bucket blob.Bucket, o Options) (*Lease, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	mine, replaced, err := take(ctx, bucket, o)
	if err != nil {
		return nil, err
	}
	renewing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &Lease{bucket: bucket, o: o, token: mine.Token, record: mine, Replaced: replaced, cancel: cancel, done: make(chan struct{}), lost: make(chan struct{})}
	go l.renew(renewing)
	return l, nil
}

// Token is the lease's number, above those of all earlier holders.
func (l *Lease) Token() uint64 { return l.token }

// Lost is closed when the lease is no longer held though it was not released. The process must stop what it does.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Err says why the lease was lost, nil while it is held.
func (l *Lease) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reason
}

func (l *Lease) lose(reason error) {
	l.mu.Lock()
	l.reason = reason
	l.mu.Unlock()
	close(l.lost)
}

// Release ends renewing and lets the next process have the lease at once. A lease that was lost stays with its new holder.
// Release is called once.
func (l *Lease) Release(ctx context.Context) error {
	l.cancel()
	<-l.done
	if l.Err() != nil {
		return nil
	}
	l.record.Released = true
	l.record.Renewed = l.o.Clock.Now().UnixMicro()
	return write(ctx, l.bucket, l.record)
}

// renew runs until Release, or until the lease is lost.
func (l *Lease) renew(ctx context.Context) {
	defer close(l.done)
	strict := l.o.TTL - l.o.TTL/10
	held := time.UnixMicro(l.record.Renewed)
	wait := l.o.TTL / 3
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.o.Clock.After(wait):
		}
		began := l.o.Clock.Now()
		// After a pause of the whole machine the time is up already; one try finds out whether someone else noticed.
		err := l.renewWithin(ctx, max(held.Add(strict).Sub(began), l.o.TTL/10))
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			held, wait = began, l.o.TTL/3
		case fault.Is(err, fault.CodeConflict):
			l.lose(err)
			return
		case l.o.Clock.Now().Sub(held) >= strict:
			l.lose(fault.Transientf(err, "the lease on %s could not be renewed for %v", l.bucket, l.o.TTL).
				WithHint("check that the state directory can be reached, then start again"))
			return
		default:
			wait = l.o.TTL / 20
		}
	}
}

// renewWithin is one renewal that is given up after d, also when the bucket hangs.
func (l *Lease) renewWithin(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- l.renewOnce(ctx) }()
	select {
	case err := <-result:
		return err
	case <-l.o.Clock.After(d):
		cancel()
		return <-result
	}
}

// Check looks at once whether another process has taken the lease over: fault.CodeConflict then, naming it. It neither
// renews nor loses the lease.
func (l *Lease) Check(ctx context.Context) error {
	tokens, err := list(ctx, l.bucket)
	if err != nil {
		return err
	}
	if n := len(tokens); n > 0 && tokens[n-1] > l.token {
		by := "another process"
		if r, err := read(ctx, l.bucket, tokens[n-1]); err == nil {
			by = r.holder()
		}
		return fault.Userf(fault.CodeConflict, fault.Span{}, "the lease on %s was taken over by %s", l.bucket, by).
			WithHint("this process stops; the other one goes on from the last checkpoint")
	}
	return nil
}

func (l *Lease) renewOnce(ctx context.Context) error {
	if err := l.Check(ctx); err != nil {
		return err
	}
	if _, err := read(ctx, l.bucket, l.token); fault.Is(err, fault.CodeNotFound) {
		return fault.Userf(fault.CodeConflict, fault.Span{}, "the lease on %s was removed", l.bucket).
			WithHint("stop wadi before removing its state directory")
	}
	next := l.record
	next.Renewed = l.o.Clock.Now().UnixMicro()
	if err := write(ctx, l.bucket, next); err != nil {
		return err
	}
	l.record = next
	return nil
}
