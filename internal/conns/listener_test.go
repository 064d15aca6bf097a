package conns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/conns"
)

// A door gives out connections without a network.
type door struct{ in chan net.Conn }

func (d door) Accept() (net.Conn, error) {
	if c, ok := <-d.in; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (d door) Close() error   { return nil }
func (d door) Addr() net.Addr { return nil }

// A visitor is a connection from an address.
type visitor struct {
	net.Conn
	from   net.Addr
	closed bool
}

func (v *visitor) RemoteAddr() net.Addr { return v.from }
func (v *visitor) Close() error         { v.closed = true; return nil }

// A rig is a listener and the connections to it.
type rig struct {
	t  *testing.T
	l  *conns.Listener
	in chan net.Conn
	n  int // ports
}

func newRig(t *testing.T, most, each int) *rig {
	in := make(chan net.Conn, 1)
	return &rig{t: t, l: conns.Listen(door{in}, most, each), in: in}
}

// connect connects from an address, and returns both ends of the connection.
func (r *rig) connect(ip string) (*visitor, net.Conn) {
	r.t.Helper()
	v := r.dial(ip)
	c, err := r.l.Accept()
	if err != nil || v.closed {
		r.t.Fatalf("%s is not let in: %v", ip, err)
	}
	r.l.State(c, http.StateNew)
	return v, c
}

func (r *rig) dial(ip string) *visitor {
	r.n++
	v := &visitor{from: &net.TCPAddr{IP: net.ParseIP(ip), Port: r.n}}
	r.in <- v
	return v
}

// refused connects from an address and must find no place.
func (r *rig) refused(ip string) {
	r.t.Helper()
	before := r.l.Stats()
	v := r.dial(ip)
	done := make(chan bool)
	go func() {
		_, err := r.l.Accept()
		done <- errors.Is(err, net.ErrClosed)
	}()
	close(r.in) // Accept goes on to the next, which there is not
	if !<-done || !v.closed {
		r.t.Errorf("%s is let in", ip)
	}
	if s := r.l.Stats(); s.Refused != before.Refused+1 || s.Open != before.Open {
		r.t.Errorf("%+v, and before it was refused %+v", s, before)
	}
}

// TestWaitingGoFirst: when all places are taken, the connection that has waited longest is
// closed, of any address; then those on which a key was shown; none with a request.
func TestWaitingGoFirst(t *testing.T) {
	r := newRig(t, 4, 4)
	a, ca := r.connect("10.0.0.1")
	b, cb := r.connect("10.0.0.2")
	c, cc := r.connect("10.0.0.3")
	d, cd := r.connect("10.0.0.4")
	conns.Known(conns.Context(context.Background(), ca)) // a has shown a key
	conns.Known(context.Background())                    // on no connection of ours
	r.l.State(cb, http.StateActive)
	r.l.State(cc, http.StateActive)
	r.l.State(cc, http.StateIdle) // now d has waited longer than c
	for i, want := range []*visitor{d, c} {
		if r.connect(fmt.Sprintf("10.0.1.%d", i)); !want.closed {
			t.Errorf("visitor %d: the wrong one went: a %v, b %v, c %v, d %v", i, a.closed, b.closed, c.closed, d.closed)
		}
	}
	if a.closed || b.closed {
		t.Error("who has shown a key, or has a request, went before strangers that wait")
	}
	// The server notices in its own time; places are not given up twice.
	cc.Close()
	cd.Close()
	cd.Close()
	r.l.State(cd, http.StateClosed)
	r.l.State(cd, http.StateIdle)
	if s := r.l.Stats(); s.Open != 4 || s.Dropped != 2 || s.Refused != 0 {
		t.Errorf("%+v", s)
	}
	for range 5 {
		r.connect("10.0.2.1") // the newest of whom take each other's places
	}
	if a.closed {
		t.Error("who has shown a key went before strangers")
	}
	cb.Close()
	if s := r.l.Stats(); s.Open != 3 || !b.closed {
		t.Errorf("%+v", s)
	}
}

// TestRequestsKeepPlaces: who comes when every place has a request is sent away.
func TestRequestsKeepPlaces(t *testing.T) {
	r := newRig(t, 2, 2)
	for range 2 {
		_, c := r.connect("10.0.0.1")
		r.l.State(c, http.StateActive)
	}
	r.refused("10.0.0.2")
}

// TestRefusedGiveWay: a connection whose caller was refused keeps nobody out. One with a
// key does, and so does one with a new request.
func TestRefusedGiveWay(t *testing.T) {
	r := newRig(t, 3, 3)
	for range 3 {
		v, c := r.connect("10.0.0.1")
		ctx := conns.Context(context.Background(), c)
		r.l.State(c, http.StateActive)
		conns.Refused(ctx)
		conns.Refused(ctx)
		r.l.State(c, http.StateIdle)
		r.l.State(c, http.StateActive)
		if r.connect("10.0.0.2"); v.closed {
			t.Fatal("a request that is not refused yet has lost its place")
		}
		conns.Refused(ctx)
		for range 3 {
			r.connect("10.0.0.2")
		}
		if !v.closed {
			t.Fatal("who is refused has a place")
		}
		conns.Refused(ctx) // it is gone
	}
	v, c := r.connect("10.0.0.3")
	ctx := conns.Context(context.Background(), c)
	r.l.State(c, http.StateActive)
	conns.Known(ctx)
	conns.Refused(ctx)
	for range 4 {
		r.connect("10.0.0.2")
	}
	if v.closed {
		t.Error("who has shown a key has lost the place of a request")
	}
}

// TestShare: one address takes its share and no more, and who comes from there then
// takes a place of its own address. An IPv6 address is the half that says whose it is.
func TestShare(t *testing.T) {
	for _, ips := range [][2]string{{"10.0.0.1", "10.0.0.1"}, {"10.0.0.1", "::ffff:10.0.0.1"}, {"2001:db8::1", "2001:db8::ffff"}} {
		r := newRig(t, 10, 3)
		other, _ := r.connect("10.0.0.9") // has waited longest
		first, _ := r.connect(ips[0])
		for range 3 {
			r.connect(ips[1])
		}
		if s := r.l.Stats(); s.Open != 4 || !first.closed || other.closed {
			t.Errorf("%v: %+v; the first is gone: %v, another address's: %v", ips, s, first.closed, other.closed)
		}
	}
	r := newRig(t, 10, 2)
	for range 2 {
		_, c := r.connect("10.0.0.1")
		r.l.State(c, http.StateActive)
	}
	r.connect("10.0.0.2")
	r.connect("2001:db8:0:1::1")
	r.refused("10.0.0.1")
}

// TestWithin: what connections leave is enough for the store and the keys.
func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		files, asked int
		want         conns.Bounds
	}{
		{20_000, 0, conns.Bounds{Most: 4096, Each: 2048, Private: 256}},
		{1024, 0, conns.Bounds{Most: 768, Each: 384, Private: 128}},
		{256, 0, conns.Bounds{Most: 192, Each: 96, Private: 32}},
		{1024, 1, conns.Bounds{Most: 1, Each: 1, Private: 128}},
		{20_000, 12_000, conns.Bounds{Most: 12_000, Each: 6000, Private: 256}},
	} {
		got, err := conns.Within(tt.files, tt.asked)
		if err != nil || got != tt.want {
			t.Errorf("%d files, %d asked for: %+v, %v", tt.files, tt.asked, got, err)
		}
		if got.Most+got.Private > tt.files*7/8 {
			t.Errorf("of %d files too few are left: %+v", tt.files, got)
		}
	}
	for _, asked := range []int{769, 5000} {
		if _, err := conns.Within(1024, asked); stet.CodeOf(err) != stet.CodeInvalid {
			t.Errorf("%d connections with 1024 files: %v", asked, err)
		}
	}
	if n := conns.Files(); n < 1 {
		t.Errorf("the program may have %d files open", n)
	}
}
