package client

import "time"

// A sieve bounds the memory of slots. A hit takes no lock: it only marks the slot.
// What goes is decided by SIEVE: a hand walks from the oldest to the newest and
// evicts the first slot that was not read since it last came by. It is guarded by
// cached.mu.
type sieve struct {
	limit int  // bytes
	ring  slot // list head: next is the newest, prev the oldest
	hand  *slot
	bytes int
	len   int
}

// reset makes it empty. The slots that were in it are not in the present index any
// more, and stay as they are.
func (v *sieve) reset() {
	v.ring.next, v.ring.prev, v.hand = &v.ring, &v.ring, nil
	v.bytes, v.len = 0, 0
}

// add takes a slot in.
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

// victim returns the slot to be taken out next, which is not the one to be kept; nil
// if there is no other.
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

// slotBytes is about what a slot takes by itself, with its place in the index.
const slotBytes = 320

// slot returns the slot of a prompt, a new one if it has none.
func (c *cached) slot(x *index, id string) *slot {
	if s, ok := x.slots.Load(id); ok {
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, there := x.slots.LoadOrStore(id, &slot{id: id, index: x, floor: x.from})
	if !there && c.index == x {
		c.sieve.add(s, slotBytes+len(id))
		c.bound(s)
	}
	return s
}

// kept tells whether a slot is in the sieve, and so in the present index. The caller
// holds c.mu.
func (c *cached) kept(s *slot) bool { return s.index == c.index && s.size != 0 }

// weigh counts what a slot holds, and makes room for it.
func (c *cached) weigh(s *slot) {
	size := slotBytes + len(s.id)
	if h := s.held.Load(); h != nil {
		size += h.bytes()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.kept(s) {
		return
	}
	c.sieve.bytes += size - s.size
	s.size = size
	c.bound(s)
	if c.sieve.bytes > c.sieve.limit { // it is alone too large to be kept
		c.remove(s)
	}
}

// bound evicts until the rest is within the limit. The caller holds c.mu.
func (c *cached) bound(keep *slot) {
	for c.sieve.bytes > c.sieve.limit {
		s := c.sieve.victim(keep)
		if s == nil {
			return
		}
		c.remove(s)
	}
}

// remove takes a slot out of the index. The caller holds c.mu. Whoever has the
// slot already may still get from it what it was asked for; the next asks anew.
func (c *cached) remove(s *slot) {
	c.sieve.remove(s)
	s.index.slots.Delete(s.id)
	delete(c.dirty, s)
}

// drop takes a slot out that nothing could be read for.
func (c *cached) drop(s *slot) {
	s.mu.Lock()
	empty := s.held.Load() == nil && s.flight == nil
	s.mu.Unlock()
	if !empty {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept(s) {
		c.remove(s)
	}
}

// soil notes that a slot is to be read anew.
func (c *cached) soil(s *slot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.kept(s) {
		return
	}
	if _, ok := c.dirty[s]; !ok {
		c.dirty[s] = time.Now()
	}
	c.rouse()
}

// rouse wakes the reader.
func (c *cached) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
