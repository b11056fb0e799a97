package run

import (
	"context"
	"crypto/rand"
	"encoding/json"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
)

// identityKey is the object that says whose state a directory holds. The database is only a projection and may be behind
// or gone; this object and the checkpoint manifests are enough to resume.
const identityKey = "pipeline.json"

// identity is the content of that object.
type identity struct {
	Version    int    `json:"version"`
	PipelineID string `json:"pipeline_id"`
	JobID      string `json:"job_id"`
	Name       string `json:"name"`
	Query      string `json:"query"`
}

const identityVersion = 1

// readIdentity gives nil when the directory holds nothing yet.
func readIdentity(ctx context.Context, b blob.Bucket) (*identity, error) {
	data, err := b.Get(ctx, identityKey)
	if fault.Is(err, fault.CodeNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var id identity
	if err := json.Unmarshal(data, &id); err != nil || id.PipelineID == "" || id.JobID == "" {
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "%s in %s is damaged", identityKey, b).
			WithHint("restore it from a copy, or use another --state-dir")
	}
	if id.Version != identityVersion {
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "%s in %s has version %d; this is a wadi for version %d", identityKey, b, id.Version, identityVersion).
			WithHint("use the version of wadi that wrote it, or another --state-dir")
	}
	return &id, nil
}

func writeIdentity(ctx context.Context, b blob.Bucket, id *identity) error {
	data, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fault.Internalf("%v", err)
	}
	return b.Put(ctx, identityKey, append(data, '\n'))
}

// newIdentity makes fresh ids for a query.
func newIdentity(name, text string) *identity {
	return &identity{Version: identityVersion, PipelineID: randomID("pl"), JobID: randomID("job"), Name: name, Query: text}
}

// randomID gives a prefix and ten random letters and digits.
func randomID(prefix string) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	raw := make([]byte, 10)
	rand.Read(raw) // never fails
	for i, b := range raw {
		raw[i] = letters[int(b)%len(letters)]
	}
	return prefix + "_" + string(raw)
}
