package expr

import "github.com/apache/arrow-go/v18/arrow"

// The arrow types that SQL types stand for, where one arrow type is not the obvious choice.
var (
	// Timestamp is TIMESTAMP: nanoseconds since the Unix epoch without a zone, and the type of every event time.
	Timestamp = &arrow.TimestampType{Unit: arrow.Nanosecond}
	// Interval is INTERVAL: months, days and nanoseconds.
	Interval = arrow.FixedWidthTypes.MonthDayNanoInterval
	// Window is the struct that tumble, hop and session give.
	Window = arrow.StructOf(
		arrow.Field{Name: "start", Type: Timestamp},
		arrow.Field{Name: "end", Type: Timestamp},
	)
)

// JSONMetadata marks a TEXT field as JSON, in the way Arroyo does.
var JSONMetadata = arrow.MetadataFrom(map[string]string{"ARROW:extension:name": "arroyo.json"})

// IsJSON reports whether a field is marked as JSON.
func IsJSON(f arrow.Field) bool {
	v, ok := f.Metadata.GetValue("ARROW:extension:name")
	return ok && v == "arroyo.json"
}
