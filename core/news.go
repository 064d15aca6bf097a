package core

import (
	"sync"
	"sync/atomic"
)

// news tells those who wait that something was published. It costs the publisher
// one atomic load while nobody waits.
type news struct {
	waiting atomic.Int64
	mu      sync.Mutex
	ch      chan struct{}
}

// next returns a channel that is closed at the next broadcast, and a function to
// call when one is done with it. Who calls it looks at the state afterwards, and
// only then waits: nothing published in between is missed (trap 8).
func (n *news) next() (<-chan struct{}, func()) {
	n.waiting.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch == nil {
		n.ch = make(chan struct{})
	}
	return n.ch, func() { n.waiting.Add(-1) }
}

// broadcast wakes all that wait. It is called after what it tells was published.
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
