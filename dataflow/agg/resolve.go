package agg

import (
	"github.com/apache/arrow-go/v18/arrow"
)

func storage(dt arrow.DataType) arrow.DataType {
	if e, ok := dt.(arrow.ExtensionType); ok {
		return e.StorageType()
	}
	return dt
}

// class groups types by how they accumulate.
type class uint8

const (
	otherClass class = iota
	nullClass
	signedClass
	unsignedClass
	floatClass
	decimalClass
	// wordClass are the other types of one word that have an order.
	wordClass
	intervalClass
	bytesClass
)

func classOf(dt arrow.DataType) class {
	switch storage(dt).ID() {
	case arrow.NULL:
		return nullClass
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64:
		return signedClass
	case arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return unsignedClass
	case arrow.FLOAT32, arrow.FLOAT64:
		return floatClass
	case arrow.DECIMAL128:
		return decimalClass
	case arrow.BOOL, arrow.TIMESTAMP, arrow.DATE32, arrow.TIME32, arrow.TIME64, arrow.DURATION:
		return wordClass
	case arrow.INTERVAL_MONTH_DAY_NANO:
		return intervalClass
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.FIXED_SIZE_BINARY:
		return bytesClass
	}
	return otherClass
}

func resolveCount(args []arrow.DataType) (Resolved, bool) {
	types := make([]arrow.DataType, len(args))
	for i, a := range args {
		types[i] = a
		if classOf(a) == nullClass {
			types[i] = arrow.PrimitiveTypes.Int64
		}
	}
	return Resolved{ArgTypes: types, Type: arrow.PrimitiveTypes.Int64}, true
}

func resolveSum(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 1 {
		return Resolved{}, false
	}
	switch classOf(args[0]) {
	case nullClass:
		return one(arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int64), true
	case signedClass:
		return one(args[0], arrow.PrimitiveTypes.Int64), true
	case unsignedClass:
		return one(args[0], arrow.PrimitiveTypes.Uint64), true
	case floatClass:
		return one(args[0], arrow.PrimitiveTypes.Float64), true
	case decimalClass:
		d := storage(args[0]).(*arrow.Decimal128Type)
		// Ten more digits, as in DataFusion: enough for ten thousand million rows.
		return one(args[0], &arrow.Decimal128Type{Precision: min(38, d.Precision+10), Scale: d.Scale}), true
	case intervalClass:
		return one(args[0], args[0]), true
	}
	return Resolved{}, false
}

func one(arg, result arrow.DataType) Resolved {
	return Resolved{ArgTypes: []arrow.DataType{arg}, Type: result, Nullable: true}
}

// resolveAvg follows DataFusion for decimals: four digits more, within DECIMAL(38, 38).
func resolveAvg(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 1 {
		return Resolved{}, false
	}
	switch classOf(args[0]) {
	case nullClass:
		return one(arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float64), true
	case signedClass, unsignedClass, floatClass:
		return one(args[0], arrow.PrimitiveTypes.Float64), true
	case decimalClass:
		d := storage(args[0]).(*arrow.Decimal128Type)
		return one(args[0], &arrow.Decimal128Type{Precision: min(38, d.Precision+4), Scale: min(38, d.Scale+4)}), true
	case intervalClass:
		return one(args[0], args[0]), true
	}
	return Resolved{}, false
}

func resolveExtreme(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 1 {
		return Resolved{}, false
	}
	switch classOf(args[0]) {
	case nullClass:
		return one(arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int64), true
	case otherClass:
		return Resolved{}, false
	}
	return one(args[0], args[0]), true
}
