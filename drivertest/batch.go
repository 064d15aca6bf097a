package drivertest

import (
	"fmt"
	"runtime"
	"slices"
	"testing/synctest"

	"github.com/stet-dev/stet"
)

// batch holds up the writer, starts commits, lets them gather behind it, and
// releases it with a hook for their append. The rules checked hold whether they
// got into one batch or not.
func (r *rig) batch(g *gate, then []hook, commits ...stet.Commit) []outcome {
	h := g.hold(appendTo)
	first := r.pending(r.ctx, stet.Commit{ID: r.id(), Ops: []stet.Op{op(stet.Delete{PromptID: "none"})}})
	r.entered(h, first)
	g.next(then...)
	var answers []<-chan outcome
	for i, c := range commits {
		answers = append(answers, r.pending(r.ctx, c))
		r.queued(i + 1)
	}
	h.let()
	<-first
	var outs []outcome
	for _, a := range answers {
		outs = append(outs, <-a)
	}
	return outs
}

// queued returns when n commits wait behind the one that is held up: for certain
// where there is one store.
func (r *rig) queued(n int) {
	if r.h.Bubble {
		synctest.Wait()
		return
	}
	for waiting := 0; waiting < n; runtime.Gosched() {
		waiting = 0
		for _, s := range r.stores {
			waiting += s.Backend().(stet.Monitor).Stats().Queued
		}
	}
}

// idle returns when nothing runs any more but the caller: for certain in a bubble,
// and almost so elsewhere.
func (r *rig) idle() {
	if r.h.Bubble {
		synctest.Wait()
		return
	}
	for range 2000 {
		runtime.Gosched()
	}
}

var batchCases = []Case{
	needing(NeedLog, "batch/same-id", "One commit sent twice while another is being written happens once; with other operations it is a conflict.", func(r *rig) {
		g := r.gate()
		x := stet.Commit{ID: "one", Ops: []stet.Op{op(text("a", "x"))}}
		y := stet.Commit{ID: "one", Ops: []stet.Op{op(text("a", "y"))}}
		outs := r.batch(g, nil, x, x, y)
		for i := range 2 {
			if r.h.Unreliable {
				outs[i].done, outs[i].err = r.tryCommit(x)
			}
			r.must(outs[i].err, "commit %d", i)
			r.same("the number", outs[i].done.Results[0].Version, "1.0.0")
		}
		if r.h.Unreliable {
			_, outs[2].err = r.tryCommit(y)
		}
		r.refused("the other commit", outs[2].err, stet.CodeConflict, `"one"`)
		r.same("the number of versions", r.head("a").Versions, 1)
	}),

	needing(NeedLog, "batch/same-id-refused", "Of two different commits under one id, of which the first is refused, the second is a conflict for the id and never gets the other's answer.", func(r *rig) {
		g := r.gate()
		r.saveAll("a", "1.0.0")
		x := stet.Commit{ID: "one", Ops: []stet.Op{op(numbered("a", "1.0.0"))}}
		y := stet.Commit{ID: "one", Ops: []stet.Op{op(text("b", "y"))}}
		outs := r.batch(g, nil, x, y)
		r.refused("the first", outs[0].err, stet.CodeConflict, "a@1.0.0 exists")
		r.refused("the second", outs[1].err, stet.CodeConflict, `"one"`, "other operations")
	}),

	needing(NeedLog, "batch/same-id-replay", "A commit that is in the log gets its result when it is sent again, also behind another one that is tried under its id at the same time.", func(r *rig) {
		g := r.gate()
		x := stet.Commit{ID: "one", Ops: []stet.Op{op(text("a", "x"))}}
		y := stet.Commit{ID: "one", Ops: []stet.Op{op(text("b", "y"))}}
		first, err := r.tryCommit(x)
		r.must(err, "committing")
		outs := r.batch(g, nil, y, x, y, x)
		for i, out := range outs {
			if i%2 == 0 {
				r.refused(fmt.Sprintf("commit %d, which is another", i), out.err, stet.CodeConflict, `"one"`, "revision 1")
			} else if out.err != nil {
				r.fail("commit %d, which is in the log: %v", i, out.err)
			} else {
				r.same("its revision", out.done.Revision, first.Revision)
			}
		}
	}),

	needing(NeedLog, "batch/refused-leaves-nothing", "A commit that is refused leaves nothing behind for those that are decided after it, not even in the same batch.", func(r *rig) {
		g := r.gate()
		r.saveAll("a", "1.0.0", "1.1.0")
		r.label("a", "production", "1.0.0")
		fails := op(numbered("a", "1.1.0"))
		outs := r.batch(g, nil,
			stet.Commit{ID: "r1", Ops: []stet.Op{
				op(numbered("a", "2.0.0")), op(text("new", "x")), op(stet.SetLabel{PromptID: "a", Label: "production", Version: "2.0.0"}),
				op(stet.SetLabel{PromptID: "a", Label: "staging", Version: "1.0.0"}), op(stet.Delete{PromptID: "a", Version: "1.0.0", Force: true}), fails,
			}},
			stet.Commit{ID: "r2", Ops: []stet.Op{op(stet.Clear{}), op(numbered("a", "1.1.0")), op(text("other", "x")), fails}},
			stet.Commit{ID: "good", Ops: []stet.Op{
				op(stet.Draft{PromptID: "a", Version: "2.0.0", Text: "kept", Expect: ptr("1.1.0")}),
				op(stet.Draft{PromptID: "new", Text: "kept", Expect: ptr("")}),
				op(stet.SetLabel{PromptID: "a", Label: "staging", Version: "1.0.0", Expect: ptr("")}),
				op(stet.SetLabel{PromptID: "a", Label: "production", Version: "1.1.0", Expect: ptr("1.0.0")}),
			}})
		if r.h.Unreliable && outs[2].err != nil {
			return
		}
		for i := range 2 {
			if !r.h.Unreliable {
				r.refused(fmt.Sprint("refused commit ", i), outs[i].err, stet.CodeConflict, "a@1.1.0 exists")
			}
		}
		r.must(outs[2].err, "the commit behind them")
		r.same("the revision", outs[2].done.Revision, 5)
		r.same("the list", r.numbers("a", stet.ListOptions{}), "[2.0.0 1.1.0 1.0.0]")
		r.same("the ordinal", r.get("a@2.0.0").Ordinal(), 3)
		r.same("the text", r.get("a@2.0.0").Text(), "kept")
		r.same("the number in a new prompt", r.get("new").Number(), "1.0.0")
		r.same("the history", r.moves("a", ""), "[1.0.0>1.1.0 >1.0.0]")
		_, err := r.tryGet("other")
		r.refused("what a refused commit saved behind a clear", err, stet.CodeNotFound)
	}),

	needing(NeedLog, "batch/refusal-void", "A refusal that rests on a commit which could not be written is void with it.", func(r *rig) {
		g := r.gate()
		outs := r.batch(g, slices.Repeat([]hook{notApplied}, 8),
			stet.Commit{ID: "one", Ops: []stet.Op{op(text2("a", "1.0.0", "x"))}},
			stet.Commit{ID: "two", Ops: []stet.Op{op(text2("a", "1.0.0", "y"))}})
		r.refused("the commit that could not be written", outs[0].err, stet.CodeUnavailable)
		r.refused("the commit that it stood in the way of", outs[1].err, stet.CodeUnavailable)
		g.clear()
		_, err := r.tryCommit(stet.Commit{ID: "two", Ops: []stet.Op{op(text2("a", "1.0.0", "y"))}})
		r.must(err, "sending the second again")
		r.same("a", r.get("a").Text(), "y")
	}),

	needing(NeedLog, "lost/after", "A commit whose answer is lost after it took effect is found in the log, and happens once: with an id of the caller's or one that the store made.", func(r *rig) {
		for _, id := range []string{"mine", ""} {
			g := r.gate()
			g.next(lostAfter)
			done, err := r.s().Commit(r.ctx, stet.Commit{ID: id, Ops: []stet.Op{op(stet.Draft{PromptID: "a", Text: "x", Bump: "patch"})}})
			if r.h.Unreliable && err != nil {
				continue
			}
			r.must(err, "committing")
			r.same("the revision", done.Revision, 1)
			r.same("the list", r.numbers("a", stet.ListOptions{}), "[1.0.0]")
			r.same("the newest revision", r.revision(), 1)
		}
		g := r.gate()
		g.next(lostAfter)
		s, err := r.s().Save(r.ctx, text("a", "x"))
		if !r.h.Unreliable {
			r.must(err, "saving")
			r.same("the number", s.Number(), "1.0.0")
		}
		r.same("the list", r.numbers("a", stet.ListOptions{}), "[1.0.0]")
	}),

	needing(NeedLog, "lost/before", "A commit whose append is lost before it took effect is sent again, and happens once.", func(r *rig) {
		g := r.gate()
		g.next(lostBefore, lostBefore)
		s := r.save(text("a", "x"))
		r.same("the number", s.Number(), "1.0.0")
		g.next(lostBefore, lostAfter)
		r.save(text("a", "y"))
		r.same("the list", r.numbers("a", stet.ListOptions{}), "[1.1.0 1.0.0]")
	}),

	needing(NeedLog, "lost/for-good", "An outcome that cannot be found out is unknown, never a failure, and has the commit's id; sent again, the commit happens once.", func(r *rig) {
		for _, last := range []hook{lostBefore, lostAfter} {
			g := r.gate()
			for range 20 {
				g.next(lostBefore)
			}
			c := stet.Commit{Ops: []stet.Op{op(text("a", "x"))}}
			_, err := r.s().Commit(r.ctx, c)
			r.refused("the commit", err, stet.CodeUnknown, "same id")
			e, ok := err.(*stet.Error)
			if !ok || e.CommitID == "" {
				r.fail("the error %v has no commit id", err)
				return
			}
			g.clear()
			g.next(last)
			c.ID = e.CommitID
			_, err = r.tryCommit(c)
			r.must(err, "sending it again")
			r.same("the list", r.numbers("a", stet.ListOptions{}), "[1.0.0]")
		}
	}),

	needing(NeedLog, "lost/not-applied", "What is certain not to be written is unavailable; nothing changed, and the same id can be sent again.", func(r *rig) {
		g := r.gate()
		g.next(notApplied)
		c := stet.Commit{ID: "one", Ops: []stet.Op{op(text("a", "x"))}}
		_, err := r.s().Commit(r.ctx, c)
		r.refused("the commit", err, stet.CodeUnavailable, "Nothing changed")
		r.same("the revision", r.revision(), 0)
		done, err := r.tryCommit(c)
		r.must(err, "sending it again")
		r.same("its revision", done.Revision, 1)
	}),

	needing(NeedLog, "lost/then-refused", "A batch whose answer was lost is resolved with all its answers: those accepted are there, those refused are not.", func(r *rig) {
		g := r.gate()
		var commits []stet.Commit
		for i := range 6 {
			commits = append(commits, stet.Commit{ID: fmt.Sprint("c", i), Ops: []stet.Op{op(text2("a", fmt.Sprintf("1.%d.0", i/2), fmt.Sprint(i)))}})
		}
		outs := r.batch(g, []hook{lostAfter}, commits...)
		for i := range outs {
			if r.h.Unreliable {
				outs[i].done, outs[i].err = r.tryCommit(commits[i])
			}
			if i%2 == 0 {
				r.must(outs[i].err, "commit %d", i)
				r.same("the text", r.get(fmt.Sprintf("a@1.%d.0", i/2)).Text(), i)
			} else {
				r.refused(fmt.Sprint("commit ", i), outs[i].err, stet.CodeConflict, "exists")
			}
		}
	}),
}

// clear takes the hooks away that were not used.
func (g *gate) clear() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hooks = nil
}
