package report_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stet-dev/stet/bench/report"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  report.Unit
		want  string
	}{
		{1.5, report.Times, "1.50 ×"}, {161, report.Bytes, "161 B"}, {1.63e9, report.Bytes, "1.63 GB"},
		{23e-9, report.Seconds, "23.0 ns"}, {0.0012, report.Seconds, "1.20 ms"}, {65, report.Seconds, "65.0 s"}, {0, report.Seconds, "0.00 ns"},
	} {
		if got := report.Format(c.value, c.unit); got != c.want {
			t.Errorf("%v %s is written %q, want %q", c.value, c.unit, got, c.want)
		}
		if value, unit, err := report.Parse(c.want); err != nil || unit != c.unit || math.Abs(value-c.value) > c.value*1e-9 {
			t.Errorf("%q is read as %v %s: %v", c.want, value, unit, err)
		}
	}
}

func TestRatioAndCount(t *testing.T) {
	for want, got := range map[string]string{
		"0.98": report.Ratio(0.98), "9,999": report.Ratio(9998.7),
		"1 round": report.Count(1, "round"), "1,024 prompts": report.Count(1024, "prompt"), "0 problems": report.Count(0, "problem"),
	} {
		if got != want {
			t.Errorf("%q is written for %q", got, want)
		}
	}
	if odd, even := report.Median([]float64{9, 1, 5}), report.Median([]time.Duration{4, 1, 2, 9}); odd != 5 || even != 3 {
		t.Errorf("the medians are %v and %v, want 5 and 3", odd, even)
	}
}

// TestHistogram holds percentiles against those of the sorted durations.
func TestHistogram(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h, half report.Histogram
	var all []time.Duration
	for i := range 10_000 {
		d := time.Duration(1) << r.IntN(38) // 1 ns to minutes
		d += time.Duration(r.Int64N(int64(d)))
		all = append(all, d)
		if i%2 == 0 {
			h.Add(d)
		} else {
			half.Add(d)
		}
	}
	h.Merge(&half)
	slices.Sort(all)
	if h.Count() != 10_000 || h.Max() != all[9999] {
		t.Errorf("%d durations, the longest %v; want %v", h.Count(), h.Max(), all[9999])
	}
	for _, p := range []float64{0.001, 0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[int(p*10_000)-1]
		if got := h.Percentile(p); got < want || float64(got) > float64(want)*1.016+1 {
			t.Errorf("percentile %v is %v, want %v", p, got, want)
		}
	}
	if new(report.Histogram).Percentile(0.5) != 0 {
		t.Error("nothing was counted")
	}
}
