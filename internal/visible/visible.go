// Package visible makes texts from strangers fit to be printed: on a terminal, and in
// quotes in an error.
package visible

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s with whatever a terminal would obey or hide written as an
// escape, so that a text from a stranger can be printed: control and format
// characters (which include all that change the direction of text), line and
// paragraph separators and other invisible characters as \u202e, those beyond
// U+FFFF as \U000e0001, and bytes that are not UTF-8 as \x1b. The controls U+0000
// to U+001F and U+007F are written \x00 to \x1f and \x7f. Newlines and tabs stay
// as they are, and so does a backslash: what Text returns is for reading, and
// cannot be turned back.
//
// It returns s itself, and allocates nothing, if there is nothing to change.
func Text(s string) string {
	i := firstHidden(s)
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i < len(s) {
		b.WriteString(s[:i])
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			escape(&b, `\x`, rune(s[i]), 2)
		} else {
			escapeRune(&b, r)
		}
		s = s[i+size:]
		i = firstHidden(s)
	}
	b.WriteString(s)
	return b.String()
}

// firstHidden returns where the first character of s is that is to be escaped,
// and len(s) if there is none.
func firstHidden(s string) int {
	for i, r := range s {
		switch {
		case ' ' <= r && r < 0x7f || r == '\n' || r == '\t':
		case r < ' ' || r == 0x7f:
			return i
		case r == utf8.RuneError:
			if !strings.HasPrefix(s[i:], "\uFFFD") {
				return i
			}
		case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || Invisible(r):
			return i
		}
	}
	return len(s)
}

func escapeRune(b *strings.Builder, r rune) {
	switch {
	case r < utf8.RuneSelf:
		escape(b, `\x`, r, 2)
	case r <= 0xffff:
		escape(b, `\u`, r, 4)
	default:
		escape(b, `\U`, r, 8)
	}
}

// escape writes the prefix and r in lower-case hex, with at least digits digits.
func escape(b *strings.Builder, prefix string, r rune, digits int) {
	hex := strconv.FormatUint(uint64(r), 16)
	b.WriteString(prefix)
	b.WriteString(strings.Repeat("0", max(0, digits-len(hex))))
	b.WriteString(hex)
}

// Invisible reports whether r shows nothing by itself, and is neither a space
// nor one of the variation selectors that emoji need.
func Invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
}

// maxQuoted is how much of a name is repeated in an error: it fits on a line.
const maxQuoted = 64

// Quote returns s in quotes for an error, with whatever cannot be seen escaped,
// and cut short if it is long.
func Quote(s string) string {
	// strconv.Quote alone would keep what is printable by its category and yet blank.
	return shorten(func(s string) string { return Text(strconv.Quote(s)) }, s)
}

// QuoteASCII is Quote, but it escapes whatever is not ASCII: a text that looks like
// another is then seen for what it is.
func QuoteASCII(s string) string { return shorten(strconv.QuoteToASCII, s) }

func shorten(quote func(string) string, s string) string {
	if len(s) <= maxQuoted {
		return quote(s)
	}
	end := maxQuoted
	for end > maxQuoted-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return quote(s[:end]) + "…"
}

// First returns the first character of s, or the first byte if it is not UTF-8.
func First(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}
