package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
)

// A Fill is a content to begin with.
type Fill struct {
	Corpus
	Versions int // of all prompts but the long one, as even as it goes
	Prompts  int
	Long     int // versions of the prompt LongID, beside the others
	Batch    int // saves a commit; a store that people and programs wrote has 1
	Workers  int // that commit at once
	// Progress, if not nil, is called every Every with the versions saved so far.
	Progress func(saved int)
	Every    time.Duration
}

// Total is how many versions there will be.
func (f *Fill) Total() int { return f.Versions + f.Long }

// Check refuses a fill that cannot be.
func (f *Fill) Check() error {
	const most = 8 << 20 // of a commit
	switch {
	case f.Prompts < 1 || f.Versions < f.Prompts || f.Long < 0 || f.Prompts >= 900_000:
		return stet.Errorf(stet.CodeInvalid, "%d versions of %d prompts and %d of one cannot be made: each prompt needs a version, and there are fewer than 900,000 prompts.", f.Versions, f.Prompts, f.Long)
	case f.Size < 128 || f.Size > 1<<20:
		return stet.Errorf(stet.CodeInvalid, "a text of %d bytes cannot be made: 128 to 1,048,576.", f.Size)
	case f.Batch < 1 || f.Batch > 1000 || f.Batch*(f.Size+256) > most:
		return stet.Errorf(stet.CodeInvalid, "%d saves of %d bytes do not fit into one commit: at most 1,000 and 8 MiB.", f.Batch, f.Size)
	case f.Workers < 1 || f.Workers > 4096:
		return stet.Errorf(stet.CodeInvalid, "%d workers are too few or too many: 1 to 4,096.", f.Workers)
	}
	return nil
}

// Number is the number of the n-th version, from 0.
func Number(n int) stet.Number { return stet.NewNumber(1, uint64(n/10), uint64(n%10)) }

// of is how many versions the i-th prompt gets.
func (f *Fill) of(i int) int {
	n := f.Versions / f.Prompts
	if i < f.Versions%f.Prompts {
		n++
	}
	return n
}

// Into fills a store, which must be empty. The log's order differs from run to run,
// since many commit at once; what is saved does not. One worker saves all versions
// of a prompt, round by round with those of its other prompts. The version in the
// middle of a history is production, the last is staging.
func (f *Fill) Into(ctx context.Context, s *stet.Store) error {
	if err := f.Check(); err != nil {
		return err
	}
	tail, err := s.Tail(ctx)
	if err != nil {
		return err
	}
	if tail.Revision > 0 {
		return stet.Errorf(stet.CodeConflict, "the store is not empty: it is at revision %d. Nothing changed. Name a new file with -store.", tail.Revision)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		saved atomic.Int64
		work  sync.WaitGroup
	)
	stop := every(f.Every, f.Progress != nil, func() { f.Progress(int(saved.Load())) })
	defer stop()
	do := func(jobs func(yield func(job) bool)) {
		work.Go(func() {
			b := batch{fill: f, ctx: ctx, store: s, saved: &saved}
			err := error(nil)
			jobs(func(j job) bool {
				err = b.add(j)
				return err == nil
			})
			if err == nil {
				err = b.flush()
			}
			if err != nil {
				cancel(err)
			}
		})
	}
	if f.Long > 0 {
		do(func(yield func(job) bool) {
			for n := range f.Long {
				if !yield(job{LongID, n, f.Long}) {
					return
				}
			}
		})
	}
	for w := range f.Workers {
		do(func(yield func(job) bool) {
			for n := range f.of(0) {
				for i := w; i < f.Prompts; i += f.Workers {
					if of := f.of(i); n < of && !yield(job{f.ID(i), n, of}) {
						return
					}
				}
			}
		})
	}
	work.Wait()
	return context.Cause(ctx)
}

// A job is the n-th of the versions of a prompt.
type job struct {
	id    string
	n, of int
}

// A batch gathers the saves of one commit.
type batch struct {
	fill  *Fill
	ctx   context.Context
	store *stet.Store
	saved *atomic.Int64
	ops   []stet.Op
}

func (b *batch) add(j job) error {
	d := &stet.Draft{PromptID: j.id, Text: b.fill.Text(j.id, j.n), Version: Number(j.n).String()}
	if j.n == j.of/2 {
		d.Labels = append(d.Labels, "production")
	}
	if j.n == j.of-1 {
		d.Labels = append(d.Labels, "staging")
	}
	if b.ops = append(b.ops, stet.Op{Save: d}); len(b.ops) < b.fill.Batch {
		return nil
	}
	return b.flush()
}

func (b *batch) flush() error {
	if len(b.ops) == 0 {
		return nil
	}
	_, err := b.store.Commit(b.ctx, stet.Commit{Author: "bench", Message: "fill", Ops: b.ops})
	b.saved.Add(int64(len(b.ops)))
	b.ops = nil
	return err
}

// every calls f again and again until stop is called.
func every(d time.Duration, wanted bool, f func()) (stop func()) {
	if !wanted {
		return func() {}
	}
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(max(d, 10*time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-quit:
				return
			}
		}
	})
	return func() {
		close(quit)
		done.Wait()
	}
}

// Guard refuses a store that holds prompts which this package did not make.
func Guard(ctx context.Context, s *stet.Store) error {
	for h, err := range s.Prompts(ctx, stet.PromptsOptions{Limit: 1000}) {
		if err != nil {
			return err
		}
		if len(h.PromptID) < len(Prefix) || h.PromptID[:len(Prefix)] != Prefix {
			return stet.Errorf(stet.CodeConflict, "the store holds prompts that are not of a benchmark, such as %s. Nothing changed. Name another file with -store.", h.PromptID)
		}
	}
	return nil
}
