package core_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/memory"
)

// copyTo replays what a store exports, after edit.
func copyTo(t *testing.T, from, to *core.Core, edit func(cp *stet.Copy)) error {
	t.Helper()
	return from.Export(t.Context(), func(cp stet.Copy) error {
		edit(&cp)
		_, err := to.Replay(t.Context(), cp)
		return err
	})
}

// What a commit saves after its own clear is in an export.
func TestExportHasWhatFollowsAClear(t *testing.T) {
	c, to := start(t, memory.New(), core.Options{}), start(t, memory.New(), core.Options{})
	commit(t, c, saving("old", "x"))
	commit(t, c, saving("old", "y"), stet.Op{Clear: &stet.Clear{}}, saving("p", "one"))
	commit(t, c, saving("p", "two"))
	if err := copyTo(t, c, to, func(*stet.Copy) {}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"1.0.0", "1.1.0"} {
		if _, err := to.Get(t.Context(), "p", n); err != nil {
			t.Errorf("%s in the copy: %v", n, err)
		}
	}
	sound(t, to)
}

// What is exported while a version is deleted and its label moves is a state that
// the store was in: production is never missing.
func TestExportDuringADelete(t *testing.T) {
	c, to := start(t, memory.New(), core.Options{}), start(t, memory.New(), core.Options{})
	commit(t, c, saving("q", "x"))
	commit(t, c, stet.Op{Save: &stet.Draft{PromptID: "p", Text: "one", Labels: []string{"production"}}})
	commit(t, c, saving("p", "two"))
	first := true
	err := copyTo(t, c, to, func(*stet.Copy) {
		if first {
			first = false
			commit(t, c, stet.Op{SetLabel: &stet.SetLabel{PromptID: "p", Label: "production", Version: "latest"}}, deleting("p", "1.0.0"))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.Get(t.Context(), "p", "production"); err != nil {
		t.Errorf("production in the copy: %v", err)
	}
}

// A version whose text is lost is not exported as one that was deleted.
func TestExportOfALostText(t *testing.T) {
	h := newHook()
	h.body = func(context.Context, driver.BodyRef) (driver.Body, error) { return driver.Body{}, driver.ErrNoBody }
	c := bare(t, h)
	commit(t, c, saving("p", "one"))
	err := c.Export(t.Context(), func(cp stet.Copy) error {
		if cp.Versions[0].IsZero() {
			t.Error("it is exported as deleted")
		}
		return nil
	})
	if err == nil {
		t.Error("the export has no error")
	}
}

// What Replay takes over can be read again: what could not be is refused.
func TestReplayRefusesWhatCannotBeRead(t *testing.T) {
	for name, edit := range map[string]func(*stet.Copy){
		"label": func(cp *stet.Copy) {
			cp.Change.Ops[0].Save.Labels = []stet.LabelChange{{Label: `a"b`, To: cp.Change.Ops[0].Save.Version}}
		},
		"time":        func(cp *stet.Copy) { cp.Change.Time = time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC) },
		"prompt":      func(cp *stet.Copy) { cp.Change.Ops[0].Save.PromptID = "a#b@c" },
		"no id":       func(cp *stet.Copy) { cp.Change.ID = "" },
		"no versions": func(cp *stet.Copy) { cp.Versions = nil },
		"nothing":     func(cp *stet.Copy) { cp.Change.Ops, cp.Versions = nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("panic: %v", p)
				}
			}()
			c := start(t, memory.New(), core.Options{})
			commit(t, c, saving("p", "one"))
			h := newHook()
			h.keep = true
			to := bare(t, h)
			if err := copyTo(t, c, to, edit); err == nil {
				t.Error("it is accepted")
			}
			if err := to.Close(); err != nil {
				t.Error(err)
			}
			sound(t, bare(t, h))
		})
	}
}

// A change that puts a label on what was never saved is refused: a rollback to it
// would have nowhere to go.
func TestReplayOfALabelOnNothing(t *testing.T) {
	c := start(t, memory.New(), core.Options{})
	for i, n := range []string{"8.0.0", "9.0.0"} {
		v, err := stet.ParseNumber(n)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Replay(t.Context(), stet.Copy{Versions: make([]stet.Version, 1), Change: stet.Change{ID: fmt.Sprint(i), Ops: []stet.ChangeOp{{Save: &stet.SaveChange{
			PromptID: "p", Version: v, Unchanged: true, Labels: []stet.LabelChange{{Label: "production", To: v}}}}}}})
		if err == nil {
			t.Errorf("production on %s, which there is not, is accepted", n)
		}
	}
}

// What is replayed is the caller's again once he was told that its outcome is unknown,
// while the store is still at work on it.
func TestReplayKeepsNothingOfTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, h := start(t, newHook(), core.Options{}), newHook()
		h.shared = true
		commit(t, from, saving("p", "one"), saving("p", "two"))
		commit(t, from, stet.Op{SetLabel: &stet.SetLabel{PromptID: "p", Label: "production", Version: "1.0.0"}},
			stet.Op{Save: &stet.Draft{PromptID: "p", Text: "two", IfChanged: true, Labels: []string{"staging"}}},
			stet.Op{Delete: &stet.Delete{PromptID: "p", Version: "1.0.0", Force: true}})
		var copies []stet.Copy
		if err := from.Export(t.Context(), func(cp stet.Copy) error { copies = append(copies, cp); return nil }); err != nil {
			t.Fatal(err)
		}
		to := start(t, h, core.Options{})
		if _, err := to.Replay(t.Context(), copies[0]); err != nil {
			t.Fatal(err)
		}
		appending, release, sent := make(chan struct{}), make(chan struct{}), 0
		h.append_ = func(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
			if sent++; sent == 1 {
				close(appending)
				<-release
				other := start(t, &hook{Log: h.Log, shared: true, keep: true}, core.Options{})
				commit(t, other, saving("q", "x"))
			}
			return h.Log.Append(ctx, prev, e) // which has moved: it is decided again
		}
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error, 1)
		go func() {
			_, err := to.Replay(ctx, copies[1])
			answer <- err
		}()
		<-appending
		cancel()
		if err := <-answer; stet.CodeOf(err) != stet.CodeUnknown {
			t.Fatal(err)
		}
		ops := copies[1].Change.Ops
		ops[0].SetLabel.Label = "other"
		ops[1].Save.Labels[0].Label = "other"
		ops[2].Delete.PromptID = "other"
		ops[2].Delete.Labels[0].Label = "other"
		close(release)
		synctest.Wait()
		h.append_ = nil
		entries, err := h.Log.Read(t.Context(), 0, 100)
		if err != nil || len(entries) != 3 {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		page, err := to.ChangesPage(t.Context(), 2, stet.ChangesOptions{Limit: 1})
		if err != nil || len(page.Items) != 1 {
			t.Fatal(err)
		}
		got := page.Items[0].Ops
		if got[0].SetLabel.Label != "production" || got[1].Save.Labels[0].Label != "staging" || got[2].Delete.PromptID != "p" || got[2].Delete.Labels[0].Label != "production" {
			t.Errorf("what the caller changed afterwards was written: %s", entries[2].Data)
		}
	})
}
