package stet_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
)

func TestCheckLabel(t *testing.T) {
	for _, label := range []string{
		"production", "staging", "a", "v", "vx", "version-1", "v-1", "v.1", "xx", "x-1", "x1", "xylophone", "latest-2", "current.eu",
		"a.b_c-d.0", "sha256", "labels", strings.Repeat("a", 63),
	} {
		if err := stet.CheckLabel(label); err != nil {
			t.Errorf("CheckLabel(%q): %v", label, err)
		}
	}
	for _, tt := range []struct{ label, want string }{
		{"", `the label is empty. A label is a lower-case letter`},
		{strings.Repeat("a", 64), `it is 64 bytes long, and 63 are allowed.`},
		{"Production", `"Production" is not a label: it begins with "P". A label is a lower-case letter`},
		{"1", `it begins with "1".`},
		{"-a", `it begins with "-".`},
		{" a", `it begins with " ".`},
		{"élan", `it begins with "é".`},
		{"\u202ea", `"\u202ea" is not a label: it begins with "\u202e".`},
		{"prod uction", `" " at byte 4 is not allowed.`},
		{"prodUction", `"U" at byte 4 is not allowed.`},
		{"a/b", `"/" at byte 1 is not allowed.`},
		{"a@b", `"@" at byte 1 is not allowed.`},
		{"aé", `"é" at byte 1 is not allowed.`},
		{"a\xff", `"\xff" at byte 1 is not allowed.`},
		{"latest", `as a selector it is the newest release.`},
		{"current", `as a selector it is what a caller gets who names no version.`},
		{"x", `it looks like a range of versions.`},
		{"x.x", `it looks like a range of versions.`},
		{"x.1", `it looks like a range of versions.`},
		{"x.ai", `it looks like a range of versions.`},
		{"v1", `it looks like the number of a version.`},
		{"v1.2.3", `it looks like the number of a version.`},
		{"v2-beta", `it looks like the number of a version.`},
	} {
		checkError(t, tt.label, stet.CheckLabel(tt.label), tt.want)
	}
}

func TestCheckLabelKeepsTheRules(t *testing.T) {
	rule := regexp.MustCompile(`\A[a-z][a-z0-9._-]{0,62}\z`)
	reserved := regexp.MustCompile(`\A(latest|current|x|x\..*|v[0-9].*)\z`)
	gen := rapid.OneOf(rapid.StringMatching(`[a-cvxA]?[a-cvx0-9._-]{0,66}`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		s := gen.Draw(t, "s")
		if want := rule.MatchString(s) && !reserved.MatchString(s); (stet.CheckLabel(s) == nil) != want {
			t.Fatalf("CheckLabel(%q) is %v, and the rules say valid: %t", s, stet.CheckLabel(s), want)
		}
	})
}
