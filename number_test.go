package stet_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/mod/semver"
	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
)

// Generator draws numbers that lie close together, so that their order is not
// decided by the first part alone.
func generator() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.Uint64Range(0, 3),
		rapid.SampledFrom([]uint64{9, 10, 99, 100, stet.MaxNumberPart - 1, stet.MaxNumberPart}),
	)
	id := rapid.OneOf(
		rapid.Map(part, func(p uint64) string { return fmt.Sprint(p) }),
		rapid.SampledFrom([]string{"a", "A", "rc", "alpha", "beta", "-", "--", "0-0", "1a", "x", "00a"}),
	)
	return rapid.Custom(func(t *rapid.T) string {
		s := fmt.Sprintf("%d.%d.%d", part.Draw(t, "major"), part.Draw(t, "minor"), part.Draw(t, "patch"))
		if rapid.Bool().Draw(t, "is pre-release") {
			s += "-" + strings.Join(rapid.SliceOfN(id, 1, 3).Draw(t, "pre"), ".")
		}
		return s
	})
}

func TestSize(t *testing.T) {
	if got := unsafe.Sizeof(stet.Number{}); got != 32 {
		t.Errorf("a Number has %d bytes, want 32", got)
	}
}

func TestZero(t *testing.T) {
	var zero stet.Number
	origin := stet.NewNumber(0, 0, 0)
	if !zero.IsZero() || origin.IsZero() || zero == origin {
		t.Error("the zero Number and 0.0.0 are not told apart")
	}
	if stet.CompareNumbers(zero, stet.MustParseNumber("0.0.0-0")) != -1 {
		t.Error("the zero Number is not below 0.0.0-0")
	}
	if zero.String() != "" || zero.Prerelease() != "" || zero.IsPrerelease() || zero.Major() != 0 {
		t.Errorf("the zero Number is %q, major %d", zero, zero.Major())
	}
	if !zero.Next().IsZero() || !zero.Lowest().IsZero() || !zero.Release().IsZero() {
		t.Error("the zero Number has neighbours")
	}
	if origin.String() != "0.0.0" {
		t.Errorf("0.0.0 is written %q", origin)
	}
}

func TestParts(t *testing.T) {
	n := stet.MustParseNumber("1.22.333-rc.4")
	if n.Major() != 1 || n.Minor() != 22 || n.Patch() != 333 || n.Prerelease() != "rc.4" || !n.IsPrerelease() {
		t.Errorf("the parts of %s are %d, %d, %d, %q", n, n.Major(), n.Minor(), n.Patch(), n.Prerelease())
	}
	if got := n.Release(); got != stet.NewNumber(1, 22, 333) {
		t.Errorf("Release of %s is %s", n, got)
	}
	if got := n.Lowest().String(); got != "1.22.333-0" {
		t.Errorf("Lowest of %s is %s", n, got)
	}
	if stet.MustParseNumber("1.22.333-rc.4") != n {
		t.Error("two equal numbers are not ==")
	}
}

func TestNewPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New took 2^63")
		}
	}()
	stet.NewNumber(0, 0, 1<<63)
}

func TestNext(t *testing.T) {
	const most = "9223372036854775807"
	for in, want := range map[string]string{
		"1.2.3":                             "1.2.4-0",
		"1.2.3-rc":                          "1.2.3-rc.0",
		"1.2.3-0":                           "1.2.3-0.0",
		"1.2." + most:                       "1.3.0-0",
		"1." + most + "." + most:            "2.0.0-0",
		most + "." + most + "." + most:      "",
		most + "." + most + ".3":            most + "." + most + ".4-0",
		"1.0.0-" + strings.Repeat("a", 122): "1.0.0-" + strings.Repeat("a", 122) + ".0",
	} {
		if got := stet.MustParseNumber(in).Next().String(); got != want {
			t.Errorf("the next of %s is %s, want %s", in, got, want)
		}
	}
}

// Nothing lies between a number and its Next.
func TestNextIsTheNearest(t *testing.T) {
	gen := generator()
	rapid.Check(t, func(t *rapid.T) {
		n, m := stet.MustParseNumber(gen.Draw(t, "n")), stet.MustParseNumber(gen.Draw(t, "m"))
		next := n.Next()
		if next.IsZero() {
			return
		}
		if !n.Less(next) {
			t.Fatalf("%s is not below its next, %s", n, next)
		}
		if n.Less(m) == m.Less(next) {
			t.Fatalf("%s lies between %s and %s, or on neither side", m, n, next)
		}
	})
}

// The precedence that semver.org gives in its section 11, and more.
func TestOrder(t *testing.T) {
	want := []string{
		"0.0.0-0", "0.0.0-00a", "0.0.0", "0.0.1", "0.1.0",
		"1.0.0-0", "1.0.0-2", "1.0.0-11", "1.0.0--", "1.0.0-A", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
		"1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-beta.9223372036854775807", "1.0.0-rc.1", "1.0.0",
		"2.0.0", "2.1.0", "2.1.1", "2.1.10", "10.0.0", "9223372036854775807.0.0",
	}
	ns := make([]stet.Number, len(want))
	for i, s := range want {
		ns[i] = stet.MustParseNumber(s)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(ns), func(i, j int) { ns[i], ns[j] = ns[j], ns[i] })
	slices.SortFunc(ns, stet.CompareNumbers)
	for i, n := range ns {
		if n.String() != want[i] {
			t.Errorf("place %d has %s, want %s", i, n, want[i])
		}
	}
}

func TestCompareAgreesWithModSemver(t *testing.T) {
	gen := generator()
	rapid.Check(t, func(t *rapid.T) {
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		checkCompare(t, a, b)
	})
}

// checkCompare compares two valid numbers in every way there is.
func checkCompare(t interface{ Fatalf(string, ...any) }, a, b string) {
	x, y := stet.MustParseNumber(a), stet.MustParseNumber(b)
	got, want := stet.CompareNumbers(x, y), semver.Compare("v"+a, "v"+b)
	if got != want || stet.CompareNumbers(y, x) != -want {
		t.Fatalf("Compare(%s, %s) is %d, and %d turned round; want %d", a, b, got, stet.CompareNumbers(y, x), want)
	}
	if (x == y) != (got == 0) || (a == b) != (got == 0) || x.Less(y) != (got < 0) {
		t.Fatalf("==, Less and Compare disagree on %s and %s", a, b)
	}
}

func TestText(t *testing.T) {
	type doc struct {
		N stet.Number         `json:"n"`
		M map[stet.Number]int `json:"m"`
	}
	in := doc{stet.MustParseNumber("1.2.3-rc.1"), map[stet.Number]int{stet.NewNumber(0, 0, 0): 1}}
	b, err := json.Marshal(in)
	if err != nil || string(b) != `{"n":"1.2.3-rc.1","m":{"0.0.0":1}}` {
		t.Fatalf("Marshal: %s, %v", b, err)
	}
	var out doc
	if err := json.Unmarshal(b, &out); err != nil || out.N != in.N || out.M[stet.NewNumber(0, 0, 0)] != 1 {
		t.Errorf("Unmarshal: %+v, %v", out, err)
	}
	if b, err := json.Marshal(stet.Number{}); err != nil || string(b) != `""` {
		t.Errorf("Marshal of none: %s, %v", b, err)
	}
	if err := out.N.UnmarshalText(nil); err != nil || !out.N.IsZero() {
		t.Errorf("UnmarshalText of nothing: %s, %v", out.N, err)
	}
	if err := in.N.UnmarshalText([]byte("1.2")); err == nil || in.N.String() != "1.2.3-rc.1" {
		t.Errorf("UnmarshalText of 1.2: %s, %v", in.N, err)
	}
}

func TestCompareAllocatesNothing(t *testing.T) {
	a, b := stet.MustParseNumber("1.0.0-alpha.beta.12.x"), stet.MustParseNumber("1.0.0-alpha.beta.12.y")
	if got := testing.AllocsPerRun(100, func() { stet.CompareNumbers(a, b) }); got != 0 {
		t.Errorf("Compare allocates %v times", got)
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, bb := range []struct{ name, x, y string }{
		{"release", "1.2.3", "1.2.4"},
		{"prerelease", "1.2.3-alpha.beta.11", "1.2.3-alpha.beta.12"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			x, y := stet.MustParseNumber(bb.x), stet.MustParseNumber(bb.y)
			b.ReportAllocs()
			for b.Loop() {
				stet.CompareNumbers(x, y)
			}
		})
	}
}
