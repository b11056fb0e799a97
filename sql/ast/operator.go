package ast

// UnaryOp is an operator before its operand.
type UnaryOp string

// The unary operators. The binder refuses those that have no meaning here.
const (
	Neg        UnaryOp = "-"
	Plus       UnaryOp = "+"
	Not        UnaryOp = "NOT"
	BitNot     UnaryOp = "~"
	Abs        UnaryOp = "@"
	SquareRoot UnaryOp = "|/"
	CubeRoot   UnaryOp = "||/"
	Factorial  UnaryOp = "!!"
	Bang       UnaryOp = "!"
)

// BinaryOp is an operator between two operands, in its canonical spelling: = for ==, <> for !=.
type BinaryOp string

// The binary operators. The binder refuses those that have no meaning here.
const (
	Or  BinaryOp = "OR"
	And BinaryOp = "AND"

	Eq BinaryOp = "="
	Ne BinaryOp = "<>"
	Lt BinaryOp = "<"
	Le BinaryOp = "<="
	Gt BinaryOp = ">"
	Ge BinaryOp = ">="

	Add BinaryOp = "+"
	Sub BinaryOp = "-"
	Mul BinaryOp = "*"
	Div BinaryOp = "/"
	Mod BinaryOp = "%"
	Pow BinaryOp = "^"

	BitAnd     BinaryOp = "&"
	BitOr      BinaryOp = "|"
	BitXor     BinaryOp = "#"
	ShiftLeft  BinaryOp = "<<"
	ShiftRight BinaryOp = ">>"

	Concat     BinaryOp = "||"
	StartsWith BinaryOp = "^@"

	RegexMatch     BinaryOp = "~"
	RegexIMatch    BinaryOp = "~*"
	RegexNotMatch  BinaryOp = "!~"
	RegexNotIMatch BinaryOp = "!~*"

	// The LIKE operators occur only in Quantified; elsewhere they are *Like.
	LikeOp     BinaryOp = "~~"
	ILikeOp    BinaryOp = "~~*"
	NotLikeOp  BinaryOp = "!~~"
	NotILikeOp BinaryOp = "!~~*"

	JSONGet         BinaryOp = "->"
	JSONGetText     BinaryOp = "->>"
	JSONGetPath     BinaryOp = "#>"
	JSONGetPathText BinaryOp = "#>>"
	JSONHasKey      BinaryOp = "?"
	JSONHasAny      BinaryOp = "?|"
	JSONHasAll      BinaryOp = "?&"
	JSONPathExists  BinaryOp = "@?"
	JSONPathMatch   BinaryOp = "@@"

	Contains    BinaryOp = "@>"
	ContainedBy BinaryOp = "<@"
	Overlaps    BinaryOp = "&&"

	// OverlapsOp compares two periods, which are rows.
	OverlapsOp BinaryOp = "OVERLAPS"
)
