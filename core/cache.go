package core

import (
	"sync"
	"sync/atomic"

	"github.com/stet-dev/stet"
)

// cached is a decoded body that hangs on its version while it is in the cache.
// A body never changes, so it is never stale; a version that was deleted is in
// no head any more, so its body is found by nobody.
type cached struct {
	record  stet.Record
	version *version

	used atomic.Bool // read since the hand last came by

	next, prev *cached // guarded by cache.mu
	size       int     // 0 while not in the cache
}

// A cache bounds the memory of bodies. A hit takes no lock: the body hangs on the
// version, and a hit only marks it. What goes is decided by SIEVE: a hand walks
// from the oldest to the newest and evicts the first body that was not read
// since it last came by (Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024).
type cache struct {
	limit int // bytes, 0 for no bound

	mu    sync.Mutex
	ring  cached // list head: ring.next is the newest, ring.prev the oldest
	hand  *cached
	bytes int
}

func newCache(limit int) *cache {
	c := &cache{limit: limit}
	c.ring.next, c.ring.prev = &c.ring, &c.ring
	return c
}

func (c *cache) touch(b *cached) {
	if c.limit != 0 && !b.used.Load() { // a store only when needed: the line stays shared
		b.used.Store(true)
	}
}

// add puts b, which hangs on its version already, under the cache's bound. A body
// that is larger than the bound itself is let go at once; one that was dropped
// meanwhile stays so.
func (c *cache) add(b *cached) {
	if c.limit == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.size != 0 || b.version.body.Load() != b {
		return
	}
	size := b.record.Size()
	if size > c.limit {
		b.version.body.CompareAndSwap(b, nil)
		return
	}
	b.size = size
	b.next, b.prev = c.ring.next, &c.ring
	b.next.prev, c.ring.next = b, b
	c.bytes += b.size
	for c.bytes > c.limit {
		c.evict()
	}
}

func (c *cache) evict() {
	b := c.hand
	if b == nil || b == &c.ring {
		b = c.ring.prev
	}
	for b.used.Swap(false) {
		if b = b.prev; b == &c.ring {
			b = c.ring.prev
		}
	}
	c.hand = b.prev
	c.unlink(b)
}

func (c *cache) unlink(b *cached) {
	if c.hand == b {
		c.hand = b.prev
	}
	b.prev.next, b.next.prev = b.next, b.prev
	b.next, b.prev = nil, nil
	c.bytes -= b.size
	b.size = 0
	b.version.body.CompareAndSwap(b, nil)
}

// drop lets go of the body of a version that nobody will ask for again, be there a
// bound or not.
func (c *cache) drop(v *version) {
	b := v.body.Swap(nil)
	if b == nil || c.limit == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.size != 0 {
		c.unlink(b)
	}
}

// reset lets go of everything.
func (c *cache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.ring.prev != &c.ring {
		c.unlink(c.ring.prev)
	}
	c.hand = nil
}
