package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stet-dev/stet"
)

// What is aimed at.
const (
	benchSubscribers = 1000
	// fanOutTarget is how many times what a bare loop takes to write the same
	// bytes to as many open connections the last subscriber may wait.
	fanOutTarget = 5.0
	// idleTarget is how many bytes of heap and stacks an idle subscriber may take.
	idleTarget = 40 << 10
)

// crowd is many open connections to one URL, as raw as can be, so that what they
// cost here is little and the same for whatever they are connected to.
type crowd struct {
	conns   []net.Conn
	readers sync.WaitGroup
	left    atomic.Int64
	done    chan time.Time // when the last one has got an event
}

func newCrowd(tb testing.TB, url string, n int) *crowd {
	addr, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	c := &crowd{done: make(chan time.Time, 1)}
	var buf [4 << 10]byte
	for range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			tb.Fatal(err)
		}
		c.conns = append(c.conns, conn)
		fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", path, addr)
		for got := 0; !bytes.Contains(buf[:got], []byte("\r\n\r\n")) || !bytes.Contains(buf[:got], []byte("event: beat")); {
			m, err := conn.Read(buf[got:])
			if err != nil {
				tb.Fatal(err)
			}
			got += m
		}
	}
	return c
}

// listen begins to count who gets a change.
func (c *crowd) listen() {
	for _, conn := range c.conns {
		c.readers.Go(func() {
			buf := make([]byte, 4<<10)
			for {
				n, err := conn.Read(buf)
				if err != nil {
					return
				}
				if bytes.Contains(buf[:n], []byte("event: change")) && c.left.Add(-1) == 0 {
					c.done <- time.Now()
				}
			}
		})
	}
}

// round returns how long it takes from the start of an act until everybody has got
// the event that it makes.
func (c *crowd) round(act func()) time.Duration {
	c.left.Store(int64(len(c.conns)))
	began := time.Now()
	act()
	return (<-c.done).Sub(began)
}

func (c *crowd) close() {
	for _, conn := range c.conns {
		conn.Close()
	}
	c.readers.Wait()
}

// A bareLoop is what one would write without stet: handlers that wait, and a loop
// that writes to each of their connections.
type bareLoop struct {
	mu      sync.Mutex
	writers []http.ResponseWriter
	over    chan struct{}
}

func (l *bareLoop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "event: beat\n\n")
	w.(http.Flusher).Flush()
	l.mu.Lock()
	l.writers = append(l.writers, w)
	l.mu.Unlock()
	select {
	case <-l.over:
	case <-r.Context().Done():
	}
}

func (l *bareLoop) write(frame []byte) {
	for _, w := range l.writers {
		_, _ = w.Write(frame)
		w.(http.Flusher).Flush()
	}
}

func newBareLoop(tb testing.TB) (*bareLoop, *httptest.Server) {
	l := &bareLoop{over: make(chan struct{})}
	srv := httptest.NewServer(l)
	tb.Cleanup(func() { close(l.over); srv.CloseClientConnections(); srv.Close() })
	return l, srv
}

// BenchmarkFanOut: a commit reaches a thousand subscribers. The time is from the
// beginning of the commit until the last of them has read it.
func BenchmarkFanOut(b *testing.B) {
	r := newChangesRig(b, Options{})
	r.save("warm", "up")
	page, err := r.store.ChangesPage(context.Background(), 0, stet.ChangesOptions{})
	if err != nil {
		b.Fatal(err)
	}
	e, err := newEvent(r.store.ID()+".", &page.Items[0])
	if err != nil {
		b.Fatal(err)
	}
	bare, srv := newBareLoop(b)
	them, us := newCrowd(b, srv.URL+"/", benchSubscribers), newCrowd(b, r.url+"/v1/changes", benchSubscribers)
	defer them.close()
	defer us.close()
	them.listen()
	us.listen()

	var theirs, ours []time.Duration
	n := 0
	for b.Loop() { // in turns, so that what else goes on at the machine hits both
		n++
		theirs = append(theirs, them.round(func() { bare.write(e.frame) }))
		ours = append(ours, us.round(func() { r.save("warm", strconv.Itoa(n)) }))
	}
	slices.Sort(theirs)
	slices.Sort(ours)
	at := func(d []time.Duration, p float64) float64 {
		return float64(d[int(p*float64(len(d)-1))].Microseconds())
	}
	ratio := at(ours, 0.5) / at(theirs, 0.5)
	b.ReportMetric(at(ours, 0.5), "µs/last-p50")
	b.ReportMetric(at(ours, 0.99), "µs/last-p99")
	b.ReportMetric(at(theirs, 0.5), "µs/bare-p50")
	b.ReportMetric(at(theirs, 0.99), "µs/bare-p99")
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(0, "ns/op")
	b.Logf("the last of %d subscribers waits %.2f times what a bare loop takes (at most %.0f)", benchSubscribers, ratio, fanOutTarget)
}

// inUse returns the bytes of live heap and of stacks.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestIdleSubscribers holds what an idle subscriber takes against the bound. What
// the other end of its connection takes, in the same process, is counted too: it
// is little.
func TestIdleSubscribers(t *testing.T) {
	each := func(url string, n int) int64 {
		before := inUse()
		c := newCrowd(t, url, n)
		defer c.close()
		return (inUse() - before) / int64(n)
	}
	r := newChangesRig(t, Options{})
	_, srv := newBareLoop(t)
	r.saves("a", 10)
	bare := each(srv.URL+"/", benchSubscribers)
	for _, query := range []string{"", "?prefix=a&texts=true"} {
		ours := each(r.url+"/v1/changes"+query, benchSubscribers)
		t.Logf("an idle subscriber%s takes %d bytes; of a bare handler %d", query, ours, bare)
		if ours > idleTarget {
			t.Errorf("an idle subscriber%s takes %d bytes; %d is the most", query, ours, idleTarget)
		}
	}
}
