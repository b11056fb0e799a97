package framing

import (
	"bytes"
	"iter"
)

// Split cuts a message at its newlines. Carriage returns are kept; a last piece that is empty is not a frame, empty
// lines before it are. If maxLength is above zero, longer frames are cut to that many bytes.
func Split(message []byte, maxLength int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(message) > 0 {
			frame := message
			if i := bytes.IndexByte(message, '\n'); i >= 0 {
				frame, message = message[:i], message[i+1:]
			} else {
				message = nil
			}
			if maxLength > 0 && len(frame) > maxLength {
				frame = frame[:maxLength]
			}
			if !yield(frame) {
				return
			}
		}
	}
}
