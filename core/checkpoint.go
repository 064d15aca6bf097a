package core

import (
	"context"
	"fmt"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// A checkpoint is what the state is at some revision, kept by the engine so that
// opening need not read the whole log. It is a cache: if anything about it does
// not fit, another form included, the log is read instead. So its form may change at any
// time.
//
// The chunks, by key:
//
//	i/NNNNNNNN      the hashes of the commit ids, idChunk revisions a chunk
//	meta            revision, hash, epoch, and how much there must be of the rest
//	p/ID#hNNNN      a head, in parts of at most driver.MaxChunk: all of it but …
//	p/ID#vNNNNNNNN  … its versions, versionChunk ordinals a chunk, without those of
//	                the last chunk that is not full, which are in the head
//
// So a checkpoint rewrites the heads that have changed, and the chunks in which a
// version was deleted, but not a long history (trap 11 of docs/design.md). '#' is in no id, and so
// the chunks of a prompt follow each other.
const (
	idChunk      = 4096
	versionChunk = 256
)

// checkpointed is how far the last checkpoint goes.
type checkpointed struct{ revision, work uint64 }

// A dirtySet is what has changed since the last checkpoint. A nil one notes nothing.
type dirtySet struct {
	since   uint64 // revision of the last checkpoint
	reset   bool   // everything has changed: the store was cleared, or has no checkpoint
	prompts map[string]*dirtyPrompt
}

type dirtyPrompt struct {
	full   int              // the number of full chunks at the last checkpoint
	chunks map[int]struct{} // those of them in which a version was deleted
}

func newDirtySet(since uint64) *dirtySet {
	return &dirtySet{since: since, prompts: make(map[string]*dirtyPrompt)}
}

// note adds what a tx changes. It is called before the tx is published.
func (d *dirtySet) note(t *tx) {
	if d == nil {
		return
	}
	if t.epoch != t.base.epoch {
		d.reset = true
		clear(d.prompts)
	}
	for id := range t.heads {
		if d.prompts[id] != nil {
			continue
		}
		full := 0
		if old := t.base.tree.get(id); old != nil && t.epoch == t.base.epoch {
			full = len(old.ordinals) / versionChunk
		}
		d.prompts[id] = &dirtyPrompt{full: full}
	}
	for _, g := range t.deleted {
		p := d.prompts[g.id]
		if p == nil {
			continue // gone with a clear
		}
		if i := int(g.version.ordinal-1) / versionChunk; i < p.full {
			if p.chunks == nil {
				p.chunks = make(map[int]struct{})
			}
			p.chunks[i] = struct{}{}
		}
	}
}

// all notes everything as changed.
func (d *dirtySet) all(s *snapshot) {
	d.reset = true
	clear(d.prompts)
	s.tree.tree.Scan(func(h *head) bool {
		d.prompts[h.id] = &dirtyPrompt{}
		return true
	})
}

// When a checkpoint is due, unless Options.CheckpointEvery says it: when all three bounds
// are reached. They are in work that opening has with what came since the last one; the
// number of commits would say little, since one may hold 1,000 operations.
const (
	// checkpointWork is the least work: less than this takes a moment at opening.
	checkpointWork = 10_000
	// checkpointShare is the part of the log, a quarter, that may have to be read again
	// at opening, so that the work for checkpoints stays in proportion to that for
	// commits.
	checkpointShare = 4
	// workPerHead is how much work there must be for each head that would be written. A
	// head is several times as large as a commit, so with less the checkpoints would
	// be most of what is written.
	workPerHead = 4
)

// workOf is how much work it is to read an entry from the log: 1 for each operation, for
// each label that a save or a delete moves, for each version that a delete removes, and
// for each KiB.
func workOf(e *driver.Entry, c *stet.Change) uint64 {
	n := len(c.Ops) + len(e.Data)>>10
	for i := range c.Ops {
		switch o := &c.Ops[i]; {
		case o.Save != nil:
			n += len(o.Save.Labels)
		case o.Delete != nil:
			n += len(o.Delete.Labels) + o.Delete.Deleted
		}
	}
	return uint64(n)
}

// maybeCheckpoint makes a checkpoint if enough has changed since the last. The
// writer calls it between two appends.
func (c *core) maybeCheckpoint() {
	every := c.opts.CheckpointEvery
	if c.dirty == nil || every < 0 {
		return
	}
	s := c.published.Load()
	if every > 0 && s.revision-c.checkpointed.revision < uint64(every) {
		return
	}
	if every == 0 {
		since := s.work - c.checkpointed.work
		if since < checkpointWork || since < s.work/checkpointShare {
			return
		}
		c.state.Lock()
		heads := len(c.dirty.prompts)
		c.state.Unlock()
		if since < uint64(workPerHead*heads) {
			return
		}
	}
	// All that a failure means is that opening takes longer.
	_ = c.saveCheckpoint(c.ctx)
}

// saveCheckpoint brings the engine's checkpoint up to the state. Only the writer
// calls it, and Close when the writer has ended.
func (c *core) saveCheckpoint(ctx context.Context) error {
	if c.dirty == nil {
		return nil
	}
	c.state.Lock()
	s, d := c.published.Load(), c.dirty
	if s.revision == d.since {
		c.state.Unlock()
		return nil
	}
	first := d.since / idChunk * idChunk
	if d.reset {
		first = 0
	}
	hashes := c.ids.from(first)
	c.dirty = newDirtySet(s.revision)
	c.state.Unlock()

	c.checkpointed = checkpointed{s.revision, s.work}
	chunks := []driver.Chunk{{Key: "meta", Data: encodeMeta(s)}}
	for i := first / idChunk; len(hashes) > 0; i++ {
		n := min(len(hashes), idChunk)
		key := fmt.Sprintf("i/%08d", i)
		chunks = append(chunks, driver.Chunk{Key: key, Data: encodeIDs(key, hashes[:n])})
		hashes = hashes[n:]
	}
	for id, p := range d.prompts {
		chunks = appendHead(chunks, s.tree.get(id), p)
	}
	err := c.engine.(driver.Checkpointer).SaveCheckpoint(ctx, s.revision, d.reset, chunks)

	if err != nil {
		c.state.Lock()
		defer c.state.Unlock()
		c.dirty.all(c.published.Load())
		return stet.WrapError(err, stet.CodeInternal, "the checkpoint at revision %d could not be saved; the next opening takes longer: %v.", s.revision, err)
	}
	return nil
}

// appendHead appends the chunks of a head that have changed.
func appendHead(chunks []driver.Chunk, h *head, p *dirtyPrompt) []driver.Chunk {
	full := len(h.ordinals) / versionChunk
	for i := range full {
		if _, deleted := p.chunks[i]; deleted || i >= p.full {
			chunks = append(chunks, driver.Chunk{Key: versionsKey(h.id, i), Data: encodeVersions(h, i*versionChunk, (i+1)*versionChunk)})
		}
	}
	data := encodeHead(h)
	part := 0
	for ; len(data) > 0; part++ {
		n := min(len(data), driver.MaxChunk)
		chunks = append(chunks, driver.Chunk{Key: headKey(h.id, part), Data: data[:n]})
		data = data[n:]
	}
	// The last, empty part removes one that a head which became smaller leaves behind:
	// one at most, since less than a chunk of versions moves out of a head.
	return append(chunks, driver.Chunk{Key: headKey(h.id, part)})
}

func versionsKey(id string, chunk int) string { return fmt.Sprintf("p/%s#v%08d", id, chunk) }

func headKey(id string, part int) string { return fmt.Sprintf("p/%s#h%04d", id, part) }

// loadCheckpoint sets the state to the engine's checkpoint, if it keeps one that
// belongs to its log. The caller holds c.state, and nothing is published yet.
func (c *core) loadCheckpoint(ctx context.Context) error {
	cp, ok := c.engine.(driver.Checkpointer)
	if !ok {
		return nil
	}
	c.dirty = newDirtySet(0)
	c.dirty.reset = true
	l := loader{tree: newHeads(), ids: newIDs()}
	revision, err := cp.LoadCheckpoint(ctx, l.chunk)
	if err == nil && revision > 0 {
		err = l.finish(revision)
	}
	if ctx.Err() != nil {
		return stet.WrapError(ctx.Err(), stet.CodeUnavailable, "opening was stopped: %v.", context.Cause(ctx))
	}
	if err != nil || revision == 0 {
		return nil // the log has it all
	}
	// It must be of this log.
	entries, err := c.log.Read(ctx, revision-1, 1)
	if err != nil || len(entries) == 0 || entries[0].Revision != revision || entries[0].Hash != l.snapshot.hash {
		return nil
	}
	c.ids = l.ids
	s := l.snapshot
	s.tree = l.tree
	l.tree.tree.Scan(func(h *head) bool {
		sl := new(slot)
		sl.head.Store(h)
		s.slots.Store(h.id, sl)
		return true
	})
	c.published.Store(s)
	c.dirty = newDirtySet(revision)
	c.checkpointed = checkpointed{revision, s.work}
	return nil
}

// A loader takes in the chunks of a checkpoint in the order of their keys.
type loader struct {
	snapshot *snapshot
	want     counts // what meta says that there is
	have     counts
	tree     heads
	ids      ids

	// The prompt whose chunks are coming in.
	id       string
	headData []byte
	versions [][]byte
}

type counts struct{ prompts, versions, ids uint64 }

func (l *loader) chunk(ch driver.Chunk) error {
	kind, rest, _ := strings.Cut(ch.Key, "/")
	switch kind {
	case "i":
		return l.idChunk(ch)
	case "meta":
		var err error
		l.snapshot, l.want, err = decodeMeta(ch.Data)
		return err
	case "p":
		id, part, ok := strings.Cut(rest, "#")
		if !ok || part == "" {
			return errUnfit
		}
		if id != l.id {
			if err := l.endPrompt(); err != nil {
				return err
			}
			l.id = id
		}
		if part[0] == 'h' {
			l.headData = append(l.headData, ch.Data...)
		} else {
			l.versions = append(l.versions, append([]byte(nil), ch.Data...))
		}
		return nil
	}
	return errUnfit
}

func (l *loader) idChunk(ch driver.Chunk) error {
	var at uint64
	if _, err := fmt.Sscanf(ch.Key, "i/%d", &at); err != nil || at*idChunk != l.have.ids {
		return errUnfit
	}
	hashes, err := decodeIDs(ch.Key, ch.Data)
	if err != nil {
		return err
	}
	for _, h := range hashes {
		l.have.ids++
		l.ids.addHash(h)
	}
	return nil
}

func (l *loader) endPrompt() error {
	if l.id == "" {
		return nil
	}
	h, err := decodeHead(l.id, l.headData, l.versions)
	if err != nil {
		return err
	}
	l.tree.tree.Load(h)
	l.have.prompts++
	l.have.versions += uint64(len(h.ordinals))
	l.id, l.headData, l.versions = "", l.headData[:0], nil
	return nil
}

func (l *loader) finish(revision uint64) error {
	if err := l.endPrompt(); err != nil {
		return err
	}
	if l.snapshot == nil || l.snapshot.revision != revision || l.have != l.want {
		return errUnfit
	}
	return nil
}
