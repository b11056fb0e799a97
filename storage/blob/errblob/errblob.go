// Package errblob is a bucket that fails on command and remembers every call.
//
// What comes in: a bucket and rules. What goes out: the bucket's answers, or the rules' errors, and a transcript of the
// calls for golden files. Keys and errors are kept; data is not. It never blocks on its own.
package errblob

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"wadi/storage/blob"
)

// Kind is a verb of blob.Bucket.
type Kind string

// The verbs.
const (
	Get         Kind = "get"
	GetRange    Kind = "get-range"
	Put         Kind = "put"
	PutIfAbsent Kind = "put-if-absent"
	List        Kind = "list"
	Delete      Kind = "delete"
)

// Call is one call as it happened.
type Call struct {
	Kind Kind
	// Key is the key, or the prefix of List.
	Key string
	// Bytes is the size of the data that came in or went out; the number of entries for List.
	Bytes int
	// Result is "ok", "exists", or the error's text.
	Result string
}

// String is the call as one line of a transcript.
func (c Call) String() string {
	return strings.TrimRight(fmt.Sprintf("%-13s %s → %s", c.Kind, c.Key, c.Result), " ")
}

// Rule makes calls fail.
type Rule struct {
	// Kind is the verb that fails; empty means every verb.
	Kind Kind
	// Key is a part of the keys that fail; empty means every key.
	Key string
	// Skip is how many matching calls pass first.
	Skip int
	// Times is how many matching calls fail then; 0 means all from there on.
	Times int
	// Err is what the caller gets.
	Err error
	// Applied lets the call through to the bucket and loses only its answer.
	Applied bool
}

// Bucket is a blob.Bucket that fails by its rules. Sub-buckets share rules and calls.
type Bucket struct {
	inner  blob.Bucket
	prefix string
	state  *state
}

type state struct {
	mu    sync.Mutex
	rules []*armed
	calls []Call
}

type armed struct {
	Rule
	seen int
}

// New wraps inner, which the caller keeps owning until Close.
func New(inner blob.Bucket) *Bucket { return &Bucket{inner: inner, state: &state{}} }

// Fail adds a rule. The first rule that matches a call decides.
func (b *Bucket) Fail(r Rule) {
	b.state.mu.Lock()
	defer b.state.mu.Unlock()
	b.state.rules = append(b.state.rules, &armed{Rule: r})
}

// Heal drops all rules.
func (b *Bucket) Heal() {
	b.state.mu.Lock()
	defer b.state.mu.Unlock()
	b.state.rules = nil
}

// Calls gives the calls so far; the slice is the caller's.
func (b *Bucket) Calls() []Call {
	b.state.mu.Lock()
	defer b.state.mu.Unlock()
	return append([]Call(nil), b.state.calls...)
}

// Forget drops the calls so far.
func (b *Bucket) Forget() {
	b.state.mu.Lock()
	defer b.state.mu.Unlock()
	b.state.calls = nil
}

// Transcript is the calls so far, one a line.
func (b *Bucket) Transcript() string {
	var t strings.Builder
	for _, c := range b.Calls() {
		t.WriteString(c.String())
		t.WriteByte('\n')
	}
	return t.String()
}

// decide finds the rule for a call, if one fires.
func (s *state) decide(kind Kind, key string) *armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if r.Kind != "" && r.Kind != kind || !strings.Contains(key, r.Key) {
			continue
		}
		r.seen++
		if r.seen > r.Skip && (r.Times == 0 || r.seen <= r.Skip+r.Times) {
			return r
		}
	}
	return nil
}

// do runs one call under the rules and records it. call gives the size and the result of the real one.
func (b *Bucket) do(kind Kind, key string, call func() (int, string, error)) error {
	if b.prefix != "" {
		key = b.prefix + "/" + key
	}
	rule := b.state.decide(kind, key)
	var n int
	var err error
	result := "ok"
	if rule == nil || rule.Applied {
		n, result, err = call()
	}
	if rule != nil {
		err = rule.Err
	}
	if err != nil {
		result = err.Error()
		if rule != nil && rule.Applied {
			result += " (applied)"
		}
	}
	b.state.mu.Lock()
	defer b.state.mu.Unlock()
	b.state.calls = append(b.state.calls, Call{Kind: kind, Key: key, Bytes: n, Result: result})
	return err
}

// Get implements blob.Bucket.
func (b *Bucket) Get(ctx context.Context, key string) (data []byte, err error) {
	err = b.do(Get, key, func() (int, string, error) {
		data, err = b.inner.Get(ctx, key)
		return len(data), "ok", err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// GetRange implements blob.Bucket.
func (b *Bucket) GetRange(ctx context.Context, key string, off, n int64) (data []byte, err error) {
	err = b.do(GetRange, key, func() (int, string, error) {
		data, err = b.inner.GetRange(ctx, key, off, n)
		return len(data), "ok", err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Put implements blob.Bucket.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) error {
	return b.do(Put, key, func() (int, string, error) { return len(data), "ok", b.inner.Put(ctx, key, data) })
}

// PutIfAbsent implements blob.Bucket.
func (b *Bucket) PutIfAbsent(ctx context.Context, key string, data []byte) (created bool, err error) {
	err = b.do(PutIfAbsent, key, func() (int, string, error) {
		created, err = b.inner.PutIfAbsent(ctx, key, data)
		if !created {
			return len(data), "exists", err
		}
		return len(data), "ok", err
	})
	return created && err == nil, err
}

// List implements blob.Bucket.
func (b *Bucket) List(ctx context.Context, prefix string) (infos []blob.Info, err error) {
	err = b.do(List, prefix, func() (int, string, error) {
		infos, err = b.inner.List(ctx, prefix)
		return len(infos), "ok", err
	})
	if err != nil {
		return nil, err
	}
	return infos, nil
}

// Delete implements blob.Bucket.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	return b.do(Delete, key, func() (int, string, error) { return 0, "ok", b.inner.Delete(ctx, key) })
}

// Sub implements blob.Bucket.
func (b *Bucket) Sub(prefix string) blob.Bucket {
	return &Bucket{inner: b.inner.Sub(prefix), prefix: strings.Trim(b.prefix+"/"+strings.Trim(prefix, "/"), "/"), state: b.state}
}

// String implements blob.Bucket.
func (b *Bucket) String() string { return b.inner.String() }

// Local implements blob.Bucket.
func (b *Bucket) Local() (string, bool) { return b.inner.Local() }

// Close implements blob.Bucket.
func (b *Bucket) Close() error { return b.inner.Close() }
