package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/bench/report"
)

// A target is a prompt of a mix, with some of the versions that are known to have
// been saved.
type target struct {
	id      string
	edition atomic.Int64
	known   [8]atomic.Pointer[known]
}

// known is a version that a save was answered with.
type known struct {
	number  stet.Number
	edition int
}

// A worker is one caller.
type worker struct {
	*run
	rand *rand.Rand
	zipf *rand.Zipf
	n    int // commits so far

	mu      sync.Mutex // held to add and to merge: seldom wanted by two
	times   [kinds]report.Histogram
	refused [kinds]uint64
}

// prepare gives every prompt a version that is production.
func (r *run) prepare(ctx context.Context) error {
	r.prompts = make([]*target, r.Prompts)
	var ops []stet.Op
	flush := func() error {
		if len(ops) == 0 {
			return nil
		}
		_, err := r.store.Commit(ctx, stet.Commit{Author: "bench", Ops: ops})
		ops = nil
		return err
	}
	for i := range r.prompts {
		id := r.ID(i)
		t := &target{id: id}
		r.prompts[i] = t
		h, err := r.store.Head(ctx, id)
		switch {
		case err == nil:
			t.edition.Store(int64(h.Versions) + 1_000_000) // beyond those of a fill
			continue
		case stet.CodeOf(err) != stet.CodeNotFound:
			return err
		}
		ops = append(ops, stet.Op{Save: &stet.Draft{PromptID: id, Text: r.Text(id, 0), Bump: "patch", Labels: []string{"production"}}})
		if len(ops) == 100 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// load runs the workers and watches them.
func (r *run) load(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for w := range r.Workers {
		rnd := rand.New(rand.NewPCG(r.Seed, uint64(w)))
		r.workers = append(r.workers, &worker{run: r, rand: rnd, zipf: rand.NewZipf(rnd, r.Zipf, 1, uint64(r.Prompts-1))})
	}
	var work sync.WaitGroup
	r.start = time.Now()
	for i, w := range r.workers {
		work.Go(func() {
			if err := w.work(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	stop := r.watch()
	work.Wait()
	stop()
	r.sample(1)
	return context.Cause(ctx)
}

// part is how much of the run is over.
func (r *run) part() float64 {
	if r.Operations > 0 {
		return float64(r.done.Load()) / float64(r.Operations)
	}
	return min(float64(time.Since(r.start))/float64(r.Duration), 1)
}

// watch samples the process at each tenth of the run, and tells how it stands.
func (r *run) watch() (stop func()) {
	next, told := 0.0, time.Now()
	var ops int64
	return every(20*time.Millisecond, true, func() {
		part := r.part()
		if part >= next && part < 1 {
			r.sample(part)
			for next <= part {
				next += 0.1
			}
		}
		if now := time.Now(); r.Progress != nil && now.Sub(told) >= r.Every {
			done := r.done.Load()
			save := r.merged(Save)
			r.Progress(Standing{
				Part: part, Elapsed: now.Sub(r.start), Operations: done,
				Rate: float64(done-ops) / now.Sub(told).Seconds(), Save: save.Percentile(0.99),
			})
			ops, told = done, now
		}
	})
}

func (r *run) sample(part float64) {
	s := Sample{
		Part: part, Seconds: time.Since(r.start).Seconds(), Operations: r.done.Load(), Commits: r.commits.Load(),
		Heap: LiveHeap(), Goroutines: runtime.NumGoroutine(),
	}
	r.samples = append(r.samples, s)
	if r.Sampled != nil {
		r.Sampled(s)
	}
}

// merged returns the histogram of a kind over all workers.
func (r *run) merged(k Kind) *report.Histogram {
	h := new(report.Histogram)
	for _, w := range r.workers {
		w.mu.Lock()
		h.Merge(&w.times[k])
		w.mu.Unlock()
	}
	return h
}

func (r *run) latencies() []Latencies {
	var all []Latencies
	for k := range kinds {
		h := r.merged(k)
		l := Latencies{
			Kind: k.String(), Count: h.Count(), Max: h.Max(),
			P50: h.Percentile(0.5), P99: h.Percentile(0.99), P999: h.Percentile(0.999),
		}
		for _, w := range r.workers {
			l.Refused += w.refused[k]
		}
		all = append(all, l)
	}
	return all
}

// work performs operations until the run is over. Each worker does its share of a
// number of operations, so that who is fast does not do all.
func (w *worker) work(ctx context.Context, index int) error {
	share := w.Operations / int64(w.Workers)
	if int64(index) < w.Operations%int64(w.Workers) {
		share++
	}
	now := time.Now()
	for i := int64(0); ; i++ {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case w.Operations > 0 && i >= share, w.Operations == 0 && now.Sub(w.start) >= w.Duration:
			return nil
		}
		if now = w.pace(ctx, i, now); ctx.Err() != nil {
			continue
		}
		k, t := pick(w.rand), w.prompts[w.zipf.Uint64()]
		call := w.prepared(k, t)
		began := time.Now()
		err := call(ctx)
		now = time.Now()
		w.mu.Lock()
		w.times[k].Add(now.Sub(began))
		w.mu.Unlock()
		w.done.Add(1)
		if err = w.expected(k, err); err != nil {
			return fmt.Errorf("%s of %s: %w", k, t.id, err)
		}
	}
}

// ahead is how far before its time an operation may be: timers are coarser than
// most operations are long, so a worker does some in a row and then waits.
const ahead = 2 * time.Millisecond

// pace waits until it is time for the worker's i-th operation, and returns when it is.
func (w *worker) pace(ctx context.Context, i int64, now time.Time) time.Time {
	if w.Rate <= 0 {
		return now
	}
	due := w.start.Add(time.Duration(float64(i) * float64(w.Workers) / w.Rate * float64(time.Second)))
	wait := due.Sub(now)
	if wait < ahead {
		return now
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case now = <-t.C:
	case <-ctx.Done():
	}
	return now
}

// expected returns err unless it is one that the mix itself brings about: what was
// deleted meanwhile is not found, and a labelled version is not deleted.
func (w *worker) expected(k Kind, err error) error {
	code := stet.CodeOf(err)
	switch {
	case err == nil:
		return nil
	case code == stet.CodeNotFound && (k == GetExact || k == MoveLabel || k == RollbackIt || k == DeleteIt),
		code == stet.CodeConflict && k == DeleteIt:
		w.refused[k]++
		return nil
	}
	return err
}

// someKnown returns a version of t that was saved, or nil.
func (w *worker) someKnown(t *target) *known { return t.known[w.rand.IntN(len(t.known))].Load() }

// prepared returns an operation that is ready to be timed.
func (w *worker) prepared(k Kind, t *target) func(ctx context.Context) error {
	get := func(ref string) func(context.Context) error {
		return func(ctx context.Context) error {
			v, err := w.store.Get(ctx, ref)
			if err == nil && w.rand.IntN(64) == 0 {
				w.look(t, v)
			}
			return err
		}
	}
	switch k {
	case GetLabel:
		return get(t.id + "@production")
	case GetExact:
		v := w.someKnown(t)
		if v == nil {
			return get(t.id + "@latest")
		}
		return w.exact(t, v)
	case GetRange:
		return get(t.id + "@^1")
	case GetHead:
		return func(ctx context.Context) error { _, err := w.store.Head(ctx, t.id); return err }
	case ListPage:
		return func(ctx context.Context) error {
			_, err := w.store.ListPage(ctx, t.id, stet.ListOptions{Limit: 20})
			return err
		}
	case Save, MoveLabel, RollbackIt, DeleteIt:
		return w.write(k, t)
	}
	return get(t.id + "@latest")
}

// look holds a version that was read against what was saved.
func (w *worker) look(t *target, v stet.Version) {
	if n, ok := w.Edition(t.id, v.Text()); v.PromptID() != t.id || !ok || n >= 1_000_000 && v.Text() != w.Text(t.id, n) {
		w.problem(fmt.Sprintf("%s answered a text that was never saved under that number", v.Ref()))
	}
}

// exact reads a version that a save was answered with: it is the same for ever.
func (w *worker) exact(t *target, v *known) func(context.Context) error {
	ref := t.id + "@" + v.number.String()
	return func(ctx context.Context) error {
		got, err := w.store.Get(ctx, ref)
		if err == nil && w.rand.IntN(64) == 0 && got.Text() != w.Text(t.id, v.edition) {
			w.problem(fmt.Sprintf("%s is not the text that was saved under that number", ref))
		}
		return err
	}
}

// write returns a commit of one operation. What it is answered is noted.
func (w *worker) write(k Kind, t *target) func(context.Context) error {
	w.n++
	c := stet.Commit{ID: fmt.Sprintf("%s-%d-%d", w.name, w.rand.Uint32(), w.n), Author: "bench"}
	edition := 0
	number := func() string {
		if v := w.someKnown(t); v != nil {
			return v.number.String()
		}
		return "latest"
	}
	var op stet.Op
	switch k {
	case Save:
		edition = int(t.edition.Add(1))
		op.Save = &stet.Draft{PromptID: t.id, Text: w.Text(t.id, edition), Bump: "patch"}
	case MoveLabel:
		op.SetLabel = &stet.SetLabel{PromptID: t.id, Label: "production", Version: number()}
	case RollbackIt:
		op.Rollback = &stet.Rollback{PromptID: t.id}
	default:
		n := number()
		if n == "latest" {
			n = "0.0.0" // nothing that is there
		}
		op.Delete = &stet.Delete{PromptID: t.id, Version: n}
	}
	c.Ops = []stet.Op{op}
	return func(ctx context.Context) error {
		done, err := w.store.Commit(ctx, c)
		if err != nil {
			return err
		}
		w.commits.Add(1)
		w.acks.add(done.Revision, answered(c.ID, &done.Results[0]))
		if k == Save {
			t.known[w.rand.IntN(len(t.known))].Store(&known{done.Results[0].Version, edition})
		}
		return nil
	}
}
