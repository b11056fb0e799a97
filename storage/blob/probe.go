package blob

import (
	"bytes"
	"context"
	"crypto/rand"

	"wadi/dataflow/fault"
)

// ProbeConditionalPut finds out whether b's server honours the condition of PutIfAbsent, on which the checkpoint
// protocol stands; some S3-compatible servers accept it and overwrite. It writes, rereads and deletes one small object
// under "probe/". Local folders need no probe and get none. Call it once per state directory and process.
func ProbeConditionalPut(ctx context.Context, b Bucket) error {
	if _, ok := b.Local(); ok {
		return nil
	}
	key := "probe/" + rand.Text()
	first, second := []byte("first"), []byte("second")
	created, err := b.PutIfAbsent(ctx, key, first)
	if err != nil {
		return err
	}
	again, err := b.PutIfAbsent(ctx, key, second)
	if err != nil {
		_ = b.Delete(ctx, key)
		return err
	}
	got, err := b.Get(ctx, key)
	if err != nil {
		return err
	}
	if err := b.Delete(ctx, key); err != nil {
		return err
	}
	if !created || again || !bytes.Equal(got, first) {
		return fault.Userf(CodeUnsafeStore, fault.Span{}, "%s overwrites objects that it was asked to create only if absent", b).
			WithHint("checkpoints need conditional writes (If-None-Match); use a newer version of this object store, another one, or a local path")
	}
	return nil
}
