package selector

import (
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/digits"
	"github.com/stet-dev/stet/internal/visible"
)

const (
	// maxDigest is the number of hex digits in a whole SHA-256.
	maxDigest = 64

	latest       = "latest"
	current      = "current"
	digestPrefix = "sha256:"
)

// kinds ends the error for a string that is not a selector.
const kinds = "A selector is a number (1.2.3), a label (production), latest, current, a range (^1.2), an ordinal (#12) or sha256: and at least 8 hex digits."

// Parse reads a selector:
//
//	1.2.3, 1.2.3-rc.1   KindExact: a whole number, as stet.ParseNumber takes it
//	latest              KindLatest
//	current, or nothing KindCurrent
//	production          KindLabel: whatever stet.CheckLabel takes
//	^1.2, 1.x, >=1 <2   KindRange: whatever ParseRange takes. So is 1.2, and =1.2.3
//	#12                 KindOrdinal: from 1, below 2^63, no leading zeros
//	sha256:0123abcd     KindDigest: stet.MinDigest to maxDigest hex digits. Those in
//	                    upper case are taken for lower case
//
// No string has two meanings: a label begins with a letter and never looks like
// a number or a range. White space around a selector is refused.
//
// The error is a *stet.Error with the code stet.CodeInvalid. Parse allocates nothing
// for "", latest, current, a label, an ordinal and the number of a release.
func Parse(s string) (Selector, error) {
	if len(s) > stet.MaxSelector {
		return Selector{}, tooLong("selector", s)
	}
	switch s {
	case "", current:
		return Selector{}, nil
	case latest:
		return Selector{kind: KindLatest, text: s}, nil
	}
	switch c := s[0]; {
	case isSpace(c) || isSpace(s[len(s)-1]):
		return Selector{}, stet.Errorf(stet.CodeInvalid, "%s is not a selector: it has white space at an end. Leave it out.", visible.Quote(s))
	case c == '#':
		return parseOrdinal(s)
	case strings.HasPrefix(s, digestPrefix):
		return parseDigest(s)
	case looksLikeRange(s):
		return parseRangeSelector(s)
	case digits.Is(c):
		if n, err := stet.ParseNumber(s); err == nil {
			return Selector{kind: KindExact, text: s, num: n}, nil
		} else if strings.ContainsAny(s, "-+") {
			// With a pre-release it must have been meant as a number.
			return Selector{}, invalid(err)
		}
		return parseRangeSelector(s)
	}
	if err := stet.CheckLabel(s); err != nil {
		return Selector{}, notLabel(s, err)
	}
	return Selector{kind: KindLabel, text: s}, nil
}

// looksLikeRange reports whether s can only be a range. Strings that begin with a digit
// are left to the caller.
func looksLikeRange(s string) bool {
	switch s[0] {
	case '^', '~', '<', '>', '=', '*', '!', '|':
		return true
	case 'x', 'X':
		if len(s) == 1 || s[1] == '.' {
			return true
		}
	}
	return strings.ContainsAny(s, " |,")
}

func parseRangeSelector(s string) (Selector, error) {
	r, err := ParseRange(s)
	if err != nil {
		if first, rest, ok := strings.Cut(s, " "); ok && ('a' <= first[0] && first[0] <= 'z' || strings.HasPrefix(strings.TrimLeft(rest, " "), "#")) {
			if _, ferr := Parse(first); ferr == nil {
				return Selector{}, stet.Errorf(stet.CodeInvalid, "%s is not a selector: only a range has spaces. If %s is meant, write it alone.", visible.Quote(s), first)
			}
		}
		return Selector{}, invalid(err)
	}
	return Selector{kind: KindRange, text: s, rng: &r}, nil
}

func parseOrdinal(s string) (Selector, error) {
	part := s[1:]
	n, ok := parsePart(part)
	switch {
	case ok && n > 0:
		return Selector{kind: KindOrdinal, text: s, ordinal: n}, nil
	case part != "" && strings.Trim(part, "0") == "":
		return Selector{}, stet.Errorf(stet.CodeInvalid, "%q is not an ordinal: the first version of a prompt is #1.", s)
	case part != "" && digits.All(part) && part[0] == '0':
		return Selector{}, stet.Errorf(stet.CodeInvalid, "%q is not an ordinal: it has a leading zero. Write #%s.", s, strings.TrimLeft(part, "0"))
	case part != "" && digits.All(part):
		return Selector{}, stet.Errorf(stet.CodeInvalid, "%q is not an ordinal: it is over the limit of %d.", s, uint64(stet.MaxNumberPart))
	}
	return Selector{}, stet.Errorf(stet.CodeInvalid, "%s is not an ordinal: write # and a whole number from 1 on, such as #12.", visible.Quote(s))
}

func parseDigest(s string) (Selector, error) {
	hex := s[len(digestPrefix):]
	for i, r := range hex {
		if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return Selector{}, stet.Errorf(stet.CodeInvalid, "%s is not a digest: at byte %d stands %s, which is not a hex digit.", visible.Quote(s), len(digestPrefix)+i, visible.Quote(string(r)))
		}
	}
	if len(hex) < stet.MinDigest || len(hex) > maxDigest {
		return Selector{}, stet.Errorf(stet.CodeInvalid, "%s is not a digest: it has %d hex digits; write the first %d or more of the %d.", visible.Quote(s), len(hex), stet.MinDigest, maxDigest)
	}
	return Selector{kind: KindDigest, text: strings.ToLower(s)}, nil
}

// notLabel returns the error for a string that looks most like a label.
func notLabel(s string, err error) error {
	switch lower := strings.ToLower(s); {
	case lower == latest || lower == current:
		return stet.Errorf(stet.CodeInvalid, "%q is not a selector. Write %s, in lower case.", s, lower)
	case strings.HasPrefix(lower, digestPrefix):
		return stet.Errorf(stet.CodeInvalid, "%s is not a digest: write sha256: in lower case.", visible.Quote(s))
	case len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && digits.Is(s[1]):
		if _, err := Parse(s[1:]); err == nil {
			return stet.Errorf(stet.CodeInvalid, "%q is not a selector: numbers are written without the v. Write %s.", s, s[1:])
		}
	}
	return invalid(err)
}

// invalid adds the kinds of selectors to the error of one kind.
func invalid(err error) error {
	msg := err.Error()
	if e, ok := err.(*stet.Error); ok {
		msg = e.Message
	}
	return stet.Errorf(stet.CodeInvalid, "%s %s", msg, kinds)
}

func tooLong(what, s string) error {
	return stet.Errorf(stet.CodeInvalid, "the %s that begins with %s is %d bytes long; it may have %d.", what, visible.Quote(s[:32]), len(s), stet.MaxSelector)
}

// parsePart reads a whole number below 2^63 without leading zeros.
func parsePart(s string) (uint64, bool) {
	n, rest, ok := digits.Scan(s)
	return n, ok && rest == ""
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
