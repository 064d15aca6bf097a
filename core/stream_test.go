package core_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// A streaming hook takes an append in chunks. It waits after the first one for ready; what
// it has then is appended, and after, if not nil, turns the outcome into another.
type streaming struct {
	*hook
	ready  chan struct{}
	after  func(err error) error
	chunks []int // how many entries each chunk had
}

func newStreaming() *streaming { return &streaming{hook: newHook(), ready: make(chan struct{})} }

func (s *streaming) AppendStream(ctx context.Context, prev driver.Tail, chunks iter.Seq[[]driver.Entry]) error {
	var all []driver.Entry
	for chunk := range chunks {
		all = append(all, chunk...)
		s.chunks = append(s.chunks, len(chunk))
		<-s.ready
	}
	err := s.hook.Append(ctx, prev, all)
	if s.after != nil {
		return s.after(err)
	}
	return err
}

// together makes the commits so that all but the first reach the writer while the first
// is being written, and returns their outcomes.
func together(t *testing.T, s *streaming, commits ...stet.Commit) (*core.Core, []stet.Done, []error) {
	held, hold := make(chan struct{}), true
	c := start(t, s, core.Options{Now: func() time.Time {
		if hold {
			<-held // in Commit, and not in the queue yet
		}
		return time.Now()
	}})
	done, errs := make([]stet.Done, len(commits)), make([]error, len(commits))
	var wg sync.WaitGroup
	begin := func(i int) { wg.Go(func() { done[i], errs[i] = c.Commit(t.Context(), commits[i]) }) }
	for i := 1; i < len(commits); i++ {
		begin(i)
	}
	synctest.Wait()
	hold = false
	begin(0)
	synctest.Wait() // the first chunk is written
	close(held)
	synctest.Wait()
	if got := c.Stats().Queued; got != len(commits)-1 {
		t.Errorf("%d commits wait, and not %d", got, len(commits)-1)
	}
	close(s.ready)
	wg.Wait()
	return c, done, errs
}

// A commit that comes while an append is on its way joins it: one append, one sync.
func TestCommitJoinsAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreaming()
		refused := stet.Commit{Ops: []stet.Op{{Save: &stet.Draft{PromptID: "p", Text: "x", Version: "1.0.0"}}}}
		c, done, errs := together(t, s,
			stet.Commit{Ops: []stet.Op{saving("p", "one")}},
			stet.Commit{Ops: []stet.Op{saving("p", "two")}},
			stet.Commit{Ops: []stet.Op{saving("q", "three")}},
			refused)
		for i := range 3 {
			if errs[i] != nil {
				t.Fatalf("commit %d: %v", i, errs[i])
			}
		}
		if stet.CodeOf(errs[3]) != stet.CodeConflict {
			t.Errorf("a version that a commit of the same append has taken is saved again: %v", errs[3])
		}
		if len(s.chunks) != 2 || s.chunks[0] != 1 || s.chunks[1] != 2 {
			t.Errorf("the chunks had %v entries, and not 1 and 2", s.chunks)
		}
		if b := c.Stats().Batches; b[2] != 1 {
			t.Errorf("the batches are %v, and not one of three", b)
		}
		if done[0].Revision != 1 || done[1].Revision+done[2].Revision != 5 {
			t.Errorf("the revisions are %d, %d and %d", done[0].Revision, done[1].Revision, done[2].Revision)
		}
		c.Close()
	})
}

// If the answer to an append in chunks is lost, the same entries are sent again as
// one, and each commit is in the log once.
func TestStreamLost(t *testing.T) {
	for name, after := range map[string]func(*streaming) func(error) error{
		"after it was applied": func(*streaming) func(error) error {
			return func(error) error { return errors.New("the connection was lost") }
		},
		"before": func(s *streaming) func(error) error {
			s.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
				s.append_ = nil
				return nil // this one is lost on the way
			}
			return func(error) error { return errors.New("the connection was lost") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStreaming()
				s.after = after(s)
				c, done, errs := together(t, s,
					stet.Commit{Ops: []stet.Op{saving("p", "one")}},
					stet.Commit{Ops: []stet.Op{saving("p", "two")}})
				for i, err := range errs {
					if err != nil || done[i].Revision != uint64(i+1) {
						t.Errorf("commit %d: revision %d, %v", i, done[i].Revision, err)
					}
				}
				if tail, _ := s.Barrier(t.Context()); tail.Revision != 2 {
					t.Errorf("the log has %d entries, and not 2", tail.Revision)
				}
				c.Close()
			})
		})
	}
}

// If an append in chunks fails, all of its commits are told so, and a refusal that rests
// on one of them is not final.
func TestStreamFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreaming()
		s.append_ = func(context.Context, driver.Tail, []driver.Entry) error {
			return errors.Join(driver.ErrNotApplied, errors.New("the disk is full"))
		}
		again := stet.Commit{ID: "again", Ops: []stet.Op{{Save: &stet.Draft{PromptID: "p", Text: "x", Version: "1.0.0"}}}}
		c, _, errs := together(t, s, stet.Commit{Ops: []stet.Op{saving("p", "one")}}, again)
		for i, err := range errs {
			if stet.CodeOf(err) != stet.CodeUnavailable {
				t.Errorf("commit %d: %v", i, err)
			}
		}
		s.append_ = nil
		if _, err := c.Commit(t.Context(), again); err != nil {
			t.Errorf("the refusal outlived the commit that it rested on: %v", err)
		}
		c.Close()
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

// A late engine calls between after the first chunk, and then says that it added none.
type late struct {
	*hook
	between func()
}

func (l *late) AppendStream(_ context.Context, _ driver.Tail, chunks iter.Seq[[]driver.Entry]) error {
	for range chunks {
		if l.between != nil {
			l.between()
			l.between = nil
		}
	}
	return errors.Join(driver.ErrNotApplied, errors.New("no connection"))
}

// An append was given up, its outcome unknown, and is in the log; a reader finds it there
// while the next one takes chunks. Sent again now, it is not told that nothing changed.
func TestPublishedInTheMiddleOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &late{hook: newHook()}
		held, hold := make(chan struct{}), false
		c := start(t, l, core.Options{CacheBytes: -1, Now: func() time.Time {
			if hold {
				<-held
			}
			return time.Now()
		}})
		if _, err := c.Commit(t.Context(), stet.Commit{Ops: []stet.Op{saving("p", "one")}}); err != nil {
			t.Fatal(err)
		}
		sent := 0
		l.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			if sent++; sent == 1 {
				return errors.Join(l.hook.Log.Append(ctx, prev, e), errors.New("the connection was lost"))
			}
			return errors.Join(driver.ErrNotApplied, errors.New("no connection"))
		}
		lost := stet.Commit{ID: "lost", Ops: []stet.Op{{Delete: &stet.Delete{PromptID: "p"}}}}
		if _, err := c.Commit(t.Context(), lost); stet.CodeOf(err) != stet.CodeUnknown {
			t.Fatal(err)
		}
		l.between = func() {
			_, _ = c.Get(t.Context(), "p", "1.0.0") // finds no body, and then why
			close(held)
			<-time.After(time.Second) // until it waits in the queue
		}
		hold = true
		again := make(chan error, 1)
		go func() {
			_, err := c.Commit(t.Context(), lost)
			again <- err
		}()
		synctest.Wait()
		hold = false
		if _, err := c.Commit(t.Context(), stet.Commit{Ops: []stet.Op{saving("q", "two")}}); stet.CodeOf(err) != stet.CodeUnavailable {
			t.Errorf("what was not written: %v", err)
		}
		if err := <-again; err != nil {
			t.Errorf("it is at revision 2 of %d, and sent again it is told: %v", c.Revision(), err)
		}
	})
}
