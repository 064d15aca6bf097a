package client

import "time"

// slotBytes is about how much memory an empty slot takes, with its entry in the index.
const slotBytes = 320

// slot returns the slot of a prompt, a new one if there is none.
func (c *cached) slot(x *index, id string) *slot {
	if s, ok := x.slots.Load(id); ok {
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, there := x.slots.LoadOrStore(id, &slot{id: id, index: x, minRevision: x.from})
	if !there && c.index == x {
		c.sieve.Add(&s.entry, s, slotBytes+len(id))
		c.evict(s)
	}
	return s
}

// contains reports whether a slot is in the sieve, and so in the present index. The
// caller holds c.mu.
func (c *cached) contains(s *slot) bool { return s.index == c.index && s.entry.Listed() }

// resize counts the bytes of a slot after a change, and evicts others if necessary.
func (c *cached) resize(s *slot) {
	size := slotBytes + len(s.id)
	if h := s.snapshot.Load(); h != nil {
		size += h.bytes()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.contains(s) {
		return
	}
	c.sieve.Resize(&s.entry, size)
	c.evict(s)
	if c.sieve.Bytes() > c.o.MaxBytes { // too large to be cached
		c.remove(s)
	}
}

// evict evicts slots until the rest is within the limit. The caller holds c.mu.
func (c *cached) evict(keep *slot) {
	for s := range c.sieve.Evict(c.o.MaxBytes, &keep.entry) {
		c.forget(s)
	}
}

// remove takes a slot out of the sieve and the index. The caller holds c.mu.
func (c *cached) remove(s *slot) {
	c.sieve.Remove(&s.entry)
	c.forget(s)
}

// forget takes a slot out of the index. The caller holds c.mu. A caller that has the
// slot already may still read from it.
func (c *cached) forget(s *slot) {
	s.index.slots.Delete(s.id)
	delete(c.dirty, s)
}

// removeEmpty takes a slot out of the index if nothing was read into it.
func (c *cached) removeEmpty(s *slot) {
	s.mu.Lock()
	empty := s.snapshot.Load() == nil && s.flight == nil
	s.mu.Unlock()
	if !empty {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.contains(s) {
		c.remove(s)
	}
}

// markDirty marks a slot to be read again.
func (c *cached) markDirty(s *slot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.contains(s) {
		return
	}
	if _, ok := c.dirty[s]; !ok {
		c.dirty[s] = time.Now()
	}
	c.wakeReader()
}

// wakeReader tells the reader that there is work.
func (c *cached) wakeReader() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
