package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/stet-dev/stet"
)

// A Mix is a load like that of many applications and people at once: 90 % reads,
// 8 % saves, 2 % moves of labels and deletes, over prompts of which few are asked
// for most of the time (Zipf).
type Mix struct {
	Corpus
	Prompts int
	Workers int
	// Zipf is the exponent: the i-th prompt is asked for in proportion to
	// 1/i^Zipf. Over 1.
	Zipf float64
	// It ends after so many operations or, if that is 0, after so long.
	Operations int64
	Duration   time.Duration
	// Rate bounds the operations a second, of all workers; 0 for no bound. A
	// latency is from the call to its return, and not from when it was due.
	Rate float64
	// Progress, if not nil, is called every Every with how things stand; Sampled
	// at each tenth of the run.
	Progress func(Standing)
	Every    time.Duration
	Sampled  func(Sample)
}

// Check refuses a mix that cannot be.
func (m *Mix) Check() error {
	switch {
	case m.Workers < 1 || m.Workers > 10_000 || m.Prompts < 2 || m.Prompts > 899_999,
		!(m.Zipf > 1) || m.Size < 128 || m.Size > 1<<20,
		m.Operations < 0 || !(m.Rate >= 0) || m.Operations == 0 && m.Duration <= 0:
		return stet.Errorf(stet.CodeInvalid, "a mix has 1 to 10,000 workers, 2 to 899,999 prompts, an exponent over 1, texts of 128 bytes to 1 MiB, and an end.")
	}
	return nil
}

// A Kind is a kind of operation.
type Kind int

// The kinds, with how many of a thousand operations are of each.
const (
	GetLatest  Kind = iota // 400
	GetLabel               // 300
	GetExact               // 120
	GetRange               // 40
	GetHead                // 20
	ListPage               // 20
	Save                   // 80
	MoveLabel              // 9
	RollbackIt             // 3
	DeleteIt               // 8
	kinds
)

var shares = [kinds]int{400, 300, 120, 40, 20, 20, 80, 9, 3, 8}

var kindNames = [kinds]string{"get latest", "get label", "get exact", "get range", "head", "list 20", "save", "label", "rollback", "delete"}

// String returns the kind's name.
func (k Kind) String() string { return kindNames[k] }

// pick chooses a kind by the shares.
func pick(r *rand.Rand) Kind {
	n := r.IntN(1000)
	for k, share := range shares {
		if n -= share; n < 0 {
			return Kind(k)
		}
	}
	return GetLatest
}

// A Standing is how a run stands.
type Standing struct {
	Part       float64 // of the run that is over, 0 to 1
	Elapsed    time.Duration
	Operations int64
	Rate       float64 // operations a second since the standing before
	Save       time.Duration
}

// A Sample is what the process holds at some moment of a run.
type Sample struct {
	Part       float64 `json:"part"`
	Seconds    float64 `json:"seconds"`
	Operations int64   `json:"operations"`
	Commits    int64   `json:"commits"` // acknowledged since the beginning
	Heap       uint64  `json:"heap"`    // that is live
	Goroutines int     `json:"goroutines"`
}

// Latencies are those of one kind of operation.
type Latencies struct {
	Kind    string        `json:"kind"`
	Count   uint64        `json:"count"`
	Refused uint64        `json:"refused"` // with conflict or not_found, as they may be
	P50     time.Duration `json:"p50_ns"`
	P99     time.Duration `json:"p99_ns"`
	P999    time.Duration `json:"p999_ns"`
	Max     time.Duration `json:"max_ns"`
}

// An Outcome is what a run showed.
type Outcome struct {
	Operations int64       `json:"operations"`
	Seconds    float64     `json:"seconds"`
	Kinds      []Latencies `json:"kinds"`
	Samples    []Sample    `json:"samples"`
	// Acknowledged is how many commits the store said that it has; each was
	// looked for in the log.
	Acknowledged int `json:"acknowledged"`
	// Versions and Prompts are what Verify went through.
	Versions int `json:"versions"`
	Prompts  int `json:"prompts"`
	// Problems are what is wrong: nothing, of a sound store.
	Problems []string `json:"problems"`
}

// Flat reports whether the live heap at the end is no more than it was at a tenth of
// the run, or than the caches may hold, and what the commits between left behind.
func (o *Outcome) Flat(caches, each uint64) bool {
	from, to, _ := o.Growth()
	return to.Heap <= max(from.Heap, caches)+each*uint64(to.Commits-from.Commits)
}

// Growth returns how many bytes of live heap came with each commit between the
// first sample at or after a tenth of the run and the last: once caches are
// full, what a store's index must remember of a commit, and nothing else.
func (o *Outcome) Growth() (from, to Sample, each float64) {
	if len(o.Samples) == 0 {
		return from, to, 0
	}
	to = o.Samples[len(o.Samples)-1]
	for _, from = range o.Samples {
		if from.Part >= 0.1 {
			break
		}
	}
	return from, to, (float64(to.Heap) - float64(from.Heap)) / float64(max(to.Commits-from.Commits, 1))
}

// A run is a mix that runs.
type run struct {
	*Mix
	store   *stet.Store
	name    string // begins the ids of its commits
	prompts []*target
	acks    *acks
	start   time.Time
	since   uint64 // revision before
	done    atomic.Int64
	commits atomic.Int64
	workers []*worker
	samples []Sample

	mu       sync.Mutex
	problems []string
}

// mostProblems is how many problems are listed.
const mostProblems = 20

func (r *run) problem(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.problems) < mostProblems {
		r.problems = append(r.problems, s)
	}
}

// Run puts the load on a store that this package has filled, or that is empty, and
// then checks it: every commit that was acknowledged is in the log as it was
// answered, none that was refused is, and Verify finds nothing. An error means that
// the run was stopped or could not go on; what the store did wrong is in the outcome.
func (m *Mix) Run(ctx context.Context, s *stet.Store) (*Outcome, error) {
	if err := Guard(ctx, s); err != nil {
		return nil, err
	}
	r := &run{Mix: m, store: s, name: uuid.NewString()}
	var err error
	if r.acks, err = newAcks(); err != nil {
		return nil, err
	}
	defer r.acks.close()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	tail, err := s.Tail(ctx)
	if err != nil {
		return nil, err
	}
	r.since = tail.Revision
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	out := &Outcome{Operations: r.done.Load(), Seconds: time.Since(r.start).Seconds(), Kinds: r.latencies(), Samples: r.samples}
	return out, r.check(ctx, out)
}
