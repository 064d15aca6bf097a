package drivertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

var historyCases = []Case{
	storeCase("history/moves", "History has each move of a label: from, to, who, when, why, and the revision; the newest first.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		var times []time.Time
		for i, v := range []string{"1.0.0", "1.1.0"} {
			done, err := r.tryCommit(stet.Commit{Author: fmt.Sprint("by ", i), Message: fmt.Sprint("why ", i), Ops: []stet.Op{
				op(stet.SetLabel{PromptID: "a", Label: "production", Version: v}),
			}})
			r.must(err, "setting the label")
			times = append(times, done.Time)
		}
		r.rollback("a", "")
		r.unlabel("a", "production")
		r.same("the moves", r.moves("a", "production"), "[1.0.0> 1.1.0>1.0.0 1.0.0>1.1.0 >1.0.0]")
		r.same("the moves of no name, which is production", r.moves("a", ""), r.moves("a", "production"))
		p, err := r.s().HistoryPage(r.ctx, "a", "production", stet.HistoryOptions{})
		r.must(err, "the history")
		for i, m := range p.Items {
			r.same(fmt.Sprint("the revision of move ", i), m.Revision, 6-i)
		}
		m := p.Items[2]
		r.same("who, why and when", fmt.Sprint(m.Author, m.Message, m.Time), fmt.Sprint("by 1", "why 1", times[1]))
	}),

	storeCase("history/missing", "The history of a label that never was is not_found, and lists those that are.", func(r *rig) {
		_, err := r.s().HistoryPage(r.ctx, "a", "", stet.HistoryOptions{})
		r.refused("the history of nothing", err, stet.CodeNotFound, `no prompt "a"`)
		r.saveAll("a", "1.0.0")
		r.label("a", "staging", "1.0.0")
		_, err = r.s().HistoryPage(r.ctx, "a", "", stet.HistoryOptions{})
		r.refused("the history of no label", err, stet.CodeNotFound, "production", "staging → 1.0.0")
	}),

	storeCase("history/pages", "A history in pages has every move once, though the label moves between pages.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		for i := range 13 {
			r.label("a", "production", fmt.Sprintf("1.%d.0", i%2))
		}
		var got []uint64
		o := stet.HistoryOptions{Limit: 4}
		for n := 0; n < 10; n++ {
			p, err := r.s().HistoryPage(r.ctx, "a", "", o)
			r.must(err, "page %d", n)
			for _, m := range p.Items {
				got = append(got, m.Revision)
			}
			if o.Cursor = p.Next; o.Cursor == "" {
				break
			}
			r.rollback("a", "")
		}
		r.same("the revisions", got, "[15 14 13 12 11 10 9 8 7 6 5 4 3]")
	}),

	storeCase("history/deleted", "A history keeps the moves to versions that were deleted since.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "1.1.0")
		r.delete("a", "1.0.0")
		r.same("the moves", r.moves("a", ""), "[1.0.0>1.1.0 >1.0.0]")
	}),
}

var pastCases = []Case{
	storeCase("past/get", "Get takes a revision or a time, and answers what was so just after it: latest, current, labels, ranges.", func(r *rig) {
		type then struct {
			revision uint64
			time     time.Time
			want     map[string]string
		}
		var past []then
		at := func(done stet.Done, current, latest, production, caret string) {
			past = append(past, then{done.Revision, done.Time, map[string]string{"": current, "@latest": latest, "@production": production, "@^1": caret}})
		}
		at(r.commit(op(numbered("a", "1.0.0"))), "1.0.0", "1.0.0", "", "1.0.0")
		at(r.commit(op(numbered("a", "2.0.0-rc.1"))), "1.0.0", "1.0.0", "", "1.0.0")
		at(r.commit(op(stet.SetLabel{PromptID: "a", Label: "production", Version: "1.0.0"})), "1.0.0", "1.0.0", "1.0.0", "1.0.0")
		at(r.commit(op(numbered("a", "1.5.0")), op(numbered("a", "2.0.0"))), "1.0.0", "2.0.0", "1.0.0", "1.5.0")
		at(r.commit(op(stet.SetLabel{PromptID: "a", Label: "production", Version: "2.0.0"})), "2.0.0", "2.0.0", "2.0.0", "1.5.0")
		at(r.commit(op(stet.Rollback{PromptID: "a"})), "1.0.0", "2.0.0", "1.0.0", "1.5.0")
		at(r.commit(op(stet.RemoveLabel{PromptID: "a", Label: "production"})), "2.0.0", "2.0.0", "", "1.5.0")
		at(r.commit(op(text("other", "x"))), "2.0.0", "2.0.0", "", "1.5.0")
		for _, p := range past {
			for sel, want := range p.want {
				for what, point := range map[string]stet.Point{
					"revision": {Revision: p.revision}, "time": {Time: p.time}, "moment after": {Time: p.time.Add(time.Nanosecond)},
				} {
					v, err := r.s().Get(r.ctx, "a"+sel, stet.ReadOptions{At: point})
					what = fmt.Sprintf("a%s at the %s of %d", sel, what, p.revision)
					if want == "" {
						r.refused(what, err, stet.CodeNotFound)
						continue
					}
					if err != nil {
						r.fail("%s: %v", what, err)
						continue
					}
					r.same(what, v.Number(), want)
					r.same("AsOf of "+what, v.AsOf(), p.revision)
				}
			}
		}
	}),

	storeCase("past/before", "At a revision before a prompt or a version was there it is not_found; at one that is not there yet, too.", func(r *rig) {
		first := r.commit(op(text("other", "x")))
		r.saveAll("a", "1.0.0", "1.1.0")
		_, err := r.s().Get(r.ctx, "a", stet.ReadOptions{At: stet.Point{Revision: 1}})
		r.refused("a prompt before it was", err, stet.CodeNotFound, `no prompt "a" at revision 1`)
		_, err = r.s().Get(r.ctx, "a@1.1.0", stet.ReadOptions{At: stet.Point{Revision: 2}})
		r.refused("a version before it was", err, stet.CodeNotFound, "saved at revision 3")
		_, err = r.s().Get(r.ctx, "a", stet.ReadOptions{At: stet.Point{Revision: 99}})
		r.refused("the future", err, stet.CodeNotFound, "no revision 99", "newest is 3")
		_, err = r.s().Get(r.ctx, "a", stet.ReadOptions{At: stet.Point{Time: first.Time.Add(-time.Nanosecond)}})
		r.refused("a time before the first commit", err, stet.CodeNotFound)
		v, err := r.s().Get(r.ctx, "a", stet.ReadOptions{At: stet.Point{Time: first.Time.Add(1000 * time.Hour)}})
		r.must(err, "a time to come")
		r.same("the version at a time to come", v.Number(), "1.1.0")
		_, err = r.s().Get(r.ctx, "a", stet.ReadOptions{At: stet.Point{Revision: 1, Time: first.Time}})
		r.refused("both a revision and a time", err, stet.CodeInvalid)
	}),

	storeCase("past/deleted", "The past names a version that was deleted since, but its text is gone, and it says when.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.delete("a", "1.1.0")
		_, err := r.s().Get(r.ctx, "a@latest", stet.ReadOptions{At: stet.Point{Revision: 2}})
		r.refused("latest of then", err, stet.CodeNotFound, "a@1.1.0", "deleted at revision 3", "text is gone")
		v, err := r.s().Get(r.ctx, "a@1.0.0", stet.ReadOptions{At: stet.Point{Revision: 2}})
		r.must(err, "another version of then")
		r.same("it", v.Text(), "text of 1.0.0")
		p, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{ReadOptions: stet.ReadOptions{At: stet.Point{Revision: 2}}})
		r.must(err, "the list of then")
		r.same("the number of versions of then that have a text", len(p.Items), 1)
	}),

	storeCase("past/head", "Head takes a revision or a time, and answers as the list of prompts of then does.", func(r *rig) {
		first := r.commit(op(numbered("a", "1.0.0")))
		r.label("a", "production", "1.0.0")
		second := r.commit(op(numbered("a", "2.0.0")), op(stet.SetLabel{PromptID: "a", Label: "staging", Version: "2.0.0"}))
		r.label("a", "production", "2.0.0")
		r.saveAll("other", "1.0.0")
		for rev := first.Revision; rev <= second.Revision+2; rev++ {
			o := stet.ReadOptions{At: stet.Point{Revision: rev}}
			h, err := r.s().Head(r.ctx, "a", o)
			r.must(err, "the head of then")
			p, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{Prefix: "a", ReadOptions: o})
			r.must(err, "the prompts of then")
			r.same(fmt.Sprint("the head at ", rev), h, p.Items[0])
			r.same("AsOf", h.AsOf, rev)
		}
		h, err := r.s().Head(r.ctx, "a", stet.ReadOptions{At: stet.Point{Time: second.Time}})
		r.must(err, "the head at a time")
		r.same("it", words(h.Latest, h.Current, len(h.Labels), h.Versions), "2.0.0 1.0.0 2 2")
		_, err = r.s().Head(r.ctx, "other", stet.ReadOptions{At: stet.Point{Revision: 1}})
		r.refused("a prompt before it was", err, stet.CodeNotFound, `no prompt "other" at revision 1`)
		_, err = r.s().Head(r.ctx, "a", stet.ReadOptions{At: stet.Point{Revision: 99}})
		r.refused("the future", err, stet.CodeNotFound, "no revision 99")
		_, err = r.s().Head(r.ctx, "a", stet.ReadOptions{}, stet.ReadOptions{})
		r.refused("options twice", err, stet.CodeInvalid, "2 ReadOptions")
		_, err = r.s().Get(r.ctx, "a", stet.ReadOptions{}, stet.ReadOptions{})
		r.refused("options twice", err, stet.CodeInvalid, "2 ReadOptions")
	}),

	storeCase("past/cleared", "What was there before a clear is gone: not_found, which says when it was cleared.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.clear()
		r.saveAll("a", "2.0.0")
		_, err := r.s().Get(r.ctx, "a", stet.ReadOptions{At: stet.Point{Revision: 1}})
		r.refused("a revision before the clear", err, stet.CodeNotFound, "cleared at revision 2")
		_, err = r.s().Get(r.ctx, "a", stet.ReadOptions{At: stet.Point{Revision: 2}})
		r.refused("the revision of the clear", err, stet.CodeNotFound, `no prompt "a" at revision 2`)
		v, err := r.s().Get(r.ctx, "a", stet.ReadOptions{At: stet.Point{Revision: 3}})
		r.must(err, "the revision behind the clear")
		r.same("it", v.Number(), "2.0.0")
	}),

	storeCase("past/lists", "Lists of the past are what they were then, whatever was saved, moved or deleted since.", func(r *rig) {
		r.saveAll("a", "1.0.0", "3.0.0")
		r.saveAll("b", "1.0.0")
		r.label("a", "production", "1.0.0")
		r.delete("a", "3.0.0")
		r.saveAll("a", "1.1.0")
		type snap struct{ revision, heads, list, moves string }
		read := func(o stet.ReadOptions) (s snap) {
			p, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{ReadOptions: o})
			r.must(err, "the prompts")
			s.revision = fmt.Sprint(p.AsOf)
			for _, h := range p.Items {
				s.heads += fmt.Sprintf("%s latest %s current %s labels %v versions %d created %v; ",
					h.PromptID, h.Latest, h.Current, h.Labels, h.Versions, h.CreatedAt)
				r.ok(h.Revision <= p.AsOf, "a head as of %d has the revision %d", p.AsOf, h.Revision)
				r.ok((h.Revision == 0) == h.UpdatedAt.IsZero(), "a head has the revision %d and the time %v", h.Revision, h.UpdatedAt)
			}
			l, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{ReadOptions: o})
			r.must(err, "the versions")
			for _, v := range l.Items {
				s.list += v.Number().String() + " "
			}
			m, err := r.s().HistoryPage(r.ctx, "a", "", stet.HistoryOptions{ReadOptions: o})
			r.must(err, "the moves")
			s.moves = fmt.Sprint(m.Items)
			return s
		}
		then := read(stet.ReadOptions{})
		r.saveAll("a", "0.1.0", "9.0.0")
		r.saveAll("c", "1.0.0")
		r.label("a", "production", "9.0.0")
		r.label("b", "staging", "1.0.0")
		now := read(stet.ReadOptions{At: stet.Point{Revision: 6}})
		r.same("the revision", now.revision, then.revision)
		r.same("the prompts of then", now.heads, then.heads)
		r.same("the versions of then", now.list, then.list)
		r.same("the moves of then", now.moves, then.moves)
	}),

	storeCase("past/label-list", "The prompts with a label in the past are those that had it then.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.saveAll("b", "1.0.0")
		r.label("a", "production", "1.0.0")
		r.unlabel("a", "production")
		r.label("b", "production", "1.0.0")
		for rev, want := range map[uint64]string{2: "", 3: "a", 4: "", 5: "b"} {
			got := ""
			for h, err := range r.s().Prompts(r.ctx, stet.PromptsOptions{Label: "production", ReadOptions: stet.ReadOptions{At: stet.Point{Revision: rev}}}) {
				r.must(err, "listing")
				got += h.PromptID
			}
			r.same(fmt.Sprint("the prompts at ", rev), got, want)
		}
	}),
}

var manyCases = []Case{
	storeCase("many/one-revision", "GetMany resolves references in their order, all as of one revision.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		r.saveAll("b", "1.0.0")
		vs, asOf, err := r.s().GetMany(r.ctx, []string{"b", "a@1.0.0", "a", "b@#1", "a@1.0.0"}, stet.ReadOptions{})
		r.must(err, "GetMany")
		r.same("the revision", asOf, 3)
		got := ""
		for _, v := range vs {
			got += v.Ref() + " "
			r.same("AsOf", v.AsOf(), 3)
		}
		r.same("the versions", got, "b@1.0.0 a@1.0.0 a@2.0.0 b@1.0.0 a@1.0.0 ")
		vs, asOf, err = r.s().GetMany(r.ctx, nil, stet.ReadOptions{})
		r.must(err, "GetMany of nothing")
		r.same("the versions of nothing", words(len(vs), asOf), "0 3")
	}),

	storeCase("many/too-large", "Versions that take over 32 MiB of memory together are too_large; a single one never is.", func(r *rig) {
		r.save(stet.Draft{PromptID: "a", Text: strings.Repeat("x", 1_000_000)})
		refs := slices.Repeat([]string{"a"}, stet.MaxGetBytes/1_000_000+1)
		_, _, err := r.s().GetMany(r.ctx, refs, stet.ReadOptions{})
		r.refusedOp("34 texts of 1 MB", err, len(refs)-1, stet.CodeTooLarge, "32 MiB")
		vs, _, err := r.s().GetMany(r.ctx, refs[:2], stet.ReadOptions{})
		r.must(err, "two of them")
		r.same("the versions", len(vs), 2)
	}),

	storeCase("many/fails-as-a-whole", "If one reference fails, all do, and the error has its index.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		_, _, err := r.s().GetMany(r.ctx, []string{"a", "a@latest", "none", "a"}, stet.ReadOptions{})
		r.refusedOp("a missing prompt", err, 2, stet.CodeNotFound, `"none"`)
		_, _, err = r.s().GetMany(r.ctx, []string{"a", "a@^9"}, stet.ReadOptions{})
		r.refusedOp("an empty range", err, 1, stet.CodeNotFound)
		_, _, err = r.s().GetMany(r.ctx, []string{"a@1.2.x.y"}, stet.ReadOptions{})
		r.refusedOp("a bad selector", err, 0, stet.CodeInvalid)
		_, _, err = r.s().GetMany(r.ctx, make([]string, 1001), stet.ReadOptions{})
		r.refused("1,001 references", err, stet.CodeTooLarge, "1001", "1000")
	}),

	storeCase("many/min-revision", "min_revision waits until the store has reached a revision.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		answers := make(chan error, 3)
		for i, o := range []stet.ReadOptions{{MinRevision: 3}, {MinRevision: 3, Local: true}, {MinRevision: 1}} {
			s := r.s()
			go func() {
				vs, _, err := s.GetMany(r.ctx, []string{"a@latest"}, o)
				if err == nil && (vs[0].AsOf() < o.MinRevision || i < 2 && vs[0].Number().String() != "3.0.0") {
					err = fmt.Errorf("a read with min_revision %d answers %s as of %d", o.MinRevision, vs[0].Number(), vs[0].AsOf())
				}
				answers <- err
			}()
		}
		r.saveAll("a", "2.0.0", "3.0.0")
		r.within("the read", func() {
			for range 3 {
				r.must(<-answers, "GetMany")
			}
		})
	}),

	storeCase("many/local", "A caller may take the local state as it is, and is told its revision.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		for _, s := range r.stores {
			vs, _, err := s.GetMany(r.ctx, []string{"a"}, stet.ReadOptions{MinRevision: 1})
			r.must(err, "GetMany")
			r.same("the version", vs[0].Number(), "1.0.0")
			vs, _, err = s.GetMany(r.ctx, []string{"a"}, stet.ReadOptions{Local: true})
			r.must(err, "GetMany of the local state")
			r.same("AsOf", vs[0].AsOf(), 1)
		}
	}),
}
