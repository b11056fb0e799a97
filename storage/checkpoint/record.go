package checkpoint

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"

	"wadi/dataflow/fault"
)

// castagnoli is the polynomial of every checksum here; processors have an instruction for it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) uint32 { return crc32.Checksum(data, castagnoli) }

// owner begins the body of every record.
type owner struct {
	PipelineID string `json:"pipeline_id"`
	JobID      string `json:"job_id"`
}

type currentRecord struct {
	owner
	Generation    uint64 `json:"generation"`
	ManifestRef   string `json:"generation_manifest_ref"`
	UpdatedMicros int64  `json:"updated_at_micros"`
}

type claimRecord struct {
	owner
	Generation    uint64 `json:"generation"`
	StartedMicros int64  `json:"started_at_micros"`
}

// epochRecord makes one checkpoint durable.
type epochRecord struct {
	owner
	Epoch         uint64 `json:"epoch"`
	Generation    uint64 `json:"generation"`
	Parent        string `json:"parent_checkpoint_ref,omitempty"`
	Ref           string `json:"checkpoint_ref"`
	NeedsCommit   bool   `json:"needs_commit,omitempty"`
	CreatedMicros int64  `json:"created_at_micros"`
}

type committedRecord struct {
	owner
	Epoch           uint64 `json:"epoch"`
	Generation      uint64 `json:"checkpoint_generation"`
	Writer          uint64 `json:"writer_generation"`
	Ref             string `json:"checkpoint_ref"`
	CommittedMicros int64  `json:"committed_at_micros"`
}

type envelope struct {
	Version int             `json:"version"`
	CRC32C  string          `json:"crc32c"`
	Body    json.RawMessage `json:"body"`
}

// encode wraps body with version and checksum. Equal bodies give equal bytes.
func encode(body any) ([]byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fault.Internalf("checkpoint record: %v", err)
	}
	return fmt.Appendf(nil, "{\"version\":%d,\"crc32c\":\"%08x\",\"body\":%s}\n", FormatVersion, checksum(raw), raw), nil
}

func corrupt(key, format string, args ...any) *fault.Error {
	return fault.Userf(CodeCorrupt, fault.Span{}, "%s is damaged: %s", key, fmt.Sprintf(format, args...))
}

// decode reads what encode wrote into body. Anything else is CodeCorrupt, or CodeNewer for an intact later version.
func decode(key string, data []byte, body any) error {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return corrupt(key, "it is not the JSON that was written (%d bytes)", len(data))
	}
	want, err := strconv.ParseUint(e.CRC32C, 16, 32)
	if err != nil || uint32(want) != checksum(e.Body) {
		return corrupt(key, "the checksum does not match")
	}
	if e.Version > FormatVersion {
		return fault.Userf(CodeNewer, fault.Span{}, "%s has format version %d, this program reads up to %d", key, e.Version, FormatVersion).
			WithHint("use the version of wadi that wrote this state, or a later one")
	}
	if e.Version < 1 {
		return corrupt(key, "format version %d", e.Version)
	}
	if err := json.Unmarshal(e.Body, body); err != nil {
		return corrupt(key, "its fields do not fit")
	}
	return nil
}

// decodeManifest reads a manifest and checks that it is fit for a restore.
func decodeManifest(key string, data []byte) (*Manifest, error) {
	m := new(Manifest)
	if err := decode(key, data, m); err != nil {
		return nil, err
	}
	if err := m.validate(); err != nil {
		return nil, corrupt(key, "%v", err)
	}
	return m, nil
}
