package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
	"wadi/storage/blob/errblob"
	"wadi/storage/checkpoint"
)

type checkpointID struct{ gen, epoch uint64 }

func (a checkpointID) before(b checkpointID) bool {
	return a.gen < b.gen || a.gen == b.gen && a.epoch < b.epoch
}

// model runs several controllers of one job against one failing bucket.
type model struct {
	*world
	ctx context.Context
	// next is the next epoch of each generation that was started; generations never stop, so all but one are zombies.
	next map[uint64]uint64
	// started is the newest generation, acked the newest checkpoint whose publisher was told so.
	started uint64
	acked   checkpointID
	tried   map[checkpointID]bool
	// hook interrupts a Publish with what another controller does meanwhile.
	hook *hook
	// publishing is the interrupted generation: a generation publishes one checkpoint at a time.
	publishing uint64
}

func (m *model) anyGeneration(t *rapid.T) uint64 {
	var idle []uint64
	for _, gen := range slices.Sorted(maps.Keys(m.next)) {
		if gen != m.publishing {
			idle = append(idle, gen)
		}
	}
	if len(idle) == 0 {
		return 0
	}
	return rapid.SampledFrom(idle).Draw(t, "gen")
}

func (m *model) maybeFail(t *rapid.T) {
	if rapid.IntRange(0, 2).Draw(t, "fails") == 0 {
		m.bucket.Fail(errblob.Rule{Skip: rapid.IntRange(0, 14).Draw(t, "after"), Times: 1, Err: errCrash, Applied: rapid.Bool().Draw(t, "applied")})
	}
}

func (m *model) Start(t *rapid.T) {
	m.maybeFail(t)
	gen, restored, _, warnings, err := m.start(m.ctx)
	m.bucket.Heal()
	if err != nil {
		if !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		return
	}
	if gen <= m.started || len(warnings) > 0 {
		t.Fatalf("generation %d after %d, warnings %v", gen, m.started, warnings)
	}
	m.started = gen
	m.checkRestored(t, restored)
	next, err := m.NextEpoch(m.ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.next[gen] = next
	if restored != nil && restored.NeedsCommit() {
		if err := m.MarkCommitted(m.ctx, gen, restored.Epoch); err != nil {
			t.Fatal(err)
		}
	}
}

// checkRestored: never less than what was acknowledged, never something nobody published, and readable.
func (m *model) checkRestored(t *rapid.T, restored *checkpoint.Manifest) {
	if restored == nil {
		if m.acked != (checkpointID{}) {
			t.Fatalf("%v was acknowledged and is lost", m.acked)
		}
		return
	}
	id := checkpointID{restored.Generation, restored.Epoch}
	if id.before(m.acked) || !m.tried[id] {
		t.Fatalf("restored %v; acknowledged was %v", id, m.acked)
	}
	if err := m.verify(m.ctx, restored); err != nil {
		t.Fatal(err)
	}
}

func (m *model) Checkpoint(t *rapid.T) {
	gen := m.anyGeneration(t)
	if gen == 0 {
		return
	}
	epoch := m.next[gen]
	commit := rapid.Bool().Draw(t, "commit")
	man, err := m.manifest(m.ctx, gen, epoch, rapid.Bool().Draw(t, "base"), commit)
	if err != nil {
		t.Fatal(err)
	}
	m.next[gen]++
	m.tried[checkpointID{gen, epoch}] = true
	if m.publishing == 0 && rapid.Bool().Draw(t, "interrupted") {
		m.hook.left = rapid.IntRange(0, 9).Draw(t, "before call")
		m.hook.run = func() {
			m.publishing = gen
			defer func() { m.publishing = 0 }()
			m.Start(t)
			for range rapid.IntRange(0, 2).Draw(t, "others") {
				m.Checkpoint(t)
			}
		}
	} else {
		m.maybeFail(t)
	}
	err = m.Publish(m.ctx, gen, man)
	m.bucket.Heal()
	if m.publishing == 0 {
		m.hook.left = -1
	}
	switch {
	case err == nil:
		if gen != m.started {
			t.Fatalf("zombie %d was told that epoch %d is durable; generation %d runs", gen, epoch, m.started)
		}
		m.acked = checkpointID{gen, epoch}
		m.last[gen] = &man
		if commit {
			if err := m.MarkCommitted(m.ctx, gen, epoch); err != nil {
				t.Fatal(err)
			}
		}
	case errors.Is(err, errCrash), fault.Is(err, fault.CodeStaleRun):
		// Not known to be durable: this generation stops, as its contract says.
		delete(m.next, gen)
	default:
		t.Fatal(err)
	}
}

func (m *model) Abort(t *rapid.T) {
	gen := m.anyGeneration(t)
	if gen == 0 {
		return
	}
	if _, err := m.manifest(m.ctx, gen, m.next[gen], false, false); err != nil {
		t.Fatal(err)
	}
	m.next[gen]++
}

func (m *model) Garbage(t *rapid.T) {
	gen := m.anyGeneration(t)
	if gen == 0 {
		return
	}
	m.maybeFail(t)
	_, err := m.Collect(m.ctx, gen, rapid.IntRange(1, 4).Draw(t, "keep"))
	m.bucket.Heal()
	if err != nil && !errors.Is(err, errCrash) && !fault.Is(err, fault.CodeStaleRun) {
		t.Fatal(err)
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{world: newWorld(t), ctx: context.Background(), next: map[uint64]uint64{}, tried: map[checkpointID]bool{}, hook: &hook{left: -1}}
		m.Store = m.over(t, hooked{m.bucket, m.hook})
		rt.Repeat(map[string]func(*rapid.T){
			"start":      m.Start,
			"checkpoint": m.Checkpoint,
			"more":       m.Checkpoint,
			"abort":      m.Abort,
			"collect":    m.Garbage,
		})
	})
}

// TestGenerationsAreUnique races real controllers on a real disk.
func TestGenerationsAreUnique(t *testing.T) {
	b, err := blob.Open(t.Context(), t.TempDir()+"/state")
	check(t, err)
	var mu sync.Mutex
	owners := map[uint64]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := checkpoint.Open(b, "pl_1", "job_1")
			if err != nil {
				t.Error(err)
				return
			}
			for range 5 {
				gen, _, _, _, err := s.StartGeneration(context.Background())
				if fault.Is(err, fault.CodeStaleRun) {
					continue
				}
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				owners[gen]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for gen, n := range owners {
		if n != 1 {
			t.Errorf("generation %d has %d owners", gen, n)
		}
	}
}

// TestPublishRaces lets two generations publish the same epochs at the same time: at most one is told yes.
func TestPublishRaces(t *testing.T) {
	b, err := blob.Open(t.Context(), t.TempDir())
	check(t, err)
	s, err := checkpoint.Open(b, "pl_1", "job_1")
	check(t, err)
	for round := range 30 {
		old, _, _, _, err := s.StartGeneration(t.Context())
		check(t, err)
		epoch, err := s.NextEpoch(t.Context())
		check(t, err)
		var all sync.WaitGroup
		var oldErr, newErr error
		var seen *checkpoint.Manifest
		all.Go(func() {
			oldErr = s.Publish(context.Background(), old, checkpoint.Manifest{Generation: old, Epoch: epoch})
		})
		all.Go(func() {
			var gen uint64
			gen, seen, _, _, newErr = s.StartGeneration(context.Background())
			if newErr == nil {
				newErr = s.Publish(context.Background(), gen, checkpoint.Manifest{Generation: gen, Epoch: epoch})
			}
		})
		all.Wait()
		if oldErr == nil && (seen == nil || seen.Epoch != epoch || newErr == nil) {
			t.Fatalf("round %d: epoch %d was acknowledged, the next generation saw %v, %v", round, epoch, seen, newErr)
		}
	}
}

func TestFilesAreVerified(t *testing.T) {
	w := newWorld(t)
	f, err := w.WriteFile(t.Context(), checkpoint.FileName{Generation: 3, Epoch: 7, Operator: "a/b ü", Table: "../t", Subtask: 12, Unique: "x"}, []byte("rows"))
	check(t, err)
	want := checkpoint.File{Ref: "generations/3/checkpoints/checkpoint-0000007/operator-a%2Fb%20%C3%BC/table-..%2Ft-012-x", Subtask: 12, Bytes: 4, Epoch: 7, CRC32C: f.CRC32C}
	if f != want {
		t.Errorf("%+v", f)
	}
	data, err := w.ReadFile(t.Context(), f)
	if err != nil || string(data) != "rows" {
		t.Errorf("%q, %v", data, err)
	}
	bad := func(what string, change func(f *checkpoint.File), content string) {
		g := f
		change(&g)
		check(t, w.job.Put(t.Context(), f.Ref, []byte(content)))
		_, err := w.ReadFile(t.Context(), g)
		if !fault.Is(err, checkpoint.CodeCorrupt) {
			t.Errorf("%s: %v", what, err)
		}
	}
	bad("flipped", func(*checkpoint.File) {}, "rowz")
	bad("cut", func(*checkpoint.File) {}, "row")
	bad("missing", func(f *checkpoint.File) { f.Ref += "y" }, "rows")
	bad("outside", func(f *checkpoint.File) { f.Ref = "generations/../../secret" }, "rows")
	empty, err := w.WriteFile(t.Context(), checkpoint.FileName{Generation: 1, Epoch: 1, Operator: "o", Table: "t"}, nil)
	check(t, err)
	if data, err := w.ReadFile(t.Context(), empty); err != nil || len(data) != 0 {
		t.Errorf("%q, %v", data, err)
	}
}

func TestPublishRefusesWhatNoRestoreCouldUse(t *testing.T) {
	op := func(o checkpoint.Operator) checkpoint.Manifest {
		return checkpoint.Manifest{Generation: 1, Epoch: 1, Operators: []checkpoint.Operator{o}}
	}
	good := checkpoint.File{Ref: "generations/1/checkpoints/checkpoint-0000001/operator-a/table-t-000-u"}
	table := func(f checkpoint.File) checkpoint.Manifest {
		return op(checkpoint.Operator{ID: "a", Parallelism: 1, Tables: []checkpoint.Table{{Name: "t", Kind: "keyed", Files: []checkpoint.File{f}}}})
	}
	for name, m := range map[string]checkpoint.Manifest{
		"epoch 0":          {Generation: 1},
		"other generation": {Generation: 2, Epoch: 1},
		"parent":           {Generation: 1, Epoch: 2, Parent: "x"},
		"later parent":     {Generation: 1, Epoch: 2, Parent: "generations/1/checkpoints/checkpoint-0000002/manifest.json"},
		"parent not there": {Generation: 1, Epoch: 2, Parent: "generations/1/checkpoints/checkpoint-0000001/manifest.json"},
		"no operator id":   op(checkpoint.Operator{Parallelism: 1}),
		"parallelism":      op(checkpoint.Operator{ID: "a"}),
		"subtask range":    op(checkpoint.Operator{ID: "a", Parallelism: 1, Subtasks: []checkpoint.Subtask{{Index: 1}}}),
		"subtask twice":    op(checkpoint.Operator{ID: "a", Parallelism: 2, Subtasks: []checkpoint.Subtask{{}, {}}}),
		"table kind":       op(checkpoint.Operator{ID: "a", Parallelism: 1, Tables: []checkpoint.Table{{Name: "t"}}}),
		"file ref":         table(checkpoint.File{Ref: "generations/1/../x"}),
		"file epoch":       table(checkpoint.File{Ref: good.Ref, Epoch: 2}),
		"file hashes":      table(checkpoint.File{Ref: good.Ref, Rows: 1, MinHash: 2, MaxHash: 1}),
	} {
		w := newWorld(t)
		_, _, _, _, err := w.start(t.Context())
		check(t, err)
		if err := w.Publish(t.Context(), 1, m); fault.As(err) == nil || fault.As(err).Kind != fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
		infos, err := w.job.List(t.Context(), "epochs/")
		if err != nil || len(infos) > 0 {
			t.Errorf("%s: left %v, %v", name, infos, err)
		}
	}
	if _, err := checkpoint.Open(newWorld(t).bucket, "a/b", "c"); err == nil {
		t.Error("a pipeline id with a slash is taken")
	}
}

func TestLongEpochsSort(t *testing.T) {
	w := newWorld(t)
	_, _, _, _, err := w.start(t.Context())
	check(t, err)
	for _, epoch := range []uint64{9_999_998, 9_999_999, 10_000_000, 10_000_001} {
		check(t, w.checkpoint(t.Context(), 1, epoch, false, false))
	}
	m, err := w.Latest(t.Context())
	if err != nil || m.Epoch != 10_000_001 {
		t.Fatal(m, err)
	}
	if _, err := w.Collect(t.Context(), 1, 2); err != nil {
		t.Fatal(err)
	}
	entries, err := w.List(t.Context())
	if err != nil || fmt.Sprint(len(entries), entries[0].Epoch) != "2 10000000" {
		t.Fatal(entries, err)
	}
}
