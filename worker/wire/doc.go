// Package wire is what controllers and workers say to each other: messages in protobuf and the two services, generated
// from services.proto.
//
// The generated interfaces WorkerServiceHandler and ControllerServiceHandler are the seams between the rooms of the
// house: within one process a handler is called directly, between machines through the generated Connect client, which
// has the same methods. Requests belong to the caller again when the call returns; who needs more keeps a copy. Nothing
// here blocks by itself.
package wire
