package main

import (
	"strings"
	"testing"

	"github.com/stet-dev/stet/internal/race"
)

func TestRaceVerdict(t *testing.T) {
	for _, c := range []struct {
		original, locked race.Result
		want             []string
	}{
		{race.Result{Saved: 5000, Lost: 1200, Doubled: 1100}, race.Result{Saved: 4000, Refused: 90_000}, []string{
			`The original answered "saved" 5,000 times, and 1,200 of the texts are gone.`,
			"With its lock it lost nothing, but refused 90,000 saves: ",
		}},
		{race.Result{Saved: 1}, race.Result{Saved: 1}, []string{"The original lost nothing this time.", "With its lock it lost nothing, and this time no caller came too late."}},
		{race.Result{}, race.Result{Lost: 1}, []string{"The original lost nothing this time.", "With its lock it lost 1 text"}},
	} {
		got := raceVerdict([]race.Result{c.original, c.locked, {}})
		for i, want := range append(c.want, "stet lost nothing and refused nothing: ") {
			if !strings.HasPrefix(got[i], want) {
				t.Errorf("%+v, %+v: %q, and not %q", c.original, c.locked, got[i], want)
			}
		}
	}
}
