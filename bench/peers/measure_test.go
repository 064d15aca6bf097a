package peers

import (
	"context"
	"strings"
	"testing"
	"time"
)

// fixed is an opener whose laps take the given times.
func fixed(nanos ...float64) opener {
	return func(*env) (side, error) {
		n := -1
		return func() (sample, error) {
			n++
			return sample{nanos: nanos[n]}, nil
		}, nil
	}
}

func TestMeasure(t *testing.T) {
	missingSide := func(*env) (side, error) { return nil, leftOut("no such thing here") }
	for _, tt := range []struct {
		name string
		m    measure
		want string // ratio, least and most, target, verdict
	}{
		// The first lap only warms up.
		{"times", measure{better: atMost, target: 2, stet: fixed(900, 10, 20, 30), against: fixed(1, 10, 10, 20)}, "2.00 1.00–2.00 ≤ 2.00 met"},
		{"rates", measure{better: atLeast, target: 10_000, stet: fixed(1, 1, 1, 1), against: fixed(1, 9_999, 9_998, 20_000)}, "9,999 9,998–20,000 ≥ 10,000 MISSED"},
		{"left out", measure{better: atMost, target: 2, stet: missingSide, against: fixed(1, 1, 1, 1)}, "– – ≤ 2.00 LEFT OUT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := tt.m.run(context.Background(), plan{rounds: 3, lap: time.Millisecond, dir: t.TempDir()}, func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(r.cells()[4:], " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAllocationsCountAgainstTheTarget(t *testing.T) {
	r := result{measure: measure{target: 2, noAllocs: true}, stetLaps: []sample{{nanos: 1, allocs: 1}}, peerLaps: []sample{{nanos: 1}}}
	if r.met() {
		t.Error("one allocation an operation met a target that allows none")
	}
}

func TestNoTwoTextsOrNumbersAreEqual(t *testing.T) {
	texts, numbers := map[string]bool{}, map[string]bool{}
	for i := range 10_000 {
		texts[text(i%128, i, kilobyte)] = true
		numbers[scatter(i)] = true
	}
	if len(texts) != 10_000 || len(numbers) != 10_000 {
		t.Errorf("%d texts and %d numbers of 10,000", len(texts), len(numbers))
	}
}
