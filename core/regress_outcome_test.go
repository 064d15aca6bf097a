package core_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// A commit that is in the log is not said to have changed nothing, also if the
// log cannot be read when its answer was lost.
func TestAppliedIsNotUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, lost, failed := newHook(), false, false
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			err := h.Log.Append(ctx, prev, e)
			if !lost {
				lost = true
				return errors.New("the connection was lost")
			}
			return err
		}
		h.read = func(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
			if lost && limit == 1 && !failed {
				failed = true
				return nil, errors.New("a timeout")
			}
			return h.Log.Read(ctx, after, limit)
		}
		c := bare(t, h)
		_, err := c.Commit(t.Context(), stet.Commit{Ops: []stet.Op{saving("p", "one")}})
		if _, herr := c.Head(t.Context(), "p", stet.ReadOptions{}); herr == nil && err != nil && stet.CodeOf(err) != stet.CodeUnknown {
			t.Errorf("it is there, and its caller was told: %v", err)
		}
		c.Close()
	})
}

// The same, if it is the text before it that cannot be read.
func TestAppliedIsNotUnavailableForAText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, appends := newHook(), 0
		var mu sync.Mutex
		failing := false
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			err := h.Log.Append(ctx, prev, e)
			if appends++; appends == 2 {
				mu.Lock()
				failing = true
				mu.Unlock()
				return errors.New("the connection was lost")
			}
			return err
		}
		h.body = func(ctx context.Context, r driver.BodyRef) (driver.Body, error) {
			mu.Lock()
			defer mu.Unlock()
			if failing {
				return driver.Body{}, errors.New("the disk hiccups")
			}
			return h.Log.Body(ctx, r)
		}
		c := bare(t, h)
		commit(t, c, saving("p", "one"))
		_, err := c.Commit(t.Context(), stet.Commit{ID: "X", Ops: []stet.Op{saving("p", "two")}})
		if tail, terr := h.Barrier(t.Context()); terr != nil || tail.Revision == 2 && err != nil && stet.CodeOf(err) != stet.CodeUnknown {
			t.Errorf("it is there, and its caller was told: %v", err)
		}
		c.Close()
	})
}

// A commit is not answered before reads see it: not either if a reader, who found a
// text gone, has published a part of its batch and the log failed then.
func TestAnsweredIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook()
		appended, release, read := make(chan struct{}), make(chan struct{}), make(chan struct{})
		var mu sync.Mutex
		armed, failing := false, false
		var once sync.Once
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			mu.Lock()
			on := armed
			mu.Unlock()
			if on && len(e[0].Bodies) > 0 && e[0].Bodies[0].PromptID == "hold" {
				<-release
				return h.Log.Append(ctx, prev, e)
			}
			err := h.Log.Append(ctx, prev, e)
			if on {
				once.Do(func() { close(appended); <-read })
			}
			return err
		}
		h.read = func(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
			mu.Lock()
			defer mu.Unlock()
			if failing {
				return nil, errors.New("a timeout")
			}
			entries, err := h.Log.Read(ctx, after, limit)
			if armed && len(entries) > 1 { // an engine bounds its answers
				entries, failing = entries[:1], true // and the next page fails
			}
			return entries, err
		}
		c := bare(t, h)
		commit(t, c, saving("p", "one"))
		mu.Lock()
		armed = true
		mu.Unlock()
		var callers sync.WaitGroup
		var saved error
		for _, op := range []stet.Op{saving("hold", "x"), deleting("p", "1.0.0"), saving("q", "x")} {
			callers.Go(func() {
				_, err := c.Commit(context.Background(), stet.Commit{Ops: []stet.Op{op}})
				if op.Save != nil && op.Save.PromptID == "q" {
					saved = err
				}
			})
			synctest.Wait() // the first is held up, the others wait for it together
		}
		close(release)
		<-appended
		_, _, _ = c.GetMany(t.Context(), []string{"p@1.0.0"}, stet.ReadOptions{}) // finds its text gone
		close(read)
		until(t, "all are answered, or wait for the log", func() bool {
			done := make(chan struct{})
			go func() { callers.Wait(); close(done) }()
			select {
			case <-done:
				return true
			case <-time.After(10 * time.Second):
				mu.Lock()
				defer mu.Unlock()
				failing, armed = false, false // the log can be read again
				return false
			}
		})
		if _, err := c.Get(t.Context(), "q", ""); saved == nil && err != nil {
			t.Errorf("q was saved, and the store, at revision %d, says: %v", c.Revision(), err)
		}
		c.Close()
	})
}
