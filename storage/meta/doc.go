// Package meta is the metadata database: pipelines, what is wanted of their jobs, what has become of them, and what the
// console shows about checkpoints and errors. It is one SQLite file.
//
// What comes in and goes out: plain Go values; they belong to whoever holds them, byte slices included. Every method
// blocks on the disk, and returns early when its context ends. Timestamps are microseconds since the Unix epoch.
//
// The database runs in WAL mode with synchronous=FULL: what a method has returned from survives a power cut. One
// connection writes, so writers queue instead of failing; four others read, each query on its own snapshot. A reader
// never waits for the writer.
//
// job_configs is what is wanted, written by the API; job_statuses is what is, written by the controller. checkpoints is a
// projection of the manifests in the state directory and can be lost without losing data: the truth about a checkpoint
// is package checkpoint's. Connection profiles and tables are nowhere else.
//
// The schema is the numbered files of migrations/, applied in order, each in one transaction together with its number in
// PRAGMA user_version. PRAGMA application_id tells our files from those of other programs. Files that were released are
// never edited; a change of the schema is a new file.
package meta
