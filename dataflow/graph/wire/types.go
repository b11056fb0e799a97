package wire

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// plainTypes gives the type behind each kind that has no settings.
var plainTypes = map[TypeKind]arrow.DataType{
	TypeKind_TYPE_KIND_NULL:                    arrow.Null,
	TypeKind_TYPE_KIND_BOOL:                    arrow.FixedWidthTypes.Boolean,
	TypeKind_TYPE_KIND_INT8:                    arrow.PrimitiveTypes.Int8,
	TypeKind_TYPE_KIND_INT16:                   arrow.PrimitiveTypes.Int16,
	TypeKind_TYPE_KIND_INT32:                   arrow.PrimitiveTypes.Int32,
	TypeKind_TYPE_KIND_INT64:                   arrow.PrimitiveTypes.Int64,
	TypeKind_TYPE_KIND_UINT8:                   arrow.PrimitiveTypes.Uint8,
	TypeKind_TYPE_KIND_UINT16:                  arrow.PrimitiveTypes.Uint16,
	TypeKind_TYPE_KIND_UINT32:                  arrow.PrimitiveTypes.Uint32,
	TypeKind_TYPE_KIND_UINT64:                  arrow.PrimitiveTypes.Uint64,
	TypeKind_TYPE_KIND_FLOAT16:                 arrow.FixedWidthTypes.Float16,
	TypeKind_TYPE_KIND_FLOAT32:                 arrow.PrimitiveTypes.Float32,
	TypeKind_TYPE_KIND_FLOAT64:                 arrow.PrimitiveTypes.Float64,
	TypeKind_TYPE_KIND_STRING:                  arrow.BinaryTypes.String,
	TypeKind_TYPE_KIND_LARGE_STRING:            arrow.BinaryTypes.LargeString,
	TypeKind_TYPE_KIND_STRING_VIEW:             arrow.BinaryTypes.StringView,
	TypeKind_TYPE_KIND_BINARY:                  arrow.BinaryTypes.Binary,
	TypeKind_TYPE_KIND_LARGE_BINARY:            arrow.BinaryTypes.LargeBinary,
	TypeKind_TYPE_KIND_BINARY_VIEW:             arrow.BinaryTypes.BinaryView,
	TypeKind_TYPE_KIND_DATE32:                  arrow.FixedWidthTypes.Date32,
	TypeKind_TYPE_KIND_DATE64:                  arrow.FixedWidthTypes.Date64,
	TypeKind_TYPE_KIND_INTERVAL_MONTHS:         arrow.FixedWidthTypes.MonthInterval,
	TypeKind_TYPE_KIND_INTERVAL_DAY_TIME:       arrow.FixedWidthTypes.DayTimeInterval,
	TypeKind_TYPE_KIND_INTERVAL_MONTH_DAY_NANO: arrow.FixedWidthTypes.MonthDayNanoInterval,
}

// typeKinds gives the kind of each type that has no settings.
var typeKinds = func() map[arrow.Type]TypeKind {
	m := make(map[arrow.Type]TypeKind, len(plainTypes))
	for k, t := range plainTypes {
		m[t.ID()] = k
	}
	return m
}()

func (e *encoder) dataType(t arrow.DataType) *Type {
	if t == nil {
		e.fail("a type is missing")
		return nil
	}
	if k, ok := typeKinds[t.ID()]; ok {
		return &Type{Kind: k}
	}
	switch t := t.(type) {
	case *arrow.TimestampType:
		return &Type{Kind: TypeKind_TYPE_KIND_TIMESTAMP, Unit: TimeUnit(t.Unit), Zone: t.TimeZone}
	case *arrow.Time32Type:
		return &Type{Kind: TypeKind_TYPE_KIND_TIME32, Unit: TimeUnit(t.Unit)}
	case *arrow.Time64Type:
		return &Type{Kind: TypeKind_TYPE_KIND_TIME64, Unit: TimeUnit(t.Unit)}
	case *arrow.DurationType:
		return &Type{Kind: TypeKind_TYPE_KIND_DURATION, Unit: TimeUnit(t.Unit)}
	case *arrow.Decimal128Type:
		return &Type{Kind: TypeKind_TYPE_KIND_DECIMAL128, Precision: t.Precision, Scale: t.Scale}
	case *arrow.Decimal256Type:
		return &Type{Kind: TypeKind_TYPE_KIND_DECIMAL256, Precision: t.Precision, Scale: t.Scale}
	case *arrow.FixedSizeBinaryType:
		return &Type{Kind: TypeKind_TYPE_KIND_FIXED_SIZE_BINARY, Width: int32(t.ByteWidth)}
	}
	return e.nestedType(t)
}

func (e *encoder) nestedType(t arrow.DataType) *Type {
	switch t := t.(type) {
	case *arrow.ListType:
		return &Type{Kind: TypeKind_TYPE_KIND_LIST, Fields: e.fields(t.ElemField())}
	case *arrow.LargeListType:
		return &Type{Kind: TypeKind_TYPE_KIND_LARGE_LIST, Fields: e.fields(t.ElemField())}
	case *arrow.FixedSizeListType:
		return &Type{Kind: TypeKind_TYPE_KIND_FIXED_SIZE_LIST, Width: t.Len(), Fields: e.fields(t.ElemField())}
	case *arrow.StructType:
		return &Type{Kind: TypeKind_TYPE_KIND_STRUCT, Fields: e.fields(t.Fields()...)}
	case *arrow.MapType:
		return &Type{Kind: TypeKind_TYPE_KIND_MAP, Ordered: t.KeysSorted, Fields: e.fields(t.KeyField(), t.ItemField())}
	case *arrow.DictionaryType:
		return &Type{
			Kind: TypeKind_TYPE_KIND_DICTIONARY, Ordered: t.Ordered,
			Fields: e.fields(arrow.Field{Type: t.IndexType}, arrow.Field{Type: t.ValueType}),
		}
	}
	e.fail("the type %v has no place in a program", t)
	return nil
}

func (e *encoder) schema(s *arrow.Schema) *Schema {
	if s == nil {
		return nil
	}
	return &Schema{Fields: e.fields(s.Fields()...), Metadata: pairs(s.Metadata())}
}

func (e *encoder) fields(fs ...arrow.Field) []*Field {
	out := make([]*Field, len(fs))
	for i, f := range fs {
		out[i] = &Field{Name: f.Name, Type: e.dataType(f.Type), Nullable: f.Nullable, Metadata: pairs(f.Metadata)}
	}
	return out
}

func pairs(m arrow.Metadata) []*KeyValue {
	keys, values := m.Keys(), m.Values()
	out := make([]*KeyValue, len(keys))
	for i, k := range keys {
		out[i] = &KeyValue{Key: k, Value: values[i]}
	}
	slices.SortStableFunc(out, func(a, b *KeyValue) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// dataType reads a type; where it fails it gives the null type, so that the caller can go on.
func (d *decoder) dataType(msg *Type) arrow.DataType {
	if t, ok := plainTypes[msg.GetKind()]; ok {
		return t
	}
	if msg == nil {
		d.fail("a type is missing")
		return arrow.Null
	}
	if msg.Unit < 0 || msg.Unit > TimeUnit_TIME_UNIT_NANOSECOND {
		d.fail("no time has the unit %d", msg.Unit)
		return arrow.Null
	}
	unit := arrow.TimeUnit(msg.Unit)
	switch msg.Kind {
	case TypeKind_TYPE_KIND_TIMESTAMP:
		return &arrow.TimestampType{Unit: unit, TimeZone: msg.Zone}
	case TypeKind_TYPE_KIND_TIME32:
		return &arrow.Time32Type{Unit: unit}
	case TypeKind_TYPE_KIND_TIME64:
		return &arrow.Time64Type{Unit: unit}
	case TypeKind_TYPE_KIND_DURATION:
		return &arrow.DurationType{Unit: unit}
	case TypeKind_TYPE_KIND_DECIMAL128:
		return d.decimal(msg, 38, &arrow.Decimal128Type{Precision: msg.Precision, Scale: msg.Scale})
	case TypeKind_TYPE_KIND_DECIMAL256:
		return d.decimal(msg, 76, &arrow.Decimal256Type{Precision: msg.Precision, Scale: msg.Scale})
	case TypeKind_TYPE_KIND_FIXED_SIZE_BINARY:
		if msg.Width < 0 {
			d.fail("a type has the width %d", msg.Width)
		}
		return &arrow.FixedSizeBinaryType{ByteWidth: int(max(0, msg.Width))}
	}
	return d.nestedType(msg)
}

func (d *decoder) decimal(msg *Type, limit int32, t arrow.DataType) arrow.DataType {
	if msg.Precision < 1 || msg.Precision > limit {
		d.fail("a decimal has the precision %d", msg.Precision)
	}
	return t
}

func (d *decoder) nestedType(msg *Type) arrow.DataType {
	fields := d.fields(msg.Fields)
	want := map[TypeKind]int{
		TypeKind_TYPE_KIND_LIST: 1, TypeKind_TYPE_KIND_LARGE_LIST: 1, TypeKind_TYPE_KIND_FIXED_SIZE_LIST: 1,
		TypeKind_TYPE_KIND_MAP: 2, TypeKind_TYPE_KIND_DICTIONARY: 2, TypeKind_TYPE_KIND_STRUCT: len(fields),
	}
	if n, known := want[msg.Kind]; !known || n != len(fields) {
		d.fail("the type kind %d with %d members makes no sense", msg.Kind, len(fields))
		return arrow.Null
	}
	switch msg.Kind {
	case TypeKind_TYPE_KIND_LIST:
		return arrow.ListOfField(fields[0])
	case TypeKind_TYPE_KIND_LARGE_LIST:
		return arrow.LargeListOfField(fields[0])
	case TypeKind_TYPE_KIND_FIXED_SIZE_LIST:
		if msg.Width <= 0 {
			d.fail("a list has the fixed size %d", msg.Width)
			return arrow.Null
		}
		return arrow.FixedSizeListOfField(msg.Width, fields[0])
	case TypeKind_TYPE_KIND_MAP:
		if fields[0].Nullable {
			d.fail("a map has keys that may be null")
			return arrow.Null
		}
		m := arrow.MapOfFields(fields[0], fields[1])
		m.KeysSorted = msg.Ordered
		return m
	case TypeKind_TYPE_KIND_DICTIONARY:
		if !arrow.IsInteger(fields[0].Type.ID()) {
			d.fail("a dictionary has the index type %v", fields[0].Type.ID())
			return arrow.Null
		}
		return &arrow.DictionaryType{IndexType: fields[0].Type, ValueType: fields[1].Type, Ordered: msg.Ordered}
	}
	return arrow.StructOf(fields...)
}

func (d *decoder) schema(msg *Schema) *arrow.Schema {
	if msg == nil {
		return nil
	}
	m := metadata(msg.Metadata)
	return arrow.NewSchema(d.fields(msg.Fields), &m)
}

func (d *decoder) fields(msgs []*Field) []arrow.Field {
	out := make([]arrow.Field, len(msgs))
	for i, f := range msgs {
		out[i] = arrow.Field{
			Name: f.GetName(), Type: d.dataType(f.GetType()), Nullable: f.GetNullable(), Metadata: metadata(f.GetMetadata()),
		}
	}
	return out
}

func metadata(kvs []*KeyValue) arrow.Metadata {
	if len(kvs) == 0 {
		return arrow.Metadata{}
	}
	keys, values := make([]string, len(kvs)), make([]string, len(kvs))
	for i, kv := range kvs {
		keys[i], values[i] = kv.GetKey(), kv.GetValue()
	}
	return arrow.NewMetadata(keys, values)
}
