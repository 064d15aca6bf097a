package drivertest

import (
	"fmt"

	"github.com/stet-dev/stet"
)

var clearCases = []Case{
	storeCase("clear/empty", "Clear removes everything: nothing can be read any more.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		r.saveAll("b", "1.0.0")
		r.label("a", "production", "1.0.0")
		r.clear()
		_, err := r.tryGet("a")
		r.refused("getting a prompt", err, stet.CodeNotFound, `no prompt "a"`)
		_, err = r.tryGet("a@production")
		r.refused("getting by a label", err, stet.CodeNotFound, `no prompt "a"`)
		_, err = r.s().Head(r.ctx, "a")
		r.refused("a head", err, stet.CodeNotFound)
		_, err = r.s().ListPage(r.ctx, "b", stet.ListOptions{})
		r.refused("a list", err, stet.CodeNotFound)
		_, err = r.s().HistoryPage(r.ctx, "a", "", stet.HistoryOptions{})
		r.refused("a history", err, stet.CodeNotFound)
		p, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{})
		r.must(err, "listing prompts")
		r.same("the number of prompts", len(p.Items), 0)
	}),

	storeCase("clear/epoch", "Clear begins a new epoch: numbers and ordinals start again, the log and the revision go on.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.delete("a", "1.1.0")
		r.clear()
		s := r.save(text("a", "new"))
		r.same("the number", s.Number(), "1.0.0")
		r.same("the ordinal", s.Ordinal(), 1)
		r.same("the revision", s.Revision(), 5)
		r.same("a number that was deleted before", r.save(numbered("a", "1.1.0")).Number(), "1.1.0")
		r.same("the text under a number that was used", r.get("a@1.0.0").Text(), "new")
		n := 0
		for _, err := range until(r, 6) {
			r.must(err, "the changes")
			n++
		}
		r.same("the number of commits in the log", n, 6)
	}),

	storeCase("clear/expect", "A commit that is meant for another epoch is a conflict where it expects a number, since that is another version now.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.label("a", "production", "1.0.0")
		before, err := r.s().Tail(r.ctx)
		r.must(err, "the tail")
		r.clear()
		r.saveAll("a", "1.0.0")
		r.label("a", "production", "1.0.0")
		tail, err := r.s().Tail(r.ctx)
		r.must(err, "the tail")
		r.same("the epochs", words(before.Epoch, tail.Epoch), "1 2")
		expecting := []stet.Op{
			op(stet.SetLabel{PromptID: "a", Label: "production", Version: "latest", Expect: new("1.0.0")}),
			op(stet.RemoveLabel{PromptID: "a", Label: "production", Expect: new("1.0.0")}),
			op(stet.Draft{PromptID: "a", Text: "next", Expect: new("1.0.0")}),
		}
		for _, o := range expecting {
			r.unchanged("a commit for the epoch before", func() {
				_, err := r.tryCommit(stet.Commit{Epoch: before.Epoch, Ops: []stet.Op{op(text("b", "x")), o}})
				r.refusedOp("a number of the epoch before", err, 1, stet.CodeConflict, "epoch 1", "cleared since, at revision 3")
			})
		}
		c := stet.Commit{ID: "one", Epoch: tail.Epoch, Ops: []stet.Op{op(text("b", "x")), expecting[0]}}
		_, err = r.tryCommit(c)
		r.must(err, "a commit for this epoch")
		c.Epoch = before.Epoch
		done, err := r.tryCommit(c)
		r.must(err, "the same commit with another epoch")
		r.ok(done.Replayed, "it is not marked replayed")
		_, err = r.tryCommit(stet.Commit{Epoch: before.Epoch, Ops: []stet.Op{op(text("c", "x"))}})
		r.must(err, "a commit for the epoch before that expects nothing")
	}),

	storeCase("clear/nothing", "Clearing an empty store is a commit like any other.", func(r *rig) {
		r.clear()
		r.clear()
		r.same("the revision", r.revision(), 2)
		r.same("the first number", r.save(text("a", "x")).Number(), "1.0.0")
	}),

	storeCase("clear/label-history", "A label's history ends at a clear: a rollback does not reach behind it.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "2.0.0")
		r.clear()
		r.saveAll("a", "1.0.0", "2.0.0")
		r.same("set again", move(r.label("a", "production", "2.0.0")), "production:>2.0.0")
		_, err := r.tryRollback(stet.Rollback{PromptID: "a"})
		r.refused("rolling back", err, stet.CodeNotFound, "nowhere else")
		r.same("the history", r.moves("a", ""), "[>2.0.0]")
	}),

	storeCase("clear/in-a-commit", "Operations before a clear in its commit are gone with it; those after it are the new epoch's.", func(r *rig) {
		r.save(stet.Draft{PromptID: "a", Text: "old", Labels: []string{"production"}})
		done := r.commit(
			op(text("a", "gone")), op(text("b", "gone")), op(stet.Clear{}),
			op(stet.Draft{PromptID: "a", Text: "kept", Labels: []string{"staging"}}), op(text("c", "kept")))
		r.same("the number before the clear", done.Results[0].Version, "1.1.0")
		r.same("the number behind the clear", done.Results[3].Version, "1.0.0")
		r.same("a", r.get("a").Text(), "kept")
		r.same("the ordinal of a", r.get("a").Ordinal(), 1)
		r.same("the labels of a", r.head("a").Labels, "map[staging:1.0.0]")
		r.same("c", r.get("c").Text(), "kept")
		_, err := r.tryGet("b")
		r.refused("what was saved before the clear", err, stet.CodeNotFound, `no prompt "b"`)
	}),

	storeCase("clear/refused-commit", "A clear in a commit that is refused clears nothing.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.label("a", "production", "1.0.0")
		r.unchanged("a refused commit", func() {
			_, err := r.tryCommit(stet.Commit{Ops: []stet.Op{
				op(numbered("a", "2.0.0")), op(stet.Clear{}), op(numbered("a", "1.0.0")), op(numbered("a", "1.0.0")),
			}})
			r.refusedOp("the commit", err, 3, stet.CodeConflict, "1.0.0")
		})
	}),

	storeCase("clear/ids", "Ids of commits are known for as long as the log: one from before a clear returns its first result and resurrects nothing.", func(r *rig) {
		c := stet.Commit{ID: "before", Ops: []stet.Op{op(text("a", "old"))}}
		first, err := r.tryCommit(c)
		r.must(err, "committing")
		r.clear()
		again, err := r.tryCommit(c)
		r.must(err, "sending it again")
		r.ok(again.Replayed, "it is not marked replayed")
		r.same("its revision", again.Revision, first.Revision)
		_, err = r.tryGet("a")
		r.refused("getting what it had saved", err, stet.CodeNotFound)
		r.same("the revision", r.revision(), 2)
	}),

	storeCase("clear/concurrent", "A clear and saves at once are ordered: what was saved at a revision behind the last clear is there, what came before is gone.", func(r *rig) {
		const savers = 6
		revisions := make([][]uint64, savers)
		clears := make([]uint64, 5)
		all(func() {
			times(savers, func(w int) {
				for i := range 15 {
					done, err := r.tryCommit(stet.Commit{Ops: []stet.Op{op(text(fmt.Sprintf("p%d/%d", w, i), "x"))}})
					if err != nil {
						r.fail("saving: %v", err)
					}
					revisions[w] = append(revisions[w], done.Revision)
				}
			})
		}, func() {
			for i := range clears {
				done, err := r.tryCommit(stet.Commit{Ops: []stet.Op{op(stet.Clear{})}})
				if err != nil {
					r.fail("clearing: %v", err)
				}
				clears[i] = done.Revision
			}
		})
		last := clears[len(clears)-1]
		for w := range savers {
			for i, rev := range revisions[w] {
				v, err := r.tryGet(fmt.Sprintf("p%d/%d", w, i))
				switch {
				case rev > last && err != nil:
					r.fail("saved at %d behind the clear at %d, and lost: %v", rev, last, err)
				case rev < last && err == nil:
					r.fail("saved at %d before the clear at %d, and still there as of %d", rev, last, v.AsOf())
				}
			}
		}
	}),
}
