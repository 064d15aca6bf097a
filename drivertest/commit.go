package drivertest

import (
	"fmt"
	"strings"

	"github.com/stet-dev/stet"
)

var commitCases = []Case{
	storeCase("commit/together", "The operations of a commit happen together, in order, each seeing those before it; it answers with one result each.", func(r *rig) {
		r.saveAll("old", "1.0.0", "2.0.0")
		done := r.commit(
			op(text("a", "one")),
			op(stet.Draft{PromptID: "a", Text: "two", Expect: ptr("1.0.0")}),
			op(stet.SetLabel{PromptID: "a", Label: "production", Version: "1.0.0", Expect: ptr("")}),
			op(stet.SetLabel{PromptID: "a", Label: "production", Version: "latest", Expect: ptr("1.0.0")}),
			op(stet.Rollback{PromptID: "a", Expect: ptr("1.1.0")}),
			op(stet.SetLabel{PromptID: "a", Label: "staging", Version: "production"}),
			op(stet.RemoveLabel{PromptID: "a", Label: "staging"}),
			op(stet.Delete{PromptID: "a", Version: "1.1.0"}),
			op(stet.Delete{PromptID: "old"}),
			op(text("b/c", "three")))
		r.same("the revision", done.Revision, 3)
		r.ok(!done.Time.IsZero(), "the answer has no time")
		r.ok(r.h.Unreliable || !done.Replayed, "it is marked replayed")
		var got []string
		for _, x := range done.Results {
			s := x.PromptID + " " + num(x.Version) + fmt.Sprintf(" #%d -%d", x.Ordinal, x.Deleted)
			for _, l := range x.Labels {
				s += " " + move(l)
			}
			got = append(got, s)
		}
		r.same("the results", strings.Join(got, "\n"), strings.Join([]string{
			"a 1.0.0 #1 -0", "a 1.1.0 #2 -0", "a  #0 -0 production:>1.0.0", "a  #0 -0 production:1.0.0>1.1.0", "a  #0 -0 production:1.1.0>1.0.0",
			"a  #0 -0 staging:>1.0.0", "a  #0 -0 staging:1.0.0>", "a 1.1.0 #0 -1", "old  #0 -2", "b/c 1.0.0 #1 -0",
		}, "\n"))
		r.same("a", r.get("a").Text(), "one")
		r.same("b/c", r.get("b/c").Text(), "three")
		r.same("the revision of b/c", r.get("b/c").Revision(), 3)
	}),

	storeCase("commit/all-or-nothing", "If one operation is refused, none happens; the error has its index, and no revision is used.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.label("a", "production", "1.0.0")
		good := []stet.Op{
			op(text("b", "x")), op(numbered("a", "2.0.0")), op(stet.SetLabel{PromptID: "a", Label: "production", Version: "2.0.0"}),
			op(stet.Delete{PromptID: "a", Version: "1.0.0"}), op(stet.SetLabel{PromptID: "b", Label: "new", Version: "latest"}),
		}
		bad := []struct {
			op   stet.Op
			code stet.Code
		}{
			{op(numbered("a", "1.0.0")), stet.CodeConflict},
			{op(stet.SetLabel{PromptID: "a", Label: "staging", Version: "9.0.0"}), stet.CodeNotFound},
			{op(stet.RemoveLabel{PromptID: "a", Label: "none"}), stet.CodeNotFound},
			{op(stet.Rollback{PromptID: "none"}), stet.CodeNotFound},
			{op(stet.Draft{PromptID: "a", Text: "x", Expect: ptr("0.0.1")}), stet.CodeConflict},
			{op(stet.Draft{PromptID: "a", Text: "x", Version: "1.2"}), stet.CodeInvalid},
			{stet.Op{}, stet.CodeInvalid},
			{stet.Op{Clear: &stet.Clear{}, Delete: &stet.Delete{PromptID: "a"}}, stet.CodeInvalid},
		}
		for _, b := range bad {
			for at := 0; at <= len(good); at += len(good) / 2 {
				ops := append(append(append([]stet.Op(nil), good[:at]...), b.op), good[at:]...)
				r.unchanged("a refused commit", func() {
					_, err := r.tryCommit(stet.Commit{Ops: ops})
					r.refusedOp(fmt.Sprintf("a commit with %+v at %d", b.op, at), err, at, b.code)
				})
			}
		}
	}),

	storeCase("commit/revisions", "A commit is one revision: 1, 2, 3 …, no gaps; a refused one takes none.", func(r *rig) {
		for i := range 5 {
			done := r.commit(op(text("a", fmt.Sprint(i))), op(text("b", fmt.Sprint(i))))
			r.same("the revision", done.Revision, i+1)
			_, err := r.trySave(numbered("a", "1.0.0"))
			r.refused("a save under a used number", err, stet.CodeConflict)
		}
	}),

	storeCase("commit/1000", "A commit has at most 1,000 operations; 1,001 are too_large.", func(r *rig) {
		ops := make([]stet.Op, 1001)
		for i := range ops {
			ops[i] = op(stet.Draft{PromptID: fmt.Sprintf("p%d", i%10), Text: fmt.Sprint("text ", i), Bump: "patch"})
		}
		r.unchanged("a commit of 1,001 operations", func() {
			_, err := r.tryCommit(stet.Commit{Ops: ops})
			r.refusedOp("a commit of 1,001 operations", err, -1, stet.CodeTooLarge, "1001", "1000")
		})
		done := r.commit(ops[:1000]...)
		r.same("the number of results", len(done.Results), 1000)
		for i := range 10 {
			id := fmt.Sprintf("p%d", i)
			r.same("the number of versions of "+id, r.head(id).Versions, 100)
			r.same("latest of "+id, r.get(id).Text(), fmt.Sprint("text ", 990+i))
		}
	}),

	storeCase("commit/8-MiB", "A commit has at most 8 MiB; more are too_large.", func(r *rig) {
		big := strings.Repeat("0123456789", 100_000)
		ops := make([]stet.Op, 9)
		for i := range ops {
			ops[i] = op(text(fmt.Sprint("p", i), big+fmt.Sprint(i)))
		}
		r.unchanged("a commit of 9 MB", func() {
			_, err := r.tryCommit(stet.Commit{Ops: ops})
			r.refused("a commit of 9 MB", err, stet.CodeTooLarge, "8 MiB")
		})
		r.commit(ops[:8]...)
		for i := range 8 {
			v := r.get(fmt.Sprint("p", i))
			r.ok(v.Text() == big+fmt.Sprint(i), "p%d has a text of %d bytes that is not what was saved", i, len(v.Text()))
		}
	}),

	storeCase("commit/large-entry", "What a commit has beside its texts is at most 1 MiB in the log: so much is stored, more is too_large.", func(r *rig) {
		build := func(labels int) []stet.Op {
			ops := make([]stet.Op, 1000)
			for i := range ops {
				d := stet.Draft{PromptID: fmt.Sprintf("%s/%d", strings.Repeat("漢", 80), i), Text: "x", Message: strings.Repeat("m", 100)}
				for l := range labels {
					d.Labels = append(d.Labels, fmt.Sprintf("%s%d", strings.Repeat("l", 60), l))
				}
				ops[i] = op(d)
			}
			return ops
		}
		r.unchanged("a commit of 1.3 MB without its texts", func() {
			_, err := r.tryCommit(stet.Commit{Ops: build(10)})
			r.refused("a commit of 1.3 MB without its texts", err, stet.CodeTooLarge, "1048576")
		})
		ops := build(4)
		r.commit(ops...)
		id := ops[999].Save.PromptID
		r.same("the number of labels", len(r.head(id).Labels), 4)
		r.same("the text", r.get(id).Text(), "x")
	}),

	storeCase("commit/atomic-for-readers", "A commit over several prompts becomes visible at one instant: no reader sees one prompt new and another one, read later, old.", func(r *rig) {
		ids := []string{"a", "b", "c"}
		at := func(i int) (ops []stet.Op) {
			for _, id := range ids {
				ops = append(ops, op(stet.Draft{PromptID: id, Text: fmt.Sprintf("%06d", i), Bump: "patch", Labels: []string{"production"}}))
			}
			return ops
		}
		r.commit(at(0)...)
		done := make(chan struct{})
		all(func() {
			defer close(done)
			for i := range 60 {
				if _, err := r.tryCommit(stet.Commit{Ops: at(i + 1)}); err != nil {
					r.fail("committing: %v", err)
				}
			}
		}, func() {
			for n := 0; !closed(done); n++ {
				r.breathe(n)
				last := ""
				for _, sel := range []string{"a", "b@latest", "c@production", "a@latest"} {
					v, err := r.tryGet(sel)
					if err != nil {
						r.fail("getting %s: %v", sel, err)
						return
					}
					if v.Text() < last {
						r.fail("%s is still %s after another prompt of its commit was seen at %s", sel, v.Text(), last)
						return
					}
					last = v.Text()
				}
			}
		}, func() {
			for n := 0; !closed(done); n++ {
				r.breathe(n)
				vs, _, err := r.s().GetMany(r.ctx, []string{"c", "a@production", "b@latest"}, stet.ReadOptions{})
				if err != nil {
					r.fail("GetMany: %v", err)
					return
				}
				if vs[0].Text() != vs[1].Text() || vs[1].Text() != vs[2].Text() {
					r.fail("GetMany mixes commits: %s %s %s", vs[0].Text(), vs[1].Text(), vs[2].Text())
					return
				}
			}
		}, func() {
			for n := 0; !closed(done); n++ {
				r.breathe(n)
				p, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{})
				if err != nil {
					r.fail("PromptsPage: %v", err)
					return
				}
				if len(p.Items) != 3 || p.Items[0].Latest != p.Items[1].Latest || p.Items[1].Current != p.Items[2].Current {
					r.fail("a page of prompts mixes commits: %+v", p.Items)
					return
				}
			}
		})
	}),
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
