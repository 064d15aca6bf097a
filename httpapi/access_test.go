package httpapi

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/memory"
)

func openMemory(t *testing.T) *stet.Store {
	t.Helper()
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestUnauthorized: every request without a valid key gets the same words, whatever is
// wrong with it.
func TestUnauthorized(t *testing.T) {
	k := newKeyed(t, openMemory(t), Options{})
	good := k.keys["admin of *"]
	if err := keys.Update(t.Context(), k.file, func(*keys.File) error { return nil }); err != nil {
		t.Fatal(err)
	}
	var first string
	for i, auth := range [][]string{
		{"Bearer stet_00000000_" + strings.Repeat("0", 43)}, // no such key
		{"Bearer " + good[:len(good)-1] + "!"},              // of the form, nearly
		{"Bearer " + good[:14] + strings.Repeat("0", 43)},   // the id of a key
		{"Bearer x"}, {"Bearer stet_"},
	} {
		r := k.ask("", ask{method: "GET", path: "/v1/prompts", header: http.Header{"Authorization": auth}})
		if first == "" {
			first = string(r.body)
		}
		if r.status != 401 || r.code != "unauthorized" || r.header.Get("WWW-Authenticate") != "Bearer" || string(r.body) != first {
			t.Errorf("%d: %d %v %s", i, r.status, r.header, r.body)
		}
	}
	for _, auth := range [][]string{nil, {good}, {"Basic " + good}, {"Bearer"}, {""}, {"Bearer " + good, "Bearer " + good}} {
		for _, a := range []ask{{method: "GET", path: "/v1/prompts"}, {method: "GET", path: "/metrics"}, {method: "POST", path: "/v1/commits", body: stet.Commit{}}, {method: "GET", path: "/v1/changes"}} {
			a.header = http.Header{"Authorization": auth}
			if r := k.ask("", a); r.status != 401 || r.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%q %s: %d %s", auth, a.path, r.status, r.body)
			}
		}
	}
	for _, auth := range []string{"Bearer " + good, "bearer " + good, "BEARER  " + good} {
		if r := k.ask("", ask{method: "GET", path: "/v1/prompts", header: http.Header{"Authorization": {auth}}}); r.status != 200 {
			t.Errorf("%q: %d %s", auth, r.status, r.body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/openapi.yaml"} {
		if r := k.ask("", ask{method: "GET", path: path}); r.status != 200 {
			t.Errorf("%s asks for a key: %d", path, r.status)
		}
	}
}

// TestAttempts: a caller that guesses keys is slowed down; one with a valid key, from the
// same address, is not.
func TestAttempts(t *testing.T) {
	now := time.Now()
	k := newKeyed(t, openMemory(t), Options{Limits: Limits{attemptRate: 1, Rate: -1}, now: func() time.Time { return now }})
	guess := ask{method: "GET", path: "/v1/prompts", header: http.Header{"Authorization": {"Bearer stet_00000000_" + strings.Repeat("0", 43)}}}
	for range 100 {
		if r := k.ask("", guess); r.status == 429 {
			if r.code != "rate_limited" || r.header.Get("Retry-After") == "" {
				t.Errorf("%v %s", r.header, r.body)
			}
			if r := k.ask("reader", ask{method: "GET", path: "/v1/prompts"}); r.status != 200 {
				t.Errorf("the key is refused: %d %s", r.status, r.body)
			}
			return
		}
	}
	t.Error("a hundred guesses are answered")
}

// TestCommitIDs: a commit id belongs to the key. Another key with the same id commits
// something else, and learns nothing.
func TestCommitIDs(t *testing.T) {
	k := newKeyed(t, openMemory(t), Options{})
	send := func(key, id, text string) reply {
		return k.ask(key, ask{method: "POST", path: pathOf("in/a", "/versions"), body: map[string]any{"text": text}, header: http.Header{"Idempotency-Key": {id}}})
	}
	first, second := send("writer", "once", "one"), send("admin", "once", "two")
	if first.status != 201 || second.status != 201 || first.header.Get("Stet-Commit") != "once" || second.header.Get("Stet-Commit") != "once" {
		t.Fatalf("%d %v\n%d %v", first.status, first.header, second.status, second.header)
	}
	if again := send("writer", "once", "one"); again.header.Get("Stet-Revision") != first.header.Get("Stet-Revision") || k.revision() != 2 {
		t.Errorf("sent again: %d %v", again.status, again.header)
	}
	secret := k.id("writer") + "/once"
	for _, id := range []string{secret, `a"b\c`} {
		if probe := send("admin", id, "one"); probe.status != 201 || probe.header.Get("Stet-Commit") != id || probe.header.Get("Stet-Replayed") != "" {
			t.Errorf("the id %s: %d %v", id, probe.status, probe.header)
		}
		other := send("admin", id, "something else")
		if other.status != 409 || strings.Contains(string(other.body), k.id("admin")) {
			t.Errorf("other operations: %d %s", other.status, other.body)
		}
	}
	if r := send("writer", strings.Repeat("x", 128-9), "n"); r.status != 201 {
		t.Errorf("the longest id: %d %s", r.status, r.body)
	}
	if r := send("writer", strings.Repeat("x", 128-8), "n"); r.status != 400 || !strings.Contains(string(r.body), "with a key 119 is the most") {
		t.Errorf("a longer id: %d %s", r.status, r.body)
	}
	// In the feed each sees its own id as it was given.
	page := string(k.ask("writer", ask{method: "GET", path: "/v1/changes"}).body)
	if !strings.Contains(page, `"id":"once"`) || !strings.Contains(page, `"id":"`+k.id("admin")+`/once"`) {
		t.Errorf("the feed: %s", page)
	}
	// Without an id one is made, that can be sent again.
	r := k.ask("writer", ask{method: "POST", path: "/v1/commits", body: stet.Commit{Ops: []stet.Op{{Save: &stet.Draft{PromptID: "in/b", Text: "x"}}}}})
	id, at := r.header.Get("Stet-Commit"), k.revision()
	again := k.ask("writer", ask{method: "POST", path: "/v1/commits", body: stet.Commit{ID: id, Ops: []stet.Op{{Save: &stet.Draft{PromptID: "in/b", Text: "x"}}}}})
	if id == "" || strings.Contains(id, "/") || again.status != 200 || again.header.Get("Stet-Revision") != r.header.Get("Stet-Revision") || k.revision() != at {
		t.Errorf("an id of the server's: %q, %d %s", id, again.status, again.body)
	}
}

// TestScopeError: the error of a commit of unknown outcome has the id that its
// caller can send again, and an internal one says nothing.
func TestScopeError(t *testing.T) {
	k := newKeyed(t, openMemory(t), Options{})
	ring, err := keys.Open(k.file, &keys.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	g, err := ring.Authenticate(k.keys["writer"])
	if err != nil {
		t.Fatal(err)
	}
	own := k.id("writer") + "/"
	a := &access{grant: g}
	given := own + "x" // as hostile as can be
	c := stet.Commit{ID: given, Ops: []stet.Op{{Save: &stet.Draft{PromptID: "in/a"}}}}
	if err := a.commit(&c); err != nil || c.ID != own+given {
		t.Fatal(c.ID, err)
	}
	unknown := stet.Errorf(stet.CodeUnknown, "it is not known whether commit %s was applied.", c.ID)
	unknown.CommitID = c.ID
	var e *stet.Error
	if !errors.As(a.scopeError(unknown), &e) || e.CommitID != given || e.Message != "it is not known whether commit "+given+" was applied." || unknown.CommitID != c.ID {
		t.Errorf("%+v", e)
	}
	if err := a.scopeError(&statusError{unknown, 412}); Status(stet.CodeOf(err)) != 504 {
		t.Errorf("%v", err)
	} else if s := (*statusError)(nil); !errors.As(err, &s) || s.status != 412 {
		t.Errorf("the status is lost: %v", err)
	}
	internal := stet.Errorf(stet.CodeInternal, "the entry of out/secret is damaged.")
	if err := a.scopeError(internal); strings.Contains(err.Error(), "secret") || !errors.Is(err, internal) {
		t.Errorf("%v", err)
	}
	if err := everything.scopeError(internal); err != internal {
		t.Errorf("%v", err)
	}
}

// TestAuthor: the author is the key's name, whatever the request says; a draft's
// own author and time are kept for admins alone.
func TestAuthor(t *testing.T) {
	k := newKeyed(t, openMemory(t), Options{})
	body := map[string]any{"text": "x", "author": "eve", "created_at": "2001-02-03T04:05:06Z"}
	for key, want := range map[string]struct{ author, created string }{"writer": {"writer", "20"}, "admin": {"eve", "2001-02-03"}} {
		r := k.ask(key, ask{method: "POST", path: pathOf("in/"+key, "/versions"), body: body, header: http.Header{"Stet-Author": {url.PathEscape("mallory")}}})
		v, err := k.store.Get(t.Context(), "in/"+key)
		if r.status != 201 || err != nil {
			t.Fatalf("%d %s %v", r.status, r.body, err)
		}
		page, err := k.store.ChangesPage(t.Context(), k.revision()-1, stet.ChangesOptions{})
		if err != nil {
			t.Fatal(err)
		}
		created := v.CreatedAt().Format(time.DateOnly)
		if page.Items[0].Author != key || v.Author() != want.author || (created == "2001-02-03") != (want.created == "2001-02-03") {
			t.Errorf("%s: the commit is by %q, the version by %q of %s", key, page.Items[0].Author, v.Author(), created)
		}
	}
}

// bubble returns a handler with keys in a bubble of testing/synctest, where no
// socket can be, and what revokes them.
func bubble(t *testing.T) (s *Server, secret string, revoke func()) {
	store := openMemory(t)
	file := t.TempDir() + "/keys"
	if err := keys.Update(t.Context(), file, func(f *keys.File) (err error) {
		_, secret, err = f.Create(keys.Key{Name: "k", Role: keys.Admin, Prompts: []string{"*"}}, time.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(file, &keys.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s = New(store, &Options{Keys: ring})
	t.Cleanup(func() { s.Close(); ring.Close() })
	return s, secret, func() {
		if err := keys.Update(t.Context(), file, func(f *keys.File) error { _, err := f.Revoke("k", time.Now()); return err }); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRevokedMeanwhile: what was begun with a key ends within five seconds of its
// revocation: a stream, a long poll, a wait for a revision. A request whose body arrives
// later is refused, whatever it does. The same holds for requests without a key when the
// first key is made.
func TestRevokedMeanwhile(t *testing.T) {
	for _, tt := range []struct {
		name, method, path, accept, body, want string
	}{
		{"stream", "GET", "/v1/changes", "text/event-stream", "", `"reason":"key revoked"`},
		{"long poll", "GET", "/v1/changes?wait=60", "", "", "401"},
		{"min_revision", "GET", "/v1/prompts/in%2Fa/versions/latest?min_revision=1000", "", "", "401"},
		{"commit", "POST", "/v1/prompts/in%2Fa/versions", "", `{"text":"x"}`, "401"},
		{"get many", "POST", "/v1/get", "", `{"refs":[]}`, "401"},
		{"render", "POST", "/v1/prompts/in%2Fa/versions/latest/render", "", `{}`, "401"},
		{"verify", "POST", "/v1/verify", "", `{}`, "401"},
		{"replay", "POST", "/v1/replay", "", `{"revision":1,"id":"x","time":"2026-01-01T00:00:00Z","ops":[{"clear":{}}]}`, "401"},
		{"a label", "DELETE", "/v1/prompts/in%2Fa/labels/beta", "", `{"expect":"1.0.0"}`, "401"},
	} {
		keyless := func(t *testing.T) (s *Server, secret string, create func()) {
			file := t.TempDir() + "/keys"
			ring, err := keys.Open(file, &keys.Options{Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			s = New(openMemory(t), &Options{Keys: ring})
			t.Cleanup(func() { s.Close(); ring.Close() })
			return s, "", func() {
				if _, err := keys.EnsureAdmin(t.Context(), file, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		for key, begin := range map[string]func(*testing.T) (*Server, string, func()){"": bubble, " without keys": keyless} {
			t.Run(tt.name+key, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, secret, revoke := begin(t)
					endsWithKey(t, s, secret, revoke, tt.method, tt.path, tt.accept, tt.body, tt.want)
				})
			})
		}
	}
}

func endsWithKey(t *testing.T, s *Server, secret string, revoke func(), method, path, accept, sent, want string) {
	body, send := io.Pipe()
	r := httptest.NewRequestWithContext(t.Context(), method, path, body)
	r.Host = "localhost"
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	r.Header.Set("Content-Type", "application/json")
	if sent == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	ended := make(chan struct{})
	go func() { defer close(ended); s.ServeHTTP(w, r) }()
	<-time.After(3 * time.Second)
	select {
	case <-ended:
		t.Fatalf("it ended before: %d %s", w.Code, w.Body)
	default:
	}
	revoke()
	begin := time.Now()
	if sent != "" {
		<-time.After(5 * time.Second)
		_, _ = io.WriteString(send, sent)
		send.Close()
		begin = time.Now()
	}
	<-ended
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if got := w.Body.String(); !strings.Contains(got, want) {
		t.Errorf("%d %s", w.Code, got)
	}
	if tail, err := s.store.Tail(t.Context()); err != nil || tail.Revision != 0 {
		t.Error("it was committed")
	}
}

// TestDrainEndsWaits: a request that waits for a revision ends when the server drains,
// and is told to come back.
func TestDrainEndsWaits(t *testing.T) {
	for _, path := range []string{"/v1/prompts/a/versions/latest?min_revision=9", "/v1/prompts?min_revision=9", "/v1/changes?min_revision=9", "/v1/export?min_revision=9"} {
		synctest.Test(t, func(t *testing.T) {
			s := New(openMemory(t), nil)
			defer s.Close()
			ended := make(chan *httptest.ResponseRecorder)
			for range 2 { // the second begins when it drains already
				go func() {
					w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
					r.Host = "localhost"
					s.ServeHTTP(w, r)
					ended <- w
				}()
				<-time.After(time.Second)
				begin := time.Now()
				s.Drain()
				w := <-ended
				if took := time.Since(begin); took > time.Second || w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "is stopping") {
					t.Errorf("%s: after %v %d, Retry-After %q, %s", path, took, w.Code, w.Header().Get("Retry-After"), w.Body)
				}
			}
		})
	}
}

// TestWithoutKeys: while there are no keys, requests to this machine may do everything and
// name their author, and others nothing.
func TestWithoutKeys(t *testing.T) {
	s := New(openMemory(t), nil)
	defer s.Close()
	for _, tt := range []struct {
		local   net.Addr
		private bool
		status  int
	}{
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, false, 201},
		{&net.TCPAddr{IP: net.IPv4(127, 9, 9, 9), Port: 1}, false, 201},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 1}, false, 201},
		{&net.TCPAddr{IP: net.ParseIP("::ffff:127.0.0.1"), Port: 1}, false, 201},
		{&net.TCPAddr{IP: net.IPv4(192, 168, 0, 1), Port: 1}, false, 401},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 1}, false, 401},
		{&net.UnixAddr{Name: "s", Net: "unix"}, false, 401},
		{&net.UnixAddr{Name: "s", Net: "unix"}, true, 201},
	} {
		ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, tt.local)
		if tt.private {
			ctx = Private(ctx, nil)
		}
		r := httptest.NewRequestWithContext(ctx, "POST", "http://localhost/v1/prompts/a/versions", strings.NewReader(`{"text":"x"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Stet-Author", "ana")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != tt.status || w.Code == 201 && !strings.Contains(w.Body.String(), `"author":"ana"`) {
			t.Errorf("%v: %d %s", tt.local, w.Code, w.Body)
		}
	}
}

// TestPrivateNeedsNoKey: requests through the owner's own socket need no key, and a wrong
// one does not matter.
func TestPrivateNeedsNoKey(t *testing.T) {
	k := newKeyed(t, openMemory(t), Options{})
	ring, err := keys.Open(k.file, &keys.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	s := New(openMemory(t), &Options{Keys: ring})
	defer s.Close()
	r := httptest.NewRequestWithContext(Private(t.Context(), nil), "GET", "http://anything/v1/export", nil)
	r.Header.Set("Authorization", "Bearer wrong")
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestPromptPages: a list in small pages has each prompt that the key sees once, in order,
// and needs no more pages because of prompts that it does not see.
func TestPromptPages(t *testing.T) {
	k := newKeyed(t, openMemory(t), Options{}, keys.Key{Name: "some", Role: keys.Reader, Prompts: []string{"m/*", "b", "b2", "zz*", "m/5", "nothing", "k*"}})
	var ops []stet.Op
	for _, id := range strings.Fields("a b b1 b2 b22 k l m m/1 m/2 m/3 m/4 m/5 m0 n nothing2 z zz zz/1 zza zzz") {
		ops = append(ops, stet.Op{Save: &stet.Draft{PromptID: id, Text: id}})
	}
	k.commit(stet.Commit{Ops: ops})
	ring, err := keys.Open(k.file, &keys.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	g, err := ring.Authenticate(k.keys["some"])
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{store: k.store}
	for prefix, want := range map[string]string{"": "b b2 k m/1 m/2 m/3 m/4 m/5 zz zz/1 zza zzz", "m": "m/1 m/2 m/3 m/4 m/5", "m/5": "m/5", "b": "b b2", "b2": "b2", "z": "zz zz/1 zza zzz", "zz/": "zz/1", "a": "", "x": "", "m/12": ""} {
		for _, limit := range []int{1, 2, 3, 100} {
			got, pages := "", 0
			for o := (stet.PromptsOptions{Prefix: prefix, Limit: limit}); ; pages++ {
				page, err := s.prompts(t.Context(), &access{grant: g}, o)
				if err != nil || len(page.Items) > limit {
					t.Fatal(err, len(page.Items))
				}
				for _, h := range page.Items {
					got += " " + h.PromptID
				}
				if o.Cursor = page.Next; page.Next == "" {
					break
				}
				// The store's cursors have the id that a page ends with.
				if raw, err := base64.RawURLEncoding.DecodeString(page.Next); err == nil {
					if _, id, _ := strings.Cut(string(raw), "\n"); !g.Sees(id) {
						t.Errorf("prefix %q, %d a page: a cursor shows %q", prefix, limit, id)
					}
				}
			}
			if got = strings.TrimSpace(got); got != want {
				t.Errorf("prefix %q, %d a page: %s\nwant %s", prefix, limit, got, want)
			}
			if pages > 12 {
				t.Errorf("prefix %q, %d a page: %d pages", prefix, limit, pages)
			}
		}
	}
	for _, o := range []stet.PromptsOptions{{Prefix: "//"}, {Label: "latest"}, {Limit: -1}, {Cursor: "next.!"}, {Cursor: "x"}} {
		if _, err := s.prompts(t.Context(), &access{grant: g}, o); stet.CodeOf(err) != stet.CodeInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
