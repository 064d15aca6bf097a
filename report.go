package stet

// VerifyOptions configure Verify.
type VerifyOptions struct {
	// Expect is the hash of a commit that was recorded earlier and kept elsewhere. If the
	// log does not have it, commits were lost or the log was rewritten. The zero Hash
	// expects none.
	Expect Hash
	// Progress, if not nil, is called from time to time with how much is done, first of
	// the revisions and then of the versions.
	Progress func(done, total uint64)
}

// A Report is the result of Verify.
type Report struct {
	Revision uint64 `json:"revision"` // of the last commit that was checked
	Hash     Hash   `json:"hash"`     // of that commit; record it elsewhere, for Expect
	Prompts  int    `json:"prompts"`
	Versions int    `json:"versions"`
	// Problems has one sentence per problem, at most MaxProblems, and none for a sound
	// store.
	Problems []string `json:"problems"`
}

// MaxProblems is the maximum number of problems that a report lists.
const MaxProblems = 100

// OK reports whether no problem was found.
func (r *Report) OK() bool { return len(r.Problems) == 0 }
