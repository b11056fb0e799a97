package ast

// Call is a function call of any kind: scalar, aggregate or window function.
//
// Special spellings arrive as calls of the function's usual name: EXTRACT(f FROM x) is date_part('f', x),
// SUBSTRING(x FROM a FOR b) is substr(x, a, b), TRIM is btrim, ltrim or rtrim, POSITION(a IN b) is strpos(b, a),
// OVERLAY(x PLACING y FROM a FOR b) is overlay(x, y, a, b), CEIL and FLOOR(x TO unit) are ceil and floor(x, 'unit'), and
// CURRENT_TIMESTAMP and its relatives are calls of the lower-case name without arguments.
type Call struct {
	Place
	Name Name
	// Distinct is set by f(DISTINCT …).
	Distinct bool
	// Args may hold a *Star, as in count(*).
	Args []*Arg
	// OrderBy stands inside the parentheses.
	OrderBy []*OrderItem
	// WithinGroup is the ordering of WITHIN GROUP (ORDER BY …).
	WithinGroup []*OrderItem
	// Filter is the condition of FILTER (WHERE …), or nil.
	Filter Expr
	Nulls  NullTreatment
	// Over is nil for a call without OVER.
	Over *Over
}

// Arg is one argument of a call; Name is given for name => value and name := value.
type Arg struct {
	Place
	Name  *Ident
	Value Expr
}

// NullTreatment is IGNORE NULLS or RESPECT NULLS, written inside or after the parentheses.
type NullTreatment uint8

// The null treatments.
const (
	NullsUntreated NullTreatment = iota
	IgnoreNulls
	RespectNulls
)

// Over is OVER name or OVER (spec); one of the two is given.
type Over struct {
	Place
	Name *Ident
	Spec *WindowSpec
}

// WindowSpec is ([base] [PARTITION BY …] [ORDER BY …] [frame]).
type WindowSpec struct {
	Place
	// Base is the name of a window of the WINDOW clause that this one extends, or nil.
	Base        *Ident
	PartitionBy []Expr
	OrderBy     []*OrderItem
	// Frame is nil without a frame clause.
	Frame *Frame
}

// FrameUnits is ROWS, RANGE or GROUPS.
type FrameUnits uint8

// The frame units.
const (
	FrameRows FrameUnits = iota
	FrameRange
	FrameGroups
)

// String is the word.
func (u FrameUnits) String() string { return [...]string{"ROWS", "RANGE", "GROUPS"}[u] }

// FrameExclusion is the EXCLUDE clause of a frame.
type FrameExclusion uint8

// The frame exclusions.
const (
	ExcludeNoOthers FrameExclusion = iota
	ExcludeCurrentRow
	ExcludeGroup
	ExcludeTies
)

// String is the words after EXCLUDE.
func (e FrameExclusion) String() string {
	return [...]string{"NO OTHERS", "CURRENT ROW", "GROUP", "TIES"}[e]
}

// Frame is units BETWEEN start AND end [EXCLUDE …]. A frame written with its start alone ends at the current row.
type Frame struct {
	Place
	Units   FrameUnits
	Start   FrameBound
	End     FrameBound
	Exclude FrameExclusion
}

// BoundKind is the kind of a frame bound, in the order in which bounds may follow each other.
type BoundKind uint8

// The kinds of frame bounds.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// FrameBound is one end of a frame.
type FrameBound struct {
	Place
	Kind BoundKind
	// Offset is the expression before PRECEDING or FOLLOWING, nil for the other kinds.
	Offset Expr
}
