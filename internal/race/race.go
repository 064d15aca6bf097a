// Package race runs the defect that stet began with: many workers save into the
// original store, a dict without a lock, then into the same with its lock, then into
// stet, and what became of their versions is counted.
package race

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
)

// Options bound a race. The zero value of a field means the default.
type Options struct {
	Workers  int           // 64
	Saves    int           // into each store; 50,000
	Duration time.Duration // for each store; no limit
	// Prompts is how many prompts the workers save to; 32. The original looks through
	// all versions of a prompt at each save: with few prompts it would soon stand still.
	Prompts int
	// Progress, if not nil, is called with how things stand, and with the index of
	// the store that runs: when it begins, every Every, and when it has ended.
	Progress func(standing []Result, running int)
	Every    time.Duration
}

// A Result is what became of what was saved into one store. At the end of the
// race Lost is exact. While it runs it is what is known to be lost: of two texts
// under one number, one is.
type Result struct {
	Store   string  `json:"store"`
	Saved   int     `json:"saved"`   // saves that were said to have succeeded
	Lost    int     `json:"lost"`    // of them, those whose text is not under their number
	Doubled int     `json:"doubled"` // and those whose number somebody else was given too
	Refused int     `json:"refused"` // saves that were refused as a conflict and made again
	Seconds float64 `json:"seconds"` // how long the store had
}

// The order in which the stores run, and in which Run returns their results.
const (
	Original = iota // a dict, no lock
	Locked          // the same, each method under one lock
	Stet            // stet's memory engine
)

// names are what the stores are called, in that order.
var names = [...]string{"the original: a dict, no lock", "the original, with its lock", "stet, in memory"}

// A contender is a store that takes part.
type contender interface {
	// save saves a text under the next number, and returns it and how often it
	// was refused before.
	save(id, text string) (number string, refused int, err error)
	get(id, number string) (string, bool)
}

// Run lets the workers save into each store, one store after the other, so that each
// has the machine to itself, and returns what became of it. It ends early with the
// context's error.
func Run(ctx context.Context, o Options) ([]Result, error) {
	if o.Workers == 0 {
		o.Workers = 64
	}
	if o.Saves == 0 {
		o.Saves = 50_000
	}
	if o.Prompts == 0 {
		o.Prompts = 32
	}
	store, err := memory.Open(nil)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	// Where a thread may be switched between a check and its act, it is.
	return run(ctx, o, []contender{
		callers{newDict(runtime.Gosched), runtime.Gosched},
		callers{newLocked(), runtime.Gosched},
		candidate{store},
	})
}

func run(ctx context.Context, o Options, contenders []contender) ([]Result, error) {
	results := make([]Result, len(contenders))
	for i := range results {
		results[i].Store = names[i]
	}
	for i, c := range contenders {
		runtime.GC() // nobody pays for what the one before has left
		l := &lane{contender: c, opts: o}
		stop := l.report(results, i)
		l.run(ctx)
		stop()
		if l.err != nil {
			return nil, l.err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		results[i] = l.audit(names[i])
	}
	return results, nil
}

// A lane is one store and its workers.
type lane struct {
	contender
	opts Options

	began   time.Time
	seconds float64 // that the store had, once it has ended

	begun, saved, doubled, refused atomic.Int64

	claims sync.Map // prompt and number to true: who was told that the number is theirs

	mu    sync.Mutex
	acked []ack
	err   error
}

// An ack is a save that was said to have succeeded.
type ack struct{ id, number, text string }

// report calls Progress from now on, until stop is called. The results before the
// lane's are of stores that have ended, those after it of stores that have not begun.
func (l *lane) report(results []Result, running int) (stop func()) {
	l.began = time.Now()
	if l.opts.Progress == nil {
		return func() {}
	}
	show := func() {
		standing := append([]Result(nil), results...)
		standing[running] = l.standing(results[running].Store)
		l.opts.Progress(standing, running)
	}
	show()
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(max(l.opts.Every, 10*time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-quit:
				show()
				return
			case <-tick.C:
				show()
			}
		}
	})
	return func() { close(quit); done.Wait() }
}

// run lets the workers save until their time or their saves are used up.
func (l *lane) run(ctx context.Context) {
	if l.opts.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.opts.Duration)
		defer cancel()
	}
	start := time.Now()
	var workers sync.WaitGroup
	for w := range l.opts.Workers {
		workers.Go(func() {
			acked, err := l.work(ctx, w)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.acked = append(l.acked, acked...)
			if l.err == nil {
				l.err = err
			}
		})
	}
	workers.Wait()
	l.seconds = time.Since(start).Seconds()
}

// work saves one text after the other. What it has begun it finishes.
func (l *lane) work(ctx context.Context, worker int) (acked []ack, err error) {
	for ctx.Err() == nil {
		n := l.begun.Add(1)
		if n > int64(l.opts.Saves) {
			return acked, nil
		}
		a := ack{id: fmt.Sprintf("race/%02d", n%int64(l.opts.Prompts)), text: fmt.Sprintf("Candidate %d of worker %d.", n, worker)}
		var refused int
		if a.number, refused, err = l.save(a.id, a.text); err != nil {
			return acked, err
		}
		acked = append(acked, a)
		l.saved.Add(1)
		l.refused.Add(int64(refused))
		if _, taken := l.claims.LoadOrStore(a.id+"@"+a.number, true); taken {
			l.doubled.Add(1)
		}
	}
	return acked, nil
}

func (l *lane) standing(name string) Result {
	doubled := int(l.doubled.Load())
	return Result{
		Store: name, Saved: int(l.saved.Load()), Lost: doubled, Doubled: doubled,
		Refused: int(l.refused.Load()), Seconds: time.Since(l.began).Seconds(),
	}
}

// audit looks for everything that was saved, when nobody saves any more.
func (l *lane) audit(name string) Result {
	r := l.standing(name)
	r.Lost, r.Seconds = 0, l.seconds
	for _, a := range l.acked {
		if text, ok := l.get(a.id, a.number); !ok || text != a.text {
			r.Lost++
		}
	}
	return r
}

// candidate is stet, as anybody uses it.
type candidate struct{ s *stet.Store }

func (c candidate) save(id, text string) (string, int, error) {
	v, err := c.s.Save(context.Background(), stet.Draft{PromptID: id, Text: text, Bump: "patch"})
	if err != nil {
		return "", 0, err
	}
	return v.Number().String(), 0, nil
}

func (c candidate) get(id, number string) (string, bool) {
	v, err := c.s.Get(context.Background(), id+"@"+number)
	return v.Text(), err == nil
}
