package blob_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
	"wadi/storage/blob/errblob"
)

// The one suite that every kind of bucket passes.
func TestConformance(t *testing.T) {
	kinds := map[string]func(t *testing.T) blob.Bucket{
		"local": func(t *testing.T) blob.Bucket { return open(t, t.TempDir()+"/state") },
		"mem":   func(t *testing.T) blob.Bucket { return open(t, "mem://conformance/some/prefix") },
		"s3":    func(t *testing.T) blob.Bucket { return open(t, startS3(t, "bucket")+"/bucket/some/prefix") },
		"errblob": func(t *testing.T) blob.Bucket {
			return errblob.New(open(t, "mem://conformance"))
		},
		"sub": func(t *testing.T) blob.Bucket { return open(t, t.TempDir()).Sub("a").Sub("b/c") },
	}
	checks := map[string]func(t *testing.T, b blob.Bucket){
		"absent":      checkAbsent,
		"put and get": checkPutGet,
		"ranges":      checkRanges,
		"create":      checkCreate,
		"one creator": checkOneCreator,
		"list":        checkList,
		"delete":      checkDelete,
		"sub":         checkSub,
		"bad keys":    checkBadKeys,
		"canceled":    checkCanceled,
		"probe":       checkProbe,
	}
	for kind, make := range kinds {
		for name, check := range checks {
			t.Run(kind+"/"+name, func(t *testing.T) { check(t, make(t)) })
		}
	}
}

func open(t *testing.T, url string) blob.Bucket {
	t.Helper()
	b, err := blob.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantGet(t *testing.T, b blob.Bucket, key, want string) {
	t.Helper()
	got, err := b.Get(t.Context(), key)
	if err != nil || string(got) != want {
		t.Fatalf("get %s: %q, %v; want %q", key, got, err, want)
	}
}

func wantCode(t *testing.T, err error, code fault.Code) *fault.Error {
	t.Helper()
	if !fault.Is(err, code) {
		t.Fatalf("got %v, want a fault %q", err, code)
	}
	return fault.As(err)
}

func keys(t *testing.T, b blob.Bucket, prefix string) string {
	t.Helper()
	infos, err := b.List(t.Context(), prefix)
	must(t, err)
	var ks []string
	for _, i := range infos {
		ks = append(ks, i.Key)
	}
	return strings.Join(ks, " ")
}

func checkAbsent(t *testing.T, b blob.Bucket) {
	_, err := b.Get(t.Context(), "a/b")
	wantCode(t, err, fault.CodeNotFound)
	_, err = b.GetRange(t.Context(), "a/b", 3, 4)
	wantCode(t, err, fault.CodeNotFound)
	if got := keys(t, b, ""); got != "" {
		t.Errorf("an empty bucket lists %q", got)
	}
	must(t, b.Put(t.Context(), "a/b/c", nil))
	_, err = b.Get(t.Context(), "a/b")
	wantCode(t, err, fault.CodeNotFound)
	_, err = b.Get(t.Context(), "a/b/c/d")
	wantCode(t, err, fault.CodeNotFound)
}

func checkPutGet(t *testing.T, b blob.Bucket) {
	data := []byte("one")
	must(t, b.Put(t.Context(), "k", data))
	data[0] = 'X'
	wantGet(t, b, "k", "one")
	got, err := b.Get(t.Context(), "k")
	must(t, err)
	got[0] = 'X'
	wantGet(t, b, "k", "one")
	must(t, b.Put(t.Context(), "k", []byte("two, longer")))
	wantGet(t, b, "k", "two, longer")
	must(t, b.Put(t.Context(), "empty", nil))
	wantGet(t, b, "empty", "")
	odd := "sp ace/ü/%41+&=?#~'"
	must(t, b.Put(t.Context(), odd, []byte("odd")))
	wantGet(t, b, odd, "odd")
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	must(t, b.Put(t.Context(), "big", big))
	got, err = b.Get(t.Context(), "big")
	if err != nil || !bytes.Equal(got, big) {
		t.Fatalf("16 MiB came back as %d bytes, %v", len(got), err)
	}
}

func checkRanges(t *testing.T, b blob.Bucket) {
	must(t, b.Put(t.Context(), "k", []byte("0123456789")))
	must(t, b.Put(t.Context(), "empty", nil))
	for _, c := range []struct {
		key    string
		off, n int64
		want   string
	}{{"k", 0, 3, "012"}, {"k", 7, 3, "789"}, {"k", 7, 100, "789"}, {"k", 7, -1, "789"}, {"k", 0, -1, "0123456789"},
		{"k", 10, 5, ""}, {"k", 99, 5, ""}, {"k", 99, -1, ""}, {"k", 4, 0, ""}, {"empty", 0, -1, ""}, {"empty", 1, 1, ""}} {
		got, err := b.GetRange(t.Context(), c.key, c.off, c.n)
		if err != nil || string(got) != c.want {
			t.Errorf("%s [%d,+%d): %q, %v; want %q", c.key, c.off, c.n, got, err, c.want)
		}
	}
	if _, err := b.GetRange(t.Context(), "k", -1, 1); err == nil {
		t.Error("a negative offset is taken")
	}
}

func checkCreate(t *testing.T, b blob.Bucket) {
	for i, want := range []bool{true, false, false} {
		got, err := b.PutIfAbsent(t.Context(), "d/k", fmt.Append(nil, "writer ", i))
		if err != nil || got != want {
			t.Fatalf("create %d: %v, %v", i, got, err)
		}
	}
	wantGet(t, b, "d/k", "writer 0")
	must(t, b.Delete(t.Context(), "d/k"))
	if got, err := b.PutIfAbsent(t.Context(), "d/k", nil); err != nil || !got {
		t.Fatalf("create after delete: %v, %v", got, err)
	}
}

func checkOneCreator(t *testing.T, b blob.Bucket) {
	const creators, rounds = 8, 20
	for round := range rounds {
		key := fmt.Sprintf("race/%d/record", round)
		var wins atomic.Int32
		var winner atomic.Value
		var all sync.WaitGroup
		for c := range creators {
			all.Go(func() {
				data := fmt.Sprint("creator ", c)
				created, err := b.PutIfAbsent(context.Background(), key, []byte(data))
				if err != nil {
					t.Error(err)
				}
				if created {
					wins.Add(1)
					winner.Store(data)
				}
			})
		}
		all.Wait()
		if wins.Load() != 1 {
			t.Fatalf("round %d: %d creators won", round, wins.Load())
		}
		wantGet(t, b, key, winner.Load().(string))
	}
}

func checkList(t *testing.T, b blob.Bucket) {
	for _, k := range []string{"a/z", "a-b", "a/b/c", "a/b", "ab", "b"} {
		if k == "a/b" {
			continue // also a folder: not for local disks
		}
		must(t, b.Put(t.Context(), k, []byte(k)))
	}
	for prefix, want := range map[string]string{
		"": "a-b a/b/c a/z ab b", "a": "a-b a/b/c a/z ab", "a/": "a/b/c a/z", "a/b": "a/b/c", "a/b/": "a/b/c", "c": "", "c/d/e": "", "b/": "", "b/x": ""} {
		if got := keys(t, b, prefix); got != want {
			t.Errorf("list %q: %s; want %s", prefix, got, want)
		}
	}
	infos, err := b.List(t.Context(), "a/b/")
	if err != nil || len(infos) != 1 || infos[0].Size != 5 || infos[0].ModTime.IsZero() && b.String() == "" {
		t.Errorf("%+v, %v", infos, err)
	}
}

func checkDelete(t *testing.T, b blob.Bucket) {
	must(t, b.Put(t.Context(), "a/b/c", nil))
	must(t, b.Put(t.Context(), "a/d", nil))
	must(t, b.Delete(t.Context(), "a/b"))
	must(t, b.Delete(t.Context(), "a/b/c"))
	must(t, b.Delete(t.Context(), "a/b/c"))
	must(t, b.Delete(t.Context(), "never/was"))
	if got := keys(t, b, ""); got != "a/d" {
		t.Errorf("left: %s", got)
	}
	must(t, b.Put(t.Context(), "a/b/c", []byte("again")))
	wantGet(t, b, "a/b/c", "again")
}

func checkSub(t *testing.T, b blob.Bucket) {
	sub := b.Sub("x/y")
	must(t, sub.Put(t.Context(), "k", []byte("v")))
	wantGet(t, b, "x/y/k", "v")
	must(t, b.Put(t.Context(), "x/yz", nil))
	if got := keys(t, sub, ""); got != "k" {
		t.Errorf("sub lists %s", got)
	}
	if want := b.String() + "/x/y"; sub.String() != want {
		t.Errorf("sub is %s, want %s", sub, want)
	}
	must(t, sub.Close())
	wantGet(t, b, "x/y/k", "v")
}

func checkBadKeys(t *testing.T, b blob.Bucket) {
	for _, k := range []string{"", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\x00b", "a\\b", "\xff", strings.Repeat("k", 1025), "a/.wadi-tmp-1"} {
		_, err := b.Get(t.Context(), k)
		wantCode(t, err, blob.CodeBadKey)
		wantCode(t, b.Put(t.Context(), k, nil), blob.CodeBadKey)
		_, err = b.PutIfAbsent(t.Context(), k, nil)
		wantCode(t, err, blob.CodeBadKey)
		wantCode(t, b.Delete(t.Context(), k), blob.CodeBadKey)
	}
	for _, p := range []string{"/", "..", "../a", "a//"} {
		_, err := b.List(t.Context(), p)
		wantCode(t, err, blob.CodeBadKey)
	}
}

func checkCanceled(t *testing.T, b blob.Bucket) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Get(ctx, "k")
	wantCode(t, err, fault.CodeCanceled)
	wantCode(t, b.Put(ctx, "k", nil), fault.CodeCanceled)
}

func checkProbe(t *testing.T, b blob.Bucket) {
	must(t, blob.ProbeConditionalPut(t.Context(), b))
	if got := keys(t, b, ""); got != "" {
		t.Errorf("the probe left %s", got)
	}
}
