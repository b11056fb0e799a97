package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/storage/blob"
	"wadi/storage/blob/errblob"
	"wadi/storage/checkpoint"
)

// world is one job's store over a bucket that records its calls.
type world struct {
	*checkpoint.Store
	bucket *errblob.Bucket
	job    blob.Bucket
	clock  *clock.Virtual
	files  int
	// last is the newest manifest of each generation: what its workers build on.
	last map[uint64]*checkpoint.Manifest
}

func newWorld(t testing.TB) *world {
	inner, err := blob.Open(context.Background(), "mem://state")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{bucket: errblob.New(inner), clock: clock.NewVirtual(time.Unix(1000, 0)), last: map[uint64]*checkpoint.Manifest{}}
	w.job = inner.Sub("pl_1/job_1")
	w.Store = w.over(t, w.bucket)
	return w
}

// over opens the job's store over a bucket.
func (w *world) over(t testing.TB, b blob.Bucket) *checkpoint.Store {
	s, err := checkpoint.Open(b, "pl_1", "job_1", checkpoint.WithClock(w.clock), checkpoint.WithDeleters(1),
		checkpoint.WithUnique(func() string { w.files++; return fmt.Sprint("u", w.files) }))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// manifest is what generation gen would publish for epoch: the keyed table carries its files forward, a base file drops
// them; the global table is new each time.
func (w *world) manifest(ctx context.Context, gen, epoch uint64, base, commit bool) (checkpoint.Manifest, error) {
	m := checkpoint.Manifest{Generation: gen, Epoch: epoch, CreatedAtMicros: int64(epoch), HashSeedVersion: 1, ProgramHash: "abc"}
	var carried []checkpoint.File
	if p := w.last[gen]; p != nil {
		m.Parent = p.Ref()
		if !base {
			carried = p.Operators[0].Tables[0].Files
		}
	}
	op := checkpoint.Operator{ID: "agg", Parallelism: 1, NeedsCommit: commit, Subtasks: []checkpoint.Subtask{{Index: 0}}}
	for i, table := range []string{"panes", "offsets"} {
		f, err := w.WriteFile(ctx, checkpoint.FileName{Generation: gen, Epoch: epoch, Operator: "agg", Table: table}, fmt.Appendf(nil, "%s of %d/%d", table, gen, epoch))
		if err != nil {
			return m, err
		}
		t := checkpoint.Table{Name: table, Kind: []string{checkpoint.Keyed, checkpoint.Global}[i], Files: []checkpoint.File{f}}
		if i == 0 {
			t.Files = append(append([]checkpoint.File{}, carried...), f)
		}
		op.Tables = append(op.Tables, t)
	}
	m.Operators = []checkpoint.Operator{op}
	return m, nil
}

// checkpoint writes and publishes; the generation builds on it from then on.
func (w *world) checkpoint(ctx context.Context, gen, epoch uint64, base, commit bool) error {
	m, err := w.manifest(ctx, gen, epoch, base, commit)
	if err != nil {
		return err
	}
	if err := w.Publish(ctx, gen, m); err != nil {
		return err
	}
	w.last[gen] = &m
	return nil
}

func (w *world) start(ctx context.Context) (uint64, *checkpoint.Manifest, bool, []error, error) {
	gen, m, replay, warnings, err := w.StartGeneration(ctx)
	if err == nil && m != nil {
		w.last[gen] = m
	}
	return gen, m, replay, warnings, err
}

// verify reads every file of a manifest.
func (w *world) verify(ctx context.Context, m *checkpoint.Manifest) error {
	for _, o := range m.Operators {
		for _, t := range o.Tables {
			for _, f := range t.Files {
				if _, err := w.ReadFile(ctx, f); err != nil {
					return fmt.Errorf("epoch %d: %w", m.Epoch, err)
				}
			}
		}
	}
	return nil
}

func say(err error) string {
	if err == nil {
		return "ok\n"
	}
	f := fault.As(err)
	text := fmt.Sprintf("%s: %v\n", f.Code, f)
	if f.Hint != "" {
		text += "hint: " + f.Hint + "\n"
	}
	return text
}

func (w *world) sayStart(ctx context.Context) string {
	gen, m, replay, warnings, err := w.start(ctx)
	var b strings.Builder
	for _, warning := range warnings {
		b.WriteString("warning " + say(warning))
	}
	if err != nil {
		return b.String() + say(err)
	}
	fmt.Fprintf(&b, "generation %d ", gen)
	if m == nil {
		b.WriteString("begins anew\n")
		return b.String()
	}
	fmt.Fprintf(&b, "restores epoch %d of generation %d", m.Epoch, m.Generation)
	if replay {
		b.WriteString(" and replays its commits")
	}
	b.WriteByte('\n')
	if err := w.verify(ctx, m); err != nil {
		b.WriteString(say(err))
	}
	return b.String()
}

// TestTranscripts plays the files of testdata. With -rewrite it writes them.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		w := newWorld(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.bucket.Forget()
			out := w.play(t, d)
			if d.HasArg("calls") {
				out = strings.ReplaceAll(w.bucket.Transcript(), "pl_1/job_1/", "") + out
			}
			return out
		})
	})
}

func (w *world) play(t *testing.T, d *datadriven.TestData) string {
	ctx := context.Background()
	var gen, epoch uint64
	if d.HasArg("gen") {
		d.ScanArgs(t, "gen", &gen)
	}
	if d.HasArg("epoch") {
		d.ScanArgs(t, "epoch", &epoch)
	}
	switch d.Cmd {
	case "start":
		return w.sayStart(ctx)
	case "checkpoint":
		return say(w.checkpoint(ctx, gen, epoch, d.HasArg("base"), d.HasArg("commit")))
	case "abort":
		_, err := w.manifest(ctx, gen, epoch, false, false)
		return say(err)
	case "commit":
		return say(w.MarkCommitted(ctx, gen, epoch))
	case "check":
		return say(w.CheckCurrent(ctx, gen))
	case "collect":
		keep := 0
		d.ScanArgs(t, "keep", &keep)
		done, err := w.Collect(ctx, gen, keep)
		return fmt.Sprintf("%d epochs, %d objects\n", done.Epochs, done.Objects) + say(err)
	case "remove":
		done, err := w.Remove(ctx)
		w.last = map[uint64]*checkpoint.Manifest{}
		return fmt.Sprintf("%d epochs, %d objects\n", done.Epochs, done.Objects) + say(err)
	case "list":
		return w.sayList(ctx)
	default:
		return w.tamper(t, d)
	}
}

func (w *world) sayList(ctx context.Context) string {
	entries, err := w.List(ctx)
	if err != nil {
		return say(err)
	}
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "epoch %d of generation %d\n", e.Epoch, e.Generation)
	}
	next, err := w.NextEpoch(ctx)
	if err != nil {
		return say(err)
	}
	fmt.Fprintf(&b, "next epoch %d\n", next)
	return b.String()
}

// tamper plays what happens to the bucket from outside.
func (w *world) tamper(t *testing.T, d *datadriven.TestData) string {
	ctx := context.Background()
	var key string
	if d.HasArg("key") {
		d.ScanArgs(t, "key", &key)
	}
	switch d.Cmd {
	case "objects":
		infos, err := w.job.List(ctx, "")
		if err != nil {
			return say(err)
		}
		var b strings.Builder
		for _, i := range infos {
			b.WriteString(i.Key + "\n")
		}
		return b.String()
	case "damage":
		data, err := w.job.Get(ctx, key)
		if err != nil {
			return say(err)
		}
		data[len(data)/2] ^= 1
		return say(w.job.Put(ctx, key, data))
	case "delete":
		return say(w.job.Delete(ctx, key))
	case "put":
		return say(w.job.Put(ctx, key, []byte(d.Input)))
	case "fail":
		kind := ""
		if d.HasArg("kind") {
			d.ScanArgs(t, "kind", &kind)
		}
		w.bucket.Fail(errblob.Rule{Kind: errblob.Kind(kind), Key: key, Err: errors.New("the network is gone"), Applied: d.HasArg("applied")})
		return ""
	case "heal":
		w.bucket.Heal()
		return ""
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return ""
}
