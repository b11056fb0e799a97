package ast

// Statement is one of *CreateTable, *CreateView, *Insert, *Set, *Explain, *QueryStatement.
// Statements of other kinds are refused by the parser and have no node.
type Statement interface {
	Node
	statement()
}

// CreateTable is CREATE [OR REPLACE] [TEMPORARY] TABLE [IF NOT EXISTS] name (columns…) [WITH (options)]
// [PARTITIONED BY (…)] [AS query]. All lists may be empty. With Query it is CREATE TABLE … AS.
type CreateTable struct {
	Place
	OrReplace   bool
	Temporary   bool
	IfNotExists bool
	Name        Name
	Columns     []*ColumnDef
	// Watermarks holds each WATERMARK FOR clause in the order written; more than one is for the binder to refuse.
	Watermarks  []*Watermark
	Constraints []*TableConstraint
	Options     []*Option
	// PartitionedBy holds the elements as written, usually calls such as bucket(c, 4).
	PartitionedBy []Expr
	Query         *Query
}

// ColumnDef is one column of a CREATE TABLE.
type ColumnDef struct {
	Place
	Name Ident
	Type *DataType
	// NotNull is set by NOT NULL; NULL leaves it false.
	NotNull    bool
	PrimaryKey bool
	// Default is the expression of DEFAULT, or nil.
	Default Expr
	// Metadata is the key of METADATA FROM 'key', or nil.
	Metadata *StringLit
	// Generated is the expression of GENERATED ALWAYS AS (…), or nil.
	Generated Expr
	// Storage is STORED or VIRTUAL if it was written after GENERATED ALWAYS AS (…).
	Storage GeneratedStorage
	// Constraints holds the column constraints that have no field above.
	Constraints []*ColumnConstraint
}

// GeneratedStorage says what was written after a generated column's expression.
type GeneratedStorage uint8

// The storage words of generated columns.
const (
	StorageUnspecified GeneratedStorage = iota
	StorageStored
	StorageVirtual
)

// ConstraintKind names a constraint as in SQL.
type ConstraintKind string

// The kinds of constraints.
const (
	ConstraintPrimaryKey ConstraintKind = "PRIMARY KEY"
	ConstraintUnique     ConstraintKind = "UNIQUE"
	ConstraintForeignKey ConstraintKind = "FOREIGN KEY"
	ConstraintReferences ConstraintKind = "REFERENCES"
	ConstraintCheck      ConstraintKind = "CHECK"
)

// ColumnConstraint is a constraint of a column beyond NOT NULL and PRIMARY KEY: UNIQUE, CHECK or REFERENCES.
type ColumnConstraint struct {
	Place
	Kind ConstraintKind
	// Check is the condition of CHECK, else nil.
	Check Expr
	// References and RefColumns are the target of REFERENCES.
	References Name
	RefColumns []Ident
}

// TableConstraint is a constraint of the whole table: PRIMARY KEY (…), UNIQUE (…), FOREIGN KEY (…) REFERENCES …
// or CHECK (…).
type TableConstraint struct {
	Place
	// Name is the name after CONSTRAINT, or nil.
	Name *Ident
	Kind ConstraintKind
	// Columns are the columns of PRIMARY KEY, UNIQUE and FOREIGN KEY.
	Columns []Ident
	// Check is the condition of CHECK, else nil.
	Check Expr
	// References and RefColumns are the target of FOREIGN KEY.
	References Name
	RefColumns []Ident
}

// Watermark is WATERMARK FOR column [AS expr].
type Watermark struct {
	Place
	Column Ident
	// As is the expression after AS, or nil.
	As Expr
}

// Option is one key = value of a WITH list.
type Option struct {
	Place
	// Key is the key as written, parts joined by dots: connector, json.unstructured.
	Key Ident
	// Value is any expression: a string, number, boolean, interval, column reference or array. Its meaning depends
	// on the option.
	Value Expr
}

// CreateView is CREATE [OR REPLACE] [TEMPORARY] VIEW [IF NOT EXISTS] name [(columns)] AS query.
type CreateView struct {
	Place
	OrReplace   bool
	Temporary   bool
	IfNotExists bool
	Name        Name
	Columns     []Ident
	Query       *Query
}

// InsertMode is the word after INSERT.
type InsertMode uint8

// The forms of INSERT.
const (
	InsertInto InsertMode = iota
	InsertOverwrite
	InsertReplace
)

// Insert is INSERT INTO table [(columns)] query. For INSERT … VALUES the query's body is *Values, whose rows may hold *DefaultValue.
type Insert struct {
	Place
	Mode    InsertMode
	Table   Name
	Columns []Ident
	// Defaults is set by DEFAULT VALUES; Query is then one row of VALUES without any value.
	Defaults bool
	Query    *Query
}

// Set is SET name = value or SET name TO value. Value is an expression, *DefaultValue for DEFAULT.
type Set struct {
	Place
	Name  Name
	Value Expr
}

// Explain is EXPLAIN [ANALYZE] [VERBOSE] [(FORMAT f)] statement.
type Explain struct {
	Place
	Analyze bool
	Verbose bool
	// Format is the lower-case word after FORMAT, or empty.
	Format    string
	Statement Statement
}

// QueryStatement is a query standing alone.
type QueryStatement struct {
	Place
	Query *Query
}

func (*CreateTable) statement()    {}
func (*CreateView) statement()     {}
func (*Insert) statement()         {}
func (*Set) statement()            {}
func (*Explain) statement()        {}
func (*QueryStatement) statement() {}
