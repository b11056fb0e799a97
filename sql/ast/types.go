package ast

// DataType is a type as written, under one canonical upper-case name. What each name means and which are supported is
// the binder's business.
//
// Synonyms and names of several words become: BOOLEAN (BOOL), TINYINT, SMALLINT (INT2), INT (INTEGER, INT4), BIGINT (INT8),
// REAL (FLOAT, FLOAT4), DOUBLE (DOUBLE PRECISION, FLOAT8), DECIMAL (NUMERIC, DEC), CHAR (CHARACTER), VARCHAR (CHARACTER
// VARYING, CHAR VARYING), TEXT (STRING), VARBINARY (BINARY VARYING), TIMESTAMP (DATETIME, TIMESTAMP WITHOUT TIME ZONE),
// TIMESTAMPTZ (TIMESTAMP WITH TIME ZONE), DATE, TIME (TIME WITHOUT TIME ZONE), TIMETZ (TIME WITH TIME ZONE), INTERVAL,
// BYTEA, JSON, JSONB, UUID, ARRAY, STRUCT (ROW), MAP. Any other name is kept, in upper case unless quoted, compound ones
// joined by dots. BLOB, BINARY, NVARCHAR and so on keep their names.
type DataType struct {
	Place
	Name string
	// Quoted is set when the name was written in double quotes; it is never canonicalised then.
	Quoted bool
	// Args are the numbers in parentheses: DECIMAL(10, 2), TIMESTAMP(3), VARCHAR(20). For an ARRAY of a fixed size,
	// T[n], it is the size.
	Args []int
	// Unsigned is set by UNSIGNED before or after an integer type.
	Unsigned bool
	// Elem is the element type of ARRAY (T[], ARRAY<T>, T ARRAY); nil for a bare ARRAY.
	Elem *DataType
	// Key and Value are the types of MAP<K, V>; both nil for a bare MAP.
	Key, Value *DataType
	// Fields are the members of STRUCT<…> or ROW(…).
	Fields []*FieldDef
}

// FieldDef is one member of a struct type. Name is nil for an anonymous member, which the binder refuses.
type FieldDef struct {
	Place
	Name    *Ident
	Type    *DataType
	NotNull bool
}
