package stet

import (
	"strings"
	"unique"
)

// Parse reads a number as it is written, MAJOR.MINOR.PATCH or
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

// MustParse is Parse for numbers known to be right, in tests and tables. It
// panics where Parse fails.
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
	major, rest, ok := scanPart(s)
	if !ok || rest == "" || rest[0] != '.' {
		return Number{}, false
	}
	minor, rest, ok := scanPart(rest[1:])
	if !ok || rest == "" || rest[0] != '.' {
		return Number{}, false
	}
	patch, rest, ok := scanPart(rest[1:])
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

// scanPart reads the digits that s begins with. It refuses none, a leading
// zero, and a value over MaxNumberPart.
func scanPart(s string) (value uint64, rest string, ok bool) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		// Nineteen digits fit in 64 bits; a twentieth is over MaxNumberPart anyway.
		if i == 19 {
			return 0, s, false
		}
		value = value*10 + uint64(s[i]-'0')
		i++
	}
	if i == 0 || i > 1 && s[0] == '0' || value > MaxNumberPart {
		return 0, s, false
	}
	return value, s[i:], true
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
		if isNumeric(id) {
			if _, _, ok := scanPart(id); !ok {
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

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isIdentifierByte(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-'
}

// isNumeric reports whether s has digits only.
func isNumeric(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}
