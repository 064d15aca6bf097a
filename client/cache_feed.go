package client

import (
	"slices"
	"time"

	"github.com/stet-dev/stet"
)

// follow keeps the cache up to date until it is closed.
func (c *cached) follow() {
	o := followOptions{present: true, patient: true, beat: min(max(c.o.MaxStale/missedBeats, time.Second), beatEvery)}
	if len(c.o.Prefixes) == 1 {
		o.prefix = c.o.Prefixes[0]
	}
	for c.ctx.Err() == nil {
		var err error
		for n, e := range c.feed.follow(c.ctx, o) {
			if err = e; err == nil {
				c.take(&n)
			}
		}
		c.setLost(err)
		switch stet.CodeOf(err) {
		case stet.CodeConflict, stet.CodeNotFound:
			// The place is not in the log: the store was restored or replaced.
			c.forget()
		}
		c.mu.Lock()
		o.present, o.storeID, o.since = c.index == nil, c.storeID, c.pos
		c.mu.Unlock()
		// Whatever it was (a key that was revoked, a server of another version), it
		// may be put right there.
		t := time.NewTimer(longestPause)
		select {
		case <-t.C:
		case <-c.ctx.Done():
		}
		t.Stop()
	}
}

func (c *cached) setLost(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost, c.toldAt = err, time.Time{}
}

// take is told what the feed tells.
func (c *cached) take(n *news) {
	if n.lost != nil {
		if n.lost == errKey {
			c.forget()
		}
		c.setLost(n.lost)
		return
	}
	now := time.Now()
	c.mu.Lock()
	if c.index == nil || n.storeID != c.storeID || n.told && n.scope != c.scope {
		// In another store, or with a key for other prompts, what is kept may have
		// changed without a word.
		c.storeID, c.toldAt = n.storeID, time.Time{}
		c.begin(n.revision)
		c.unread = len(c.o.Prefixes) > 0
		c.rouse()
	}
	c.mu.Unlock()
	if n.change.Revision != 0 {
		c.apply(&n.change)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pos, c.lost = n.revision, nil
	if n.told {
		c.scope = n.scope
	}
	if n.told && (c.toldAt.IsZero() || n.newest <= c.pos) {
		c.told, c.toldAt = n.newest, now
	}
	if c.toldAt.IsZero() || c.pos < c.told {
		return // there is more that is not known yet, or nobody says that this is all
	}
	c.current, c.toldAt = c.toldAt, time.Time{}
	left := c.o.MaxStale - time.Since(c.current)
	if left <= 0 {
		return
	}
	c.stale.Reset(left)
	if c.live.Load() != c.index {
		c.live.Store(c.index)
		c.rouse() // it may be ready now
	}
}

// begin makes a new, empty index that knows of every change after a revision. The
// caller holds c.mu.
func (c *cached) begin(from uint64) {
	c.index = newIndex(from)
	c.sieve.reset()
	clear(c.dirty)
	if c.live.Load() != nil {
		c.live.Store(c.index)
	}
}

// empty lets go of everything that is older than a revision, at which the store
// was cleared; 0 for one that is not known.
func (c *cached) empty(revision uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.index != nil && (revision == 0 || c.index.from < revision) {
		c.begin(max(revision, c.index.from))
	}
}

// forget lets go of everything until the feed has begun anew, in another store or
// with other rights.
func (c *cached) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live.Store(nil)
	c.begin(0)
	c.index, c.storeID, c.pos, c.toldAt = nil, "", 0, time.Time{}
}

// checkStale stops answering from memory when there were no news for too long.
func (c *cached) checkStale() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if left := c.o.MaxStale - time.Since(c.current); left > 0 && c.ctx.Err() == nil {
		c.stale.Reset(left)
		return
	}
	c.live.Store(nil)
}

// A touch is what a commit did to a prompt, as far as the cache looks at it.
type touch struct {
	id     string
	labels []stet.LabelChange
	gone   bool // the whole prompt was deleted
}

func touchOf(op *stet.ChangeOp) touch {
	switch {
	case op.Save != nil:
		return touch{id: op.Save.PromptID, labels: op.Save.Labels}
	case op.Delete != nil:
		return touch{id: op.Delete.PromptID, gone: op.Delete.Version.IsZero()}
	case op.SetLabel != nil:
		return touch{id: op.SetLabel.PromptID, labels: []stet.LabelChange{*op.SetLabel}}
	case op.RemoveLabel != nil:
		return touch{id: op.RemoveLabel.PromptID, labels: []stet.LabelChange{*op.RemoveLabel}}
	case op.Rollback != nil:
		return touch{id: op.Rollback.PromptID, labels: []stet.LabelChange{*op.Rollback}}
	}
	return touch{}
}

// apply makes known what a commit has changed. What is held of it is given out
// until it was read anew, unless the cache has been without news for too long.
func (c *cached) apply(ch *stet.Change) {
	for i := range ch.Ops {
		if ch.Ops[i].Clear != nil {
			c.empty(ch.Revision)
			continue
		}
		t := touchOf(&ch.Ops[i])
		c.mu.Lock()
		x := c.index
		c.mu.Unlock()
		s, ok := x.slots.Load(t.id)
		all := len(c.o.Prefixes) > 0 && c.keeps(t.id)
		if !ok {
			if !all || t.gone || x.from >= ch.Revision {
				continue
			}
			s = c.slot(x, t.id)
		}
		if c.touch(s, ch.Revision, &t, all) {
			c.soil(s)
		}
	}
}

// touch notes a change in a slot and tells whether it is to be read anew. all says
// that the prompt is kept whether somebody has asked for it or not.
func (c *cached) touch(s *slot, revision uint64, t *touch, all bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.need = max(s.need, revision)
	h := s.held.Load()
	switch {
	case h != nil && h.asOf >= revision:
		return false
	case t.gone:
		s.held.Store(nil)
		s.want = nil
		return false
	}
	if all {
		s.wants("", "latest")
		for i := range t.labels {
			s.wants(t.labels[i].Label)
		}
	}
	if h != nil && c.live.Load() == nil {
		s.held.Store(nil) // it is older than it may be when the cache is live again
	}
	return all || s.held.Load() != nil
}

// wants adds to what is read of a prompt that is kept whether somebody has asked
// for it or not. The caller holds s.mu.
func (s *slot) wants(sels ...string) {
	for _, sel := range sels {
		if len(s.want) < maxRefs && !slices.Contains(s.want, sel) {
			s.want = append(slices.Clip(s.want), sel)
		}
	}
}
