package json

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
)

// ConnectSchema describes rows of this schema as Kafka Connect's JSON converter does.
func ConnectSchema(schema *arrow.Schema) (string, error) {
	b := []byte(`{"type":"struct","fields":[`)
	var err error
	if b, err = appendConnectFields(b, schema.Fields(), ""); err != nil {
		return "", err
	}
	return string(append(b, `],"optional":false,"name":"ArroyoJson"}`...)), nil
}

func appendConnectFields(b []byte, fields []arrow.Field, prefix string) ([]byte, error) {
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendConnectType(append(b, '{'), f, prefix+f.Name); err != nil {
			return nil, err
		}
		b = append(b, `,"field":`...)
		b = appendString(b, f.Name)
		b = append(b, `,"optional":`...)
		b = append(strconv.AppendBool(b, f.Nullable), '}')
	}
	return b, nil
}

// appendConnectType appends the members that describe f's type.
func appendConnectType(b []byte, f arrow.Field, path string) ([]byte, error) {
	switch t := f.Type.(type) {
	case *arrow.StructType:
		b, err := appendConnectFields(append(b, `"type":"struct","fields":[`...), t.Fields(), path+".")
		return append(b, ']'), err
	case *arrow.ListType:
		elem := t.ElemField()
		b, err := appendConnectType(append(b, `"type":"array","items":{`...), elem, path+"[]")
		if err != nil {
			return nil, err
		}
		b = strconv.AppendBool(append(b, `,"optional":`...), elem.Nullable)
		return append(b, '}'), nil
	case *arrow.MapType:
		b, err := appendConnectType(append(b, `"type":"map","keys":{"type":"string","optional":false},"values":{`...), t.ItemField(), path+"[]")
		if err != nil {
			return nil, err
		}
		b = strconv.AppendBool(append(b, `,"optional":`...), t.ItemField().Nullable)
		return append(b, '}'), nil
	case *arrow.Decimal128Type:
		scale := strconv.Itoa(int(t.Scale))
		return append(b, `"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"`+scale+`"},"scale":`+scale...), nil
	}
	text, ok := connectTypes[f.Type.ID()]
	if !ok {
		return nil, unsupported(path, "json.include_schema has no schema for type %s", sqlType(f)).
			WithHint("CAST the column to TEXT, or leave out json.include_schema")
	}
	return append(b, text...), nil
}

var connectTypes = map[arrow.Type]string{
	arrow.BOOL: `"type":"boolean"`, arrow.INT8: `"type":"int8"`, arrow.INT16: `"type":"int16"`,
	arrow.INT32: `"type":"int32"`, arrow.INT64: `"type":"int64"`, arrow.UINT8: `"type":"int16"`,
	arrow.UINT16: `"type":"int32"`, arrow.UINT32: `"type":"int64"`, arrow.UINT64: `"type":"int64"`,
	arrow.FLOAT32: `"type":"float"`, arrow.FLOAT64: `"type":"double"`, arrow.STRING: `"type":"string"`,
	arrow.LARGE_STRING: `"type":"string"`, arrow.INTERVAL_MONTH_DAY_NANO: `"type":"string"`, arrow.STRING_VIEW: `"type":"string"`,
	arrow.BINARY: `"type":"bytes"`, arrow.FIXED_SIZE_BINARY: `"type":"bytes"`,
	arrow.TIMESTAMP: `"type":"int64","name":"org.apache.kafka.connect.data.Timestamp"`,
	arrow.TIME32:    `"type":"int64","name":"org.apache.kafka.connect.data.Timestamp"`,
	arrow.TIME64:    `"type":"int64","name":"org.apache.kafka.connect.data.Timestamp"`,
	arrow.DATE32:    `"type":"int64","name":"org.apache.kafka.connect.data.Date"`,
}
