package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stet-dev/stet/driver"
)

// maxPiece is the most bytes of one staged piece. The largest body is cut into a few of
// them.
const maxPiece = 1 << 20

// stageTries is how often a staging request is sent, until it is answered.
const stageTries = 3

// A Log is one handle on a server's log. It implements [driver.Log] and
// [driver.Notifier].
type Log struct {
	server *Server
	name   string
	once   sync.Once
	closed chan struct{}

	// Guarded by server.mu.
	visible  uint64 // what Read shows
	attempts int
	silent   bool
	deaf     bool
}

// SetSilent makes the network between the handle and the server silent, or mends it: a call
// that is made meanwhile has no answer, then or later, and hangs until its context ends.
func (l *Log) SetSilent(silent bool) {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.silent = silent
}

// SetDeaf makes all notifications get lost on their way to the handle, for good, or mends
// that.
func (l *Log) SetDeaf(deaf bool) {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.deaf = deaf
}

// reach fails if the handle is closed or its caller has given up. On a silent network it
// first waits for either.
func (l *Log) reach(ctx context.Context) error {
	l.server.mu.Lock()
	silent := l.silent
	l.server.mu.Unlock()
	if silent {
		select {
		case <-ctx.Done():
		case <-l.closed:
		}
	}
	if l.isClosed() {
		return errClosed
	}
	return ctx.Err()
}

var errClosed = errors.New("remote: the handle is closed")

// Server returns the server of the handle.
func (l *Log) Server() *Server { return l.server }

// Info implements driver.Log.
func (l *Log) Info() driver.Info {
	// An append has an operation for the tail and one for each entry; the bytes
	// leave room for what goes with them.
	return driver.Info{StoreID: l.server.id, Engine: "remote", MaxEntries: 100, MaxBytes: driver.MaxData + 128<<10}
}

func (l *Log) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// Append implements driver.Log. It first stages what is large, in requests without a
// visible effect: the bodies in pieces, and the names of bodies to drop. The last request
// makes all of it visible, if the tail is still the expected one.
func (l *Log) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	if l.isClosed() {
		return errors.Join(driver.ErrNotApplied, errClosed)
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(driver.ErrNotApplied, err)
	}
	if err := l.reach(ctx); err != nil {
		return err // it was sent, and nobody knows how far it came
	}
	s := l.server
	s.mu.Lock()
	l.attempts++
	attempt := fmt.Sprintf("%s/%d", l.name, l.attempts)
	s.mu.Unlock()
	pieces := pieces(entries)
	if err := l.stage(ctx, attempt, pieces); err != nil {
		return errors.Join(driver.ErrNotApplied, err) // the append was never sent
	}
	// Kept by the request, which may arrive when the caller's slice has changed.
	entries = slices.Clone(entries)
	bytes := 0
	for i := range entries {
		bytes += len(entries[i].Data) + len(entries[i].ID) + 100
	}
	err := s.request(1+len(entries), bytes, func() error { return s.add(attempt, len(pieces), prev, entries) })
	if err == nil {
		s.mu.Lock()
		l.visible = max(l.visible, entries[len(entries)-1].Revision)
		s.mu.Unlock()
	}
	return err
}

// add makes an append visible: all of it or nothing. The caller holds s.mu.
func (s *Server) add(attempt string, pieces int, prev driver.Tail, entries []driver.Entry) error {
	if s.tail() != prev {
		delete(s.staged, attempt)
		return driver.ErrMoved
	}
	staged := s.staged[attempt]
	if len(staged) != pieces {
		return errors.Join(driver.ErrNotApplied, fmt.Errorf("remote: %d of %d pieces are staged", len(staged), pieces))
	}
	for i := range entries {
		e := &entries[i]
		for j, b := range e.Bodies {
			join := func(kind byte) string {
				var t strings.Builder
				for n := 0; ; n++ {
					p, ok := staged[part{i, j, n, kind}]
					if !ok {
						return t.String()
					}
					t.WriteString(p.data)
				}
			}
			s.bodies[key{b.Revision, b.Op}] = driver.Body{BodyRef: b.BodyRef, Text: join('t'), Fields: join('f')}
		}
		if e.Cleared {
			s.cleared = max(s.cleared, e.Revision)
		}
		for j := range e.Dropped {
			ref := staged[part{i, j, 0, 'd'}].ref
			s.drops = append(s.drops, key{ref.Revision, ref.Op})
		}
		s.entries = append(s.entries, driver.Entry{Revision: e.Revision, ID: e.ID, Hash: e.Hash, Data: e.Data})
	}
	delete(s.staged, attempt)
	close(s.grown)
	s.grown = make(chan struct{})
	return nil
}

// Read implements driver.Log.
func (l *Log) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	if err := l.reach(ctx); err != nil {
		return nil, err
	}
	s := l.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	if !s.chance(s.faults.Lag) {
		l.visible = uint64(len(s.entries))
	}
	if after >= l.visible || limit <= 0 {
		return nil, nil
	}
	if s.chance(s.faults.Short) {
		limit = 1 + s.rnd.IntN(limit)
	}
	return slices.Clone(s.entries[after:min(l.visible, after+uint64(limit))]), nil
}

// Barrier implements driver.Log.
func (l *Log) Barrier(ctx context.Context) (driver.Tail, error) {
	if err := l.reach(ctx); err != nil {
		return driver.Tail{}, err
	}
	s := l.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	l.visible = uint64(len(s.entries))
	return s.tail(), nil
}

// Body implements driver.Log.
func (l *Log) Body(ctx context.Context, ref driver.BodyRef) (driver.Body, error) {
	if err := l.reach(ctx); err != nil {
		return driver.Body{}, err
	}
	s := l.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	b, ok := s.bodies[key{ref.Revision, ref.Op}]
	if !ok {
		return driver.Body{}, driver.ErrNoBody
	}
	return b, nil
}

// Wait implements driver.Notifier.
func (l *Log) Wait(ctx context.Context, after uint64) error {
	s := l.server
	for {
		s.mu.Lock()
		n, grown := uint64(len(s.entries)), s.grown
		idle := s.chance(s.faults.Late / 50)
		deaf := l.deaf || l.silent
		s.mu.Unlock()
		if l.isClosed() {
			return errClosed
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if deaf {
			grown = nil
		} else if n > after || idle {
			return l.pause(ctx, s.lateness())
		}
		select {
		case <-grown:
		case <-l.closed:
		case <-ctx.Done():
		}
	}
}

// pause waits for a late notification. Tests run in a bubble, where that takes no time.
func (l *Log) pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-l.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements driver.Log.
func (l *Log) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}
