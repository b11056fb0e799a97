package blob

import (
	"context"
	"errors"
	"io"
	"time"

	gcblob "gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// remote is an object store behind gocloud.dev/blob.
type remote struct {
	bucket *gcblob.Bucket
	// name is the bucket as people write it, for messages.
	name string
	// inspect tells what an error of this provider means.
	inspect func(err error) verdict
	// erase, if set, deletes an object in one request where gocloud needs two.
	erase func(ctx context.Context, key string) error
}

// tokenKey names the object metadata that tells a creator its own object.
const tokenKey = "wadi_creator"

// Limits of one try, so that a connection that hangs does not hold a call for ever.
const (
	tryTimeout    = time.Minute
	slowestBytes  = 256 << 10 // per second
	getTryTimeout = 5 * time.Minute
)

func putTimeout(size int) time.Duration {
	return tryTimeout + time.Duration(size/slowestBytes)*time.Second
}

func (r *remote) where(key string) string { return r.name + "/" + key }

func (r *remote) get(ctx context.Context, key string, off, n int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, getTryTimeout)
	defer cancel()
	rd, err := r.bucket.NewRangeReader(ctx, key, off, n, nil)
	if err != nil {
		if off > 0 && r.inspect(err) == pastEnd {
			return []byte{}, nil
		}
		return nil, r.fault(key, err)
	}
	defer rd.Close()
	data, err := io.ReadAll(rd)
	if err != nil {
		return nil, r.fault(key, err)
	}
	return data, nil
}

func (r *remote) put(ctx context.Context, key string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, putTimeout(len(data)))
	defer cancel()
	err := r.bucket.WriteAll(ctx, key, data, &gcblob.WriterOptions{ContentType: contentType})
	return r.fault(key, err)
}

const contentType = "application/octet-stream"

func (r *remote) create(ctx context.Context, key string, data []byte, token string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, putTimeout(len(data)))
	defer cancel()
	err := r.bucket.WriteAll(ctx, key, data, &gcblob.WriterOptions{
		ContentType: contentType,
		IfNotExist:  true,
		Metadata:    map[string]string{tokenKey: token},
	})
	if err == nil {
		return true, nil
	}
	if gcerrors.Code(err) != gcerrors.FailedPrecondition {
		return false, r.fault(key, err)
	}
	// The object exists. It may be ours: of an earlier try whose answer was lost, here or inside the provider's library.
	attrs, err := r.bucket.Attributes(ctx, key)
	if err != nil {
		if r.inspect(err) == absent {
			// Deleted since; whoever made it was the creator at that moment.
			return false, nil
		}
		return false, r.fault(key, err)
	}
	return attrs.Metadata[tokenKey] == token, nil
}

func (r *remote) list(ctx context.Context, prefix string) ([]Info, error) {
	ctx, cancel := context.WithTimeout(ctx, getTryTimeout)
	defer cancel()
	it := r.bucket.List(&gcblob.ListOptions{Prefix: prefix})
	var infos []Info
	for {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return infos, nil
		}
		if err != nil {
			return nil, r.fault(prefix, err)
		}
		if !o.IsDir && ValidKey(o.Key) == nil {
			infos = append(infos, Info{Key: o.Key, Size: o.Size, ModTime: o.ModTime})
		}
	}
}

func (r *remote) remove(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	erase := r.erase
	if erase == nil {
		erase = r.bucket.Delete
	}
	err := erase(ctx, key)
	if err != nil && r.inspect(err) == absent {
		return nil
	}
	return r.fault(key, err)
}

func (r *remote) dir() (string, bool) { return "", false }

func (r *remote) close() error { return r.bucket.Close() }
