package drivertest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/stet-dev/stet"
)

var onceCases = []Case{
	storeCase("once/replay", "A commit that is sent again with its id returns the first result and changes nothing, whatever happened since.", func(r *rig) {
		ops := []stet.Op{
			op(stet.Draft{PromptID: "a", Text: "x", Labels: []string{"production"}}),
			op(stet.Draft{PromptID: "a", Text: "y"}),
			op(stet.SetLabel{PromptID: "a", Label: "production", Version: "latest"}),
		}
		c := stet.Commit{ID: "one", Author: "ana", Message: "m", Ops: ops}
		first, err := r.tryCommit(c)
		r.must(err, "committing")
		r.same("the id in the answer", first.ID, "one")
		r.label("a", "production", "1.0.0")
		r.delete("a", "1.1.0")
		r.unchanged("a commit that is sent again", func() {
			for range 3 {
				again, err := r.tryCommit(c)
				r.must(err, "sending it again")
				r.ok(again.Replayed, "it is not marked replayed")
				again.Replayed = first.Replayed
				r.same("the answer", answered(again), answered(first))
			}
		})
	}),

	storeCase("once/conflict", "An id that comes with other operations is a conflict that says where the id is.", func(r *rig) {
		base := stet.Commit{ID: "one", Author: "ana", Message: "m", Ops: []stet.Op{op(stet.Draft{
			PromptID: "a", Text: "x", Labels: []string{"l"}, Metadata: []byte(`{"a":1}`), Bump: "minor",
		})}}
		_, err := r.tryCommit(base)
		r.must(err, "committing")
		other := func(change func(d *stet.Draft)) []stet.Op {
			d := *base.Ops[0].Save
			change(&d)
			return []stet.Op{op(d)}
		}
		r.unchanged("a commit under a used id", func() {
			for what, ops := range map[string][]stet.Op{
				"another text":      other(func(d *stet.Draft) { d.Text = "y" }),
				"another prompt":    other(func(d *stet.Draft) { d.PromptID = "b" }),
				"other labels":      other(func(d *stet.Draft) { d.Labels = nil }),
				"another label":     other(func(d *stet.Draft) { d.Labels = []string{"k"} }),
				"other metadata":    other(func(d *stet.Draft) { d.Metadata = nil }),
				"another bump":      other(func(d *stet.Draft) { d.Bump = "major" }),
				"a version":         other(func(d *stet.Draft) { d.Bump, d.Version = "", "1.0.0" }),
				"an expectation":    other(func(d *stet.Draft) { d.Expect = ptr("") }),
				"if_changed":        other(func(d *stet.Draft) { d.IfChanged = true }),
				"another author":    other(func(d *stet.Draft) { d.Author = "bob" }),
				"config":            other(func(d *stet.Draft) { d.Config = []byte(`{"m":1}`) }),
				"an operation more": append(other(func(*stet.Draft) {}), op(text("c", "z"))),
				"another operation": {op(stet.Delete{PromptID: "a"})},
				"a clear":           {op(stet.Clear{})},
			} {
				c := base
				c.Ops = ops
				_, err := r.tryCommit(c)
				r.refused("the id with "+what, err, stet.CodeConflict, `"one"`, "revision 1")
			}
		})
	}),

	storeCase("once/after-conflict", "A commit keeps its answer, be it a result or a refusal, whatever else was tried under its id.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		s := r.s() // the one that refused remembers it
		commit := func(c stet.Commit) (done stet.Done, err error) {
			err = r.resolve(func() error { done, err = s.Commit(r.ctx, c); return err })
			return done, err
		}
		good := stet.Commit{ID: "good", Ops: []stet.Op{op(text("b", "x"))}}
		bad := stet.Commit{ID: "bad", Ops: []stet.Op{op(numbered("a", "1.0.0"))}}
		first, err := commit(good)
		r.must(err, "committing")
		_, err = commit(bad)
		r.refused("a commit", err, stet.CodeConflict, "a@1.0.0 exists")
		for _, c := range []stet.Commit{good, bad} {
			c.Ops = []stet.Op{op(text("c", "y"))}
			_, err := commit(c)
			r.refused("other operations under its id", err, stet.CodeConflict, "other operations")
		}
		again, err := commit(good)
		if err != nil {
			r.fail("the commit that had succeeded, sent again: %v", err)
		} else {
			r.same("its revision", again.Revision, first.Revision)
		}
		_, err = commit(bad)
		r.refused("the commit that was refused, sent again", err, stet.CodeConflict, "a@1.0.0 exists")
	}),

	storeCase("once/writing-of-json", "Operations are the same, whatever the spelling of their JSON.", func(r *rig) {
		d := stet.Draft{PromptID: "a", Text: "x", Metadata: []byte(`{"a":1,"b":2}`), Config: []byte(`{"m":1.0}`)}
		_, err := r.tryCommit(stet.Commit{ID: "one", Ops: []stet.Op{op(d)}})
		r.must(err, "committing")
		d.Metadata, d.Config = []byte("{ \"b\": 2.0, \"a\": 1 }\n"), []byte(`{"m":1}`)
		again, err := r.tryCommit(stet.Commit{ID: "one", Ops: []stet.Op{op(d)}})
		r.must(err, "sending it again, written differently")
		r.ok(again.Replayed, "it is not marked replayed")
	}),

	storeCase("once/refused", "A refused commit that is sent again is refused again, though it would be accepted by now: a delayed duplicate is not carried out when nobody waits for it.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		r.label("a", "production", "1.0.0")
		s := r.s() // the one that refused remembers it
		c := stet.Commit{ID: "swap", Ops: []stet.Op{op(stet.SetLabel{PromptID: "a", Label: "production", Version: "1.0.0", Expect: ptr("2.0.0")})}}
		commit := func(c stet.Commit) error {
			return r.resolve(func() error { _, err := s.Commit(r.ctx, c); return err })
		}
		first := commit(c)
		r.refusedOp("the swap", first, 0, stet.CodeConflict, "production is at 1.0.0")
		r.label("a", "production", "2.0.0")
		again := commit(c)
		r.refusedOp("the swap, sent again", again, 0, stet.CodeConflict, "production is at 1.0.0")
		r.same("production", r.get("a").Number(), "2.0.0")
		c.ID = "swap-again"
		r.must(commit(c), "the swap under a new id")
		c.ID, c.Ops = "swap", []stet.Op{op(stet.Delete{PromptID: "a", Version: "2.0.0"})}
		r.refused("the refused id with other operations", commit(c), stet.CodeConflict, `"swap"`)
	}),

	storeCase("once/refused-not-found", "A commit refused as not_found is refused again too.", func(r *rig) {
		s := r.s()
		c := stet.Commit{ID: "one", Ops: []stet.Op{op(stet.SetLabel{PromptID: "a", Label: "production", Version: "latest"})}}
		_, err := s.Commit(r.ctx, c)
		r.refused("a label of nothing", err, stet.CodeNotFound)
		r.saveAll("a", "1.0.0")
		_, err = s.Commit(r.ctx, c)
		r.refused("a label of what was nothing, sent again", err, stet.CodeNotFound)
		r.same("the labels", r.head("a").Labels, "map[]")
	}),

	storeCase("once/invalid", "An invalid commit uses no id: mended, it can be sent under the same one.", func(r *rig) {
		_, err := r.tryCommit(stet.Commit{ID: "one", Ops: []stet.Op{op(text2("a", "1.2", "x"))}})
		r.refused("an invalid commit", err, stet.CodeInvalid)
		_, err = r.tryCommit(stet.Commit{ID: "one", Ops: []stet.Op{op(text2("a", "1.2.0", "x"))}})
		r.must(err, "the mended commit")
	}),

	storeCase("once/concurrent", "One commit sent by many at once happens once; all get its result.", func(r *rig) {
		for round := range 10 {
			c := stet.Commit{ID: fmt.Sprint("c", round), Ops: []stet.Op{op(stet.Draft{PromptID: "a", Text: fmt.Sprint(round), Bump: "patch"})}}
			var mu sync.Mutex
			answers := map[string]bool{}
			times(8, func(int) {
				done, err := r.tryCommit(c)
				if err != nil {
					r.fail("committing: %v", err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				answers[fmt.Sprint(done.Revision, done.Results[0].Version)] = true
			})
			r.same("how many different answers there are", len(answers), 1)
			r.same("the number of versions", r.head("a").Versions, round+1)
		}
	}),

	storeCase("once/concurrent-conflict", "Of different commits under one id at once exactly one happens; the others are conflicts.", func(r *rig) {
		for round := range 10 {
			var won atomic.Int64
			times(6, func(w int) {
				_, err := r.tryCommit(stet.Commit{ID: fmt.Sprint("c", round), Ops: []stet.Op{op(text(fmt.Sprintf("p%d/%d", round, w), "x"))}})
				if err == nil {
					won.Add(1)
				} else {
					r.refused("a loser's commit", err, stet.CodeConflict, fmt.Sprintf(`"c%d"`, round))
				}
			})
			r.same("how many happened", won.Load(), 1)
			r.same("the revision", r.revision(), round+1)
		}
	}),

	storeCase("once/by", "Every call that changes something takes a commit id, and happens once for it.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0", "3.0.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "production", "2.0.0")
		for i := range 2 {
			var ch stet.LabelChange
			var n int
			r.must(r.resolve(func() (err error) {
				ch, err = r.s().Rollback(r.ctx, stet.By{CommitID: "roll"}, stet.Rollback{PromptID: "a"})
				return err
			}), "rolling back")
			r.same(fmt.Sprint("rollback ", i), move(ch), "production:2.0.0>1.0.0")
			r.must(r.resolve(func() (err error) {
				n, err = r.s().Delete(r.ctx, stet.By{CommitID: "del"}, stet.Delete{PromptID: "a", Version: "3.0.0"})
				return err
			}), "deleting")
			r.same(fmt.Sprint("delete ", i), n, 1)
		}
		r.same("production", r.get("a").Number(), "1.0.0")
		clear := func() {
			r.must(r.resolve(func() error { return r.s().Clear(r.ctx, stet.By{CommitID: "clear"}) }), "clearing")
		}
		clear()
		r.saveAll("a", "1.0.0")
		clear()
		r.same("what was saved after the clear", r.get("a").Number(), "1.0.0")
	}),

	storeCase("once/long-ago", "An id is known for as long as the log.", func(r *rig) {
		const n = 300
		for i := range n {
			_, err := r.tryCommit(stet.Commit{ID: fmt.Sprint("c", i), Ops: []stet.Op{op(stet.Delete{PromptID: "none"})}})
			r.must(err, "committing")
		}
		for i := range n {
			done, err := r.tryCommit(stet.Commit{ID: fmt.Sprint("c", i), Ops: []stet.Op{op(stet.Delete{PromptID: "none"})}})
			r.must(err, "sending it again")
			r.same("the revision", done.Revision, i+1)
		}
		r.same("the newest revision", r.revision(), n)
	}),
}

// answered returns the answer to a commit, but for the revisions that its versions were
// read at.
func answered(d stet.Done) string {
	versions := ""
	for _, v := range d.Versions {
		versions += string(v.AppendJSON(nil))
	}
	d.Versions = nil
	return fmt.Sprintf("%+v %s", d, versions)
}
