package drivertest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stet-dev/stet"
)

var expectCases = []Case{
	storeCase("expect/latest", "expect is the number that latest must be; otherwise the save is a conflict that names latest.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		d := stet.Draft{PromptID: "a", Text: "x", Expect: ptr("1.0.0")}
		r.unchanged("a refused save", func() {
			_, err := r.trySave(d)
			r.refused("a save that expects an older latest", err, stet.CodeConflict, "1.1.0", "revision 2", "not 1.0.0")
			d.Expect = ptr("")
			_, err = r.trySave(d)
			r.refused("a save that expects none", err, stet.CodeConflict, "1.1.0")
		})
		d.Expect = ptr("1.1.0")
		r.same("the number", r.save(d).Number(), "1.2.0")
	}),

	storeCase("expect/none", `expect "" is for a prompt without versions.`, func(r *rig) {
		d := stet.Draft{PromptID: "a", Text: "x", Expect: ptr("1.0.0")}
		_, err := r.trySave(d)
		r.refused("a save that expects a version of nothing", err, stet.CodeConflict, "no versions", "1.0.0")
		d.Expect = ptr("")
		r.save(d)
		r.delete("a", "")
		d.Text = "y"
		r.same("the number after all were deleted", r.save(d).Number(), "1.1.0")
	}),

	storeCase("expect/release-over-prerelease", "latest, which expect means, is a release where there is one.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0-rc.1")
		_, err := r.trySave(stet.Draft{PromptID: "a", Text: "x", Expect: ptr("2.0.0-rc.1")})
		r.refused("expecting the pre-release", err, stet.CodeConflict, "1.0.0")
		r.save(stet.Draft{PromptID: "a", Text: "x", Expect: ptr("1.0.0")})
	}),

	storeCase("expect/before-if-changed", "expect is checked even where the content is unchanged.", func(r *rig) {
		r.save(text("a", "x"))
		_, err := r.trySave(stet.Draft{PromptID: "a", Text: "x", IfChanged: true, Expect: ptr("")})
		r.refused("an unchanged save that expects none", err, stet.CodeConflict, "1.0.0")
	}),

	storeCase("expect/one-author", "Of many authors who expect the same latest, exactly one saves.", func(r *rig) {
		r.save(text("a", "0"))
		for range 8 {
			latest := r.get("a@latest").Number().String()
			var won atomic.Int64
			times(6, func(w int) {
				_, err := r.trySave(stet.Draft{PromptID: "a", Text: fmt.Sprint(latest, w), Expect: &latest})
				if err == nil {
					won.Add(1)
				} else {
					r.refused("a loser's save", err, stet.CodeConflict, "latest of a is")
				}
			})
			r.same("how many saved after "+latest, won.Load(), 1)
		}
	}),
}

var parentCases = []Case{
	storeCase("parents/exist", "Parents exist when a version is saved: none, one or more, of any prompt.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.saveAll("b/c", "2.0.0-rc.1")
		s := r.save(stet.Draft{PromptID: "a", Text: "x", Parents: []string{"b/c@2.0.0-rc.1", "a@1.0.0"}})
		r.same("the parents, as given", slices.Collect(s.Parents()), "[b/c@2.0.0-rc.1 a@1.0.0]")
		r.same("the parents, as read", slices.Collect(r.get("a@latest").Parents()), "[b/c@2.0.0-rc.1 a@1.0.0]")
	}),

	storeCase("parents/missing", "A parent that does not exist is not_found, and says what there is.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.delete("a", "1.1.0")
		r.unchanged("a refused save", func() {
			for ref, says := range map[string]string{
				"a@1.5.0": "Its latest is 1.0.0", "a@1.1.0": "deleted at revision 3", "none@1.0.0": `there is no prompt "none"`,
			} {
				_, err := r.trySave(stet.Draft{PromptID: "a", Text: "x", Parents: []string{"a@1.0.0", ref}})
				r.refused("a save with the parent "+ref, err, stet.CodeNotFound, "parent "+ref, says)
			}
		})
	}),

	storeCase("parents/may-go", "A parent may be deleted later: its child still names it.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.save(stet.Draft{PromptID: "a", Text: "x", Parents: []string{"a@1.0.0"}})
		r.delete("a", "1.0.0")
		r.same("the parents", slices.Collect(r.get("a").Parents()), "[a@1.0.0]")
	}),

	storeCase("parents/of-the-commit", "A parent may be saved earlier in the same commit, and not later in it.", func(r *rig) {
		child := stet.Draft{PromptID: "b", Text: "x", Parents: []string{"a@1.0.0"}}
		_, err := r.tryCommit(stet.Commit{Ops: []stet.Op{op(child), op(numbered("a", "1.0.0"))}})
		r.refusedOp("a child before its parent", err, 0, stet.CodeNotFound, "a@1.0.0")
		r.commit(op(numbered("a", "1.0.0")), op(child))
		r.same("the parents", slices.Collect(r.get("b").Parents()), "[a@1.0.0]")
	}),
}

func contains(s, sub string) bool { return strings.Contains(s, sub) }
