// Package stet is a version store for prompts: every version is immutable, no
// number is used twice, each move of a label such as production is atomic and can
// be undone, and every change is in one ordered log, while any number of
// goroutines read and write at once.
//
// An engine opens a store: package memory keeps it in memory, package sqlite in one
// file. Package client opens the store of a server (stet serve) over HTTP, and has a
// cache that keeps a program's prompts in its own memory. Package open chooses by
// address, for programs that learn at run time where their store is.
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
// [Version] never changes after it was returned. When a call that writes has
// succeeded, the write is as durable as the engine promises. A commit with an ID
// happens once, however often it is sent. The same holds through a server, except
// that the cache of package client may lag behind. docs/guarantees.md has the exact
// words for each engine, and package drivertest checks them.
//
// # Errors
//
// Every error is an [*Error] with a [Code] for programs and a sentence for people.
// If the code is not [CodeUnknown], nothing has changed. Unknown means that the
// commit may have been applied: send it again with the error's CommitID, and it is
// applied once.
//
//	var e *stet.Error
//	if errors.As(err, &e) && e.Code == stet.CodeConflict { … }
//
// # Caveats
//
//   - Numbers are never used again, even after a delete: a delete removes the text
//     and leaves a tombstone. Only [Store.Clear] lets numbers begin again, and with
//     it everything else goes.
//   - A deleted text is gone: a read of the past ([ReadOptions]) finds where labels
//     pointed then, but not a text that was deleted since.
//   - [Store.Save] makes its own commit ID. A program that must be able to repeat a
//     save after it has crashed records an ID first, and calls [Store.Commit] with it.
//   - Each read looks labels up anew, so two reads may see two versions.
//     [Store.GetMany] reads several references as of one revision.
//   - latest is the highest release by precedence, not the last one saved: after
//     2.0.0, a 1.9.1 is saved and latest stays 2.0.0. A pre-release is latest only
//     where there is no release.
//   - Times come from the machine's clock and order nothing; revisions do.
//   - Rendering escapes nothing. Whoever puts a rendered text into HTML or SQL escapes it.
//   - Memory grows with the number of versions, not with their texts, except in the
//     memory engine, which keeps those too.
//   - The context of a call bounds how long it waits. It does not cancel a commit that
//     is being written: the call then fails with the code unknown.
package stet
