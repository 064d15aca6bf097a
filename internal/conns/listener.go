// Package conns bounds the connections of a server: in all, and of one address. When
// a place is needed, a connection on which no request is being worked on gives its
// own up, so that those who hold places and use none keep nobody out.
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

// A Listener accepts connections up to its bounds. One that is accepted beyond them
// takes the place of the connection that has waited longest: of the same address if
// that has its share, else of any; and of those on which nobody has shown a key, as
// [Known] tells, before others. If none waits, it is closed at once: the caller sees
// that its connection failed, and that nothing was done.
//
// It waits for a request who has sent none yet, or not all of its header, or whose
// last one was answered, as [http.Server.ConnState] tells: the server must have the
// method State there, and Context as its ConnContext or called by that. Who was refused
// waits as well, as [Refused] tells.
//
// Its methods may be called by any number of goroutines at once.
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

// A source is who has connections: an address, or the first 64 bits of one of IPv6,
// all of which one customer has.
type source struct {
	open    int
	waiting queues
}

// queues are connections that wait, those that have waited longest first, by their
// rank: strangers, and those on which somebody has shown a key.
type queues [2]list.List

// first returns the one that is to go first, nil if none waits.
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

// Stats are what a listener has done.
type Stats struct {
	Open    int    // connections
	Refused uint64 // since every place was taken by a connection with a request
	Dropped uint64 // that waited, and had to go
}

// Stats returns them as they are now.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{l.open, l.refused, l.dropped}
}

// Accept returns the next connection that there is a place for.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: raw, l: l, from: sourceOf(raw.RemoteAddr())}
		victim, ok := l.take(c)
		if victim != nil {
			_ = victim.Conn.Close() // its server finds out by itself
		}
		if ok {
			return c, nil
		}
		_ = raw.Close() // nothing was said on it
	}
}

// take gives a connection a place, and returns whose that was, if anybody's, and
// whether there was one.
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

// Context lets the requests of a connection name it to Known.
func Context(ctx context.Context, nc net.Conn) context.Context {
	if c := connOf(nc); c != nil {
		return context.WithValue(ctx, contextKey{}, c)
	}
	return ctx
}

// Known says that who makes requests on a connection has shown a key: then it keeps
// its place for longer than strangers do. The context is a request's.
func Known(ctx context.Context) {
	if c, ok := ctx.Value(contextKey{}).(*conn); ok {
		c.known()
	}
}

// Refused says that nothing is to be done on a connection but to answer somebody whom
// nobody knows: it waits from then on, though its server counts a request until the answer
// is taken and the body has come. It changes nothing where somebody has shown a key. The
// context is a request's.
func Refused(ctx context.Context) {
	if c, ok := ctx.Value(contextKey{}).(*conn); ok {
		c.refused()
	}
}

// A conn has a place. All but its Conn belongs to its listener's mutex.
type conn struct {
	net.Conn
	l    *Listener
	from netip.Prefix

	shown    atomic.Bool // a key; every request asks
	rank     int
	gone     bool          // it has no place any more
	all, own *list.Element // in the listener's and in its source's queue, while it waits
}

// connOf returns the connection that one is, encrypted or not; nil for another's.
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

// leave gives the place up, once. The caller has the listener's mutex.
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

// wait puts the connection behind those that wait, and rest takes it from there. The
// caller has the listener's mutex.
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

// sourceOf returns whose connection it is that comes from an address. All of a socket
// in the file system are one's.
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
