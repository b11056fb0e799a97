// Package engine runs the subtasks of a program on one worker.
//
// In come a graph.Program, the subtasks to run, constructors for operators, and the state to restore; out go rows at the
// sinks, checkpoint files, and events to a Listener. A task is a chain of operators at one subtask index that call each
// other directly, on one goroutine. Queues stand only between tasks: they are bounded in bytes, a producer blocks on a
// full one, and an input whose barrier has arrived is not read until all inputs have theirs.
//
// A task is a state machine with a poll method. In production a goroutine polls it and parks; a test polls tasks in any
// seeded order on a virtual clock (Simulate), which makes a run of the whole engine repeatable.
//
// End of input: a task whose inputs have all ended reports that it is drained and stays alive for further barriers,
// until a barrier that says stop.
package engine
