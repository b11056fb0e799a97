package lease_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
	"wadi/storage/blob/errblob"
	"wadi/storage/lease"
)

// machine is a fake: its living processes by pid.
type machine struct {
	place string
	alive map[int]string
}

func (m machine) Place() string { return m.place }

func (m machine) Process(pid int) (string, bool) {
	p, ok := m.alive[pid]
	return p, ok
}

func memory(t *testing.T) *errblob.Bucket {
	t.Helper()
	b, err := blob.Open(t.Context(), "mem://state")
	must(t, err)
	return errblob.New(b)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, b blob.Bucket, o lease.Options) *fault.Error {
	t.Helper()
	l, err := lease.Acquire(t.Context(), b, o)
	if err == nil {
		must(t, l.Release(t.Context()))
		t.Fatal("the lease was given twice")
	}
	if !fault.Is(err, fault.CodeConflict) {
		t.Fatal(err)
	}
	return fault.As(err)
}

func acquire(t *testing.T, b blob.Bucket, o lease.Options) *lease.Lease {
	t.Helper()
	l, err := lease.Acquire(t.Context(), b, o)
	must(t, err)
	return l
}

func isLost(l *lease.Lease) bool {
	synctest.Wait()
	select {
	case <-l.Lost():
		return true
	default:
		return false
	}
}

var (
	here  = machine{"m1", map[int]string{1: "s1", 2: "s2"}}
	there = machine{"m2", map[int]string{1: "x1"}}
	one   = lease.Options{Host: "alpha", PID: 1, Machine: here}
	two   = lease.Options{Host: "alpha", PID: 2, Machine: here}
	far   = lease.Options{Host: "beta", PID: 1, Machine: there}
)

func forced(o lease.Options) lease.Options {
	o.Force = true
	return o
}

func TestRefusedNamesTheHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory(t)
		l := acquire(t, b, one)
		time.Sleep(125 * time.Second)
		for _, o := range []lease.Options{two, far} {
			f := refused(t, b, o)
			if got, want := f.Error(), "mem://state is in use by host alpha, pid 1, for 2m5s; its lease was renewed 5s ago"; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if !strings.Contains(f.Hint, "--force") || f.Kind != fault.User {
				t.Errorf("%v, hint %s", f.Kind, f.Hint)
			}
		}
		must(t, l.Release(t.Context()))
		if l.Err() != nil || isLost(l) {
			t.Error("a released lease counts as lost")
		}
		next := acquire(t, b, far)
		if next.Token() != 2 || next.Replaced != "" {
			t.Errorf("token %d, replaced %q", next.Token(), next.Replaced)
		}
		must(t, next.Release(t.Context()))
		must(t, acquire(t, b, one).Release(t.Context()))
		infos, err := b.List(t.Context(), "lease/")
		if err != nil || len(infos) != 2 {
			t.Errorf("left: %v, %v", infos, err)
		}
	})
}

func TestForceTakesOverAndTheHolderFencesItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory(t)
		l := acquire(t, b, one)
		time.Sleep(time.Second)
		n := acquire(t, b, forced(far))
		if n.Replaced != "host alpha, pid 1" {
			t.Errorf("replaced %q", n.Replaced)
		}
		if err := l.Check(t.Context()); !fault.Is(err, fault.CodeConflict) || isLost(l) {
			t.Errorf("a look at once says %v", err)
		}
		must(t, n.Check(t.Context()))
		time.Sleep(10 * time.Second)
		if !isLost(l) || !strings.Contains(l.Err().Error(), "taken over by host beta, pid 1") || !fault.Is(l.Err(), fault.CodeConflict) {
			t.Errorf("%v", l.Err())
		}
		must(t, l.Release(t.Context()))
		time.Sleep(time.Hour)
		if isLost(n) {
			t.Error("the new holder lost it", n.Err())
		}
		refused(t, b, one)
		must(t, n.Release(t.Context()))
	})
}

func TestDeadHoldersOfThisMachine(t *testing.T) {
	for name, c := range map[string]struct {
		now   machine
		taken bool
	}{
		"dead":                {machine{"m1", map[int]string{2: "s2"}}, true},
		"number used again":   {machine{"m1", map[int]string{1: "later", 2: "s2"}}, true},
		"alive":               {here, false},
		"other pid namespace": {machine{"m1 container", map[int]string{2: "s2"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := memory(t)
				l := acquire(t, b, one)
				o := two
				o.Machine = c.now
				if c.taken {
					n := acquire(t, b, o)
					if n.Replaced != "host alpha, pid 1" || n.Token() != 2 {
						t.Errorf("replaced %q, token %d", n.Replaced, n.Token())
					}
					must(t, n.Release(t.Context()))
				} else {
					refused(t, b, o)
				}
				must(t, l.Release(t.Context()))
			})
		})
	}
}

// abandon makes a lease whose holder never renews again.
func abandon(t *testing.T, b *errblob.Bucket, o lease.Options) {
	t.Helper()
	l := acquire(t, b, o)
	b.Fail(errblob.Rule{Err: fault.Transientf(nil, "gone")})
	must(t, cmpErr(l.Release(t.Context())))
	b.Heal()
}

// cmpErr expects the error of a bucket that is gone.
func cmpErr(err error) error {
	if fault.Is(err, fault.CodeIO) {
		return nil
	}
	return fmt.Errorf("release says %w", err)
}

func TestExpiredLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory(t)
		abandon(t, b, one)
		time.Sleep(30 * time.Second)
		refused(t, b, two)
		refused(t, b, far)
		time.Sleep(time.Millisecond)
		start := time.Now()
		l := acquire(t, b, two)
		if time.Since(start) != 0 || l.Replaced == "" {
			t.Errorf("waited %v on one machine", time.Since(start))
		}
		must(t, l.Release(t.Context()))

		abandon(t, b, one)
		time.Sleep(31 * time.Second)
		start = time.Now()
		l = acquire(t, b, far)
		if time.Since(start) != 15*time.Second {
			t.Errorf("watched the other machine's lease for %v", time.Since(start))
		}
		must(t, l.Release(t.Context()))
	})
}

// behind is a clock that is late by a fixed time.
type behind struct{ by time.Duration }

func (c behind) Now() time.Time                         { return time.Now().Add(-c.by) }
func (c behind) After(d time.Duration) <-chan time.Time { return time.After(d) }

func TestAHolderWhoseClockIsBehindKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory(t)
		late := one
		late.Clock = behind{time.Hour}
		l := acquire(t, b, late)
		refused(t, b, far)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := lease.Acquire(ctx, b, far); !fault.Is(err, fault.CodeCanceled) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		must(t, l.Release(t.Context()))
	})
}

func TestLostWhenItCannotBeRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory(t)
		l := acquire(t, b, one)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		b.Fail(errblob.Rule{Err: fault.Transientf(nil, "the network is gone")})
		time.Sleep(26 * time.Second)
		if isLost(l) {
			t.Fatal("lost too early")
		}
		time.Sleep(2 * time.Second)
		if !isLost(l) || !strings.Contains(l.Err().Error(), "could not be renewed") {
			t.Fatalf("%v", l.Err())
		}
		must(t, l.Release(t.Context()))
	})
}

func TestShortOutagesAreBridged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory(t)
		l := acquire(t, b, one)
		for range 20 {
			b.Fail(errblob.Rule{Err: fault.Transientf(nil, "the network is gone")})
			time.Sleep(15 * time.Second)
			synctest.Wait()
			b.Heal()
			time.Sleep(15 * time.Second)
		}
		if isLost(l) {
			t.Error(l.Err())
		}
		must(t, l.Release(t.Context()))
	})
}

// hanging is a bucket whose calls, once told so, never answer.
type hanging struct {
	blob.Bucket
	hangs *atomic.Bool
}

func (h hanging) List(ctx context.Context, p string) ([]blob.Info, error) {
	if h.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.Bucket.List(ctx, p)
}

func TestLostWhenTheBucketHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hanging{memory(t), new(atomic.Bool)}
		l := acquire(t, b, one)
		b.hangs.Store(true)
		start := time.Now()
		<-l.Lost()
		if d := time.Since(start); d != 27*time.Second {
			t.Errorf("lost after %v", d)
		}
		must(t, l.Release(t.Context()))

		b.hangs.Store(false)
		l = acquire(t, b, forced(one))
		b.hangs.Store(true)
		time.Sleep(11 * time.Second)
		b.hangs.Store(false)
		must(t, l.Release(t.Context())) // in the middle of a renewal that hangs
	})
}

func TestRemovedAndDamagedLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory(t)
		l := acquire(t, b, one)
		const object = "lease/00000000000000000001.json"
		must(t, b.Put(t.Context(), object, []byte("{half")))
		_, err := lease.Acquire(t.Context(), b, two)
		if f := fault.As(err); f == nil || f.Kind != fault.User || !strings.Contains(f.Hint, "--force") {
			t.Errorf("%v", err)
		}
		must(t, b.Delete(t.Context(), object))
		time.Sleep(10 * time.Second)
		if !isLost(l) || !strings.Contains(l.Err().Error(), "removed") {
			t.Errorf("%v", l.Err())
		}
		must(t, l.Release(t.Context()))
		must(t, b.Put(t.Context(), object, []byte("{half")))
		n := acquire(t, b, forced(two))
		if n.Token() != 2 {
			t.Errorf("token %d", n.Token())
		}
		must(t, n.Release(t.Context()))
	})
}

func TestManyAtOnceOneWins(t *testing.T) {
	for _, url := range []string{"mem://state", t.TempDir() + "/new"} {
		b, err := blob.Open(t.Context(), url)
		must(t, err)
		var token uint64
		for round := range 40 {
			var wins atomic.Int32
			var holder atomic.Pointer[lease.Lease]
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					l, err := lease.Acquire(context.Background(), b, lease.Options{})
					if err == nil {
						wins.Add(1)
						holder.Store(l)
					} else if !fault.Is(err, fault.CodeConflict) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if wins.Load() != 1 {
				t.Fatalf("%s: %d holders", url, wins.Load())
			}
			l := holder.Load()
			if l.Token() <= token {
				t.Errorf("round %d: token %d after %d", round, l.Token(), token)
			}
			token = l.Token()
			must(t, l.Release(t.Context()))
		}
	}
}

// TestMain lets the test binary be another process that wants the lease of a folder.
func TestMain(m *testing.M) {
	dir := os.Getenv("WADI_LEASE_TEST_CHILD")
	if dir == "" {
		os.Exit(m.Run())
	}
	in := bufio.NewReader(os.Stdin)
	_, _ = in.ReadString('\n')
	b, err := blob.Open(context.Background(), dir)
	if err != nil {
		panic(err)
	}
	if _, err := lease.Acquire(context.Background(), b, lease.Options{}); err != nil {
		fmt.Println("refused:", err)
		return
	}
	fmt.Println("holds")
	_, _ = io.Copy(io.Discard, in) // until the parent closes the pipe, or ends
}

type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(t *testing.T, dir string) process {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "WADI_LEASE_TEST_CHILD="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return process{cmd, in, bufio.NewReader(out)}
}

func (p process) ask(t *testing.T) { _, err := io.WriteString(p.in, "\n"); must(t, err) }

func (p process) answer(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	must(t, err)
	return strings.TrimSpace(line)
}

func TestProcessesOneWinsAndItsDeathFreesTheLease(t *testing.T) {
	for range 3 {
		dir := t.TempDir() + "/state"
		all := []process{start(t, dir), start(t, dir), start(t, dir), start(t, dir)}
		for _, p := range all {
			p.ask(t)
		}
		winner := -1
		for i, p := range all {
			switch answer := p.answer(t); {
			case answer == "holds" && winner < 0:
				winner = i
			case answer == "holds":
				t.Fatal("two processes hold the lease")
			case !strings.Contains(answer, "is in use by host"):
				t.Error(answer)
			}
		}
		if winner < 0 {
			t.Fatal("nobody holds the lease")
		}
		b, err := blob.Open(t.Context(), dir)
		must(t, err)
		if f := refused(t, b, lease.Options{}); !strings.Contains(f.Error(), fmt.Sprintf("pid %d,", all[winner].cmd.Process.Pid)) {
			t.Errorf("%v", f)
		}
		must(t, all[winner].cmd.Process.Kill())
		if err := all[winner].cmd.Wait(); err == nil {
			t.Error("the killed process ended well")
		}
		l := acquire(t, b, lease.Options{})
		if l.Replaced == "" {
			t.Error("nobody was replaced")
		}
		must(t, l.Release(t.Context()))
		for i, p := range all {
			if i != winner {
				must(t, p.in.Close())
				must(t, p.cmd.Wait())
			}
		}
	}
}
