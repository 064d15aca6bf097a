// Package stet is a version store for prompts: every version is immutable, no
// number is used twice, each move of a label such as production is atomic and can
// be undone, and every change is in one ordered log, while any number of
// goroutines read and write at once.
//
// A store comes from an engine: package memory keeps it in memory, package sqlite
// in one file. Or from a server (stet serve): package client has the same store over
// HTTP, and a cache that keeps a program's prompts in its own memory. Package open
// chooses by an address, for programs that decide at run time.
//
//	store, err := sqlite.Open(ctx, "prompts.db", nil)
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
//	saved, err := store.Save(ctx, stet.Draft{PromptID: "support/triage", Text: "Sort this ticket: {{ticket}}"})
//	…
//	_, err = store.SetLabel(ctx, stet.By{Author: "ana"}, stet.SetLabel{
//		PromptID: "support/triage", Label: "production", Version: saved.Number().String(),
//	})
//	…
//	v, err := store.Get(ctx, "support/triage@production")
//	…
//	r, err := v.Render(stet.Values{Variables: map[string]string{"ticket": text}})
//
// # What it promises
//
// Each operation, a [Commit] over many prompts included, takes effect at one
// instant between its call and its return. Reads never wait for writers. A
// [Version] that was handed out never changes. What a call that succeeded has
// written survives what the engine says that it survives. A commit with an ID
// happens once, however often it is sent. All that holds through a server as well,
// but for the cache of package client, which may be behind. docs/guarantees.md says it
// engine by engine, and package drivertest checks it.
//
// # Errors
//
// Every error is an [*Error] with a [Code] for programs and a sentence for people.
// After every code but [CodeUnknown] nothing has changed. Unknown means that the
// commit may have been applied: send it again with the ID that the error has, and
// it is applied once.
//
//	var e *stet.Error
//	if errors.As(err, &e) && e.Code == stet.CodeConflict { … }
//
// # Caveats
//
//   - Numbers are never used again, even after a delete: a delete removes the text
//     and leaves a tombstone. Only [Store.Clear] lets numbers begin again, and with
//     it everything else goes.
//   - A deleted text is gone: reading at an earlier point ([ReadOptions]) finds where
//     labels stood then, but not a text that was deleted since.
//   - [Store.Save] and the methods like it make a commit ID of their own. A caller who
//     wants to send something again after a crash of its own process uses
//     [Store.Commit] with an ID that it has noted.
//   - A label in a read is looked up at that read. Two reads may see two versions;
//     [Store.GetMany] reads several references as of one revision.
//   - latest is the highest release by precedence, not the last one saved: after
//     2.0.0, a 1.9.1 is saved and latest stays 2.0.0. A pre-release is latest only
//     where there is no release.
//   - Times come from the machine's clock and order nothing; revisions do.
//   - Rendering escapes nothing. Whoever puts a rendered text into HTML or SQL escapes it.
//   - Memory grows with the number of versions, not with their texts, except in the
//     memory engine, which keeps those too.
//   - The context of a call bounds how long it waits. It does not take back a commit
//     that is being written: that ends as unknown.
package stet
