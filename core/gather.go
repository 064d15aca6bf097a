package core

import (
	"runtime"
)

// Bounds of one batch, beside Options.MaxBatch.
const (
	maxBatchBytes = 16 << 20
	// gatherSpins is how often the writer yields to let callers that are about
	// to commit join a batch. They need microseconds; a sync takes a hundred
	// times as long, and one batch more is one sync more.
	gatherSpins = 8
)

// A gathering takes in what becomes one batch, bit by bit: the commit that begins it, what
// else waits, and those that are in Commit but not in the queue yet, which get a
// moment to come there.
type gathering struct {
	c        *Core
	next     *pending // taken off the queue, not taken in yet
	n, bytes int      // what was taken in
}

// done tells that nothing more is to be expected, or to be taken in.
func (g *gathering) done() bool {
	return g.full() || g.next == nil && int64(g.n) >= g.c.inCommit.Load()
}

func (g *gathering) full() bool { return g.n >= g.c.opts.MaxBatch || g.bytes >= maxBatchBytes }

// now takes in what is there.
func (g *gathering) now() (batch []*pending) {
	for !g.full() {
		p := g.next
		if g.next = nil; p == nil {
			select {
			case p = <-g.c.queue:
			default:
				return batch
			}
		}
		if p.claimed.CompareAndSwap(false, true) {
			if batch == nil { // not before: more looks again and again
				batch = make([]*pending, 0, len(g.c.queue)+1)
			}
			for ; p != nil; p = p.next { // those behind it come with it
				p.claimed.Store(true)
				batch = append(batch, p)
				g.n++
				g.bytes += p.size
			}
		}
	}
	return batch
}

// more takes in what is there, or comes in a moment. None means that this was all.
func (g *gathering) more() []*pending {
	for spins := 0; ; spins++ {
		if batch := g.now(); len(batch) > 0 || spins == gatherSpins || g.done() {
			return batch
		}
		runtime.Gosched()
	}
}
