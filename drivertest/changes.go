package drivertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

// until yields the changes up to a revision.
func until(r *rig, last uint64) iter.Seq2[stet.Change, error] {
	return func(yield func(stet.Change, error) bool) {
		for ch, err := range r.s().Changes(r.ctx, 0, stet.ChangesOptions{}) {
			if !yield(ch, err) || err != nil || ch.Revision >= last {
				return
			}
		}
	}
}

// follow reads changes after a revision until the last one, and notes a failure
// for a gap, a repetition or a broken chain.
func (r *rig) follow(s *stet.Store, since, last uint64, o stet.ChangesOptions) (got []stet.Change) {
	ctx, cancel := context.WithTimeout(r.ctx, patience) // a correct store never needs it
	defer cancel()
	for ch, err := range s.Changes(ctx, since, o) {
		if err != nil {
			r.fail("the changes after %d: %v", since, err)
			return got
		}
		if ch.Revision != since+1 && (o.Prefix == "" || ch.Revision <= since) {
			r.fail("revision %d comes after %d", ch.Revision, since)
			return got
		}
		since = ch.Revision
		got = append(got, ch)
		if since == last {
			return got
		}
	}
	return got
}

// changePages reads the changes after a revision page by page, and notes a failure
// for a gap, a repetition, or a page that is empty and not the last.
func (r *rig) changePages(since uint64, o stet.ChangesOptions) (got []stet.Change) {
	for {
		p, err := r.s().ChangesPage(r.ctx, since, o)
		r.must(err, "the changes after %d", since)
		r.ok(o.Limit == 0 || len(p.Items) <= o.Limit, "a page of %d has %d changes", o.Limit, len(p.Items))
		for _, ch := range p.Items {
			if ch.Revision != since+1 && (o.Prefix == "" || ch.Revision <= since) {
				r.fail("revision %d comes after %d", ch.Revision, since)
				panic(ended{})
			}
			since = ch.Revision
			got = append(got, ch)
		}
		r.ok(p.AsOf >= since, "a page with revision %d is as of %d", since, p.AsOf)
		if p.Next == "" {
			r.ok(o.Prefix != "" || since == p.AsOf, "the pages end at revision %d, and the newest is %d", since, p.AsOf)
			return got
		}
		next, err := strconv.ParseUint(p.Next, 10, 64)
		r.must(err, "the next page")
		if next < since || next == since && len(p.Items) == 0 || o.Prefix == "" && next != since {
			r.fail("a page with revision %d has the next %d", since, next)
			panic(ended{})
		}
		since = next
	}
}

var changesCases = []Case{
	storeCase("changes/resolved", "Changes has the commits in order, resolved: numbers, ordinals, digests, labels; who, when, why.", func(r *rig) {
		d, err := r.tryCommit(stet.Commit{ID: "first", Author: "ana", Message: "why", Ops: []stet.Op{
			op(stet.Draft{PromptID: "a", Text: "x", Labels: []string{"production"}}), op(stet.Draft{PromptID: "a", Text: "x {{v}}"}),
		}})
		r.must(err, "committing")
		r.label("a", "production", "^2")
		r.rollback("a", "")
		r.delete("a", "2.0.0")
		r.delete("a", "9.0.0")
		r.unlabel("a", "production")
		r.clear()
		got := r.follow(r.s(), 0, 7, stet.ChangesOptions{})
		if len(got) != 7 {
			r.fail("there are %d changes, and should be 7", len(got))
			return
		}
		c := got[0]
		r.same("the first", words(c.Revision, c.ID, c.Author, c.Message, c.Time, len(c.Ops)), words(1, "first", "ana", "why", d.Time, 2))
		s := c.Ops[0].Save
		r.same("its first save", words(s.PromptID, s.Version, s.Ordinal, s.Unchanged, move(s.Labels[0])), "a 1.0.0 1 false production:>1.0.0")
		r.ok(!s.Digest.IsZero() && s.Digest == d.Results[0].Digest, "the digest is %s, and the result's %s", s.Digest, d.Results[0].Digest)
		r.ok(s.Content == nil, "it has the text, which was not asked for")
		s = c.Ops[1].Save
		r.same("its second save", words(s.Version, s.Ordinal, s.Bump), "2.0.0 2 major")
		r.same("the setting", move(*got[1].Ops[0].SetLabel), "production:1.0.0>2.0.0")
		r.same("the rollback", move(*got[2].Ops[0].Rollback), "production:2.0.0>1.0.0")
		r.same("the delete", words(got[3].Ops[0].Delete.Version, got[3].Ops[0].Delete.Deleted), "2.0.0 1")
		r.same("the delete of nothing", got[4].Ops[0].Delete.Deleted, 0)
		r.same("the removal", move(*got[5].Ops[0].RemoveLabel), "production:1.0.0>")
		r.ok(got[6].Ops[0].Clear != nil, "the last is no clear")
		hashes := map[string]bool{}
		for _, c := range got {
			hashes[c.Hash.String()] = true
		}
		r.same("the number of different hashes", len(hashes), 7)
	}),

	storeCase("changes/resume", "Changes go on after any revision, none missing and none twice.", func(r *rig) {
		for i := range 30 {
			r.commit(op(stet.Draft{PromptID: "a", Text: fmt.Sprint(i), Bump: "patch"}))
		}
		for since := range uint64(30) {
			got := r.follow(r.s(), since, 30, stet.ChangesOptions{Limit: 1 + int(since)%7})
			r.same(fmt.Sprint("the number of changes after ", since), len(got), 30-since)
		}
	}),

	storeCase("changes/pages", "A page of changes has a next as long as there are more, and ends at the newest.", func(r *rig) {
		for i := range 10 {
			r.commit(op(stet.Draft{PromptID: "a", Text: fmt.Sprint(i), Bump: "patch"}))
		}
		for since := range uint64(10) {
			for _, limit := range []int{1, 4, 10, 0} {
				got := r.changePages(since, stet.ChangesOptions{Limit: limit})
				r.same(fmt.Sprintf("the number of changes after %d by %d", since, limit), len(got), 10-since)
			}
		}
		p, err := r.s().ChangesPage(r.ctx, 10, stet.ChangesOptions{})
		r.must(err, "the page after the newest")
		r.same("the page after the newest", fmt.Sprintf("%d %q", len(p.Items), p.Next), `0 ""`)
		_, err = r.s().ChangesPage(r.ctx, 11, stet.ChangesOptions{})
		r.refused("a page after a revision that is not there", err, stet.CodeNotFound, "no revision 11", "newest is 10")
	}),

	storeCase("changes/live", "Behind what there is, changes come as they are committed.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		got := make(chan uint64)
		over := make(chan struct{})
		ctx, cancel := context.WithCancel(r.ctx)
		s := r.s()
		go func() {
			defer close(over)
			for ch, err := range s.Changes(ctx, 0, stet.ChangesOptions{}) {
				if err != nil {
					return
				}
				select {
				case got <- ch.Revision:
				case <-ctx.Done():
					return
				}
			}
		}()
		r.within("a subscriber", func() {
			for i := range uint64(10) {
				select {
				case rev := <-got:
					r.same("the revision", rev, i+1)
				case <-time.After(patience / 2):
					r.fail("revision %d does not come", i+1)
					return
				}
				r.idle() // until it waits for the next
				r.save(stet.Draft{PromptID: "a", Text: fmt.Sprint(i), Bump: "patch"})
			}
		})
		cancel()
		<-over
	}),

	storeCase("changes/subscribers", "Any number of subscribers each get every commit once, in order, however many commit.", func(r *rig) {
		const subscribers, writers, each = 12, 4, 25
		all(func() {
			times(writers, func(w int) {
				for i := range each {
					if _, err := r.tryCommit(stet.Commit{Ops: []stet.Op{op(text(fmt.Sprintf("p%d/%d", w, i), "x"))}}); err != nil {
						r.fail("committing: %v", err)
					}
				}
			})
		}, func() {
			times(subscribers, func(i int) {
				s := r.s()
				got := r.follow(s, 0, writers*each, stet.ChangesOptions{Texts: i%2 == 0, Limit: 1 + i})
				r.same("how many changes a subscriber got", len(got), writers*each)
			})
		})
	}),

	storeCase("changes/not-reading", "A subscriber that does not read holds up nobody, and misses nothing when it reads on.", func(r *rig) {
		s := r.s()
		r.saveAll("a", "1.0.0")
		next, stop := iter.Pull2(s.Changes(r.ctx, 0, stet.ChangesOptions{Limit: 3}))
		defer stop()
		_, err, _ := next()
		r.must(err, "the first change")
		r.within("a writer beside a subscriber that does not read", func() {
			for i := range 150 {
				r.save(stet.Draft{PromptID: "a", Text: fmt.Sprint(i), Bump: "patch"})
			}
		})
		for want := uint64(2); want <= 151; want++ {
			ch, err, ok := next()
			r.must(err, "revision %d", want)
			if !ok || ch.Revision != want {
				r.fail("revision %d comes where %d should", ch.Revision, want)
				return
			}
		}
	}),

	storeCase("changes/texts", "Texts are in the changes if asked for, as far as they still live.", func(r *rig) {
		r.save(text("a", "one"))
		r.commit(op(text("a", "two")), op(stet.Draft{PromptID: "a", Text: "two", IfChanged: true}))
		r.delete("a", "1.0.0")
		got := r.follow(r.s(), 0, 3, stet.ChangesOptions{Texts: true})
		if len(got) != 3 {
			return
		}
		r.ok(got[0].Ops[0].Save.Content == nil, "a deleted version has a text")
		if c := got[1].Ops[0].Save.Content; c == nil || c.Text() != "two" {
			r.fail("a version that lives has no text, or another one")
		}
		r.ok(got[1].Ops[1].Save.Unchanged && got[1].Ops[1].Save.Content == nil, "an unchanged save has a text")
		r.clear()
		r.save(text("a", "three"))
		got = r.follow(r.s(), 0, 5, stet.ChangesOptions{Texts: true})
		if len(got) == 5 {
			r.ok(got[1].Ops[0].Save.Content == nil, "a version from before a clear has a text")
			r.ok(got[0].Ops[0].Save.Content == nil, "a version from before a clear has the text of one that was saved under its number later")
		}
	}),

	storeCase("changes/prefix", "With a prefix, changes have only the operations on prompts that begin with it, and clears; none is missed.", func(r *rig) {
		for i := range 12 {
			r.commit(op(stet.Draft{PromptID: "other", Text: fmt.Sprint(i), Bump: "patch"}))
		}
		r.commit(op(text("other", "x")), op(text("a/one", "one")), op(text("another", "y")), op(text("a/two", "two")))
		r.clear()
		r.save(text("a", "three"))
		r.save(text("a/one", "four"))
		want := "13:a/one=one,a/two=two 14:clear 16:a/one=four "
		seen := func(all []stet.Change) string {
			var b strings.Builder
			for _, ch := range all {
				var ops []string
				for _, o := range ch.Ops {
					switch {
					case o.Clear != nil:
						ops = append(ops, "clear")
					case o.Save.Content == nil: // of before the clear
						ops = append(ops, o.PromptID())
					default:
						ops = append(ops, o.PromptID()+"="+o.Save.Content.Text())
					}
				}
				fmt.Fprintf(&b, "%d:%s ", ch.Revision, strings.Join(ops, ","))
			}
			return b.String()
		}
		want = strings.NewReplacer("=one", "", "=two", "").Replace(want)
		for _, limit := range []int{1, 3, 0} {
			o := stet.ChangesOptions{Prefix: "a/", Texts: true, Limit: limit}
			r.same(fmt.Sprint("the pages by ", limit), seen(r.changePages(0, o)), want)
			r.same(fmt.Sprint("the feed by ", limit), seen(r.follow(r.s(), 0, 16, o)), want)
		}
		_, err := r.s().ChangesPage(r.ctx, 0, stet.ChangesOptions{Prefix: "a@"})
		r.refused("a prefix that no id begins with", err, stet.CodeInvalid)
	}),

	storeCase("changes/after-acknowledged", "A commit that was acknowledged is in the changes that are read afterwards.", func(r *rig) {
		for i := range 20 {
			d := r.commit(op(stet.Draft{PromptID: "a", Text: fmt.Sprint(i), Bump: "patch"}))
			p, err := r.s().ChangesPage(r.ctx, d.Revision-1, stet.ChangesOptions{})
			r.must(err, "the changes")
			r.ok(len(p.Items) == 1 && p.Items[0].ID == d.ID, "the changes after %d do not have the commit of %d", d.Revision-1, d.Revision)
		}
	}),

	storeCase("changes/ends", "Changes end when the context is done, with an error that says so, and when the loop is left.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		ctx, cancel := context.WithCancel(r.ctx)
		n := 0
		var last error
		r.within("the loop", func() {
			for _, err := range r.s().Changes(ctx, 0, stet.ChangesOptions{}) {
				if last = err; err != nil {
					continue
				}
				if n++; n == 2 {
					cancel()
				}
			}
		})
		cancel()
		r.same("the number of changes", n, 2)
		r.ok(errors.Is(last, context.Canceled), "the changes end with %v", last)
		r.refused("what ends them", last, stet.CodeUnavailable)
		for range r.s().Changes(r.ctx, 0, stet.ChangesOptions{}) {
			break
		}
	}),

	storeCase("changes/future", "Changes after a revision that is not there are not_found: the store was restored since.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		for _, err := range r.s().Changes(r.ctx, 7, stet.ChangesOptions{}) {
			r.refused("the changes after 7", err, stet.CodeNotFound, "no revision 7", "newest is 1")
			break
		}
	}),
}
