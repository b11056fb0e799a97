package singlefile

import (
	"context"
	"errors"
	"io"
	"os"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/framing"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// lookup holds the rows of a file by their primary key: those of the keys that its subtask owns. Of several rows with one key
// the last counts.
type lookup struct {
	table  *graph.SourceSpec
	env    operator.Env
	rows   *column.Builder
	byKey  map[string]int32
	hashes []uint64
	at     []int32
	buf    []byte
}

// newLookup reads the file whole.
func newLookup(c connector.LookupConfig, open *claims) (operator.Lookup, error) {
	l := &lookup{table: c.Table, env: c.Env, rows: column.NewBuilder(c.Table.Schema, false), byKey: map[string]int32{}}
	decoder, err := c.NewDecoder()
	if err != nil {
		return nil, err
	}
	path := c.Table.Options["path"]
	info, err := os.Stat(path)
	if err != nil {
		return nil, explain(err, path, "read")
	}
	if err := notRegular(info, path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, explain(err, path, "read")
	}
	defer f.Close()
	claim, err := open.take(f, path, c.Env.JobID, false)
	if err != nil {
		return nil, err
	}
	defer claim.release()
	lines := framing.NewLines(f, framing.Options{Source: path, Truncate: int(c.Table.Format.MaxLength)})
	if m, ok := decoder.(format.MetadataDecoder); ok && c.Table.Metadata != nil {
		m.SetMetadata(func(_ int, to column.Appender) { fill(to, path, lines.Line()) })
	}
	return l, l.read(lines, decoder, path)
}

func (l *lookup) read(lines *framing.Lines, decoder format.Decoder, path string) error {
	ctx := l.env.Context
	if ctx == nil {
		ctx = context.Background()
	}
	for {
		frame, ok := lines.Next()
		if ok {
			// A record at a time, so that a key which is missing has a line.
			if err := l.line(frame, decoder); err != nil {
				if err := l.bad(err, path, lines.Line()); err != nil {
					return err
				}
			}
			continue
		}
		lines.Release()
		err := lines.Fill(ctx)
		var f *fault.Error
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &f) && f.Kind == fault.Data:
			if err := l.bad(f, path, f.Record.Line); err != nil {
				return err
			}
		case ctx.Err() != nil:
			return err
		default:
			return explain(err, path, "read")
		}
	}
}

// line takes the rows of one record.
func (l *lookup) line(frame []byte, decoder format.Decoder) error {
	if err := decoder.Decode(frame, 0); err != nil {
		return err
	}
	b := decoder.Take()
	keys := make([]column.Vector, len(l.table.PrimaryKey))
	for i, k := range l.table.PrimaryKey {
		keys[i] = b.Cols[k]
		for r := range b.N {
			if !keys[i].Validity().IsValid(r) {
				return fault.Dataf(l.table.Schema.Field(k).Name, "a row has no primary key").
					WithHint("give every row its key, or set bad_data = 'drop'")
			}
		}
	}
	l.hashes = column.HashColumns(l.hashes, keys, b.N, nil)
	for r := range b.N {
		if !l.env.Keys.Contains(l.hashes[r]) {
			continue
		}
		l.byKey[string(l.key(keys, r))] = int32(l.rows.Rows())
		l.rows.AppendSel(b, []int32{int32(r)})
	}
	return nil
}

// key encodes the key of a row; it is valid until the next call.
func (l *lookup) key(cols []column.Vector, r int) []byte {
	l.buf = l.buf[:0]
	for _, c := range cols {
		l.buf = state.AppendValue(l.buf, c, r)
	}
	return l.buf
}

// bad applies the table's policy to a record that cannot be used.
func (l *lookup) bad(err error, path string, line int64) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	f.Record.Source, f.Record.Line = path, line
	if !l.table.Format.DropBadData || f.Kind != fault.Data {
		return f
	}
	l.env.Metrics.BadRecords.Add(1)
	if l.env.Report != nil {
		l.env.Report(f)
	}
	return nil
}

// Fetch implements operator.Lookup.
func (l *lookup) Fetch(_ context.Context, keys []column.Vector, n int) (*column.Batch, []int32, error) {
	l.at = l.at[:0]
	for r := range n {
		at, ok := l.byKey[string(l.key(keys, r))]
		if !ok {
			at = -1
		}
		l.at = append(l.at, at)
	}
	return l.rows.Batch(), l.at, nil
}

// Close implements operator.Lookup.
func (l *lookup) Close() error { return nil }
