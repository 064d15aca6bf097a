package transfer

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"github.com/stet-dev/stet"
)

// idPrefix begins the ids that are derived from lines; a hash in hexadecimal follows.
const idPrefix = "import-"

// An already knows which lines earlier imports have added. It finds them in the log, where
// a commit has the same derived id whoever made it. A server with keys stores an id as
// KEY/ID, so sending a line again finds only what was imported with the same key.
type already struct {
	store *stet.Store
	since uint64 // the revision before the first that counts
	keyed bool   // the store keeps this import's ids apart

	read sync.Once
	err  error
	at   map[[16]byte]uint64 // the revisions by the hashes of the ids; nothing changes it once it is read
}

// find returns the result of a commit with a derived id if an import with another key has
// applied it. Commits of this import's own key are usually not found: the store recognizes
// them when they are sent again.
func (a *already) find(ctx context.Context, c *stet.Commit) (done stet.Done, found bool, err error) {
	a.read.Do(func() { a.err = a.load(ctx) })
	hash, ok := derived(c.ID)
	if a.err != nil || !ok {
		return done, false, a.err
	}
	revision, ok := a.at[hash]
	if !ok {
		return done, false, nil
	}
	page, err := a.store.ChangesPage(ctx, revision-1, stet.ChangesOptions{Limit: 1})
	if err != nil || len(page.Items) == 0 {
		return done, false, err
	}
	ch := &page.Items[0]
	// Anybody may choose such an id, so compare the change itself.
	if !carriesOut(ch, c) {
		return done, false, nil
	}
	done = stet.Done{ID: c.ID, Revision: ch.Revision, Time: ch.Time, Replayed: true, Results: make([]stet.Result, len(ch.Ops))}
	for i, o := range ch.Ops {
		if s := o.Save; s != nil {
			done.Results[i] = stet.Result{PromptID: s.PromptID, Version: s.Version, Ordinal: s.Ordinal, Digest: s.Digest, Unchanged: s.Unchanged}
		} else {
			done.Results[i].PromptID = o.PromptID()
		}
	}
	return done, true, nil
}

// load reads the log of the present epoch.
func (a *already) load(ctx context.Context) error {
	a.at = make(map[[16]byte]uint64)
	for since := a.since; ; {
		page, err := a.store.ChangesPage(ctx, since, stet.ChangesOptions{Limit: 1000})
		if err != nil {
			return err
		}
		for i := range page.Items {
			ch := &page.Items[i]
			since = ch.Revision
			_, id, scoped := strings.Cut(ch.ID, "/")
			if !scoped {
				id = ch.ID
			}
			if hash, ok := derived(id); ok && (scoped || a.keyed) {
				a.at[hash] = ch.Revision
			}
		}
		if page.Next == "" {
			return nil
		}
	}
}

// derived returns the hash in a derived id.
func derived(id string) (hash [16]byte, ok bool) {
	digits, ok := strings.CutPrefix(id, idPrefix)
	if !ok || len(digits) != 2*len(hash) {
		return hash, false
	}
	_, err := hex.Decode(hash[:], []byte(digits))
	return hash, err == nil
}

// carriesOut reports whether a change has the operations of a commit: of the same kinds,
// on the same prompts and labels, with the same content.
func carriesOut(ch *stet.Change, c *stet.Commit) bool {
	return slices.EqualFunc(ch.Ops, c.Ops, func(did stet.ChangeOp, asked stet.Op) bool {
		if did.Kind() != asked.Kind() || did.PromptID() != asked.PromptID() {
			return false
		}
		switch {
		case asked.Save != nil:
			body, err := asked.Save.Content()
			return err == nil && did.Save.Digest == body.Digest()
		case asked.SetLabel != nil:
			return did.SetLabel.Label == asked.SetLabel.Label
		case asked.RemoveLabel != nil:
			return did.RemoveLabel.Label == asked.RemoveLabel.Label
		}
		return true
	})
}

// once sends a commit with a derived id, unless an import has applied it. A draft of a new
// prompt cannot have been imported, so a first import does not read the log.
func (im *importer) once(ctx context.Context, c *stet.Commit, mayBe bool) (stet.Done, error) {
	if mayBe {
		done, found, err := im.already.find(ctx, c)
		if found || err != nil {
			return done, err
		}
	}
	return im.store.Commit(ctx, *c)
}

// wasThere reports whether a prompt had versions before its first line. Lines of one
// prompt call it one after the other.
func (im *importer) wasThere(ctx context.Context, id string) (bool, error) {
	im.mu.Lock()
	there, ok := im.there[id]
	im.mu.Unlock()
	if ok {
		return there, nil
	}
	_, err := im.store.Head(ctx, id)
	if err != nil && stet.CodeOf(err) != stet.CodeNotFound {
		return false, err
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	im.there[id] = err == nil
	return err == nil, nil
}
