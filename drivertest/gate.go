package drivertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// A gate is a log whose appends a case can hold up, lose or refuse.
type gate struct {
	driver.Log
	joined bool // a commit that is held up has another that joins its append
	mu     sync.Mutex
	hooks  []hook
	taken  int // appends that have come
	holds  []*hold
}

// A hook is what becomes of an append. That of none lets it through.
type hook struct {
	lost bool  // it does not reach the log; of one in chunks the first does, in vain
	err  error // the answer, if not nil, whatever the log's is
	hold *hold // stops it; one in chunks in the middle, after the first
	join *hold // stops it after the first chunk, before there is a second
}

// A gateStreamer is a gate before a log that takes an append in chunks.
type gateStreamer struct {
	gate *gate
	log  driver.Streamer
}

// gated puts a gate before a log. What is returned can do what the log can.
func gated(log driver.Log) (*gate, driver.Log) {
	g := &gate{Log: log}
	streamer, streams := log.(driver.Streamer)
	s := gateStreamer{g, streamer}
	n, notifies := log.(driver.Notifier)
	c, keeps := log.(driver.Checkpointer)
	switch {
	case streams && notifies && keeps:
		log = struct {
			*gate
			driver.Streamer
			driver.Notifier
			driver.Checkpointer
		}{g, s, n, c}
	case streams && notifies:
		log = struct {
			*gate
			driver.Streamer
			driver.Notifier
		}{g, s, n}
	case streams && keeps:
		log = struct {
			*gate
			driver.Streamer
			driver.Checkpointer
		}{g, s, c}
	case notifies && keeps:
		log = struct {
			*gate
			driver.Notifier
			driver.Checkpointer
		}{g, n, c}
	case streams:
		log = struct {
			*gate
			driver.Streamer
		}{g, s}
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

// ways calls f with a gate for a commit that is appended alone and, where the log
// takes an append in chunks, with another for one that is joined on its way.
func (r *rig) ways(f func(g *gate)) {
	g := r.gate()
	f(g)
	if _, ok := g.Log.(driver.Streamer); !ok || !g.Info().Exclusive {
		return
	}
	alone := len(r.errs)
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for i := alone; i < len(r.errs); i++ {
			r.errs[i] = fmt.Errorf("in an append of two chunks: %w", r.errs[i])
		}
	}()
	g = r.gate()
	g.joined = true
	f(g)
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
	if h.join != nil {
		return errors.Join(driver.ErrNotApplied, errors.New("drivertest: nothing can join an append that is not in chunks"))
	}
	h.hold.wait()
	return h.answer(func() error { return g.Log.Append(ctx, prev, entries) })
}

// AppendStream implements driver.Streamer.
func (s gateStreamer) AppendStream(ctx context.Context, prev driver.Tail, chunks iter.Seq[[]driver.Entry]) error {
	h := s.gate.take()
	lost := h.lost
	h.lost = false // the log has begun
	return h.answer(func() error {
		return s.log.AppendStream(ctx, prev, func(yield func([]driver.Entry) bool) {
			held := sync.OnceFunc(h.hold.wait)
			n := 0
			for chunk := range chunks {
				if n == 1 {
					if held(); lost {
						break
					}
				}
				if !yield(chunk) {
					return
				}
				if n++; n == 1 {
					h.join.wait()
				}
			}
			if held(); lost {
				yield([]driver.Entry{{}}) // which follows nothing: the log takes all of them back
			}
		})
	})
}

// answer appends, if it does, and returns what is said of it.
func (h *hook) answer(log func() error) error {
	var err error
	if !h.lost {
		err = log()
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
// the outcome. Behind a gate with joined it is held up in the middle: the log has
// taken the commit, and a second chunk has come, with a commit that saves the
// prompt "joined"; its outcome is the second one's.
func (r *rig) stuck(g *gate, then hook, c stet.Commit) (*hold, []<-chan outcome) {
	if !g.joined {
		h := g.hold(then)
		first := r.pending(r.ctx, c)
		r.entered(h, first)
		return h, []<-chan outcome{first}
	}
	// The writer begins an append in chunks when somebody is in Commit and not in
	// its queue yet: there the clock holds up the second one.
	onItsWay := g.newHold()
	r.clock.hold.Store(onItsWay)
	second := r.pending(r.ctx, stet.Commit{ID: r.id(), Ops: []stet.Op{op(text("joined", "x"))}})
	r.entered(onItsWay, second)
	then.join = g.newHold()
	h := g.hold(then)
	first := r.pending(r.ctx, c)
	r.entered(then.join, first)
	onItsWay.let()
	r.queued(1)
	then.join.let()
	r.entered(h, first)
	return h, []<-chan outcome{first, second}
}

// done receives the outcomes of what is released: all commits are done, in order from
// revision 1. An engine that is not reliable may need to be sent c again.
func (r *rig) done(c stet.Commit, answers []<-chan outcome) {
	for i, answer := range answers {
		out := <-answer
		if r.h.Unreliable && out.err != nil {
			out.done, out.err = r.tryCommit(c)
		}
		r.must(out.err, "commit %d", i)
		r.same("its revision", out.done.Revision, i+1)
	}
}

type outcome struct {
	done stet.Done
	err  error
}
