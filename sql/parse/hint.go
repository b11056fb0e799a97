package parse

import (
	"fmt"
	"slices"
	"strings"

	"wadi/dataflow/fault"
)

// write sets how what is being read is written, for the hint of an error that nothing better is known about, and gives the
// function that sets it back.
func (p *parser) write(form string) (back func()) {
	outer := p.form
	p.form = form
	return func() {
		if p.form != "" {
			p.formDone = p.form
		}
		p.form = outer
	}
}

// hint finds the likeliest reason for an unexpected token, and else says what to write.
func (p *parser) hint(t token) string {
	if s := misspelt(t, p.now.words); s != "" {
		return s
	}
	if p.pos > 0 && p.before.at == p.pos-1 {
		if s := misspelt(p.toks[p.pos-1], p.before.words); s != "" {
			return s
		}
	}
	for _, find := range []func(token) string{p.foreignHint, p.punctuationHint, p.keywordHint, p.valueHint, p.pieceHint, p.clauseHint} {
		if s := find(t); s != "" {
			return s
		}
	}
	if p.form != "" {
		return "write " + p.form
	}
	return statementHint
}

// foreignHint recognises what other languages write.
func (p *parser) foreignHint(t token) string {
	last, next := p.last(), p.peekAt(1)
	beside := last.end == t.start
	switch {
	case t.isOp("#"), t.isOp("/") && (next.isOp("/") && next.start == t.end || last.isOp("/") && beside):
		return "a comment begins with --"
	case t.isOp("<") && last.isOp("=") && beside:
		return "write <="
	case t.isOp("<") && last.isOp(">") && beside:
		return "write <>"
	case t.isOp("=>"):
		return "write >= to compare; => gives an argument by its name"
	case t.isOp(":=") && slices.Contains(p.now.words, "AND"):
		return "write = to compare"
	case t.isOp(":") && p.hadQuestion():
		return "write CASE WHEN condition THEN x ELSE y END"
	case t.isWord("FORMAT") && last.isOp(")"):
		return "write WITH (connector = '…', format = 'json')"
	case t.isOp(":") && next.kind == tokenWord && (last.kind == tokenWord && !reserved[last.upper] || last.kind == tokenQuoted) && !p.hadQuestion():
		return fmt.Sprintf("write %s.%s for a member of a struct, %s -> '%s' for one of JSON", last.val, next.val, last.val, next.val)
	case last.isWord("MOD") && (t.kind == tokenNumber || t.kind == tokenWord):
		return "write % for the remainder"
	case t.isWord("EMIT"):
		return "leave EMIT out: a window comes out once, when it ends, and what is no window whenever it changes"
	case t.isWord("SELECT") && last.isWord("EXISTS"):
		return "put parentheses around the query"
	case last.kind == tokenNumber && t.kind == tokenNumber && beside:
		return "a number has one decimal point; write a text in single quotes"
	case t.kind == tokenNumber && beside && (last.kind == tokenWord || last.kind == tokenQuoted):
		return "a name that begins with a digit goes in double quotes"
	case last.kind == tokenNumber && t.kind == tokenWord && units[t.upper] != "":
		return fmt.Sprintf("write INTERVAL '%s %s'", last.val, strings.ToLower(t.val))
	case p.pos > 2 && last.kind == tokenWord && units[last.upper] != "" && p.toks[p.pos-2].kind == tokenNumber && (p.toks[p.pos-3].isOp("+") || p.toks[p.pos-3].isOp("-")):
		return fmt.Sprintf("write INTERVAL '%s %s'", p.toks[p.pos-2].val, strings.ToLower(last.val))
	case last.kind == tokenString && t.kind == tokenWord && beside:
		return "a quote within a string is doubled: 'it''s'"
	}
	return ""
}

// hadQuestion reports whether a ? stands before the cursor in the statement.
func (p *parser) hadQuestion() bool {
	for i := p.pos - 1; i >= 0 && !p.toks[i].isOp(";"); i-- {
		if p.toks[i].isOp("?") {
			return true
		}
	}
	return false
}

// ends reports whether a token ends the statement.
func (t token) ends() bool { return t.kind == tokenEnd || t.isOp(";") }

// last is the token before the cursor.
func (p *parser) last() token {
	if p.pos == 0 {
		return token{}
	}
	return p.toks[p.pos-1]
}

// punctuationHint looks for commas, parentheses and semicolons that are missing or too many.
func (p *parser) punctuationHint(t token) string {
	wanted := func(what string) bool { return slices.Contains(p.now.shown, what) }
	switch {
	case p.last().isOp(",") && (t.ends() || t.isOp(")") || reserved[t.upper]):
		return "remove the comma before it"
	case p.last().isOp(",") && t.isOp(","), t.isOp(",") && p.last().isWord("SELECT"), t.isOp(",") && p.last().isOp("("):
		return "remove this comma, or put a value before it"
	case wanted("','") && !t.ends() && startsItem(t) && p.form != parenForm:
		return "a comma may be missing before " + t.describe()
	case (t.ends() || clauseWords[t.upper] || statementWords[t.upper]) && len(p.opens) > 0 && !p.closedQuery():
		return p.unclosedHint()
	case t.isOp(")") && len(p.opens) == 0:
		return "this parenthesis closes nothing; remove it or add its opening partner"
	case t.isOp("]") && len(p.opens) == 0, t.isOp("}") && len(p.opens) == 0:
		return "this bracket closes nothing; remove it or add its opening partner"
	case statementWords[t.upper] && wanted("';'"):
		return "statements are separated by ';'"
	}
	return ""
}

// parenForm is what stands in parentheses in an expression.
const parenForm = "(a + b) or (SELECT …), with something between the parentheses"

// closedQuery reports whether the innermost parenthesis holds a query and is closed further on.
func (p *parser) closedQuery() bool {
	at := p.opens[len(p.opens)-1]
	inside := p.toks[min(at+1, len(p.toks)-1)]
	return p.toks[at].match >= 0 && (inside.isWord("SELECT") || inside.isWord("WITH"))
}

// keywordHint recognises a keyword or a string that is meant as a name.
func (p *parser) keywordHint(t token) string {
	if p.nameWanted && t.kind == tokenString {
		return "names are written without quotes or in double quotes; single quotes make a string"
	}
	if p.nameWanted && reserved[t.upper] && p.meantAsName(t, p.peekAt(1)) {
		return keywordHint(t)
	}
	return ""
}

// valueHint helps where a value is wanted, or an operator is missing behind one.
func (p *parser) valueHint(t token) string {
	last := p.last()
	if !slices.Equal(p.now.shown, []string{"an expression"}) {
		if slices.Contains(p.now.words, "AND") && !p.keywordWanted() && (startsItem(t) || t.isOp("(") || t.isOp("[")) {
			return "an operator may be missing before " + t.describe()
		}
		return ""
	}
	_, infix := infixOps[t.val]
	_, follows := infixOps[last.val]
	infix, follows = infix && t.kind == tokenOp, follows && last.kind == tokenOp
	switch {
	case t.isOp(":"), t.isOp(":="):
		return "there are no parameters; write the value itself"
	case t.isWord("SELECT"), t.isWord("WITH"):
		return "put parentheses around the query"
	case t.isOp("%") && (last.isWord("LIKE") || last.isWord("ILIKE")):
		return "write the pattern in single quotes: LIKE '%a%'"
	case t.isOp("."):
		return "put a name before the point"
	case last.isWord("SELECT") || last.isWord("DISTINCT") && p.pos > 1 && p.toks[p.pos-2].isWord("SELECT"):
		return "list the columns behind " + last.upper + ", or write * for all of them"
	case infix && follows && t.val == last.val:
		return "write " + t.val + " once"
	case infix && follows:
		return "put a value between " + last.val + " and " + t.val + ", or remove one of them"
	case infix, t.isWord("AND"), t.isWord("OR"), t.isWord("IS"), t.isWord("IN"), t.isWord("LIKE"), t.isWord("BETWEEN"), t.isOp("::"):
		return "put a value before " + t.describe()
	case follows || operatorWords[last.upper]:
		return "put a value behind " + last.describe()
	}
	return ""
}

// keywordWanted reports whether one keyword is what alone could follow.
func (p *parser) keywordWanted() bool {
	return len(p.now.shown) == 1 && p.now.shown[0] != "';'" && p.now.shown[0] != "')'"
}

// operatorWords are words with a value behind them.
var operatorWords = wordSet(`AND OR NOT LIKE ILIKE WHERE HAVING QUALIFY ON WHEN THEN ELSE LIMIT OFFSET BY`)

// clauseHint says in which order the clauses of a query stand.
func (p *parser) clauseHint(t token) string {
	if !orderedClauses[t.upper] || slices.Contains(p.now.shown, "an expression") || slices.Contains(p.now.shown, "a table") {
		return ""
	}
	if t.isWord("GROUP") && !p.peekAt(1).isWord("BY") || t.isWord("ORDER") && !p.peekAt(1).isWord("BY") {
		return "write " + t.upper + " BY"
	}
	verb, _, _ := strings.Cut(p.form, " ")
	if queryForms[verb] {
		return "the clauses of a query stand in this order: SELECT, FROM, WHERE, GROUP BY, HAVING, WINDOW, QUALIFY, ORDER BY, LIMIT"
	}
	return ""
}

// queryForms are the first words of what is written in a query.
var queryForms = wordSet(`SELECT WHERE GROUP ORDER LIMIT OFFSET FETCH`)

var orderedClauses = wordSet(`SELECT FROM WHERE GROUP HAVING WINDOW QUALIFY ORDER LIMIT OFFSET`)

// pieceHints say what to write where one thing alone is expected.
var pieceHints = map[string]string{
	"a table":                  "name a table or view, or write (SELECT …) AS t",
	"a table function":         "name a function that makes rows, as in unnest(list) AS t (x)",
	"an alias":                 "write a name there; one with special characters goes in double quotes",
	"a name after '.'":         "write the name of a column or of a field behind the point",
	"a type":                   "write a type such as BIGINT, DOUBLE, TEXT or TIMESTAMP",
	"a subscript":              "write a position: x[1], or two of them: x[1:3]",
	"a whole number":           "write digits alone, as in DECIMAL(10, 2)",
	"SELECT or VALUES":         "write INSERT INTO t SELECT a, b FROM u, or INSERT INTO t VALUES (1, 2)",
	"the end of the statement": "end the statement before it with ';'",
}

// pieceHint looks at what was expected.
func (p *parser) pieceHint(token) string {
	if len(p.now.shown) != 1 {
		return ""
	}
	return pieceHints[p.now.shown[0]]
}

// startsItem reports whether a token could begin the next item of a list.
func startsItem(t token) bool {
	switch t.kind {
	case tokenWord:
		return !reserved[t.upper] && !statementWords[t.upper] && !clauseWords[t.upper]
	case tokenQuoted, tokenNumber, tokenString, tokenBytes:
		return true
	}
	return false
}

// unclosedHint says where the innermost open parenthesis is.
func (p *parser) unclosedHint() string {
	open := p.toks[p.opens[len(p.opens)-1]]
	pos := fault.Locate(p.text, open.start)
	return fmt.Sprintf("the '%s' at line %d, column %d is not closed", open.val, pos.Line, pos.Column)
}

// misspelt gives a hint if an unquoted word is nearly one of the keywords.
func misspelt(t token, words []string) string {
	if t.kind != tokenWord || reserved[t.upper] || len(t.upper) < 3 || len(t.upper) > 20 || slices.Contains(words, t.upper) {
		return ""
	}
	best, limit := "", 1
	if len(t.upper) > 4 {
		limit = 2
	}
	for _, w := range words {
		if len(w) < 3 {
			continue
		}
		if d := fault.EditDistance(t.upper, w, limit+1); d <= limit && (d < len(w)/2 || d == 1 && strings.HasPrefix(t.upper, w)) {
			best, limit = w, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s instead of %s?", best, t.val)
}

// forgetUnclosed takes back that a string behind a place is not closed: what was meant as the end of a string before it is where
// it starts.
func (p *parser) forgetUnclosed(from int) {
	p.errs = slices.DeleteFunc(p.errs, func(e *fault.Error) bool { return e.Span.Start >= from && e.Message == unclosedString })
}
