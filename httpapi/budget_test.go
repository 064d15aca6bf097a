package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
)

// TestWaitingIsNotInHand lets requests ask for a revision: one that is there makes
// no difference, and who waits for one has no place meanwhile and needs one again.
func TestWaitingIsNotInHand(t *testing.T) {
	r := newRig(t, Options{Limits: Limits{InHand: 1, Streams: 1}})
	fill := func() {
		if err := r.api.limiter.enter(kindUsual, nil); err != nil {
			t.Fatal(err)
		}
	}
	free := func() { r.api.limiter.leave(kindUsual, nil) }
	fill()
	for _, path := range []string{"/v1/prompts?min_revision=0", "/v1/prompts?x=min_revision", "/v1/store?min%5Frevision=0"} {
		if res, body := r.ask("GET " + path); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s with the server full: %s, %s", path, res.Status, body)
		}
	}
	free()
	usual, waiting := &r.api.limiter.inHand[kindUsual], &r.api.limiter.inHand[kindWait]
	for i, path := range []string{"/v1/store", "/v1/prompts", "/v1/prompts/a/versions", "/v1/prompts/a/versions/latest", "/p/a", "/v1/prompts/a/diff"} {
		await(t, func() bool { return usual.Load() == 0 })
		tail, err := r.store.Tail(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		newest := tail.Revision
		c := r.dial(fmt.Sprintf("GET %s?min_revision=%d HTTP/1.1\nHost: localhost\nConnection: close\n\n", path, newest+1))
		await(t, func() bool { return waiting.Load() == 1 && usual.Load() == 0 })
		if res, body := r.ask(fmt.Sprintf("GET /v1/store?min_revision=%d", newest+9)); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(body, "wait for a revision") {
			t.Errorf("%s: a second one that waits: %s, %s", path, res.Status, body)
		}
		if res, body := r.ask("GET /v1/store"); res.StatusCode != http.StatusOK {
			t.Errorf("%s: another meanwhile: %s, %s", path, res.Status, body)
		}
		await(t, func() bool { return usual.Load() == 0 })
		want := http.StatusOK
		if i%2 == 1 { // nothing is free when it comes back
			want = http.StatusServiceUnavailable
			fill()
		}
		if _, err := r.store.Save(t.Context(), stet.Draft{PromptID: "a", Text: fmt.Sprint(path)}); err != nil {
			t.Fatal(err)
		}
		if res, body := answer(t, c); res.StatusCode != want || want != http.StatusOK && res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: who has waited: %s, %s", path, res.Status, body)
		}
		if i%2 == 1 {
			free()
		}
	}
	await(t, func() bool { return usual.Load() == 0 && waiting.Load() == 0 })
}

// TestBytesOfAnswers has a client that does not read a large answer: for another
// there is no room, for small ones there is, and all is given back.
func TestBytesOfAnswers(t *testing.T) {
	r := newRig(t, Options{Limits: Limits{answerBytes: 26 << 20}})
	text := strings.Repeat("x", 1<<20-1000)
	for i := range 10 {
		if _, err := r.store.Save(t.Context(), stet.Draft{PromptID: "a", Text: fmt.Sprint(i) + text[1:]}); err != nil {
			t.Fatal(err)
		}
	}
	many := `{"refs":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 16), ",") + `]}`
	post := fmt.Sprintf("POST /v1/get HTTP/1.1\nHost: localhost\nConnection: close\nContent-Type: application/json\nContent-Length: %d\n\n%s", len(many), many)
	slow := r.dial(post)
	await(t, func() bool {
		return r.api.limiter.answers.Load() > 16*int64(len(text)) && len(r.api.limiter.builds) == 0
	})
	res, body := answer(t, r.dial(post))
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(body, "bytes already, and with this one") {
		t.Errorf("a second one: %s, %.300s", res.Status, body)
	}
	// One page fits, and two do not.
	pages := "GET /v1/prompts/a/versions HTTP/1.1\nHost: localhost\n\n"
	page := r.dial(pages)
	await(t, func() bool {
		return r.api.limiter.answers.Load() > 23*int64(len(text)) && len(r.api.limiter.builds) == 0
	})
	for _, request := range []string{pages, "GET /v1/changes?texts=true HTTP/1.1\nHost: localhost\n\n"} {
		if res, body := answer(t, r.dial(request)); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%.30s: %s, %.300s", request, res.Status, body)
		}
	}
	page.Close()
	if res, _ := r.ask("GET /v1/prompts"); res.StatusCode != http.StatusOK {
		t.Errorf("a small one: %s", res.Status)
	}
	if res, body := answer(t, slow); res.StatusCode != http.StatusOK || len(body) < 16*len(text) {
		t.Errorf("the first: %s, %d bytes", res.Status, len(body))
	}
	await(t, func() bool { return r.api.limiter.answers.Load() == 0 && len(r.api.limiter.builds) == 0 })
	// The answer to a write counts, and is not refused.
	r.api.limiter.answerLimit = 1
	big := `{"text":"` + text[:400<<10] + `"}`
	save := fmt.Sprintf("POST /v1/prompts/b/versions HTTP/1.1\nHost: localhost\nConnection: close\nContent-Type: application/json\nContent-Length: %d\n\n%s", len(big), big)
	if res, body := answer(t, r.dial(save)); res.StatusCode != http.StatusCreated {
		t.Errorf("a save: %s, %.300s", res.Status, body)
	}
	if res, body := answer(t, r.dial("GET /v1/prompts/b/versions/latest HTTP/1.1\nHost: localhost\nConnection: close\n\n")); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a large version: %s, %.300s", res.Status, body)
	}
	await(t, func() bool { return r.api.limiter.answers.Load() == 0 })
}

// TestStreamOverTheBudget: a stream for whose page there is no room ends where it
// is, and goes on there once there is.
func TestStreamOverTheBudget(t *testing.T) {
	r := newChangesRig(t, Options{Limits: Limits{answerBytes: 1 << 20}})
	r.api.streams.withTexts.count = 1
	for i := range 3 {
		r.save("a", fmt.Sprint(i)+strings.Repeat("x", 900<<10))
	}
	s := r.subscribe("since=0&texts=true")
	e := s.until("end")
	if !strings.Contains(e.data, `"reason":"busy"`) || e.revision() != 0 {
		t.Errorf("the end is %s %s", e.id, e.data)
	}
	await(t, func() bool { return r.api.limiter.answers.Load() == 0 })
	r.api.limiter.answerLimit = 8 << 20
	r.subscribe("texts=true", "Last-Event-ID", e.id).in(0, 3)
	await(t, func() bool { return r.api.limiter.answers.Load() == 0 }) // what was missed was read, and the stream goes on
}

// TestSlowAnswer has a client that takes a large answer at a steady pace: at less
// than the least it is cut off soon, however small the pieces, and above it never.
func TestSlowAnswer(t *testing.T) {
	const size = 8 << 20
	for _, x := range []struct {
		rate int // bytes a second
		cut  bool
	}{{16 << 10, true}, {minAnswerRate * 3 / 4, true}, {minAnswerRate * 5 / 4, false}} {
		synctest.Test(t, func(t *testing.T) {
			store, err := memory.Open(nil)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			api := New(store, nil)
			defer api.Close()
			api.handler = api.guard(nowhere, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				rest := time.NewTimer(time.Hour) // what the server takes is not the client's
				<-rest.C
				w.Write(make([]byte, size))
			}))
			l := newPipeListener()
			srv := NewServer(api)
			go srv.Serve(l)
			defer srv.Close()
			c, err := l.dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprint(c, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
			res, err := http.ReadResponse(bufio.NewReaderSize(c, 4<<10), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			begun, total, piece := time.Now(), 0, make([]byte, x.rate)
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				n, err := io.ReadFull(res.Body, piece)
				if total += n; err != nil {
					break
				}
				<-tick.C
			}
			took := time.Since(begun)
			if cut := total < size; cut != x.cut {
				t.Errorf("at %d bytes a second %d of %d came in %v", x.rate, total, size, took)
			}
			if most := 3 * time.Minute; took > most {
				t.Errorf("at %d bytes a second it took %v", x.rate, took)
			}
		})
	}
}

// TestRefusalsSayAsOfWhat holds what refusals say of the revision that they are of.
func TestRefusalsSayAsOfWhat(t *testing.T) {
	p := newPeer(t, nil, Options{})
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"1"}`)
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"2"}`)
	for _, x := range []struct {
		status             int
		method, path, body string
		header             []string
	}{
		{404, "GET", "/v1/prompts/b", "", nil},
		{404, "GET", "/v1/prompts/a/versions/9.0.0", "", nil},
		{404, "GET", "/v1/prompts/a/versions/9.0.0?min_revision=2", "", nil},
		{404, "GET", "/v1/prompts/a/versions/9.0.0?at=1", "", nil},
		{404, "POST", "/v1/get", `{"refs":["b"]}`, nil},
		{404, "GET", "/v1/changes?since=9", "", nil},
		{409, "POST", "/v1/prompts/a/versions", `{"text":"3","version":"1.0.0"}`, nil},
		{412, "PUT", "/v1/prompts/a/labels/staging", `{"version":"1.0.0"}`, []string{"If-Match", `"other"`}},
		{404, "DELETE", "/v1/prompts/a/labels/staging", "", nil},
		{400, "GET", "/v1/prompts?nonsense=1", "", nil},
		{415, "POST", "/v1/commits", "x", []string{"Content-Type", "text/plain"}},
	} {
		if got := p.ok(x.status, x.method, x.path, x.body, x.header...).get("Stet-As-Of"); got != "2" {
			t.Errorf("%s %s → %d as of %q, and not 2", x.method, x.path, x.status, got)
		}
	}
	locked := newPeer(t, nil, Options{Keys: ring(t)})
	if got := locked.ok(401, "GET", "/v1/store", "").get("Stet-As-Of"); got != "" {
		t.Errorf("who shows no key is told of revision %s", got)
	}
}
