package stet_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/visible"
)

var goodIDs = []string{
	"a", "support/triage", "labels", "versions", "1.2.3", "latest", "a/b/c/d", "...", ".hidden", "a/..b", "Ä", "提示/分诊",
	"an id with spaces", "a / b", "a\u00a0b", "emoji ❤️ 🚀", "%2F", `back\slash`, "a'b\"c", "-f", "a:b?c=d&e", "a+b", "\uFFFD", "\ue000",
	strings.Repeat("a", 256), strings.Repeat("提", 85),
}

func TestCheckIDTakes(t *testing.T) {
	for _, id := range goodIDs {
		if err := stet.CheckID(id); err != nil {
			t.Errorf("CheckID(%q): %v", id, err)
		}
	}
}

var badIDs = []struct{ id, want string }{
	{strings.Repeat("a", 257), `it is 257 bytes long, and 256 are allowed.`},
	{strings.Repeat("提", 86), `it is 258 bytes long`},
	{"/a", `it begins with a /`},
	{"a//b", `nothing stands between the two / at byte 1.`},
	{"./a", `the segment "." at byte 0 is not a name`},
	{"a/../b", `the segment ".." at byte 2 is not a name`},
	{"提//b", `nothing stands between the two / at byte 3.`},
	{"a@b", `"a@b" is not a prompt id: "@" at byte 1 is reserved`},
	{"a#1", `"#" at byte 1 is reserved`},
	{"a~b", `"~" at byte 1 is reserved`},
	{"a\nb", `"\n" at byte 1 is a control character`},
	{"a\x00", `"\x00" at byte 1 is a control character`},
	{"a\x7f", `"\x7f" at byte 1 is a control character`},
	{"é\u0085", `"\u0085" at byte 2 is a control character`},
	{"a\u2028b", `"\u2028" at byte 1 is a control character`},
	{"a\u2029b", `"\u2029" at byte 1 is a control character`},
	{"a\u202eb", `"a\u202eb" is not a prompt id: "\u202e" at byte 1 is a character that cannot be seen`},
	{"a\u200bb", `"\u200b" at byte 1 is a character that cannot be seen`},
	{"\ufeffa", `"\ufeff" at byte 0 is a character that cannot be seen`},
	{"a\u3164", `"\u3164" at byte 1 is a character that cannot be seen`},
	{"a\U000e0041", `"\U000e0041" at byte 1 is a character that cannot be seen`},
	{"a\ufffe", `"\ufffe" at byte 1 is not assigned to any character by Unicode`},
	{"a\U0010ffff", `is not assigned`},
	{"a\u0378", `is not assigned`},
	{"a\xff", `"\xff" at byte 1 is not UTF-8.`},
	{"a\xed\xa0\x80", `"\xed" at byte 1 is not UTF-8.`},
	{"cafe\u0301", `it is not in Unicode normalization form C (NFC) from byte 3 on. Write "caf\u00e9".`},
	{"\u212b", `Write "\u00c5".`},
	{" a", `it begins with a space`},
	{"\u3000a", `it begins with a space`},
}

// These are not ids, but an id may begin with them.
var onlyPrefixes = []struct{ id, want string }{
	{"", `the prompt id is empty. Write a name`},
	{"a/", `it ends with a /`},
	{"a ", `it ends with a space`},
	{"a\u3000", `it ends with a space`},
	{".", `the segment "." at byte 0 is not a name`},
	{"a/..", `the segment ".." at byte 2 is not a name`},
}

func TestCheckIDRefuses(t *testing.T) {
	for _, tt := range append(badIDs[:len(badIDs):len(badIDs)], onlyPrefixes...) {
		checkError(t, tt.id, stet.CheckID(tt.id), tt.want)
	}
}

func TestCheckPrefix(t *testing.T) {
	for _, id := range goodIDs {
		for i := range id {
			if err := stet.CheckPrefix(id[:i]); err != nil {
				t.Errorf("%q begins with %q, but CheckPrefix: %v", id, id[:i], err)
			}
		}
	}
	for _, tt := range onlyPrefixes {
		if err := stet.CheckPrefix(tt.id); err != nil {
			t.Errorf("CheckPrefix(%q): %v", tt.id, err)
		}
	}
	for _, tt := range badIDs {
		_, why, _ := strings.Cut(tt.want, "not a prompt id: ")
		checkError(t, tt.id, stet.CheckPrefix(tt.id), why)
	}
}

func checkError(t *testing.T, in string, err error, want string) {
	t.Helper()
	if stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), want) {
		t.Errorf("%q:\n got  %v\n want %s", in, err, want)
	}
	if err != nil && visible.Text(err.Error()) != err.Error() {
		t.Errorf("%q: the error has invisible characters: %q", in, err)
	}
}

// properties checks what must hold for any string.
func properties(t interface{ Fatalf(string, ...any) }, s string) {
	err := stet.CheckID(s)
	if (err == nil) != valid(s) {
		t.Fatalf("CheckID(%q) is %v, and the rules say valid: %t", s, err, valid(s))
	}
	if err != nil && stet.CodeOf(err) != stet.CodeInvalid {
		t.Fatalf("CheckID(%q) fails with the code %s", s, stet.CodeOf(err))
	}
	if err != nil && (!utf8.ValidString(err.Error()) || visible.Text(err.Error()) != err.Error()) {
		t.Fatalf("CheckID(%q) has an error that is not fit to print: %q", s, err)
	}
	if err == nil {
		if visible.Text(s) != s {
			t.Fatalf("the id %q has something to make visible: %q", s, visible.Text(s))
		}
		for i := range s {
			if err := stet.CheckPrefix(s[:i]); err != nil {
				t.Fatalf("the id %q begins with %q, but CheckPrefix: %v", s, s[:i], err)
			}
		}
	}
	// What is visible is a fixed point.
	if v := visible.Text(s); visible.Text(v) != v || !utf8.ValidString(v) {
		t.Fatalf("Visible(%q) is %q, and of that %q", s, v, visible.Text(v))
	}
}

// valid is the rule of CheckID, written for clearness and not for speed.
func valid(s string) bool {
	for seg := range strings.SplitSeq(s, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return false
		}
	}
	hidden := func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Cn, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
	}
	return s != "" && len(s) <= 256 && utf8.ValidString(s) && norm.NFC.String(s) == s &&
		!strings.ContainsAny(s, "@#~") && !strings.ContainsFunc(s, hidden) && strings.TrimSpace(s) == s
}

func TestCheckIDKeepsTheRules(t *testing.T) {
	gen := rapid.OneOf(
		rapid.StringMatching(`[a-c. /@é]{0,6}`),
		rapid.StringOf(rapid.SampledFrom([]rune("ab/. é\u0301\u1100\u1161\u202e\u2000❤\ufe0f提~\t"))),
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
	rapid.Check(t, func(t *rapid.T) { properties(t, gen.Draw(t, "s")) })
}

func FuzzCheckID(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) { properties(t, s) })
}

func TestChecksAllocateNothing(t *testing.T) {
	if got := testing.AllocsPerRun(100, func() {
		_ = stet.CheckID("support/triage-v2 beta"[:17])
		_ = stet.CheckPrefix("support/")
		_ = stet.CheckLabel("production")
		_ = visible.Text("nothing to hide: é")
	}); got != 0 {
		t.Errorf("checks allocate %v times", got)
	}
}

func BenchmarkCheckID(b *testing.B) {
	for _, id := range []string{"support/triage", "an id with spaces", "提示/分诊"} {
		b.Run(id, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := stet.CheckID(id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
