package selector_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/selector"
)

// What a range is made of: [low, high) for releases, {low, high) for pre-releases.
func TestIntervals(t *testing.T) {
	const most = "9223372036854775807"
	for _, tt := range []struct{ in, want string }{
		{"*", "[0.0.0, )"},
		{"1.2.3", "[1.2.3, 1.2.4)"},
		{"1.2.3-rc.1", "{1.2.3-rc.1, 1.2.3-rc.1.0)"},
		{"^1.2", "[1.2.0, 2.0.0)"},
		{"^1.2.3-rc.1", "[1.2.3, 2.0.0) {1.2.3-rc.1, 1.2.3)"},
		{">=1 <2.0.0-rc.1", "{2.0.0-0, 2.0.0-rc.1) [1.0.0, 2.0.0-0)"},
		{">=1.2.3-a <1.2.3-c", "{1.2.3-a, 1.2.3-c)"},
		{"1.2.3-a || ^1", "[1.2.3, 2.0.0) {1.2.3-a, 1.2.3-a.0) [1.0.0, 1.2.3-a)"},
		{"^1 || ^2", "[1.0.0, 3.0.0)"},
		{"^2 || ^1 || 1.5", "[1.0.0, 3.0.0)"},
		{"<1.2.3 || 1.2.3 || >1.2.3", "[0.0.0, )"},
		{"<1 || >2.1", "[2.2.0, ) [0.0.0, 1.0.0)"},
		{"* || 1", "[0.0.0, )"},
		{">2 <1", ""},
		{">1.2.3 <1.2.4", ""},
		{">*", ""},
		{">" + most, ""},
		{">" + most + "." + most + "." + most, ""},
		{">=" + most + "." + most + "." + most, "[" + most + "." + most + "." + most + ", )"},
		{"^" + most, "[" + most + ".0.0, )"},
		{"~1." + most + ".3", "[1." + most + ".3, 2.0.0)"},
		{"<=" + most, "[0.0.0, )"},
	} {
		var got []string
		for i := range mustRange(tt.in).Intervals() {
			open := "["
			if i.Prerelease {
				open = "{"
			}
			got = append(got, fmt.Sprintf("%s%s, %s)", open, i.Low, i.High))
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%q is %s, want %s", tt.in, got, tt.want)
		}
	}
}

// As many intervals as there can be: each alternative cuts the releases twice.
func TestIntervalsAreBounded(t *testing.T) {
	text := "*"
	for i := range stet.MaxAlternatives - 1 {
		text += fmt.Sprintf("||>%d.0.0-a <%d.1.0-b", i, i)
	}
	if len(text) > stet.MaxSelector {
		text = text[:strings.LastIndex(text[:stet.MaxSelector+1], "||")]
	}
	r := mustRange(text)
	checkShape(t, r)
	if n := len(slices.Collect(r.Intervals())); n < 40 {
		t.Errorf("%q has only %d intervals", text, n)
	}
}

// The differences that ParseRange lists. node-semver 7.8.6 takes each of these
// that is refused here, and says no to each number that is taken here.
func TestRangeDiffersFromNPM(t *testing.T) {
	for _, s := range []string{
		"v1.2.3", "^v1.2", "=v1.2.3", "~>1.2", "^=1.2", "1.2.3+build", "^1.2.3-rc.1+build", "", " ", "1 ||", "|| 1", "1 || || 2",
		" ^1", "^1 ", "1.2.x-rc", "~1.x.3", "^1.x.3", "1.x.3 - 2", "^1\t<2",
	} {
		if r, err := selector.ParseRange(s); stet.CodeOf(err) != stet.CodeInvalid {
			t.Errorf("ParseRange(%q) is %q, %v; want it refused", s, r, err)
		}
	}
	for _, tt := range []struct{ in, n string }{
		{"* || 1.2.3-rc", "1.2.3-rc"},
		{">=0.0.0 || 1.2.3-rc", "1.2.3-rc"},
	} {
		if !mustRange(tt.in).Contains(stet.MustParseNumber(tt.n)) {
			t.Errorf("%s is not in %q", tt.n, tt.in)
		}
	}
	// To npm >=0.0.0 is * even where the other comparator admits pre-releases
	// of 0.0.0, which are below it.
	if mustRange(">=0.0.0 <=0.0.0-b").Contains(stet.MustParseNumber("0.0.0-a")) {
		t.Error("0.0.0-a is at least 0.0.0")
	}
}

func TestRangeRefuses(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", `the range is empty.`},
		{" ^1", `it has white space at an end. Leave it out.`},
		{strings.Repeat("1", 257), `is 257 bytes long; it may have 256.`},
		{"1" + strings.Repeat("||1", 16), `it has more than 16 alternatives.`},
		{strings.Repeat("1 ", 32) + "1", `it has more than 32 comparators.`},
		{"1.2.x.4", `"1.2.x.4" is not a range: it has 4 parts. A number has three.`},
		{"^1 || 1.2.3.4", `in it, "1.2.3.4" has 4 parts.`},
		{"1 ||", `nothing stands beside a ||. Write * for every release.`},
		{"1 | 2", `in it, "|" has a single |.`},
		{">=1, <2", `in it, "1," has a comma. Write a space between what is to hold at once: >=1 <2.`},
		{">=1<2", `in it, "1<2" has an operator where a number belongs.`},
		{"=>1", `the operator is written ">=".`},
		{"=<1", `the operator is written "<=".`},
		{"~>1.2", `Write ~ or ^.`},
		{"!=1.2.3", `is not an operator of ranges. Write what is allowed`},
		{"^", `nothing follows "^".`},
		{">= || 1", `nothing follows ">=".`},
		{"^v1.2", `in it, "v1.2" begins with a v. Write 1.2.`},
		{"latest || 1", `in it, "latest" is not a number, nor the beginning of one.`},
		{"^01.2", `"01.2" has a leading zero. Leave it out.`},
		{"1..2", `it has an empty part.`},
		{"^1.x.3", `"1.x.3" has a number after an x.`},
		{"1.2-rc.1", `it has a pre-release, which only a whole number may have`},
		{"^1.2.3+5", `has build metadata, which no number in stet has.`},
		{"^1.9223372036854775808", `has a part over the limit of 9223372036854775807.`},
		{"1.2 -1.4", `in it, "-1.4"`},
		{"1.2 - 1.4 <2", `a hyphen stands between two numbers with a space on either side, and alone: 1.2 - 1.4.`},
		{"^1.2.3-é", `the pre-release has "\u00e9" at byte 6`},
		{"^1\u202e", `"^1\u202e" is not a range: in it, "1\u202e"`},
	} {
		r, err := selector.ParseRange(tt.in)
		if stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), tt.want) || r.String() != "" {
			t.Errorf("ParseRange(%q):\n got  %v\n want %s", tt.in, err, tt.want)
		}
	}
}
