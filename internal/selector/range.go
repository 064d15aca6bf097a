package selector

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/visible"
)

// A Range is a set of numbers, written as npm does. It is kept as intervals, so that an
// ordered index finds the highest number in it without looking at those outside.
//
// The zero Range is empty: it contains nothing. A Range is immutable and safe
// for concurrent use.
type Range struct {
	text      string
	intervals []Interval // the highest first; they do not overlap
}

// ParseRange reads a range, with the meaning that it has to npm (node-semver):
//
//	1.2.3, =1.2.3       that number
//	1.2, 1.2.x, 1.2.*   >=1.2.0 <1.3.0; so 1 and 1.x; *, x: every release
//	>1.2.3 >=1.2.3 <1.2.3 <=1.2.3
//	>1.2, <=1.2         >=1.3.0, <1.3.0: what is left out stands for any number
//	~1.2.3, ~1.2        >=1.2.3 <1.3.0, >=1.2.0 <1.3.0; ~1 is 1.x
//	^1.2.3, ^0.2.3      >=1.2.3 <2.0.0, >=0.2.3 <0.3.0: up to the next change of
//	                    the first part that is not 0; ^0.0.3 is 0.0.3 alone
//	1.2 - 1.4           >=1.2.0 <1.5.0; 1.2 - 1.4.3 is >=1.2.0 <=1.4.3
//	A B                 what is in both
//	A || B              what is in either
//
// A pre-release is in A B only if A or B names a pre-release of the same
// MAJOR.MINOR.PATCH: 1.3.0-rc.1 is not in ^1.2, nor in ^1.2.3-rc.1, but
// 1.2.3-rc.2 is in the latter.
//
// ParseRange differs from npm in this. It does not accept v1.2, ~>1.2, ^=1.2 or build
// metadata. An empty range must be written *. No number follows an x (1.x.3), and only
// three numbers have a pre-release (1.2.x-rc). What is in A is always in A || B, where npm
// drops all other alternatives beside a *, and with them the pre-releases that they name.
// White space is spaces, and there is none at the ends. >=0.0.0 always counts, so >=0.0.0
// <=0.0.0-b is empty. A range that contains nothing is legal, as it is to npm.
//
// A range has at most stet.MaxSelector bytes, stet.MaxAlternatives and stet.MaxComparators. The
// error is a *stet.Error with the code stet.CodeInvalid, which says what is wrong
// where, and what to write instead.
func ParseRange(s string) (Range, error) {
	switch {
	case s == "":
		return Range{}, stet.Errorf(stet.CodeInvalid, "the range is empty. Write a range such as ^1.2, or * for every release.")
	case len(s) > stet.MaxSelector:
		return Range{}, tooLong("range", s)
	case isSpace(s[0]) || isSpace(s[len(s)-1]):
		return Range{}, notRange(s, "it has white space at an end. Leave it out")
	case strings.Count(s, "||") >= stet.MaxAlternatives:
		return Range{}, notRange(s, fmt.Sprintf("it has more than %d alternatives", stet.MaxAlternatives))
	}
	var releases, prereleases []Interval
	comparators := 0
	for alternative := range strings.SplitSeq(s, "||") {
		set, why := parseSet(alternative)
		if why != "" {
			return Range{}, notRange(s, why)
		}
		if comparators += set.comparators; comparators > stet.MaxComparators {
			return Range{}, notRange(s, fmt.Sprintf("it has more than %d comparators", stet.MaxComparators))
		}
		if !set.empty {
			releases, prereleases = split(set.low, set.high, set.admitted, releases, prereleases)
		}
	}
	return Range{text: s, intervals: interleave(union(releases), union(prereleases))}, nil
}

func notRange(s, why string) error {
	if rest, ok := strings.CutPrefix(why, inIt(s)); ok {
		why = "it " + rest // it is about all of the range
	}
	return stet.Errorf(stet.CodeInvalid, "%s is not a range: %s.", visible.Quote(s), why)
}

// String returns the range as it was parsed.
func (r Range) String() string { return r.text }

// IsEmpty reports whether no number can be in r, as in >2 <1.
func (r Range) IsEmpty() bool { return len(r.intervals) == 0 }

// Contains reports whether n is in r. The zero Number is in no Range.
func (r Range) Contains(n stet.Number) bool {
	for _, i := range r.intervals {
		if i.Contains(n) {
			return true
		}
	}
	return false
}

// Intervals returns the intervals that r consists of, the highest first. They do
// not overlap, so the highest match in the first interval that has one is the
// highest in r. There are at most 5*stet.MaxAlternatives.
func (r Range) Intervals() iter.Seq[Interval] { return slices.Values(r.intervals) }
