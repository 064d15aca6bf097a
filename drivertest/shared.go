package drivertest

import (
	"fmt"
	"sync"

	"github.com/stet-dev/stet"
)

// two opens two stores on one new log.
func (r *rig) two() (a, b *stet.Store) {
	log := r.newLog()
	a = r.newStore(log, r.options())
	b = r.another(log)
	return a, b
}

var sharedCases = []Case{
	needing(NeedAnother, "shared/seen-at-once", "What one store of a shared log has acknowledged, every read of another sees that begins later.", func(r *rig) {
		a, b := r.two()
		for i := range 20 {
			r.over(a)
			s := r.save(stet.Draft{PromptID: "a", Text: fmt.Sprint(i), Bump: "patch", Labels: []string{"production"}})
			r.over(b)
			r.same("current", r.get("a").Text(), i)
			r.same("latest", r.get("a@latest").Text(), i)
			r.same("the head", r.head("a").Latest, s.Number())
			r.same("the number of moves", len(r.moves("a", "")), i+1)
			r.same("the revision", r.revision(), i+1)
			l, err := b.ListPage(r.ctx, "a", stet.ListOptions{Limit: 1000})
			r.must(err, "the list")
			r.same("the number of versions", len(l.Items), i+1)
			c, err := b.ChangesPage(r.ctx, uint64(i), stet.ChangesOptions{})
			r.must(err, "the changes")
			r.same("the number of changes", len(c.Items), 1)
		}
	}),

	needing(NeedAnother, "shared/decided-together", "Commits of several stores on one log are decided against each other: no number is given twice, no swap is lost.", func(r *rig) {
		a, b := r.two()
		r.stores = []*stet.Store{a, b}
		r.saveAll("a", "1.0.0")
		r.label("a", "production", "1.0.0")
		var mu sync.Mutex
		given := map[string]bool{}
		swaps := 0
		times(8, func(w int) {
			for i := range 10 {
				s, err := r.trySave(stet.Draft{PromptID: "a", Text: fmt.Sprint(w, i), Bump: "patch"})
				if err != nil {
					r.fail("saving: %v", err)
					return
				}
				at, err := r.tryGet("a@production")
				if err != nil {
					r.fail("getting: %v", err)
					return
				}
				_, err = r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "production", Version: s.Number().String(), Expect: ptr(at.Number().String())})
				mu.Lock()
				if err == nil {
					swaps++
				} else {
					r.refused("a swap", err, stet.CodeConflict, "production is at")
				}
				r.ok(!given[s.Number().String()], "%s was given twice", s.Number())
				given[s.Number().String()] = true
				mu.Unlock()
			}
		})
		r.same("the number of versions", r.head("a").Versions, 81)
		r.same("the number of moves", len(r.moves("a", "")), swaps+1)
	}),

	needing(NeedAnother, "shared/once", "A commit that is sent to several stores of one log happens once.", func(r *rig) {
		a, b := r.two()
		r.stores = []*stet.Store{a, b}
		for i := range 20 {
			c := stet.Commit{ID: fmt.Sprint("c", i), Ops: []stet.Op{op(stet.Draft{PromptID: "a", Text: fmt.Sprint(i), Bump: "patch"})}}
			var revisions [4]uint64
			times(4, func(w int) {
				done, err := r.tryCommit(c)
				if err != nil {
					r.fail("committing: %v", err)
				}
				revisions[w] = done.Revision
			})
			r.same("the revisions", revisions, [4]int{i + 1, i + 1, i + 1, i + 1})
		}
		r.same("the number of versions", r.head("a").Versions, 20)
	}),

	needing(NeedAnother, "shared/changes", "A subscriber gets the commits of all stores of a log, in order, none missing and none twice.", func(r *rig) {
		a, b := r.two()
		r.stores = []*stet.Store{a, b}
		all(func() {
			times(4, func(w int) {
				for i := range 20 {
					if _, err := r.tryCommit(stet.Commit{Ops: []stet.Op{op(text(fmt.Sprintf("p%d/%d", w, i), "x"))}}); err != nil {
						r.fail("committing: %v", err)
					}
				}
			})
		}, func() {
			times(4, func(i int) {
				r.same("the number of changes", len(r.follow(r.stores[i%2], 0, 80, stet.ChangesOptions{Texts: true})), 80)
			})
		})
	}),

	needing(NeedAnother, "shared/local", "The local state of a store that only reads gets to every revision in the end.", func(r *rig) {
		a, b := r.two()
		r.over(a)
		r.saveAll("a", "1.0.0", "2.0.0")
		r.within("a local read", func() {
			vs, _, err := b.GetMany(r.ctx, []string{"a"}, stet.ReadOptions{Local: true, MinRevision: 2})
			r.must(err, "GetMany")
			r.same("the version", vs[0].Number(), "2.0.0")
		})
	}),

	needing(NeedAnother, "shared/clear-and-delete", "A store learns of the clears and deletes of another: no read has a text that is gone, and no read fails for it.", func(r *rig) {
		a, b := r.two()
		r.over(a)
		r.saveAll("a", "1.0.0", "1.1.0")
		r.over(b)
		r.same("latest", r.get("a").Text(), "text of 1.1.0")
		r.over(a)
		r.delete("a", "1.1.0")
		r.over(b)
		r.same("latest after a delete", r.get("a").Text(), "text of 1.0.0")
		r.over(a)
		r.clear()
		r.save(text2("a", "1.0.0", "new"))
		r.over(b)
		r.same("the text behind a clear", r.get("a@1.0.0").Text(), "new")
	}),
}
