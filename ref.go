package stet

import (
	"encoding/binary"
	"math/bits"
)

// Limits of a selector: what stands after the @ of a reference.
const (
	// MaxSelector is the maximum length of a selector in bytes: a range with two of the
	// longest numbers.
	MaxSelector = 256

	// MaxAlternatives is the maximum number of alternatives, separated by ||, in a range.
	// With MaxComparators it bounds the work of one read.
	MaxAlternatives = 16

	// MaxComparators is the maximum number of comparators in a range as a whole.
	MaxComparators = 32

	// MinDigest is the minimum number of hex digits in a shortened digest. Among a million
	// versions of a prompt, 8 digits are ambiguous about once in 4,000 times.
	MinDigest = 8
)

// SplitRef splits a reference such as support/triage@^1 at its last @ into the id of a
// prompt and a selector, and checks neither. If there is no @, id is all of ref and
// hasSelector is false. SplitRef allocates nothing.
func SplitRef(ref string) (id, selector string, hasSelector bool) {
	if i := lastAt(ref); i >= 0 {
		return ref[:i], ref[i+1:], true
	}
	return ref, "", false
}

// lastAt returns the index of the last @, or -1. It runs at every Get, and looks at
// eight bytes at once from the end, near which the @ is: of what is as short,
// strings.IndexByte takes twice the time. That a word has a zero byte is seen as in
// H. S. Warren, Hacker's Delight, 6-1; the lowest that is seen is one, and is the
// last of the eight.
func lastAt(s string) int {
	const each = 0x0101010101010101
	i := len(s)
	for ; i >= 8; i -= 8 {
		x := binary.BigEndian.Uint64([]byte(s[i-8:i])) ^ '@'*each // which copies nothing
		if zero := (x - each) &^ x & (0x80 * each); zero != 0 {
			return i - 1 - bits.TrailingZeros64(zero)/8
		}
	}
	for i--; i >= 0 && s[i] != '@'; i-- {
	}
	return i
}
