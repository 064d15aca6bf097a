package stet_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
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
		for b, want := range map[stet.Bump]string{stet.BumpMajor: tt.major, stet.BumpMinor: tt.minor, stet.BumpPatch: tt.patch} {
			got, err := stet.MustParseNumber(tt.in).Bump(b)
			if err != nil || got.String() != want {
				t.Errorf("%s %s is %s, %v; want %s", tt.in, b, got, err, want)
			}
		}
	}
	for _, b := range []stet.Bump{stet.BumpMajor, stet.BumpMinor, stet.BumpPatch} {
		if got, err := (stet.Number{}).Bump(b); err != nil || got.String() != "1.0.0" {
			t.Errorf("the first number by %s is %s, %v; want 1.0.0", b, got, err)
		}
	}
}

func TestBumpRefuses(t *testing.T) {
	const most = "9223372036854775807"
	for _, tt := range []struct {
		in   string
		bump stet.Bump
		code stet.Code
		want string
	}{
		{most + ".0.0", stet.BumpMajor, stet.CodeConflict, most + ".0.0 has no next major number"},
		{"1." + most + ".0", stet.BumpMinor, stet.CodeConflict, "no next minor number: " + most + " is the largest"},
		{"1.2." + most, stet.BumpPatch, stet.CodeConflict, "no next patch number"},
		{"1.2.3", stet.BumpAuto, stet.CodeInvalid, "depends on what has changed"},
		{"1.2.3", "huge", stet.CodeInvalid, `"huge" is not a bump. Write auto, major, minor or patch.`},
	} {
		got, err := stet.MustParseNumber(tt.in).Bump(tt.bump)
		if stet.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.want) || !got.IsZero() {
			t.Errorf("%s %s is %s, %v; want %s: %s", tt.in, tt.bump, got, err, tt.code, tt.want)
		}
	}
	if got, err := stet.MustParseNumber(most + ".0.0-rc").Bump(stet.BumpMajor); err != nil || got.String() != most+".0.0" {
		t.Errorf("the largest pre-release does not become its release: %s, %v", got, err)
	}
}

// A bump is a release above the number that it was made from.
func TestBumpRises(t *testing.T) {
	gen := generator()
	rapid.Check(t, func(t *rapid.T) {
		n := stet.MustParseNumber(gen.Draw(t, "n"))
		b := rapid.SampledFrom([]stet.Bump{stet.BumpMajor, stet.BumpMinor, stet.BumpPatch}).Draw(t, "bump")
		if got, err := n.Bump(b); err == nil && (!n.Less(got) || got.IsPrerelease()) {
			t.Fatalf("%s %s is %s", n, b, got)
		}
	})
}

func TestParseBump(t *testing.T) {
	for in, want := range map[string]stet.Bump{
		"": stet.BumpAuto, "auto": stet.BumpAuto, "major": stet.BumpMajor, "minor": stet.BumpMinor, "patch": stet.BumpPatch,
	} {
		if got, err := stet.ParseBump(in); got != want || err != nil {
			t.Errorf("ParseBump(%q) is %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"Major", "prerelease", " minor"} {
		if got, err := stet.ParseBump(in); stet.CodeOf(err) != stet.CodeInvalid || got != "" {
			t.Errorf("ParseBump(%q) is %q, %v", in, got, err)
		}
	}
}
