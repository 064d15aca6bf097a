package stet_test

import (
	"strings"
	"testing"

	"golang.org/x/mod/semver"
	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
)

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", `the number is empty. Write MAJOR.MINOR.PATCH, such as 1.2.3 or 1.2.3-rc.1.`},
		{"v1.2.3", `it begins with "v". Write 1.2.3.`},
		{"=1.2.3", `it begins with "=". Write 1.2.3.`},
		{"v1.2", `a number begins with a digit.`},
		{"1", `it has 1 of the three parts. Write 1.0.0.`},
		{"1.2", `it has 2 of the three parts. Write 1.2.0.`},
		{"1.2-rc.1", `Write 1.2.0-rc.1.`},
		{"1.2-\x88", `it has 2 of the three parts. Write MAJOR.MINOR.PATCH`},
		{"1.2.3.4", `it has 4 parts, not three. Write 1.2.3, or 1.2.3-4 for a pre-release.`},
		{"01.2.3", `the major part, 01, has a leading zero. Write 1.`},
		{"1.00.3", `the minor part, 00, has a leading zero. Write 0.`},
		{"1.2.", `the patch part is empty.`},
		{"1..3", `the minor part is empty.`},
		{"-1.2.3", `the major part is empty.`},
		{"1.2.x", `the patch part is "x", which only a range may have.`},
		{"1.2.*", `the patch part is "*", which only a range may have.`},
		{"1.2a.3", `the minor part has "a" at byte 3, where only digits are allowed.`},
		{"1.2.٣", `the patch part has "\u0663" at byte 4`},
		{"1.2.\x80", `the patch part has "\x80" at byte 4`},
		{"1.2.3_4", `the patch part has "_" at byte 5`},
		{"1.2.3.x", `part 4 is "x"`},
		{" 1.2.3", `it has white space at byte 0. Leave it out.`},
		{"1.2.3\n", `"1.2.3\n" is not a number: it has white space at byte 5.`},
		{"1.2.3+5", `equal precedence. Write 1.2.3.`},
		{"1.2.3-rc.1+5", `equal precedence. Write 1.2.3-rc.1.`},
		{"1.2+5", `build metadata (what follows the +) is refused`},
		{"1.2.3-", `nothing follows the hyphen.`},
		{"1.2.3-a..b", `the pre-release has an empty identifier at byte 8.`},
		{"1.2.3-a.", `the pre-release has an empty identifier at byte 8.`},
		{"1.2.3-a.é", `the pre-release has "\u00e9" at byte 8;`},
		{"1.2.3-rc_1", `the pre-release has "_" at byte 8;`},
		{"1.2.3-rc.01", `the pre-release identifier, 01, has a leading zero. Write 1.`},
		{"9223372036854775808.0.0", `the major part, 9223372036854775808, is over the limit of 9223372036854775807.`},
		{"0.0.99999999999999999999999", `the patch part, 99999999999999999999999, is over the limit`},
		{"1.0.0-9223372036854775808", `the pre-release identifier, 9223372036854775808, is over the limit`},
		{"1.0.0-" + strings.Repeat("a", 123), `is 129 bytes long; a number has at most 128.`},
		{"latest", `it begins with a letter, as a label does, and only a number will do here.`},
	} {
		n, err := stet.ParseNumber(tt.in)
		if err == nil {
			t.Errorf("Parse(%q) is %s, want an error", tt.in, n)
			continue
		}
		if stet.CodeOf(err) != stet.CodeInvalid || !n.IsZero() {
			t.Errorf("Parse(%q) fails with the code %s and the number %s", tt.in, stet.CodeOf(err), n)
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse(%q):\n got  %s\n want %s", tt.in, err, tt.want)
		}
	}
}

func TestParseTakes(t *testing.T) {
	for _, s := range []string{
		"0.0.0", "1.2.3", "10.20.30", "1.0.0-0", "1.0.0-rc.1", "1.0.0-x.7.z.92", "1.0.0-x-y-z.--", "1.0.0-00a", "1.0.0-0a.0",
		"9223372036854775807.9223372036854775807.9223372036854775807-9223372036854775807",
		"1.0.0-99999999999999999999a",
		"1.0.0-" + strings.Repeat("a", 122),
	} {
		n, err := stet.ParseNumber(s)
		if err != nil || n.String() != s || string(n.AppendTo([]byte("@"))) != "@"+s {
			t.Errorf("Parse(%q) is %q, %v", s, n, err)
		}
	}
}

func TestMustParsePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("MustParse took 1.2")
		}
	}()
	stet.MustParseNumber("1.2")
}

// validNumber is what Parse must take, by another's rules: x/mod's grammar, three
// parts, no build metadata, and stet's own limits.
func validNumber(s string) bool {
	v := "v" + s
	if len(s) > stet.MaxNumber || !semver.IsValid(v) || semver.Canonical(v) != v {
		return false
	}
	core, pre, _ := strings.Cut(s, "-")
	over := func(id string) bool {
		const most = "9223372036854775807"
		return strings.Trim(id, "0123456789") == "" && (len(id) > len(most) || len(id) == len(most) && id > most)
	}
	for id := range strings.SplitSeq(core+"."+pre, ".") {
		if over(id) {
			return false
		}
	}
	return true
}

func checkParse(t interface{ Fatalf(string, ...any) }, s string) {
	n, err := stet.ParseNumber(s)
	if want := validNumber(s); (err == nil) != want {
		t.Fatalf("Parse(%q) is %v, and the oracle says %v", s, err, want)
	}
	switch {
	case err == nil && n.String() != s:
		t.Fatalf("Parse(%q) writes itself %q", s, n)
	case err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }):
		t.Fatalf("Parse(%q) has an error that is not fit to print: %q", s, err)
	case err != nil && (stet.CodeOf(err) != stet.CodeInvalid || strings.HasSuffix(err.Error(), "is not a number: Write MAJOR.MINOR.PATCH, such as 1.2.3 or 1.2.3-rc.1.")):
		t.Fatalf("Parse(%q) says no reason: %v", s, err)
	}
}

func TestParseAgreesWithModSemver(t *testing.T) {
	near := rapid.StringMatching(`v?[0-9x]{1,2}(\.[0-9]{1,2}){1,3}(-[0-9a-c.-]{0,6})?(\+[a-c])?`)
	gen := rapid.OneOf(generator(), near, rapid.String())
	rapid.Check(t, func(t *rapid.T) { checkParse(t, gen.Draw(t, "s")) })
}

func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, a, b string) {
		checkParse(t, a)
		checkParse(t, b)
		if validNumber(a) && validNumber(b) {
			checkCompare(t, a, b)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, s := range []string{"1.2.3", "1.2.3-rc.1"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			keep := stet.MustParseNumber(s)
			for b.Loop() {
				if n, err := stet.ParseNumber(s); err != nil || n != keep {
					b.Fatal(n, err)
				}
			}
		})
	}
}
