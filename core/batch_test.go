package core_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// Commits that wait together are one append: one sync. Each is decided against those
// before it.
func TestBatchIsOneAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook()
		release := make(chan struct{})
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			<-release
			return h.Log.Append(ctx, prev, e)
		}
		c := start(t, h, core.Options{})
		revisions, errs := make([]uint64, 4), make([]error, 4)
		var wg sync.WaitGroup
		commit := func(i int, op stet.Op) {
			wg.Go(func() {
				done, err := c.Commit(t.Context(), stet.Commit{Ops: []stet.Op{op}})
				revisions[i], errs[i] = done.Revision, err
			})
			synctest.Wait()
		}
		commit(0, saving("p", "one"))
		commit(1, saving("p", "two"))
		commit(2, stet.Op{Save: &stet.Draft{PromptID: "p", Text: "x", Version: "1.1.0"}}) // the second has taken it
		commit(3, saving("q", "three"))
		close(release)
		wg.Wait()
		for _, i := range []int{0, 1, 3} {
			if errs[i] != nil {
				t.Fatalf("commit %d: %v", i, errs[i])
			}
		}
		if stet.CodeOf(errs[2]) != stet.CodeConflict {
			t.Errorf("a version that a commit of the same batch has taken is saved again: %v", errs[2])
		}
		if revisions[0] != 1 || revisions[1] != 2 || revisions[3] != 3 {
			t.Errorf("the revisions are %v", revisions)
		}
		if b := c.Stats().Batches; b[0] != 1 || b[1] != 1 {
			t.Errorf("the batches are %v, and not one of one and one of two", b)
		}
	})
}

// A bound that makes no sense is a batch of one, and not a store that stands still.
func TestNegativeMaxBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, newHook(), core.Options{MaxBatch: -1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := c.Commit(ctx, stet.Commit{Ops: []stet.Op{saving("p", "one")}}); err != nil {
			t.Error(err)
		}
	})
}

// An append was given up, its outcome unknown, and is in the log; a reader finds it there
// while the next append is under way. Sent again now, it is not told that nothing changed.
func TestPublishedInTheMiddleOfAnAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook()
		c := start(t, h, core.Options{CacheBytes: -1})
		if _, err := c.Commit(t.Context(), stet.Commit{Ops: []stet.Op{saving("p", "one")}}); err != nil {
			t.Fatal(err)
		}
		noConnection := errors.Join(driver.ErrNotApplied, errors.New("no connection"))
		sent := 0
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			if sent++; sent == 1 {
				return errors.Join(h.Log.Append(ctx, prev, e), errors.New("the connection was lost"))
			}
			return noConnection
		}
		lost := stet.Commit{ID: "lost", Ops: []stet.Op{{Delete: &stet.Delete{PromptID: "p"}}}}
		if _, err := c.Commit(t.Context(), lost); stet.CodeOf(err) != stet.CodeUnknown {
			t.Fatal(err)
		}
		again := make(chan error, 1)
		h.append_ = func(context.Context, driver.Tail, []driver.Entry) error {
			h.append_ = nil
			_, _ = c.Get(t.Context(), "p", "1.0.0") // finds no body, and then why
			go func() {
				_, err := c.Commit(t.Context(), lost)
				again <- err
			}()
			<-time.After(time.Second) // until it waits in the queue
			return noConnection
		}
		if _, err := c.Commit(t.Context(), stet.Commit{Ops: []stet.Op{saving("q", "two")}}); stet.CodeOf(err) != stet.CodeUnavailable {
			t.Errorf("what was not written: %v", err)
		}
		if err := <-again; err != nil {
			t.Errorf("it is at revision 2 of %d, and sent again it is told: %v", c.Revision(), err)
		}
	})
}

// A log that says that it has moved, and shows nothing new, has not said what became of
// an append before whose answer was lost: that stays unknown.
func TestMovedAndNothingNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook()
		c := start(t, h, core.Options{})
		sent := 0
		h.append_ = func(context.Context, driver.Tail, []driver.Entry) error {
			if sent++; sent == 1 {
				return errors.New("the connection was lost")
			}
			return driver.ErrMoved
		}
		_, err := c.Commit(t.Context(), stet.Commit{ID: "one", Ops: []stet.Op{saving("p", "one")}})
		if stet.CodeOf(err) != stet.CodeUnknown {
			t.Errorf("an attempt may have been applied, and the caller is told: %v", err)
		}
		if sent < 3 {
			t.Errorf("the entries were sent %d times", sent)
		}
		h.append_ = nil
		if _, err := c.Commit(t.Context(), stet.Commit{ID: "one", Ops: []stet.Op{saving("p", "one")}}); err != nil {
			t.Errorf("sent again: %v", err)
		}
	})
}
