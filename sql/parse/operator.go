package parse

import "wadi/sql/ast"

// Binding powers, loosest first. They are PostgreSQL's, as its documentation lists them, with these differences:
//
//   - comparisons, and the level of LIKE, group to the left instead of not associating: a = b = c is (a = b) = c;
//   - == is =, and <=> is IS NOT DISTINCT FROM but binds like a comparison;
//   - ?, ?| and ?& are the JSON operators, never parameters.
//
// Two consequences that surprise: -> and ->> are ordinary operators, above comparisons and below +, so that
// v -> 'a' || 'b' is (v -> 'a') || 'b' while v -> 'a'::text casts 'a'; and IS binds looser than comparisons, so that
// a IS DISTINCT FROM b AND c is (a IS DISTINCT FROM b) AND c.
const (
	bpLowest  = 0
	bpOr      = 10
	bpAnd     = 20
	bpNot     = 30
	bpIs      = 40
	bpCompare = 50
	bpLike    = 60
	bpOther   = 70
	bpAdd     = 80
	bpMul     = 90
	bpPow     = 100
	bpAt      = 110
	bpUnary   = 120
	bpPostfix = 130
)

// infixOps maps the operators between two operands to their canonical names and binding powers.
var infixOps = map[string]struct {
	op ast.BinaryOp
	bp int
}{
	"=": {ast.Eq, bpCompare}, "==": {ast.Eq, bpCompare}, "<>": {ast.Ne, bpCompare}, "!=": {ast.Ne, bpCompare},
	"<": {ast.Lt, bpCompare}, "<=": {ast.Le, bpCompare}, ">": {ast.Gt, bpCompare}, ">=": {ast.Ge, bpCompare},
	"+": {ast.Add, bpAdd}, "-": {ast.Sub, bpAdd},
	"*": {ast.Mul, bpMul}, "/": {ast.Div, bpMul}, "%": {ast.Mod, bpMul}, "^": {ast.Pow, bpPow},
	"&": {ast.BitAnd, bpOther}, "|": {ast.BitOr, bpOther}, "#": {ast.BitXor, bpOther},
	"<<": {ast.ShiftLeft, bpOther}, ">>": {ast.ShiftRight, bpOther},
	"||": {ast.Concat, bpOther}, "^@": {ast.StartsWith, bpOther},
	"~": {ast.RegexMatch, bpOther}, "~*": {ast.RegexIMatch, bpOther},
	"!~": {ast.RegexNotMatch, bpOther}, "!~*": {ast.RegexNotIMatch, bpOther},
	"~~": {ast.LikeOp, bpOther}, "~~*": {ast.ILikeOp, bpOther},
	"!~~": {ast.NotLikeOp, bpOther}, "!~~*": {ast.NotILikeOp, bpOther},
	"->": {ast.JSONGet, bpOther}, "->>": {ast.JSONGetText, bpOther},
	"#>": {ast.JSONGetPath, bpOther}, "#>>": {ast.JSONGetPathText, bpOther},
	"?": {ast.JSONHasKey, bpOther}, "?|": {ast.JSONHasAny, bpOther}, "?&": {ast.JSONHasAll, bpOther},
	"@?": {ast.JSONPathExists, bpOther}, "@@": {ast.JSONPathMatch, bpOther},
	"@>": {ast.Contains, bpOther}, "<@": {ast.ContainedBy, bpOther}, "&&": {ast.Overlaps, bpOther},
}

// prefixOps maps the operators before an operand, other than NOT, to the binding power of the operand.
var prefixOps = map[string]struct {
	op ast.UnaryOp
	bp int
}{
	"-": {ast.Neg, bpUnary}, "+": {ast.Plus, bpUnary},
	"~": {ast.BitNot, bpOther}, "@": {ast.Abs, bpOther}, "|/": {ast.SquareRoot, bpOther}, "||/": {ast.CubeRoot, bpOther},
	"!!": {ast.Factorial, bpOther}, "!": {ast.Bang, bpOther},
}

// infixPower is the binding power of what follows an operand at the cursor, 0 if it does not continue the expression.
func (p *parser) infixPower() int {
	t := p.peek()
	switch t.kind {
	case tokenOp:
		switch t.val {
		case "<=>":
			return bpCompare
		case "[", "::", ".":
			return bpPostfix
		case "!":
			p.unsupported(t.span(), "the operator ! behind a value").WithHint("write factorial(x)")
			return 0
		}
		return infixOps[t.val].bp
	case tokenWord:
		return p.wordPower(t.upper)
	}
	return 0
}

func (p *parser) wordPower(word string) int {
	switch word {
	case "OR":
		return bpOr
	case "AND":
		return bpAnd
	case "IS", "ISNULL", "NOTNULL":
		return bpIs
	case "IN", "LIKE", "ILIKE", "BETWEEN":
		return bpLike
	case "SIMILAR", "NOT":
		return p.twoWordPower(word)
	case "AT":
		if p.wordsAt(1, "TIME", "ZONE") || p.wordsAt(1, "LOCAL") {
			return bpAt
		}
	case "OVERLAPS":
		if next := p.peekAt(1); next.isOp("(") || next.isWord("ROW") {
			return bpLike
		}
	case "COLLATE", "GLOB", "RLIKE", "REGEXP", "DIV", "XOR", "MEMBER":
		return p.refusedOperator(word)
	}
	return 0
}

func (p *parser) twoWordPower(word string) int {
	next := p.peekAt(1)
	if word == "SIMILAR" && next.isWord("TO") {
		return bpLike
	}
	if word == "NOT" && !next.isWord("NULL") {
		// Behind a value NOT begins NOT IN and its like; only in CREATE TABLE, NOT NULL may follow a DEFAULT.
		return bpLike
	}
	return 0
}

// refusedHints are operators of other engines, with what to write instead.
var refusedHints = map[string]string{
	"COLLATE": "texts compare by their bytes",
	"GLOB":    "write LIKE", "RLIKE": "write ~ 'pattern'", "REGEXP": "write ~ 'pattern'", "DIV": "write /: division of integers truncates",
	"XOR": "write # for bits and <> for booleans", "MEMBER": "write x = ANY (list)",
}

// refusedOperator refuses an operator by name if what follows shows that it is meant as one and not as an alias.
func (p *parser) refusedOperator(word string) int {
	next := p.peekAt(1)
	operand := next.kind == tokenString || next.kind == tokenNumber || next.kind == tokenQuoted || next.isOp("(") ||
		next.kind == tokenWord && !reserved[next.upper] && !notBareAlias[next.upper]
	if word == "COLLATE" || operand {
		p.unsupported(p.peek().span(), word).Hint = refusedHints[word]
	}
	return 0
}
