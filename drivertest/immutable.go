package drivertest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stet-dev/stet"
)

// scribble overwrites bytes.
func scribble(b []byte) {
	for i := range b {
		b[i] = '!'
	}
}

var immutableCases = []Case{
	storeCase("immutable/what-was-given", "What a caller passed in may be changed after the call: the store keeps its own.", func(r *rig) {
		messages := []byte(`[{"role":"user","content":"hello"}]`)
		d := stet.Draft{
			PromptID: "a", Messages: messages, Config: []byte(`{"model":"m"}`), Metadata: []byte(`{"k":"v"}`),
			Labels: []string{"production", "staging"}, Expect: ptr(""),
		}
		r.saveAll("p", "1.0.0", "2.0.0")
		d.Parents = []string{"p@1.0.0", "p@2.0.0"}
		saved := r.save(d)
		before := r.state()
		json1 := string(saved.AppendJSON(nil))
		scribble(d.Messages)
		scribble(d.Config)
		scribble(d.Metadata)
		d.Labels[0], d.Parents[0], *d.Expect = "evil", "evil@1.0.0", "9.9.9"
		r.same("the state", r.state(), before)
		r.same("the answer to the save", string(saved.AppendJSON(nil)), json1)
		r.same("the messages", r.get("a").Content().Messages(), `[{"content":"hello","role":"user"}]`)
		r.same("the parents", slices.Collect(r.get("a").Parents()), "[p@1.0.0 p@2.0.0]")
	}),

	storeCase("immutable/commit-given", "The operations of a commit may be changed after the call: a commit that is sent again is held against what was sent.", func(r *rig) {
		build := func() stet.Commit {
			return stet.Commit{ID: "one", Ops: []stet.Op{
				op(stet.Draft{PromptID: "a", Text: "x", Labels: []string{"production"}, Metadata: []byte(`{"k":1}`)}),
				op(stet.SetLabel{PromptID: "a", Label: "staging", Version: "1.0.0", Expect: ptr("")}),
			}}
		}
		c := build()
		_, err := r.tryCommit(c)
		r.must(err, "committing")
		c.Ops[0].Save.Labels[0], c.Ops[0].Save.PromptID, c.Ops[1].SetLabel.Label = "evil", "evil", "evil"
		*c.Ops[1].SetLabel.Expect = "7.7.7"
		scribble(c.Ops[0].Save.Metadata)
		c.Ops[1] = op(stet.Clear{})
		again, err := r.tryCommit(build())
		r.must(err, "sending it again")
		r.ok(again.Replayed, "it is not marked replayed")
		r.same("the labels", r.head("a").Labels, "map[production:1.0.0 staging:1.0.0]")
	}),

	needing(NeedLog, "immutable/given-up", "What a caller passed in may be changed even after a call that was given up: what is decided later, is decided on what was given.", func(r *rig) {
		g := r.gate()
		r.saveAll("a", "1.0.0")
		h := g.hold(lostBefore) // decided again after that
		ctx, cancel := context.WithCancel(r.ctx)
		c := stet.Commit{ID: "one", Ops: []stet.Op{
			op(stet.Draft{PromptID: "a", Text: "x", Bump: "minor", Labels: []string{"production"}}),
			op(stet.SetLabel{PromptID: "a", Label: "staging", Version: "latest"}),
		}}
		answer := r.pending(ctx, c)
		r.entered(h, answer)
		cancel()
		out := <-answer
		r.refused("the commit that was given up", out.err, stet.CodeUnknown)
		c.Ops[0].Save.Labels[0], c.Ops[0].Save.IfChanged, c.Ops[1].SetLabel.Label = "evil", true, "evil2"
		h.let()
		again, err := r.tryCommit(stet.Commit{ID: "one", Ops: []stet.Op{
			op(stet.Draft{PromptID: "a", Text: "x", Bump: "minor", Labels: []string{"production"}}),
			op(stet.SetLabel{PromptID: "a", Label: "staging", Version: "latest"}),
		}})
		r.must(err, "sending it again")
		r.same("the revision", again.Revision, 2)
		r.same("the labels", r.head("a").Labels, "map[production:1.1.0 staging:1.1.0]")
	}),

	storeCase("immutable/what-was-got", "What a caller got may be changed: no other caller, and no later call, sees it.", func(r *rig) {
		r.save(stet.Draft{PromptID: "a", Text: "x", Labels: []string{"production", "staging"}})
		r.saveAll("a", "7.0.0")
		r.label("a", "production", "7.0.0")
		c := stet.Commit{ID: "one", Ops: []stet.Op{op(stet.Draft{PromptID: "a", Text: "y", Labels: []string{"production"}}), op(stet.Delete{PromptID: "a", Version: "7.0.0"})}}
		done, err := r.tryCommit(c)
		r.must(err, "committing")
		before := r.state()

		head := r.head("a")
		head.Labels["production"], head.Labels["evil"] = stet.NewNumber(9, 9, 9), stet.NewNumber(1, 0, 0)
		page, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{})
		r.must(err, "the prompts")
		clear(page.Items[0].Labels)
		page.Items[0] = stet.Head{}
		list, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{})
		r.must(err, "the versions")
		clear(list.Items)
		moves, err := r.s().HistoryPage(r.ctx, "a", "", stet.HistoryOptions{})
		r.must(err, "the moves")
		clear(moves.Items)
		many, _, err := r.s().GetMany(r.ctx, []string{"a", "a@1.0.0"}, stet.ReadOptions{})
		r.must(err, "GetMany")
		clear(many)
		changes := r.follow(r.s(), 0, done.Revision, stet.ChangesOptions{Texts: true})
		for i := range changes {
			for j := range changes[i].Ops {
				if s := changes[i].Ops[j].Save; s != nil {
					clear(s.Labels)
					s.PromptID = "evil"
				}
				changes[i].Ops[j] = stet.ChangeOp{}
			}
		}
		want := fmt.Sprintf("%+v", done.Results)
		first := done.Results[0].Labels[0]
		done.Results[0].Labels[0].Label = "evil"
		done.Results[1] = stet.Result{}
		r.same("the state", r.state(), before)
		again, err := r.tryCommit(c)
		r.must(err, "sending it again")
		r.same("the results", fmt.Sprintf("%+v", again.Results), want)
		r.same("the label", move(again.Results[0].Labels[0]), move(first))
		fresh := r.follow(r.s(), 0, done.Revision, stet.ChangesOptions{})
		r.same("the number of changes", len(fresh), done.Revision)
		r.ok(len(fresh) > 0 && fresh[0].Ops[0].Save != nil, "the changes are what a caller made of them")
	}),

	storeCase("immutable/version", "A version does not change under its holder: not by saves, moves, deletes or a clear.", func(r *rig) {
		r.save(stet.Draft{PromptID: "a", Text: "x {{v}}", Labels: []string{"production"}, Metadata: []byte(`{"k":[1]}`), Author: "ana"})
		v := r.get("a")
		before, asOf := string(v.AppendJSON(nil)), v.AsOf()
		check := func(after string) {
			r.same("the version after "+after, string(v.AppendJSON(nil)), before)
			r.same("its AsOf after "+after, v.AsOf(), asOf)
		}
		r.saveAll("a", "2.0.0")
		check("a save")
		r.label("a", "production", "2.0.0")
		check("a move")
		r.delete("a", "1.0.0")
		check("its delete")
		r.clear()
		r.save(text("a", "other"))
		check("a clear")
		var fromJSON map[string]any
		r.must(json.Unmarshal([]byte(before), &fromJSON), "its JSON")
		b, err := v.MarshalJSON()
		r.must(err, "MarshalJSON")
		scribble(b)
		check("a change of its JSON")
	}),

	storeCase("immutable/same-answer", "Reading a version twice gives the same, byte for byte, from whatever it is read.", func(r *rig) {
		s := r.save(stet.Draft{PromptID: "a", Text: "x", Config: []byte(`{"n":1.50}`), Metadata: []byte(`{"k":"\u00e9"}`), Message: "m"})
		want := string(s.AppendJSON(nil))
		r.same("Get", string(r.get("a").AppendJSON(nil)), want)
		r.same("Get by number", string(r.get("a@1.0.0").AppendJSON(nil)), want)
		r.same("Get by ordinal", string(r.get("a@#1").AppendJSON(nil)), want)
		p, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{})
		r.must(err, "the list")
		r.same("List", string(p.Items[0].AppendJSON(nil)), want)
		v, err := r.s().Get(r.ctx, "a", stet.ReadOptions{At: stet.Point{Revision: 1}})
		r.must(err, "Get of the past")
		r.same("Get of the past", string(v.AppendJSON(nil)), want)
		ch := r.follow(r.s(), 0, 1, stet.ChangesOptions{Texts: true})
		if len(ch) == 1 && ch[0].Ops[0].Save.Content != nil {
			r.same("Changes", string(ch[0].Ops[0].Save.Content.AppendJSON(nil)), want)
		} else {
			r.fail("Changes have no text")
		}
	}),
}
