package drivertest

import (
	"fmt"
	"math/rand/v2"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
)

// reopened closes the rig's store and opens its data again.
func (r *rig) reopened(o core.Options) *stet.Store {
	log := r.log
	for _, s := range r.open {
		r.must(r.close(s), "closing")
	}
	log, err := r.h.Reopen(r.ctx, log)
	r.must(err, "opening again")
	r.log = log
	s := r.newStore(log, o)
	r.over(s)
	return s
}

// populate makes a store with some of everything, the same for a seed.
func (r *rig) populate(seed uint64, commits int) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := range commits {
		id := fmt.Sprint("p", rnd.IntN(4))
		var o stet.Op
		switch n := rnd.IntN(20); {
		case n < 11:
			o = op(stet.Draft{PromptID: id, Text: fmt.Sprint("text ", i, " {{v", rnd.IntN(3), "}}"), Bump: []stet.Bump{"auto", "major", "minor", "patch"}[rnd.IntN(4)]})
		case n < 14:
			o = op(stet.SetLabel{PromptID: id, Label: []string{"production", "staging"}[rnd.IntN(2)], Version: fmt.Sprint("#", 1+rnd.IntN(5))})
		case n < 15:
			o = op(stet.Rollback{PromptID: id})
		case n < 16:
			o = op(stet.RemoveLabel{PromptID: id, Label: "staging"})
		case n < 19:
			o = op(stet.Delete{PromptID: id, Version: fmt.Sprintf("1.%d.0", rnd.IntN(6)), Force: rnd.IntN(2) == 0})
		default:
			o = op(stet.Draft{PromptID: id, Text: "same", IfChanged: true, Labels: []string{"staging"}})
		}
		_, err := r.tryCommit(stet.Commit{ID: fmt.Sprintf("s%d-%d", seed, i), Author: "ana", Ops: []stet.Op{o}})
		if c := stet.CodeOf(err); c != "" && c != stet.CodeConflict && c != stet.CodeNotFound {
			r.must(err, "populating")
		}
	}
}

var reopenCases = []Case{
	needing(NeedReopen, "reopen/everything", "What was acknowledged is there after the store is opened again: versions, labels, histories, tombstones, changes, the past.", func(r *rig) {
		r.populate(1, 80)
		r.clear()
		r.populate(2, 120)
		before, rev := r.state(), r.revision()
		tail, err := r.s().Tail(r.ctx)
		r.must(err, "the end of the log")
		for range 2 {
			r.reopened(r.options())
			r.same("the state", r.state(), before)
			got, err := r.s().Tail(r.ctx)
			r.must(err, "the end of the log")
			r.same("the tail", got, tail)
			r.same("the number of changes", len(r.follow(r.s(), 0, rev, stet.ChangesOptions{})), rev)
		}
	}),

	needing(NeedReopen, "reopen/goes-on", "A store that is opened again goes on where it ended: revisions, ordinals, numbers that are never used again, rollbacks.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0", "1.2.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "1.2.0")
		r.delete("a", "1.1.0")
		r.reopened(r.options())
		_, err := r.trySave(numbered("a", "1.1.0"))
		r.refused("a number that was deleted", err, stet.CodeConflict, "1.1.0 was deleted at revision 6")
		r.same("the rollback", move(r.rollback("a", "")), "production:1.2.0>1.0.0")
		s := r.save(text("a", "x"))
		r.same("the next version", fmt.Sprint(s.Number(), s.Ordinal(), s.Revision()), "1.3.0 4 8")
	}),

	needing(NeedReopen, "reopen/ids", "Ids of commits are known after the store is opened again.", func(r *rig) {
		c := stet.Commit{ID: "one", Ops: []stet.Op{op(stet.Draft{PromptID: "a", Text: "x", Labels: []string{"l"}})}}
		first, err := r.tryCommit(c)
		r.must(err, "committing")
		r.clear()
		r.reopened(r.options())
		again, err := r.tryCommit(c)
		r.must(err, "sending it again")
		again.Replayed = first.Replayed
		r.same("the answer", answered(again), answered(first))
		c.Ops = []stet.Op{op(text("b", "x"))}
		_, err = r.tryCommit(c)
		r.refused("the id with other operations", err, stet.CodeConflict, `"one"`)
		r.same("the revision", r.revision(), 2)
	}),

	needing(NeedReopen, "reopen/checkpoints", "It makes no difference after how many commits a checkpoint was made, nor whether there is one.", func(r *rig) {
		states := map[string]int{}
		for _, every := range []int{1, 2, 7, -1} {
			log := r.newLog()
			o := r.options()
			o.CheckpointEvery = every
			r.clock.ticks.Store(0)
			r.log = log
			r.over(r.newStore(log, o))
			r.populate(3, 60)
			r.clear()
			r.populate(4, 60)
			before := r.state()
			r.reopened(o)
			r.same(fmt.Sprint("the state with a checkpoint every ", every), r.state(), before)
			r.populate(5, 20)
			r.reopened(o)
			r.verify(r.s())
			states[r.state()] = every
			r.must(r.close(r.s()), "closing")
		}
		r.ok(len(states) == 1 || r.h.Unreliable, "there are %d different states", len(states))
	}),

	needing(NeedReopen, "reopen/expect", "Verify finds a hash that was noted earlier, and says so if no entry has it.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.revision()
		tail, err := r.s().Tail(r.ctx)
		r.must(err, "the end of the log")
		noted := tail.Hash
		r.saveAll("a", "2.0.0")
		s := r.reopened(r.options())
		rep, err := s.Verify(r.ctx, stet.VerifyOptions{Expect: noted})
		r.must(err, "verifying")
		r.ok(rep.OK(), "the hash that was noted is not found: %v", rep.Problems)
		r.same("what was checked", fmt.Sprint(rep.Revision, rep.Prompts, rep.Versions), "2 1 2")
		noted[0]++
		rep, err = s.Verify(r.ctx, stet.VerifyOptions{Expect: noted})
		r.must(err, "verifying")
		r.ok(!rep.OK(), "a hash that no entry has is found")
	}),
}
