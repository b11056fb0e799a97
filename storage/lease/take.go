package lease

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
)

// record is the content of lease/<token>.json.
type record struct {
	Version int    `json:"version"`
	Token   uint64 `json:"token"`
	Host    string `json:"host"`
	PID     int    `json:"pid"`
	// Place and Process tell machines and processes apart that have the same name and number.
	Place    string `json:"place,omitempty"`
	Process  string `json:"process,omitempty"`
	Run      string `json:"run"`
	Started  int64  `json:"started_at_micros"`
	Renewed  int64  `json:"renewed_at_micros"`
	Released bool   `json:"released"`
}

func (r record) holder() string { return fmt.Sprintf("host %s, pid %d", r.Host, r.PID) }

const prefix = "lease/"

func key(token uint64) string { return fmt.Sprintf("%s%020d.json", prefix, token) }

// list gives the tokens that exist, in growing order.
func list(ctx context.Context, b blob.Bucket) ([]uint64, error) {
	infos, err := b.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var tokens []uint64
	for _, i := range infos {
		digits := strings.TrimSuffix(strings.TrimPrefix(i.Key, prefix), ".json")
		if token, err := strconv.ParseUint(digits, 10, 64); err == nil && key(token) == i.Key {
			tokens = append(tokens, token)
		}
	}
	return tokens, nil
}

func read(ctx context.Context, b blob.Bucket, token uint64) (r record, err error) {
	data, err := b.Get(ctx, key(token))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Token != token {
		return r, fault.Userf(codeUnreadable, fault.Span{}, "%s/%s is damaged", b, key(token)).
			WithHint("if no other wadi runs on this state directory, take it over with --force")
	}
	return r, nil
}

const codeUnreadable fault.Code = "corrupt-lease"

func write(ctx context.Context, b blob.Bucket, r record) error {
	return b.Put(ctx, key(r.Token), r.encode())
}

func (r record) encode() []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers
	}
	return append(data, '\n')
}

// takeTries bounds how often take starts over because others are quicker.
const takeTries = 50

// take creates the next token if the newest one is free.
func take(ctx context.Context, b blob.Bucket, o Options) (mine record, replaced string, err error) {
	for range takeTries {
		tokens, err := list(ctx, b)
		if err != nil {
			return mine, "", err
		}
		var top uint64
		if len(tokens) > 0 {
			top = tokens[len(tokens)-1]
			replaced, err = free(ctx, b, o, top)
			if fault.Is(err, fault.CodeNotFound) {
				continue // a newer holder has cleaned up since the listing
			}
			if err != nil {
				return mine, "", err
			}
		}
		mine = o.record(top + 1)
		created, err := b.PutIfAbsent(ctx, key(mine.Token), mine.encode())
		if err != nil {
			return mine, "", err
		}
		if !created {
			continue
		}
		// A listing is no snapshot: where the old object went and the new one came while it ran, it shows neither, and the
		// token just taken may be an old one.
		now, err := list(ctx, b)
		if err != nil {
			return mine, "", err
		}
		if len(now) > 0 && now[len(now)-1] > mine.Token {
			_ = b.Delete(ctx, key(mine.Token))
			continue
		}
		sweep(ctx, b, tokens)
		return mine, replaced, nil
	}
	return mine, "", fault.Transientf(nil, "too many processes want the lease on %s", b).WithHint("start one at a time")
}

func (o Options) record(token uint64) record {
	now := o.Clock.Now().UnixMicro()
	process, _ := o.Machine.Process(o.PID)
	return record{Version: 1, Token: token, Host: o.Host, PID: o.PID, Place: o.Machine.Place(), Process: process, Run: rand.Text(), Started: now, Renewed: now}
}

// sweep deletes the objects of earlier holders but the last, so that a listing that runs meanwhile shows one that is old
// rather than none. What cannot be deleted is harmless, and goes with the next sweep.
func sweep(ctx context.Context, b blob.Bucket, tokens []uint64) {
	for _, t := range tokens[:max(0, len(tokens)-1)] {
		_ = b.Delete(ctx, key(t))
	}
}

// free returns nil when the lease with this token may be taken, with a description of the holder if it had not released
// it; otherwise a fault that says who holds it.
func free(ctx context.Context, b blob.Bucket, o Options, token uint64) (replaced string, err error) {
	r, err := read(ctx, b, token)
	if fault.Is(err, codeUnreadable) && o.Force {
		return "an unknown process", nil
	}
	if err != nil || r.Released {
		return "", err
	}
	if o.Force || o.dead(r) {
		return r.holder(), nil
	}
	if o.age(r.Renewed) <= o.TTL {
		return "", o.refuse(b, r)
	}
	if o.here(r) {
		return r.holder(), nil
	}
	// Another machine's clock wrote the time. A living holder renews within a third of the TTL.
	select {
	case <-ctx.Done():
		return "", &fault.Error{Kind: fault.Transient, Code: fault.CodeCanceled, Message: "gave up waiting for the lease on " + b.String(), Err: ctx.Err()}
	case <-o.Clock.After(o.TTL / 2):
	}
	later, err := read(ctx, b, token)
	switch {
	case err != nil:
		return "", err
	case later == r:
		return r.holder(), nil
	case later.Released:
		return "", nil
	}
	return "", o.refuse(b, later)
}

func (o Options) age(micros int64) time.Duration { return o.Clock.Now().Sub(time.UnixMicro(micros)) }

// here reports whether the holder is or was a process that this machine can see.
func (o Options) here(r record) bool { return r.Host == o.Host && r.Place == o.Machine.Place() }

func (o Options) dead(r record) bool {
	if !o.here(r) {
		return false
	}
	process, alive := o.Machine.Process(r.PID)
	return !alive || process != r.Process
}

func (o Options) refuse(b blob.Bucket, r record) error {
	age := func(micros int64) time.Duration { return max(0, o.age(micros)).Round(time.Second) }
	return fault.Userf(fault.CodeConflict, fault.Span{}, "%s is in use by %s, for %v; its lease was renewed %v ago", b, r.holder(), age(r.Started), age(r.Renewed)).
		WithHint("stop that process, choose another state directory, or take this one over with --force")
}
