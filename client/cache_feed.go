package client

import (
	"slices"
	"time"

	"github.com/stet-dev/stet"
)

// runFeed follows the server until the cache is closed.
func (c *cached) runFeed() {
	o := followOptions{fromNow: true, keepTrying: true, beat: min(max(c.o.MaxStale/missedBeats, time.Second), beatEvery)}
	if len(c.o.Prefixes) == 1 {
		o.prefix = c.o.Prefixes[0]
	}
	for c.ctx.Err() == nil {
		var err error
		for u, e := range c.follow(c.ctx, o) {
			if err = e; err == nil {
				c.receive(&u)
			}
		}
		c.setConnErr(err)
		switch stet.CodeOf(err) {
		case stet.CodeConflict, stet.CodeNotFound:
			// The position is not in the log: the store was restored or replaced.
			c.reset()
		}
		c.mu.Lock()
		o.fromNow, o.storeID, o.since = c.index == nil, c.storeID, c.revision
		c.mu.Unlock()
		// Even a revoked key, or a server of another version, may be put right there.
		t := time.NewTimer(longestPause)
		select {
		case <-t.C:
		case <-c.ctx.Done():
		}
		t.Stop()
	}
}

func (c *cached) setConnErr(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connErr, c.newestAt = err, time.Time{}
}

// receive takes in an update of the feed.
func (c *cached) receive(u *update) {
	if u.connErr != nil {
		if u.connErr == errKey {
			c.reset()
		}
		c.setConnErr(u.connErr)
		return
	}
	now := time.Now()
	c.mu.Lock()
	if c.index == nil || u.storeID != c.storeID || u.hasNewest && u.scope != c.scope {
		// Another store, or a key for other prompts: the feed did not have every
		// change of what is cached.
		c.storeID, c.newestAt = u.storeID, time.Time{}
		c.resetIndex(u.revision)
		c.needsListing = len(c.o.Prefixes) > 0
		c.wakeReader()
	}
	c.mu.Unlock()
	if u.change.Revision != 0 {
		c.apply(&u.change)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision, c.connErr = u.revision, nil
	if u.hasNewest {
		c.scope = u.scope
	}
	if u.hasNewest && (c.newestAt.IsZero() || u.newest <= c.revision) {
		c.newest, c.newestAt = u.newest, now
	}
	if c.newestAt.IsZero() || c.revision < c.newest {
		return // changes are still to come, or the server has not reported
	}
	c.caughtUpAt, c.newestAt = c.newestAt, time.Time{}
	left := c.o.MaxStale - time.Since(c.caughtUpAt)
	if left <= 0 {
		return
	}
	c.stale.Reset(left)
	if c.live.Load() != c.index {
		c.live.Store(c.index)
		c.wakeReader() // the cache may be ready now
	}
}

// resetIndex begins a new, empty index, which gets every change after a revision. The
// caller holds c.mu.
func (c *cached) resetIndex(from uint64) {
	c.index = newIndex(from)
	c.sieve.Reset()
	clear(c.dirty)
	if c.live.Load() != nil {
		c.live.Store(c.index)
	}
}

// clearBefore drops what is older than a revision, at which the store was cleared; 0 for
// an unknown one.
func (c *cached) clearBefore(revision uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.index != nil && (revision == 0 || c.index.from < revision) {
		c.resetIndex(max(revision, c.index.from))
	}
}

// reset empties the cache until the feed has begun again, in another store or with
// other rights.
func (c *cached) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live.Store(nil)
	c.resetIndex(0)
	c.index, c.storeID, c.revision, c.newestAt = nil, "", 0, time.Time{}
}

// checkStale stops answers from memory when the server has not reported for MaxStale.
func (c *cached) checkStale() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if left := c.o.MaxStale - time.Since(c.caughtUpAt); left > 0 && c.ctx.Err() == nil {
		c.stale.Reset(left)
		return
	}
	c.live.Store(nil)
}

// apply marks what a commit has changed. Old snapshots are used until they were read
// again, unless the cache is stale.
func (c *cached) apply(ch *stet.Change) {
	for i := range ch.Ops {
		op := &ch.Ops[i]
		if op.Clear != nil {
			c.clearBefore(ch.Revision)
			continue
		}
		id := op.PromptID()
		c.mu.Lock()
		x := c.index
		c.mu.Unlock()
		s, ok := x.slots.Load(id)
		all := len(c.o.Prefixes) > 0 && c.wants(id)
		if !ok {
			if !all || deletesPrompt(op) || x.from >= ch.Revision {
				continue
			}
			s = c.slot(x, id)
		}
		if c.applyTo(s, ch.Revision, op, all) {
			c.markDirty(s)
		}
	}
}

// deletesPrompt reports whether an operation has deleted a whole prompt.
func deletesPrompt(op *stet.ChangeOp) bool { return op.Delete != nil && op.Delete.Version.IsZero() }

// applyTo records a change in a slot, and reports whether the slot must be read again. all
// says that the prompt is cached even if nobody has asked for it.
func (c *cached) applyTo(s *slot, revision uint64, op *stet.ChangeOp, all bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changedAt = max(s.changedAt, revision)
	h := s.snapshot.Load()
	switch {
	case h != nil && h.asOf >= revision:
		return false
	case deletesPrompt(op):
		s.snapshot.Store(nil)
		s.wanted = nil
		return false
	}
	if all {
		s.addWanted("", "latest")
		for _, l := range op.Labels() {
			s.addWanted(l.Label)
		}
	}
	if h != nil && c.live.Load() == nil {
		s.snapshot.Store(nil) // too old for when the cache is live again
	}
	return all || s.snapshot.Load() != nil
}

// addWanted adds the selectors to read of a prompt that is cached even if nobody has asked
// for it. The caller holds s.mu.
func (s *slot) addWanted(sels ...string) {
	for _, sel := range sels {
		if len(s.wanted) < maxRefs && !slices.Contains(s.wanted, sel) {
			s.wanted = append(slices.Clip(s.wanted), sel)
		}
	}
}
