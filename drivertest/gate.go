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
	taken int // appends that have come
	holds []*hold
}

// A hook is what becomes of an append. That of none lets it through.
type hook struct {
	lost bool  // it does not reach the log
	err  error // the answer, if not nil, whatever the log's is
	hold *hold // stops it
}

// gated puts a gate before a log. What is returned can do what the log can.
func gated(log driver.Log) (*gate, driver.Log) {
	g := &gate{Log: log}
	n, notifies := log.(driver.Notifier)
	c, keeps := log.(driver.Checkpointer)
	switch {
	case notifies && keeps:
		log = struct {
			*gate
			driver.Notifier
			driver.Checkpointer
		}{g, n, c}
	case notifies:
		log = struct {
			*gate
			driver.Notifier
		}{g, n}
	case keeps:
		log = struct {
			*gate
			driver.Checkpointer
		}{g, c}
	default:
		log = g
	}
	return g, log
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

// take returns what becomes of the append that has come.
func (g *gate) take() (h hook) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken++
	if len(g.hooks) > 0 {
		h, g.hooks = g.hooks[0], g.hooks[1:]
	}
	return h
}

// appends returns how many appends have come.
func (g *gate) appends() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.taken
}

// Append implements driver.Log.
func (g *gate) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	h := g.take()
	h.hold.wait()
	var err error
	if !h.lost {
		err = g.Log.Append(ctx, prev, entries)
	}
	if h.err != nil {
		return h.err
	}
	return err
}

// appendTo lets an append through.
var appendTo hook

var errLost = errors.New("drivertest: the answer was lost")

// The hooks of a connection that fails.
var (
	// lostBefore fails without an effect, and does not say so.
	lostBefore = hook{lost: true, err: errLost}

	// lostAfter has its effect, and does not say so.
	lostAfter = hook{err: errLost}

	// notApplied has no effect, and says so.
	notApplied = hook{lost: true, err: errors.Join(driver.ErrNotApplied, errors.New("drivertest: the disk is full"))}
)

// A hold stops an append, or a look at the clock, until it is released.
type hold struct {
	entered chan struct{} // closed when it has come
	release chan struct{} // closed to let it go on
	once    sync.Once
}

// newHold makes a hold, which is released at the end of the case if not before.
func (g *gate) newHold() *hold {
	h := &hold{entered: make(chan struct{}), release: make(chan struct{})}
	g.holds = append(g.holds, h)
	return h
}

// hold stops the next append. What becomes of it once it is released is then.
func (g *gate) hold(then hook) *hold {
	then.hold = g.newHold()
	g.next(then)
	return then.hold
}

// wait stops the caller. A nil hold does not.
func (h *hold) wait() {
	if h != nil {
		close(h.entered)
		<-h.release
	}
}

// let releases what it stops. It can be called again.
func (h *hold) let() { h.once.Do(func() { close(h.release) }) }

// patience is after how long a call that should not wait counts as stuck. It is
// never waited for in a correct store, and long, since a busy machine may let a
// process stand for a while.
const patience = 10 * time.Minute

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

// stuck starts a commit and returns when its append is held up, with what receives
// the outcome.
func (r *rig) stuck(g *gate, then hook, c stet.Commit) (*hold, <-chan outcome) {
	h := g.hold(then)
	answer := r.pending(r.ctx, c)
	r.entered(h, answer)
	return h, answer
}

type outcome struct {
	done stet.Done
	err  error
}
