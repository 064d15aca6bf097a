// Package memory is the engine that keeps a store in memory. It is for tests, for programs
// that make their prompts at run time, and for optimizers.
//
// A store in memory keeps every promise of stet except durability: it is gone when the
// process ends.
package memory

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// Open returns a new, empty store. The caller closes it. Options may be nil.
func Open(opts *core.Options) (*stet.Store, error) {
	return core.Open(context.Background(), New(), opts)
}

// A Log is a log in memory. It implements [driver.Log] and [driver.Notifier].
type Log struct {
	id string

	mu      sync.RWMutex
	entries []driver.Entry // revision i+1 at i; only ever appended to
	bodies  map[key]driver.Body
	grown   chan struct{} // closed, and replaced, when entries grows
	closed  bool
}

type key struct {
	revision uint64
	op       int
}

var errClosed = errors.New("memory: the log is closed")

// New returns an empty log.
func New() *Log {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return &Log{id: hex.EncodeToString(id[:]), bodies: make(map[key]driver.Body), grown: make(chan struct{})}
}

// Info implements driver.Log.
func (l *Log) Info() driver.Info {
	return driver.Info{StoreID: l.id, Engine: "memory", Exclusive: true, Resident: true}
}

// Append implements driver.Log.
func (l *Log) Append(_ context.Context, prev driver.Tail, entries []driver.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errors.Join(driver.ErrNotApplied, errClosed)
	}
	if l.tail() != prev {
		return driver.ErrMoved
	}
	for i := range entries {
		e := &entries[i]
		if e.Cleared {
			l.bodies = make(map[key]driver.Body) // a map that is only emptied keeps its memory
		}
		for _, b := range e.Bodies {
			l.bodies[key{b.Revision, b.Op}] = b
		}
		for _, ref := range e.Dropped {
			delete(l.bodies, key{ref.Revision, ref.Op})
		}
		l.entries = append(l.entries, driver.Entry{Revision: e.Revision, ID: e.ID, Hash: e.Hash, Data: e.Data})
	}
	close(l.grown)
	l.grown = make(chan struct{})
	return nil
}

// Read implements driver.Log.
func (l *Log) Read(_ context.Context, after uint64, limit int) ([]driver.Entry, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch n := uint64(len(l.entries)); {
	case l.closed:
		return nil, errClosed
	case after >= n:
		return nil, nil
	default:
		return l.entries[after:min(n, after+uint64(limit)):n], nil
	}
}

// Barrier implements driver.Log.
func (l *Log) Barrier(context.Context) (driver.Tail, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return driver.Tail{}, errClosed
	}
	return l.tail(), nil
}

func (l *Log) tail() driver.Tail {
	if len(l.entries) == 0 {
		return driver.Tail{}
	}
	e := &l.entries[len(l.entries)-1]
	return driver.Tail{Revision: e.Revision, Hash: e.Hash}
}

// Body implements driver.Log.
func (l *Log) Body(_ context.Context, ref driver.BodyRef) (driver.Body, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return driver.Body{}, errClosed
	}
	b, ok := l.bodies[key{ref.Revision, ref.Op}]
	if !ok {
		return driver.Body{}, driver.ErrNoBody
	}
	return b, nil
}

// Wait implements driver.Notifier.
func (l *Log) Wait(ctx context.Context, after uint64) error {
	for {
		l.mu.RLock()
		n, grown, closed := uint64(len(l.entries)), l.grown, l.closed
		l.mu.RUnlock()
		switch {
		case closed:
			return errClosed
		case n > after:
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close implements driver.Log.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.grown)
	}
	return nil
}
