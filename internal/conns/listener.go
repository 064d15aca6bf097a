// Package conns bounds the connections of a server: in all, and of one address. When a
// place is needed, a connection without a request under way is closed for it, so clients
// that hold idle connections keep nobody out.
package conns

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
)

// A Listener accepts connections up to its bounds. A connection beyond them takes the
// place of the one that has waited longest: of the same address if that has its share,
// else of any address. Connections on which nobody has shown a key (see [Known]) go before
// others. If no connection waits, the new one is closed at once: its client sees that it
// failed, and that nothing was done.
//
// A connection waits when it has sent no request yet, or a part of a header, or when its
// last request was answered. The server reports that by [http.Server.ConnState]: it must
// have the method State there, and Context as its ConnContext or called by that. A
// connection whose caller was refused waits as well; see [Refused].
//
// A Listener is safe for concurrent use.
type Listener struct {
	net.Listener
	most, each int

	mu      sync.Mutex
	open    int
	sources map[netip.Prefix]*source
	waiting queues
	refused uint64
	dropped uint64
}

// A source is where connections come from: an IPv4 address, or the first 64 bits of an
// IPv6 address, which belong to one customer.
type source struct {
	open    int
	waiting queues
}

// queues are the waiting connections, those that have waited longest first: a queue of
// connections on which nobody has shown a key, and one of the others.
type queues [2]list.List

// first returns the connection to close first, nil if none waits.
func (q *queues) first() *conn {
	for rank := range q {
		if e := q[rank].Front(); e != nil {
			return e.Value.(*conn)
		}
	}
	return nil
}

// Listen bounds the connections of a listener: most in all, and each of one address.
// Both are 1 or more.
func Listen(l net.Listener, most, each int) *Listener {
	return &Listener{Listener: l, most: most, each: each, sources: make(map[netip.Prefix]*source)}
}

// Stats are a listener's counters.
type Stats struct {
	Open    int    // connections
	Refused uint64 // connections closed at once, because every other had a request under way
	Dropped uint64 // connections that waited, closed for a new one
}

// Stats returns the present counters.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{l.open, l.refused, l.dropped}
}

// Accept returns the next connection for which there is a place.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: raw, l: l, from: sourceOf(raw.RemoteAddr())}
		victim, ok := l.take(c)
		if victim != nil {
			_ = victim.Conn.Close() // its server notices by itself
		}
		if ok {
			return c, nil
		}
		_ = raw.Close() // nothing was sent on it
	}
}

// take gives a connection a place. It returns the connection that had the place before, if
// any, and whether there was a place.
func (l *Listener) take(c *conn) (victim *conn, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sources[c.from]
	full := l.open >= l.most
	switch {
	case s != nil && s.open >= l.each:
		victim, full = s.waiting.first(), true
	case full:
		victim = l.waiting.first()
	}
	if full && victim == nil {
		l.refused++
		return nil, false
	}
	if victim != nil {
		l.dropped++
		victim.leave()
	}
	if s = l.sources[c.from]; s == nil { // after leave, which may have removed it
		s = new(source)
		l.sources[c.from] = s
	}
	l.open++
	s.open++
	c.wait()
	return victim, true
}

// State is for [http.Server.ConnState].
func (l *Listener) State(nc net.Conn, state http.ConnState) {
	c := connOf(nc)
	if c == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.gone {
		return
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.rest()
		c.wait()
	case http.StateActive:
		c.rest()
	}
}

type contextKey struct{}

// Context puts the connection into the contexts of its requests, for Known and Refused.
func Context(ctx context.Context, nc net.Conn) context.Context {
	if c := connOf(nc); c != nil {
		return context.WithValue(ctx, contextKey{}, c)
	}
	return ctx
}

// Known marks a connection as one on which a key was shown: it keeps its place for longer
// than others. The context is a request's.
func Known(ctx context.Context) {
	if c, ok := ctx.Value(contextKey{}).(*conn); ok {
		c.known()
	}
}

// Refused says that the request only answers a caller without a valid key. From then on
// the connection waits, though its server counts a request until the answer is taken and
// the body has arrived. It changes nothing if a key was shown on the connection. The
// context is a request's.
func Refused(ctx context.Context) {
	if c, ok := ctx.Value(contextKey{}).(*conn); ok {
		c.refused()
	}
}

// A conn is a connection with a place. The listener's mutex guards all fields but Conn and
// shown.
type conn struct {
	net.Conn
	l    *Listener
	from netip.Prefix

	shown    atomic.Bool // a key was shown; atomic since every request reads it
	rank     int
	gone     bool          // it has lost its place
	all, own *list.Element // in the listener's and in its source's queue, while it waits
}

// connOf returns the conn of a connection, encrypted or not; nil if it is not a
// Listener's.
func connOf(nc net.Conn) *conn {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = t.NetConn()
	}
	c, _ := nc.(*conn)
	return c
}

// Close closes the connection and gives its place up.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.leave()
	return err
}

// leave gives the place up, once. The caller holds the listener's mutex.
func (c *conn) leave() {
	if c.gone {
		return
	}
	c.rest()
	c.gone = true
	c.l.open--
	if s := c.l.sources[c.from]; s.open == 1 {
		delete(c.l.sources, c.from)
	} else {
		s.open--
	}
}

// wait puts the connection at the end of its queues; rest removes it from them. The caller
// holds the listener's mutex.
func (c *conn) wait() {
	c.all = c.l.waiting[c.rank].PushBack(c)
	c.own = c.l.sources[c.from].waiting[c.rank].PushBack(c)
}

func (c *conn) rest() {
	if c.all != nil {
		c.l.waiting[c.rank].Remove(c.all)
		c.l.sources[c.from].waiting[c.rank].Remove(c.own)
		c.all, c.own = nil, nil
	}
}

func (c *conn) refused() {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	if !c.gone && c.rank == 0 && c.all == nil {
		c.wait()
	}
}

func (c *conn) known() {
	if c.shown.Load() || c.shown.Swap(true) {
		return
	}
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	if c.gone {
		return
	}
	waits := c.all != nil // of a request that the server does not see as one
	c.rest()
	c.rank = 1
	if waits {
		c.wait()
	}
}

// sourceOf returns the source of an address. All connections of a socket in the file
// system have one source.
func sourceOf(a net.Addr) netip.Prefix {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	addr := t.AddrPort().Addr().Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
