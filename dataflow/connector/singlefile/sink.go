package singlefile

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

type sink struct {
	env     operator.Env
	path    string
	encoder format.Encoder
	file    *os.File
	claim   *claim
	buf     []byte
	// length is the length of the file in bytes with what has been written; dirty says that some of it is not yet durable.
	length int64
	dirty  bool
}

// maxKept bounds the buffer that is kept for the next batch, in bytes.
const maxKept = 4 << 20

func newSink(c connector.SinkConfig, open *claims) (operator.Operator, error) {
	encoder, err := c.NewEncoder()
	if err != nil {
		return nil, err
	}
	s := &sink{env: c.Env, path: c.Spec.Options["path"], encoder: encoder}
	if err := s.open(open); err != nil {
		if s.file != nil {
			s.Close()
		}
		return nil, err
	}
	return s, nil
}

// open makes the file as long as the checkpoint says, 0 without one.
func (s *sink) open(open *claims) error {
	length, err := s.savedLength()
	if err != nil {
		return err
	}
	// Opening a pipe for writing would wait for its reader, so the kind is looked at first.
	if info, err := os.Stat(s.path); err == nil {
		if err := notRegular(info, s.path); err != nil {
			return err
		}
	}
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return explain(err, s.path, "written")
	}
	if s.file, err = os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE, 0o666); err != nil {
		return explain(err, s.path, "written")
	}
	if !lock(s.file) {
		return fault.Transientf(nil, "another sink is writing the file %q", s.path).
			WithHint("give every sink a file of its own, or stop the other pipeline")
	}
	if s.claim, err = open.take(s.file, s.path, s.env.JobID, true); err != nil {
		return err
	}
	return s.cut(length, dir)
}

func (s *sink) cut(length int64, dir string) error {
	info, err := s.file.Stat()
	if err != nil {
		return explain(err, s.path, "written")
	}
	if info.Size() < length {
		return fault.Userf(CodeChanged, fault.Span{}, "file %q has %d bytes, but had %d at the last checkpoint: something removed output",
			s.path, info.Size(), length).WithHint("put the file back, or start over with another state directory or --force")
	}
	if err := s.file.Truncate(length); err != nil {
		return explain(err, s.path, "written")
	}
	if _, err := s.file.Seek(length, 0); err != nil {
		return explain(err, s.path, "written")
	}
	s.length, s.dirty = length, true
	// The file's name has to survive a power failure as well as its contents.
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
	return nil
}

// savedLength is the file's length at the checkpoint that is restored.
func (s *sink) savedLength() (int64, error) {
	length := int64(0)
	if s.env.Restore == nil {
		return 0, nil
	}
	err := s.env.Restore.Global(table, func(key, value []byte) error {
		if string(key) != s.path {
			return nil
		}
		if len(value) != 8 {
			return fault.Internalf("single_file: the saved state is not readable")
		}
		length = int64(binary.LittleEndian.Uint64(value))
		return nil
	})
	return length, err
}

// Process implements operator.Operator: it writes the batch.
func (s *sink) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	var err error
	if s.buf, err = s.encoder.Encode(s.buf[:0], b); err != nil {
		return err
	}
	if len(s.buf) == 0 {
		return nil
	}
	n, err := s.file.Write(s.buf)
	s.length += int64(n)
	s.dirty = true
	s.env.Metrics.BytesOut.Add(int64(n))
	if cap(s.buf) > maxKept {
		s.buf = nil
	}
	if err != nil {
		return explain(err, s.path, "written")
	}
	return nil
}

// Watermark implements operator.Operator.
func (s *sink) Watermark(int64, operator.Emitter) error { return nil }

// Snapshot implements operator.Operator. The file is durable up to the saved length before the length is handed over.
func (s *sink) Snapshot(w state.Writer) error {
	if s.dirty {
		if err := s.file.Sync(); err != nil {
			return explain(err, s.path, "written")
		}
		s.dirty = false
	}
	if err := s.stillThere(); err != nil {
		return err
	}
	w.Global(table, []byte(s.path), binary.LittleEndian.AppendUint64(nil, uint64(s.length)))
	return nil
}

// stillThere notices when the file was removed, replaced or cut while it is being written: a checkpoint that counts on it
// could never be restored.
func (s *sink) stillThere() error {
	open, err := s.file.Stat()
	if err != nil {
		return explain(err, s.path, "written")
	}
	named, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (!os.SameFile(open, named) || open.Size() != s.length) {
		return fault.Userf(CodeChanged, fault.Span{}, "file %q was removed, replaced or changed while it was being written", s.path).
			WithHint("nobody else may change the file of a running pipeline; put it back, or start over with another state directory or --force")
	}
	return nil
}

// Finish implements operator.Operator.
func (s *sink) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (s *sink) Close() error {
	s.claim.release()
	if err := s.file.Close(); err != nil {
		return explain(err, s.path, "written")
	}
	return nil
}
