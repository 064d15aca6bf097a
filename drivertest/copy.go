package drivertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
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

// replay replays changes, each until its outcome is known.
func (r *rig) replay(s *stet.Store, copies ...stet.Copy) (all []stet.Done, err error) {
	for len(all) < len(copies) {
		var done []stet.Done
		err = r.resolve(func() error {
			done, err = s.Replay(r.ctx, copies[len(all):]...)
			all = append(all, done...)
			return err
		})
		if err != nil {
			break
		}
	}
	return all, err
}

// few is a log that takes three entries at once.
type few struct{ driver.Log }

// Info implements driver.Log.
func (l few) Info() driver.Info {
	info := l.Log.Info()
	info.MaxEntries = 3
	return info
}

func (r *rig) revisionOf(s *stet.Store) uint64 {
	tail, err := s.Tail(r.ctx)
	r.must(err, "the end of the log")
	return tail.Revision
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

	needing(NeedLog, "copy/together", "Changes that are replayed together share an append, up to what one may have.", func(r *rig) {
		r.populate(7, 120)
		all := r.exported(r.s())
		g, log := gated(r.newLog())
		r.gates = append(r.gates, g)
		b := r.newStore(log, r.options())
		_, err := r.replay(b, all...)
		r.must(err, "replaying")
		r.same("the copy", r.asExported(b), r.asExported(r.s()))
		per := len(all)
		for _, most := range []int{log.Info().MaxEntries, r.options().MaxBatch} {
			if most > 0 {
				per = min(per, most)
			}
		}
		if !r.h.Unreliable { // or some are sent again
			r.ok(g.appends() <= (len(all)+per-1)/per+1, "%d changes take %d appends, and one may have %d", len(all), g.appends(), per)
		}
	}),

	storeCase("copy/stops", "The first change that cannot be taken over ends a replay: those before it are kept, and none behind it is carried out, on whatever prompt.", func(r *rig) {
		a := r.s()
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			r.saveAll(id, "1.0.0")
		}
		all := r.exported(a)
		wrong := all[2] // its id is that of other operations
		wrong.Change.ID = all[0].Change.ID
		unfit := all[2] // a second save of b
		unfit.Change.Ops, unfit.Versions = all[1].Change.Ops, all[1].Versions
		bare := all[2]
		bare.Versions = nil
		for _, bad := range []struct {
			what string
			c    stet.Copy
			code stet.Code
		}{
			{"an id that was used", wrong, stet.CodeConflict},
			{"a number that is taken", unfit, stet.CodeConflict},
			{"what is no change", bare, stet.CodeInvalid},
		} {
			b := r.other()
			done, err := r.replay(b, all[0], all[1], bad.c, all[3], all[4])
			r.refused(bad.what+" in the middle", err, bad.code)
			r.same("how many were taken over before "+bad.what, len(done), 2)
			p, err := b.PromptsPage(r.ctx, stet.PromptsOptions{})
			r.must(err, "listing")
			r.same("prompts before "+bad.what, len(p.Items), 2)
			r.same("the revision before "+bad.what, p.AsOf, 2)
			done, err = r.replay(b, all...)
			r.must(err, "going on after %s", bad.what)
			for i, d := range done {
				r.same(fmt.Sprintf("the revision of change %d, gone on after %s", i, bad.what), d.Revision, i+1)
				if !r.h.Unreliable {
					r.same(fmt.Sprintf("whether change %d was there, gone on after %s", i, bad.what), d.Replayed, i < 2)
				}
			}
			r.same("the copy", r.asExported(b), r.asExported(a))
		}
	}),

	needing(NeedLog, "copy/unwritten", "Where an append of a replay fails, or its outcome stays unknown, no change behind it is carried out; sent again they all are, once.", func(r *rig) {
		if r.h.Unreliable {
			return
		}
		a := r.s()
		for i := range 8 {
			r.saveAll(fmt.Sprint("p", i), "1.0.0")
		}
		all := r.exported(a)
		replays := func(what string, taken int, code stet.Code, then ...hook) {
			g, log := gated(few{r.newLog()})
			r.gates = append(r.gates, g)
			b := r.newStore(log, r.options())
			g.next(then...)
			done, err := b.Replay(r.ctx, all...)
			r.same("how many are taken over with "+what, len(done), taken)
			g.clear()
			if code != "" {
				r.refused(what, err, code)
			} else {
				r.must(err, "replaying with %s", what)
			}
			if code == stet.CodeUnknown { // three more may be there, and none behind them
				_, err = b.Replay(r.ctx, all[:6]...)
				r.must(err, "replaying what is unknown, with %s", what)
				taken = 6
			}
			r.same("the revision with "+what, r.revisionOf(b), taken)
			_, err = b.Replay(r.ctx, all...)
			r.must(err, "replaying again, with %s", what)
			r.same("the revision", r.revisionOf(b), len(all))
			r.same("the copy", r.asExported(b), r.asExported(a))
		}
		replays("an append that is refused", 0, stet.CodeUnavailable, notApplied)
		replays("a second append that is refused", 3, stet.CodeUnavailable, appendTo, notApplied)
		replays("a request that is lost", len(all), "", appendTo, lostBefore)
		replays("an answer that is lost", len(all), "", appendTo, lostAfter)
		replays("an answer that is lost, sent again in vain", 3, stet.CodeUnknown, append([]hook{appendTo, lostAfter}, slices.Repeat([]hook{notApplied}, 8)...)...)
	}),

	needing(NeedLog, "copy/cut-off", "Who gives up on a replay while it is written is told that its outcome is unknown; sent again it is carried out once.", func(r *rig) {
		a := r.s()
		for i := range 4 {
			r.saveAll(fmt.Sprint("p", i), "1.0.0")
		}
		all := r.exported(a)
		g := r.gate()
		b := r.s()
		h := g.hold(appendTo)
		ctx, cancel := context.WithCancel(r.ctx)
		answer := make(chan error, 1)
		go func() {
			done, err := b.Replay(ctx, all...)
			r.same("how many are known to be taken over", len(done), 0)
			answer <- err
		}()
		<-h.entered
		cancel()
		err := <-answer
		r.refused("a replay that is cut off", err, stet.CodeUnknown, all[0].Change.ID)
		h.let()
		_, err = r.replay(b, all...)
		r.must(err, "replaying again")
		r.same("the revision", r.revisionOf(b), len(all))
	}),

	storeCase("copy/beside", "Changes that are replayed keep their order beside commits, and are carried out once.", func(r *rig) {
		a := r.s()
		for i := range 40 {
			r.saveAll(fmt.Sprint("p", i%4), fmt.Sprintf("1.%d.0", i/4))
		}
		changes := r.exported(a)
		b := r.other()
		r.over(b)
		var done []stet.Done
		var err error
		others := make([]func(), 4)
		for i := range others {
			others[i] = func() {
				for range 10 {
					_, err := r.tryCommit(stet.Commit{ID: r.id(), Ops: []stet.Op{op(text(fmt.Sprint("other", i), "x"))}})
					r.ok(err == nil, "a commit beside a replay: %v", err)
				}
			}
		}
		all(append(others, func() { done, err = r.replay(b, changes...) })...)
		r.must(err, "replaying beside commits")
		for i := 1; i < len(done); i++ {
			r.ok(done[i-1].Revision < done[i].Revision, "change %d is at revision %d, and the one before at %d", i, done[i].Revision, done[i-1].Revision)
		}
		r.same("the revision", r.revisionOf(b), len(changes)+40)
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
		changes := r.changePages(0, stet.ChangesOptions{})
		var last time.Time
		for i, ch := range changes {
			r.ok(!ch.Time.Before(last), "revision %d is of %v, and the one before it of %v", ch.Revision, ch.Time, last)
			last = ch.Time
			want := ch.Revision
			for _, next := range changes[i:] {
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
