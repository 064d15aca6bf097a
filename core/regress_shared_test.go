package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// An engine that takes one entry at a time.
type narrow struct{ *hook }

func (n narrow) Info() driver.Info {
	i := n.hook.Info()
	i.MaxEntries = 1
	return i
}

// A commit whose id the store made may come back through another server, with that id,
// while the first attempt is still to be decided here.
func TestGeneratedIDComesThroughAnotherServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newHook(), newHook()
		two.Log = one.Log
		one.shared, two.shared, one.keep, two.keep = true, true, true, true
		a, b := start(t, narrow{one}, core.Options{}), start(t, two, core.Options{})
		release := make(chan struct{})
		one.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			<-release
			return one.Log.Append(ctx, prev, e)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		errs := make([]error, 3)
		for i := range errs {
			callers.Go(func() {
				_, errs[i] = a.Commit(ctx, stet.Commit{Ops: []stet.Op{saving("p", fmt.Sprint(i))}})
			})
			synctest.Wait()
		}
		release <- struct{}{} // the first is added, the second is being added, the third is left for later
		synctest.Wait()
		cancel()
		callers.Wait()
		var e *stet.Error
		if !errors.As(errs[2], &e) || e.Code != stet.CodeUnknown {
			t.Fatal(errs)
		}
		again := stet.Commit{ID: e.CommitID, Ops: []stet.Op{saving("p", "2")}}
		if _, err := b.Commit(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		close(release)
		synctest.Wait()
		entries, err := one.Log.Read(t.Context(), 0, 100)
		if err != nil || len(entries) != 3 {
			t.Errorf("three commits are %d entries, %v", len(entries), err)
		}
	})
}

// After another server's clear the numbers of a prompt begin anew here as well.
func TestNumbersAfterAClearElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newHook(), newHook()
		two.Log = one.Log
		one.shared, two.shared, one.keep, two.keep = true, true, true, true
		a, b := start(t, one, core.Options{}), start(t, two, core.Options{})
		commit(t, a, saving("p", "one"))
		for i := range 40 {
			n := fmt.Sprintf("1.0.%d", i+1)
			commit(t, a, stet.Op{Save: &stet.Draft{PromptID: "p", Text: "x", Version: n}}, deleting("p", n))
		}
		patch := func(text string) stet.Op {
			return stet.Op{Save: &stet.Draft{PromptID: "p", Text: text, Bump: "patch"}}
		}
		commit(t, a, patch("two")) // passes forty numbers, and remembers it
		commit(t, b, stet.Op{Clear: &stet.Clear{}}, saving("p", "one"))
		if _, err := a.Get(t.Context(), "p", "1.0.0"); err != nil {
			t.Fatal(err)
		}
		commit(t, a, patch("two"))
		if v, err := a.Get(t.Context(), "p", ""); err != nil || v.Number().String() != "1.0.1" {
			t.Errorf("the patch after 1.0.0 is %s, %v", v.Number(), err)
		}
	})
}
