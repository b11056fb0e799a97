package checkpoint

import (
	"context"
	"sort"
	"sync"

	"wadi/storage/blob"
)

// keptClaims is how many of the newest generations keep their manifests, which are a few hundred bytes each. They are
// what a long-paused controller of an old generation runs into.
const keptClaims = 64

// Collected is what one Collect deleted.
type Collected struct {
	// Epochs counts epoch records; Objects everything, records included; Bytes is their size.
	Epochs, Objects int
	Bytes           int64
}

// Collect deletes what the newest keep checkpoints (at least two) do not need: older checkpoints, aborted ones, leftovers
// of earlier generations. Two, because the newest may be one whose publisher is just being replaced: the generation that
// replaces it may not have seen it, and restores from the one before. It does nothing before gen has published a checkpoint of its own, and touches nothing of the
// epoch that gen is writing. An unreadable manifest among the kept ones is an error, and nothing is deleted: what it
// references is not known.
func (s *Store) Collect(ctx context.Context, gen uint64, keep int) (Collected, error) {
	var done Collected
	if err := s.CheckCurrent(ctx, gen); err != nil {
		return done, err
	}
	h, err := s.history(ctx)
	if err != nil || len(h.records) == 0 || h.records[0].Generation != gen {
		return done, err
	}
	kept := h.chain(max(2, keep))
	protected := map[string]bool{}
	for _, r := range kept {
		m, err := s.readManifest(ctx, r)
		if err != nil {
			return done, err
		}
		protected[recordKey(r.Epoch)] = true
		protected[r.Ref] = true
		protected[committedKey(r.Generation, r.Epoch)] = true
		for f := range m.files() {
			protected[f.Ref] = true
		}
	}
	objects, err := s.bucket.List(ctx, "")
	if err != nil {
		return done, err
	}
	g := classify(objects, protected, gen, kept[0].Epoch)
	return s.deleteAll(ctx, g)
}

// garbage is what to delete, in the order of its fields.
type garbage struct {
	records, data, manifests, claims []object
}

type object struct {
	blob.Info
	generation, epoch uint64
}

// classify sorts a job's objects into those to delete and those to leave. newest is the newest durable epoch of gen.
func classify(objects []blob.Info, protected map[string]bool, gen, newest uint64) garbage {
	var g garbage
	for _, i := range objects {
		if protected[i.Key] {
			continue
		}
		if epoch, ok := parseRecordKey(i.Key); ok {
			if epoch < newest {
				g.records = append(g.records, object{i, 0, epoch})
			}
			continue
		}
		p, og, oe := parseGenerationKey(i.Key)
		o := object{i, og, oe}
		switch {
		case p == foreign, og > gen, og == gen && oe > newest:
			// Not ours, of a successor, or being written.
		case p == claimPart:
			if og+keptClaims < gen {
				g.claims = append(g.claims, o)
			}
		case p == manifestPart:
			g.manifests = append(g.manifests, o)
		default:
			g.data = append(g.data, o)
		}
	}
	for _, list := range [][]object{g.records, g.data, g.manifests, g.claims} {
		sort.SliceStable(list, func(i, j int) bool {
			a, b := list[i], list[j]
			return a.epoch < b.epoch || a.epoch == b.epoch && a.generation < b.generation
		})
	}
	return g
}

func (s *Store) deleteAll(ctx context.Context, g garbage) (Collected, error) {
	var done Collected
	var mu sync.Mutex
	one := func(o object) error {
		if err := s.bucket.Delete(ctx, o.Key); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		done.Objects++
		done.Bytes += o.Size
		return nil
	}
	for _, o := range g.records {
		if err := one(o); err != nil {
			return done, err
		}
		done.Epochs++
	}
	if err := s.each(g.data, one); err != nil {
		return done, err
	}
	for _, o := range append(g.manifests, g.claims...) {
		if err := one(o); err != nil {
			return done, err
		}
	}
	return done, nil
}

// each runs f on every object, several at a time, and gives the first error after all have ended.
func (s *Store) each(objects []object, f func(object) error) error {
	var all sync.WaitGroup
	var once sync.Once
	var first error
	slots := make(chan struct{}, s.deleters)
	for _, o := range objects {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := f(o); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	all.Wait()
	return first
}

// Remove deletes everything of the job: its epoch records first, so that nothing restores from what is half removed, and
// current-generation.json last. The job must not be running.
func (s *Store) Remove(ctx context.Context) (Collected, error) {
	objects, err := s.bucket.List(ctx, "")
	if err != nil {
		return Collected{}, err
	}
	var g garbage
	for _, i := range objects {
		epoch, isRecord := parseRecordKey(i.Key)
		p, og, oe := parseGenerationKey(i.Key)
		switch {
		case isRecord:
			g.records = append(g.records, object{i, 0, epoch})
		case i.Key == currentKey, p == claimPart:
			g.claims = append([]object{{i, og, oe}}, g.claims...)
		case p == manifestPart:
			g.manifests = append(g.manifests, object{i, og, oe})
		default:
			g.data = append(g.data, object{i, og, oe})
		}
	}
	return s.deleteAll(ctx, g)
}
