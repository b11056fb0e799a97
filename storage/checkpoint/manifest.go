package checkpoint

import (
	"fmt"
	"regexp"

	"wadi/dataflow/fault"
)

// FormatVersion is the version of every JSON object that this package writes.
const FormatVersion = 1

// Kinds of tables.
const (
	Global = "global"
	Keyed  = "keyed"
)

// Manifest describes one checkpoint completely.
type Manifest struct {
	Version    int    `json:"version"`
	PipelineID string `json:"pipeline_id"`
	JobID      string `json:"job_id"`
	Generation uint64 `json:"generation"`
	Epoch      uint64 `json:"epoch"`
	// Parent is the reference of the checkpoint before this one, empty for a job's first.
	Parent          string `json:"parent,omitempty"`
	CreatedAtMicros int64  `json:"created_at_micros"`
	// Stopping marks the checkpoint of a stop; Final that of the end of input, after which the job is finished.
	Stopping bool `json:"stopping,omitempty"`
	Final    bool `json:"final,omitempty"`
	// HashSeedVersion is the version of the routing hash that shards keyed tables.
	HashSeedVersion int    `json:"hash_seed_version"`
	ProgramHash     string `json:"program_hash"`

	Operators []Operator `json:"operators"`
}

// Operator is the state of one operator.
type Operator struct {
	ID          string `json:"id"`
	Parallelism int    `json:"parallelism"`
	// NeedsCommit says that the operator's commit data has to be committed after this checkpoint became durable.
	NeedsCommit bool      `json:"needs_commit,omitempty"`
	Subtasks    []Subtask `json:"subtasks"`
	Tables      []Table   `json:"tables,omitempty"`
}

// Subtask is one subtask's part in a checkpoint.
type Subtask struct {
	Index int `json:"index"`
	// WatermarkNanos is nil when the subtask had no watermark.
	WatermarkNanos *int64 `json:"watermark_nanos,omitempty"`
	StartMicros    int64  `json:"start_micros"`
	FinishMicros   int64  `json:"finish_micros"`
	Bytes          int64  `json:"bytes"`
	// CommitData is what the sink needs to commit, by a key of its choice.
	CommitData map[string][]byte `json:"commit_data,omitempty"`
}

// Table is a named part of an operator's state.
type Table struct {
	Name string `json:"name"`
	// Kind is Global or Keyed.
	Kind  string `json:"kind"`
	Files []File `json:"files"`
}

// File is one table file, written in this checkpoint or carried forward from an earlier one.
type File struct {
	Ref          string `json:"ref"`
	Subtask      int    `json:"subtask"`
	Rows         int64  `json:"rows"`
	Bytes        int64  `json:"bytes"`
	MinHash      uint64 `json:"min_hash"`
	MaxHash      uint64 `json:"max_hash"`
	MinTimeNanos int64  `json:"min_time_nanos"`
	MaxTimeNanos int64  `json:"max_time_nanos"`
	// Base says that the file replaces all earlier files of its subtask.
	Base bool `json:"base,omitempty"`
	// Epoch is the checkpoint that wrote the file.
	Epoch  uint64 `json:"epoch"`
	CRC32C uint32 `json:"crc32c"`
}

// Ref is the reference of the manifest, for the Parent of the next one.
func (m *Manifest) Ref() string { return manifestRef(m.Generation, m.Epoch) }

// NeedsCommit reports whether any operator has something to commit.
func (m *Manifest) NeedsCommit() bool {
	for i := range m.Operators {
		if m.Operators[i].NeedsCommit {
			return true
		}
	}
	return false
}

// Bytes is the size of all table files of the manifest.
func (m *Manifest) Bytes() int64 {
	var n int64
	for f := range m.files() {
		n += f.Bytes
	}
	return n
}

func (m *Manifest) files() func(yield func(*File) bool) {
	return func(yield func(*File) bool) {
		for i := range m.Operators {
			for j := range m.Operators[i].Tables {
				files := m.Operators[i].Tables[j].Files
				for k := range files {
					if !yield(&files[k]) {
						return
					}
				}
			}
		}
	}
}

// manifestForm and fileForm are the only references that a manifest may hold.
var (
	manifestForm = regexp.MustCompile(`^generations/([1-9][0-9]{0,18})/checkpoints/checkpoint-([0-9]{7,19})/manifest\.json$`)
	fileForm     = regexp.MustCompile(`^generations/[1-9][0-9]{0,18}/checkpoints/checkpoint-[0-9]{7,19}/operator-[0-9A-Za-z_.%-]+/table-[0-9A-Za-z_.%-]+$`)
)

// validate finds what would make a manifest useless to a restore.
func (m *Manifest) validate() error {
	if m.Epoch == 0 || m.Generation == 0 {
		return fmt.Errorf("generation %d, epoch %d: both begin at 1", m.Generation, m.Epoch)
	}
	if m.Parent != "" {
		_, parent, ok := parseManifestRef(m.Parent)
		if !ok || parent >= m.Epoch {
			return fmt.Errorf("epoch %d cannot have the parent %q", m.Epoch, m.Parent)
		}
	}
	seen := map[string]bool{}
	for i := range m.Operators {
		op := &m.Operators[i]
		if op.ID == "" || seen[op.ID] {
			return fmt.Errorf("operator id %q is empty or there twice", op.ID)
		}
		seen[op.ID] = true
		if err := op.validate(m.Epoch); err != nil {
			return fmt.Errorf("operator %s: %w", op.ID, err)
		}
	}
	return nil
}

func (o *Operator) validate(epoch uint64) error {
	if o.Parallelism < 1 {
		return fmt.Errorf("parallelism %d", o.Parallelism)
	}
	subtasks := map[int]bool{}
	for _, s := range o.Subtasks {
		if s.Index < 0 || s.Index >= o.Parallelism || subtasks[s.Index] {
			return fmt.Errorf("subtask %d of %d is there twice or out of range", s.Index, o.Parallelism)
		}
		subtasks[s.Index] = true
	}
	tables := map[string]bool{}
	for _, t := range o.Tables {
		if t.Name == "" || tables[t.Name] {
			return fmt.Errorf("table name %q is empty or there twice", t.Name)
		}
		tables[t.Name] = true
		if t.Kind != Global && t.Kind != Keyed {
			return fmt.Errorf("table %s: kind %q", t.Name, t.Kind)
		}
		for _, f := range t.Files {
			if err := f.validate(epoch); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
	}
	return nil
}

func (f *File) validate(epoch uint64) error {
	switch {
	case len(f.Ref) > 1024 || !fileForm.MatchString(f.Ref):
		return fmt.Errorf("file reference %.200q", f.Ref)
	case f.Rows < 0 || f.Bytes < 0 || f.Subtask < 0:
		return fmt.Errorf("file %s: a count is negative", f.Ref)
	case f.Rows > 0 && (f.MinHash > f.MaxHash || f.MinTimeNanos > f.MaxTimeNanos):
		return fmt.Errorf("file %s: a minimum is above its maximum", f.Ref)
	case f.Epoch > epoch:
		return fmt.Errorf("file %s: written in epoch %d, after %d", f.Ref, f.Epoch, epoch)
	}
	return nil
}

// Codes of this package's faults, beside fault.CodeStaleRun and fault.CodeConflict.
const (
	// CodeCorrupt is an object that is there, but is not what was written.
	CodeCorrupt fault.Code = "corrupt-checkpoint"
	// CodeNewer is an object of a later format version.
	CodeNewer fault.Code = "newer-checkpoint-format"
	// CodeGone is a job whose objects were removed while it ran.
	CodeGone fault.Code = "checkpoints-removed"
)
