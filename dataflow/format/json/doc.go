// Package json turns JSON objects into rows and rows into JSON objects.
//
// What comes in: a Decoder is given frames, each exactly one JSON object (RFC 8259) surrounded only by whitespace; an
// Encoder is given batches. What goes out: batches of the table's declared columns, or one compact object per row and
// line. Nothing here blocks.
//
// The decoder is a scanner compiled from the schema. It copies a frame behind a guard of zero bytes, so that it can load
// eight bytes at a time without looking at the end, predicts which key follows which, and remembers the last date that
// it parsed. A frame that this fast pass cannot take (a bad value, a repeated key) is rolled back and decoded again by a
// careful pass, which checks the syntax of the whole object first, lets the last of repeated keys win, and names what is
// wrong.
//
// Memory: strings without escapes that are longer than a view's inline part point into the memory that the frame lies
// in, so a reader that hands out many frames of one large buffer gets its text columns without a copy. Other strings are
// copied into memory of the decoder's own, reused from batch to batch.
package json
