package checkpoint

import "context"

// Manifest reads the manifest of one checkpoint, for a worker that is told to restore it.
func (s *Store) Manifest(ctx context.Context, gen, epoch uint64) (*Manifest, error) {
	return s.readManifest(ctx, epochRecord{Generation: gen, Epoch: epoch, Ref: manifestRef(gen, epoch)})
}
