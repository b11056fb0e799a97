package backup_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wadi/dataflow/fault"
	"wadi/storage/backup"
	"wadi/storage/blob"
	"wadi/storage/blob/errblob"
	"wadi/storage/meta"
)

// counter is a database that is only a number.
type counter struct {
	n    atomic.Int64
	took time.Duration
	err  error
}

func counting(n int64) *counter {
	c := &counter{}
	c.n.Store(n)
	return c
}

func (c *counter) Backup(ctx context.Context, path string) error {
	text := fmt.Sprint(c.n.Load())
	select {
	case <-time.After(c.took):
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.err != nil {
		return c.err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

func memory(t *testing.T) *errblob.Bucket {
	t.Helper()
	b, err := blob.Open(t.Context(), "mem://state")
	if err != nil {
		t.Fatal(err)
	}
	return errblob.New(b)
}

func stored(t *testing.T, b blob.Bucket) string {
	t.Helper()
	data, err := b.Get(t.Context(), backup.Object)
	if fault.Is(err, fault.CodeNotFound) {
		return "nothing"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// bubble runs f on virtual time; copies go to a folder that outlives it.
func bubble(t *testing.T, f func(t *testing.T, temp string)) {
	temp := t.TempDir()
	synctest.Test(t, func(t *testing.T) { f(t, temp) })
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("copies are left behind: %v, %v", left, err)
	}
}

func TestEveryIntervalAndOnRequest(t *testing.T) {
	bubble(t, func(t *testing.T, temp string) {
		bucket, db := memory(t), counting(1)
		b := backup.Start(backup.Options{Bucket: bucket, Source: db, TempDir: temp})
		expect := func(when, want string) {
			t.Helper()
			synctest.Wait()
			if got := stored(t, bucket); got != want {
				t.Errorf("%s: %s is stored, want %s", when, got, want)
			}
		}
		expect("at once", "1")
		db.n.Store(2)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		expect("before the minute", "1")
		time.Sleep(time.Second)
		synctest.Wait()
		expect("after a minute", "2")
		db.n.Store(3)
		b.Request()
		expect("on request", "3")
		bucket.Forget()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if calls := bucket.Calls(); len(calls) != 0 {
			t.Errorf("an unchanged database is stored again: %v", calls)
		}
		db.n.Store(4)
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		expect("at the end", "4")
	})
}

func TestRequestsCoalesceAndNoneIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, temp string) {
		bucket, db := memory(t), &counter{took: 10 * time.Second}
		b := backup.Start(backup.Options{Bucket: bucket, Source: db, TempDir: temp})
		time.Sleep(time.Second)
		synctest.Wait()
		for db.n.Load() < 100 {
			db.n.Add(1)
			b.Request()
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if got := stored(t, bucket); got != "100" {
			t.Errorf("%s is stored", got)
		}
		puts := 0
		for _, c := range bucket.Calls() {
			if c.Kind == errblob.Put {
				puts++
			}
		}
		if puts != 2 {
			t.Errorf("%d copies were stored for 101 requests", puts)
		}
		// The last one is never skipped, also when one is running and another waiting.
		db.n.Store(200)
		b.Request()
		time.Sleep(time.Second)
		synctest.Wait()
		b.Request()
		db.n.Store(300)
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := stored(t, bucket); got != "300" {
			t.Errorf("%s is stored at the end", got)
		}
	})
}

func TestErrorsAreToldAndTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, temp string) {
		bucket, db := memory(t), counting(1)
		boom := errors.New("boom")
		bucket.Fail(errblob.Rule{Kind: errblob.Put, Times: 2, Err: boom})
		var told []error
		b := backup.Start(backup.Options{Bucket: bucket, Source: db, TempDir: temp, OnError: func(err error) { told = append(told, err) }})
		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		if len(told) != 2 || stored(t, bucket) != "1" {
			t.Errorf("told %v, stored %s", told, stored(t, bucket))
		}
		db.err = boom
		if err := b.Close(t.Context()); !errors.Is(err, boom) {
			t.Errorf("Close says %v", err)
		}
		if len(told) != 2 {
			t.Errorf("the last error was told twice")
		}
	})
}

func TestCloseGivesUpWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, temp string) {
		db := &counter{took: time.Hour}
		b := backup.Start(backup.Options{Bucket: memory(t), Source: db, TempDir: temp, OnError: func(err error) { t.Errorf("told %v", err) }})
		time.Sleep(time.Second)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestRoundTripOfARealDatabase(t *testing.T) {
	bucket := memory(t)
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "new", "folder", "state.sqlite")
	if found, err := backup.Download(ctx, bucket, path); found || err != nil {
		t.Fatal(found, err)
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Error("a folder was made for nothing")
	}
	db, err := meta.Open(ctx, filepath.Join(t.TempDir(), "state.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	b := backup.Start(backup.Options{Bucket: bucket, Source: db, OnError: func(err error) { t.Error(err) }})
	pj, err := db.CreatePipeline(ctx, meta.NewPipeline{Name: "p", Parallelism: 1})
	if err := errors.Join(err, b.Close(ctx), db.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second replaces the first
		if found, err := backup.Download(ctx, bucket, path); !found || err != nil {
			t.Fatal(found, err)
		}
	}
	again, err := meta.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.GetPipeline(ctx, pj.Pipeline.ID); err != nil {
		t.Error(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestDownloadRefusesDamage(t *testing.T) {
	bucket := memory(t)
	db, err := meta.Open(t.Context(), filepath.Join(t.TempDir(), "state.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(backup.Start(backup.Options{Bucket: bucket, Source: db}).Close(t.Context()), db.Close()); err != nil {
		t.Fatal(err)
	}
	good, err := bucket.Get(t.Context(), backup.Object)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"empty": nil, "text": []byte("hello"), "cut": good[:len(good)-1], "long": append(good[:len(good):len(good)], 0)} {
		if err := bucket.Put(t.Context(), backup.Object, data); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "x")
		_, err := backup.Download(t.Context(), bucket, path)
		if !fault.Is(err, backup.CodeCorrupt) || fault.As(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was made", name)
		}
	}
	bucket.Fail(errblob.Rule{Kind: errblob.Get, Err: fault.Transientf(nil, "down")})
	if _, err := backup.Download(t.Context(), bucket, filepath.Join(t.TempDir(), "x")); err == nil {
		t.Error("an unreachable bucket counts as an empty one")
	}
}
