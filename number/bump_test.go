package number_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/number"
)

// What node-semver 7.8.6 answers to inc.
func TestBump(t *testing.T) {
	for _, tt := range []struct{ in, major, minor, patch string }{
		{"0.0.0", "1.0.0", "0.1.0", "0.0.1"},
		{"0.1.0", "1.0.0", "0.2.0", "0.1.1"},
		{"1.2.3", "2.0.0", "1.3.0", "1.2.4"},
		{"1.0.0-rc.1", "1.0.0", "1.0.0", "1.0.0"},
		{"1.2.0-rc.1", "2.0.0", "1.2.0", "1.2.0"},
		{"1.2.3-rc.1", "2.0.0", "1.3.0", "1.2.3"},
		{"1.0.3-rc.1", "2.0.0", "1.1.0", "1.0.3"},
		{"0.0.0-0", "0.0.0", "0.0.0", "0.0.0"},
		{"9.9.9", "10.0.0", "9.10.0", "9.9.10"},
	} {
		for b, want := range map[number.Bump]string{number.Major: tt.major, number.Minor: tt.minor, number.Patch: tt.patch} {
			got, err := number.MustParse(tt.in).Bump(b)
			if err != nil || got.String() != want {
				t.Errorf("%s %s is %s, %v; want %s", tt.in, b, got, err, want)
			}
		}
	}
	for _, b := range []number.Bump{number.Major, number.Minor, number.Patch} {
		if got, err := (number.Number{}).Bump(b); err != nil || got.String() != "1.0.0" {
			t.Errorf("the first number by %s is %s, %v; want 1.0.0", b, got, err)
		}
	}
}

func TestBumpRefuses(t *testing.T) {
	const most = "9223372036854775807"
	for _, tt := range []struct {
		in   string
		bump number.Bump
		code fault.Code
		want string
	}{
		{most + ".0.0", number.Major, fault.Conflict, most + ".0.0 has no next major number"},
		{"1." + most + ".0", number.Minor, fault.Conflict, "no next minor number: " + most + " is the largest"},
		{"1.2." + most, number.Patch, fault.Conflict, "no next patch number"},
		{"1.2.3", number.Auto, fault.Invalid, "depends on what has changed"},
		{"1.2.3", "huge", fault.Invalid, `"huge" is not a bump. Write auto, major, minor or patch.`},
	} {
		got, err := number.MustParse(tt.in).Bump(tt.bump)
		if fault.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.want) || !got.IsZero() {
			t.Errorf("%s %s is %s, %v; want %s: %s", tt.in, tt.bump, got, err, tt.code, tt.want)
		}
	}
	if got, err := number.MustParse(most + ".0.0-rc").Bump(number.Major); err != nil || got.String() != most+".0.0" {
		t.Errorf("the largest pre-release does not become its release: %s, %v", got, err)
	}
}

// A bump is a release above the number that it was made from.
func TestBumpRises(t *testing.T) {
	gen := generator()
	rapid.Check(t, func(t *rapid.T) {
		n := number.MustParse(gen.Draw(t, "n"))
		b := rapid.SampledFrom([]number.Bump{number.Major, number.Minor, number.Patch}).Draw(t, "bump")
		if got, err := n.Bump(b); err == nil && (!n.Less(got) || got.IsPrerelease()) {
			t.Fatalf("%s %s is %s", n, b, got)
		}
	})
}

func TestParseBump(t *testing.T) {
	for in, want := range map[string]number.Bump{
		"": number.Auto, "auto": number.Auto, "major": number.Major, "minor": number.Minor, "patch": number.Patch,
	} {
		if got, err := number.ParseBump(in); got != want || err != nil {
			t.Errorf("ParseBump(%q) is %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"Major", "prerelease", " minor"} {
		if got, err := number.ParseBump(in); fault.CodeOf(err) != fault.Invalid || got != "" {
			t.Errorf("ParseBump(%q) is %q, %v", in, got, err)
		}
	}
}
