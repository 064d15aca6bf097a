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
	"github.com/stet-dev/stet/memory"
)

// An id that somebody tried to use for other operations still returns its first
// result.
func TestConflictDoesNotPoisonAnID(t *testing.T) {
	c := start(t, memory.New(), core.Options{})
	first := stet.Commit{ID: "X", Ops: []stet.Op{saving("p", "one")}}
	if _, err := c.Commit(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := c.Commit(t.Context(), stet.Commit{ID: "X", Ops: []stet.Op{saving("p", "other")}})
		if stet.CodeOf(err) != stet.CodeConflict {
			t.Errorf("other operations with the id: %v", err)
		}
		if d, err := c.Commit(t.Context(), first); err != nil || !d.Replayed {
			t.Errorf("the commit sent again after that: replayed %t, %v", d.Replayed, err)
		}
	}
}

// A commit without an id whose outcome was unknown can be sent again with the id
// that the error gives, and is then carried out once.
func TestMadeIDCanBeSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, release := newHook(), make(chan struct{})
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			<-release
			return h.Log.Append(ctx, prev, e)
		}
		c := bare(t, h)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Commit(ctx, stet.Commit{Ops: []stet.Op{saving("p", "one")}})
		var e *stet.Error
		if !errors.As(err, &e) || e.Code != stet.CodeUnknown || e.CommitID == "" {
			t.Fatalf("a commit that was not answered in time: %v", err)
		}
		close(release)
		d, err := c.Commit(t.Context(), stet.Commit{ID: e.CommitID, Ops: []stet.Op{saving("p", "one")}})
		if err != nil || !d.Replayed || c.Revision() != 1 {
			t.Errorf("sent again with the id: replayed %t, revision %d, %v", d.Replayed, c.Revision(), err)
		}
		c.Close()
	})
}

// A commit that waits with the id that the store made, and the same sent again
// with that id, are one commit, also in one batch.
func TestMadeIDTwiceInABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, release := newHook(), make(chan struct{})
		var once sync.Once
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			once.Do(func() { <-release })
			return h.Log.Append(ctx, prev, e)
		}
		ids := []string{"hold", "X"}
		c := start(t, h, core.Options{NewID: func() string { id := ids[0]; ids = ids[1:]; return id }})
		var callers sync.WaitGroup
		for _, cm := range []stet.Commit{
			{Ops: []stet.Op{saving("hold", "x")}},
			{Ops: []stet.Op{saving("p", "one")}},
			{ID: "X", Ops: []stet.Op{saving("p", "one")}},
		} {
			callers.Go(func() {
				if _, err := c.Commit(context.Background(), cm); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait() // it is in the queue, or in the append that is held up
		}
		close(release)
		callers.Wait()
		if n := idsOf(t, h.Log)["X"]; n != 1 {
			t.Errorf("the id X is in the log %d times", n)
		}
		c.Close()
	})
}

// What a caller does to its draft after Commit has returned reaches nothing.
func TestDraftIsNotReadAfterReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, release, tries := newHook(), make(chan struct{}), 0
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			if tries++; tries == 1 {
				<-release
				return errors.New("the connection was lost") // before anything was sent
			}
			return h.Log.Append(ctx, prev, e)
		}
		c := bare(t, h)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d := &stet.Draft{PromptID: "p", Text: "one", Labels: []string{"a"}}
		_, err := c.Commit(ctx, stet.Commit{ID: "X", Ops: []stet.Op{{Save: d}}})
		if stet.CodeOf(err) != stet.CodeUnknown {
			t.Fatal(err)
		}
		d.PromptID, d.Labels[0] = "changed@@", `bad"label`
		close(release)
		until(t, "the commit is there", func() bool { return c.Revision() == 1 })
		page, err := c.Prompts(t.Context(), stet.PromptsOptions{})
		if err != nil || len(page.Items) != 1 || page.Items[0].PromptID != "p" || page.Items[0].Labels["a"].IsZero() {
			t.Errorf("the store has %+v, %v", page.Items, err)
		}
		sound(t, c)
		c.Close()
	})
}

// Each caller gets results and errors of its own.
func TestAnswersAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, release := newHook(), make(chan struct{})
		var once sync.Once
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			once.Do(func() { <-release })
			return h.Log.Append(ctx, prev, e)
		}
		c := bare(t, h)
		var callers sync.WaitGroup
		callers.Go(func() { _, _ = c.Commit(context.Background(), stet.Commit{Ops: []stet.Op{saving("hold", "x")}}) })
		synctest.Wait()
		twice := stet.Commit{ID: "X", Ops: []stet.Op{{Save: &stet.Draft{PromptID: "p", Text: "one", Labels: []string{"a"}}}}}
		var got [2]stet.Done
		for i := range got {
			callers.Go(func() { got[i], _ = c.Commit(context.Background(), twice) })
		}
		synctest.Wait()
		close(release)
		callers.Wait()
		got[0].Results[0].Labels[0].Label = "changed"
		if got[1].Results[0].Labels[0].Label != "a" {
			t.Error("what one caller got changes under the other")
		}
		refused := stet.Commit{ID: "Y", Ops: []stet.Op{{SetLabel: &stet.SetLabel{PromptID: "none", Label: "a", Version: "1.0.0"}}}}
		seen := map[*stet.Error]bool{}
		for range 3 {
			_, err := c.Commit(context.Background(), refused)
			var e *stet.Error
			if !errors.As(err, &e) || seen[e] {
				t.Errorf("an error that another caller has: %v", err)
			}
			seen[e] = true
		}
		c.Close()
	})
}

// A commit that was carried out before a clear is answered with what it saved, not
// with a version of the same number that was saved after.
func TestReplayedAfterClear(t *testing.T) {
	c := start(t, memory.New(), core.Options{})
	x := stet.Commit{ID: "X", Author: "ana", Ops: []stet.Op{saving("p", "one")}}
	first, err := c.Commit(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, c, stet.Op{Clear: &stet.Clear{}})
	if _, err := c.Commit(t.Context(), stet.Commit{Author: "bo", Ops: []stet.Op{saving("p", "one")}}); err != nil {
		t.Fatal(err)
	}
	again, err := c.Commit(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := first.Versions[0], again.Versions[0]; a.Revision() != b.Revision() || a.Author() != b.Author() {
		t.Errorf("at first %s of revision %d by %s, then %s of revision %d by %s", a.Ref(), a.Revision(), a.Author(), b.Ref(), b.Revision(), b.Author())
	}
}
