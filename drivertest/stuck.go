package drivertest

import (
	"context"
	"fmt"

	"github.com/stet-dev/stet"
)

var stuckCases = []Case{
	needing(NeedLog, "stuck/reads", "No read waits for a writer, even for one that is stuck inside its append; and none shows what is not in the log.", func(r *rig) {
		g := r.gate()
		r.saveAll("a", "1.0.0", "1.1.0")
		r.saveAll("b", "1.0.0")
		r.label("a", "production", "1.0.0")
		first := r.revision()
		for _, ops := range [][]stet.Op{
			{op(numbered("a", "2.0.0")), op(stet.SetLabel{PromptID: "a", Label: "production", Version: "2.0.0"}), op(text("c", "new"))},
			{op(stet.Delete{PromptID: "a", Force: true})},
			{op(stet.Clear{})},
		} {
			h, answer := r.stuck(g, notApplied, stet.Commit{ID: r.id(), Ops: ops})
			what := fmt.Sprintf("while an append of %d operations is stuck, ", len(ops))
			r.within(what+"a read", func() {
				r.same(what+"current", r.get("a").Number(), "1.0.0")
				r.same(what+"latest", r.get("a@latest").Number(), "1.1.0")
				for _, sel := range []string{"a@1.1.0", "a@#2", "a@^1", "a@" + r.get("a@1.1.0").Digest().String()} {
					r.same(what+sel, r.get(sel).Number(), "1.1.0")
				}
				_, err := r.tryGet("c")
				r.refused(what+"getting a prompt that is not there", err, stet.CodeNotFound)
				r.same(what+"the labels", r.head("a").Labels, "map[production:1.0.0]")
				r.same(what+"the list", r.numbers("a", stet.ListOptions{}), "[1.1.0 1.0.0]")
				r.same(what+"the history", r.moves("a", ""), "[>1.0.0]")
				p, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{})
				r.must(err, "%slisting prompts", what)
				r.same(what+"the number of prompts", len(p.Items), 2)
				r.same(what+"the revision", p.AsOf, first)
				many, _, err := r.s().GetMany(r.ctx, []string{"a", "b"}, stet.ReadOptions{At: stet.Point{Revision: first}, MinRevision: first})
				r.must(err, "%sGetMany", what)
				r.same(what+"GetMany", fmt.Sprint(many[0].Number(), many[1].Number()), "1.0.0 1.0.0")
				r.same(what+"the number of changes", len(r.changePages(0, stet.ChangesOptions{Texts: true})), first)
				r.verify(r.s())
			})
			h.let()
			out := <-answer
			r.refused("a commit that was not applied", out.err, stet.CodeUnavailable)
		}
		r.same("current, afterwards", r.get("a").Number(), "1.0.0")
		r.same("the revision, afterwards", r.revision(), first)
	}),

	needing(NeedLog, "stuck/then-goes-on", "What was stuck becomes visible when it is in the log, all of it at once.", func(r *rig) {
		g := r.gate()
		c := stet.Commit{ID: "one", Ops: []stet.Op{op(text("a", "x")), op(text("b", "y"))}}
		h, answer := r.stuck(g, appendTo, c)
		r.within("a read", func() {
			_, err := r.tryGet("a")
			r.refused("getting what is not in the log yet", err, stet.CodeNotFound)
		})
		h.let()
		out := <-answer
		if r.h.Unreliable && out.err != nil {
			out.done, out.err = r.tryCommit(c)
		}
		r.must(out.err, "the commit")
		r.same("its revision", out.done.Revision, 1)
		r.same("a", r.get("a").Text(), "x")
		r.same("b", r.get("b").Text(), "y")
	}),

	needing(NeedLog, "stuck/acknowledged-late", "A commit is acknowledged only when it is in the log.", func(r *rig) {
		g := r.gate()
		h, answer := r.stuck(g, appendTo, stet.Commit{ID: "one", Ops: []stet.Op{op(text("a", "x"))}})
		r.idle()
		select {
		case out := <-answer:
			r.fail("the commit is answered (%v) while its append is under way", out.err)
			panic(ended{})
		default:
		}
		h.let()
		<-answer
	}),
}

var contextCases = []Case{
	storeCase("context/done-before", "A commit whose context is done before it begins is unavailable, and changes nothing.", func(r *rig) {
		ctx, cancel := context.WithCancel(r.ctx)
		cancel()
		_, err := r.s().Commit(ctx, stet.Commit{ID: "one", Ops: []stet.Op{op(text("a", "x"))}})
		r.refused("the commit", err, stet.CodeUnavailable, "Nothing changed")
		_, err = r.tryGet("a")
		r.refused("getting it", err, stet.CodeNotFound)
		_, err = r.tryCommit(stet.Commit{ID: "one", Ops: []stet.Op{op(text("b", "x"))}})
		r.must(err, "another commit under the id, which was never used,")
	}),

	needing(NeedLog, "context/waiting", "A commit that is given up while it waits for its turn is unavailable and never happens.", func(r *rig) {
		g := r.gate()
		h := g.hold(appendTo)
		first := r.pending(r.ctx, stet.Commit{ID: "one", Ops: []stet.Op{op(text("a", "x"))}})
		r.entered(h, first)
		ctx, cancel := context.WithCancel(r.ctx)
		second := r.pending(ctx, stet.Commit{ID: "two", Ops: []stet.Op{op(text("b", "x"))}})
		r.queued(1)
		cancel()
		r.within("a commit that was given up", func() {
			out := <-second
			r.refused("the commit that waited", out.err, stet.CodeUnavailable, "Nothing changed")
		})
		h.let()
		<-first
		r.save(text("c", "x"))
		_, err := r.tryGet("b")
		r.refused("getting what was given up", err, stet.CodeNotFound)
	}),

	needing(NeedLog, "context/begun", "A commit that is given up once it has begun is unknown, with the id to send it again with, which tells its outcome.", func(r *rig) {
		for _, applied := range []bool{true, false} {
			for _, id := range []string{"", "mine"} {
				g := r.gate()
				then := notApplied
				if applied {
					then = appendTo
				}
				h := g.hold(then)
				ctx, cancel := context.WithCancel(r.ctx)
				c := stet.Commit{ID: id, Ops: []stet.Op{op(text("a", "x"))}}
				answer := r.pending(ctx, c)
				r.entered(h, answer)
				cancel()
				r.within("a commit that was given up", func() {
					out := <-answer
					r.refused("the commit", out.err, stet.CodeUnknown, "same id")
					if e, ok := out.err.(*stet.Error); ok {
						r.ok(e.CommitID != "" && (id == "" || e.CommitID == id), "the error has the commit id %q, and the commit %q", e.CommitID, id)
						c.ID = e.CommitID
					}
				})
				h.let()
				done, err := r.tryCommit(c)
				r.must(err, "sending it again")
				r.same("its revision", done.Revision, 1)
				r.same("the list", r.numbers("a", stet.ListOptions{}), "[1.0.0]")
			}
		}
	}),

	storeCase("context/min-revision", "A read that waits for a revision ends as unavailable when its context is done, and says which revision there is.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		ctx, cancel := context.WithCancel(r.ctx)
		answer := make(chan error, 1)
		s := r.s()
		go func() {
			_, _, err := s.GetMany(ctx, []string{"a"}, stet.ReadOptions{MinRevision: 99})
			answer <- err
		}()
		cancel()
		r.within("the read", func() { r.refused("the read", <-answer, stet.CodeUnavailable) })
	}),
}
