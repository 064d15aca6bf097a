package race

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
)

// Options bound a race. The zero value of a field means the default.
type Options struct {
	Workers  int           // 64
	Saves    int           // of each store; 50,000
	Duration time.Duration // no limit
	// Progress, if not nil, is called every Every with how things stand.
	Progress func([]Result)
	Every    time.Duration
}

// prompts is how many prompts the workers save to. The original looks through all
// versions of a prompt at each save: with few prompts there would be little to see
// in a few seconds.
const prompts = 32

// A Result is what became of what was saved into one store. At the end of the
// race Lost is exact. While it runs it is what is known to be lost: of two texts
// under one number, one is.
type Result struct {
	Store   string  `json:"store"`
	Saved   int     `json:"saved"`   // saves that were said to have succeeded
	Lost    int     `json:"lost"`    // of them, those whose text is not under their number
	Doubled int     `json:"doubled"` // and those whose number somebody else was given too
	Refused int     `json:"refused"` // saves that were refused as a conflict and made again
	Seconds float64 `json:"seconds"`
}

// A contender is a store that takes part.
type contender interface {
	// save saves a text under the next number, and returns it and how often it
	// was refused before.
	save(id, text string) (number string, refused int, err error)
	get(id, number string) (string, bool)
}

// Run lets the workers save into the original and into stet, at the same time,
// and returns what became of it, the original first.
func Run(ctx context.Context, o Options) ([]Result, error) {
	if o.Workers == 0 {
		o.Workers = 64
	}
	if o.Saves == 0 {
		o.Saves = 50_000
	}
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	store, err := memory.Open()
	if err != nil {
		return nil, err
	}
	defer store.Close()
	lanes := []*lane{
		newLane("the original: a dict, no lock", original{newDict()}, o),
		newLane("stet, in memory", candidate{store}, o),
	}
	stop := report(lanes, o)
	var work sync.WaitGroup
	for _, l := range lanes {
		work.Go(func() { l.run(ctx) })
	}
	work.Wait()
	stop()
	results := make([]Result, len(lanes))
	for i, l := range lanes {
		if l.err != nil {
			return nil, l.err
		}
		results[i] = l.audit()
	}
	return results, nil
}

// report calls Progress until stop is called.
func report(lanes []*lane, o Options) (stop func()) {
	if o.Progress == nil {
		return func() {}
	}
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(max(o.Every, 10*time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				results := make([]Result, len(lanes))
				for i, l := range lanes {
					results[i] = l.standing()
				}
				o.Progress(results)
			}
		}
	})
	return func() { close(quit); done.Wait() }
}

// A lane is one store and its workers.
type lane struct {
	name string
	contender
	opts  Options
	start time.Time

	took                                 atomic.Int64 // nanoseconds; 0 until the end
	begun, saved, lost, doubled, refused atomic.Int64

	claims sync.Map // prompt and number to true: who was told that the number is theirs

	mu    sync.Mutex
	acked []ack
	err   error
}

// An ack is a save that was said to have succeeded.
type ack struct{ id, number, text string }

func newLane(name string, c contender, o Options) *lane {
	return &lane{name: name, contender: c, opts: o, start: time.Now()}
}

func (l *lane) run(ctx context.Context) {
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
	l.took.Store(int64(time.Since(l.start)))
}

func (l *lane) work(ctx context.Context, worker int) (acked []ack, err error) {
	for ctx.Err() == nil {
		n := l.begun.Add(1)
		if n > int64(l.opts.Saves) {
			return acked, nil
		}
		a := ack{id: fmt.Sprintf("race/%02d", n%prompts), text: fmt.Sprintf("Candidate %d of worker %d.", n, worker)}
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
		if text, ok := l.get(a.id, a.number); !ok || text != a.text {
			l.lost.Add(1)
		}
	}
	return acked, nil
}

func (l *lane) standing() Result {
	took := time.Duration(l.took.Load())
	if took == 0 {
		took = time.Since(l.start)
	}
	doubled := int(l.doubled.Load())
	return Result{
		Store: l.name, Saved: int(l.saved.Load()), Lost: max(int(l.lost.Load()), doubled), Doubled: doubled,
		Refused: int(l.refused.Load()), Seconds: took.Seconds(),
	}
}

// audit looks for everything that was saved, when nobody saves any more.
func (l *lane) audit() Result {
	r := l.standing()
	r.Lost = 0
	for _, a := range l.acked {
		if text, ok := l.get(a.id, a.number); !ok || text != a.text {
			r.Lost++
		}
	}
	return r
}

// original makes what its callers made of the original store: the next number is
// one more than latest, and who is refused tries again.
type original struct{ d *dict }

func (o original) save(id, text string) (string, int, error) {
	for refused := 0; ; refused++ {
		number := o.d.latest(id) + 1
		if o.d.save(id, number, text) {
			return strconv.Itoa(number), refused, nil
		}
	}
}

func (o original) get(id, number string) (string, bool) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return "", false
	}
	return o.d.get(id, n)
}

// candidate is stet. What was begun is finished, whatever the time.
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
