package stet

// VerifyOptions choose what Verify holds the store against.
type VerifyOptions struct {
	// Expect is the hash of some entry, noted earlier and kept elsewhere: the
	// log must have it. That finds a lost tail, and a log that was rewritten as
	// a whole.
	Expect Hash
	// Progress, if not nil, is called now and then with what was checked so far
	// and what there is to check: revisions first, then versions.
	Progress func(done, total uint64)
}

// A Report is what Verify checked and what it found.
type Report struct {
	Revision uint64 `json:"revision"` // of the last entry checked
	Hash     Hash   `json:"hash"`     // of that entry; note it elsewhere for Expect
	Prompts  int    `json:"prompts"`
	Versions int    `json:"versions"`
	// Problems are what is wrong, in words: empty for a sound store. At most
	// MaxProblems are listed.
	Problems []string `json:"problems"`
}

// MaxProblems is how many problems a report lists.
const MaxProblems = 100

// OK tells whether the store is sound.
func (r *Report) OK() bool { return len(r.Problems) == 0 }
