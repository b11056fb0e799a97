// Package blob keeps named byte strings: on a local disk, in S3, Google Cloud Storage or Azure, or in memory.
//
// What comes in: a URL or a path, keys and bytes. What goes out: bytes, and faults a person can act on, naming the path
// or the URL. Slices handed to a Bucket are read during the call and not kept; slices a Bucket hands out belong to the
// caller. Every call may block on disk or network, and returns early when its context ends.
//
// Two verbs carry the guarantees of the checkpoint protocol:
//
//   - Put is durable when it returns. On a local disk that is a fully written temporary file, fsync, rename, fsync of the
//     folder and of every folder made on the way.
//   - PutIfAbsent is linearizable: of any number of creators of one key, in any number of processes, exactly one is told
//     that it created the object. On a local disk the temporary file is hard-linked to its name; S3 gets
//     "If-None-Match: *", Google an ifGenerationMatch of 0, Azure "If-None-Match: *".
//
// Every verb retries transient failures with back-off, bounded, on the injected clock. A retried create whose first try
// did reach the store, though its answer was lost, still counts as created: each create carries a random token in the
// object's metadata, by which the creator knows its own object again.
//
// Keys are slash-separated relative paths. On a local disk a key may not also be the folder of another key; object
// stores allow it, but nothing here relies on it.
package blob

import (
	"context"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"wadi/dataflow/fault"
	"wadi/storage/disk"
)

// Info describes one object.
type Info struct {
	// Key is relative to the bucket that listed it.
	Key string
	// Size is in bytes.
	Size int64
	// ModTime is when the object was last written, by the store's clock.
	ModTime time.Time
}

// Bucket is a set of objects under one prefix. Its methods may be called from several goroutines.
type Bucket interface {
	// Get gives the whole object, or a fault with fault.CodeNotFound when there is none.
	Get(ctx context.Context, key string) ([]byte, error)
	// GetRange gives at most n bytes from offset off; fewer, or none, where the object ends. A negative n means to the end.
	GetRange(ctx context.Context, key string, off, n int64) ([]byte, error)
	// Put writes the object, replacing what was there, atomically and durably.
	Put(ctx context.Context, key string, data []byte) error
	// PutIfAbsent writes the object if there is none with this key and reports whether it did. Exactly one of any number
	// of competing callers gets true. After an error, either may be the case.
	PutIfAbsent(ctx context.Context, key string, data []byte) (created bool, err error)
	// List gives every object whose key begins with prefix (a string prefix, not a folder), sorted by key.
	List(ctx context.Context, prefix string) ([]Info, error)
	// Delete removes the object; an absent one is not an error.
	Delete(ctx context.Context, key string) error
	// Sub is the part of this bucket below prefix + "/". Closing it does nothing.
	Sub(prefix string) Bucket
	// String is the bucket's URL, or its path on a local disk, for people. Parse understands it.
	String() string
	// Local gives the folder on this machine that holds the objects, if there is one. It need not exist yet.
	Local() (dir string, ok bool)
	// Close lets go of connections. Objects stay, also those of mem:// buckets.
	Close() error
}

// Codes of faults that this package makes, beside fault.CodeNotFound and fault.CodeIO.
const (
	CodePermission              = disk.CodePermission
	CodeDiskFull                = disk.CodeDiskFull
	CodeNotDirectory            = disk.CodeNotDirectory
	CodeCredentials  fault.Code = "bad-credentials"
	CodeNoBucket     fault.Code = "no-such-bucket"
	CodeBadURL       fault.Code = "bad-storage-url"
	CodeBadKey       fault.Code = "bad-storage-key"
	CodeUnsafeStore  fault.Code = "no-conditional-put"
)

// MaxKey is the longest key in bytes, the bucket's own prefix included. It is the limit of S3.
const MaxKey = 1024

// ValidKey reports why key cannot name an object: keys are relative, slash-separated, UTF-8, at most MaxKey bytes, and
// have no control characters, no backslash, and no empty, "." or ".." segments.
func ValidKey(key string) error {
	reason := ""
	switch {
	case key == "":
		reason = "is empty"
	case len(key) > MaxKey:
		reason = "is longer than 1024 bytes"
	case !utf8.ValidString(key):
		reason = "is not UTF-8"
	case strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == '\\' }):
		reason = "holds a control character or a backslash"
	}
	for seg := range strings.SplitSeq(key, "/") {
		switch {
		case reason != "":
		case seg == "":
			reason = "has an empty segment"
		case seg == "." || seg == "..":
			reason = "has a segment " + seg
		case strings.HasPrefix(seg, disk.TempPrefix):
			reason = "has a segment kept for temporary files"
		}
	}
	if reason == "" {
		return nil
	}
	if len(key) > 100 {
		key = key[:100] + "…"
	}
	return fault.Userf(CodeBadKey, fault.Span{}, "storage key %q %s", key, reason).
		WithHint("use a relative path such as a/b/c")
}

// validPrefix is ValidKey for the prefixes of List, which may be empty or end anywhere.
func validPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	return ValidKey(strings.TrimSuffix(prefix, "/"))
}

func sortInfos(infos []Info) []Info {
	sort.Slice(infos, func(i, j int) bool { return infos[i].Key < infos[j].Key })
	return infos
}
