package drivertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stet-dev/stet"
)

var saveCases = []Case{
	storeCase("save/first-is-1.0.0", "The first number of a prompt is 1.0.0, its first ordinal 1.", func(r *rig) {
		s := r.save(text("a", "hello"))
		r.same("the first number", s.Number(), "1.0.0")
		r.same("the first ordinal", s.Ordinal(), 1)
		r.same("its bump", s.Bump, "")
		r.ok(!s.Unchanged, "a new version is marked unchanged")
		r.ok(s.CommitID != "", "the answer to a save has no commit id")
		r.same("its revision", s.Revision(), 1)
	}),

	storeCase("save/what-was-given", "A version has everything that its draft gave, byte for byte.", func(r *rig) {
		at := time.Date(2020, 2, 3, 4, 5, 6, 789_123_000, time.UTC)
		r.save(text("base", "one"))
		d := stet.Draft{
			PromptID: "support/triage", Text: " Dear {{name}},\r\n\ttext \u00e9 e\u0301 \U0001F600 \uFFFD \uFEFF \n",
			Config: json.RawMessage(`{"model":"m","temperature":0.5}`), Version: "3.2.1-rc.1", Labels: []string{"production", "staging"},
			Metadata: json.RawMessage(`{"b":1,"a":[true,null]}`), Parents: []string{"base@1.0.0"},
			Author: "Zoë", Message: "why\nnot", CreatedAt: at,
		}
		s := r.save(d)
		for _, v := range []stet.Version{s.Version, r.get("support/triage"), r.get("support/triage@3.2.1-rc.1")} {
			r.same("the id", v.PromptID(), d.PromptID)
			r.same("the text", v.Text(), d.Text)
			r.same("the type", v.Type(), "text")
			r.same("the number", v.Number(), d.Version)
			r.same("the config", v.Content().Config(), `{"model":"m","temperature":0.5}`)
			r.same("the template", v.Content().Template(), "{{}}")
			r.same("the metadata", v.Metadata(), `{"a":[true,null],"b":1}`)
			r.same("the parents", slices.Collect(v.Parents()), "[base@1.0.0]")
			r.same("the author", v.Author(), "Zoë")
			r.same("the message", v.Message(), "why\nnot")
			r.same("created_at", v.CreatedAt(), at)
			r.same("the variables", slices.Collect(v.Variables()), "[name]")
			r.same("the ordinal", v.Ordinal(), 1)
			r.same("the revision", v.Revision(), 2)
		}
	}),

	storeCase("save/chat", "Messages are kept, with the fields that stet does not know, in order.", func(r *rig) {
		in := `[{"role":"system","content":"You are {{who}}"},{"type":"placeholder","name":"history"},` +
			`{"role":"user","content":[{"type":"text","text":"{{q}}"},{"type":"image","url":"u"}],"cache":{"ttl":1}}]`
		r.save(stet.Draft{PromptID: "a", Messages: json.RawMessage(in)})
		v := r.get("a")
		r.same("the type", v.Type(), "chat")
		r.same("the text of a chat", v.Text(), "")
		r.same("the variables", slices.Collect(v.Variables()), "[q who]")
		r.same("the placeholders", slices.Collect(v.Content().Placeholders()), "[history]")
		var got, want any
		r.must(json.Unmarshal([]byte(v.Content().Messages()), &got), "the messages are JSON")
		r.must(json.Unmarshal([]byte(in), &want), "the draft is JSON")
		r.same("the messages", got, want)
	}),

	storeCase("save/author-of-the-commit", "Author and message of a version are the commit's unless its draft gives them.", func(r *rig) {
		_, err := r.tryCommit(stet.Commit{Author: "ana", Message: "both", Ops: []stet.Op{
			op(text("a", "x")), op(stet.Draft{PromptID: "b", Text: "y", Author: "bob", Message: "mine"}),
		}})
		r.must(err, "committing")
		a, b := r.get("a"), r.get("b")
		r.same("what a says", a.Author()+" "+a.Message(), "ana both")
		r.same("what b says", b.Author()+" "+b.Message(), "bob mine")
	}),

	storeCase("save/number-taken", "Save under a number that is used is a conflict that names what stands there, and changes nothing.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.unchanged("a refused save", func() {
			_, err := r.trySave(text2("a", "1.0.0", "other"))
			r.refused("saving 1.0.0 again", err, stet.CodeConflict, "a@1.0.0", "exists", "revision 1", "sha256:")
			_, err = r.trySave(numbered("a", "1.0.0"))
			r.refused("saving 1.0.0 again with the same text", err, stet.CodeConflict, "a@1.0.0")
		})
	}),

	storeCase("save/number-never-reused", "A number is never used again: after a delete, a save under it is a conflict that says at which revision it was deleted.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0")
		r.same("deleted", r.delete("a", "1.1.0"), 1)
		_, err := r.trySave(numbered("a", "1.1.0"))
		r.refused("saving 1.1.0 after its delete", err, stet.CodeConflict, "1.1.0 was deleted at revision 3", "never used again")
		r.delete("a", "")
		_, err = r.trySave(numbered("a", "1.0.0"))
		r.refused("saving 1.0.0 after the prompt's delete", err, stet.CodeConflict, "1.0.0 was deleted at revision 4")
		_, err = r.trySave(numbered("a", "1.1.0"))
		r.refused("saving 1.1.0 after both deletes", err, stet.CodeConflict, "1.1.0 was deleted at revision 3")
	}),

	storeCase("save/ordinal", "Ordinals count the saves of a prompt, whatever the numbers; a deleted one is not used again.", func(r *rig) {
		for i, v := range []string{"2.0.0", "1.0.0", "1.5.0-rc.1", "9.9.9"} {
			r.same("the ordinal of "+v, r.save(numbered("a", v)).Ordinal(), i+1)
		}
		r.delete("a", "9.9.9")
		r.same("the ordinal after a delete", r.save(numbered("a", "10.0.0")).Ordinal(), 5)
		r.delete("a", "")
		r.same("the ordinal after the prompt's delete", r.save(numbered("a", "11.0.0")).Ordinal(), 6)
		r.same("the first ordinal of another prompt", r.save(text("b", "x")).Ordinal(), 1)
	}),

	storeCase("save/lower-number", "A number below the others can be saved at any time; latest stays the highest release.", func(r *rig) {
		r.saveAll("a", "2.0.0", "1.0.0", "0.9.0", "1.5.0")
		r.same("latest", r.get("a@latest").Number(), "2.0.0")
		r.same("the list", r.numbers("a", stet.ListOptions{}), "[2.0.0 1.5.0 1.0.0 0.9.0]")
	}),

	storeCase("save/if-changed", "if_changed: a content equal to latest's adds nothing and returns latest, marked unchanged.", func(r *rig) {
		first := r.save(text("a", "x"))
		d := text("a", "x")
		d.IfChanged, d.Author, d.Metadata = true, "other", json.RawMessage(`{"n":1}`)
		s := r.save(d)
		r.ok(s.Unchanged, "the same content is not marked unchanged")
		r.same("the number", s.Number(), "1.0.0")
		r.same("the ordinal", s.Ordinal(), 1)
		r.same("the revision of the version", s.Revision(), first.Revision())
		r.same("the author", s.Author(), "")
		r.same("the number of versions", r.head("a").Versions, 1)
		d.Text = "y"
		s = r.save(d)
		r.ok(!s.Unchanged, "a new content is marked unchanged")
		r.same("the number of a new content", s.Number(), "1.1.0")
		d.Text = "x" // the content of an older version, not of latest
		s = r.save(d)
		r.ok(!s.Unchanged, "if_changed compares with a version that is not latest")
		r.same("the number of the old content, again", s.Number(), "1.2.0")
		d.Version = "7.0.0" // unchanged comes before the number
		r.ok(r.save(d).Unchanged, "if_changed with a number adds a version")
		d.PromptID = "new"
		r.ok(!r.save(d).Unchanged, "the first version of a prompt is marked unchanged")
	}),

	storeCase("save/if-changed-digest", "Contents are equal if their canonical forms are: the spelling of the JSON does not count, config and template do.", func(r *rig) {
		d := stet.Draft{PromptID: "a", Text: "x", Config: json.RawMessage(`{"a":1,"b":2.0}`), IfChanged: true}
		r.save(d)
		d.Config = json.RawMessage(` { "b" : 2, "a" : 1e0 } `)
		r.ok(r.save(d).Unchanged, "the same config, written differently, adds a version")
		d.Config = json.RawMessage(`{"a":1,"b":3}`)
		r.ok(!r.save(d).Unchanged, "another config adds no version")
		d.Template = "none"
		r.ok(!r.save(d).Unchanged, "another template adds no version")
	}),

	storeCase("save/if-changed-labels", "An unchanged save still moves its labels, and is in the log.", func(r *rig) {
		r.save(text("a", "x"))
		done := r.commit(op(stet.Draft{PromptID: "a", Text: "x", IfChanged: true, Labels: []string{"production"}}))
		r.ok(done.Results[0].Unchanged, "it is not marked unchanged")
		r.same("its revision", done.Revision, 2)
		r.same("what moved", move(done.Results[0].Labels[0]), "production:>1.0.0")
		r.same("production", r.get("a@production").Number(), "1.0.0")
		done = r.commit(op(stet.Draft{PromptID: "a", Text: "x", IfChanged: true}))
		r.same("the revision of one that changes nothing", done.Revision, 3)
		r.same("the newest revision", r.revision(), 3)
	}),

	storeCase("save/labels", "A draft's labels move to the new version in the same step.", func(r *rig) {
		r.save(stet.Draft{PromptID: "a", Text: "x", Labels: []string{"production", "staging"}})
		done := r.commit(op(stet.Draft{PromptID: "a", Text: "y", Labels: []string{"production"}}))
		r.same("what moved", move(done.Results[0].Labels[0]), "production:1.0.0>1.1.0")
		r.same("the labels", r.head("a").Labels, "map[production:1.1.0 staging:1.0.0]")
		r.same("the history", r.moves("a", "production"), "[1.0.0>1.1.0 >1.0.0]")
	}),

	storeCase("save/concurrent", "Every save that succeeds is there afterwards; no two get one number, however many save at once.", func(r *rig) {
		const writers, each = 16, 12
		got := make([][]stet.Saved, writers)
		times(writers, func(w int) {
			for i := range each {
				s, err := r.trySave(stet.Draft{PromptID: "a", Text: fmt.Sprint(w, " ", i), Bump: "patch"})
				if err != nil {
					r.fail("writer %d: %v", w, err)
					return
				}
				got[w] = append(got[w], s)
			}
		})
		numbers, ordinals := map[string]string{}, map[uint64]bool{}
		for _, s := range slices.Concat(got...) {
			n := s.Number().String()
			r.ok(numbers[n] == "", "two saves got %s", n)
			r.ok(!ordinals[s.Ordinal()], "two saves got the ordinal %d", s.Ordinal())
			numbers[n], ordinals[s.Ordinal()] = s.Text(), true
		}
		listed := 0
		for v, err := range r.s().List(r.ctx, "a", stet.ListOptions{}) {
			r.must(err, "listing")
			r.same("the text of "+v.Number().String(), v.Text(), numbers[v.Number().String()])
			listed++
		}
		r.same("the number of versions", listed, writers*each)
		r.same("latest", r.get("a@latest").Number(), fmt.Sprintf("1.0.%d", writers*each-1))
	}),

	storeCase("save/one-winner", "Of many saves under one number at once, exactly one succeeds, and the others are conflicts.", func(r *rig) {
		for round := range 10 {
			number := fmt.Sprintf("1.%d.0", round)
			var mu sync.Mutex
			var won []string
			times(8, func(w int) {
				s, err := r.trySave(text2("a", number, fmt.Sprint("by ", w)))
				if err != nil {
					r.refused("a loser's save", err, stet.CodeConflict, number)
					return
				}
				mu.Lock()
				won = append(won, s.Text())
				mu.Unlock()
			})
			r.same("the texts of the winners of "+number, strings.Join(won, ","), r.get("a@"+number).Text())
		}
	}),
}

// text2 is a draft of a text under a number.
func text2(id, version, s string) stet.Draft {
	return stet.Draft{PromptID: id, Version: version, Text: s}
}
