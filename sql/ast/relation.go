package ast

// TableExpr is a relation in FROM: one of *TableRef, *Derived, *TableFunction, *Join, *Nested.
type TableExpr interface {
	Node
	tableExpr()
}

// TableAlias is [AS] name [(columns)].
type TableAlias struct {
	Place
	Name    Ident
	Columns []Ident
}

// TableRef is a table, view or CTE by name: name [FOR SYSTEM_TIME AS OF expr] [alias].
type TableRef struct {
	Place
	Name Name
	// AsOf is the expression after FOR SYSTEM_TIME AS OF, or nil.
	AsOf  Expr
	Alias *TableAlias
}

// Derived is [LATERAL] (query) [alias]; (VALUES …) is one as well.
type Derived struct {
	Place
	Lateral bool
	Query   *Query
	Alias   *TableAlias
}

// TableFunction is a call in FROM: [LATERAL] f(…) [WITH ORDINALITY] [alias], also written TABLE(f(…)). The arguments
// of window table functions hold *TableArg and *Descriptor.
type TableFunction struct {
	Place
	Lateral    bool
	Call       *Call
	Ordinality bool
	Alias      *TableAlias
}

// JoinKind is what happens to rows without a match.
type JoinKind uint8

// The kinds of joins.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	CrossJoin
	LeftSemiJoin
	RightSemiJoin
	LeftAntiJoin
	RightAntiJoin
)

// String is the kind as it is written before JOIN; it is empty for an inner join.
func (k JoinKind) String() string {
	return [...]string{"", "LEFT", "RIGHT", "FULL", "CROSS", "LEFT SEMI", "RIGHT SEMI", "LEFT ANTI", "RIGHT ANTI"}[k]
}

// Join is left [NATURAL] [ASOF] kind JOIN right [ON expr | USING (columns)]. At most one of Natural, On and Using is
// given; cross joins have none of them. Joins group to the left.
type Join struct {
	Place
	Kind    JoinKind
	Natural bool
	// Asof is set by ASOF JOIN and ASOF LEFT JOIN; Match is the condition of MATCH_CONDITION (…), or nil when the
	// inequality stands in On.
	Asof  bool
	Match Expr
	Left  TableExpr
	Right TableExpr
	On    Expr
	Using []Ident
}

// Nested is a parenthesised join with an alias: (a JOIN b ON …) AS x.
type Nested struct {
	Place
	Table TableExpr
	Alias *TableAlias
}

func (*TableRef) tableExpr()      {}
func (*Derived) tableExpr()       {}
func (*TableFunction) tableExpr() {}
func (*Join) tableExpr()          {}
func (*Nested) tableExpr()        {}
