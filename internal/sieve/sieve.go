// Package sieve decides what leaves a cache that has a bound. SIEVE lets a hand walk
// from the oldest entry to the newest, and evicts the first that was not read since the
// hand last came by (Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024).
package sieve

import (
	"iter"
	"sync/atomic"
)

// An Entry is a member of what is cached, a T: it makes that fit for a List. The zero
// Entry is in no list.
type Entry[T any] struct {
	used       atomic.Bool // read since the hand last came by
	next, prev *Entry[T]
	owner      T
	size       int // 0 while in no list
}

// Touch notes that the owner was read. It takes no lock, and stores only when it has
// to, so that the cache line stays shared.
func (e *Entry[T]) Touch() {
	if !e.used.Load() {
		e.used.Store(true)
	}
}

// Listed reports whether e is in a list.
func (e *Entry[T]) Listed() bool { return e.size != 0 }

// A List is the entries of a cache. Its methods, and Listed, need a lock of the caller's.
type List[T any] struct {
	ring  Entry[T] // next is the newest, prev the oldest; nil before the first Add
	hand  *Entry[T]
	len   int
	bytes int
}

// Len returns how many entries there are.
func (l *List[T]) Len() int { return l.len }

// Bytes returns the sum of their sizes.
func (l *List[T]) Bytes() int { return l.bytes }

// Add adds an entry, which is in no list, as the newest. The size is not 0.
func (l *List[T]) Add(e *Entry[T], owner T, size int) {
	if l.ring.next == nil {
		l.Reset()
	}
	e.owner, e.size = owner, size
	e.next, e.prev = l.ring.next, &l.ring
	e.next.prev, l.ring.next = e, e
	l.len++
	l.bytes += size
}

// Resize gives an entry of the list another size, which is not 0.
func (l *List[T]) Resize(e *Entry[T], size int) {
	l.bytes += size - e.size
	e.size = size
}

// Remove takes an entry out of the list, if it is there.
func (l *List[T]) Remove(e *Entry[T]) {
	if !e.Listed() {
		return
	}
	if l.hand == e {
		l.hand = e.prev
	}
	e.prev.next, e.next.prev = e.next, e.prev
	e.next, e.prev = nil, nil
	l.len--
	l.bytes -= e.size
	e.size = 0
}

// Evict removes entries until the others have limit bytes at most, and returns their
// owners. It does not evict keep, which may be nil.
func (l *List[T]) Evict(limit int, keep *Entry[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for l.bytes > limit && (l.len > 1 || l.ring.next != keep) {
			e := l.victim(keep)
			l.Remove(e)
			if !yield(e.owner) {
				return
			}
		}
	}
}

// victim moves the hand to the entry to evict next. There is one beside keep.
func (l *List[T]) victim(keep *Entry[T]) *Entry[T] {
	e := l.hand
	for {
		if e == nil || e == &l.ring {
			e = l.ring.prev
		}
		if e != keep && !e.used.Swap(false) {
			l.hand = e
			return e
		}
		e = e.prev
	}
}

// Reset makes the list empty at once. The entries that were in it stay as they are, and
// are not to be used with it again.
func (l *List[T]) Reset() {
	l.ring.next, l.ring.prev, l.hand = &l.ring, &l.ring, nil
	l.len, l.bytes = 0, 0
}
