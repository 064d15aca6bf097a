package visible_test

import (
	"testing"

	"github.com/stet-dev/stet/internal/visible"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"line\n\tnext", "line\n\tnext"},
		{`back\slash`, `back\slash`},
		{"é 提示 ❤️ 🚀", "é 提示 ❤️ 🚀"},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"a\rb\x00\x7f", `a\x0db\x00\x7f`},
		{"a\u009bb", `a\u009bb`},
		{"user\u202egnp.exe", `user\u202egnp.exe`},
		{"\u2066a\u2069", `\u2066a\u2069`},
		{"a\u200bb\u200dc\ufeff\u00ad", `a\u200bb\u200dc\ufeff\u00ad`},
		{"a\u2028b\u2029", `a\u2028b\u2029`},
		{"\U000e0041\u3164", `\U000e0041\u3164`},
		{"a\xffb\xc3", `a\xffb\xc3`},
		{"\xed\xa0\x80", `\xed\xa0\x80`},
		{"\uFFFD", "\uFFFD"},
		{"\U0001fae9", "\U0001fae9"}, // newer than Go's Unicode: a terminal may know it
	} {
		if got := visible.Text(tt.in); got != tt.want {
			t.Errorf("Text(%q) is %q, want %q", tt.in, got, tt.want)
		}
	}
}
