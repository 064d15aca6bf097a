package drivertest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/stet-dev/stet"
)

var labelCases = []Case{
	storeCase("label/move", "A label is on at most one version; setting it moves it, and says from where to where.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.same("the first setting", move(r.label("a", "staging", "1.0.0")), "staging:>1.0.0")
		r.same("the move", move(r.label("a", "staging", "1.1.0")), "staging:1.0.0>1.1.0")
		r.same("the labels", r.head("a").Labels, "map[staging:1.1.0]")
		r.same("the label", r.get("a@staging").Number(), "1.1.0")
		ch := r.label("a", "other", "1.1.0")
		r.same("the prompt in the answer", ch.PromptID, "a")
		r.same("two labels on one version", r.head("a").Labels, "map[other:1.1.0 staging:1.1.0]")
	}),

	storeCase("label/per-prompt", "A label belongs to a prompt: that of another does not move.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		r.saveAll("b", "1.0.0", "2.0.0")
		r.label("a", "production", "1.0.0")
		r.label("b", "production", "2.0.0")
		r.same("a", r.get("a").Number(), "1.0.0")
		r.same("b", r.get("b").Number(), "2.0.0")
	}),

	storeCase("label/selector", "A label is set to any selector, resolved inside the commit.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0", "2.0.0")
		r.label("a", "staging", "1.0.0")
		digest := r.get("a@1.1.0").Digest().String()
		for sel, want := range map[string]string{
			"latest": "2.0.0", "^1": "1.1.0", "#1": "1.0.0", "staging": "1.0.0", "current": "2.0.0", "1.1.0": "1.1.0", digest: "1.1.0", "1.x": "1.1.0",
		} {
			r.same("set to "+sel, num(r.label("a", "x1", sel).To), want)
		}
		done := r.commit(op(numbered("a", "3.0.0")), op(stet.SetLabel{PromptID: "a", Label: "production", Version: "latest"}))
		r.same("set to latest behind a save", num(done.Results[1].Labels[0].To), "3.0.0")
	}),

	storeCase("label/missing", "Setting a label to what is not there is not_found, and says what there is instead.", func(r *rig) {
		_, err := r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "production", Version: "1.0.0"})
		r.refused("a label of nothing", err, stet.CodeNotFound, `no prompt "a"`)
		r.saveAll("a", "1.0.0", "1.1.0")
		r.label("a", "staging", "1.0.0")
		r.delete("a", "1.1.0")
		r.unchanged("a refused label", func() {
			for sel, says := range map[string]string{
				"2.0.0": "latest is 1.0.0", "1.1.0": "deleted at revision 4", "prod": "staging → 1.0.0", "^2": "latest is 1.0.0", "#9": "2 were saved",
			} {
				_, err := r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "production", Version: sel})
				r.refused("a label on "+sel, err, stet.CodeNotFound, says)
			}
		})
	}),

	storeCase("label/expect", "expect makes it compare-and-swap: otherwise a conflict with the actual value and who set it when.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0", "1.2.0")
		set := func(version string, expect string) error {
			_, err := r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "production", Version: version, Expect: &expect})
			return err
		}
		r.refused("a swap of a label that is not set", set("1.1.0", "1.0.0"), stet.CodeConflict, "no label production")
		r.must(set("1.0.0", ""), "setting it where it was on nothing")
		r.refused("expecting none where there is one", set("1.1.0", ""), stet.CodeConflict, "production is at 1.0.0", "ana")
		r.refused("expecting another", set("1.2.0", "1.1.0"), stet.CodeConflict, "production is at 1.0.0", "set by ana", "ago", "not 1.1.0", "stet diff a 1.1.0 1.0.0")
		r.must(set("1.2.0", "1.0.0"), "expecting what is there")
		r.unlabel("a", "production")
		r.refused("expecting a version after its removal", set("1.0.0", "1.2.0"), stet.CodeConflict, "1.2.0")
		r.must(set("1.0.0", ""), "expecting none after its removal")
		r.same("production", r.get("a").Number(), "1.0.0")
		r.must(set("1.0.0", "1.0.0"), "setting it to where it is")
	}),

	storeCase("label/expect-on-remove", "expect holds for removing and for rolling back too.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "1.1.0")
		_, err := r.tryRemoveLabel(stet.RemoveLabel{PromptID: "a", Label: "production", Expect: ptr("1.0.0")})
		r.refused("removing with another expectation", err, stet.CodeConflict, "production is at 1.1.0")
		_, err = r.tryRollback(stet.Rollback{PromptID: "a", Expect: ptr("1.0.0")})
		r.refused("rolling back with another expectation", err, stet.CodeConflict, "production is at 1.1.0")
		_, err = r.tryRollback(stet.Rollback{PromptID: "a", Expect: ptr("1.1.0")})
		r.must(err, "rolling back with the right expectation")
		_, err = r.tryRemoveLabel(stet.RemoveLabel{PromptID: "a", Label: "production", Expect: ptr("1.0.0")})
		r.must(err, "removing with the right expectation")
	}),

	storeCase("label/remove", "Removing a label takes it away; removing one that is not there is not_found and lists those that are.", func(r *rig) {
		_, err := r.tryRemoveLabel(stet.RemoveLabel{PromptID: "a", Label: "production"})
		r.refused("removing a label of nothing", err, stet.CodeNotFound, `no prompt "a"`)
		r.saveAll("a", "1.0.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "staging", "1.0.0")
		r.same("the removal", move(r.unlabel("a", "production")), "production:1.0.0>")
		_, err = r.tryGet("a@production")
		r.refused("getting by a removed label", err, stet.CodeNotFound, `no label "production"`, "staging → 1.0.0")
		_, err = r.tryRemoveLabel(stet.RemoveLabel{PromptID: "a", Label: "production"})
		r.refused("removing it again", err, stet.CodeNotFound, "production", "staging → 1.0.0")
		r.same("the labels", r.head("a").Labels, "map[staging:1.0.0]")
	}),

	storeCase("label/same-place", "Setting a label to where it is already is no move, but a commit.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "1.1.0")
		r.same("the answer", move(r.label("a", "production", "1.1.0")), "production:1.1.0>1.1.0")
		r.same("the history", r.moves("a", "production"), "[1.0.0>1.1.0 >1.0.0]")
		r.same("the revision", r.revision(), 5)
		r.same("rolled back", move(r.rollback("a", "production")), "production:1.1.0>1.0.0")
	}),

	storeCase("label/room", "A prompt has 1,000 labels at a time; those that were removed do not count, and keep their histories.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		const most = 1000
		set := func(prefix string) (ops []stet.Op) {
			for i := range most {
				ops = append(ops, op(stet.SetLabel{PromptID: "a", Label: fmt.Sprint(prefix, i), Version: "1.0.0"}))
			}
			return ops
		}
		r.commit(set("l")...)
		_, err := r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "more", Version: "1.0.0"})
		r.refused("one label more", err, stet.CodeTooLarge, "1000")
		_, err = r.trySave(stet.Draft{PromptID: "a", Text: "x", Labels: []string{"more"}})
		r.refused("saving with one label more", err, stet.CodeTooLarge, "1000")
		r.label("a", "l7", "1.0.0") // one that is there
		var ops []stet.Op
		for i := range most {
			ops = append(ops, op(stet.RemoveLabel{PromptID: "a", Label: fmt.Sprint("l", i)}))
		}
		r.commit(ops...)
		r.same("the labels", r.head("a").Labels, "map[]")
		r.commit(set("m")...)
		r.same("the number of labels", len(r.head("a").Labels), most)
		_, err = r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "l7", Version: "1.0.0"})
		r.refused("one of the first again", err, stet.CodeTooLarge, "1000")
		r.same("the history of one that was removed", r.moves("a", "l7"), "[1.0.0> >1.0.0]")
		_, err = r.tryGet("a@l7")
		r.refused("getting by it", err, stet.CodeNotFound, "l7", "since revision")
		past, _, err := r.s().GetMany(r.ctx, []string{"a@l7"}, stet.ReadOptions{At: stet.Point{Revision: 2}})
		r.must(err, "getting by it in the past")
		r.same("what it was on", past[0].Number(), "1.0.0")
		r.unlabel("a", "m7")
		r.same("one of the first again", move(r.label("a", "l7", "1.0.0")), "l7:>1.0.0")
	}),

	storeCase("label/one-swap", "Of many swaps that expect the same value, exactly one succeeds, whatever their targets.", func(r *rig) {
		for i := range 8 {
			r.saveAll("a", fmt.Sprintf("1.%d.0", i))
		}
		r.label("a", "production", "1.0.0")
		at := "1.0.0"
		for range 8 {
			var won atomic.Int64
			var mu sync.Mutex
			next := ""
			times(7, func(w int) {
				to := fmt.Sprintf("1.%d.0", w+1)
				if to == at {
					to = "1.0.0"
				}
				_, err := r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "production", Version: to, Expect: &at})
				if err != nil {
					r.refused("a loser's swap", err, stet.CodeConflict, "production is at")
					return
				}
				won.Add(1)
				mu.Lock()
				next = to
				mu.Unlock()
			})
			r.same("how many swapped", won.Load(), 1)
			r.same("production", r.get("a@production").Number(), next)
			at = r.get("a@production").Number().String()
		}
	}),

	storeCase("label/chain", "However many move a label at once, its history is one chain: each move begins where the one before it ended.", func(r *rig) {
		for i := range 6 {
			r.saveAll("a", fmt.Sprintf("1.%d.0", i))
		}
		times(6, func(w int) {
			for i := range 6 {
				if _, err := r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "production", Version: fmt.Sprintf("1.%d.0", (w+i)%6)}); err != nil {
					r.fail("writer %d: %v", w, err)
				}
			}
		})
		after, last := "", uint64(0)
		for m, err := range r.s().History(r.ctx, "a", "production", stet.HistoryOptions{Limit: 7}) {
			r.must(err, "the history")
			if after != "" {
				r.same("where a move ends, after which another begins", m.To, after)
				r.ok(m.Revision < last, "revision %d comes behind %d in a history that has the newest first", m.Revision, last)
			} else {
				r.same("where the last move ends", m.To, r.get("a@production").Number())
			}
			after, last = num(m.From), m.Revision
		}
		r.same("where the first move begins", after, "")
	}),
}

var rollbackCases = []Case{
	storeCase("rollback/undo", "Rollback moves a label (production if none is named) to where it was before its last move; twice is where it began.", func(r *rig) {
		r.saveAll("a", "1.3.0", "1.5.0")
		r.label("a", "production", "1.3.0")
		r.label("a", "production", "1.5.0")
		r.same("the rollback", move(r.rollback("a", "")), "production:1.5.0>1.3.0")
		r.same("current", r.get("a").Number(), "1.3.0")
		r.same("the second rollback", move(r.rollback("a", "production")), "production:1.3.0>1.5.0")
		r.same("the history", r.moves("a", ""), "[1.3.0>1.5.0 1.5.0>1.3.0 1.3.0>1.5.0 >1.3.0]")
	}),

	storeCase("rollback/other-label", "Rollback of a label leaves the others where they are.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		for _, l := range []string{"production", "staging"} {
			r.label("a", l, "1.0.0")
			r.label("a", l, "2.0.0")
		}
		r.rollback("a", "staging")
		r.same("the labels", r.head("a").Labels, "map[production:2.0.0 staging:1.0.0]")
	}),

	storeCase("rollback/nowhere", "Rollback of a label that has been nowhere else is not_found.", func(r *rig) {
		_, err := r.tryRollback(stet.Rollback{PromptID: "a"})
		r.refused("rolling back nothing", err, stet.CodeNotFound, `no prompt "a"`)
		r.saveAll("a", "1.0.0")
		_, err = r.tryRollback(stet.Rollback{PromptID: "a"})
		r.refused("rolling back a label that never was", err, stet.CodeNotFound, `no label "production"`)
		r.label("a", "production", "1.0.0")
		r.unchanged("a refused rollback", func() {
			_, err = r.tryRollback(stet.Rollback{PromptID: "a"})
			r.refused("rolling back the first setting", err, stet.CodeNotFound, "nowhere else", "1.0.0", "stet history a@production")
		})
	}),

	storeCase("rollback/after-removal", "Rollback after a removal puts the label back.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.label("a", "production", "1.0.0")
		r.unlabel("a", "production")
		r.same("the rollback", move(r.rollback("a", "")), "production:>1.0.0")
		r.same("production", r.get("a@production").Number(), "1.0.0")
	}),

	storeCase("rollback/deleted", "Rollback to a version that was deleted is not_found, says when, and moves nothing.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "2.0.0")
		r.delete("a", "1.0.0")
		_, err := r.tryRollback(stet.Rollback{PromptID: "a"})
		r.refused("rolling back to a deleted version", err, stet.CodeNotFound, "1.0.0", "deleted at revision 5")
		r.same("production", r.get("a").Number(), "2.0.0")
	}),

	storeCase("rollback/in-a-commit", "Rollback is decided inside the commit: it undoes a move that the same commit made.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0", "3.0.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "2.0.0")
		done := r.commit(op(stet.SetLabel{PromptID: "a", Label: "production", Version: "3.0.0"}), op(stet.Rollback{PromptID: "a"}))
		r.same("the rollback", move(done.Results[1].Labels[0]), "production:3.0.0>2.0.0")
		r.same("production", r.get("a").Number(), "2.0.0")
	}),

	storeCase("rollback/concurrent", "Each of many rollbacks at once undoes the one before: after an even number the label is where it was.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "2.0.0")
		times(8, func(int) {
			if _, err := r.tryRollback(stet.Rollback{PromptID: "a"}); err != nil {
				r.fail("rolling back: %v", err)
			}
		})
		r.same("production", r.get("a").Number(), "2.0.0")
		r.same("the number of moves", len(r.moves("a", "")), 10)
	}),
}
