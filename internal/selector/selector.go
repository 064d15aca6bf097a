// Package selector reads selectors, with which a caller says which version of a prompt is
// meant, and ranges of numbers.
//
// It does not resolve them: the store knows where a label points and which version is the
// latest.
package selector

import (
	"github.com/stet-dev/stet"
)

// A Kind says by what a Selector names a version.
type Kind uint8

// The kinds, and the accessor of each.
const (
	KindCurrent Kind = iota // production if the prompt has that label, else latest
	KindLatest              // the highest release, or pre-release if there is none
	KindExact               // one number: Number
	KindLabel               // what a label points at: Label
	KindRange               // the highest number in a range: Range
	KindOrdinal             // the n-th version that was saved: Ordinal
	KindDigest              // the version with a digest that begins so: Digest
)

// A Selector names a version of a prompt. The zero Selector is the current
// version. A Selector is immutable and safe for concurrent use.
type Selector struct {
	kind    Kind
	text    string // as String returns it; "" for current
	num     stet.Number
	ordinal uint64
	rng     *Range // set exactly when kind is KindRange
}

// Kind returns by what s names a version.
func (s Selector) Kind() Kind { return s.kind }

// String returns s as it is written after the @, which Parse reads back. It is
// what was parsed, except that "" is written out as "current", and a digest is
// in lower case.
func (s Selector) String() string {
	if s.kind == KindCurrent {
		return current
	}
	return s.text
}

// Number returns the number of a KindExact, and the zero Number of any other.
func (s Selector) Number() stet.Number { return s.num }

// Label returns the name of a KindLabel, and "" of any other.
func (s Selector) Label() string {
	if s.kind != KindLabel {
		return ""
	}
	return s.text
}

// Range returns the range of a KindRange, and of any other an empty one.
func (s Selector) Range() Range {
	if s.rng == nil {
		return Range{}
	}
	return *s.rng
}

// Ordinal returns the ordinal of a KindOrdinal, from 1, and 0 of any other.
func (s Selector) Ordinal() uint64 { return s.ordinal }

// Digest returns the first hex digits of the SHA-256 of a KindDigest, stet.MinDigest to
// MaxDigest of them in lower case, and "" for any other.
func (s Selector) Digest() string {
	if s.kind != KindDigest {
		return ""
	}
	return s.text[len(digestPrefix):]
}
