package drivertest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
)

// pages reads a whole list of versions page by page, with something done between.
func (r *rig) pages(id string, o stet.ListOptions, between func(page int)) (all []string) {
	for n := 0; ; n++ {
		p, err := r.s().ListPage(r.ctx, id, o)
		r.must(err, "page %d of %s", n, id)
		for _, v := range p.Items {
			all = append(all, v.Number().String())
		}
		r.ok(o.Limit == 0 || len(p.Items) <= o.Limit, "a page of %d has %d versions", o.Limit, len(p.Items))
		if p.Next == "" || n > 1000 {
			return all
		}
		o.Cursor = p.Next
		between(n)
	}
}

var listCases = []Case{
	storeCase("list/order", "List has the versions by precedence, either way, in pages of any size.", func(r *rig) {
		in := []string{"1.10.0", "1.0.0-rc.1", "1.2.0", "1.0.0", "2.0.0-alpha", "1.0.0-rc.10", "1.0.0-rc.2", "0.9.9", "1.0.0-1", "10.0.0", "9.0.0"}
		want := []string{"10.0.0", "9.0.0", "2.0.0-alpha", "1.10.0", "1.2.0", "1.0.0", "1.0.0-rc.10", "1.0.0-rc.2", "1.0.0-rc.1", "1.0.0-1", "0.9.9"}
		r.saveAll("a", in...)
		for _, limit := range []int{0, 1, 2, 5, 10, 11, 12, 1000} {
			down := r.pages("a", stet.ListOptions{Limit: limit}, func(int) {})
			r.same(fmt.Sprint("downwards by ", limit), down, want)
			up := r.pages("a", stet.ListOptions{Limit: limit, Ascending: true}, func(int) {})
			slices.Reverse(up)
			r.same(fmt.Sprint("upwards by ", limit), up, want)
		}
		p, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{Limit: 11})
		r.must(err, "a page of all")
		r.same("the next of the last page", p.Next, "")
		r.same("a version in it", p.Items[0].Text(), "text of 10.0.0")
	}),

	storeCase("list/missing", "Listing what is not there is not_found.", func(r *rig) {
		_, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{})
		r.refused("the page", err, stet.CodeNotFound, `no prompt "a"`)
		for _, err := range r.s().List(r.ctx, "a", stet.ListOptions{}) {
			r.refused("the list", err, stet.CodeNotFound)
		}
	}),

	storeCase("list/while-changing", "Saves and deletes between two pages neither repeat nor hide other items, even if they delete the item that the cursor is at.", func(r *rig) {
		for i := range 20 {
			r.saveAll("a", fmt.Sprintf("1.%d.0", i*2))
		}
		got := r.pages("a", stet.ListOptions{Limit: 5, Ascending: true}, func(page int) {
			last := 10*page + 8 // the last one that the page had
			r.delete("a", fmt.Sprintf("1.%d.0", last))
			r.delete("a", fmt.Sprintf("1.%d.0", last-2))
			r.saveAll("a", fmt.Sprintf("1.%d.0", last-1), fmt.Sprintf("1.%d.0", last+1))
			r.delete("a", fmt.Sprintf("1.%d.0", last+4))
		})
		r.ok(slices.IsSortedFunc(got, func(a, b string) int {
			x, _ := stet.ParseNumber(a)
			y, _ := stet.ParseNumber(b)
			return stet.CompareNumbers(x, y)
		}), "the list is not in order: %v", got)
		seen := map[string]bool{}
		for _, n := range got {
			r.ok(!seen[n], "%s is there twice", n)
			seen[n] = true
		}
		for _, n := range r.numbers("a", stet.ListOptions{}) {
			var i int
			fmt.Sscanf(n, "1.%d.0", &i)
			r.ok(seen[n] || i%2 == 1, "%s was there all the time and is not in the list %v", n, got)
		}
	}),

	storeCase("list/one-revision", "A page is of one revision, however much is saved while it is read.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		done := make(chan struct{})
		all(func() {
			defer close(done)
			for i := range 60 {
				_, err := r.tryCommit(stet.Commit{Ops: []stet.Op{
					op(stet.Draft{PromptID: "a", Text: fmt.Sprint(i), Bump: "patch"}), op(stet.Draft{PromptID: "a", Text: fmt.Sprint(i), Bump: "patch"}),
				}})
				if err != nil {
					r.fail("committing: %v", err)
				}
			}
		}, func() {
			for n := 0; !closed(done); n++ {
				r.breathe(n)
				p, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{Limit: 1000})
				if err != nil {
					r.fail("listing: %v", err)
					return
				}
				if uint64(len(p.Items)) != 2*p.AsOf-1 {
					r.fail("a page as of %d has %d versions, and there were %d", p.AsOf, len(p.Items), 2*p.AsOf-1)
					return
				}
			}
		})
	}),

	storeCase("list/large-pages", "A page ends early rather than hold many large texts, but is never empty, and nothing is left out.", func(r *rig) {
		big := strings.Repeat("x", 1_000_000)
		for i := range 12 {
			r.save(stet.Draft{PromptID: "a", Text: fmt.Sprint(i, big), Bump: "patch"})
		}
		n, o := 0, stet.ListOptions{}
		for {
			p, err := r.s().ListPage(r.ctx, "a", o)
			r.must(err, "a page")
			r.ok(len(p.Items) >= 1 && len(p.Items) <= 9, "a page has %d versions of 1 MB", len(p.Items))
			n += len(p.Items)
			if o.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		r.same("the number of versions", n, 12)
	}),

	storeCase("list/cursor", "A cursor of another list, or of another store, is invalid.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0", "1.2.0")
		r.saveAll("b", "1.0.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "1.1.0")
		s := r.other()
		for _, v := range []string{"1.0.0", "1.1.0"} {
			r.must(r.resolve(func() error {
				_, err := s.Commit(r.ctx, stet.Commit{ID: "c" + v, Ops: []stet.Op{op(numbered("a", v))}})
				return err
			}), "saving in another store")
		}
		other, err := s.ListPage(r.ctx, "a", stet.ListOptions{Limit: 1})
		r.must(err, "a page of another store")
		versions, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{Limit: 1})
		r.must(err, "a page of versions")
		prompts, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{Limit: 1})
		r.must(err, "a page of prompts")
		history, err := r.s().HistoryPage(r.ctx, "a", "", stet.HistoryOptions{Limit: 1})
		r.must(err, "a page of moves")
		r.ok(versions.Next != "" && prompts.Next != "" && history.Next != "" && other.Next != "", "a page that is not the last has no next")
		for what, c := range map[string]string{"of prompts": prompts.Next, "of moves": history.Next, "made up": "abc", "of another store": other.Next, "broken": "%%%", "made of nothing": "dg"} {
			_, err = r.s().ListPage(r.ctx, "a", stet.ListOptions{Cursor: c})
			r.refused("a list of versions with a cursor "+what, err, stet.CodeInvalid)
		}
		for what, c := range map[string]string{"of versions": versions.Next, "of moves": history.Next, "made up": "abc", "of another store": other.Next} {
			_, err = r.s().PromptsPage(r.ctx, stet.PromptsOptions{Cursor: c})
			r.refused("a list of prompts with a cursor "+what, err, stet.CodeInvalid)
		}
		for what, c := range map[string]string{"of versions": versions.Next, "of prompts": prompts.Next, "made up": "abc"} {
			_, err = r.s().HistoryPage(r.ctx, "a", "", stet.HistoryOptions{Cursor: c})
			r.refused("a history with a cursor "+what, err, stet.CodeInvalid)
		}
		_, err = r.s().ListPage(r.ctx, "a", stet.ListOptions{Cursor: other.Next})
		r.refused("a cursor of another store", err, stet.CodeInvalid, "another store")
	}),

	storeCase("list/limit", "A page has 1 to 1,000 items, 100 if no limit is given.", func(r *rig) {
		var ops []stet.Op
		for i := range 150 {
			ops = append(ops, op(stet.Draft{PromptID: "a", Text: "x", Bump: "patch"}), op(text(fmt.Sprintf("p%03d", i), "x")))
		}
		r.commit(ops...)
		for _, n := range []int{-1, 1001} {
			_, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{Limit: n})
			r.refused("a page of versions", err, stet.CodeInvalid, fmt.Sprint(n))
			_, err = r.s().PromptsPage(r.ctx, stet.PromptsOptions{Limit: n})
			r.refused("a page of prompts", err, stet.CodeInvalid, fmt.Sprint(n))
			_, err = r.s().HistoryPage(r.ctx, "a", "", stet.HistoryOptions{Limit: n})
			r.refused("a page of moves", err, stet.CodeInvalid, fmt.Sprint(n))
			_, err = r.s().ChangesPage(r.ctx, 0, stet.ChangesOptions{Limit: n})
			r.refused("a page of changes", err, stet.CodeInvalid, fmt.Sprint(n))
		}
		v, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{})
		r.must(err, "a page of versions")
		p, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{})
		r.must(err, "a page of prompts")
		r.same("the lengths of pages", fmt.Sprint(len(v.Items), len(p.Items)), "100 100")
	}),
}

var promptsCases = []Case{
	storeCase("prompts/order", "Prompts are listed by the bytes of their ids, in pages.", func(r *rig) {
		ids := []string{"a", "a b", "a-b", "a/b", "a/c", "aa", "b", "B", "é", "z", "漢"}
		for _, id := range ids {
			r.save(text(id, "x"))
		}
		want := slices.Sorted(slices.Values(ids))
		for _, limit := range []int{0, 1, 3, 11} {
			var got []string
			for h, err := range r.s().Prompts(r.ctx, stet.PromptsOptions{Limit: limit}) {
				r.must(err, "listing")
				got = append(got, h.PromptID)
			}
			r.same(fmt.Sprint("the prompts by ", limit), strings.Join(got, ","), strings.Join(want, ","))
		}
	}),

	storeCase("prompts/prefix", "A prefix keeps the ids that begin with it, byte for byte.", func(r *rig) {
		for _, id := range []string{"a", "ab", "ab/c", "ab/d", "abc", "b", "aé", "a漢"} {
			r.save(text(id, "x"))
		}
		for prefix, want := range map[string]string{
			"": "a,ab,ab/c,ab/d,abc,aé,a漢,b", "a": "a,ab,ab/c,ab/d,abc,aé,a漢", "ab": "ab,ab/c,ab/d,abc", "ab/": "ab/c,ab/d", "abc": "abc", "c": "", "aé": "aé", "B": "",
		} {
			for _, limit := range []int{0, 1, 2} {
				var got []string
				for h, err := range r.s().Prompts(r.ctx, stet.PromptsOptions{Prefix: prefix, Limit: limit}) {
					r.must(err, "listing")
					got = append(got, h.PromptID)
				}
				r.same(fmt.Sprintf("the prompts with the prefix %q by %d", prefix, limit), strings.Join(got, ","), want)
			}
		}
	}),

	storeCase("prompts/label", "A label keeps the prompts that have it now.", func(r *rig) {
		for _, id := range []string{"a", "b", "c", "d"} {
			r.saveAll(id, "1.0.0")
		}
		for _, id := range []string{"a", "b", "d"} {
			r.label(id, "production", "1.0.0")
		}
		r.unlabel("b", "production")
		var got []string
		for h, err := range r.s().Prompts(r.ctx, stet.PromptsOptions{Label: "production", Limit: 1}) {
			r.must(err, "listing")
			got = append(got, h.PromptID)
		}
		r.same("the prompts", got, "[a d]")
	}),

	storeCase("prompts/while-changing", "A list of prompts in pages has every prompt that was there all the time once.", func(r *rig) {
		for i := range 20 {
			r.saveAll(fmt.Sprintf("p%02d", i*2), "1.0.0")
		}
		seen := map[string]int{}
		o := stet.PromptsOptions{Limit: 5}
		for n := 0; n < 20; n++ {
			p, err := r.s().PromptsPage(r.ctx, o)
			r.must(err, "page %d", n)
			for _, h := range p.Items {
				seen[h.PromptID]++
			}
			if o.Cursor = p.Next; o.Cursor == "" {
				break
			}
			last := p.Items[len(p.Items)-1].PromptID
			r.delete(last, "")
			r.saveAll(last+"x", "1.0.0")
			r.saveAll(p.Items[0].PromptID+"x", "1.0.0")
		}
		for i := range 20 {
			r.same(fmt.Sprintf("how often p%02d is listed", i*2), seen[fmt.Sprintf("p%02d", i*2)], 1)
		}
	}),
}
