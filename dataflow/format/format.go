// Package format is where connectors and formats meet: a Decoder turns frames of bytes into rows, an Encoder rows into
// frames. Each format is a package below this one; NewDecoder and NewEncoder choose among them, and Declarations say
// which there are and which options they take.
//
// Nothing here blocks. A decoder or encoder belongs to one goroutine.
package format

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/format/debezium"
	"wadi/dataflow/format/json"
	"wadi/dataflow/format/raw"
	"wadi/dataflow/graph"
)

// Decoder turns frames (one record each, without the newline) into rows of a table's declared columns.
type Decoder interface {
	// Decode appends the rows of one frame, usually one, with this event time (ns). A frame that does not fit gives a
	// *fault.Error of kind Data that names the column but not the value, and leaves nothing behind. The frame's memory must
	// stay as it is until the batch taken next has been used up: text columns may point into it.
	//
	// Text is cheapest when frames are slices of large buffers whose capacity reaches to the buffer's end, as framing.Lines
	// hands them out.
	Decode(frame []byte, eventTime int64) error
	// Rows is the number of rows held.
	Rows() int
	// Take lends the rows held. The next Decode starts a new batch.
	Take() *column.Batch
}

// MetadataDecoder is a decoder whose rows have columns that the source fills; all decoders of this package are.
type MetadataDecoder interface {
	Decoder
	// SetMetadata sets the function that, for each row of the frame being decoded and each column flagged in NewDecoder's
	// meta, appends exactly one value to that column. Without one those columns are null.
	SetMetadata(fill func(column int, to column.Appender))
}

// Encoder turns rows into frames.
type Encoder interface {
	// Encode appends one frame per record, each followed by a newline, for the selected rows of b, and returns dst.
	Encode(dst []byte, b *column.Batch) ([]byte, error)
}

// Ended is the metadata key of a column that debezium_json fills: see debezium.Ended.
const Ended = debezium.Ended

// NewDecoder makes a decoder for the rows of a table, whose connector does not matter. Columns with Metadata are not read
// from the payload: the source fills them, see MetadataDecoder, but for the keys that are the format's own. Columns that are
// not Needed are left null, even those that are NOT NULL. Batches of debezium_json are changelogs. Faults are of kind User.
func NewDecoder(table *graph.SourceSpec) (Decoder, error) {
	o, err := options(table.Format, ForSource)
	if err != nil {
		return nil, err
	}
	schema, meta, needed := table.Schema, table.Metadata, table.Needed
	switch table.Format.Name {
	case "json":
		if o["unstructured"] == "true" {
			return decoder(json.NewUnstructured(schema, meta))
		}
		return decoder(json.NewDecoder(schema, meta, needed))
	case "debezium_json":
		envelope, paths := debezium.Envelope(schema, meta, needed)
		events, err := json.NewDecoder(envelope, nil, paths)
		if err != nil {
			return nil, err
		}
		return debezium.NewDecoder(events, schema, meta, needed, table.PrimaryKey), nil
	}
	return decoder(kindOf(table.Format.Name).NewDecoder(schema, meta))
}

// decoder keeps a nil pointer from becoming an interface that is not nil.
func decoder[D MetadataDecoder](d D, err error) (Decoder, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// NewEncoder makes an encoder for rows of this schema and mode. primaryKey holds the columns that identify a row of an
// updating input, for the formats that can express updates. Faults are of kind User.
func NewEncoder(spec graph.FormatSpec, in *arrow.Schema, mode graph.Mode, primaryKey []int) (Encoder, error) {
	o, err := options(spec, ForSink)
	if err != nil {
		return nil, err
	}
	if mode == graph.Updating && spec.Name != "debezium_json" {
		return nil, fault.Userf(fault.CodeUnsupported, fault.Span{}, "format %s cannot express updates, which this query produces", spec.Name).
			WithHint("use format = 'debezium_json' for this sink")
	}
	switch spec.Name {
	case "json":
		return encoder(json.NewEncoder(in, jsonOptions(o)))
	case "debezium_json":
		return debeziumEncoder(in, primaryKey, jsonOptions(o))
	}
	return encoder(kindOf(spec.Name).NewEncoder(in))
}

func kindOf(name string) raw.Kind {
	if name == "raw_bytes" {
		return raw.Bytes()
	}
	return raw.String()
}

func encoder[E Encoder](e E, err error) (Encoder, error) {
	if err != nil {
		return nil, err
	}
	return e, nil
}

func debeziumEncoder(in *arrow.Schema, primaryKey []int, o json.EncoderOptions) (Encoder, error) {
	schema := ""
	if o.IncludeSchema {
		envelope, _ := debezium.Envelope(in, nil, nil)
		text, err := json.ConnectSchema(envelope)
		if err != nil {
			return nil, err
		}
		schema = text
		o.IncludeSchema = false
	}
	rows, err := json.NewEncoder(in, o)
	if err != nil {
		return nil, err
	}
	return debezium.NewEncoder(rows, primaryKey, schema), nil
}

func jsonOptions(o map[string]string) json.EncoderOptions {
	out := json.EncoderOptions{UnixMillis: o["timestamp_format"] == "unix_millis", IncludeSchema: o["include_schema"] == "true"}
	switch o["decimal_encoding"] {
	case "string":
		out.Decimals = json.DecimalString
	case "bytes":
		out.Decimals = json.DecimalBytes
	}
	return out
}
