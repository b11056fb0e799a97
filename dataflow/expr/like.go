package expr

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// likePattern is a LIKE pattern, compiled: the literal pieces between its wildcards.
type likePattern struct {
	shape likeShape
	// text is the literal of the simple shapes, in bytes.
	text []byte
	// tokens are those of any other pattern.
	tokens []likeToken
	fold   bool
}

type likeShape uint8

const (
	likeExact likeShape = iota
	likePrefix
	likeSuffix
	likeContains
	likeGeneral
)

// likeToken is a character, or a wildcard.
type likeToken struct {
	char     rune
	wildcard byte // '%', '_' or 0
}

// compileLike reads a pattern. escape, if not 0, takes the special meaning off the character after it. ok is false if
// the pattern ends with it.
func compileLike(pattern string, escape rune, fold bool) (p *likePattern, ok bool) {
	p = &likePattern{fold: fold}
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			p.tokens, escaped = append(p.tokens, likeToken{char: r}), false
		case escape != 0 && r == escape:
			escaped = true
		case r == '%':
			if n := len(p.tokens); n == 0 || p.tokens[n-1].wildcard != '%' {
				p.tokens = append(p.tokens, likeToken{wildcard: '%'})
			}
		case r == '_':
			p.tokens = append(p.tokens, likeToken{wildcard: '_'})
		default:
			p.tokens = append(p.tokens, likeToken{char: r})
		}
	}
	p.simplify()
	return p, !escaped
}

// simplify finds the shapes that need no search character by character.
func (p *likePattern) simplify() {
	tokens := p.tokens
	starts := len(tokens) > 0 && tokens[0].wildcard == '%'
	if starts {
		tokens = tokens[1:]
	}
	ends := len(tokens) > 0 && tokens[len(tokens)-1].wildcard == '%'
	if ends {
		tokens = tokens[:len(tokens)-1]
	}
	p.shape = likeGeneral
	for i, t := range tokens {
		if t.wildcard != 0 {
			return
		}
		if p.fold {
			if t.char >= utf8.RuneSelf {
				return
			}
			p.tokens[i+b2i(starts)].char = unicode.ToLower(t.char)
			t.char = unicode.ToLower(t.char)
		}
		p.text = utf8.AppendRune(p.text, t.char)
	}
	switch {
	case starts && ends, starts && len(tokens) == 0:
		p.shape = likeContains
	case starts:
		p.shape = likeSuffix
	case ends:
		p.shape = likePrefix
	default:
		p.shape = likeExact
	}
}

func (p *likePattern) match(s []byte) bool {
	if p.fold {
		return p.matchFolded(s)
	}
	switch p.shape {
	case likeExact:
		return string(s) == string(p.text)
	case likePrefix:
		return bytes.HasPrefix(s, p.text)
	case likeSuffix:
		return bytes.HasSuffix(s, p.text)
	case likeContains:
		return bytes.Contains(s, p.text)
	}
	return p.search(s, false)
}

func (p *likePattern) matchFolded(s []byte) bool {
	switch p.shape {
	case likeExact:
		return len(s) == len(p.text) && asciiEqualFold(s, p.text) || !isASCII(s) && p.search(s, true)
	case likePrefix:
		return len(s) >= len(p.text) && asciiEqualFold(s[:len(p.text)], p.text) || !isASCII(s) && p.search(s, true)
	}
	return p.search(s, true)
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// asciiEqualFold compares with a text in lower case.
func asciiEqualFold(s, lower []byte) bool {
	for i, c := range s {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// search matches with one level of backtracking: only the last % can take more characters.
func (p *likePattern) search(s []byte, fold bool) bool {
	at, token := 0, 0
	retry, retryToken := -1, 0
	for at < len(s) {
		r, w := utf8.DecodeRune(s[at:])
		if token < len(p.tokens) {
			t := p.tokens[token]
			switch {
			case t.wildcard == '%':
				retry, retryToken = at, token
				token++
				continue
			case t.wildcard == '_' || t.char == r || fold && equalFold(t.char, r):
				at, token = at+w, token+1
				continue
			}
		}
		if retry < 0 {
			return false
		}
		_, w = utf8.DecodeRune(s[retry:])
		retry += w
		at, token = retry, retryToken+1
	}
	for token < len(p.tokens) && p.tokens[token].wildcard == '%' {
		token++
	}
	return token == len(p.tokens)
}

func equalFold(a, b rune) bool { return unicode.ToLower(a) == unicode.ToLower(b) }

// likeOf gives the compiled pattern for row r, compiling it only when it differs from the last one.
type likeCache struct {
	pattern, escape string
	compiled        *likePattern
	fold            bool
}

func (l *likeCache) get(c *call, r int) (*likePattern, error) {
	pattern, escape := c.text(1).at(r), `\`
	if len(c.args) == 3 {
		escape = c.text(2).at(r)
	}
	if l.compiled != nil && l.pattern == pattern && l.escape == escape {
		return l.compiled, nil
	}
	if utf8.RuneCountInString(escape) > 1 {
		return nil, c.badArgument("ESCAPE takes one character").WithHint("for example ESCAPE '!'")
	}
	var esc rune
	for _, e := range escape {
		esc = e
	}
	p, ok := compileLike(pattern, esc, l.fold)
	if !ok {
		return nil, c.badArgument("the pattern ends with the escape character").WithHint("write it twice for the character itself")
	}
	l.pattern, l.escape, l.compiled = strings.Clone(pattern), strings.Clone(escape), p
	return p, nil
}

func likeKernel(fold, negated bool) func(*Node) kernel {
	return func(*Node) kernel {
		cache := &likeCache{fold: fold}
		return testKernel(func(c *call, r int) (bool, error) {
			p, err := cache.get(c, r)
			if err != nil {
				return false, err
			}
			return p.match(c.text(0).bytes(r)) != negated, nil
		})
	}
}

// likeSpecial makes a step with loops of its own for a constant pattern of a simple shape.
func likeSpecial(fold, negated bool) func(c *compiler, n *Node) (step, error) {
	return func(c *compiler, n *Node) (step, error) {
		args, err := c.compileAll(n.Args)
		if err != nil {
			return nil, err
		}
		s := &likeStep{negated: negated}
		s.callStep = callStep{node: n, name: c.fs.lookup(n.Name).display(), args: args, kernel: likeKernel(fold, negated)(n), stable: true}
		pattern, ok := n.Args[1].Value.(string)
		if ok && n.Args[1].Kind == Literal && len(n.Args) == 2 {
			if p, ok := compileLike(pattern, '\\', fold); ok {
				s.pattern = p
			}
		}
		return s, nil
	}
}

type likeStep struct {
	callStep
	pattern *likePattern
	negated bool
	picked  []int32
	out     boolOut
	live    []int32
}

func (s *likeStep) eval(x *exec, sel []int32) (column.Vector, error) {
	if s.pattern == nil {
		return s.callStep.eval(x, sel)
	}
	v, err := x.eval(s.args[0], sel)
	if err != nil {
		return nil, err
	}
	if _, ok := v.(*column.Const); ok {
		return s.callStep.eval(x, sel)
	}
	out := s.out.startRows(x.n, v.Validity())
	out.Bits = setRows(out.Bits, s.pick(v.(*column.Bytes), sel, x.n), x.n)
	return &out.Bool, nil
}

// selectTrue implements selecter.
func (s *likeStep) selectTrue(x *exec, sel []int32) ([]int32, error) {
	v, err := x.eval(s.args[0], sel)
	if err != nil {
		return nil, err
	}
	b, ok := v.(*column.Bytes)
	if s.pattern == nil || !ok {
		if v, err = s.eval(x, sel); err != nil {
			return nil, err
		}
		s.picked = trueRows(s.picked, v, sel, x.n)
		return s.picked, nil
	}
	return s.pick(b, sel, x.n), nil
}

func (s *likeStep) pick(b *column.Bytes, sel []int32, n int) []int32 {
	rows := sel
	if rows == nil || b.Valid != nil {
		s.live = validRows(s.live, b.Valid, sel, n)
		rows = s.live
	}
	dst := scratchRows(s.picked, len(rows))
	k, invert, p := 0, b2i(s.negated), s.pattern
	switch {
	case p.shape == likeContains && !p.fold:
		for _, r := range rows {
			dst[k] = r
			k += b2i(bytes.Contains(b.At(int(r)), p.text)) ^ invert
		}
	case p.shape == likePrefix && !p.fold:
		for _, r := range rows {
			dst[k] = r
			k += b2i(bytes.HasPrefix(b.At(int(r)), p.text)) ^ invert
		}
	default:
		for _, r := range rows {
			dst[k] = r
			k += b2i(p.match(b.At(int(r)))) ^ invert
		}
	}
	s.picked = dst
	return dst[:k]
}

func likeFunctions() []*function {
	like := func(name, text, example, result string, fold, negated bool) *function {
		return &function{
			name: name, operator: text, category: "operators", example: example, result: result,
			doc: "Matches a text with a pattern: % is any characters, _ is one. ESCAPE names another escape character than \\.",
			overloads: []overload{
				{params: []param{pText, pText}, result: returns(typeBool)},
				{params: []param{pText, pText, pText}, result: returns(typeBool)},
			},
			special: likeSpecial(fold, negated), check: checkLike,
		}
	}
	return []*function{
		like("like", "LIKE", "'wadi' LIKE 'w_d%'", "true", false, false),
		like("not_like", "NOT LIKE", "'wadi' NOT LIKE '%x%'", "true", false, true),
		like("ilike", "ILIKE", "'Wadi' ILIKE 'wA%'", "true", true, false),
		like("not_ilike", "NOT ILIKE", "'Wadi' NOT ILIKE 'wA%'", "false", true, true),
	}
}

var typeTexts arrow.DataType = arrow.ListOfField(arrow.Field{Name: "item", Type: typeText, Nullable: true})
