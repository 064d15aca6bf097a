package stet

import "github.com/stet-dev/stet/internal/visible"

// A Bump says which part of a number the next version raises.
type Bump string

// The bumps. BumpAuto leaves the choice to the store, which compares the contents.
const (
	BumpAuto  Bump = "auto"
	BumpMajor Bump = "major"
	BumpMinor Bump = "minor"
	BumpPatch Bump = "patch"
)

// ParseBump returns the Bump with the name s. The empty string is BumpAuto, the default.
// For anything else it fails with CodeInvalid.
func ParseBump(s string) (Bump, error) {
	switch b := Bump(s); b {
	case "":
		return BumpAuto, nil
	case BumpAuto, BumpMajor, BumpMinor, BumpPatch:
		return b, nil
	}
	return "", Errorf(CodeInvalid, "%s is not a bump. Write auto, major, minor or patch.", visible.QuoteASCII(s))
}

// Bump returns the release that follows n as `npm version` computes it: the part
// is raised and those after it become 0, unless n is a pre-release of exactly
// such a release, which is then the next (1.0.0-rc.1 major is 1.0.0, and
// 1.2.0-rc.1 major is 2.0.0). The first number, the one after the zero Number,
// is 1.0.0 whatever b is.
//
// It fails with CodeConflict if the part is MaxNumberPart already, and with CodeInvalid
// if b is BumpAuto or not a Bump.
func (n Number) Bump(b Bump) (Number, error) {
	var part *uint64
	raise := !n.IsPrerelease() // a pre-release of the wanted release becomes it
	major := n.Major()
	next := NewNumber(0, n.minor, n.patch)
	switch b {
	case BumpMajor:
		raise = raise || n.minor != 0 || n.patch != 0
		next.minor, next.patch = 0, 0
		part = &major
	case BumpMinor:
		raise = raise || n.patch != 0
		next.patch = 0
		part = &next.minor
	case BumpPatch:
		part = &next.patch
	case BumpAuto:
		return Number{}, Errorf(CodeInvalid, "the bump auto depends on what has changed in the content. Name major, minor or patch to raise a number alone.")
	default:
		return Number{}, Errorf(CodeInvalid, "%s is not a bump. Write auto, major, minor or patch.", visible.QuoteASCII(string(b)))
	}
	if n.IsZero() {
		return NewNumber(1, 0, 0), nil
	}
	if raise {
		if *part == MaxNumberPart {
			return Number{}, Errorf(CodeConflict, "%s has no next %s number: %d is the largest there is. Raise another part, or choose the number yourself.", n, b, uint64(MaxNumberPart))
		}
		*part++
	}
	next.major = major + 1
	return next, nil
}
