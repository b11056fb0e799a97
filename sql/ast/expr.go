package ast

// Expr is an expression: one of the literals (*NumberLit, *StringLit, *BytesLit, *BoolLit, *NullLit, *TypedLit,
// *IntervalLit), *ColumnRef, *Field, *Subscript, *Slice, *Star, *Unary, *Binary, *Is, *IsDistinct, *In, *Between, *Like,
// *Quantified, *Exists, *Subquery, *ArrayQuery, *Case, *Cast, *AtTimeZone, *Call, *ArrayLit, *Row, *StructLit, *MapLit, *DefaultValue,
// *GroupingSets (only in GROUP BY), *TableArg and *Descriptor (only in arguments of table functions).
type Expr interface {
	Node
	expr()
}

// NumberLit is an unsigned number. A sign in front is a *Unary, so the smallest BIGINT is minus 9223372036854775808.
type NumberLit struct {
	Place
	// Text has no underscores; 0x, 0o and 0b numbers are rewritten in decimal.
	Text string
	// Integer is set when there is neither a decimal point nor an exponent. Its value may exceed every type.
	Integer bool
}

// StringLit is a string in any of the quotings: '…', E'…', U&'…', N'…', $$…$$. Value is decoded, valid UTF-8, without NUL.
type StringLit struct {
	Place
	Value string
}

// BytesLit is X'0aff'.
type BytesLit struct {
	Place
	Value []byte
}

// BoolLit is TRUE or FALSE.
type BoolLit struct {
	Place
	Value bool
}

// NullLit is NULL.
type NullLit struct {
	Place
}

// TypedLit is a type name before a string: TIMESTAMP '…', DATE '…', TIME '…', TIMESTAMPTZ '…', UUID '…'. The binder
// parses the string.
type TypedLit struct {
	Place
	Type  *DataType
	Value *StringLit
}

// IntervalUnit is a field of an interval, upper case, singular.
type IntervalUnit string

// The interval units. The empty unit means that the string names its own.
const (
	UnitNone        IntervalUnit = ""
	UnitCentury     IntervalUnit = "CENTURY"
	UnitDecade      IntervalUnit = "DECADE"
	UnitYear        IntervalUnit = "YEAR"
	UnitQuarter     IntervalUnit = "QUARTER"
	UnitMonth       IntervalUnit = "MONTH"
	UnitWeek        IntervalUnit = "WEEK"
	UnitDay         IntervalUnit = "DAY"
	UnitHour        IntervalUnit = "HOUR"
	UnitMinute      IntervalUnit = "MINUTE"
	UnitSecond      IntervalUnit = "SECOND"
	UnitMillisecond IntervalUnit = "MILLISECOND"
	UnitMicrosecond IntervalUnit = "MICROSECOND"
	UnitNanosecond  IntervalUnit = "NANOSECOND"
)

// IntervalLit is INTERVAL '1 hour 30 minutes', INTERVAL '1' HOUR, INTERVAL 5 SECOND, INTERVAL '1-2' YEAR TO MONTH.
type IntervalLit struct {
	Place
	// Value is usually a *StringLit or a *NumberLit (perhaps negated); INTERVAL (expr) DAY allows any expression.
	Value Expr
	// Unit is the word after the value; To is the word after TO. Both may be empty.
	Unit IntervalUnit
	To   IntervalUnit
}

// ColumnRef is a name or a compound name: column, table.column, column.field, table.column.field and so on; which it is
// depends on what is in scope.
type ColumnRef struct {
	Place
	Path Name
}

// Field is (expr).name, where expr is not itself a plain name.
type Field struct {
	Place
	X    Expr
	Name Ident
}

// Subscript is x[index]: the 1-based element of a list, a map's value, or a struct's field by a string.
type Subscript struct {
	Place
	X     Expr
	Index Expr
}

// Slice is x[low:high] or x[low:high:step]; each bound may be nil.
type Slice struct {
	Place
	X               Expr
	Low, High, Step Expr
}

// Star is * or t.*, in a select list or as the argument of a call.
type Star struct {
	Place
	// Qualifier is empty for a plain *.
	Qualifier Name
	// Except holds the columns of * EXCEPT (…) or * EXCLUDE (…).
	Except []Ident
	// Replace holds the items of * REPLACE (expr AS column); each has an alias.
	Replace []*SelectItem
}

// Unary is an operator before its operand.
type Unary struct {
	Place
	Op UnaryOp
	X  Expr
}

// Binary is an operator between two operands. For AND and OR of many terms the tree leans to the left.
type Binary struct {
	Place
	Op   BinaryOp
	L, R Expr
	// OpPos is where the operator itself stands.
	OpPos Place
}

// IsTest is what IS tests for.
type IsTest uint8

// The tests of IS.
const (
	IsNull IsTest = iota
	IsTrue
	IsFalse
	IsUnknown
)

// String is the word after IS [NOT].
func (t IsTest) String() string { return [...]string{"NULL", "TRUE", "FALSE", "UNKNOWN"}[t] }

// Is is x IS [NOT] NULL|TRUE|FALSE|UNKNOWN.
type Is struct {
	Place
	X    Expr
	Not  bool
	Test IsTest
}

// IsDistinct is l IS [NOT] DISTINCT FROM r. The operator <=> is the same with Not.
type IsDistinct struct {
	Place
	Not  bool
	L, R Expr
}

// In is x [NOT] IN (list) or x [NOT] IN (query); one of List and Query is given.
type In struct {
	Place
	Not   bool
	X     Expr
	List  []Expr
	Query *Query
}

// Between is x [NOT] BETWEEN [SYMMETRIC] low AND high.
type Between struct {
	Place
	Not       bool
	Symmetric bool
	X         Expr
	Low, High Expr
}

// LikeKind says which pattern language.
type LikeKind uint8

// The kinds of pattern matching.
const (
	LikePattern LikeKind = iota
	ILikePattern
	SimilarPattern
)

// String is the operator's words.
func (k LikeKind) String() string { return [...]string{"LIKE", "ILIKE", "SIMILAR TO"}[k] }

// Like is x [NOT] LIKE|ILIKE|SIMILAR TO pattern [ESCAPE e]. The operators ~~ ~~* !~~ !~~* are the same.
type Like struct {
	Place
	Kind    LikeKind
	Not     bool
	X       Expr
	Pattern Expr
	// Escape is nil without ESCAPE.
	Escape Expr
}

// Quantified is x op ANY (…) or x op ALL (…); SOME is ANY. One of Array and Query is given. Op may also be one of
// ~~ ~~* !~~ !~~* for LIKE ANY and its relatives.
type Quantified struct {
	Place
	Op    BinaryOp
	All   bool
	X     Expr
	Array Expr
	Query *Query
}

// Exists is EXISTS (query).
type Exists struct {
	Place
	Query *Query
}

// Subquery is a query used as a value: (query).
type Subquery struct {
	Place
	Query *Query
}

// ArrayQuery is ARRAY(query).
type ArrayQuery struct {
	Place
	Query *Query
}

// Case is CASE [operand] WHEN … THEN … [ELSE …] END.
type Case struct {
	Place
	// Operand is nil for the searched form.
	Operand Expr
	Whens   []*When
	// Else is nil without ELSE.
	Else Expr
}

// When is WHEN cond THEN result.
type When struct {
	Place
	Cond, Result Expr
}

// Cast is CAST(x AS type), x::type or, with Try, TRY_CAST(x AS type).
type Cast struct {
	Place
	X    Expr
	Type *DataType
	Try  bool
}

// AtTimeZone is x AT TIME ZONE zone.
type AtTimeZone struct {
	Place
	X    Expr
	Zone Expr
}

// ArrayLit is ARRAY[…] or […].
type ArrayLit struct {
	Place
	Items []Expr
}

// Row is (a, b) or ROW(a, b): a row value, a row of VALUES, or a group of columns in GROUPING SETS. It is empty for ()
// and has one item only for ROW(a), for rows of VALUES.
type Row struct {
	Place
	Items []Expr
}

// StructLit is STRUCT(a, b AS name).
type StructLit struct {
	Place
	// Type is given by STRUCT<a INT>(1), else nil.
	Type *DataType
	// Items have an alias where AS was written.
	Items []*SelectItem
}

// MapLit is MAP {k: v, …}; Keys and Values have the same length.
type MapLit struct {
	Place
	Keys, Values []Expr
}

// DefaultValue is the word DEFAULT as a value in INSERT … VALUES or SET.
type DefaultValue struct {
	Place
}

// GroupingKind is GROUPING SETS, ROLLUP or CUBE.
type GroupingKind uint8

// The kinds of grouping.
const (
	GroupingSetsOf GroupingKind = iota
	Rollup
	Cube
)

// String is the kind's words.
func (k GroupingKind) String() string { return [...]string{"GROUPING SETS", "ROLLUP", "CUBE"}[k] }

// GroupingSets is GROUPING SETS (…), ROLLUP (…) or CUBE (…). Items are expressions, *Row for a group of several (or no)
// columns, and, in GROUPING SETS, nested *GroupingSets.
type GroupingSets struct {
	Place
	Kind  GroupingKind
	Items []Expr
}

// TableArg is TABLE name [PARTITION BY …] [ORDER BY …] as an argument; one of Name and Query is given.
type TableArg struct {
	Place
	Name        Name
	Query       *Query
	PartitionBy []Expr
	OrderBy     []*OrderItem
}

// Descriptor is DESCRIPTOR(column, …) as an argument.
type Descriptor struct {
	Place
	Columns []Ident
}

func (*NumberLit) expr()    {}
func (*StringLit) expr()    {}
func (*BytesLit) expr()     {}
func (*BoolLit) expr()      {}
func (*NullLit) expr()      {}
func (*TypedLit) expr()     {}
func (*IntervalLit) expr()  {}
func (*ColumnRef) expr()    {}
func (*Field) expr()        {}
func (*Subscript) expr()    {}
func (*Slice) expr()        {}
func (*Star) expr()         {}
func (*Unary) expr()        {}
func (*Binary) expr()       {}
func (*Is) expr()           {}
func (*IsDistinct) expr()   {}
func (*In) expr()           {}
func (*Between) expr()      {}
func (*Like) expr()         {}
func (*Quantified) expr()   {}
func (*Exists) expr()       {}
func (*Subquery) expr()     {}
func (*ArrayQuery) expr()   {}
func (*Case) expr()         {}
func (*Cast) expr()         {}
func (*AtTimeZone) expr()   {}
func (*Call) expr()         {}
func (*ArrayLit) expr()     {}
func (*Row) expr()          {}
func (*StructLit) expr()    {}
func (*MapLit) expr()       {}
func (*DefaultValue) expr() {}
func (*GroupingSets) expr() {}
func (*TableArg) expr()     {}
func (*Descriptor) expr()   {}
