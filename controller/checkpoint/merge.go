package checkpoint

import (
	"cmp"
	"slices"
	"time"

	"wadi/dataflow/column"
	manifest "wadi/storage/checkpoint"
)

// merge makes the manifest of the epoch in flight from the last one and what the tasks wrote since.
func (c *Coordinator) merge(now time.Time) manifest.Manifest {
	m := manifest.Manifest{
		Generation: c.run.Generation, Epoch: c.epoch, CreatedAtMicros: now.UnixMicro(), Stopping: c.thenStop, Final: c.final,
		HashSeedVersion: column.HashVersion, ProgramHash: c.run.ProgramHash,
	}
	before := map[string][]manifest.Table{}
	if c.last != nil {
		m.Parent = c.last.Ref()
		for _, op := range c.last.Operators {
			before[op.ID] = op.Tables
		}
	}
	var tasks []Task
	for i, t := range c.run.Tasks {
		tasks = append(tasks, t.Task)
		if i+1 == len(c.run.Tasks) || c.run.Tasks[i+1].Operator != t.Operator {
			m.Operators = append(m.Operators, mergeOperator(tasks, before[t.Operator], c.open))
			tasks = nil
		}
	}
	return m
}

// mergeOperator merges one operator, whose tasks these are, over the epochs since the last durable one.
func mergeOperator(tasks []Task, before []manifest.Table, open []*collection) manifest.Operator {
	op := manifest.Operator{ID: tasks[0].Operator, Parallelism: len(tasks)}
	tables := map[string]*manifest.Table{}
	for _, t := range before {
		if t.Kind == manifest.Keyed {
			tables[t.Name] = &manifest.Table{Name: t.Name, Kind: t.Kind, Files: slices.Clone(t.Files)}
		}
	}
	for _, o := range open {
		addFiles(tables, tasks, o)
	}
	newest := open[len(open)-1]
	for _, t := range tasks {
		s := newest.acks[t]
		var commit [][]byte
		for _, o := range open {
			earlier := o.acks[t]
			commit = append(commit, earlier.Commit...)
			op.NeedsCommit = op.NeedsCommit || earlier.NeedsCommit || len(earlier.Commit) > 0
		}
		op.Subtasks = append(op.Subtasks, manifest.Subtask{
			Index: t.Index, WatermarkNanos: s.Watermark, StartMicros: s.StartMicros, FinishMicros: s.FinishMicros, Bytes: s.Bytes,
			CommitData: commitData(commit),
		})
	}
	for _, t := range tables {
		if t.Kind == manifest.Keyed {
			t.Files = withoutReplaced(t.Files)
			t.Files = withoutExpired(t.Files, expiry(t.Name, tasks, newest))
		}
		if len(t.Files) > 0 {
			op.Tables = append(op.Tables, *t)
		}
	}
	slices.SortFunc(op.Tables, func(a, b manifest.Table) int { return cmp.Compare(a.Name, b.Name) })
	return op
}

// addFiles puts the files of one epoch behind those that are there. Global tables begin anew at every epoch.
func addFiles(tables map[string]*manifest.Table, tasks []Task, o *collection) {
	for name, t := range tables {
		if t.Kind == manifest.Global {
			delete(tables, name)
		}
	}
	for _, task := range tasks {
		for _, t := range o.acks[task].Tables {
			into := tables[t.Name]
			if into == nil || into.Kind != t.Kind {
				into = &manifest.Table{Name: t.Name, Kind: t.Kind}
				tables[t.Name] = into
			}
			for _, f := range t.Files {
				f.Subtask, f.Epoch, f.Base = task.Index, o.epoch, t.Base
				into.Files = append(into.Files, f)
			}
		}
	}
}

func hashes(f manifest.File) column.KeyRange {
	return column.KeyRange{First: f.MinHash, Last: f.MaxHash}
}

// withoutReplaced drops the files whose whole range of hashes newer base files stand for. After a change of parallelism a
// file of an old subtask stays until all new subtasks that share its range have written a base.
func withoutReplaced(files []manifest.File) []manifest.File {
	var bases []manifest.File
	for _, f := range files {
		if f.Base {
			bases = append(bases, f)
		}
	}
	slices.SortStableFunc(bases, func(a, b manifest.File) int { return cmp.Compare(a.MinHash, b.MinHash) })
	return slices.DeleteFunc(files, func(f manifest.File) bool {
		at := f.MinHash // everything below is covered
		for _, b := range bases {
			if b.Epoch <= f.Epoch || b.MinHash > at || b.MaxHash < at {
				continue
			}
			if b.MaxHash >= f.MaxHash {
				return true
			}
			at = b.MaxHash + 1
		}
		return false
	})
}

// expiry gives for each task the time below which it needs no rows of a table; a task that did not say needs all.
func expiry(table string, tasks []Task, o *collection) []*int64 {
	out := make([]*int64, len(tasks))
	for i, task := range tasks {
		for _, t := range o.acks[task].Tables {
			if t.Name == table {
				out[i] = t.ExpireBelow
			}
		}
	}
	return out
}

// withoutExpired drops the files that no task needs: every owner of a part of its range has let go of its times. A base
// file stays as long as it hides rows of an older file.
func withoutExpired(files []manifest.File, below []*int64) []manifest.File {
	slices.SortStableFunc(files, func(a, b manifest.File) int { return cmp.Compare(a.Epoch, b.Epoch) })
	var kept []manifest.File
	for _, f := range files {
		hides := func(older manifest.File) bool {
			return f.Base && older.Epoch < f.Epoch && hashes(older).Overlaps(hashes(f))
		}
		if !expired(f, below) || slices.ContainsFunc(kept, hides) {
			kept = append(kept, f)
		}
	}
	return kept
}

func expired(f manifest.File, below []*int64) bool {
	if f.Rows == 0 {
		return true
	}
	for i, t := range below {
		if column.Range(i, len(below)).Overlaps(hashes(f)) && (t == nil || f.MaxTimeNanos >= *t) {
			return false
		}
	}
	return true
}
