package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stet-dev/stet/bench/report"
)

// A measure is one row of the table: stet's side, a peer's, and how they should
// compare.
type measure struct {
	name     string      // what stet does, with the load it does it under
	peer     string      // what it is compared with
	better   direction   // which way the ratio goes
	target   float64     // what the ratio should be at most, or at least
	most     float64     // if not 0: what stet's own figure may be at most, instead of a target
	unit     report.Unit // of the figures: bytes, or else time
	noAllocs bool        // stet's side must not allocate
	stet     opener
	against  opener
}

// A direction says what a ratio is and which way it is better.
type direction int

const (
	// atMost: the ratio is stet's time divided by the peer's.
	atMost direction = iota
	// atLeast: the ratio is stet's rate divided by the peer's, so the
	// peer's time divided by stet's.
	atLeast
)

// An opener prepares a side: opens stores, fills them. None of it is timed. What it
// opens for all laps it closes with env.onClose.
type opener func(*env) (side, error)

// A side runs one lap and returns what an operation took.
type side func() (sample, error)

// A sample is what one lap measured.
type sample struct {
	nanos     float64           // elapsed time divided by operations, in nanoseconds; of a size, bytes
	allocs    float64           // allocations an operation, of the whole process
	latency   *report.Histogram // what single operations took; nil if that was not measured
	processor float64           // processor time of the server an operation, in nanoseconds; 0 if not known
	generator float64           // the same of the load generator
}

// A leftOut is the error of a side that cannot run here, with the reason. The row
// then says so, the other side is still measured, and the run goes on.
type leftOut string

func (l leftOut) Error() string { return string(l) }

// A plan says how long and where to measure.
type plan struct {
	rounds   int
	lap      time.Duration // of an operation in memory
	dir      string        // for data files
	profiles string        // a directory for the profiles of servers, "" for none
}

// durableLap is the lap of an operation that waits for a disk: longer, so that
// checkpoints, flushes and compactions happen within it.
func (p plan) durableLap() time.Duration { return 5 * p.lap }

// An env is what the sides of one row share. Its directory is removed after the row.
type env struct {
	plan
	ctx     context.Context
	closers []func() error
	names   int
}

// onClose has f called after the row's last lap; the last added is called first.
func (e *env) onClose(f func() error) { e.closers = append(e.closers, f) }

// path returns a path in the row's directory that nobody has used.
func (e *env) path(kind string) string {
	e.names++
	return filepath.Join(e.dir, fmt.Sprintf("%s-%d", kind, e.names))
}

func (e *env) close() error {
	var errs []error
	for _, f := range slices.Backward(e.closers) {
		errs = append(errs, f())
	}
	return errors.Join(append(errs, os.RemoveAll(e.dir))...)
}

// A result is a measure with what its laps said.
type result struct {
	measure
	stetLaps, peerLaps []sample // one a round; empty if that side was left out
	why                string   // why a side was left out
}

// run measures one row: both sides are opened, each runs one lap that does not
// count, and then they run in turn. Before each round it calls tell.
func (m measure) run(ctx context.Context, p plan, tell func(round int)) (r result, err error) {
	r.measure = m
	dir, err := os.MkdirTemp(p.dir, "row-")
	if err != nil {
		return r, err
	}
	e := &env{plan: p, ctx: ctx}
	e.dir = dir
	defer func() { err = errors.Join(err, e.close()) }()

	tell(0)
	ours, err := open(e, m.stet)
	if err != nil {
		return r, err
	}
	theirs, err := open(e, m.against)
	if err != nil {
		return r, err
	}
	for round := range p.rounds + 1 {
		tell(round)
		a, err := r.lap(ours)
		if err != nil {
			return r, err
		}
		b, err := r.lap(theirs)
		if err != nil {
			return r, err
		}
		if round == 0 {
			continue // to warm up
		}
		r.stetLaps, r.peerLaps = append(r.stetLaps, a...), append(r.peerLaps, b...)
	}
	return r, nil
}

// open calls the opener. A side that is left out says so when it is run.
func open(e *env, o opener) (side, error) {
	s, err := o(e)
	if why := leftOut(""); errors.As(err, &why) {
		return func() (sample, error) { return sample{}, why }, nil
	}
	return s, err
}

// lap runs one lap and returns its sample, or none if the side is left out.
func (r *result) lap(s side) ([]sample, error) {
	got, err := s()
	if why := leftOut(""); errors.As(err, &why) {
		r.why = why.Error()
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []sample{got}, nil
}

// complete reports whether both sides were measured.
func (r result) complete() bool { return len(r.stetLaps) > 0 && len(r.peerLaps) > 0 }

// quotient is the ratio of one pair of times, as the row's direction defines it.
func (r result) quotient(stet, peer float64) float64 {
	if r.better == atLeast {
		return peer / stet
	}
	return stet / peer
}

// ratio is the ratio of the medians; least and most are of the laps of one round.
func (r result) ratio() (ratio, least, most float64) {
	var pairs []float64
	for i := range r.stetLaps {
		pairs = append(pairs, r.quotient(r.stetLaps[i].nanos, r.peerLaps[i].nanos))
	}
	return r.quotient(median(r.stetLaps), median(r.peerLaps)), slices.Min(pairs), slices.Max(pairs)
}

// allocs is the median of the allocations an operation of stet's side.
func (r result) allocs() float64 {
	var all []float64
	for _, s := range r.stetLaps {
		all = append(all, s.allocs)
	}
	return report.Median(all)
}

// noise is the allocations an operation that still count as none: starting the
// lap's goroutines allocates a little, and a lap is a million operations.
const noise = 0.001

// met reports whether the target is met.
func (r result) met() bool {
	if r.noAllocs && r.allocs() > noise {
		return false
	}
	if r.most > 0 {
		return median(r.stetLaps) <= r.most
	}
	ratio, _, _ := r.ratio()
	if r.better == atLeast {
		return ratio >= r.target
	}
	return ratio <= r.target
}

func median(laps []sample) float64 {
	var all []float64
	for _, s := range laps {
		all = append(all, s.nanos)
	}
	return report.Median(all)
}
