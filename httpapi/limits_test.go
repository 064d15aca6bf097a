package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/memory"
)

// A rig is a server on a real socket, or in a bubble of testing/synctest.
type rig struct {
	t       *testing.T
	api     *Server
	connect func() (net.Conn, error)
	// lines gets the log: one line a request, after it was answered.
	lines chan string
	store *stet.Store
}

// lineWriter sends each line of a log to a channel.
type lineWriter struct {
	mu    sync.Mutex
	lines chan string
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines <- string(p)
	return len(p), nil
}

func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newRigOn(t, o, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
}

// inBubble runs a test whose limits are times, in the time of a bubble.
func inBubble(t *testing.T, o Options, test func(t *testing.T, r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		test(t, newRigOn(t, o, l, func() (net.Conn, error) { return l.dial(t.Context(), "", "") }))
	})
}

func newRigOn(t *testing.T, o Options, l net.Listener, connect func() (net.Conn, error)) *rig {
	t.Helper()
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: store, lines: make(chan string, 10_000), connect: connect}
	o.Log = slog.New(slog.NewJSONHandler(&lineWriter{lines: r.lines}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.api = New(store, &o)
	server := NewServer(r.api)
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-served
		r.api.Close()
		store.Close()
	})
	return r
}

// dial opens a connection of its own and sends what is given.
func (r *rig) dial(send string) net.Conn {
	r.t.Helper()
	c, err := r.connect()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, strings.ReplaceAll(send, "\n", "\r\n")); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// answer reads an answer.
func answer(t *testing.T, c net.Conn) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// ask sends a request that has no body on a connection of its own.
func (r *rig) ask(request string) (*http.Response, string) {
	r.t.Helper()
	return answer(r.t, r.dial(request+" HTTP/1.1\nHost: localhost\nConnection: close\n\n"))
}

// line returns the next line of the log.
func (r *rig) line() (m map[string]any) {
	r.t.Helper()
	s := <-r.lines
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		r.t.Fatalf("%q: %v", s, err)
	}
	return m
}

const halfSave = "POST /v1/prompts/a/versions HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 12\nExpect: 100-continue\n\n"

// begin sends a save without its body, and returns when the handler waits for that.
func (r *rig) begin() net.Conn {
	r.t.Helper()
	c := r.dial(halfSave)
	b := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(c, b); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 100 ") {
		r.t.Fatalf("%q, %v", b, err)
	}
	return c
}

func TestRequestsInHand(t *testing.T) {
	r := newRig(t, Options{Limits: Limits{InHand: 2}})
	coming := r.begin() // a body that comes is not in hand
	for range 2 {
		if err := r.api.limiter.enter(kindUsual, nil); err != nil {
			t.Fatal(err)
		}
	}
	res, body := r.ask("GET /v1/prompts")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "1" || !strings.Contains(body, `"code":"unavailable"`) {
		t.Errorf("the third request: %s, Retry-After %q, %s", res.Status, res.Header.Get("Retry-After"), body)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if res, body := r.ask("GET " + path); res.StatusCode != http.StatusOK {
			t.Errorf("%s meanwhile: %s, %s", path, res.Status, body)
		}
	}
	r.api.limiter.leave(kindUsual, nil)
	r.api.limiter.leave(kindUsual, nil)
	io.WriteString(coming, `{"text":"a"}`)
	if res, body := answer(t, coming); res.StatusCode != http.StatusCreated {
		t.Errorf("what came meanwhile: %s, %s", res.Status, body)
	}
	for r.line()["status"] != float64(201) { // it has left when its line is there
	}
	if n := r.api.limiter.inHand[kindUsual].Load(); n != 0 {
		t.Errorf("afterwards %d requests are in hand", n)
	}
}

func TestStreamsHaveABoundOfTheirOwn(t *testing.T) {
	r := newRig(t, Options{Limits: Limits{InHand: 1, Streams: 2}})
	const stream = "GET /v1/changes HTTP/1.1\nHost: localhost\nAccept: text/event-stream\n\n"
	for range 2 {
		c := r.dial(stream)
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("a stream: %v, %v", res, err)
		}
	}
	for _, s := range []string{stream, "GET /v1/changes?wait=1 HTTP/1.1\nHost: localhost\n\n"} {
		res, body := answer(t, r.dial(s))
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(body, "streams") {
			t.Errorf("%q as the third: %s, %s", s[:20], res.Status, body)
		}
	}
	if res, body := r.ask("GET /v1/prompts"); res.StatusCode != http.StatusOK {
		t.Errorf("a read beside streams: %s, %s", res.Status, body)
	}
}

func TestBytesOfBodies(t *testing.T) {
	r := newRig(t, Options{Limits: Limits{bodyBytes: 20}})
	first, announced := r.begin(), r.begin()
	if n := r.api.limiter.bytes.Load(); n != 0 {
		t.Errorf("%d bytes are held of what has not come", n)
	}
	io.WriteString(first, `{"text":`)
	await(t, func() bool { return r.api.limiter.bytes.Load() == 12 })
	res, body := answer(t, r.dial(strings.Replace(halfSave, "Expect: 100-continue\n", "Connection: close\n", 1)+`{"text":"a"}`))
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(body, "bytes of bodies") {
		t.Errorf("a second body: %s, %s", res.Status, body)
	}
	io.WriteString(first, `"a"}`)
	if res, body := answer(t, first); res.StatusCode != http.StatusCreated {
		t.Errorf("the first: %s, %s", res.Status, body)
	}
	for r.line()["status"] != float64(201) {
	}
	if n := r.api.limiter.bytes.Load(); n != 0 {
		t.Errorf("%d bytes are held when nothing is in hand", n)
	}
	io.WriteString(announced, `{"text":"b"}`)
	if res, body := answer(t, announced); res.StatusCode != http.StatusCreated {
		t.Errorf("afterwards: %s, %s", res.Status, body)
	}
}

// TestWaitIsBounded waits for a revision that never comes.
func TestWaitIsBounded(t *testing.T) {
	inBubble(t, Options{Limits: Limits{InHand: 1}}, func(t *testing.T, r *rig) {
		res, body := r.ask("GET /v1/prompts?min_revision=99")
		if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "revision 99 has not come") {
			t.Errorf("%s, %s", res.Status, body)
		}
		if k := r.line()["status"]; k != float64(503) {
			t.Errorf("logged with %v", k)
		}
	})
}

// TestManyAreBounded asks for more text than one answer may have.
func TestManyAreBounded(t *testing.T) {
	r := newRig(t, Options{})
	text := strings.Repeat("x", 1<<20-1000)
	if _, err := r.store.Save(t.Context(), stet.Draft{PromptID: "a", Text: text}); err != nil {
		t.Fatal(err)
	}
	get := func(n int) (*http.Response, string) {
		body := `{"refs":[` + strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") + `]}`
		return answer(t, r.dial(fmt.Sprintf("POST /v1/get HTTP/1.1\nHost: localhost\nConnection: close\nContent-Type: application/json\nContent-Length: %d\n\n%s", len(body), body)))
	}
	if res, body := get(30); res.StatusCode != http.StatusOK || len(body) < 30*len(text) {
		t.Errorf("30 MB: %s, %d bytes", res.Status, len(body))
	}
	if res, body := get(1000); res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(body, `"op":3`) {
		t.Errorf("1 GB: %s, %.300s", res.Status, body)
	}
}

func TestSlowBody(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, r *rig) {
		c := r.begin()
		io.WriteString(c, `{"te`)
		res, body := answer(t, c)
		if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "too slowly") {
			t.Errorf("a body that stops half way: %s, %s", res.Status, body)
		}
		if monitorOf(r.store).Stats().Queued != 0 {
			t.Error("something was queued")
		}
		if tail, err := r.store.Tail(t.Context()); err != nil || tail.Revision != 0 {
			t.Errorf("the revision is %d, %v", tail.Revision, err)
		}
		// One that comes in time does not end what is done with it, however long that takes.
		r.api.handler = r.api.guard(nowhere, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			n, err := io.Copy(io.Discard, q.Body)
			if err == nil {
				<-time.After(time.Hour)
				err = q.Context().Err()
			}
			fmt.Fprint(w, n, err)
		}))
		const size = 2 * minBodyRate * 60 // takes a minute, and is as fast as it must be
		c = r.dial(fmt.Sprintf("POST /x HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: %d\n\n", size))
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for range 60 {
			<-tick.C
			c.Write(make([]byte, size/60))
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || string(b) != fmt.Sprint(size, nil) {
			t.Errorf("a body that comes in time: %q, %v", b, err)
		}
	})
}

func TestSlowHeader(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, r *rig) {
		c := r.dial("GET /v1/prompts HTTP/1.1\nHost: loc")
		c.SetReadDeadline(time.Now().Add(time.Minute))
		if b, err := io.ReadAll(c); err != nil {
			t.Errorf("a header that stops half way is not cut off: %q, %v", b, err)
		}
	})
}

func TestLargeHeader(t *testing.T) {
	r := newRig(t, Options{})
	res, body := r.ask("GET /v1/prompts HTTP/1.1\nHost: localhost\nX-A: " + strings.Repeat("a", maxHeaderBytes+8<<10))
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%s, %s", res.Status, body)
	}
}

// TestSlowReader has a client that takes nothing of an answer, and one that takes
// a little of it all the time: only the first is cut off.
func TestSlowReader(t *testing.T) {
	const size = 32 << 20 // more than it may take in writeTime, at the pace below
	inBubble(t, Options{}, func(t *testing.T, r *rig) {
		r.api.handler = r.api.guard(nowhere, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write(make([]byte, size))
		}))
		r.dial("GET /big HTTP/1.1\nHost: localhost\n\n")
		if n := r.line()["bytes"].(float64); n >= size {
			t.Errorf("a client that reads nothing was sent %v bytes", n)
		}

		c := r.dial("GET /big HTTP/1.1\nHost: localhost\nConnection: close\n\n")
		start, total := time.Now(), 0
		buf := make([]byte, pieceBytes)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			n, err := io.ReadAtLeast(c, buf, len(buf))
			total += n
			if err != nil {
				break
			}
			<-tick.C
		}
		if took := time.Since(start); total < size || took < 2*writeTime {
			t.Errorf("a client that reads all the time got %d bytes of %d in %v", total, size, took)
		}
	})
}

// TestOwnDeadline has a handler that sets deadlines by itself, as streams do.
func TestOwnDeadline(t *testing.T) {
	const own = 100 * time.Millisecond
	inBubble(t, Options{}, func(t *testing.T, r *rig) {
		failed := make(chan time.Duration)
		r.api.handler = r.api.guard(nowhere, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			c := http.NewResponseController(w)
			for piece := make([]byte, pieceBytes); ; {
				recorderOf(w).until = time.Time{} // as if that were long ago
				begun := time.Now()
				c.SetWriteDeadline(begun.Add(own))
				if _, err := w.Write(piece); err != nil {
					failed <- time.Since(begun)
					return
				}
			}
		}))
		r.dial("GET /x HTTP/1.1\nHost: localhost\n\n")
		if after := <-failed; after != own {
			t.Errorf("a write ended after %v; the handler gave it %v", after, own)
		}
	})
}

// TestSilenceIsNotSlowness lets a request be worked on for longer than a piece of
// an answer may take, over HTTP/1.1 and over HTTP/2, whose deadlines run meanwhile.
func TestSilenceIsNotSlowness(t *testing.T) {
	const silence = 3 * writeTime
	quiet := func(w http.ResponseWriter, r *http.Request) {
		for range 2 {
			<-time.After(silence)
			fmt.Fprintln(w, "here", r.Proto)
			http.NewResponseController(w).Flush()
		}
		fmt.Fprintln(w, "end")
		<-time.After(silence)
	}
	inBubble(t, Options{}, func(t *testing.T, r *rig) {
		r.api.handler = r.api.guard(nowhere, http.HandlerFunc(quiet))
		c := r.dial("GET /x HTTP/1.1\nHost: localhost\nConnection: close\n\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || string(b) != "here HTTP/1.1\nhere HTTP/1.1\nend\n" {
			t.Errorf("HTTP/1.1: %q, %v", b, err)
		}
	})
	inBubble(t, Options{}, func(t *testing.T, r *rig) {
		server := NewServer(r.api.guard(nowhere, http.HandlerFunc(quiet)))
		server.Protocols = new(http.Protocols)
		server.Protocols.SetUnencryptedHTTP2(true)
		l := newPipeListener()
		served := make(chan struct{})
		go func() { defer close(served); server.Serve(l) }()
		transport := &http.Transport{Protocols: server.Protocols, DialContext: l.dial}
		defer func() {
			transport.CloseIdleConnections()
			server.Close()
			<-served
		}()
		res, err := (&http.Client{Transport: transport}).Get("http://127.0.0.1/x")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if b, err := io.ReadAll(res.Body); err != nil || string(b) != "here HTTP/2.0\nhere HTTP/2.0\nend\n" {
			t.Errorf("HTTP/2: %q, %v", b, err)
		}
	})
}

func TestRateOfAddress(t *testing.T) {
	c := newClock()
	r := newRig(t, Options{now: c.now, Limits: Limits{Rate: .5, burst: 2}})
	for i, want := range []int{200, 200, 429} {
		if res, body := r.ask("GET /v1/prompts"); res.StatusCode != want || (want == 429) != (res.Header.Get("Retry-After") == "2") {
			t.Errorf("request %d: %s, Retry-After %q, %s", i, res.Status, res.Header.Get("Retry-After"), body)
		}
	}
	if res, body := r.ask("GET /healthz"); res.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %s, %s", res.Status, body)
	}
	if n := r.api.rates.by["127.0.0.1"].TokensAt(c.now()); n < 0 || n >= 1 {
		t.Errorf("the address has %v tokens", n)
	}
}

// TestRateOfKeys gives one key its share and no more, whatever others ask, and
// counts those that show no key by their address.
func TestRateOfKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	var secrets []string
	err := keys.Update(t.Context(), file, func(f *keys.File) error {
		for _, name := range []string{"ana", "ben"} {
			_, secret, err := f.Create(keys.Key{Name: name, Role: keys.Reader, Prompts: []string{"*"}}, time.Now())
			if err != nil {
				return err
			}
			secrets = append(secrets, secret)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ring.Close)
	c := newClock()
	r := newRig(t, Options{Keys: ring, now: c.now, Limits: Limits{Rate: 1, burst: 2, attemptRate: .2}})
	status := func(secret string) int {
		res, _ := r.ask("GET /v1/prompts HTTP/1.1\nAuthorization: Bearer " + secret + "\nX-A: ")
		m := r.line()
		if strings.Contains(fmt.Sprint(m), secret) {
			t.Errorf("the log has a key: %v", m)
		}
		if res.StatusCode == http.StatusOK && m["key"] != "ana" && m["key"] != "ben" {
			t.Errorf("the log does not name the key: %v", m)
		}
		return res.StatusCode
	}
	for i, x := range []struct {
		secret string
		want   int
	}{
		{secrets[0], 200}, {secrets[0], 200}, {secrets[0], 429}, {secrets[1], 200},
		{"no-key", 401}, {"other", 401}, {"third", 429}, {secrets[1], 200}, {secrets[1], 429},
	} {
		if got := status(x.secret); got != x.want {
			t.Errorf("request %d: %d, want %d", i, got, x.want)
		}
	}
	c.advance(time.Second)
	if got := status(secrets[0]); got != 200 {
		t.Errorf("a second later: %d", got)
	}
}

func TestPanicIsCountedAndLogged(t *testing.T) {
	r := newRig(t, Options{})
	for _, x := range []struct {
		with  any
		field string
		want  any
	}{{"broken", "panicked", true}, {http.ErrAbortHandler, "panicked", nil}} {
		r.api.handler = r.api.guard(nowhere, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(x.with) }))
		c := r.dial("GET /x HTTP/1.1\nHost: localhost\n\n")
		io.ReadAll(c)
		if m := r.line(); m[x.field] != x.want || m["level"] != "ERROR" || m["status"] != float64(500) {
			t.Errorf("logged: %v", m)
		}
		if n := r.api.limiter.inHand[kindUsual].Load(); n != 0 {
			t.Errorf("%d requests are in hand", n)
		}
	}
}

func TestPrivate(t *testing.T) {
	r, _ := http.NewRequest("GET", "/", nil)
	if isPrivate(r) || !isPrivate(r.WithContext(Private(context.Background(), nil))) {
		t.Error("what came through a private socket is not told from what did not")
	}
}
