package client

import "time"

// A sieve bounds the memory of slots. A hit takes no lock: it only marks the slot.
// SIEVE decides what is evicted: a hand walks from the oldest to the newest and evicts
// the first slot that was not read since it last passed. cached.mu guards it.
type sieve struct {
	limit int  // bytes
	ring  slot // list head: next is the newest, prev the oldest
	hand  *slot
	bytes int
	len   int
}

// reset makes it empty. The slots that were in it belong to an index that is not used
// any more, and stay as they are.
func (v *sieve) reset() {
	v.ring.next, v.ring.prev, v.hand = &v.ring, &v.ring, nil
	v.bytes, v.len = 0, 0
}

// add adds a slot, as the newest.
func (v *sieve) add(s *slot, size int) {
	s.size = size
	s.next, s.prev = v.ring.next, &v.ring
	s.next.prev, v.ring.next = s, s
	v.bytes += size
	v.len++
}

func (v *sieve) remove(s *slot) {
	if v.hand == s {
		v.hand = s.prev
	}
	s.prev.next, s.next.prev = s.next, s.prev
	s.next, s.prev = nil, nil
	v.bytes -= s.size
	v.len--
	s.size = 0
}

// victim returns the slot to evict next, other than keep; nil if there is no other.
func (v *sieve) victim(keep *slot) *slot {
	if v.len < 2 {
		return nil
	}
	s := v.hand
	for {
		if s == nil || s == &v.ring {
			s = v.ring.prev
			continue
		}
		if s != keep && !s.used.Swap(false) {
			break
		}
		s = s.prev
	}
	v.hand = s
	return s
}

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
		c.sieve.add(s, slotBytes+len(id))
		c.evict(s)
	}
	return s
}

// contains reports whether a slot is in the sieve, and so in the present index. The
// caller holds c.mu.
func (c *cached) contains(s *slot) bool { return s.index == c.index && s.size != 0 }

// resize counts the bytes of a slot after a change, and evicts others if need be.
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
	c.sieve.bytes += size - s.size
	s.size = size
	c.evict(s)
	if c.sieve.bytes > c.sieve.limit { // too large to be cached
		c.remove(s)
	}
}

// evict evicts slots until the rest is within the limit. The caller holds c.mu.
func (c *cached) evict(keep *slot) {
	for c.sieve.bytes > c.sieve.limit {
		s := c.sieve.victim(keep)
		if s == nil {
			return
		}
		c.remove(s)
	}
}

// remove takes a slot out of the index. The caller holds c.mu. A caller that has the
// slot already may still read from it.
func (c *cached) remove(s *slot) {
	c.sieve.remove(s)
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
