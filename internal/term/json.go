package term

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/stet-dev/stet/internal/visible"
)

// JSON writes one JSON value and a newline. On a terminal the characters that
// could not be seen are escaped as JSON escapes them, so that it is the same value.
func (o *Output) JSON(value []byte) error {
	s := string(value)
	if o.TTY {
		s = escapeJSON(s)
	}
	o.WriteString(s)
	return o.WriteByte('\n')
}

// escapeJSON escapes what visible.Text would change. In a JSON text that is
// valid, such characters stand inside strings only.
func escapeJSON(s string) string {
	if visible.Text(s) == s {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		c := string(r)
		if visible.Text(c) == c {
			b.WriteString(c)
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, u)
		}
	}
	return b.String()
}
