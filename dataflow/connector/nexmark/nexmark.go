// Package nexmark is the source that plays an auction house: persons, auctions and bids in the proportions 1:3:46, after
// the Nexmark benchmark (https://datalab.cs.pdx.edu/niagaraST/NEXMark/) as Apache Beam and Arroyo generate it.
//
// Nothing comes in; batches with one nullable struct column per kind of event go out, of which exactly one is set in each
// row. Only what the query needs is made (SourceSpec.Needed); other columns are null, other members undefined. Batches
// are the source's memory and lent; nothing is allocated per batch. Nothing blocks: pacing is by the injected clock
// between reads, so that a barrier finds every event that the state covers emitted.
//
// Every value is a function of the event's id alone, so that a restored run gives the events that the run before would
// have given. Events belong to sequences, one per subtask of the first start, with disjoint ranges of ids. After a
// restart with n subtasks, sequence s goes on at subtask s mod n, where it stopped: no event is lost and none comes
// twice, whatever the parallelism; subtasks without a sequence end at once.
package nexmark

import (
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
)

var (
	timestamp = &arrow.TimestampType{Unit: arrow.Nanosecond}
	bigint    = arrow.PrimitiveTypes.Int64
	text      = arrow.BinaryTypes.String
)

// Schema is the schema of the rows.
func Schema() *arrow.Schema {
	person := arrow.StructOf(
		arrow.Field{Name: "id", Type: bigint}, arrow.Field{Name: "name", Type: text}, arrow.Field{Name: "email_address", Type: text},
		arrow.Field{Name: "credit_card", Type: text}, arrow.Field{Name: "city", Type: text}, arrow.Field{Name: "state", Type: text},
		arrow.Field{Name: "datetime", Type: timestamp}, arrow.Field{Name: "extra", Type: text})
	auction := arrow.StructOf(
		arrow.Field{Name: "id", Type: bigint}, arrow.Field{Name: "description", Type: text}, arrow.Field{Name: "item_name", Type: text},
		arrow.Field{Name: "initial_bid", Type: bigint}, arrow.Field{Name: "reserve", Type: bigint}, arrow.Field{Name: "datetime", Type: timestamp},
		arrow.Field{Name: "expires", Type: timestamp}, arrow.Field{Name: "seller", Type: bigint}, arrow.Field{Name: "category", Type: bigint},
		arrow.Field{Name: "extra", Type: text})
	bid := arrow.StructOf(
		arrow.Field{Name: "auction", Type: bigint}, arrow.Field{Name: "bidder", Type: bigint}, arrow.Field{Name: "price", Type: bigint},
		arrow.Field{Name: "channel", Type: text}, arrow.Field{Name: "url", Type: text}, arrow.Field{Name: "datetime", Type: timestamp},
		arrow.Field{Name: "extra", Type: text})
	return arrow.NewSchema([]arrow.Field{
		{Name: "person", Type: person, Nullable: true},
		{Name: "auction", Type: auction, Nullable: true},
		{Name: "bid", Type: bid, Nullable: true},
	}, nil)
}

// Declaration declares the connector.
func Declaration() *connector.Declaration {
	return &connector.Declaration{
		Name: "nexmark", Doc: "Generates the events of the Nexmark benchmark: persons, auctions and bids.", Uses: connector.Source,
		Schema: Schema(),
		Options: []connector.Option{
			{Name: "event_rate", Type: connector.Float, Required: true, Check: positive("the rate"),
				Doc: "events per second over all subtasks, in event time and, unless paced is false, by the clock"},
			{Name: "runtime", Type: connector.Float, Check: positive("the runtime"),
				Doc: "seconds of event time after which the source ends; without it, it never does"},
			{Name: "message_count", Type: connector.Uint,
				Doc: "events over all subtasks after which the source ends (an addition to Arroyo's options)"},
			{Name: "paced", Type: connector.Bool, Default: "true",
				Doc: "whether events are held back to event_rate; false gives them as fast as they can be made (an addition to Arroyo's options)"},
		},
		Describe:  describe,
		NewSource: newSource,
	}
}

func positive(what string) func(string) error {
	return func(v string) error {
		if f, err := strconv.ParseFloat(v, 64); err != nil || f <= 0 {
			return fault.Userf(fault.CodeInvalid, fault.Span{}, "%s must be above 0", what).WithHint("for example 1000")
		}
		return nil
	}
}

func describe(o map[string]string) string {
	text := "Nexmark<" + o["event_rate"] + " eps"
	switch {
	case o["message_count"] != "":
		return "Bounded" + text + ", " + o["message_count"] + " events>"
	case o["runtime"] != "":
		return "Bounded" + text + " for " + o["runtime"] + "s>"
	}
	return text + ">"
}

// settings are the options as numbers.
type settings struct {
	rate  float64
	paced bool
	// events is the number of events over all sequences.
	events int64
}

// unbounded is how many events there are without a bound: enough for 23 years at a million per second, and few enough
// for all ids to fit.
const unbounded = math.MaxUint64 / 25_000

func readSettings(o map[string]string) (settings, error) {
	s := settings{paced: o["paced"] != "false", events: unbounded}
	var err error
	if s.rate, err = strconv.ParseFloat(o["event_rate"], 64); err != nil || s.rate <= 0 {
		return s, fault.Internalf("nexmark: event_rate is not a number above 0")
	}
	if runtime, err := strconv.ParseFloat(o["runtime"], 64); err == nil {
		s.events = int64(min(math.Floor(s.rate*runtime), unbounded))
	}
	if n, err := strconv.ParseUint(o["message_count"], 10, 64); err == nil {
		s.events = int64(min(n, uint64(s.events)))
	}
	return s, nil
}
