package core

import (
	"math/bits"
	"sync/atomic"

	"github.com/stet-dev/stet"
)

// stats are the counters of a Core.
type stats struct {
	commits, replayed, conflicts, refused, failed atomic.Uint64
	batches                                       [stet.BatchBuckets]atomic.Uint64
	gets, hits, misses                            atomic.Uint64
	looked                                        atomic.Uint64 // versions, one by one, by reads; for tests
}

// batch counts an append of n entries.
func (s *stats) batch(n int) {
	if n == 0 {
		return
	}
	s.commits.Add(uint64(n))
	s.batches[min(bits.Len(uint(n-1)), stet.BatchBuckets-1)].Add(1)
}

// outcome counts what a caller is told of a commit.
func (s *stats) outcome(out *outcome) {
	switch stet.CodeOf(out.err) {
	case "":
		if out.replayed {
			s.replayed.Add(1)
		}
	case stet.CodeConflict:
		s.conflicts.Add(1)
	case stet.CodeUnavailable, stet.CodeUnknown, stet.CodeInternal:
		s.failed.Add(1)
	default:
		s.refused.Add(1)
	}
}

// Stats implements stet.Monitor. The counters are read one after the other, while others
// may count.
func (c *Core) Stats() stet.Stats {
	s := &c.stats
	out := stet.Stats{
		Queued:  len(c.queue),
		Commits: s.commits.Load(), Replayed: s.replayed.Load(), Conflicts: s.conflicts.Load(),
		Refused: s.refused.Load(), Failed: s.failed.Load(),
		Gets: s.gets.Load(), Hits: s.hits.Load(), Misses: s.misses.Load(),
	}
	for i := range out.Batches {
		out.Batches[i] = s.batches[i].Load()
	}
	return out
}
