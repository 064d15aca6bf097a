package drivertest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// A rig is what a store case works with: a new, empty store, and calls that
// note what is wrong or, where the case cannot go on, end it.
//
// Calls that cannot fail in a correct store end the case when they do; they are
// for the goroutine that runs the case. Others return errors and are for any.
type rig struct {
	ctx    context.Context
	h      *Harness
	stores []*stet.Store // all on the same data
	log    driver.Log    // of the first store, nil if it has none
	open   []*stet.Store // to be verified and closed at the end
	shut   map[*stet.Store]bool
	gates  []*gate
	clock  clock

	turn atomic.Uint64 // which store is next
	ids  atomic.Uint64 // commit ids

	mu   sync.Mutex
	errs []error
}

// clock is the time of a case: each look at it is a second later.
type clock struct {
	ticks atomic.Int64
	hold  atomic.Pointer[hold] // stops the next look
}

var dawn = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func (c *clock) now() time.Time {
	c.hold.Swap(nil).wait()
	return dawn.Add(time.Duration(c.ticks.Add(1)) * time.Second)
}

// ended is what ends a case before its end.
type ended struct{}

// storeCase makes a case of a function over a new, empty store. Afterwards every
// store that was opened is verified.
func storeCase(name, rule string, f func(r *rig)) Case {
	return needing(NeedNothing, name, rule, f)
}

func needing(need Need, name, rule string, f func(r *rig)) Case {
	return Case{Name: name, Rule: rule, Need: need, Run: func(ctx context.Context, h *Harness) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		r := &rig{ctx: ctx, h: h}
		s, log, err := h.openStore(ctx, r.options())
		if err != nil {
			return fmt.Errorf("the store cannot be opened: %w", err)
		}
		r.stores, r.open, r.log = []*stet.Store{s}, []*stet.Store{s}, log
		r.guard(func() {
			for len(r.stores) < h.Handles {
				r.stores = append(r.stores, r.another(log))
			}
			f(r)
		})
		for _, g := range r.gates { // a case that has ended early has not let them go
			g.clear()
			for _, h := range g.holds {
				h.let()
			}
		}
		for _, s := range r.open {
			r.verify(s)
			if err := s.Close(); err != nil {
				r.fail("Close: %v", err)
			}
		}
		return errors.Join(r.errs...)
	}}
}

// guard runs f up to where it ends the case. A panic is a failure like others: a
// broken store may have fewer items than the case looks at.
func (r *rig) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(ended); !ok {
				r.fail("panic: %v\n%s", p, debug.Stack())
			}
		}
	}()
	f()
}

func (r *rig) options() core.Options {
	o := r.h.Options
	o.Now = r.clock.now
	return o
}

// close closes a store before the end of the case, which then does not verify it.
func (r *rig) close(s *stet.Store) error {
	if r.shut == nil {
		r.shut = make(map[*stet.Store]bool)
	}
	r.shut[s] = true
	return s.Close()
}

// verify checks a store and everything that it holds, unless it is closed.
func (r *rig) verify(s *stet.Store) {
	if r.shut[s] {
		return
	}
	rep, err := s.Verify(context.WithoutCancel(r.ctx), stet.VerifyOptions{})
	if err != nil {
		r.fail("Verify: %v", err)
	}
	for _, p := range rep.Problems {
		r.fail("Verify: %s", p)
	}
}

// another opens one more store on the data of a log.
func (r *rig) another(log driver.Log) *stet.Store {
	l, err := r.h.Another(r.ctx, log)
	r.must(err, "opening another handle")
	return r.newStore(l, r.options())
}

// newStore makes a store of a log.
func (r *rig) newStore(l driver.Log, o core.Options) *stet.Store {
	s, err := core.Open(r.ctx, l, &o)
	r.must(err, "opening a store")
	r.open = append(r.open, s)
	return s
}

// newLog opens one more, empty log.
func (r *rig) newLog() driver.Log {
	l, err := r.h.OpenLog(r.ctx)
	r.must(err, "opening a log")
	return l
}

// other opens one more, empty store.
func (r *rig) other() *stet.Store {
	s, _, err := r.h.openStore(r.ctx, r.options())
	r.must(err, "opening a second store")
	r.open = append(r.open, s)
	return s
}

// over makes the rig's calls go to one store.
func (r *rig) over(s *stet.Store) { r.stores = []*stet.Store{s} }

// s is the store whose turn it is.
func (r *rig) s() *stet.Store {
	return r.stores[(r.turn.Add(1)-1)%uint64(len(r.stores))]
}

func (r *rig) fail(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.errs) < 20 {
		r.errs = append(r.errs, fmt.Errorf(format, args...))
	}
}

func (r *rig) must(err error, what string, args ...any) {
	if err != nil {
		r.fail("%s: %v", fmt.Sprintf(what, args...), err)
		panic(ended{})
	}
}

// ok notes a failure unless it holds.
func (r *rig) ok(holds bool, format string, args ...any) {
	if !holds {
		r.fail(format, args...)
	}
}

// same notes a failure unless two things print alike.
func (r *rig) same(what string, got, want any) {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		r.fail("%s is %q, and should be %q", what, g, w)
	}
}

// refused notes a failure unless err has the code and its message the words.
func (r *rig) refused(what string, err error, code stet.Code, words ...string) {
	if err == nil {
		r.fail("%s succeeds, and should be refused as %s", what, code)
		return
	}
	if stet.CodeOf(err) != code {
		r.fail("%s fails with %q, and should with the code %s", what, err, code)
		return
	}
	var e *stet.Error
	if !errors.As(err, &e) {
		r.fail("%s fails with a %T, and every error is a *stet.Error", what, err)
		return
	}
	for _, w := range words {
		if !strings.Contains(e.Message, w) {
			r.fail("%s is refused with %q, and should say %q", what, e.Message, w)
		}
	}
}

// refusedOp is refused for an operation of a commit.
func (r *rig) refusedOp(what string, err error, op int, code stet.Code, words ...string) {
	r.refused(what, err, code, words...)
	var e *stet.Error
	if errors.As(err, &e) && e.Op != op {
		r.fail("%s blames operation %d, and should blame %d", what, e.Op, op)
	}
}

// id makes a commit id.
func (r *rig) id() string { return fmt.Sprintf("case-%d", r.ids.Add(1)) }

// words writes values with spaces between.
func words(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

// breathe is called in the n-th round of a loop that reads until others are done.
// In a bubble the clock stands still while anything runs, and a writer that
// pauses after a lost answer would wait for the loop as the loop does for it: so
// now and then the loop waits for the clock, for about as long as such a pause takes.
// Elsewhere it does nothing.
func (r *rig) breathe(n int) {
	if r.h.Bubble && n%64 == 63 {
		<-time.After(50 * time.Millisecond)
	}
}

// ptr is for Expect.
func ptr(s string) *string { return &s }

// all runs functions at once and waits for them.
func all(fs ...func()) {
	var w sync.WaitGroup
	for _, f := range fs {
		w.Go(f)
	}
	w.Wait()
}

// times runs f(0) … f(n-1) at once and waits for them.
func times(n int, f func(i int)) {
	var w sync.WaitGroup
	for i := range n {
		w.Go(func() { f(i) })
	}
	w.Wait()
}

func op[T stet.Draft | stet.Delete | stet.SetLabel | stet.RemoveLabel | stet.Rollback | stet.Clear](o T) stet.Op {
	switch o := any(o).(type) {
	case stet.Draft:
		return stet.Op{Save: &o}
	case stet.Delete:
		return stet.Op{Delete: &o}
	case stet.SetLabel:
		return stet.Op{SetLabel: &o}
	case stet.RemoveLabel:
		return stet.Op{RemoveLabel: &o}
	case stet.Rollback:
		return stet.Op{Rollback: &o}
	}
	return stet.Op{Clear: &stet.Clear{}}
}
