// Package impulse is the source that counts.
//
// Nothing comes in; rows (counter, subtask_index) go out at a given rate. Nothing blocks: pacing is by the injected
// clock between reads, so that a barrier finds every row that the state covers emitted.
//
// The rows belong to sequences, one per subtask of the first start: sequence s has the rows (0, s), (1, s), … Their
// number is fixed from then on. After a restart with n subtasks, sequence s goes on at subtask s mod n, where it
// stopped: no row is lost and none comes twice, whatever the parallelism; subtasks without a sequence end at once.
package impulse

import (
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
)

// Schema is the schema of the rows.
func Schema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "counter", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "subtask_index", Type: arrow.PrimitiveTypes.Uint64},
	}, nil)
}

// Declaration declares the connector.
func Declaration() *connector.Declaration {
	return &connector.Declaration{
		Name: "impulse", Doc: "Counts, at a steady rate; for tests and demonstrations.", Uses: connector.Source,
		Schema: Schema(),
		Options: []connector.Option{
			{Name: "event_rate", Type: connector.Float, Required: true, Check: positive,
				Doc: "rows per second over all subtasks; a very large rate is as fast as possible"},
			{Name: "event_time_interval", Type: connector.Int, Check: notNegative,
				Doc: "step of event time from row to row in nanoseconds; without it the event time is the wall clock"},
			{Name: "message_count", Type: connector.Int, Check: notNegative,
				Doc: "rows per subtask after which the source ends; without it, it never does"},
		},
		Describe:  describe,
		NewSource: newSource,
	}
}

func positive(v string) error {
	if f, err := strconv.ParseFloat(v, 64); err != nil || f <= 0 {
		return fault.Userf(fault.CodeInvalid, fault.Span{}, "the rate must be above 0").WithHint("for example event_rate = 1000")
	}
	return nil
}

func notNegative(v string) error {
	if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < 0 {
		return fault.Userf(fault.CodeInvalid, fault.Span{}, "the number must be 0 or more").WithHint("leave the option out for the default")
	}
	return nil
}

func describe(o map[string]string) string {
	text := "Impulse<" + o["event_rate"] + " eps"
	if n, err := strconv.ParseInt(o["event_time_interval"], 10, 64); err == nil {
		text += ", " + time.Duration(n).String()
	}
	if o["message_count"] != "" {
		return "Bounded" + text + ">"
	}
	return text + ">"
}
