package stet

import (
	"cmp"
	"strconv"
	"unique"

	"github.com/stet-dev/stet/internal/digits"
)

const (
	// MaxNumber is the maximum length of a number in bytes, well below the limits of a
	// file name and of an indexed column.
	MaxNumber = 128

	// MaxNumberPart is the largest MAJOR, MINOR, PATCH and numeric pre-release
	// identifier: what a signed 64-bit column of a database holds.
	MaxNumberPart = 1<<63 - 1
)

// A Number is the number of a version: MAJOR.MINOR.PATCH, or
// MAJOR.MINOR.PATCH-PRERELEASE.
//
// The zero Number means "none"; it is not 0.0.0, which is a valid number. Numbers can be
// compared with == and be the keys of a map: two are == if and only if CompareNumbers
// returns 0, and if and only if their strings are equal. A Number takes 32 bytes.
type Number struct {
	// major is MAJOR+1, so that a Number of zeros is no number at all. It
	// cannot overflow: a part is below 2^63.
	major uint64
	minor uint64
	patch uint64
	// pre is the zero Handle if there is no pre-release. Value must not be
	// called on it then: it points nowhere.
	pre unique.Handle[string]
}

// none is the pre of a release.
var none unique.Handle[string]

// NewNumber returns the release major.minor.patch. It panics if a part is over
// MaxNumberPart.
func NewNumber(major, minor, patch uint64) Number {
	if max(major, minor, patch) > MaxNumberPart {
		panic("stet: a part of a number is over " + strconv.FormatUint(MaxNumberPart, 10))
	}
	return Number{major: major + 1, minor: minor, patch: patch}
}

// IsZero reports whether n is the zero Number, which means "none".
func (n Number) IsZero() bool { return n.major == 0 }

// Major returns the first part of n, and 0 for the zero Number.
func (n Number) Major() uint64 { return max(n.major, 1) - 1 }

// Minor returns the second part of n.
func (n Number) Minor() uint64 { return n.minor }

// Patch returns the third part of n.
func (n Number) Patch() uint64 { return n.patch }

// Prerelease returns what follows the hyphen: "rc.1" of 1.0.0-rc.1, and "" of a
// release.
func (n Number) Prerelease() string {
	if n.pre == none {
		return ""
	}
	return n.pre.Value()
}

// IsPrerelease reports whether n has a pre-release part.
func (n Number) IsPrerelease() bool { return n.pre != none }

// Release returns n without its pre-release part: 1.2.3 for 1.2.3-rc.1. It is the lowest
// release that is not below n.
func (n Number) Release() Number {
	n.pre = none
	return n
}

// lowest is the pre-release that precedes every other.
var lowest = unique.Make("0")

// Lowest returns the lowest number with n's MAJOR.MINOR.PATCH: 1.2.3-0 of 1.2.3
// and of 1.2.3-rc.1. The Lowest of the zero Number is the zero Number.
func (n Number) Lowest() Number {
	if !n.IsZero() {
		n.pre = lowest
	}
	return n
}

// Next returns the number that follows n immediately in the order of CompareNumbers:
// 1.2.4-0 after 1.2.3, and 1.2.3-rc.1.0 after 1.2.3-rc.1. So "at most n" is
// "below n.Next()", and "above n" is "not below n.Next()". The highest release
// of all, and the zero Number, have none: Next returns the zero Number.
//
// Next is meant for the bounds of intervals, not for naming a version: the result may be
// two bytes longer than MaxNumber.
func (n Number) Next() Number {
	switch {
	case n.IsZero():
		return Number{}
	case n.pre != none:
		n.pre = unique.Make(n.pre.Value() + ".0")
		return n
	case n.patch < MaxNumberPart:
		n.patch++
	case n.minor < MaxNumberPart:
		n.minor, n.patch = n.minor+1, 0
	case n.major <= MaxNumberPart:
		n.major, n.minor, n.patch = n.major+1, 0, 0
	default:
		return Number{}
	}
	return n.Lowest()
}

// String returns n as it is written, which ParseNumber reads back: "" for the zero
// Number.
func (n Number) String() string {
	var buf [MaxNumber]byte
	return string(n.AppendTo(buf[:0]))
}

// AppendTo appends n.String() to b and returns the extended slice.
func (n Number) AppendTo(b []byte) []byte {
	if n.IsZero() {
		return b
	}
	b = strconv.AppendUint(b, n.major-1, 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, n.minor, 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, n.patch, 10)
	if n.pre != none {
		b = append(b, '-')
		b = append(b, n.pre.Value()...)
	}
	return b
}

// MarshalText returns what String returns; it never fails. The text of the zero
// Number is empty.
func (n Number) MarshalText() ([]byte, error) { return n.AppendTo(nil), nil }

// UnmarshalText is ParseNumber, except that empty text is the zero Number. On an error n
// does not change.
func (n *Number) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*n = Number{}
		return nil
	}
	p, err := ParseNumber(string(text))
	if err != nil {
		return err
	}
	*n = p
	return nil
}

// Less reports whether n has lower precedence than m.
func (n Number) Less(m Number) bool { return CompareNumbers(n, m) < 0 }

// CompareNumbers returns -1, 0 or 1 as a has lower, equal or higher precedence than b,
// by the rules of Semantic Versioning 2.0.0. The zero Number is below every
// other. It allocates nothing.
func CompareNumbers(a, b Number) int {
	if c := cmp.Compare(a.major, b.major); c != 0 {
		return c
	}
	if c := cmp.Compare(a.minor, b.minor); c != 0 {
		return c
	}
	if c := cmp.Compare(a.patch, b.patch); c != 0 {
		return c
	}
	switch {
	case a.pre == b.pre:
		return 0
	case a.pre == none:
		return 1
	case b.pre == none:
		return -1
	}
	return comparePre(a.pre.Value(), b.pre.Value())
}

// comparePre compares two pre-releases that are valid and differ.
func comparePre(a, b string) int {
	for {
		x, restA := cutIdentifier(a)
		y, restB := cutIdentifier(b)
		if x != y {
			return compareIdentifier(x, y)
		}
		// One of them ends here, or they would be equal. The one with more
		// identifiers is higher.
		if restA == "" || restB == "" {
			return cmp.Compare(len(restA), len(restB))
		}
		a, b = restA, restB
	}
}

// compareIdentifier compares two identifiers that differ: numbers by value and
// below everything else, all others by their bytes.
func compareIdentifier(x, y string) int {
	numX, numY := digits.All(x), digits.All(y)
	switch {
	case numX && numY && len(x) != len(y):
		// There are no leading zeros, so the longer one is the larger.
		return cmp.Compare(len(x), len(y))
	case numX && !numY:
		return -1
	case numY && !numX:
		return 1
	}
	return cmp.Compare(x, y)
}
