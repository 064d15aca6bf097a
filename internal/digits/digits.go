// Package digits reads whole numbers as the parts of a version's number are written.
package digits

import "math"

// Is reports whether c is one of 0 to 9.
func Is(c byte) bool { return '0' <= c && c <= '9' }

// All reports whether s has digits only.
func All(s string) bool {
	for i := range len(s) {
		if !Is(s[i]) {
			return false
		}
	}
	return true
}

// Scan reads the digits that s begins with. It refuses none, a leading zero, and
// a value of 2^63 or more.
func Scan(s string) (value uint64, rest string, ok bool) {
	i := 0
	for i < len(s) && Is(s[i]) {
		// Nineteen digits fit in 64 bits; a value of twenty is too large anyway.
		if i == 19 {
			return 0, s, false
		}
		value = value*10 + uint64(s[i]-'0')
		i++
	}
	if i == 0 || i > 1 && s[0] == '0' || value > math.MaxInt64 {
		return 0, s, false
	}
	return value, s[i:], true
}
