package selector_test

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/selector"
)

// TestRangeAgreesWithNPM holds ParseRange to what node-semver has answered. The
// table leaves out the ranges of TestRangeDiffersFromNPM.
func TestRangeAgreesWithNPM(t *testing.T) {
	f, err := os.Open("testdata/node-semver.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var universe []stet.Number
	rows := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		if universe == nil {
			for s := range strings.FieldsSeq(line) {
				universe = append(universe, stet.MustParseNumber(s))
			}
			continue
		}
		rows++
		text, want, _ := strings.Cut(line, "\t")
		r, err := selector.ParseRange(text)
		if (err != nil) != (want == "!") {
			t.Errorf("ParseRange(%q) is %v, and npm says %s", text, err, want)
		}
		if err != nil {
			continue
		}
		if got := matches(r, universe); got != want {
			t.Errorf("%q contains\n%s\nnpm:\n%s", text, got, want)
		}
		checkSeek(t, r, universe)
	}
	if rows < 600 {
		t.Errorf("the table has only %d rows", rows)
	}
}

func matches(r selector.Range, universe []stet.Number) string {
	var in []string
	for _, n := range universe {
		if r.Contains(n) {
			in = append(in, n.String())
		}
	}
	if in == nil {
		return "none"
	}
	return strings.Join(in, " ")
}

// checkSeek finds the highest match as a store does, by seeking down from the
// end of each interval, and compares it with a search through all.
func checkSeek(t interface{ Fatalf(string, ...any) }, r selector.Range, sorted []stet.Number) {
	var want, got stet.Number
	for _, n := range sorted {
		if r.Contains(n) {
			want = n
		}
	}
	// A store has one index of releases and one of pre-releases.
	var index [2][]stet.Number
	for _, n := range sorted {
		if n.IsPrerelease() {
			index[1] = append(index[1], n)
		} else {
			index[0] = append(index[0], n)
		}
	}
	for i := range r.Intervals() {
		in := index[0]
		if i.Prerelease {
			in = index[1]
		}
		at := len(in)
		if !i.High.IsZero() {
			at, _ = slices.BinarySearchFunc(in, i.High, stet.CompareNumbers)
		}
		if at > 0 && !in[at-1].Less(i.Low) {
			got = in[at-1]
			break
		}
	}
	if got != want {
		t.Fatalf("seeking %q finds %q, and the highest match is %q", r, got, want)
	}
}

// checkShape checks what Intervals promises.
func checkShape(t interface{ Fatalf(string, ...any) }, r selector.Range) {
	all := slices.Collect(r.Intervals())
	if r.IsEmpty() != (len(all) == 0) || len(all) > 5*stet.MaxAlternatives {
		t.Fatalf("%q has %d intervals, and is empty: %t", r, len(all), r.IsEmpty())
	}
	for k, i := range all {
		switch {
		case i.Low.IsZero():
			t.Fatalf("an interval of %q has no lower end", r)
		case i.High.IsZero() && (k > 0 || i.Prerelease):
			t.Fatalf("interval %d of %q has no upper end", k, r)
		case !i.High.IsZero() && !i.Low.Less(i.High):
			t.Fatalf("interval %d of %q is from %s up to %s", k, r, i.Low, i.High)
		case k > 0 && all[k-1].Low.Less(i.High):
			t.Fatalf("intervals of %q overlap: from %s, and up to %s", r, all[k-1].Low, i.High)
		case i.Prerelease && (!i.Low.IsPrerelease() || i.High.Release() != i.Low.Release()):
			t.Fatalf("an interval of pre-releases of %q is from %s up to %s", r, i.Low, i.High)
		case i.Low.IsPrerelease() != i.Prerelease || !r.Contains(i.Low):
			t.Fatalf("an interval of %q begins with %s, which is not in it", r, i.Low)
		}
	}
}

func partials(prereleases bool) *rapid.Generator[string] {
	part := rapid.OneOf(rapid.Uint64Range(0, 3), rapid.SampledFrom([]uint64{9, 10}))
	return rapid.Custom(func(t *rapid.T) string {
		a, b, c := part.Draw(t, "major"), part.Draw(t, "minor"), part.Draw(t, "patch")
		forms := []string{fmt.Sprint(a), fmt.Sprintf("%d.%d", a, b), fmt.Sprintf("%d.%d.x", a, b), fmt.Sprintf("%d.%d.%d", a, b, c), "*"}
		if prereleases {
			pre := rapid.SampledFrom([]string{"0", "a", "a.0", "rc.1", "rc.10"}).Draw(t, "pre")
			forms = append(forms, fmt.Sprintf("%d.%d.%d-%s", a, b, c, pre))
		}
		return rapid.SampledFrom(forms).Draw(t, "form")
	})
}

func ranges(prereleases bool) *rapid.Generator[string] {
	partial := partials(prereleases)
	comparator := rapid.Custom(func(t *rapid.T) string {
		op := rapid.SampledFrom([]string{"", "=", ">", ">=", "<", "<=", "^", "~"}).Draw(t, "op")
		return op + partial.Draw(t, "partial")
	})
	alternative := rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 5).Draw(t, "hyphen") == 0 {
			return partial.Draw(t, "from") + " - " + partial.Draw(t, "to")
		}
		return strings.Join(rapid.SliceOfN(comparator, 1, 3).Draw(t, "comparators"), " ")
	})
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(alternative, 1, 4).Draw(t, "alternatives"), " || ")
	})
}

// numbers draws numbers among those that ranges names, in order.
func numbers(prereleases bool) *rapid.Generator[[]stet.Number] {
	one := rapid.Map(partials(prereleases).Filter(func(s string) bool {
		_, err := stet.ParseNumber(s)
		return err == nil
	}), stet.MustParseNumber)
	return rapid.Map(rapid.SliceOfN(one, 1, 20), func(ns []stet.Number) []stet.Number {
		slices.SortFunc(ns, stet.CompareNumbers)
		return slices.Compact(ns)
	})
}

func TestRangeFindsTheHighest(t *testing.T) {
	texts, universes := ranges(true), numbers(true)
	rapid.Check(t, func(t *rapid.T) {
		r, err := selector.ParseRange(texts.Draw(t, "range"))
		if err != nil {
			t.Fatalf("%v", err)
		}
		checkShape(t, r)
		checkSeek(t, r, universes.Draw(t, "numbers"))
	})
}

// A || B is in A or in B, and leaves nothing out.
func TestRangeIsUnion(t *testing.T) {
	texts, universes := ranges(true), numbers(true)
	rapid.Check(t, func(t *rapid.T) {
		a, b := texts.Draw(t, "a"), texts.Draw(t, "b")
		ra, rb, both := mustRange(a), mustRange(b), mustRange(a+"||"+b)
		checkShape(t, both)
		for _, n := range universes.Draw(t, "numbers") {
			if both.Contains(n) != (ra.Contains(n) || rb.Contains(n)) {
				t.Fatalf("%s in %q: %t; in %q: %t; in both: %t", n, a, ra.Contains(n), b, rb.Contains(n), both.Contains(n))
			}
		}
	})
}

// TestRangeAgreesWithMasterminds holds ParseRange to Masterminds/semver where
// both mean the same: releases, in ranges that name no pre-release. They differ,
// and npm's meaning wins, in these:
//
//   - A range that names a pre-release: Masterminds then takes all pre-releases,
//     npm only those of the same MAJOR.MINOR.PATCH.
//   - An x (or *) after an operator or beside a hyphen: to npm <x and >x are
//     nothing and all others everything; Masterminds' ^x is <1.0.0, and more.
//   - ~0.0.0: to npm >=0.0.0 <0.1.0, to Masterminds everything.
//   - A comma between comparators, and !=: refused.
//   - A v before a number, and build metadata: refused, unlike npm too.
func TestRangeAgreesWithMasterminds(t *testing.T) {
	starred := regexp.MustCompile(`[<>=^~]\*|\* -|- \*|~0\.0\.0`)
	texts, universes := ranges(false), numbers(false)
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Filter(func(s string) bool {
			return !starred.MatchString(s)
		}).Draw(t, "range")
		r := mustRange(text)
		oracle, err := semver.NewConstraint(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for _, n := range universes.Draw(t, "numbers") {
			if got, want := r.Contains(n), oracle.Check(semver.MustParse(n.String())); got != want {
				t.Fatalf("%s in %q: %t, and Masterminds says %t", n, text, got, want)
			}
		}
	})
}

func mustRange(s string) selector.Range {
	r, err := selector.ParseRange(s)
	if err != nil {
		panic(err)
	}
	return r
}

func FuzzRange(f *testing.F) {
	f.Fuzz(func(t *testing.T, text, num string) {
		r, err := selector.ParseRange(text)
		if err != nil {
			if stet.CodeOf(err) != stet.CodeInvalid || r.String() != "" || !r.IsEmpty() {
				t.Fatalf("ParseRange(%q) is %v and %q", text, err, r)
			}
			return
		}
		checkShape(t, r)
		if n, err := stet.ParseNumber(num); err == nil {
			checkSeek(t, r, []stet.Number{n})
			if both := mustRangeOr(text+"||"+num, r); r.Contains(n) && !both.Contains(n) {
				t.Fatalf("%s is in %q, but not with itself beside it", num, text)
			}
		}
	})
}

// mustRangeOr is ParseRange, or r where a limit is in the way.
func mustRangeOr(text string, r selector.Range) selector.Range {
	if s, err := selector.ParseRange(text); err == nil {
		return s
	}
	return r
}

func BenchmarkRange(b *testing.B) {
	n := stet.MustParseNumber("1.4.2")
	for _, text := range []string{"^1.2", ">=1.2.3-rc.1 <2 || ^3"} {
		b.Run("parse "+text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustRange(text)
			}
		})
		b.Run("contains "+text, func(b *testing.B) {
			r := mustRange(text)
			b.ReportAllocs()
			for b.Loop() {
				r.Contains(n)
			}
		})
	}
}
