package drivertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// A gate is a log whose appends a case can hold up, lose or refuse.
type gate struct {
	driver.Log
	mu    sync.Mutex
	hooks []hook
	holds []*hold
}

// A hook is an append in place of the log's own.
type hook func(ctx context.Context, prev driver.Tail, entries []driver.Entry, log driver.Log) error

// gateNotifier is a gate before a log that notifies.
type gateNotifier struct {
	*gate
	driver.Notifier
}

// gated puts a gate before a log.
func gated(log driver.Log) (*gate, driver.Log) {
	g := &gate{Log: log}
	if n, ok := log.(driver.Notifier); ok {
		return g, gateNotifier{g, n}
	}
	return g, g
}

// gate makes the rig's calls go to one new, empty store behind a gate.
func (r *rig) gate() *gate {
	g, log := gated(r.newLog())
	r.gates = append(r.gates, g)
	r.over(r.newStore(log, r.options()))
	return g
}

// next makes hooks stand for the next appends, one each.
func (g *gate) next(hooks ...hook) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hooks = append(g.hooks, hooks...)
}

// Append implements driver.Log.
func (g *gate) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	g.mu.Lock()
	h := hook(appendTo)
	if len(g.hooks) > 0 {
		h, g.hooks = g.hooks[0], g.hooks[1:]
	}
	g.mu.Unlock()
	return h(ctx, prev, entries, g.Log)
}

func appendTo(ctx context.Context, prev driver.Tail, entries []driver.Entry, log driver.Log) error {
	return log.Append(ctx, prev, entries)
}

var errLost = errors.New("drivertest: the answer was lost")

// The hooks of a connection that fails.
var (
	// lostBefore fails without an effect, and does not say so.
	lostBefore hook = func(context.Context, driver.Tail, []driver.Entry, driver.Log) error { return errLost }

	// lostAfter has its effect, and does not say so.
	lostAfter hook = func(ctx context.Context, prev driver.Tail, entries []driver.Entry, log driver.Log) error {
		_ = log.Append(ctx, prev, entries)
		return errLost
	}

	// notApplied has no effect, and says so.
	notApplied hook = func(context.Context, driver.Tail, []driver.Entry, driver.Log) error {
		return errors.Join(driver.ErrNotApplied, errors.New("drivertest: the disk is full"))
	}
)

// A hold stops an append until it is released.
type hold struct {
	entered chan struct{} // closed when the append has come
	release chan struct{} // closed to let it go on
	once    sync.Once
}

// hold stops the next append. What it does once it is released is then.
func (g *gate) hold(then hook) *hold {
	h := &hold{entered: make(chan struct{}), release: make(chan struct{})}
	g.holds = append(g.holds, h)
	g.next(func(ctx context.Context, prev driver.Tail, entries []driver.Entry, log driver.Log) error {
		close(h.entered)
		<-h.release
		return then(ctx, prev, entries, log)
	})
	return h
}

// let releases the append. It can be called again.
func (h *hold) let() { h.once.Do(func() { close(h.release) }) }

// patience is after how long a call that should not wait counts as stuck. It is
// never waited for in a correct store.
const patience = time.Minute

// within runs f in a goroutine and notes a failure if it does not return.
func (r *rig) within(what string, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.guard(f)
	}()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
		r.fail("%s does not return", what)
	}
}

// pending starts a commit and returns what receives its outcome. Where it is the
// one that an append is held up for, wait for hold.entered next.
func (r *rig) pending(ctx context.Context, c stet.Commit) <-chan outcome {
	s := r.s()
	answer := make(chan outcome, 1)
	go func() {
		done, err := s.Commit(ctx, c)
		answer <- outcome{done, err}
	}()
	return answer
}

// entered returns when the append has come that h holds up, and ends the case if
// its commit is answered instead.
func (r *rig) entered(h *hold, answer <-chan outcome) {
	select {
	case <-h.entered:
	case out := <-answer:
		r.fail("a commit is answered before it was appended: %v", out.err)
		panic(ended{})
	}
}

type outcome struct {
	done stet.Done
	err  error
}
