package selector

import (
	"fmt"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/digits"
	"github.com/stet-dev/stet/internal/visible"
)

// A partial is a number whose last parts may be x or missing.
type partial struct {
	base  stet.Number // 0 for missing parts
	given int         // how many of the parts are given
}

// after returns the lowest number above all that p matches, and the zero Number if there
// is none.
func (p partial) after() stet.Number {
	if p.given == 3 {
		return p.base.Next()
	}
	return p.end(p.given)
}

// end returns the lowest number above all that begin with the first n parts of p, and the
// zero Number if there is none.
func (p partial) end(n int) stet.Number {
	major, minor, patch := p.base.Major(), p.base.Minor(), p.base.Patch()
	switch n {
	case 0:
		return stet.Number{}
	case 1:
		minor, patch = stet.MaxNumberPart, stet.MaxNumberPart
	case 2:
		patch = stet.MaxNumberPart
	}
	return stet.NewNumber(major, minor, patch).Next()
}

// fixed returns how many parts a caret keeps: up to the first that is not 0, or the last
// that is given.
func (p partial) fixed() int {
	switch {
	case p.given == 0:
		return 0
	case p.base.Major() > 0 || p.given == 1:
		return 1
	case p.base.Minor() > 0 || p.given == 2:
		return 2
	}
	return 3
}

// parsePartial reads a whole number, or one with parts that are x or missing. It returns
// why s is neither.
func parsePartial(s string) (p partial, why string) {
	if strings.Contains(s, "-") { // only a whole number has a pre-release
		n, err := stet.ParseNumber(s)
		if err != nil {
			return p, whyNotPartial(s, strings.Split(s, "."))
		}
		return partial{base: n, given: 3}, ""
	}
	var value [3]uint64
	parts := strings.Split(s, ".")
	if len(parts) > len(value) {
		return p, whyNotPartial(s, parts)
	}
	for i, part := range parts {
		if isX(part) {
			continue
		}
		n, ok := parsePart(part)
		if !ok || p.given < i {
			return p, whyNotPartial(s, parts)
		}
		value[i] = n
		p.given = i + 1
	}
	p.base = stet.NewNumber(value[0], value[1], value[2])
	return p, ""
}

func isX(s string) bool { return s == "x" || s == "X" || s == "*" }

// whyNotPartial returns what is wrong with s, whose parts between dots are given.
func whyNotPartial(s string, parts []string) string {
	in := inIt(s)
	rest := strings.TrimLeft(s, "vV")
	switch _, why := parsePartialOrNone(rest, s); {
	case why == "":
		return in + "begins with a v. Write " + rest
	case s == "-":
		return "a hyphen stands between two numbers with a space on either side, and alone: 1.2 - 1.4"
	case strings.ContainsRune(s, '|'):
		return in + "has a single |. Write || between alternatives"
	case strings.ContainsRune(s, ','):
		return in + "has a comma. Write a space between what is to hold at once: >=1 <2"
	case strings.HasPrefix(s, "!"):
		return in + `is not an operator of ranges. Write what is allowed, such as "<1.2.3 || >1.2.3"`
	case strings.ContainsAny(s, "<>=^~"):
		return in + "has an operator where a number belongs. Operators are > >= < <= = ^ ~, one before each number, with a space between comparators"
	case strings.ContainsRune(s, '+'):
		return in + "has build metadata, which no number in stet has. Leave out what follows the +"
	}
	if pre := strings.IndexByte(s, '-'); pre >= 0 {
		if p, why := parsePartial(s[:pre]); why == "" && p.given < 3 {
			return in + "has a pre-release, which only a whole number may have, such as 1.2.3-rc.1"
		}
		parts = strings.Split(s[:pre], ".")
	}
	given := true
	for i, part := range parts {
		switch {
		case isX(part):
			given = false
			continue
		case part == "":
			return in + "has an empty part. Write a number or x there"
		case !digits.All(part):
			return in + "is not a number, nor the beginning of one. Write a number such as 1.2.3, 1.2 or 1.x"
		case len(part) > 1 && part[0] == '0':
			return in + "has a leading zero. Leave it out"
		case !given && i < 3:
			return in + "has a number after an x. Write x, or nothing, from the first x on"
		}
		if _, ok := parsePart(part); !ok {
			return in + fmt.Sprintf("has a part over the limit of %d", uint64(stet.MaxNumberPart))
		}
	}
	if len(parts) > 3 {
		return in + fmt.Sprintf("has %d parts. A number has three", len(parts))
	}
	if _, err := stet.ParseNumber(s); err != nil {
		return strings.TrimSuffix(strings.TrimPrefix(err.Error(), "invalid: "), ".")
	}
	return in + "is not a number"
}

// inIt begins a sentence about the part s of a range.
func inIt(s string) string { return "in it, " + visible.Quote(s) + " " }

// parsePartialOrNone is parsePartial of rest, except that it refuses rest if it is s
// itself, which was found malformed before.
func parsePartialOrNone(rest, s string) (partial, string) {
	if rest == s {
		return partial{}, "the same"
	}
	return parsePartial(rest)
}
