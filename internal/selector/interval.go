package selector

import (
	"slices"

	"github.com/stet-dev/stet"
)

// An Interval is a piece of a Range: consecutive numbers, of which either the releases
// match or the pre-releases.
type Interval struct {
	// Low is the lowest number in the interval. There always is one: the lowest number of
	// all is 0.0.0-0.
	Low stet.Number
	// High is the least number above the interval, and not in it. It is zero if
	// the interval has no upper end. It may be a number that no version can
	// have, two bytes longer than stet.MaxNumber.
	High stet.Number
	// Prerelease says which numbers from Low up to High match. If it is false, all
	// releases match and no pre-release does. If it is true, all pre-releases match, and
	// there is nothing else: Low and High have the same MAJOR.MINOR.PATCH.
	Prerelease bool
}

// Contains reports whether n matches: whether it is in the interval, and a
// pre-release or a release as the interval requires.
func (i Interval) Contains(n stet.Number) bool {
	return n.IsPrerelease() == i.Prerelease && !n.IsZero() && !n.Less(i.Low) && below(n, i.High)
}

// below reports whether n is below high, where the zero Number is no limit.
func below(n, high stet.Number) bool { return high.IsZero() || n.Less(high) }

// isEmpty reports whether nothing lies between the ends.
func (i Interval) isEmpty() bool { return !below(i.Low, i.High) }

// split appends what matches in the span from low up to high: its releases to releases,
// and to prereleases those pre-releases whose MAJOR.MINOR.PATCH is in admitted.
func split(low, high stet.Number, admitted []stet.Number, releases, prereleases []Interval) (r, p []Interval) {
	// A piece of releases begins and ends with a release, so that adjacent pieces touch.
	piece := Interval{Low: low.Release(), High: high.Release()}
	if !piece.isEmpty() {
		releases = append(releases, piece)
	}
	for _, tuple := range admitted {
		piece := Interval{Low: tuple.Lowest(), High: tuple, Prerelease: true}
		if piece.Low.Less(low) {
			piece.Low = low
		}
		if !below(piece.High, high) {
			piece.High = high
		}
		if !piece.isEmpty() {
			prereleases = append(prereleases, piece)
		}
	}
	return releases, prereleases
}

// union merges pieces of one sort into as few as possible, the lowest first. It reuses the
// slice.
func union(pieces []Interval) []Interval {
	slices.SortFunc(pieces, func(a, b Interval) int { return stet.CompareNumbers(a.Low, b.Low) })
	merged := pieces[:0]
	for _, p := range pieces {
		if len(merged) > 0 {
			last := &merged[len(merged)-1]
			if last.High.IsZero() {
				continue // it holds all that follow
			}
			if !last.High.Less(p.Low) {
				if p.High.IsZero() || last.High.Less(p.High) {
					last.High = p.High
				}
				continue
			}
		}
		merged = append(merged, p)
	}
	return merged
}

// interleave returns the pieces of both sorts, the highest first. Pieces of releases are
// cut where pre-releases lie between, so that no two overlap. Both arguments are unions.
func interleave(releases, prereleases []Interval) []Interval {
	all := make([]Interval, 0, len(releases)+2*len(prereleases))
	for _, r := range releases {
		for _, p := range prereleases {
			if !r.Low.Less(p.Low) || !below(p.Low, r.High) {
				continue
			}
			// Between the pre-release p.Low and its release there is no release.
			all = append(all, Interval{Low: r.Low, High: p.Low})
			r.Low = p.Low.Release()
		}
		if !r.isEmpty() {
			all = append(all, r)
		}
	}
	all = append(all, prereleases...)
	slices.SortFunc(all, func(a, b Interval) int { return stet.CompareNumbers(b.Low, a.Low) })
	return all
}
