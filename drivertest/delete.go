package drivertest

import (
	"fmt"
	"sync/atomic"

	"github.com/stet-dev/stet"
)

var deleteCases = []Case{
	storeCase("delete/version", "Delete removes a version, and says that it did; its number, ordinal and digest name nothing any more.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0", "1.2.0")
		digest := r.get("a@1.1.0").Digest().String()
		r.same("how many went", r.delete("a", "1.1.0"), 1)
		for _, sel := range []string{"1.1.0", "#2", "~1.1.0", digest} {
			_, err := r.tryGet("a@" + sel)
			r.refused("getting a@"+sel, err, stet.CodeNotFound)
		}
		_, err := r.tryGet("a@1.1.0")
		r.refused("getting the deleted version", err, stet.CodeNotFound, "a@1.1.0 was deleted at revision 4", "latest is 1.2.0")
		r.same("the list", r.numbers("a", stet.ListOptions{}), "[1.2.0 1.0.0]")
		r.same("the number of versions", r.head("a").Versions, 2)
		r.same("another's ordinal", r.get("a@#3").Number(), "1.2.0")
	}),

	storeCase("delete/nothing", "Deleting what is not there says 0 and is no error.", func(r *rig) {
		r.same("of no prompt", r.delete("none", ""), 0)
		r.same("of no prompt, a version", r.delete("none", "1.0.0"), 0)
		r.saveAll("a", "1.0.0", "1.1.0")
		r.same("of no version", r.delete("a", "7.0.0"), 0)
		r.same("of a version", r.delete("a", "1.0.0"), 1)
		r.same("of the version again", r.delete("a", "1.0.0"), 0)
		r.same("of the prompt", r.delete("a", ""), 1)
		r.same("of the prompt again", r.delete("a", ""), 0)
	}),

	storeCase("delete/latest", "When latest goes, the next lower one is latest.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0", "1.2.0-rc.1")
		r.delete("a", "1.1.0")
		r.same("latest", r.get("a").Number(), "1.0.0")
		r.delete("a", "1.0.0")
		r.same("latest", r.get("a").Number(), "1.2.0-rc.1")
	}),

	storeCase("delete/prompt", "Deleting a prompt removes every version of it; the prompt is not listed, and getting it says what was there.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.saveAll("b", "1.0.0")
		r.same("how many went", r.delete("a", ""), 2)
		_, err := r.tryGet("a")
		r.refused("getting it", err, stet.CodeNotFound, "every version of a was deleted", "1.1.0")
		_, err = r.s().Head(r.ctx, "a")
		r.refused("its head", err, stet.CodeNotFound, "1.1.0")
		_, err = r.s().ListPage(r.ctx, "a", stet.ListOptions{})
		r.refused("its list", err, stet.CodeNotFound, "1.1.0")
		p, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{})
		r.must(err, "listing prompts")
		r.same("the number of prompts", len(p.Items), 1)
	}),

	storeCase("delete/labelled", "Delete is refused while a label points there, naming the labels, and changes nothing.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "staging", "1.0.0")
		r.label("a", "next", "1.1.0")
		r.unchanged("a refused delete", func() {
			_, err := r.tryDelete(stet.Delete{PromptID: "a", Version: "1.0.0"})
			r.refused("deleting a labelled version", err, stet.CodeConflict, "a@1.0.0", "production", "staging", "force")
			r.ok(err == nil || !contains(err.Error(), "next"), "it names a label of another version: %v", err)
			_, err = r.tryDelete(stet.Delete{PromptID: "a"})
			r.refused("deleting a labelled prompt", err, stet.CodeConflict, "production", "staging", "next", "force")
		})
		r.unlabel("a", "production")
		r.unlabel("a", "staging")
		r.same("after the labels were removed", r.delete("a", "1.0.0"), 1)
	}),

	storeCase("delete/force", "With force the label goes too, and current falls to latest.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0", "1.2.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "staging", "1.1.0")
		done := r.commit(op(stet.Delete{PromptID: "a", Version: "1.0.0", Force: true}))
		r.same("how many went", done.Results[0].Deleted, 1)
		r.same("the label that went", move(done.Results[0].Labels[0]), "production:1.0.0>")
		r.same("the labels", r.head("a").Labels, "map[staging:1.1.0]")
		r.same("current", r.get("a").Number(), "1.2.0")
		r.same("the history", r.moves("a", "production"), "[1.0.0> >1.0.0]")
		_, err := r.tryGet("a@production")
		r.refused("getting by the label that went", err, stet.CodeNotFound, "production", "staging → 1.1.0")
		done = r.commit(op(stet.Delete{PromptID: "a", Force: true}))
		r.same("how many went with the prompt", done.Results[0].Deleted, 2)
	}),

	storeCase("delete/moved-in-the-commit", "Delete is not refused if the same commit moves the label first; if it moves it later, it is.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.label("a", "production", "1.0.0")
		to := op(stet.SetLabel{PromptID: "a", Label: "production", Version: "1.1.0"})
		del := op(stet.Delete{PromptID: "a", Version: "1.0.0"})
		_, err := r.tryCommit(stet.Commit{Ops: []stet.Op{del, to}})
		r.refusedOp("deleting before moving", err, 0, stet.CodeConflict, "production")
		r.commit(to, del)
		r.same("current", r.get("a").Number(), "1.1.0")
		r.same("the list", r.numbers("a", stet.ListOptions{}), "[1.1.0]")
	}),

	storeCase("delete/label-again", "After a forced delete the label can be set again.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.label("a", "production", "1.0.0")
		r.commit(op(stet.Delete{PromptID: "a", Version: "1.0.0", Force: true}))
		r.same("set again", move(r.label("a", "production", "1.1.0")), "production:>1.1.0")
		r.commit(op(stet.Delete{PromptID: "a", Force: true}))
		s := r.save(stet.Draft{PromptID: "a", Text: "new", Bump: "patch", Labels: []string{"production"}})
		r.same("the number after all were deleted", s.Number(), "1.1.1")
		r.same("current", r.get("a").Number(), "1.1.1")
	}),

	storeCase("delete/saved-in-the-commit", "A commit may delete what it saved; the number stays used.", func(r *rig) {
		r.commit(op(numbered("a", "1.0.0")), op(stet.Delete{PromptID: "a", Version: "1.0.0"}), op(numbered("a", "1.0.1")))
		r.same("the list", r.numbers("a", stet.ListOptions{}), "[1.0.1]")
		_, err := r.trySave(numbered("a", "1.0.0"))
		r.refused("saving it again", err, stet.CodeConflict, "deleted at revision 1")
	}),

	storeCase("delete/once", "Of many deletes of one version at once, exactly one says that it deleted.", func(r *rig) {
		for i := range 8 {
			v := fmt.Sprintf("1.%d.0", i)
			r.saveAll("a", v)
			var n atomic.Int64
			times(6, func(int) {
				d, err := r.tryDelete(stet.Delete{PromptID: "a", Version: v})
				if err != nil {
					r.fail("deleting %s: %v", v, err)
				}
				n.Add(int64(d))
			})
			r.same("how many deleted "+v, n.Load(), 1)
		}
	}),

	storeCase("delete/against-label", "Of a delete of a version and a label set to it at once, one fails: no label is left on nothing.", func(r *rig) {
		r.saveAll("a", "0.1.0")
		for i := range 12 {
			v := fmt.Sprintf("1.%d.0", i)
			r.saveAll("a", v)
			var del, set error
			all(func() { _, del = r.tryDelete(stet.Delete{PromptID: "a", Version: v}) },
				func() { _, set = r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "production", Version: v}) })
			switch {
			case del == nil:
				r.refused("a label on what was deleted", set, stet.CodeNotFound, v)
			case set == nil:
				r.refused("deleting what was labelled", del, stet.CodeConflict, "production")
				r.same("production", r.get("a@production").Number(), v)
			default:
				r.fail("both fail: %v; %v", del, set)
			}
			r.label("a", "production", "0.1.0")
		}
	}),

	storeCase("delete/while-reading", "A reader during a delete gets the version, whole, or not_found, never an error of another kind.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		for i := range 20 {
			v := fmt.Sprintf("2.%d.0", i)
			r.saveAll("a", v)
			all(func() {
				if _, err := r.tryDelete(stet.Delete{PromptID: "a", Version: v}); err != nil {
					r.fail("deleting: %v", err)
				}
			}, func() {
				for range 20 {
					got, err := r.tryGet("a@" + v)
					if err != nil {
						r.refused("getting "+v, err, stet.CodeNotFound, v)
					} else if got.Text() != "text of "+v {
						r.fail("%s has the text %q", v, got.Text())
					}
				}
			}, func() {
				for range 20 {
					got, err := r.tryGet("a@latest")
					if err != nil || got.Number().String() != v && got.Number().String() != "1.0.0" {
						r.fail("latest is %s, %v", got.Number(), err)
					}
				}
			})
		}
	}),
}
