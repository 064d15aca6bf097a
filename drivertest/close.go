package drivertest

import (
	"github.com/stet-dev/stet"
)

var closeCases = []Case{
	storeCase("close/refuses", "After Close every call is refused as unavailable, and Close can be called again.", func(r *rig) {
		s := r.other()
		if _, err := s.Commit(r.ctx, stet.Commit{Ops: []stet.Op{op(text("a", "x"))}}); err != nil && !r.h.Unreliable {
			r.fail("committing: %v", err)
		}
		r.must(r.close(s), "closing")
		r.must(r.close(s), "closing again")
		_, err := s.Commit(r.ctx, stet.Commit{Ops: []stet.Op{op(text("a", "y"))}})
		r.refused("a commit", err, stet.CodeUnavailable, "Nothing changed")
		_, err = s.Save(r.ctx, text("a", "y"))
		r.refused("a save", err, stet.CodeUnavailable)
		_, err = s.Get(r.ctx, "a")
		r.refused("Get", err, stet.CodeUnavailable)
		_, err = s.Head(r.ctx, "a")
		r.refused("Head", err, stet.CodeUnavailable)
		_, err = s.ListPage(r.ctx, "a", stet.ListOptions{})
		r.refused("ListPage", err, stet.CodeUnavailable)
		_, err = s.PromptsPage(r.ctx, stet.PromptsOptions{})
		r.refused("PromptsPage", err, stet.CodeUnavailable)
		_, _, err = s.GetMany(r.ctx, []string{"a"}, stet.ReadOptions{})
		r.refused("GetMany", err, stet.CodeUnavailable)
		_, err = s.ChangesPage(r.ctx, 0, stet.ChangesOptions{})
		r.refused("ChangesPage", err, stet.CodeUnavailable)
	}),

	needing(NeedLog, "close/finishes", "Close finishes the commits that were accepted before it.", func(r *rig) {
		g := r.gate()
		s := r.s()
		h := g.hold(appendTo)
		answer := r.pending(r.ctx, stet.Commit{ID: "one", Ops: []stet.Op{op(text("a", "x"))}})
		r.entered(h, answer)
		shut := make(chan error, 1)
		go func() { shut <- r.close(s) }()
		h.let()
		r.within("the commit", func() {
			if out := <-answer; !r.h.Unreliable {
				r.must(out.err, "a commit that was being written when the store was closed")
			}
		})
		r.within("Close", func() { r.must(<-shut, "closing") })
	}),

	storeCase("close/ends-subscribers", "Close ends those who wait for changes and for revisions, as unavailable.", func(r *rig) {
		s := r.other()
		ended := make(chan error, 2)
		started := make(chan struct{})
		go func() {
			close(started)
			for _, err := range s.Changes(r.ctx, 0, stet.ChangesOptions{}) {
				if err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
		go func() {
			_, _, err := s.GetMany(r.ctx, nil, stet.ReadOptions{MinRevision: 5})
			ended <- err
		}()
		<-started
		r.must(r.close(s), "closing")
		r.within("who waits", func() {
			for range 2 {
				r.refused("waiting", <-ended, stet.CodeUnavailable)
			}
		})
	}),

	storeCase("close/while-busy", "Whatever Close meets, a commit either happens or is refused as unavailable, and Close returns.", func(r *rig) {
		s := r.other()
		all(func() {
			times(6, func(int) {
				for range 20 {
					_, err := s.Commit(r.ctx, stet.Commit{Ops: []stet.Op{op(stet.Draft{PromptID: "a", Text: "x", Bump: "patch"})}})
					if err != nil && !r.h.Unreliable {
						r.refused("a commit", err, stet.CodeUnavailable)
					}
				}
			})
		}, func() {
			for range 20 {
				if _, err := s.Get(r.ctx, "a"); err != nil && stet.CodeOf(err) != stet.CodeNotFound {
					r.refused("Get", err, stet.CodeUnavailable)
				}
			}
			if err := r.close(s); err != nil {
				r.fail("closing: %v", err)
			}
		})
	}),
}
