package stet

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/stet-dev/stet/internal/visible"
)

// MaxID is the maximum length of an id in bytes: enough for 85 Chinese characters, and
// less than the limits of a path segment of a URL and of a key of every engine.
const MaxID = 256

// CheckID returns nil if id may be the id of a prompt: 1 to MaxID bytes of UTF-8
// in normalization form C; segments joined by "/", none of which is empty, "."
// or ".."; and none of
//
//   - the characters @ # ~, which are reserved,
//   - control, format and other characters that cannot be seen, and code points
//     that Unicode has not assigned (private use is allowed),
//   - white space other than spaces (Unicode's Zs), and spaces at the beginning
//     or the end of the id, which nobody would see.
//
// Otherwise the error is a *Error with the code CodeInvalid, which says
// which character at which byte is wrong and what is allowed. CheckID allocates
// nothing for an id of plain ASCII that is valid.
func CheckID(id string) error {
	if plainID(id) {
		return nil
	}
	if id == "" {
		return Errorf(CodeInvalid, "the prompt id is empty. Write a name, or several joined by /, such as support/triage.")
	}
	if why := whyNot(id, false); why != "" {
		return Errorf(CodeInvalid, "%s is not a prompt id: %s.", visible.Quote(id), why)
	}
	return nil
}

// CheckPrefix returns nil if an id may begin with prefix. A prefix may be empty, and may
// end where an id may not: in the middle of a segment, with a space or with "/".
// Otherwise the error is that of CheckID.
func CheckPrefix(prefix string) error {
	if prefix == "" || len(prefix) <= MaxID && plainID(strings.TrimSuffix(prefix, "/")) {
		return nil
	}
	if why := whyNot(prefix, true); why != "" {
		return Errorf(CodeInvalid, "no prompt id begins with %s: %s.", visible.Quote(prefix), why)
	}
	return nil
}

// plainID reports whether id is a valid id of ASCII characters, as almost all
// are.
func plainID(id string) bool {
	if id == "" || len(id) > MaxID || id[0] == ' ' || id[len(id)-1] == ' ' {
		return false
	}
	start := 0 // of the segment
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case c == '/':
			if !plainSegment(id[start:i]) {
				return false
			}
			start = i + 1
		case c < ' ' || c >= 0x7f || reserved(rune(c)):
			return false
		}
	}
	return plainSegment(id[start:])
}

func plainSegment(s string) bool { return s != "" && s != "." && s != ".." }

// whyNot says why s is not an id, or, if it is a prefix, not the beginning of
// one; and "" if it is.
func whyNot(s string, prefix bool) string {
	if len(s) > MaxID {
		return fmt.Sprintf("it is %d bytes long, and %d are allowed", len(s), MaxID)
	}
	for i, r := range s {
		if why := whyNotRune(s[i:], r); why != "" {
			return fmt.Sprintf("%s at byte %d %s", visible.Quote(visible.First(s[i:])), i, why)
		}
	}
	if !norm.NFC.IsNormalString(s) {
		i, _ := norm.NFC.SpanString(s, true)
		return fmt.Sprintf("it is not in Unicode normalization form C (NFC) from byte %d on. Write %s", i, visible.QuoteASCII(norm.NFC.String(s)))
	}
	const blank = "it %s with a space, which nobody would see. Spaces are allowed inside"
	if first, _ := utf8.DecodeRuneInString(s); unicode.IsSpace(first) {
		return fmt.Sprintf(blank, "begins")
	}
	if last, _ := utf8.DecodeLastRuneInString(s); unicode.IsSpace(last) && !prefix {
		return fmt.Sprintf(blank, "ends")
	}
	return whyNotSegments(s, prefix)
}

// whyNotRune says why r, with which s begins, is not in an id, or "".
func whyNotRune(s string, r rune) string {
	switch {
	case ' ' <= r && r < 0x7f && !reserved(r):
		return ""
	case r == utf8.RuneError && !strings.HasPrefix(s, "\uFFFD"):
		return "is not UTF-8"
	case reserved(r):
		return "is reserved, like @, # and ~. A selector follows the id after an @, such as support/triage@production"
	case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp):
		return "is a control character; letters, digits, spaces and visible signs are allowed"
	case visible.Invisible(r):
		return "is a character that cannot be seen; letters, digits, spaces and visible signs are allowed"
	case unicode.Is(unicode.Cn, r):
		return "is not assigned to any character by Unicode " + unicode.Version
	}
	return ""
}

// reserved reports whether r has a meaning beside an id: @ begins a selector, and
// # an ordinal; ~ is kept for what may come.
func reserved(r rune) bool { return r == '@' || r == '#' || r == '~' }

// whyNotSegments says which segment of s is wrong and why, or "".
func whyNotSegments(s string, prefix bool) string {
	at := 0
	for seg := range strings.SplitSeq(s, "/") {
		end := at + len(seg)
		last := end == len(s)
		switch {
		case last && prefix:
			// It goes on: an empty one, "." and ".." can become anything.
		case seg == "" && at == 0:
			return "it begins with a /, which stands only between two names"
		case seg == "" && last:
			return "it ends with a /, which stands only between two names"
		case seg == "":
			return fmt.Sprintf("nothing stands between the two / at byte %d", at-1)
		case seg == "." || seg == "..":
			return fmt.Sprintf("the segment %q at byte %d is not a name: paths in URLs and file systems give it another meaning", seg, at)
		}
		at = end + 1
	}
	return ""
}
