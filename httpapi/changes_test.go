package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
)

// A changesRig is a server on a socket whose changes are read.
type changesRig struct {
	t     testing.TB
	store *stet.Store
	api   *Server
	url   string
}

func newChangesRig(t testing.TB, o Options) *changesRig {
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &changesRig{t: t, store: store, api: New(store, &o)}
	srv := httptest.NewServer(r.api)
	r.url = srv.URL
	t.Cleanup(func() {
		r.api.Drain()
		srv.CloseClientConnections()
		srv.Close()
		if err := r.api.Close(); err != nil {
			t.Error(err)
		}
		if n := r.api.streams.open.Load(); n != 0 {
			t.Errorf("%d streams are still open", n)
		}
		store.Close()
	})
	return r
}

// save commits one version of a prompt and returns the newest revision.
func (r *changesRig) save(id, text string) uint64 {
	r.t.Helper()
	if _, err := r.store.Save(context.Background(), stet.Draft{PromptID: id, Text: text, Bump: "patch"}); err != nil {
		r.t.Fatal(err)
	}
	tail, err := r.store.Tail(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	return tail.Revision
}

func (r *changesRig) saves(id string, n int) {
	for i := range n {
		r.save(id, strconv.Itoa(i))
	}
}

// A sent is an event as it came.
type sent struct {
	id, event, data string
}

func (e sent) revision() uint64 {
	n, _ := strconv.ParseUint(e.id[strings.LastIndexByte(e.id, '.')+1:], 10, 64)
	return n
}

func (e sent) change(t testing.TB) stet.Change {
	var c stet.Change
	if err := json.Unmarshal([]byte(e.data), &c); err != nil {
		t.Errorf("%s: %v", e.data, err)
	}
	return c
}

// A subscriber reads a stream.
type subscriber struct {
	t    testing.TB
	resp *http.Response
	scan *bufio.Scanner
}

// subscribe opens a stream; query is what follows the question mark.
func (r *changesRig) subscribe(query string, header ...string) *subscriber {
	r.t.Helper()
	return subscribeTo(r.t, http.DefaultClient, r.url+"/v1/changes?"+query, header...)
}

func subscribeTo(t testing.TB, c *http.Client, url string, header ...string) *subscriber {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	s := &subscriber{t, resp, bufio.NewScanner(resp.Body)}
	s.scan.Buffer(nil, 64<<20)
	return s
}

// next returns the next event; false at the end of the stream.
func (s *subscriber) next() (e sent, ok bool) {
	for s.scan.Scan() {
		field, value, _ := strings.Cut(s.scan.Text(), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.event = value
		case "data":
			e.data = value
		case "":
			return e, true
		}
	}
	return e, false
}

// until reads events up to the first of a kind, and fails if there is none.
func (s *subscriber) until(event string) sent {
	s.t.Helper()
	var last sent
	for {
		e, ok := s.next()
		switch {
		case !ok:
			status := "a connection"
			if s.resp != nil {
				status = s.resp.Status
			}
			s.t.Fatalf("the stream (%s) ended before the event %s: %v; the last event is %+v", status, event, s.scan.Err(), last)
		case e.event == event:
			return e
		}
		last = e
	}
}

// in checks that changes come in order, none missing and none twice, up to a
// revision.
func (s *subscriber) in(after, last uint64) {
	s.t.Helper()
	for after < last {
		if e := s.until("change"); e.revision() != after+1 || e.change(s.t).Revision != after+1 {
			s.t.Fatalf("after revision %d comes %s: %s", after, e.id, e.data)
		}
		after++
	}
}

// page asks for a page and returns its status and JSON.
func (r *changesRig) page(query string) (status int, p struct {
	Commits []stet.Change
	Next    string
	AsOf    uint64 `json:"as_of"`
	Detail  string
	Code    string
}) {
	r.t.Helper()
	resp, err := http.Get(r.url + "/v1/changes?" + query)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, p
}

func TestChangesPages(t *testing.T) {
	r := newChangesRig(t, Options{})
	for i := range 10 {
		r.save([]string{"a/x", "b/x"}[i%2], strconv.Itoa(i))
	}
	for _, prefix := range []string{"", "a/", "b/x", "c"} {
		var got []uint64
		since := "0"
		for {
			_, p := r.page("limit=3&texts=true&since=" + since + "&prefix=" + url.QueryEscape(prefix))
			for _, c := range p.Commits {
				got = append(got, c.Revision)
				if v := c.Ops[0].Save.Content; v == nil || v.Text() != strconv.Itoa(int(c.Revision)-1) {
					t.Errorf("revision %d comes with the text %v", c.Revision, v)
				}
			}
			if p.Next == "" {
				break
			}
			since = p.Next
		}
		want := map[string]string{"": "[1 2 3 4 5 6 7 8 9 10]", "a/": "[1 3 5 7 9]", "b/x": "[2 4 6 8 10]", "c": "[]"}[prefix]
		if fmt.Sprint(got) != want {
			t.Errorf("with the prefix %q there are %v, and not %s", prefix, got, want)
		}
	}
	for _, tt := range []struct {
		query, detail string
		status        int
	}{
		{"since=11", "the newest is 10", 404},
		{"since=other.3", "Start over", 409},
		{"since=-1", "not a revision", 400},
		{"since=" + r.store.ID() + ".x", "not a revision", 400},
		{"wait=61", "from 0 to 60", 400},
		{"wait=NaN", "from 0 to 60", 400},
		{"beat=5", `no parameter "beat"`, 400},
	} {
		if status, p := r.page(tt.query); status != tt.status || !strings.Contains(p.Detail, tt.detail) {
			t.Errorf("%s is answered with %d %s", tt.query, status, p.Detail)
		}
	}
}

func TestLongPoll(t *testing.T) {
	r := newChangesRig(t, Options{})
	r.saves("a", 3)
	if _, p := r.page("wait=0.01"); p.AsOf != 3 || len(p.Commits) != 0 {
		t.Errorf("a poll from the present on has %+v", p)
	}
	if _, p := r.page("since=1&wait=60"); len(p.Commits) != 2 {
		t.Errorf("what was there already is not given at once: %+v", p)
	}
	// One commit that it does not ask for, and one that it does.
	got := make(chan string)
	go func() {
		_, p := r.page("prefix=b&wait=60")
		var revisions []uint64
		for _, c := range p.Commits {
			revisions = append(revisions, c.Revision)
		}
		got <- fmt.Sprint(revisions)
	}()
	await(t, func() bool { return r.api.streams.open.Load() == 1 })
	r.save("a", "x")
	r.save("b", "x")
	if revisions := <-got; revisions != "[5]" {
		t.Errorf("the poll got the revisions %s", revisions)
	}
	await(t, func() bool { return r.api.streams.open.Load() == 0 }) // it has left, and not only answered
	// A server that stops answers who waits.
	done := make(chan int)
	go func() {
		status, _ := r.page("wait=60")
		done <- status
	}()
	await(t, func() bool { return r.api.streams.open.Load() == 1 })
	r.api.Drain()
	if status := <-done; status != 200 {
		t.Errorf("draining, a poll is answered with %d", status)
	}
}

// await waits for a condition that nothing signals.
func await(t testing.TB, what func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !what() {
		<-tick.C
	}
}
