package ast

// QueryBody is one of *Select, *SetOperation, *Values, or a nested *Query. A nested query is there only when it has
// clauses of its own: plain parentheses are dissolved.
type QueryBody interface {
	Node
	queryBody()
}

// Query is [WITH …] body [ORDER BY …] [LIMIT …] [OFFSET …] [FETCH …].
type Query struct {
	Place
	// With is nil without a WITH clause.
	With    *With
	Body    QueryBody
	OrderBy []*OrderItem
	// Limit is the row count of LIMIT or FETCH FIRST, nil without one and for LIMIT ALL. FETCH FIRST ROW is 1.
	Limit Expr
	// WithTies is set by FETCH FIRST n ROWS WITH TIES.
	WithTies bool
	// Offset is nil without OFFSET.
	Offset Expr
}

// With is WITH [RECURSIVE] a AS (…), b AS (…).
type With struct {
	Place
	Recursive bool
	Tables    []*CTE
}

// CTE is name [(columns)] AS (query).
type CTE struct {
	Place
	Name    Ident
	Columns []Ident
	Query   *Query
}

// Select is one SELECT block.
type Select struct {
	Place
	// Distinct is set by SELECT DISTINCT and by DISTINCT ON; DistinctOn holds the latter's expressions.
	Distinct   bool
	DistinctOn []Expr
	Items      []*SelectItem
	// From holds the relations that commas separate: a cross join of all of them. It is empty without FROM.
	From    []TableExpr
	Where   Expr
	GroupBy *GroupBy
	Having  Expr
	Windows []*NamedWindow
	Qualify Expr
}

// SelectItem is an expression with an optional alias. Expr is *Star for *, t.* and their variants.
type SelectItem struct {
	Place
	Expr  Expr
	Alias *Ident
	// Measure is where a number and the alias stand if these are one beside the other, without AS, and the alias is a word for a
	// unit of time, so that the two may be meant as an interval: now() - 1 DAY.
	Measure Place
}

// GroupBy is GROUP BY ALL, or GROUP BY items.
type GroupBy struct {
	Place
	All bool
	// Items are expressions (an integer literal is an ordinal), *GroupingSets, or an empty *Row for ().
	Items []Expr
}

// NamedWindow is one name AS (spec) of the WINDOW clause.
type NamedWindow struct {
	Place
	Name Ident
	Spec *WindowSpec
}

// SetOperator is UNION, INTERSECT or EXCEPT.
type SetOperator uint8

// The set operators.
const (
	Union SetOperator = iota
	Intersect
	Except
)

// String is the operator's word.
func (o SetOperator) String() string { return [...]string{"UNION", "INTERSECT", "EXCEPT"}[o] }

// SetOperation is left UNION|INTERSECT|EXCEPT [ALL] [BY NAME] right. INTERSECT binds tighter than the other two, which
// group to the left.
type SetOperation struct {
	Place
	Op     SetOperator
	All    bool
	ByName bool
	Left   QueryBody
	Right  QueryBody
}

// Values is VALUES (…), (…). The rows may differ in length; that is for the binder to refuse.
type Values struct {
	Place
	Rows []*Row
}

// NullsOrder says where nulls sort.
type NullsOrder uint8

// The places of nulls. NullsUnspecified is last ascending and first descending, as in PostgreSQL.
const (
	NullsUnspecified NullsOrder = iota
	NullsFirst
	NullsLast
)

// OrderItem is expr [ASC|DESC] [NULLS FIRST|LAST].
type OrderItem struct {
	Place
	Expr  Expr
	Desc  bool
	Nulls NullsOrder
}

func (*Select) queryBody()       {}
func (*SetOperation) queryBody() {}
func (*Values) queryBody()       {}
func (*Query) queryBody()        {}
