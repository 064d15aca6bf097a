package stet

// BatchBuckets is the number of classes that batches are counted in: those of one
// commit, of 2, of 3 or 4, of 5 to 8, and so on, and at last all above 1,024, which
// is as many as a batch has unless core.Options.MaxBatch says more.
const BatchBuckets = 12

// Stats are what a store has done since it was opened, in this process. Counters
// only grow; Queued comes and goes.
type Stats struct {
	// Queued is how many commits wait to be written, behind those that are being
	// written now.
	Queued int

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
