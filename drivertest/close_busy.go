package drivertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/stet-dev/stet"
)

// closeRounds is how often a store is closed beside its callers: 40 times, since what
// Close met by luck showed in the first few rounds on every engine, or as often as the
// variable STET_CLOSE_ROUNDS says (make close: 300).
func closeRounds() int {
	if n, err := strconv.Atoi(os.Getenv("STET_CLOSE_ROUNDS")); err == nil {
		return n
	}
	return 40
}

var busyCloseCases = []Case{
	storeCase("close/beside-callers", "Whatever 64 callers are doing when a store is closed, each of their calls ends: it succeeds, or is refused as unavailable; Close returns, for each of two who call it.", func(r *rig) {
		dir, err := os.MkdirTemp("", "stet-close")
		r.must(err, "making a directory for backups")
		defer os.RemoveAll(dir)
		rounds := closeRounds()
		for round := 0; round < rounds && len(r.errs) == 0; round++ {
			r.closeBusy(round, filepath.Join(dir, fmt.Sprint(round)))
		}
	}),
}

// closeBusy opens a store, closes it beside 64 callers, and waits for all of them.
func (r *rig) closeBusy(round int, backup string) {
	o := r.options()
	o.CacheBytes = -1 // every read of a text asks the engine
	s, _, err := r.h.openStore(r.ctx, o)
	r.must(err, "opening a store")
	var ops []stet.Op
	for i := range 4 {
		ops = append(ops, op(text(fmt.Sprint("p", i), "x")), op(stet.SetLabel{PromptID: fmt.Sprint("p", i), Label: "production", Version: "1.0.0"}))
	}
	c := stet.Commit{ID: r.id(), Ops: ops}
	r.must(r.resolve(func() error { _, err := s.Commit(r.ctx, c); return err }), "committing")

	calls := busyCalls(s, backup)
	closing := make(chan struct{})
	var started, ended sync.WaitGroup
	for i := range 64 {
		call := calls[i%len(calls)]
		started.Add(1)
		ended.Go(func() {
			started.Done()
			for n := 0; ; n++ {
				if n == 1 { // enough: the work of a round is bounded
					<-closing
				}
				err := call.f(r.ctx, i, n)
				code, closed := stet.CodeOf(err), false
				select {
				case <-closing:
					closed = true
				default:
				}
				switch {
				case err == nil, code == stet.CodeRateLimited: // a server does so many of the large ones at once
				case r.h.Unreliable && (!closed || code == stet.CodeUnknown):
				case code == stet.CodeUnavailable && closed:
					return
				default:
					r.fail("round %d: %s beside Close: %s: %v", round, call.name, code, err)
					return
				}
			}
		})
	}
	r.within("a call beside Close", func() {
		started.Wait()
		for n := range round % 16 { // Close comes a little later each time
			if err := calls[0].f(r.ctx, 0, n); err != nil && !r.h.Unreliable {
				r.fail("round %d: before Close: %v", round, err)
			}
		}
		close(closing)
		all(func() {
			if err := s.Close(); err != nil {
				r.fail("round %d: closing: %v", round, err)
			}
		}, func() {
			if err := s.Close(); err != nil {
				r.fail("round %d: closing a second time: %v", round, err)
			}
		})
		ended.Wait()
	})
}

// A busyCall is something that a caller does again and again: for the n-th time, as
// the i-th of the callers.
type busyCall struct {
	name string
	f    func(ctx context.Context, i, n int) error
}

// busyCalls are calls of every kind, none of which fails as long as the store is open.
func busyCalls(s *stet.Store, backup string) []busyCall {
	ref := func(n int) string { return fmt.Sprint("p", n%4) }
	get := busyCall{"Get", func(ctx context.Context, _, n int) error {
		_, err := s.Get(ctx, ref(n))
		return err
	}}
	save := busyCall{"Save", func(ctx context.Context, i, _ int) error {
		_, err := s.Save(ctx, stet.Draft{PromptID: fmt.Sprint("own", i), Text: "x", Bump: "patch"})
		return err
	}}
	return []busyCall{
		get, save,
		{"GetMany", func(ctx context.Context, _, _ int) error {
			_, _, err := s.GetMany(ctx, []string{"p0", "p1@latest", "p2@1.0.0", "p3@production"}, stet.ReadOptions{})
			return err
		}},
		{"Get of the past", func(ctx context.Context, _, n int) error {
			_, err := s.Get(ctx, ref(n), stet.ReadOptions{At: stet.Point{Revision: 1}})
			return err
		}},
		{"Head", func(ctx context.Context, _, n int) error {
			_, err := s.Head(ctx, ref(n))
			return err
		}},
		{"List", func(ctx context.Context, _, n int) error {
			_, err := s.ListPage(ctx, ref(n), stet.ListOptions{})
			return err
		}},
		get,
		{"Prompts", func(ctx context.Context, _, _ int) error {
			_, err := s.PromptsPage(ctx, stet.PromptsOptions{})
			return err
		}},
		{"History", func(ctx context.Context, _, n int) error {
			_, err := s.HistoryPage(ctx, ref(n), "", stet.HistoryOptions{})
			return err
		}},
		save,
		{"ChangesPage", func(ctx context.Context, _, _ int) error {
			_, err := s.ChangesPage(ctx, 0, stet.ChangesOptions{Texts: true, Limit: 50})
			return err
		}},
		{"Changes", func(ctx context.Context, _, _ int) error {
			for _, err := range s.Changes(ctx, 0, stet.ChangesOptions{Texts: true}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"waiting for a revision", func(ctx context.Context, _, _ int) error {
			tail, err := s.Tail(ctx)
			if err != nil {
				return err
			}
			_, _, err = s.GetMany(ctx, nil, stet.ReadOptions{MinRevision: tail.Revision + 1})
			return err
		}},
		{"Delete", func(ctx context.Context, i, n int) error {
			id := fmt.Sprint("own", i)
			if n%2 == 0 {
				_, err := s.Save(ctx, stet.Draft{PromptID: id, Text: "x", Bump: "patch"})
				return err
			}
			_, err := s.Delete(ctx, stet.By{}, stet.Delete{PromptID: id})
			return err
		}},
		{"Export", func(ctx context.Context, _, _ int) error {
			return s.Export(ctx, func(stet.Copy) error { return nil })
		}},
		{"Verify", func(ctx context.Context, _, _ int) error {
			report, err := s.Verify(ctx, stet.VerifyOptions{})
			if err == nil && !report.OK() {
				return fmt.Errorf("damage that is none: %q", report.Problems)
			}
			return err
		}},
		get,
		{"Backup", func(ctx context.Context, i, _ int) error {
			_, _, err := s.Backup(ctx, fmt.Sprintf("%s-%d.db", backup, i), stet.BackupOptions{Overwrite: true})
			if stet.CodeOf(err) == stet.CodeInvalid {
				_, err = s.Get(ctx, "p0") // the engine keeps no files
			}
			return err
		}},
	}
}
