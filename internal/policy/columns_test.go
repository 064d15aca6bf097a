package policy

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// line returns a line of so many columns, of words behind a prefix.
func line(columns int, prefix string) string {
	n := columns - utf8.RuneCountInString(strings.ReplaceAll(prefix, "\t", "    "))
	return prefix + strings.Repeat("é ", (n-1)/2) + strings.Repeat("x", 2-n%2)
}

func TestColumns(t *testing.T) {
	unbroken := strings.Repeat("x", MaxColumns+1)
	for _, tt := range []struct {
		path, text string
		wrong      bool
	}{
		{"a.md", line(MaxColumns, ""), false},
		{"a.md", line(MaxColumns+1, ""), true},
		{"docs/a.md", line(MaxColumns+1, "  - "), true},
		{"a.md", line(MaxColumns+1, "| "), false},
		{"a.md", "```\n" + line(MaxColumns+1, "") + "\n```", false},
		{"a.md", "```\ncode\n```\n" + line(MaxColumns+1, ""), true},
		{"a.md", "- [x](" + unbroken + ")", false},
		{"a.md", "see [x](" + unbroken + ")", true},
		{"testdata/a.md", line(MaxColumns+1, ""), false},
		{"a.txt", line(MaxColumns+1, ""), false},
		{"a.go", line(MaxColumns, "\t\t// "), false},
		{"a.go", line(MaxColumns+1, "\t\t// "), true},
		{"a.go", line(MaxColumns+1, "//\t"), false},
		{"a.go", line(MaxColumns+1, "//go:generate "), false},
		{"a.go", line(MaxColumns+1, "var a = 1 // "), false},
		{"a.go", "// https://" + unbroken, false},
		{"a_test.go", "// Output:\n// x\n" + line(MaxColumns+1, "// "), false},
		{"a_test.go", "// Output:\n// x\n}\n" + line(MaxColumns+1, "// "), true},
		{"bench/a.go", line(MaxColumns+1, "// "), true},
	} {
		found, err := CheckColumns(fstest.MapFS{
			"bench/go.mod": {Data: []byte("module bench\n")},
			tt.path:        {Data: []byte(tt.text + "\n")},
		})
		if err != nil || len(found) > 0 != tt.wrong {
			t.Errorf("planted in %s: %v, %v:\n%s", tt.path, found, err, tt.text)
		}
	}
	found, err := CheckColumns(os.DirFS(root))
	report(t, found, err)
}
