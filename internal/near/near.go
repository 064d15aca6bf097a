// Package near finds what somebody who mistyped a name may have meant.
package near

import (
	"iter"
	"strings"
)

// Most is how many names are looked at: all of a small store, and of a large one so many
// that an error costs no more than a read.
const Most = 512

// maxEdits is how many slips of the pen are forgiven: with three, short names are near
// to all others.
const maxEdits = 2

// Closest returns the name that is nearest to what was typed: that with the fewest edits
// (a byte too many, too few or another, or two neighbours swapped), maxEdits at most and
// fewer in a short name; or else the first that goes on where it ends. It returns "" if
// there is none. It looks at the first Most names and allocates nothing.
func Closest(typed string, names iter.Seq[string]) string {
	const short = 3 // bytes that a name must have for each edit
	best, edits, begun, seen := "", min(maxEdits, len(typed)/short)+1, "", 0
	for name := range names {
		if seen++; seen > Most {
			break
		}
		for edits > 1 && name != typed && within(typed, name, edits-1) {
			best, edits = name, edits-1
		}
		if begun == "" && len(typed) >= short && len(name) > len(typed) && strings.HasPrefix(name, typed) {
			begun = name
		}
	}
	if best == "" {
		return begun
	}
	return best
}

// within reports whether k edits or fewer make b of a.
func within(a, b string, k int) bool {
	if d := len(a) - len(b); d > k || -d > k {
		return false
	}
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	switch {
	case a == "" || b == "":
		return true // the rest is no longer than k
	case k == 0:
		return false
	}
	return within(a[1:], b[1:], k-1) || within(a[1:], b, k-1) || within(a, b[1:], k-1) ||
		len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] && within(a[2:], b[2:], k-1)
}

// A Hint is the cause of an error that names what was meant, which not everybody may
// know of: who may not is given the message without it.
type Hint struct{ Name string }

// Error returns the hint as it stands in the message, a space before it.
func (h *Hint) Error() string { return " Did you mean " + h.Name + "?" }
