package client_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/memory"
)

// A cacheLab is a server, a network that can be cut, and a cache, in a bubble of
// testing/synctest.
type cacheLab struct {
	*testing.T
	ctx   context.Context
	store *stet.Store // the server's
	pipe  *pipe
	cache *client.Cache

	mu    sync.Mutex
	api   *httpapi.Server
	conns map[net.Conn]bool
	gets  int           // POST /v1/get that were answered
	hold  chan struct{} // answers of these wait, after they were made, until it is closed
	fail  bool          // these are refused
	mute  bool          // nothing comes of streams
}

// inLab runs a test with a prompt p, of the versions 1.0.0 and 1.0.1, whose label
// production is on the first.
func inLab(t *testing.T, o client.CacheOptions, test func(l *cacheLab)) {
	synctest.Test(t, func(t *testing.T) {
		l := &cacheLab{T: t, ctx: t.Context(), pipe: newPipe(), conns: make(map[net.Conn]bool)}
		l.store = l.open()
		l.must(l.store.Save(l.ctx, stet.Draft{PromptID: "p", Text: "one", Labels: []string{"production"}}))
		l.must(l.store.Save(l.ctx, stet.Draft{PromptID: "p", Text: "two", Bump: "patch"}))
		l.api = httpapi.New(l.store, nil)
		srv := &http.Server{Handler: http.HandlerFunc(l.serve), ConnState: func(c net.Conn, s http.ConnState) {
			l.mu.Lock()
			defer l.mu.Unlock()
			if s == http.StateNew {
				l.conns[c] = true
			} else if s == http.StateClosed {
				delete(l.conns, c)
			}
		}}
		go srv.Serve(l.pipe)
		l.cache = l.newCache(client.Options{}, o)
		test(l)
		if err := l.cache.Close(); err != nil {
			t.Error(err)
		}
		l.pipe.refuse(false)
		_ = srv.Close()
		_ = l.api.Close()
		_ = l.store.Close()
	})
}

// newCache opens a client of the server with a cache, and waits until that is ready.
func (l *cacheLab) newCache(o client.Options, co client.CacheOptions) *client.Cache {
	l.Helper()
	o.Transport, o.Attempts = &http.Transport{DialContext: l.pipe.dial}, 2
	co.Options = o
	cache, err := client.OpenCached(l.ctx, "http://127.0.0.1", &co)
	if err != nil {
		l.Fatal(err)
	}
	if err := cache.Ready(l.ctx); err != nil {
		l.Fatal(err)
	}
	return cache
}

func (l *cacheLab) open() *stet.Store {
	s, err := memory.Open(nil)
	if err != nil {
		l.Fatal(err)
	}
	return s
}

func (l *cacheLab) must(_ any, err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *cacheLab) serve(w http.ResponseWriter, r *http.Request) {
	// The pipe is this machine.
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}))
	l.mu.Lock()
	api, hold, fail := l.api, l.hold, l.fail
	l.mu.Unlock()
	if r.URL.Path != "/v1/get" {
		if r.URL.Path == "/v1/changes" {
			w = muteWriter{w, l}
		}
		api.ServeHTTP(w, r)
		return
	}
	if fail {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	rec := httptest.NewRecorder()
	api.ServeHTTP(rec, r)
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}
	l.mu.Lock()
	l.gets++
	l.mu.Unlock()
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

func (l *cacheLab) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// cut ends every connection, and refuses new ones until mend.
func (l *cacheLab) cut() {
	l.pipe.refuse(true)
	l.set(func() {
		for c := range l.conns {
			_ = c.Close()
		}
	})
	synctest.Wait()
}

func (l *cacheLab) mend() { l.pipe.refuse(false) }

// after lets time pass.
func (l *cacheLab) after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// wantText checks what the cache answers.
func (l *cacheLab) wantText(ref, want string) {
	l.Helper()
	l.wantTextOf(l.cache, ref, want)
}

// wantTextOf checks what a cache answers.
func (l *cacheLab) wantTextOf(cache *client.Cache, ref, want string) {
	l.Helper()
	v, err := cache.Get(l.ctx, ref)
	got := v.Text()
	if err != nil {
		got = err.Error()
	}
	if got != want && (err == nil || !strings.Contains(got, want)) {
		l.Errorf("%s is %q, and should be %q", ref, got, want)
	}
}

// move puts production of p on a version, at the server.
func (l *cacheLab) move(to string) {
	l.Helper()
	l.must(l.store.SetLabel(l.ctx, stet.By{}, stet.SetLabel{PromptID: "p", Label: "production", Version: to}))
}

// requests returns how often versions were asked for since the last call.
func (l *cacheLab) requests() (n int) {
	l.set(func() { n, l.gets = l.gets, 0 })
	return n
}

func (l *cacheLab) wantRequests(want int) {
	l.Helper()
	if n := l.requests(); n != want {
		l.Errorf("there were %d requests, and should be %d", n, want)
	}
}

// A muteWriter loses what is written while its server is mute.
type muteWriter struct {
	http.ResponseWriter
	l *cacheLab
}

func (w muteWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w muteWriter) Write(p []byte) (int, error) {
	w.l.mu.Lock()
	mute := w.l.mute
	w.l.mu.Unlock()
	if mute {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
