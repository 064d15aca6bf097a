package core_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

var errNotApplied = errors.Join(driver.ErrNotApplied, errors.New("no connection"))

// A commit that may be in the log, since the append of its batch was given up, is not told
// that nothing changed when it is sent again: not by a refusal that the batch's other
// commits would have prevented, and not by an append of its own that was not applied.
func TestLostIsNotRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook()
		c := start(t, h, core.Options{})
		release, sent := make(chan struct{}), 0
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			switch sent++; sent {
			case 1:
				<-release
				return h.Log.Append(ctx, prev, e)
			case 2:
				return errors.Join(h.Log.Append(ctx, prev, e), errors.New("the connection was lost"))
			}
			return errNotApplied
		}
		commits := []stet.Commit{
			{ID: "hold", Ops: []stet.Op{saving("hold", "x")}},
			{ID: "save", Ops: []stet.Op{saving("p", "one")}},
			{ID: "label", Ops: []stet.Op{{SetLabel: &stet.SetLabel{PromptID: "p", Label: "production", Version: "1.0.0"}}}},
		}
		errs := make([]error, len(commits))
		var callers sync.WaitGroup
		for i := range commits {
			callers.Go(func() { _, errs[i] = c.Commit(t.Context(), commits[i]) })
			synctest.Wait() // the first is held up, the others wait for it together
		}
		close(release)
		callers.Wait()
		if errs[0] != nil || stet.CodeOf(errs[1]) != stet.CodeUnknown || stet.CodeOf(errs[2]) != stet.CodeUnknown {
			t.Fatalf("the outcomes are %v", errs)
		}
		h.read = func(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
			return nil, errors.New("a timeout")
		}
		for _, again := range []stet.Commit{commits[1], commits[2]} {
			if _, err := c.Commit(t.Context(), again); stet.CodeOf(err) != stet.CodeUnknown {
				t.Errorf("%s is in the log, and sent again it is told: %v", again.ID, err)
			}
		}
		// Of others it is known.
		if _, err := c.Commit(t.Context(), stet.Commit{ID: "other", Ops: commits[1].Ops}); stet.CodeOf(err) != stet.CodeUnavailable {
			t.Errorf("what was not written: %v", err)
		}
		if _, err := c.Commit(t.Context(), stet.Commit{ID: "another", Ops: []stet.Op{{Rollback: &stet.Rollback{PromptID: "q"}}}}); stet.CodeOf(err) != stet.CodeNotFound {
			t.Errorf("a rollback of nothing: %v", err)
		}
		h.append_, h.read = nil, nil
		for i := len(commits) - 1; i > 0; i-- {
			if done, err := c.Commit(t.Context(), commits[i]); err != nil || done.Revision != uint64(i+1) {
				t.Errorf("%s is at revision %d, %v", commits[i].ID, done.Revision, err)
			}
		}
	})
}

// Once another append has succeeded where the lost one was to be, that one can never get
// into the log, and its commits are refused like any other.
func TestLostIsSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook()
		c := start(t, h, core.Options{})
		h.append_ = func(context.Context, driver.Tail, []driver.Entry) error { return errors.New("the connection was lost") }
		lost := stet.Commit{ID: "lost", Ops: []stet.Op{{Save: &stet.Draft{PromptID: "p", Text: "x", Version: "1.0.0"}}}}
		if _, err := c.Commit(t.Context(), lost); stet.CodeOf(err) != stet.CodeUnknown {
			t.Fatal(err)
		}
		h.append_ = nil
		commit(t, c, saving("p", "another"))
		if _, err := c.Commit(t.Context(), lost); stet.CodeOf(err) != stet.CodeConflict {
			t.Errorf("it cannot be in the log any more, and is told: %v", err)
		}
	})
}
