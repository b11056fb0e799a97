package blob

import (
	"context"
	"os"
	"sync"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
)

// Opener opens buckets. The zero value is ready to use; it must not be copied after first use. mem:// buckets live in the
// Opener and are shared by name by everything that one Opener opens.
type Opener struct {
	// Clock times back-off; nil means the machine's.
	Clock clock.Clock
	// Retry bounds the retries; the zero value means DefaultRetry.
	Retry Retry
	// LookupEnv reads the variables that this package looks at itself; nil means the process's environment. The cloud
	// libraries read the rest of their variables from the process.
	LookupEnv func(name string) (string, bool)

	mu  sync.Mutex
	mem map[string]*memory
}

// Open opens a bucket with a new Opener. Every mem:// bucket so opened is a fresh, empty one.
func Open(ctx context.Context, url string) (Bucket, error) {
	return new(Opener).Open(ctx, url)
}

// Open parses url and opens its bucket. Nothing is created, neither a folder nor a bucket: that a local folder is
// writable or a remote bucket exists shows at first use. The caller closes the bucket.
func (o *Opener) Open(ctx context.Context, url string) (Bucket, error) {
	u, err := Parse(url)
	if err != nil {
		return nil, err
	}
	return o.OpenURL(ctx, u)
}

// OpenURL is Open for a parsed URL.
func (o *Opener) OpenURL(ctx context.Context, u URL) (Bucket, error) {
	clk, retry := o.Clock, o.Retry
	if clk == nil {
		clk = clock.System{}
	}
	if retry == (Retry{}) {
		retry = DefaultRetry
	}
	d, err := o.driver(ctx, u, clk)
	if err != nil {
		return nil, err
	}
	return &bucket{driver: d, root: true, url: u, prefix: u.Prefix, clock: clk, retry: retry}, nil
}

func (o *Opener) driver(ctx context.Context, u URL, clk clock.Clock) (driver, error) {
	switch u.Scheme {
	case SchemeFile:
		return &local{root: u.Dir}, nil
	case SchemeMem:
		o.mu.Lock()
		defer o.mu.Unlock()
		m := o.mem[u.Bucket]
		if m == nil {
			m = &memory{clock: clk, objects: map[string]memObject{}}
			if o.mem == nil {
				o.mem = map[string]*memory{}
			}
			o.mem[u.Bucket] = m
		}
		return m, nil
	case SchemeS3:
		return openS3(ctx, u, o.env())
	case SchemeGCS:
		return openGCS(ctx, u, o.env())
	case SchemeAzure:
		return openAzure(u, o.env())
	}
	return nil, fault.Internalf("storage URL with scheme %q", u.Scheme)
}

// env reads one variable; unset and empty are the same.
type env func(name string) string

func (o *Opener) env() env {
	lookup := o.LookupEnv
	if lookup == nil {
		lookup = os.LookupEnv
	}
	return func(name string) string {
		v, _ := lookup(name)
		return v
	}
}
