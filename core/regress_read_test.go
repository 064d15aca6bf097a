package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/memory"
)

// A delete that is in the log and not published yet is not taken for damage.
func TestVerifyDuringADelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, appended, release := newHook(), make(chan struct{}), make(chan struct{})
		appends := 0
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			err := h.Log.Append(ctx, prev, e)
			if appends++; appends == 2 {
				close(appended)
				<-release
			}
			return err
		}
		c := bare(t, h)
		commit(t, c, saving("p", "one"))
		var callers sync.WaitGroup
		callers.Go(func() { _, _ = c.Commit(context.Background(), stet.Commit{Ops: []stet.Op{deleting("p", "1.0.0")}}) })
		<-appended
		sound(t, c)
		close(release)
		callers.Wait()
		c.Close()
	})
}

// A follower that comes to an entry that it cannot read asks again now and then,
// and not all the time.
func TestFollowerDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memory.New()
		w := start(t, l, core.Options{})
		commit(t, w, saving("p", "one"))
		h := &hook{Log: l, shared: true, keep: true}
		var mu sync.Mutex
		bad, reads := false, 0
		const most = 50 // in a second
		h.read = func(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
			entries, err := l.Read(ctx, after, limit)
			mu.Lock()
			isBad := bad
			if bad {
				reads++
			}
			n := reads
			mu.Unlock()
			if n > most {
				<-ctx.Done() // let it rest, so that the test ends
				return nil, ctx.Err()
			}
			if !isBad {
				return entries, err
			}
			if len(entries) > 0 {
				entries = append([]driver.Entry(nil), entries...)
				entries[len(entries)-1].Data = []byte(`{"from_a_newer_stet":1}`)
			}
			return entries, err
		}
		c := bare(t, h)
		mu.Lock()
		bad = true
		mu.Unlock()
		commit(t, w, saving("p", "two"))
		<-time.After(time.Second)
		mu.Lock()
		n := reads
		mu.Unlock()
		if n > most {
			t.Errorf("more than %d reads of the log in a second", most)
		}
		c.Close()
		w.Close()
	})
}

// A text that is lost is an error at once, however much is written meanwhile.
func TestLostTextIsNotSoughtForEver(t *testing.T) {
	h, tries := newHook(), 0
	var c *core.Core
	h.body = func(ctx context.Context, r driver.BodyRef) (driver.Body, error) {
		if r.PromptID != "lost" {
			return h.Log.Body(ctx, r)
		}
		if tries++; tries > 20 {
			return driver.Body{}, errors.New("enough")
		}
		commit(t, c, stet.Op{Save: &stet.Draft{PromptID: "other", Text: fmt.Sprint(tries), Bump: "patch"}})
		return driver.Body{}, driver.ErrNoBody
	}
	c = bare(t, h)
	commit(t, c, saving("lost", "one"))
	if _, err := c.Get(t.Context(), "lost", ""); stet.CodeOf(err) != stet.CodeInternal || tries > 3 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

// A log whose Read lags behind until it is asked for its tail is not damaged.
func TestReadThatLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memory.New()
		w := start(t, l, core.Options{})
		commit(t, w, saving("p", "one"))
		commit(t, w, saving("p", "two"))
		h := &lagging{hook: &hook{Log: l, shared: true, keep: true, wait: func(ctx context.Context, _ uint64) error { <-ctx.Done(); return ctx.Err() }}}
		c := start(t, h, core.Options{CacheBytes: -1})
		h.onBody = func() { // after the read's barrier
			h.onBody = nil
			commit(t, w, deleting("p", "1.1.0"))
		}
		if v, err := c.Get(t.Context(), "p", "latest"); err != nil || v.Text() != "one" {
			t.Errorf("latest is %q, %v", v.Text(), err)
		}
		c.Close()
		w.Close()
	})
}

// lagging shows what the last Barrier has told of, and no more.
type lagging struct {
	*hook
	mu     sync.Mutex
	shown  uint64
	onBody func()
}

func (l *lagging) Barrier(ctx context.Context) (driver.Tail, error) {
	tail, err := l.hook.Barrier(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shown = tail.Revision
	return tail, err
}

func (l *lagging) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	l.mu.Lock()
	shown := l.shown
	l.mu.Unlock()
	entries, err := l.hook.Read(ctx, after, limit)
	for len(entries) > 0 && entries[len(entries)-1].Revision > shown {
		entries = entries[:len(entries)-1]
	}
	return entries, err
}

func (l *lagging) Body(ctx context.Context, r driver.BodyRef) (driver.Body, error) {
	if f := l.onBody; f != nil {
		f()
	}
	return l.hook.Body(ctx, r)
}

// A commit that took long to prepare does not have an earlier time than the one
// that overtook it: at its own time it is there.
func TestTimesGrowWithRevisions(t *testing.T) {
	var mu sync.Mutex
	looks, overtaken := 0, make(chan struct{})
	arrived := make(chan struct{})
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := start(t, memory.New(), core.Options{Now: func() time.Time {
		mu.Lock()
		looks++
		n, at := looks, now.Add(time.Duration(looks)*time.Second)
		mu.Unlock()
		if n == 1 { // the first commit looks at the clock, and is slow from then on
			close(arrived)
			<-overtaken
		}
		return at
	}})
	var slow stet.Done
	var callers sync.WaitGroup
	callers.Go(func() {
		var err error
		if slow, err = c.Commit(context.Background(), stet.Commit{Ops: []stet.Op{saving("slow", "x")}}); err != nil {
			t.Error(err)
		}
	})
	<-arrived
	commit(t, c, saving("quick", "x"))
	close(overtaken)
	callers.Wait()
	if _, _, err := c.GetMany(t.Context(), []string{"slow"}, stet.ReadOptions{At: stet.Point{Time: slow.Time}}); err != nil {
		t.Errorf("committed at revision %d, %s, and at that time: %v", slow.Revision, slow.Time, err)
	}
}

// A commit that saves a number, clears, and saves it again with another text: its
// change has the text of the second only, and not for the first as well.
func TestChangesOfACommitThatClears(t *testing.T) {
	c := start(t, memory.New(), core.Options{})
	if _, err := c.Commit(t.Context(), stet.Commit{Ops: []stet.Op{saving("p", "one"), {Clear: &stet.Clear{}}, saving("p", "two")}}); err != nil {
		t.Fatal(err)
	}
	page, err := c.ChangesPage(t.Context(), 0, stet.ChangesOptions{Texts: true})
	if err != nil {
		t.Fatal(err)
	}
	first, second := page.Items[0].Ops[0].Save, page.Items[0].Ops[2].Save
	if first.Version != second.Version {
		t.Fatalf("the numbers are %s and %s", first.Version, second.Version)
	}
	if first.Content != nil {
		t.Errorf("the version that was cleared has the text %q", first.Content.Content().Text())
	}
	if second.Content == nil || second.Content.Content().Text() != "two" {
		t.Errorf("the version that lives has the content %v", second.Content)
	}
}
