// Package report writes what the programs of bench have measured: figures with
// their units, percentiles, tables and the line of progress.
package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// A Unit is what a figure counts.
type Unit string

// The units.
const (
	Seconds Unit = "s"
	Bytes   Unit = "B"
	Times   Unit = "×"
)

// A step is how a unit is written from a value on.
type step struct {
	from float64
	name string
}

var steps = map[Unit][]step{
	Seconds: {{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}, {1e-9, "ns"}},
	Bytes:   {{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {1, "B"}},
	Times:   {{1, "×"}},
}

// Format writes a value with three significant digits and the form of its unit that
// suits it: 1.20 ms.
func Format(value float64, unit Unit) string {
	of := steps[unit]
	for _, s := range of {
		if value >= s.from {
			return digits(value/s.from) + " " + s.name
		}
	}
	last := of[len(of)-1]
	return digits(value/last.from) + " " + last.name
}

// Parse reads what Format has written, as exact as that is. A "KB" is what it once
// wrote for 1,024 bytes.
func Parse(figure string) (float64, Unit, error) {
	number, name, _ := strings.Cut(figure, " ")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, "", err
	}
	if name == "KB" {
		return value * 1024, Bytes, nil
	}
	for unit, of := range steps {
		for _, s := range of {
			if s.name == name {
				return value * s.from, unit, nil
			}
		}
	}
	return 0, "", fmt.Errorf("%q has no unit that is known", figure)
}

// digits writes a number below a thousand with three significant digits.
func digits(x float64) string {
	switch {
	case x >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// Ratio writes a ratio: two decimals, or whole with commas where it is large.
func Ratio(x float64) string {
	if x < 1000 {
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return humanize.Comma(int64(x + 0.5))
}

// Count writes how many of a thing there are: 1 round, 1,024 rounds.
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return humanize.Comma(int64(n)) + " " + thing
}

// Median returns the median of some numbers, at least one: of an even number of
// them, the mean of the middle two.
func Median[T ~int64 | ~float64](all []T) T {
	all = slices.Sorted(slices.Values(all))
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}
