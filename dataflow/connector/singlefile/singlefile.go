// Package singlefile reads one file as a source or as a table to look up, or writes one as a sink, a record per line.
//
// The source is a bounded input: one subtask reads the file from its start, or from the saved byte offset, to its end;
// the position is exact, so every line is read once. Reading blocks for as long as the disk does. The sink appends to
// the file and remembers at each checkpoint how long the file then was; a restore cuts off what was written after that,
// so every row is in the file once. It writes at every batch and calls fsync at every checkpoint. The lookup reads the file
// whole when the job starts; what changes in it later is seen after a restart.
package singlefile

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/operator"
)

// Codes of this package's faults.
const (
	// CodeChanged: the file is not the one that was read, or written, before.
	CodeChanged fault.Code = "file-changed"
	// CodeDiskFull: there is no room for more rows.
	CodeDiskFull fault.Code = "disk-full"
)

// table is the global table of source and sink, with the path as the key.
const table = "f"

// Declaration declares the connector.
func Declaration() *connector.Declaration {
	open := newClaims()
	return &connector.Declaration{
		Name: "single_file", Doc: "Reads or writes one local file, a record per line. As a table to look up it is read when the job starts.",
		Uses:    connector.Source | connector.Sink | connector.Lookup,
		Formats: true, MaxParallelism: 1, Exclusive: "path",
		Options: append([]connector.Option{
			{Name: "path", Type: connector.String, Required: true, Check: checkPath, Doc: "path of the file"},
			{Name: "type", Type: connector.String, Values: []string{"source", "sink", "lookup"}, Doc: "whether the table is read, written, or looked up by its primary key"},
			{Name: "wait_for_control", Type: connector.Bool, Default: "true", For: connector.Source,
				Doc: "accepted for compatibility: whether a test harness, if there is one, steps the source line by line"},
		}, connector.LookupOptions()...),
		Metadata: []connector.MetadataColumn{
			{Key: "line", Type: arrow.PrimitiveTypes.Int64, Doc: "number of the line, from 1"},
			{Key: "path", Type: arrow.BinaryTypes.String, Doc: "path of the file, as in the option"},
		},
		Describe:  func(o map[string]string) string { return "SingleFile<" + o["path"] + ">" },
		NewSource: func(c connector.SourceConfig) (operator.Source, error) { return newSource(c, open) },
		NewSink:   func(c connector.SinkConfig) (operator.Operator, error) { return newSink(c, open) },
		NewLookup: func(c connector.LookupConfig) (operator.Lookup, error) { return newLookup(c, open) },
	}
}

func checkPath(path string) error {
	switch {
	case path == "":
		return fault.Userf(fault.CodeInvalid, fault.Span{}, "the path is empty").WithHint("name a file: path = 'events.json'")
	case strings.IndexByte(path, 0) >= 0:
		return fault.Userf(fault.CodeInvalid, fault.Span{}, "the path contains a NUL byte").WithHint("name a file: path = 'events.json'")
	case strings.HasSuffix(path, "/"):
		return fault.Userf(fault.CodeInvalid, fault.Span{}, "the path is that of a directory").WithHint("name one file in it")
	case path == "/dev/stdin" || path == "-":
		return fault.Userf(fault.CodeInvalid, fault.Span{}, "standard input is not a file").WithHint("use connector = 'stdin'")
	case path == "/dev/stdout":
		return fault.Userf(fault.CodeInvalid, fault.Span{}, "standard output is not a file").WithHint("use connector = 'stdout'")
	}
	return nil
}

// explain turns an error of the file system into a fault; doing is "read" or "written".
func explain(err error, path, doing string) error {
	cause := err
	var p *fs.PathError
	if errors.As(err, &p) {
		cause = p.Err
	}
	user := func(format, hint string) error {
		return fault.Userf(fault.CodeIO, fault.Span{}, format, path).WithHint("%s", hint)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f := fault.Userf(fault.CodeNotFound, fault.Span{}, "there is no file %q", path)
		return f.WithHint("relative paths start at the directory in which wadi was started%s", workingDirectory())
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return user("file %q may not be "+doing, "change its permissions, or run as a user who may").(*fault.Error).WithCause(cause)
	case errors.Is(err, syscall.EISDIR):
		return user("%q is a directory", "name one file in it")
	case errors.Is(err, syscall.ENOTDIR):
		return user("a part of the path %q is a file where a directory is needed", "check the path")
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP):
		return user("the path %q cannot be followed", "check the path").(*fault.Error).WithCause(cause)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		f := fault.Transientf(cause, "no room for more rows in %q", path)
		f.Code = CodeDiskFull
		return f.WithHint("free some space on its disk; the job goes on from the last checkpoint")
	}
	return fault.Transientf(cause, "file %q cannot be %s", path, doing).WithHint("check the disk that it is on")
}

func workingDirectory() string {
	if dir, err := os.Getwd(); err == nil {
		return ", " + dir
	}
	return ""
}

// notRegular refuses what is not a plain file; nil if it is one.
func notRegular(info fs.FileInfo, path string) error {
	switch {
	case info.Mode().IsRegular():
		return nil
	case info.IsDir():
		return fault.Userf(fault.CodeIO, fault.Span{}, "%q is a directory", path).WithHint("name one file in it")
	}
	return fault.Userf(fault.CodeIO, fault.Span{}, "%q is a pipe or a device, not a file", path).
		WithHint("use connector = 'stdin' or 'stdout' and redirect it")
}
