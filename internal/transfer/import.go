package transfer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"github.com/stet-dev/stet"
)

// ImportOptions choose how lines are imported. The zero value is usable.
type ImportOptions struct {
	// Author is the author of drafts, and of commits that name none. It is part of what a
	// commit does: to import the same lines again with another author is a conflict.
	Author string
	// Keyed says that the store is at a server and is used with a key. Such a server keeps
	// the ids of this import's commits apart from those of other keys.
	Keyed bool
	// Progress, if not nil, is called after each line that was read, with the
	// number of lines and bytes so far.
	Progress func(lines int, bytes int64)
}

// A Summary says what an import did.
type Summary struct {
	Lines    int `json:"lines"`    // in the store now, old and new
	Prompts  int `json:"prompts"`  // of these lines
	Versions int `json:"versions"` // added
	Changes  int `json:"changes"`  // other operations applied: deletes, moves of labels
	// Unchanged is how many saves with if_changed or if_new found nothing to add.
	Unchanged int `json:"unchanged"`
	// Already is how many versions an earlier import had added.
	Already int `json:"already"`
	// Failed is the line that stopped the import, 0 if there was none.
	Failed int `json:"failed,omitempty"`
	// After is how many lines after it were being written when it failed, and are kept.
	After int `json:"after,omitempty"`
}

// Import reads lines to the end of r and applies each in a commit of its own, many at
// once. Lines of one prompt keep their order.
//
// Each line has a commit id that is derived from the line and its place, so a line that is
// in the store already is found and not added again. A draft's id is derived from the
// epoch, the prompt, how many lines of the prompt came before, the digest and created_at.
// A line that was imported with another key is found in the log by that id. An id given in
// a line belongs to the key: such a line is not found with another key. Nor is one that is
// being imported with another key at the same time.
//
// The first line that cannot be imported ends the import. The lines before it are kept.
// The error says which line it was and why, with the code of the cause. When ctx is done
// no further line is begun.
func Import(ctx context.Context, store *stet.Store, r io.Reader, o ImportOptions) (Summary, error) {
	tail, err := store.Tail(ctx)
	if err != nil {
		return Summary{}, err
	}
	im := &importer{
		store: store, epoch: tail.Epoch, began: tail.Cleared, opts: o,
		already: already{store: store, since: tail.Cleared, keyed: o.Keyed},
		seen:    make(map[string]int), there: make(map[string]bool), prompts: make(map[string]struct{}),
	}
	im.start(context.WithoutCancel(ctx)) // lines that were begun are finished
	im.read(ctx, newLineReader(r))
	im.finish()
	im.sum.Prompts = len(im.prompts)
	switch {
	case im.err != nil:
		im.sum.Failed = im.failed
		return im.sum, im.err
	case im.cut:
		return im.sum, stet.Errorf(stet.CodeInvalid, "the export is cut short after line %d: its last line is missing. What it has is imported. Export again and import that: nothing is added twice.", im.last)
	case ctx.Err() != nil:
		return im.sum, stet.WrapError(context.Cause(ctx), stet.CodeUnavailable,
			"the import was stopped after line %d. What was imported is kept. Run it again to go on: nothing is added twice.", im.last)
	}
	return im.sum, nil
}

// A job is one line to be imported.
type job struct {
	line int
	gone int // versions of a copy that were deleted later: only their numbers come
	do   func(ctx context.Context) (stet.Done, error)
}

// read reads lines and hands them out until the end, a malformed line, or a failure.
func (im *importer) read(ctx context.Context, lines *lineReader) {
	var header, end *Header
	changes := 0
	defer im.replay()
	for ctx.Err() == nil && !im.stopped() {
		raw, err := lines.next()
		if err != nil && ctx.Err() != nil {
			return // the reader was interrupted, too
		}
		if err == io.EOF {
			if header != end {
				im.cut = true
			}
			return
		}
		var l Line
		if err == nil {
			l, err = Parse(raw)
		}
		if err == nil {
			switch {
			case l.Header != nil:
				header, changes = l.Header, 0
			case l.End != nil:
				end = header
				if header == nil || l.End.Changes != changes {
					err = stet.Errorf(stet.CodeInvalid, "the export has %d changes here, and its end says %d: lines are missing.", changes, l.End.Changes)
				}
			case l.Copy != nil:
				changes++
				im.copy(lines.n, len(raw), l.Copy)
			case l.Commit != nil:
				im.commit(lines.n, l.Commit, raw)
			default:
				err = im.draft(lines.n, l.Draft)
			}
		}
		if err != nil {
			im.fail(lines.n, err)
			return
		}
		im.last = lines.n
		if im.opts.Progress != nil {
			im.opts.Progress(lines.n, lines.bytes)
		}
	}
}

// draft hands out a draft. Drafts of one prompt are saved one after the other. A draft
// made from versions of other prompts waits for all lines before it.
func (im *importer) draft(line int, d *stet.Draft) error {
	body, err := d.Content()
	if err != nil {
		return err
	}
	at := ""
	if !d.CreatedAt.IsZero() {
		at = stet.FormatTime(d.CreatedAt)
	}
	n := im.seen[d.PromptID]
	im.seen[d.PromptID]++
	c := stet.Commit{
		ID:     im.id("draft", d.PromptID, strconv.Itoa(n), body.Digest().String(), at),
		Author: cmp.Or(d.Author, im.opts.Author), Message: d.Message, // so that the labels' moves have them, too
		Ops: []stet.Op{{Save: d}},
	}
	j := job{line, 0, func(ctx context.Context) (stet.Done, error) {
		there, err := im.wasThere(ctx, d.PromptID)
		if err != nil {
			return stet.Done{}, err
		}
		return im.once(ctx, &c, there)
	}}
	for _, p := range d.Parents {
		if id, _, _ := stet.SplitRef(p); id != d.PromptID {
			im.alone(j)
			return nil
		}
	}
	im.shard(d.PromptID, j)
	return nil
}

// commit applies a commit after all lines before it. A commit without an id gets one that
// is derived from its line and the number of equal lines before.
func (im *importer) commit(line int, c *stet.Commit, raw []byte) {
	derived := c.ID == ""
	if derived {
		n := im.seen[string(raw)]
		im.seen[string(raw)]++
		c.ID = im.id("commit", strconv.Itoa(n), string(raw))
	}
	if c.Author == "" {
		c.Author = im.opts.Author
	}
	im.alone(job{line, 0, func(ctx context.Context) (stet.Done, error) { return im.once(ctx, c, derived) }})
}

// copy adds a change of an export, after all lines before it: the log of the new store is
// in the order of the old one. Consecutive changes share appends. The first goes alone: if
// it was imported before the store was cleared, no other change is replayed.
func (im *importer) copy(line, bytes int, c *stet.Copy) {
	gone := 0
	for i, o := range c.Change.Ops {
		if o.Save != nil && !o.Save.Unchanged && c.Versions[i].IsZero() {
			gone++
		}
	}
	im.copies, im.copied = append(im.copies, *c), append(im.copied, job{line: line, gone: gone})
	if im.copyBytes += bytes; !im.copying || len(im.copies) == copyChanges || im.copyBytes >= copyBytes {
		im.copying = true
		im.replay()
	}
}

// replay adds the waiting changes, after all lines before them.
func (im *importer) replay() {
	if len(im.copies) == 0 {
		return
	}
	im.flying.Wait()
	if !im.failedBefore(im.copied[0].line) {
		done, err := im.store.Replay(im.ctx, im.copies...)
		for i := range done {
			im.took(im.copied[i], done[i])
		}
		if err != nil {
			im.fail(im.copied[len(done)].line, err)
		}
	}
	clear(im.copies) // so that their texts can be freed
	im.copies, im.copied, im.copyBytes = im.copies[:0], im.copied[:0], 0
}

// id derives a commit id from what identifies a line. The parts are delimited by their
// lengths.
func (im *importer) id(parts ...string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n", im.epoch)
	for _, p := range parts {
		fmt.Fprintf(h, "%d\n%s", len(p), p)
	}
	return idPrefix + hex.EncodeToString(h.Sum(nil)[:16])
}
