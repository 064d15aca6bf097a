package core

import (
	"math/bits"
	"sync/atomic"

	"github.com/stet-dev/stet/fault"
)

// BatchBuckets is the number of classes that batches are counted in: those of one
// commit, of 2, of 3 or 4, of 5 to 8, and so on, and at last all above 1,024, which
// is as many as a batch has unless Options.MaxBatch says more.
const BatchBuckets = 12

// Stats are what a Core has done since it was opened, in this process. Counters
// only grow.
type Stats struct {
	// Commits is how many commits were appended to the log, and Batches how many
	// appends that took, by their size: batch i has at most 1<<i commits, the last
	// any number.
	Commits uint64
	Batches [BatchBuckets]uint64
	// Replayed is how many commits were found to be in the log already.
	Replayed uint64
	// Conflicts, Refused and Failed are how many were refused as a conflict, or for
	// another reason, and how many could not be written or ended as unknown.
	Conflicts uint64
	Refused   uint64
	Failed    uint64

	// Gets is how many calls of Get had to parse the selector or to ask for the
	// text. All others were answered from memory and are not counted: counting
	// would cost them more than the answer. So of n calls, n-Gets were hits.
	Gets uint64
	// Hits and Misses is how often a text was in memory, and how often it was read
	// from the engine: in those Gets and in all other reads.
	Hits   uint64
	Misses uint64
}

// stats are the counters of a Core.
type stats struct {
	commits, replayed, conflicts, refused, failed atomic.Uint64
	batches                                       [BatchBuckets]atomic.Uint64
	gets, hits, misses                            atomic.Uint64
}

// batch counts an append of n entries.
func (s *stats) batch(n int) {
	if n == 0 {
		return
	}
	s.commits.Add(uint64(n))
	s.batches[min(bits.Len(uint(n-1)), BatchBuckets-1)].Add(1)
}

// outcome counts what a caller is told of a commit.
func (s *stats) outcome(out *outcome) {
	switch fault.CodeOf(out.err) {
	case "":
		if out.replayed {
			s.replayed.Add(1)
		}
	case fault.Conflict:
		s.conflicts.Add(1)
	case fault.Unavailable, fault.Unknown, fault.Internal:
		s.failed.Add(1)
	default:
		s.refused.Add(1)
	}
}

// Stats returns the counters. They are read one after the other, while others
// may count.
func (c *Core) Stats() Stats {
	s := &c.stats
	out := Stats{
		Commits: s.commits.Load(), Replayed: s.replayed.Load(), Conflicts: s.conflicts.Load(),
		Refused: s.refused.Load(), Failed: s.failed.Load(),
		Gets: s.gets.Load(), Hits: s.hits.Load(), Misses: s.misses.Load(),
	}
	for i := range out.Batches {
		out.Batches[i] = s.batches[i].Load()
	}
	return out
}
