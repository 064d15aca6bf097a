package drivertest

import (
	"fmt"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

// asExported is what a copy of a store has in common with it.
func (r *rig) asExported(s *stet.Store) string {
	var b strings.Builder
	for h, err := range s.Prompts(r.ctx, stet.PromptsOptions{}) {
		r.must(err, "listing prompts")
		fmt.Fprintln(&b, h.PromptID, h.Latest, h.Current, h.Labels, h.Versions, h.CreatedAt, h.UpdatedAt)
		for v, err := range s.List(r.ctx, h.PromptID, stet.ListOptions{}) {
			r.must(err, "listing %s", h.PromptID)
			fmt.Fprintln(&b, v.Number(), v.Ordinal(), v.Digest(), v.Metadata(), v.Author(), v.Message(), v.CreatedAt(), v.Text(), v.Content().Messages())
		}
		for _, l := range []string{"production", "staging"} {
			p, err := s.HistoryPage(r.ctx, h.PromptID, l, stet.HistoryOptions{})
			for _, m := range p.Items {
				fmt.Fprintln(&b, l, num(m.From), num(m.To), m.Author, m.Message, m.Time)
			}
			if stet.CodeOf(err) != stet.CodeNotFound {
				r.must(err, "the history of %s", l)
			}
		}
	}
	return b.String()
}

// exported is what Export gives.
func (r *rig) exported(s *stet.Store) (all []stet.Copy) {
	r.must(s.Export(r.ctx, func(c stet.Copy) error { all = append(all, c); return nil }), "exporting")
	return all
}

func (r *rig) replay(s *stet.Store, c stet.Copy) (done stet.Done, err error) {
	err = r.settle(func() error { done, err = s.Replay(r.ctx, c); return err })
	return done, err
}

var copyCases = []Case{
	storeCase("copy/same", "What is exported and replayed into an empty store makes one with the same prompts, numbers, ordinals, digests, labels and label histories.", func(r *rig) {
		r.populate(7, 20)
		r.clear()
		r.populate(8, 120)
		a, b := r.s(), r.other()
		for _, c := range r.exported(a) {
			_, err := r.replay(b, c)
			r.must(err, "replaying revision %d", c.Change.Revision)
		}
		r.same("the copy", r.asExported(b), r.asExported(a))
		id := "p0"
		for _, v := range []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0"} {
			_, ea := a.Get(r.ctx, id+"@"+v)
			_, eb := b.Get(r.ctx, id+"@"+v)
			r.same("whether the copy has "+v, eb == nil, ea == nil)
			if ea == nil {
				continue
			}
			used := stet.Draft{PromptID: id, Version: v, Text: "x"}
			_, ea = a.Save(r.ctx, used)
			_, eb = b.Save(r.ctx, used)
			if !r.h.Unreliable {
				r.same("whether the copy gives "+v, stet.CodeOf(eb), stet.CodeOf(ea))
			}
		}
	}),

	storeCase("copy/again", "A replay that is repeated, or goes on after an interruption, adds nothing twice.", func(r *rig) {
		r.populate(9, 60)
		a, b := r.s(), r.other()
		all := r.exported(a)
		for _, c := range all[:len(all)/2] {
			_, err := r.replay(b, c)
			r.must(err, "replaying")
		}
		for range 2 {
			for _, c := range all {
				_, err := r.replay(b, c)
				r.must(err, "replaying again")
			}
		}
		r.same("the copy", r.asExported(b), r.asExported(a))
		p, err := b.PromptsPage(r.ctx, stet.PromptsOptions{Limit: 1})
		r.must(err, "the revision")
		r.same("its revision", p.AsOf, len(all))
	}),

	storeCase("copy/does-not-fit", "A change that does not fit what is there is a conflict, and changes nothing.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		all := r.exported(r.s())
		b := r.other()
		r.over(b)
		r.saveAll("a", "1.0.0")
		r.unchanged("a change that does not fit", func() {
			_, err := r.replay(b, all[0])
			r.refused("replaying a number that is taken", err, stet.CodeConflict, "1.0.0")
		})
		c := r.other()
		r.over(c)
		r.unchanged("a change that does not fit", func() {
			_, err := r.replay(c, all[1])
			r.refused("replaying the second first", err, stet.CodeConflict)
		})
	}),

	storeCase("copy/times", "Times in the log never go back, whatever wrote them: a change that is older than the newest commit takes that one's time, and a read at a time gives what was there then.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		all := r.exported(r.s())
		b := r.other()
		r.over(b)
		r.saveAll("b", "1.0.0", "1.1.0")
		for _, c := range all {
			_, err := r.replay(b, c)
			r.must(err, "replaying")
		}
		r.save(numbered("b", "1.2.0"))
		page, err := b.ChangesPage(r.ctx, 0, stet.ChangesOptions{})
		r.must(err, "the changes")
		var last time.Time
		for i, ch := range page.Items {
			r.ok(!ch.Time.Before(last), "revision %d is of %v, and the one before it of %v", ch.Revision, ch.Time, last)
			last = ch.Time
			want := ch.Revision
			for _, next := range page.Items[i:] {
				if !next.Time.After(ch.Time) {
					want = next.Revision
				}
			}
			p, err := b.PromptsPage(r.ctx, stet.PromptsOptions{ReadOptions: stet.ReadOptions{At: stet.Point{Time: ch.Time}}})
			r.must(err, "reading at %v", ch.Time)
			r.same(fmt.Sprintf("the revision at the time of revision %d", ch.Revision), p.AsOf, want)
		}
		r.same("created_at of a copied version", r.get("a@1.0.0").CreatedAt(), all[0].Versions[0].CreatedAt())
	}),
}
