package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/memory"
)

// Many subscribers begin at many places while many write, with a ring that is far
// too small: each gets everything once and in order.
func TestStreamHasNoGap(t *testing.T) {
	for _, count := range []int{1, 3, 4096} {
		t.Run(strconv.Itoa(count), func(t *testing.T) {
			r := newChangesRig(t, Options{})
			r.api.streams.withoutTexts.count, r.api.streams.withTexts.count = count, count
			r.saves("a", 50)
			const last = 50 + 8*60
			var work sync.WaitGroup
			for w := range 8 {
				work.Go(func() {
					for i := range 60 {
						r.save(fmt.Sprint("p", w), strconv.Itoa(i))
					}
				})
			}
			for i := range 40 {
				work.Go(func() {
					query := "since=" + strconv.Itoa(i)
					if i%3 == 0 {
						query += "&texts=true"
					}
					if i%4 == 0 { // from the present on, which the first event tells
						s := r.subscribe("")
						e, _ := s.next()
						s.in(e.revision(), last)
						return
					}
					r.subscribe(query).in(uint64(i), last)
				})
			}
			work.Wait()
		})
	}
}

func TestStreamResumes(t *testing.T) {
	r := newChangesRig(t, Options{})
	r.saves("a", 9)
	s := r.subscribe("since=2", "Last-Event-ID", r.store.ID()+".5") // the header is newer than the URL
	s.in(5, 9)
	for header, want := range map[string]string{
		"another.5":          "Start over",
		r.store.ID() + ".77": "no revision 77",
		"x":                  "not a revision",
	} {
		req := r.subscribe("", "Last-Event-ID", header)
		var p struct{ Detail string }
		if err := json.NewDecoder(req.resp.Body).Decode(&p); err != nil || req.resp.StatusCode/100 != 4 || !strings.Contains(p.Detail, want) {
			t.Errorf("Last-Event-ID %s is answered with %d %q", header, req.resp.StatusCode, p.Detail)
		}
	}
}

func TestStreamEnds(t *testing.T) {
	r := newChangesRig(t, Options{})
	r.saves("a", 3)
	s := r.subscribe("since=1")
	s.in(1, 3)
	r.api.Drain()
	e := s.until("end")
	if want := `{"reason":"draining","detail":"the server is stopping; come back in a moment","as_of":3}`; e.data != want || e.id != r.store.ID()+".3" {
		t.Errorf("the end is %s %s", e.id, e.data)
	}
	if _, more := s.next(); more {
		t.Error("there is something after the end")
	}
	await(t, func() bool { return !r.api.streams.withoutTexts.follows() })
}

// follows reports whether somebody follows.
func (h *hub) follows() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.feed != nil
}

// The feed begins with the first subscriber and ends with the last.
func TestFeedLives(t *testing.T) {
	r := newChangesRig(t, Options{})
	for range 3 {
		if r.api.streams.withoutTexts.follows() {
			t.Error("there is a feed without a subscriber")
		}
		s, u := r.subscribe(""), r.subscribe("")
		s.until("beat")
		rev := r.save("a", fmt.Sprint(time.Now()))
		s.in(rev-1, rev)
		u.in(rev-1, rev)
		s.resp.Body.Close()
		rev = r.save("a", fmt.Sprint(time.Now()))
		u.in(rev-1, rev)
		u.resp.Body.Close()
		await(t, func() bool { return !r.api.streams.withoutTexts.follows() })
	}
}

func TestStreamFilters(t *testing.T) {
	r := newChangesRig(t, Options{})
	s := r.subscribe("prefix=b/")
	s.until("beat")
	r.save("a/x", "1")
	_, err := r.store.Commit(context.Background(), stet.Commit{Ops: []stet.Op{
		{Save: &stet.Draft{PromptID: "a/x", Text: "2"}}, {Save: &stet.Draft{PromptID: "b/x", Text: "2"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c := s.until("change").change(t)
	if c.Revision != 2 || len(c.Ops) != 1 || c.Ops[0].Save.PromptID != "b/x" {
		t.Errorf("of the commit over two prompts the subscriber sees %+v", c)
	}
	// Beats report revisions that are not shown.
	last := r.save("a/x", "3")
	if e := s.until("beat"); e.revision() != last || !strings.Contains(e.data, fmt.Sprintf(`"as_of":%d,"newest":%d`, last, last)) {
		t.Errorf("the beat after a change that is not shown is %s %s", e.id, e.data)
	}
	if err := r.store.Clear(context.Background(), stet.By{}); err != nil {
		t.Fatal(err)
	}
	if c := s.until("change").change(t); c.Ops[0].Clear == nil {
		t.Errorf("a clear is seen as %+v", c)
	}
}

// A text that was deleted is not in memory for those who come later.
func TestStreamForgetsTexts(t *testing.T) {
	r := newChangesRig(t, Options{})
	first := r.subscribe("texts=true")
	first.until("beat")
	r.save("a", "secret")
	if e := first.until("change"); !strings.Contains(e.data, "secret") {
		t.Errorf("there is no text in %s", e.data)
	}
	if _, err := r.store.Delete(context.Background(), stet.By{}, stet.Delete{PromptID: "a"}); err != nil {
		t.Fatal(err)
	}
	first.until("change")
	if e := r.subscribe("texts=true&since=0").until("change"); strings.Contains(e.data, "secret") {
		t.Errorf("the deleted text is in %s", e.data)
	}
}

func TestStreamEndsWithItsKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	var secret, id string
	err := keys.Update(context.Background(), path, func(f *keys.File) error {
		k, s, err := f.Create(keys.Key{Name: "app", Role: keys.Reader, Prompts: []string{"a/*"}}, time.Now())
		secret, id = s, k.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ring.Close)
	r := newChangesRig(t, Options{Keys: ring})
	s := r.subscribe("", "Authorization", "Bearer "+secret)
	s.until("beat")
	r.save("b/hidden", "1")
	rev := r.save("a/seen", "1")
	if e := s.until("change"); e.revision() != rev || strings.Contains(e.data, "hidden") {
		t.Errorf("the key's stream has %s %s", e.id, e.data)
	}
	if err := keys.Update(context.Background(), path, func(f *keys.File) error { _, err := f.Revoke(id, time.Now()); return err }); err != nil {
		t.Fatal(err)
	}
	if e := s.until("end"); !strings.Contains(e.data, `"reason":"key revoked"`) {
		t.Errorf("the end is %s", e.data)
	}
}

// newChangesBubble is newChangesRig in a bubble of testing/synctest, with a client: a
// connection holds nothing that is not read, and no time passes but where all wait.
func newChangesBubble(t *testing.T) (*changesRig, *pipeListener, *http.Client) {
	t.Helper()
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &changesRig{t: t, store: store, api: New(store, nil), url: "http://127.0.0.1"}
	l := newPipeListener()
	srv := &http.Server{Handler: r.api}
	go srv.Serve(l)
	c := &http.Client{Transport: &http.Transport{DialContext: l.dial}}
	t.Cleanup(func() {
		c.CloseIdleConnections()
		srv.Close()
		r.api.Close()
		store.Close()
	})
	return r, l, c
}

// Who does not read is cut off, costs nobody else anything, and goes on later
// where the last whole event was.
func TestStreamOfOneWhoDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l, c := newChangesBubble(t)
		conn, err := l.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /v1/changes?texts=true HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
		s := &subscriber{t, nil, bufio.NewScanner(conn)}
		s.scan.Buffer(nil, 64<<20)
		s.until("beat")
		other := subscribeTo(t, c, r.url+"/v1/changes")
		other.until("beat")
		began := time.Now()
		big := strings.Repeat("0123456789abcdef", 16<<10) // 256 KiB
		var last uint64
		for i := range 40 {
			last = r.save("a", strconv.Itoa(i)+big)
		}
		other.in(0, last)
		s.until("change")
		if waited := time.Since(began); waited > 0 {
			t.Errorf("beside one who does not read, a reader waits for %v", waited)
		}
		await(t, func() bool { return r.api.streams.open.Load() == 1 })
		if after := time.Since(began).Round(time.Second); after != streamWrite {
			t.Errorf("it is cut off after %v, and not after %v", after, streamWrite)
		}

		// What it got before it was cut off ends in the middle of an event.
		seen := uint64(1)
		for {
			e, ok := s.next()
			if !ok {
				break
			}
			if e.event == "change" {
				seen = e.revision()
			}
		}
		if seen >= last {
			t.Fatalf("all %d changes fitted into the connection", seen)
		}
		subscribeTo(t, c, fmt.Sprintf("%s/v1/changes?since=%d", r.url, seen)).in(seen, last)
	})
}

// A stream that was live and falls far behind ends with the reason.
func TestStreamTooSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, c := newChangesBubble(t)
		r.api.streams.withoutTexts.count, r.api.streams.lag = 2, 5
		s := subscribeTo(t, c, r.url+"/v1/changes")
		s.until("beat")
		const last = 20
		r.save("a", "first")
		synctest.Wait() // it is being sent, and not read
		r.saves("a", last-1)
		synctest.Wait() // the feed has all of them
		seen := uint64(0)
		for {
			e, ok := s.next()
			if !ok {
				t.Fatalf("the stream ended without a word after %d", seen)
			}
			if e.event == "end" {
				if !strings.Contains(e.data, `"reason":"too slow"`) || e.revision() != seen {
					t.Errorf("after revision %d the end is %s %s", seen, e.id, e.data)
				}
				return
			}
			if e.revision() != seen+1 {
				t.Fatalf("after revision %d comes %s", seen, e.id)
			}
			seen = e.revision()
			if seen == last {
				t.Fatal("it was never too slow")
			}
		}
	})
}

// Beats come at their time and tell the newest revision.
func TestBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, c := newChangesBubble(t)
		began := time.Now()
		elapsed := func(s *subscriber, want time.Duration, revision uint64) {
			t.Helper()
			e := s.until("beat")
			if at := time.Since(began).Round(time.Millisecond); at != want || e.revision() != revision {
				t.Errorf("at %v comes %s %s, and should at %v with revision %d", at, e.id, e.data, want, revision)
			}
		}
		s := subscribeTo(t, c, r.url+"/v1/changes?prefix=b")
		elapsed(s, 0, 0)
		elapsed(s, 15*time.Second, 0)
		elapsed(s, 30*time.Second, 0)
		rest := time.NewTimer(4 * time.Second)
		<-rest.C
		r.save("a", "1") // hidden from the subscriber: a beat within a second
		r.save("a", "2")
		elapsed(s, 35*time.Second, 2)
		elapsed(s, 50*time.Second, 2)
		rest.Reset(5 * time.Second)
		<-rest.C
		r.save("b", "1") // a change does not put the next beat off
		s.in(2, 3)
		elapsed(s, 65*time.Second, 3)
		// Nor do many, or a reader would not know that this is all. They come between
		// the beats, and are read at once: a pipe holds nothing, and who does not read is
		// cut off.
		rest.Reset(500 * time.Millisecond)
		<-rest.C
		for i := range uint64(20) {
			rest.Reset(time.Second)
			<-rest.C
			r.save("b", "1")
			s.in(3+i, 4+i)
			if i == 13 {
				elapsed(s, 80*time.Second, 17)
			}
		}
		s.resp.Body.Close()

		s = subscribeTo(t, c, r.url+"/v1/changes?beat=2")
		elapsed(s, 86*time.Second, 23)
		elapsed(s, 88*time.Second, 23)
		s.resp.Body.Close()
	})
}

// A pipeListener is a network within a bubble of testing/synctest.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	over  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), over: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.over) })
	return nil
}

func (l *pipeListener) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- loopback{there, l.Addr()}:
		return here, nil
	case <-l.over:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// loopback is a connection of this machine.
type loopback struct {
	net.Conn
	addr net.Addr
}

func (c loopback) LocalAddr() net.Addr  { return c.addr }
func (c loopback) RemoteAddr() net.Addr { return c.addr }
