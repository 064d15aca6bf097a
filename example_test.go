package stet_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/memory"
)

// newStore opens a store for an example.
func newStore() *stet.Store {
	store, err := memory.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	return store
}

// save saves a text and lets the store choose the number.
func save(store *stet.Store, id, text string) stet.Saved {
	saved, err := store.Save(context.Background(), stet.Draft{PromptID: id, Text: text})
	if err != nil {
		log.Fatal(err)
	}
	return saved
}

func setLabel(store *stet.Store, id, label, version, author string) {
	by := stet.By{Author: author}
	if _, err := store.SetLabel(context.Background(), by, stet.SetLabel{PromptID: id, Label: label, Version: version}); err != nil {
		log.Fatal(err)
	}
}

// expect is for the Expect of drafts and labels.
func expect(version string) *string { return &version }

func Example() {
	ctx := context.Background()
	store, err := memory.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	saved, err := store.Save(ctx, stet.Draft{PromptID: "support/triage", Text: "Sort this ticket: {{ticket}}"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("saved", saved.Ref())

	v, err := store.Get(ctx, "support/triage")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Text())
	// Output:
	// saved support/triage@1.0.0
	// Sort this ticket: {{ticket}}
}

func ExampleStore_Get() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	save(store, "greeting", "Hello.")
	save(store, "greeting", "Good morning.")
	setLabel(store, "greeting", "production", "1.0.0", "ana")

	for _, ref := range []string{"greeting", "greeting@latest", "greeting@1.0.0", "greeting@^1", "greeting@#2", "greeting@prod"} {
		v, err := store.Get(ctx, ref)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s is %s: %s\n", ref, v.Number(), v.Text())
	}
	// Output:
	// greeting is 1.0.0: Hello.
	// greeting@latest is 1.1.0: Good morning.
	// greeting@1.0.0 is 1.0.0: Hello.
	// greeting@^1 is 1.1.0: Good morning.
	// greeting@#2 is 1.1.0: Good morning.
	// not_found: greeting has no label "prod". Labels: production → 1.0.0. Did you mean production?
}

// The store chooses the number in the same step in which it saves, by how the
// content differs from latest: no two savers get the same one.
func ExampleStore_Save_bump() {
	store := newStore()
	defer store.Close()
	for _, text := range []string{
		"Greet {{name}}.",
		"Greet {{name}} warmly.",
		"Greet  {{name}} warmly.",
		"Greet {{name}} of {{town}}.",
	} {
		s := save(store, "greeting", text)
		fmt.Printf("%s %q %q\n", s.Number(), s.Bump, s.Reason)
	}
	// Output:
	// 1.0.0 "" ""
	// 1.1.0 "minor" "text changed"
	// 1.1.1 "patch" "only white space changed"
	// 2.0.0 "major" "variable {{town}} is new"
}

// Sixty-four goroutines save at once; each gets a number of its own.
func ExampleStore_Save_concurrent() {
	store := newStore()
	defer store.Close()
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() { save(store, "candidates", fmt.Sprintf("candidate %d", i)) })
	}
	all.Wait()
	head, err := store.Head(context.Background(), "candidates")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(head.Versions, "versions, latest is", head.Latest)
	// Output: 64 versions, latest is 1.63.0
}

// Two authors start from 1.0.0. Who is second is told, instead of burying what
// the first one wrote.
func ExampleStore_Save_expect() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	save(store, "greeting", "Hello.")

	for _, text := range []string{"Hello from ana.", "Hello from ben."} {
		s, err := store.Save(ctx, stet.Draft{PromptID: "greeting", Text: text, Expect: expect("1.0.0")})
		if stet.CodeOf(err) == stet.CodeConflict {
			fmt.Println(err)
			continue
		}
		fmt.Println("saved", s.Number())
	}
	// Output:
	// saved 1.1.0
	// conflict: latest of greeting is 1.1.0 (saved at revision 2), not 1.0.0. Nothing changed. See: stet diff greeting 1.0.0 1.1.0
}

// A label moves and moves back; each move is one commit.
func ExampleStore_Rollback() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	save(store, "greeting", "Hello.")
	save(store, "greeting", "Good morning.")
	setLabel(store, "greeting", "production", "1.0.0", "ana")
	setLabel(store, "greeting", "production", "1.1.0", "ben")

	moved, err := store.Rollback(ctx, stet.By{Author: "ana", Message: "it was evening"}, stet.Rollback{PromptID: "greeting"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(moved.Label, "went from", moved.From, "to", moved.To)

	v, err := store.Get(ctx, "greeting@production")
	fmt.Println(v.Text(), err)
	// Output:
	// production went from 1.1.0 to 1.0.0
	// Hello. <nil>
}

// Expect makes a label compare-and-swap.
func ExampleStore_SetLabel_expect() {
	store := newStore()
	defer store.Close()
	save(store, "greeting", "Hello.")
	save(store, "greeting", "Good morning.")
	setLabel(store, "greeting", "production", "1.1.0", "ana")

	_, err := store.SetLabel(context.Background(), stet.By{Author: "ben"}, stet.SetLabel{
		PromptID: "greeting", Label: "production", Version: "1.0.0", Expect: expect(""),
	})
	fmt.Println(stet.CodeOf(err))
	// Output: conflict
}

// Two prompts that belong together change together: no reader ever sees one of
// them new and the other old.
func ExampleStore_Commit() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	done, err := store.Commit(ctx, stet.Commit{
		Author: "ana", Message: "plan and answer in French",
		Ops: []stet.Op{
			{Save: &stet.Draft{PromptID: "agent/plan", Text: "Planifie : {{task}}", Labels: []string{"production"}}},
			{Save: &stet.Draft{PromptID: "agent/answer", Text: "Réponds : {{plan}}", Labels: []string{"production"}}},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range done.Results {
		fmt.Println(r.PromptID, r.Version)
	}
	both, _, err := store.GetMany(ctx, []string{"agent/plan@production", "agent/answer@production"}, stet.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("both as of revision", both[0].AsOf(), "and", both[1].AsOf())

	// All or nothing: the second operation is refused, so the first does not happen.
	_, err = store.Commit(ctx, stet.Commit{Ops: []stet.Op{
		{Delete: &stet.Delete{PromptID: "agent/plan", Force: true}},
		{Delete: &stet.Delete{PromptID: "agent/answer"}},
	}})
	var e *stet.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code, "in operation", e.Op)
	}
	_, err = store.Get(ctx, "agent/plan")
	fmt.Println("still there:", err == nil)
	// Output:
	// agent/plan 1.0.0
	// agent/answer 1.0.0
	// both as of revision 1 and 1
	// conflict in operation 1
	// still there: true
}

// A commit with an ID happens once, however often it is sent: after a time-out,
// after a crash, by two workers at once.
func ExampleStore_Commit_exactlyOnce() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	commit := stet.Commit{ID: "nightly-2026-01-02", Ops: []stet.Op{
		{Save: &stet.Draft{PromptID: "report", Text: "Summarize {{day}}."}},
	}}
	for range 3 {
		done, err := store.Commit(ctx, commit)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(done.Results[0].Version, "replayed:", done.Replayed)
	}
	commit.Ops[0].Save.Text = "Summarize something else."
	_, err := store.Commit(ctx, commit)
	fmt.Println(stet.CodeOf(err))
	// Output:
	// 1.0.0 replayed: false
	// 1.0.0 replayed: true
	// 1.0.0 replayed: true
	// conflict
}

func ExampleStore_History() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	save(store, "greeting", "Hello.")
	save(store, "greeting", "Good morning.")
	setLabel(store, "greeting", "production", "1.0.0", "ana")
	setLabel(store, "greeting", "production", "1.1.0", "ben")

	for m, err := range store.History(ctx, "greeting", "production", stet.HistoryOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("revision %d: %s moved it from %q to %q\n", m.Revision, m.Author, m.From, m.To)
	}
	// Output:
	// revision 4: ben moved it from "1.0.0" to "1.1.0"
	// revision 3: ana moved it from "" to "1.0.0"
}

// What did production say on Tuesday?
func ExampleStore_Get_past() {
	ctx := context.Background()
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) // a Monday
	store, err := memory.Open(&core.Options{Now: func() time.Time { now = now.Add(24 * time.Hour); return now }})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	for _, text := range []string{"Tuesday's text.", "Wednesday's text."} {
		if _, err := store.Save(ctx, stet.Draft{PromptID: "greeting", Text: text, Labels: []string{"production"}}); err != nil {
			log.Fatal(err)
		}
	}
	v, err := store.Get(ctx, "greeting@production", stet.ReadOptions{At: stet.Point{Time: time.Date(2026, 1, 6, 23, 0, 0, 0, time.UTC)}})
	fmt.Println(v.Text(), err)
	v, err = store.Get(ctx, "greeting@production", stet.ReadOptions{At: stet.Point{Revision: 2}})
	fmt.Println(v.Text(), err)
	// Output:
	// Tuesday's text. <nil>
	// Wednesday's text. <nil>
}

// Changes gives what has happened and goes on with what happens: nothing is
// missing and nothing comes twice.
func ExampleStore_Changes() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	store := newStore()
	defer store.Close()
	save(store, "greeting", "Hello.")
	setLabel(store, "greeting", "production", "1.0.0", "ana")

	for c, err := range store.Changes(ctx, 0, stet.ChangesOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		switch op := c.Ops[0]; {
		case op.Save != nil:
			fmt.Println(c.Revision, "saved", op.Save.PromptID, op.Save.Version)
		case op.SetLabel != nil:
			fmt.Println(c.Revision, "set", op.SetLabel.Label, "to", op.SetLabel.To, "by", c.Author)
		case op.Delete != nil:
			fmt.Println(c.Revision, "deleted", op.Delete.PromptID, op.Delete.Version)
			return
		}
		if c.Revision == 2 { // from here on it is live
			if _, err := store.Delete(ctx, stet.By{}, stet.Delete{PromptID: "greeting", Version: "1.0.0", Force: true}); err != nil {
				log.Fatal(err)
			}
		}
	}
	// Output:
	// 1 saved greeting 1.0.0
	// 2 set production to 1.0.0 by ana
	// 3 deleted greeting 1.0.0
}

// A missing variable is an error and never a blank.
func ExampleVersion_Render() {
	store := newStore()
	defer store.Close()
	v := save(store, "greeting", "Hello {{name}} of {{town}}. A brace: {{ }}.")

	r, err := v.Render(stet.Values{Variables: map[string]string{"name": "<Ana>", "town": "Graz"}})
	fmt.Println(r.Text(), err)
	_, err = v.Render(stet.Values{Variables: map[string]string{"name": "Ana"}})
	fmt.Println(stet.CodeOf(err))
	// Output:
	// Hello <Ana> of Graz. A brace: {{ }}. <nil>
	// invalid
}

func ExampleStore_ListPage() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	for i := range 5 {
		save(store, "greeting", fmt.Sprintf("Hello %d.", i))
	}
	o := stet.ListOptions{Limit: 2}
	for {
		page, err := store.ListPage(ctx, "greeting", o)
		if err != nil {
			log.Fatal(err)
		}
		for _, v := range page.Items {
			fmt.Print(v.Number(), " ")
		}
		fmt.Println("as of", page.AsOf)
		if page.Next == "" {
			break
		}
		o.Cursor = page.Next
	}
	// Output:
	// 1.4.0 1.3.0 as of 5
	// 1.2.0 1.1.0 as of 5
	// 1.0.0 as of 5
}

func ExampleStore_Prompts() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	save(store, "support/triage", "Sort this.")
	save(store, "support/answer", "Answer this.")
	save(store, "sales/pitch", "Sell this.")
	for head, err := range store.Prompts(ctx, stet.PromptsOptions{Prefix: "support/"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(head.PromptID, head.Latest)
	}
	// Output:
	// support/answer 1.0.0
	// support/triage 1.0.0
}

// A number that was used is never used again, so no cache anywhere serves the
// wrong text for it.
func ExampleStore_Delete() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	save(store, "greeting", "Hello.")
	save(store, "greeting", "Good morning.")

	n, err := store.Delete(ctx, stet.By{}, stet.Delete{PromptID: "greeting", Version: "1.1.0"})
	fmt.Println("deleted", n, err)
	fmt.Println("next is", save(store, "greeting", "Good evening.").Number())
	_, err = store.Save(ctx, stet.Draft{PromptID: "greeting", Text: "Good night.", Version: "1.1.0"})
	fmt.Println(err)
	// Output:
	// deleted 1 <nil>
	// next is 1.2.0
	// conflict: greeting@1.1.0 was deleted at revision 3; numbers are never used again. Nothing changed. Give a higher version, or a bump and let the store choose.
}
