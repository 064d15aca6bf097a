package report

import (
	"math/bits"
	"time"
)

// A Histogram counts durations in buckets that grow with them, as HdrHistogram
// does: each is at most 1/64 wider than its lower bound, so that a percentile is
// right to 1.6 %. It is of fixed size and has no lock: each worker has its own.
type Histogram struct {
	counts [buckets]uint64
	n      uint64
	sum    time.Duration
	max    time.Duration
}

// fine is the number of buckets for each power of two: 1/64 is 1.6 %.
const (
	fineBits = 6
	fine     = 1 << fineBits
	// buckets reach to 18 minutes; what takes longer is in the last.
	buckets = (40 - fineBits + 1) * fine
)

// bucket returns the bucket of d; bound the highest duration of a bucket.
func bucket(d time.Duration) int {
	u := uint64(max(d, 0))
	if u < fine {
		return int(u)
	}
	e := bits.Len64(u) - 1 - fineBits
	return min((e+1)*fine+int(u>>e)-fine, buckets-1)
}

func bound(b int) time.Duration {
	if b < fine {
		return time.Duration(b)
	}
	e := b/fine - 1
	return time.Duration((uint64(b%fine)+fine+1)<<e - 1)
}

// Add counts d.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(d)]++
	h.n++
	h.sum += d
	h.max = max(h.max, d)
}

// Merge adds what o has counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.sum += o.sum
	h.max = max(h.max, o.max)
}

// Count is how many were counted, and Max the longest.
func (h *Histogram) Count() uint64      { return h.n }
func (h *Histogram) Max() time.Duration { return h.max }

// Percentile returns a duration that the p-th part of those counted, 0 to 1, does
// not exceed: 0 if none was counted.
func (h *Histogram) Percentile(p float64) time.Duration {
	want := uint64(p * float64(h.n))
	if float64(want) < p*float64(h.n) {
		want++
	}
	want = max(want, 1)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= want {
			return min(bound(i), h.max)
		}
	}
	return 0
}
