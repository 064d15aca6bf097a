package httpapi

import (
	"bufio"
	"context"
	"crypto/tls"
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
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/keys"
	"github.com/stet-dev/stet/memory"
)

// A rig is a server on a real socket.
type rig struct {
	t    *testing.T
	api  *Server
	addr string
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
	store, err := memory.Open()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: store, lines: make(chan string, 10_000)}
	o.Log = slog.New(slog.NewJSONHandler(&lineWriter{lines: r.lines}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.api = New(store, o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	server := o.Limits.NewServer(r.api)
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
	c, err := net.Dial("tcp", r.addr)
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
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
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
	select {
	case s := <-r.lines:
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			r.t.Fatalf("%q: %v", s, err)
		}
	case <-time.After(10 * time.Second):
		r.t.Fatal("nothing is logged")
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
	first, second := r.begin(), r.begin()
	res, body := r.ask("GET /v1/prompts")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "1" || !strings.Contains(body, `"code":"unavailable"`) {
		t.Errorf("the third request: %s, Retry-After %q, %s", res.Status, res.Header.Get("Retry-After"), body)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if res, body := r.ask("GET " + path); res.StatusCode != http.StatusOK {
			t.Errorf("%s meanwhile: %s, %s", path, res.Status, body)
		}
	}
	for _, c := range []net.Conn{first, second} {
		io.WriteString(c, `{"text":"a"}`)
		if res, body := answer(t, c); res.StatusCode != http.StatusCreated {
			t.Errorf("what was in hand: %s, %s", res.Status, body)
		}
	}
	for r.line()["status"] != float64(201) { // it has left when its line is there
	}
	for r.line()["status"] != float64(201) {
	}
	if n := r.api.gate.inHand[kindUsual].Load(); n != 0 {
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
	r := newRig(t, Options{Limits: Limits{BodyBytes: 20}})
	first := r.begin()
	res, body := answer(t, r.dial(halfSave))
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(body, "bytes of bodies") {
		t.Errorf("a second body: %s, %s", res.Status, body)
	}
	io.WriteString(first, `{"text":"a"}`)
	if res, body := answer(t, first); res.StatusCode != http.StatusCreated {
		t.Errorf("the first: %s, %s", res.Status, body)
	}
	for r.line()["status"] != float64(201) {
	}
	if n := r.api.gate.bytes.Load(); n != 0 {
		t.Errorf("%d bytes are held when nothing is in hand", n)
	}
	again := r.begin()
	io.WriteString(again, `{"text":"b"}`)
	if res, body := answer(t, again); res.StatusCode != http.StatusCreated {
		t.Errorf("afterwards: %s, %s", res.Status, body)
	}
}

// TestWaitIsBounded waits for a revision that never comes.
func TestWaitIsBounded(t *testing.T) {
	r := newRig(t, Options{Limits: Limits{WorkTime: 100 * time.Millisecond, InHand: 1}})
	res, body := r.ask("GET /v1/prompts?min_revision=99")
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "revision 99 has not come") {
		t.Errorf("%s, %s", res.Status, body)
	}
	if k := r.line()["status"]; k != float64(503) {
		t.Errorf("logged with %v", k)
	}
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
	r := newRig(t, Options{Limits: Limits{BodyTime: 100 * time.Millisecond}})
	c := r.begin()
	io.WriteString(c, `{"te`)
	res, body := answer(t, c)
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "too slowly") {
		t.Errorf("a body that stops half way: %s, %s", res.Status, body)
	}
	if r.store.Queued() != 0 {
		t.Error("something was queued")
	}
	if rev, _ := r.store.Tail(); rev != 0 {
		t.Errorf("the revision is %d", rev)
	}
	// A body that comes in time does not end what is done with it.
	c = r.begin()
	io.WriteString(c, `{"text":"a"}`)
	if res, body := answer(t, c); res.StatusCode != http.StatusCreated {
		t.Errorf("a body that comes in time: %s, %s", res.Status, body)
	}
}

func TestSlowHeader(t *testing.T) {
	r := newRig(t, Options{Limits: Limits{HeaderTime: 100 * time.Millisecond}})
	c := r.dial("GET /v1/prompts HTTP/1.1\nHost: loc")
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if b, err := io.ReadAll(c); err != nil {
		t.Errorf("a header that stops half way is not cut off: %q, %v", b, err)
	}
}

func TestLargeHeader(t *testing.T) {
	r := newRig(t, Options{})
	res, body := r.ask("GET /v1/prompts HTTP/1.1\nHost: localhost\nX-A: " + strings.Repeat("a", MaxHeaderBytes+8<<10))
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%s, %s", res.Status, body)
	}
}

// TestSlowReader has a client that takes nothing of an answer, and one that takes
// a little of it all the time: only the first is cut off.
func TestSlowReader(t *testing.T) {
	const limit = 200 * time.Millisecond
	size := 32 << 20
	piece := make([]byte, 1<<20)
	r := newRig(t, Options{Limits: Limits{WriteTime: limit}})
	big := func(w http.ResponseWriter, _ *http.Request) {
		for range size / len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}
	r.api.handler = r.api.guard(http.HandlerFunc(big))
	c := r.dial("GET /big HTTP/1.1\nHost: localhost\n\n")
	m := r.line()
	if n := m["bytes"].(float64); n >= float64(size) {
		t.Errorf("a client that reads nothing was sent %v bytes", n)
	}
	c.Close()

	c = r.dial("GET /big HTTP/1.1\nHost: localhost\nConnection: close\n\n")
	start, total := time.Now(), 0
	buf := make([]byte, 1<<20)
	tick := time.NewTicker(limit / 10)
	defer tick.Stop()
	for {
		n, err := io.ReadAtLeast(c, buf, len(buf))
		total += n
		if err != nil {
			break
		}
		<-tick.C
	}
	if total < size {
		t.Errorf("a client that reads all the time got %d bytes of %d", total, size)
	}
	if took := time.Since(start); took < 2*limit {
		t.Logf("it took only %v", took)
	}
}

// TestOwnDeadline has a handler that sets deadlines by itself, as streams do.
func TestOwnDeadline(t *testing.T) {
	r := newRig(t, Options{Limits: Limits{WriteTime: 20 * time.Second}})
	failed := make(chan error, 1)
	r.api.handler = r.api.guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		for piece := make([]byte, pieceBytes); ; {
			recorderOf(w).until = time.Time{} // as if that were long ago
			c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			if _, err := w.Write(piece); err != nil {
				failed <- err
				return
			}
		}
	}))
	r.dial("GET /x HTTP/1.1\nHost: localhost\n\n")
	select {
	case <-failed:
	case <-time.After(10 * time.Second):
		t.Error("the handler's deadline does not count")
	}
}

// TestSilenceIsNotSlowness lets a request be worked on for longer than a piece of
// an answer may take, over HTTP/1.1 and over HTTP/2, whose deadlines run meanwhile.
func TestSilenceIsNotSlowness(t *testing.T) {
	const limit = 50 * time.Millisecond
	r := newRig(t, Options{Limits: Limits{WriteTime: limit}})
	quiet := r.api.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 2 {
			<-time.After(3 * limit)
			fmt.Fprintln(w, "here", r.Proto)
			http.NewResponseController(w).Flush()
		}
		fmt.Fprintln(w, "end")
		<-time.After(3 * limit)
	}))
	r.api.handler = quiet
	if res, body := r.ask("GET /x"); res.StatusCode != http.StatusOK || body != "here HTTP/1.1\nhere HTTP/1.1\nend\n" {
		t.Errorf("HTTP/1.1: %s, %q", res.Status, body)
	}

	server := Limits{WriteTime: limit}.NewServer(quiet)
	server.Protocols = new(http.Protocols)
	server.Protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(l) }()
	transport := &http.Transport{Protocols: server.Protocols, TLSClientConfig: &tls.Config{}}
	defer func() {
		transport.CloseIdleConnections()
		server.Close()
		<-served
	}()
	res, err := (&http.Client{Transport: transport}).Get("http://" + l.Addr().String() + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "here HTTP/2.0\nhere HTTP/2.0\nend\n" {
		t.Errorf("HTTP/2: %q, %v", b, err)
	}
}

func TestRateOfAddress(t *testing.T) {
	c := newClock()
	r := newRig(t, Options{Now: c.now, Limits: Limits{Rate: .5, Burst: 2}})
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
	ring, err := keys.Open(file, keys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ring.Close)
	c := newClock()
	r := newRig(t, Options{Keys: ring, Now: c.now, Limits: Limits{Rate: 1, Burst: 2, AttemptRate: .2}})
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
	r.api.handler = r.api.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	c := r.dial("GET /x HTTP/1.1\nHost: localhost\n\n")
	io.ReadAll(c)
	if m := r.line(); m["panicked"] != true || m["level"] != "ERROR" {
		t.Errorf("logged: %v", m)
	}
	if n := r.api.gate.inHand[kindUsual].Load(); n != 0 {
		t.Errorf("%d requests are in hand", n)
	}
}

func TestPrivate(t *testing.T) {
	r, _ := http.NewRequest("GET", "/", nil)
	if isPrivate(r) || !isPrivate(r.WithContext(Private(context.Background(), nil))) {
		t.Error("what came through a private socket is not told from what did not")
	}
}
