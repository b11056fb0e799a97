package errblob_test

import (
	"errors"
	"testing"

	"wadi/storage/blob"
	"wadi/storage/blob/errblob"
)

func TestRulesAndTranscript(t *testing.T) {
	inner, err := blob.Open(t.Context(), "mem://x")
	if err != nil {
		t.Fatal(err)
	}
	b := errblob.New(inner)
	boom := errors.New("boom")
	b.Fail(errblob.Rule{Kind: errblob.Put, Key: "a/", Skip: 1, Times: 1, Err: boom})
	b.Fail(errblob.Rule{Kind: errblob.PutIfAbsent, Err: boom, Applied: true, Times: 1})
	sub := b.Sub("a")
	for i, want := range []error{nil, boom, nil} {
		if err := sub.Put(t.Context(), "k", []byte{byte(i)}); err != want {
			t.Errorf("put %d: %v", i, err)
		}
	}
	if created, err := sub.PutIfAbsent(t.Context(), "n", nil); created || err != boom {
		t.Errorf("create: %v, %v", created, err)
	}
	if created, err := sub.PutIfAbsent(t.Context(), "n", nil); created || err != nil {
		t.Errorf("create again: %v, %v", created, err)
	}
	if _, err := b.List(t.Context(), ""); err != nil {
		t.Error(err)
	}
	want := `put           a/k → ok
put           a/k → boom
put           a/k → ok
put-if-absent a/n → boom (applied)
put-if-absent a/n → exists
list           → ok
`
	if got := b.Transcript(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b.Forget()
	b.Fail(errblob.Rule{Err: boom})
	if _, err := b.Get(t.Context(), "a/k"); err != boom {
		t.Error(err)
	}
	b.Heal()
	if data, err := b.Get(t.Context(), "a/k"); err != nil || data[0] != 2 {
		t.Errorf("%v, %v", data, err)
	}
	if n := len(b.Calls()); n != 2 {
		t.Errorf("%d calls after Forget", n)
	}
}
