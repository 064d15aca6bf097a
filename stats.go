package stet

// BatchBuckets is the length of Stats.Batches. The last element counts batches of more
// than 1,024 commits, which there are only if core.Options.MaxBatch allows them.
const BatchBuckets = 12

// Stats are what a store has done in this process since it was opened.
type Stats struct {
	// Queued is how many commits wait now to be written, without those that are being
	// written.
	Queued int

	// Commits is how many commits were appended to the log. Batches is how many appends
	// that took, by size: element 0 counts batches of one commit, element i those of at
	// most 1<<i that no earlier element counts, and the last all larger ones.
	Commits uint64
	Batches [BatchBuckets]uint64
	// Replayed is how many commits were in the log already.
	Replayed uint64
	// Conflicts and Refused are how many commits were refused as a conflict or for another
	// reason. Failed is how many could not be written, or ended as unknown.
	Conflicts uint64
	Refused   uint64
	Failed    uint64

	// Gets is how many calls of Get had to parse the selector or to look for the text.
	// All others were answered from memory and are not counted, since counting would cost
	// more than the answer. So of n calls n-Gets were answered at once.
	Gets uint64
	// Hits and Misses are how often a text was in memory, and how often it was read from
	// the engine: by those Gets and by all other reads.
	Hits   uint64
	Misses uint64
}
