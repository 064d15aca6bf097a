package core

import (
	"sync"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/sieve"
)

// cached is a decoded body that hangs on its version while it is in the cache.
// A body never changes, so it is never stale; a version that was deleted is in
// no head any more, so its body is found by nobody.
type cached struct {
	record  stet.Record
	version *version
	entry   sieve.Entry[*cached]
}

// A cache bounds the memory of bodies. A hit takes no lock: the body hangs on the
// version, and a hit only marks it.
type cache struct {
	limit int // bytes, 0 for no bound

	mu     sync.Mutex
	bodies sieve.List[*cached]
}

func (c *cache) touch(b *cached) {
	if c.limit != 0 {
		b.entry.Touch()
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
	if b.entry.Listed() || b.version.body.Load() != b {
		return
	}
	size := b.record.Size()
	if size > c.limit {
		b.version.body.CompareAndSwap(b, nil)
		return
	}
	c.bodies.Add(&b.entry, b, size)
	c.evict(c.limit, &b.entry)
}

// evict lets go of bodies until the others are within a limit. The caller holds c.mu.
func (c *cache) evict(limit int, keep *sieve.Entry[*cached]) {
	for b := range c.bodies.Evict(limit, keep) {
		b.version.body.CompareAndSwap(b, nil)
	}
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
	c.bodies.Remove(&b.entry)
}

// reset lets go of everything.
func (c *cache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.evict(0, nil)
}
