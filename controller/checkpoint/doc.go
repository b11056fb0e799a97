// Package checkpoint decides when a job's checkpoints begin, when one is complete, and what happens then.
//
// The Coordinator is a pure state machine: events and the time go in, effects come out, and whoever owns it carries them
// out and reports back as further events. It does no I/O, starts no goroutine and reads no clock. Nothing handed in may
// be modified afterwards; manifests handed out belong to the receiver.
//
// # The life of an epoch
//
//	barrier     every source gets the barrier; every subtask of every operator answers with an Ack
//	publishing  the manifest goes to storage: from Published on the checkpoint is durable
//	committing  subtasks with two-phase sinks commit what they pre-committed and answer with a Committed
//	marking     storage learns that the commits are done
//
// and then it is Completed. One epoch is in flight at a time, and the interval counts from the end of the last. An epoch
// that does not get all its acks in time is given up, but what its subtasks wrote is not lost: files of incremental
// tables and pre-commits of an epoch that was given up become part of the next one, which therefore also waits for the
// acks that were missing. Publishing is different: a publication that failed may have happened, so that it is
// tried again with the very same manifest until it is settled.
//
// The end of the input is the job's last epoch: when every task is drained, one more epoch starts, marked final, in which
// all tasks end; only when it is durable and committed is the job finished.
//
// A run that starts from a checkpoint whose commits may be incomplete sends them again before it does anything else.
package checkpoint
