package selector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
)

// A set is one alternative of a range: the span that all of its comparators share, and the
// releases (MAJOR.MINOR.PATCH) whose pre-releases in that span match, too.
type set struct {
	low, high   stet.Number // from low up to high; a zero high is no limit
	admitted    []stet.Number
	comparators int
	empty       bool // no number matches, whatever the ends are
}

// bottom is the lowest number of all.
var bottom = stet.NewNumber(0, 0, 0).Lowest()

// parseSet reads an alternative, or says why it is malformed.
func parseSet(s string) (st set, why string) {
	st.low = bottom
	words := slices.DeleteFunc(strings.Split(s, " "), func(w string) bool { return w == "" })
	if len(words) == 0 {
		return st, "nothing stands beside a ||. Write * for every release"
	}
	if len(words) == 3 && words[1] == "-" {
		from, why := parsePartial(words[0])
		if why != "" {
			return st, why
		}
		to, why := parsePartial(words[2])
		if why != "" {
			return st, why
		}
		st.restrict(">=", from)
		st.restrict("<=", to)
		return st, ""
	}
	for i := 0; i < len(words); i++ {
		op, rest := cutOperator(words[i])
		if rest == "" && op != "" && i+1 < len(words) { // > 1.2
			i++
			rest = words[i]
		}
		if why := whyNotOperator(op, rest); why != "" {
			return st, why
		}
		p, why := parsePartial(rest)
		if why != "" {
			return st, why
		}
		st.restrict(op, p)
	}
	return st, ""
}

var operators = [...]string{">=", "<=", ">", "<", "=", "^", "~"}

func cutOperator(s string) (op, rest string) {
	for _, op := range operators {
		if rest, ok := strings.CutPrefix(s, op); ok {
			return op, rest
		}
	}
	return "", s
}

// whyNotOperator says what is wrong with an operator, given what follows it, or
// "".
func whyNotOperator(op, rest string) string {
	switch {
	case op != "" && rest == "":
		return fmt.Sprintf("nothing follows %q", op)
	case op == "~" && rest[0] == '>':
		return "~> means different things in npm and in Ruby. Write ~ or ^"
	case op == "=" && (rest[0] == '>' || rest[0] == '<'):
		return fmt.Sprintf("the operator is written %q", rest[:1]+op)
	}
	return ""
}

// restrict intersects the span with the comparator made of op and p.
func (st *set) restrict(op string, p partial) {
	st.comparators++
	if p.base.IsPrerelease() {
		st.admitted = append(st.admitted, p.base.Release())
	}
	switch op {
	case "", "=":
		st.from(p.base)
		st.upTo(p.after())
	case ">=":
		st.from(p.base)
	case ">":
		// The release, so that >1.2 is >=1.3.0, and not >=1.3.0-0.
		after := p.after()
		if p.given < 3 {
			after = after.Release()
		}
		if after.IsZero() {
			st.empty = true
		}
		st.from(after)
	case "<":
		switch p.given {
		case 0:
			st.empty = true
		case 3:
			st.upTo(p.base)
		default:
			st.upTo(p.base.Lowest())
		}
	case "<=":
		st.upTo(p.after())
	case "~":
		st.from(p.base)
		st.upTo(p.end(min(p.given, 2)))
	case "^":
		st.from(p.base)
		st.upTo(p.end(p.fixed()))
	}
}

// from raises the lower end to n.
func (st *set) from(n stet.Number) {
	if st.low.Less(n) {
		st.low = n
	}
	st.empty = st.empty || !below(st.low, st.high)
}

// upTo lowers the upper end to n, or leaves it where n is zero.
func (st *set) upTo(n stet.Number) {
	if !n.IsZero() && below(n, st.high) {
		st.high = n
	}
	st.empty = st.empty || !below(st.low, st.high)
}
