package stet

import (
	"strings"
	"unique"

	"github.com/stet-dev/stet/internal/digits"
)

// ParseNumber reads a number as it is written, MAJOR.MINOR.PATCH or
// MAJOR.MINOR.PATCH-PRERELEASE, by the rules of Semantic Versioning 2.0.0 and
// nothing more lenient: no leading v, no missing part, no white space, no
// leading zeros. Build metadata is refused, since two numbers that differ only
// in it would have equal precedence. A number has at most MaxNumber bytes, and no
// part or numeric identifier is over MaxNumberPart.
//
// The error is a *Error with the code CodeInvalid; its message says what
// is wrong with s and, where it can, what to write instead.
func ParseNumber(s string) (Number, error) {
	n, ok := scan(s)
	if !ok {
		return Number{}, explain(s)
	}
	return n, nil
}

// MustParseNumber is ParseNumber for constants in programs and tests. It panics if
// ParseNumber fails.
func MustParseNumber(s string) Number {
	n, err := ParseNumber(s)
	if err != nil {
		panic(err)
	}
	return n
}

// scan reads s and reports whether it is a number. What is wrong with it
// otherwise is for explain to find: scan is on the path of every request.
func scan(s string) (Number, bool) {
	if len(s) > MaxNumber {
		return Number{}, false
	}
	major, rest, ok := digits.Scan(s)
	if !ok || rest == "" || rest[0] != '.' {
		return Number{}, false
	}
	minor, rest, ok := digits.Scan(rest[1:])
	if !ok || rest == "" || rest[0] != '.' {
		return Number{}, false
	}
	patch, rest, ok := digits.Scan(rest[1:])
	if !ok {
		return Number{}, false
	}
	n := Number{major: major + 1, minor: minor, patch: patch}
	if rest == "" {
		return n, true
	}
	if rest[0] != '-' || !isPrerelease(rest[1:]) {
		return Number{}, false
	}
	n.pre = unique.Make(rest[1:]) // keeps a copy, and so nothing of s
	return n, true
}

// isPrerelease reports whether s may follow the hyphen.
func isPrerelease(s string) bool {
	for {
		id, rest := cutIdentifier(s)
		if id == "" {
			return false
		}
		for i := range len(id) {
			if !isIdentifierByte(id[i]) {
				return false
			}
		}
		if digits.All(id) {
			if _, _, ok := digits.Scan(id); !ok {
				return false
			}
		}
		if len(id) == len(s) {
			return true
		}
		s = rest
	}
}

// cutIdentifier returns the first of the dot-separated identifiers in s, and
// what follows its dot.
func cutIdentifier(s string) (id, rest string) {
	id, rest, _ = strings.Cut(s, ".")
	return id, rest
}

func isIdentifierByte(c byte) bool {
	return digits.Is(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-'
}
