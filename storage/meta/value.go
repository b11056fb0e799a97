package meta

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// jsonText stores what To points to as JSON text, and reads it back. A nil map is stored as {}.
type jsonText struct{ To any }

// Value implements driver.Valuer.
func (j jsonText) Value() (driver.Value, error) {
	text, err := json.Marshal(j.To)
	if string(text) == "null" {
		text = []byte("{}")
	}
	return string(text), err
}

// Scan implements sql.Scanner.
func (j jsonText) Scan(from any) error {
	switch v := from.(type) {
	case string:
		return json.Unmarshal([]byte(v), j.To)
	case []byte:
		return json.Unmarshal(v, j.To)
	}
	return fmt.Errorf("%T in a JSON column", from)
}

// rawText reads a JSON column that is handed on as it is; SQL NULL gives nil.
type rawText struct{ To *json.RawMessage }

// Scan implements sql.Scanner.
func (r rawText) Scan(from any) error {
	switch v := from.(type) {
	case nil:
		*r.To = nil
	case string:
		*r.To = json.RawMessage(v)
	case []byte:
		*r.To = append(json.RawMessage{}, v...)
	default:
		return fmt.Errorf("%T in a JSON column", from)
	}
	return nil
}

// null stores a zero value as SQL NULL.
func null[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// blobOf stores a nil slice as an empty blob.
func blobOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// orArray is raw, or an empty JSON array.
func orArray(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "[]"
	}
	return string(raw)
}
