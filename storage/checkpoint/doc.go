// Package checkpoint keeps the checkpoints of one job in a bucket, so that they survive any crash and are never mixed up
// between two controllers that both believe to be in charge.
//
// What comes in: table files from workers and manifests from the checkpoint coordinator. What goes out: the manifest to
// restore from, table files verified by their checksums, and warnings about what could not be read. Manifests and byte
// slices handed out belong to the caller. Every method that takes a context blocks on the bucket.
//
// # Layout
//
// Under <pipeline>/<job>/ of the state directory:
//
//	current-generation.json                                   which generation runs (a hint, overwritten)
//	generations/<g>/generation-manifest.json                  claims generation g; created only if absent
//	generations/<g>/checkpoints/checkpoint-<e>/manifest.json  all of checkpoint e; created only if absent
//	generations/<g>/checkpoints/checkpoint-<e>/committed.json sinks have committed; created only if absent
//	generations/<g>/checkpoints/checkpoint-<e>/operator-<id>/table-<table>-<subtask>-<unique>
//	epochs/epoch-<e>.record                                   checkpoint e is durable; created only if absent
//
// Epochs are written with at least seven digits, subtasks with three. References are paths relative to <pipeline>/<job>/.
// Every JSON object is {"version":1,"crc32c":"…","body":{…}}, the checksum over the bytes of the body.
//
// # Protocol
//
// A generation is one scheduling attempt. Its number is claimed by creating its generation manifest; two controllers can
// never own the same one. Generation g is current as long as current-generation.json names no later one and generation
// g+1 has no manifest. Publishing checkpoint e of generation g:
//
//  1. g is current (two reads), and the parent is durable and, if its sinks had to commit, committed;
//  2. create the manifest;
//  3. create the epoch record: the point of durability, and of ownership of the epoch number;
//  4. g is still current (two reads).
//
// A publisher that loses the record to another generation, or finds itself replaced in step 1 or 4, gets
// fault.CodeStaleRun and must stop. Because a later generation claims before it lists the epochs, every checkpoint whose
// Publish returned nil is seen by every later generation; a checkpoint whose Publish failed may or may not be, and
// nothing was committed for it.
//
// The newest checkpoint is that of the highest generation which has a record, and of the highest epoch within that
// generation: a replaced generation that creates a record late never overrides its successors. Recovery takes the
// newest; where its manifest is absent or damaged it goes on to the parent, and says so in a warning.
//
// What a crash, or the loss of the bucket, after each call of Publish leaves to the next generation:
//
//	call                               if it happened         restores        Publish told
//	1 get current-generation.json                             the parent      error
//	2 get next generation's manifest                          the parent      error
//	3 get the parent's record                                 the parent      error
//	4 get the parent's commit marker (with commits only)      the parent      error
//	5 create manifest.json             or not                 the parent      error
//	6 create epoch record              not applied            the parent      error
//	                                   applied, answer lost   this one        error
//	7 get current-generation.json                             this one        error
//	8 get next generation's manifest                          this one        error
//	after 8, sinks not all committed                          this one, and its commits are replayed
//	committed.json written                                    this one, nothing to replay
//
// # Garbage
//
// Collect keeps the newest epochs and everything they reference, classifies all objects before it deletes one, and
// deletes epoch records first, then data, then manifests oldest first: what is left after a crash in between is found
// by the next pass, and no record that recovery may choose ever lacks its data. Paths contain generation, epoch and a
// random part, so no path is ever written twice.
package checkpoint
