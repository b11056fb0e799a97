package oracle_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/graph"
	"wadi/sql"
	"wadi/worker/local/capture"
)

// run runs a script and gives what it leaves, the columns in the order of the SELECT.
func run(script string, v capture.Variant) ([][]value, error) {
	var lines []string
	l := capture.Library(&lines)
	plan, problems := sql.Compile(script, sql.Options{
		Name: "query.sql", DefaultSink: capture.Name, UpdateAggregateFlushInterval: time.Second, UpdatingTTL: 24 * time.Hour,
		Connectors: l.Connectors, Functions: l.Functions, Aggregates: l.Aggregates,
	})
	if len(problems) > 0 {
		return nil, problems
	}
	if err := capture.Run(plan.Program, l, &lines, v); err != nil {
		return nil, err
	}
	var rows [][]value
	for _, line := range capture.Materialise(lines) {
		if !strings.HasPrefix(line, "{") {
			return nil, fmt.Errorf("the changelog does not add up: %s", line)
		}
		row, err := parseRow(line, plan.Program.Nodes[len(plan.Program.Nodes)-1].Spec.(*graph.SinkSpec).Schema)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// parseRow gives the values of a JSON object, which has the columns of a schema in their order. In changelogs decimals are
// base64 of their digits as a big-endian number, and times milliseconds.
func parseRow(line string, schema *arrow.Schema) ([]value, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(line)))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var row []value
	for d.More() {
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		row = append(row, typedValue(jsonValue(v), schema.Field(len(row)).Type))
	}
	return row, nil
}

func typedValue(v value, dt arrow.DataType) value {
	switch t := dt.(type) {
	case *arrow.Decimal128Type:
		digits, err := base64.StdEncoding.DecodeString(v.text)
		if v.kind != 's' || err != nil || len(digits) != 16 {
			return v
		}
		n := decimal128.New(int64(binary.BigEndian.Uint64(digits)), binary.BigEndian.Uint64(digits[8:]))
		return value{kind: 'n', text: n.ToString(t.Scale)}
	case *arrow.TimestampType:
		if ms, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return value{kind: 't', text: strconv.FormatInt(ms*1e6, 10)}
		}
	}
	return v
}

func jsonValue(v any) value {
	switch v := v.(type) {
	case nil:
		return value{}
	case bool:
		return value{kind: 'b', text: strconv.FormatBool(v)}
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return value{kind: 'f', text: v.String()}
		}
		return value{kind: 'n', text: v.String()}
	case string:
		return value{kind: 's', text: v}
	case []any:
		l := value{kind: 'l'}
		for _, e := range v {
			l.list = append(l.list, jsonValue(e))
		}
		return l
	}
	panic(fmt.Sprintf("oracle: no value for %T", v))
}

// sortRows puts rows into an order in which equal ones are next to each other, whatever their floats' last digits.
func sortRows(rows [][]value) {
	key := func(row []value) string {
		var b strings.Builder
		for _, v := range row {
			if v.number() {
				fmt.Fprintf(&b, "%.9g|", v.float())
			} else {
				b.WriteString(v.String() + "|")
			}
		}
		return b.String()
	}
	sort.Slice(rows, func(i, j int) bool { return key(rows[i]) < key(rows[j]) })
}

// compareRows reports the first rows that differ.
func compareRows(t *testing.T, ours, theirs [][]value) {
	t.Helper()
	sortRows(ours)
	sortRows(theirs)
	for i := range max(len(ours), len(theirs)) {
		a, b := "nothing", "nothing"
		same := i < len(ours) && i < len(theirs) && len(ours[i]) == len(theirs[i])
		if i < len(ours) {
			a = show(ours[i])
		}
		if i < len(theirs) {
			b = show(theirs[i])
		}
		if same {
			for j := range ours[i] {
				same = same && ours[i][j].equal(theirs[i][j], 1e-9)
			}
		}
		if !same {
			t.Errorf("%d rows, the second engine %d; row %d is\n%s\ninstead of\n%s", len(ours), len(theirs), i, a, b)
			return
		}
	}
}

// jsonRow writes a row of texts as the JSON object that a source reads; quoted says which columns are strings there.
func jsonRow(names []string, quoted []bool, row []*string) string {
	var b strings.Builder
	for i, v := range row {
		switch {
		case v == nil:
			fmt.Fprintf(&b, `,%q:null`, names[i])
		case quoted[i]:
			text, _ := json.Marshal(*v)
			fmt.Fprintf(&b, `,%q:%s`, names[i], text)
		default:
			fmt.Fprintf(&b, `,%q:%s`, names[i], *v)
		}
	}
	return "{" + b.String()[1:] + "}"
}
