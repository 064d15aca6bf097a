package stet_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
)

// TestFormatTime: a time is written as package time writes it in the same layout.
func TestFormatTime(t *testing.T) {
	const layout = "2006-01-02T15:04:05.000000Z"
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
		at = at.In(time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "hours")*3600))
		if got, want := stet.FormatTime(at), at.UTC().Format(layout); got != want {
			t.Fatalf("%s, and not %s", got, want)
		}
	})
}
