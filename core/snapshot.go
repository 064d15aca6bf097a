package core

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v4"
	"github.com/tidwall/btree"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// A snapshot is the whole store after one commit. The core publishes one with a
// single atomic store; that instant is when the commits that it brings take
// effect, over however many prompts.
//
// A snapshot holds its heads twice. The tree is immutable and exact: the heads
// as of revision, in the order of their ids. The slots are for speed: one
// concurrent map for the whole epoch, whose heads may already be newer than the
// snapshot. [core.newest] shows how a reader tells which.
type snapshot struct {
	revision uint64
	hash     stet.Hash // of the entry at revision
	time     time.Time // the newest of the commits up to revision
	work     uint64    // to come here from an empty log; see workOf

	epoch   uint64 // 1, 2, 3 …: one more than the number of clears
	cleared uint64 // revision of the clear that began the epoch, 0 for the first

	slots *xsync.Map[string, *slot]
	tree  heads
}

// A slot is the place of a prompt's newest head.
type slot struct{ head atomic.Pointer[head] }

// heads is an immutable set of heads in the order of their ids.
type heads struct{ tree *btree.BTreeG[*head] }

func newHeads() heads {
	return heads{btree.NewBTreeGOptions(func(a, b *head) bool { return a.id < b.id },
		btree.Options{NoLocks: true})}
}

func (s heads) get(id string) *head {
	h, _ := s.tree.Get(&head{id: id})
	return h
}

func emptySnapshot() *snapshot {
	return &snapshot{epoch: 1, slots: xsync.NewMap[string, *slot](), tree: newHeads()}
}

func (s *snapshot) tail() driver.Tail {
	return driver.Tail{Revision: s.revision, Hash: s.hash}
}

// newest returns the head of a prompt and the revision that it is of, which is
// never below that of the snapshot published when newest was called; nil if the
// prompt never was. It waits for nothing.
//
// Why the answer is right: s is loaded before the head. If the head is not newer
// than s, it is the prompt's state as of s, because a head is in its slot
// before the snapshot that has it is published. If it is newer, and a snapshot
// that has it is published by now, it is the prompt's state as of its own
// revision. Otherwise it belongs to a commit that is not visible yet, and the
// tree of s has the one before it.
func (c *core) newest(id string) (*head, uint64) {
	s := c.published.Load()
	sl, ok := s.slots.Load(id)
	if !ok {
		return nil, s.revision
	}
	h := sl.head.Load()
	if h.revision <= s.revision {
		return h, s.revision
	}
	if h.revision <= c.published.Load().revision {
		return h, h.revision
	}
	return s.tree.get(id), s.revision
}

// publish makes the heads that a batch of commits has changed visible, all at
// one instant. Only the holder of c.state calls it.
func (c *core) publish(t *tx) {
	s := c.published.Load()
	n := &snapshot{
		revision: t.revision, hash: t.hash, time: t.time, work: t.work,
		epoch: t.epoch, cleared: t.cleared,
		slots: s.slots,
	}
	if t.epoch != s.epoch {
		n.slots, n.tree = xsync.NewMap[string, *slot](), newHeads()
	} else {
		n.tree = heads{s.tree.tree.IsoCopy()}
	}
	for id, h := range t.heads {
		n.tree.tree.Set(h)
		if sl, ok := n.slots.Load(id); ok {
			sl.head.Store(h)
			continue
		}
		sl := new(slot)
		sl.head.Store(h)
		n.slots.Store(id, sl)
	}
	for _, id := range t.added {
		c.ids.add(id)
	}
	c.dirty.note(t)
	c.published.Store(n)
	c.forget(t)
	c.news.broadcast()
}

// forget drops the bodies that a published tx has made unreachable. Heads keep
// deleted versions, for their ordinals, but not their texts.
func (c *core) forget(t *tx) {
	if t.epoch != t.base.epoch {
		c.cache.reset()
	}
	for _, g := range t.deleted {
		c.cache.drop(g.version)
	}
}

// news wakes those who wait for a publication. It costs the publisher
// one atomic load while nobody waits.
type news struct {
	waiting atomic.Int64
	mu      sync.Mutex
	ch      chan struct{}
}

// next returns a channel that is closed at the next broadcast, and a function to call
// when the caller is done with it. The caller looks at the state after this call, and
// only then waits: so it misses nothing that is published in between (trap 8 of docs/design.md).
func (n *news) next() (<-chan struct{}, func()) {
	n.waiting.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch == nil {
		n.ch = make(chan struct{})
	}
	return n.ch, func() { n.waiting.Add(-1) }
}

// broadcast wakes all who wait. It is called after the publication.
func (n *news) broadcast() {
	if n.waiting.Load() == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch != nil {
		close(n.ch)
		n.ch = nil
	}
}
