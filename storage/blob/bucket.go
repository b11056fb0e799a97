package blob

import (
	"context"
	"crypto/rand"
	"math"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
)

// driver is what a kind of store has to offer. Keys are whole and valid. Errors are faults already; those of kind
// Transient are tried again.
type driver interface {
	get(ctx context.Context, key string, off, n int64) ([]byte, error)
	put(ctx context.Context, key string, data []byte) error
	// create is PutIfAbsent. token is the same on every try of one call: an object that carries it was made by this call.
	create(ctx context.Context, key string, data []byte, token string) (bool, error)
	list(ctx context.Context, prefix string) ([]Info, error)
	remove(ctx context.Context, key string) error
	dir() (string, bool)
	close() error
}

// Retry bounds the tries of one call.
type Retry struct {
	// Attempts is the number of tries, the first included.
	Attempts int
	// Base is the wait after the first try; it doubles up to Cap. The last half of every wait is random.
	Base, Cap time.Duration
}

// DefaultRetry gives up after about fifteen seconds of waiting.
var DefaultRetry = Retry{Attempts: 9, Base: 100 * time.Millisecond, Cap: 5 * time.Second}

func (r Retry) wait(attempt int) time.Duration {
	d := float64(r.Base) * math.Pow(2, float64(attempt))
	d = min(d, float64(r.Cap))
	return time.Duration(d * (0.5 + 0.5*mathrand.Float64()))
}

// bucket puts validation, the prefix and retries before a driver.
type bucket struct {
	driver driver
	root   bool
	url    URL
	prefix string
	clock  clock.Clock
	retry  Retry
}

func (b *bucket) whole(key string) (string, error) {
	if err := ValidKey(key); err != nil {
		return "", err
	}
	if b.prefix == "" {
		return key, nil
	}
	key = b.prefix + "/" + key
	return key, ValidKey(key)
}

// try runs f until it succeeds, fails for good, or the tries are used up.
func (b *bucket) try(ctx context.Context, f func() error) error {
	for attempt := 0; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return canceled(err)
		}
		err := f()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return canceled(ctx.Err())
		}
		if fault.As(err).Kind != fault.Transient || attempt+1 >= b.retry.Attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return canceled(ctx.Err())
		case <-b.clock.After(b.retry.wait(attempt)):
		}
	}
}

func canceled(err error) error {
	return &fault.Error{Kind: fault.Transient, Code: fault.CodeCanceled, Message: "storage call given up", Err: err}
}

func (b *bucket) Get(ctx context.Context, key string) ([]byte, error) {
	return b.GetRange(ctx, key, 0, -1)
}

func (b *bucket) GetRange(ctx context.Context, key string, off, n int64) (data []byte, err error) {
	key, err = b.whole(key)
	if err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fault.Internalf("negative offset %d into %s", off, key)
	}
	err = b.try(ctx, func() error {
		data, err = b.driver.get(ctx, key, off, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

func (b *bucket) Put(ctx context.Context, key string, data []byte) error {
	key, err := b.whole(key)
	if err != nil {
		return err
	}
	return b.try(ctx, func() error { return b.driver.put(ctx, key, data) })
}

func (b *bucket) PutIfAbsent(ctx context.Context, key string, data []byte) (created bool, err error) {
	key, err = b.whole(key)
	if err != nil {
		return false, err
	}
	token := rand.Text()
	err = b.try(ctx, func() error {
		created, err = b.driver.create(ctx, key, data, token)
		return err
	})
	return created && err == nil, err
}

func (b *bucket) List(ctx context.Context, prefix string) (infos []Info, err error) {
	if err := validPrefix(prefix); err != nil {
		return nil, err
	}
	base := ""
	if b.prefix != "" {
		base = b.prefix + "/"
	}
	err = b.try(ctx, func() error {
		infos, err = b.driver.list(ctx, base+prefix)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range infos {
		infos[i].Key = strings.TrimPrefix(infos[i].Key, base)
	}
	return sortInfos(infos), nil
}

func (b *bucket) Delete(ctx context.Context, key string) error {
	key, err := b.whole(key)
	if err != nil {
		return err
	}
	return b.try(ctx, func() error { return b.driver.remove(ctx, key) })
}

func (b *bucket) Sub(prefix string) Bucket {
	sub := *b
	sub.root = false
	sub.prefix = strings.Trim(b.prefix+"/"+strings.Trim(prefix, "/"), "/")
	return &sub
}

func (b *bucket) String() string {
	u := b.url
	if u.Scheme == SchemeFile {
		if b.prefix != "" {
			u.Dir += "/" + b.prefix
		}
		return u.String()
	}
	u.Prefix = b.prefix
	return u.String()
}

func (b *bucket) Local() (string, bool) {
	if _, ok := b.driver.dir(); !ok {
		return "", false
	}
	return b.String(), true
}

func (b *bucket) Close() error {
	if !b.root {
		return nil
	}
	return b.driver.close()
}
