package content

import "math/bits"

// maxEscape is the most bytes that one byte of a text takes in canonical JSON:
// \u001f.
const maxEscape = 6

// escapes holds for each byte that RFC 8785 escapes what it is written as, and
// "" for all others.
var escapes = func() (t [256]string) {
	const hex = "0123456789abcdef"
	for c := range 0x20 {
		t[c] = `\u00` + string(hex[c>>4]) + string(hex[c&15])
	}
	t['\b'], t['\t'], t['\n'], t['\f'], t['\r'] = `\b`, `\t`, `\n`, `\f`, `\r`
	t['"'], t['\\'] = `\"`, `\\`
	return t
}()

// AppendQuote appends s to dst as a string of canonical JSON: only the quotation
// mark, the backslash and what is below U+0020 are escaped. s must be valid
// UTF-8; bytes that are not are copied as they are.
func AppendQuote(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for {
		n := plain(s)
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return append(dst, '"')
		}
		dst = append(dst, escapes[s[n]]...)
		s = s[n+1:]
	}
}

// QuotedLen returns how many bytes AppendQuote appends.
func QuotedLen(s string) int { return quotedLen(s) + len(`""`) }

// quotedLen returns how many bytes AppendQuote puts between the quotation marks.
func quotedLen(s string) int {
	n := len(s)
	for {
		i := plain(s)
		if i == len(s) {
			return n
		}
		n += len(escapes[s[i]]) - 1
		s = s[i+1:]
	}
}

// plain returns how many bytes of s come before the first that is escaped.
func plain(s string) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; i+8 <= len(s); i += 8 {
		// Eight bytes at once: texts are long and rarely escaped. A byte below
		// n, or equal to c, borrows and so sets its high bit; a borrow can only
		// reach bytes after that one, so that the lowest bit set is right.
		p := s[i : i+8]
		w := uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 | uint64(p[3])<<24 |
			uint64(p[4])<<32 | uint64(p[5])<<40 | uint64(p[6])<<48 | uint64(p[7])<<56
		quote, slash := w^ones*'"', w^ones*'\\'
		hit := ((w-ones*0x20)&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs
		if hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(s) && escapes[s[i]] == "" {
		i++
	}
	return i
}
