package httpapi

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/conns"
	"github.com/stet-dev/stet/memory"
)

// keyedRig is a rig whose server has keys; auth are the headers of its readers and of
// its writers.
func keyedRig(t *testing.T, l Limits) (r *rig, reader, writer string) {
	t.Helper()
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	k := newKeyed(t, store, Options{Limits: l})
	address := strings.TrimPrefix(k.url, "http://")
	r = &rig{t: t, store: store, api: k.api, connect: func() (net.Conn, error) { return net.Dial("tcp", address) }}
	auth := func(name string) string {
		return "Host: localhost\nContent-Type: application/json\nAuthorization: Bearer " + k.keys[name] + "\n"
	}
	return r, auth("reader of *"), auth("writer of *")
}

// TestBodiesThatComeSlowlyHoldNobodyUp announces large bodies and sends little of them:
// such requests take no place among those in hand, and no room except for what has
// arrived.
func TestBodiesThatComeSlowlyHoldNobodyUp(t *testing.T) {
	r, reader, writer := keyedRig(t, Limits{InHand: 4, Rate: -1, attemptRate: -1})
	bodies := &r.api.limiter.inHand[kindBody]
	for _, length := range []string{"Content-Length: 3000000\n\n", "Transfer-Encoding: chunked\n\n5\n"} {
		for range 8 {
			c := r.dial("POST /v1/get HTTP/1.1\n" + reader + length + `{"re`)
			defer c.Close()
		}
	}
	await(t, func() bool { return bodies.Load() == 16 && r.api.limiter.inHand[kindUsual].Load() == 0 })
	if n := r.api.limiter.bytes.Load(); n > 16*firstRead {
		t.Errorf("%d bytes are held of some that have come", n)
	}
	for i := range 5 {
		body := `{"text":"a"}`
		c := r.dial(fmt.Sprintf("POST /v1/prompts/a/versions HTTP/1.1\n%sConnection: close\nTransfer-Encoding: chunked\n\n%x\n%s\n0\n\n", writer, len(body), body))
		if res, text := answer(t, c); res.StatusCode != http.StatusCreated {
			t.Errorf("save %d of another: %s, %s", i, res.Status, text)
		}
	}
	// A second half of all the bodies that may come is nobody's who has the first.
	for range 3 {
		r.dial("POST /v1/get HTTP/1.1\n" + reader + "Content-Length: 3000000\n\n{")
	}
	await(t, func() bool { return bodies.Load() == 16 })
}

// TestStrangersHoldNoPlace: a caller without a key, who gets a public answer or a refusal,
// holds no place among the requests in hand while it does not read the answer, or while
// net/http waits for a body that nobody has asked for.
func TestStrangersHoldNoPlace(t *testing.T) {
	for _, line := range []string{"GET /openapi.yaml", strings.Repeat("A", 4000) + " /v1/prompts", strings.Repeat("A", 4000) + " /v1//prompts"} {
		for _, body := range []string{"Content-Length: 1000\n", ""} { // with none they do not read
			inBubble(t, Options{Limits: Limits{InHand: 2}}, func(t *testing.T, r *rig) {
				for range 4 {
					r.dial(line + " HTTP/1.1\nHost: localhost\n" + body + "\n")
				}
				synctest.Wait()
				if res, text := r.ask("GET /v1/prompts"); res.StatusCode != http.StatusOK {
					t.Errorf("beside four of %.20q with %q: %s, %s", line, body, res.Status, text)
				}
			})
		}
	}
}

// TestStrangersKeepNoConnection: the connection of a caller that was refused, and does not
// send the body that it announced, gives way to a new one.
func TestStrangersKeepNoConnection(t *testing.T) {
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	limits := Limits{Rate: -1, attemptRate: -1, bodyTime: -1}
	k := newKeyed(t, store, Options{Limits: limits})
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := conns.Listen(raw, 2, 2)
	server := NewServer(k.api)
	active := make(chan bool, 100)
	server.ConnContext = conns.Context
	server.ConnState = func(c net.Conn, state http.ConnState) {
		l.State(c, state)
		if state == http.StateActive {
			active <- true
		}
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	defer func() { server.Close(); <-ended }()
	for _, line := range []string{"POST /v1/get", "GET /openapi.yaml", "PATCH /v1/prompts"} {
		for len(active) > 0 {
			<-active
		}
		for range 2 {
			c, err := net.Dial("tcp", raw.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", line)
			<-active // none of them only waits any more
		}
		await(t, func() bool { // in a moment, when they are refused
			req, _ := http.NewRequest("GET", "http://"+raw.Addr().String()+"/v1/prompts", nil)
			req.Header.Set("Authorization", "Bearer "+k.keys["reader of *"])
			res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
			if err != nil {
				return false
			}
			res.Body.Close()
			return res.StatusCode == http.StatusOK
		})
	}
}

// TestBodiesOfUnknownLength has 64 callers send a small body in chunks at once: none
// counts as the largest that there may be.
func TestBodiesOfUnknownLength(t *testing.T) {
	r := newRig(t, Options{})
	var coming []net.Conn
	for range 64 {
		coming = append(coming, r.dial("POST /v1/prompts/a/versions HTTP/1.1\nHost: localhost\nContent-Type: application/json\nConnection: close\nTransfer-Encoding: chunked\n\n8\n{\"text\":\n"))
	}
	await(t, func() bool {
		return r.api.limiter.inHand[kindBody].Load() == 64 && r.api.limiter.bytes.Load() == 64*firstRead
	})
	for i, c := range coming {
		io.WriteString(c, "4\r\n\"a\"}\r\n0\r\n\r\n")
		if res, body := answer(t, c); res.StatusCode != http.StatusCreated {
			t.Errorf("caller %d: %s, %s", i, res.Status, body)
		}
	}
}

// TestOneKeyHasItsShare: a caller with as many requests in hand as one key may have is
// refused, with a Retry-After; others are not.
func TestOneKeyHasItsShare(t *testing.T) {
	r, reader, writer := keyedRig(t, Limits{InHand: 8, Streams: 8, Rate: -1, attemptRate: -1})
	const stream = "GET /v1/changes HTTP/1.1\nAccept: text/event-stream\n"
	for range 4 {
		r.dial(stream + reader + "\n")
	}
	await(t, func() bool { return r.api.limiter.inHand[kindStream].Load() == 4 })
	res, body := answer(t, r.dial(stream+reader+"\n"))
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" || !strings.Contains(body, "its share") {
		t.Errorf("a fifth stream of a key: %s, %s", res.Status, body)
	}
	for range 4 {
		r.dial(stream + writer + "\n")
	}
	await(t, func() bool { return r.api.limiter.inHand[kindStream].Load() == 8 })
	await(t, func() bool { // the refused request gives its place back after its answer
		s := &r.api.limiter.shares
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.by) == 2
	})
}

// TestWhoMayNotIsRefusedBeforeTheBody expects no body to be asked for.
func TestWhoMayNotIsRefusedBeforeTheBody(t *testing.T) {
	r, reader, _ := keyedRig(t, Limits{Rate: -1, attemptRate: -1})
	for _, line := range []string{
		"POST /v1/commits", "POST /v1/prompts/a/versions", "PUT /v1/prompts/a/labels/production", "DELETE /v1/prompts/a/labels/production",
		"POST /v1/prompts/a/labels/production/rollback", "POST /v1/replay", "POST /v1/verify",
	} {
		res, body := answer(t, r.dial(line+" HTTP/1.1\n"+reader+"Content-Length: 1000\nExpect: 100-continue\nConnection: close\n\n"))
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s, %s", line, res.Status, body)
		}
	}
}

// TestHeadDoesNotDoTheWork: HEAD of what is for the whole store makes nothing.
func TestHeadDoesNotDoTheWork(t *testing.T) {
	r := newRig(t, Options{tempDir: "/dev/null/nowhere"}) // where no backup could be made
	for path, want := range map[string]string{"/v1/backup": "200 OK", "/v1/export": "200 OK", "/v1/verify": "405 Method Not Allowed"} {
		b, err := io.ReadAll(r.dial("HEAD " + path + " HTTP/1.1\nHost: localhost\nConnection: close\n\n"))
		if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 "+want) {
			t.Errorf("HEAD %s: %q, %v", path, b, err)
		}
	}
}

// TestClientsThatLeave: an answer that its client leaves is an aborted request, and no
// panic and no error of the server.
func TestClientsThatLeave(t *testing.T) {
	r := newRig(t, Options{tempDir: t.TempDir()})
	for i := range 24 {
		if _, err := r.store.Save(context.Background(), stet.Draft{PromptID: "a", Text: fmt.Sprint(i) + strings.Repeat("x", 1<<20-1000)}); err != nil {
			t.Fatal(err)
		}
	}
	refs := `{"refs":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 24), ",") + `]}`
	for _, line := range []string{"GET /v1/export HTTP/1.1\n", fmt.Sprintf("POST /v1/get HTTP/1.1\nContent-Type: application/json\nContent-Length: %d\n", len(refs))} {
		c := r.dial(line + "Host: localhost\n\n" + refs[:strings.Count(line, "POST")*len(refs)])
		if _, err := io.ReadFull(c, make([]byte, 10<<10)); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if m := r.line(); m["status"] != float64(statusAborted) || m["aborted"] != true || m["panicked"] != nil || m["level"] != "DEBUG" {
			t.Errorf("%.20q is logged as %v", line, m)
		}
	}
	if _, body := r.ask("GET /metrics"); !strings.Contains(body, `stet_http_requests_total{route="GET /v1/export",status="499"} 1`) {
		t.Errorf("the metrics are\n%s", body)
	}
}

// TestNothingIsEscapedForWebPages asks for a tag in every way.
func TestNothingIsEscapedForWebPages(t *testing.T) {
	r := newRig(t, Options{})
	const tag = "<b>&amp;</b>"
	for _, text := range []string{tag, tag + " again"} {
		d := stet.Draft{PromptID: "a", Text: text, Config: []byte(`{"c":"` + tag + `"}`), Author: tag, Message: tag, Labels: []string{"production"}}
		if _, err := r.store.Commit(context.Background(), stet.Commit{Author: tag, Message: tag, Ops: []stet.Op{{Save: &d}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{
		"/v1/changes", "/v1/changes?texts=true", "/v1/prompts/a/versions/latest", "/v1/prompts/a/versions", "/v1/prompts/a/labels/production", "/v1/export",
		"/v1/prompts/a/diff?from=1.0.0 HTTP/1.1\nAccept: application/json\nX-A: b", "/v1/prompts/%3Cb%3E/versions/1.0.0",
	} {
		if _, body := r.ask("GET " + path); strings.Contains(body, `\u00`) || !strings.Contains(body, "<b>") {
			t.Errorf("%s: %s", path, body)
		}
	}
	c := r.dial("GET /v1/changes?since=0&texts=true HTTP/1.1\nHost: localhost\nAccept: text/event-stream\n\n")
	var got string
	for b := make([]byte, 4<<10); strings.Count(got, "event: change") < 2 || !strings.HasSuffix(got, "\n\r\n"); {
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got += string(b[:n])
	}
	if strings.Contains(got, `\u00`) || !strings.Contains(got, tag) {
		t.Errorf("the stream: %s", got)
	}
}
