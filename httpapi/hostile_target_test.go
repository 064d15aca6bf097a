package httpapi

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/sqlite"
)

// A target is a server that suffers hostile requests.
type target struct {
	t       *testing.T
	store   *stet.Store
	connect func() (net.Conn, error)
	api     *Server
	rules   *rulebook
	log     syncBuffer
	fill    *strings.Replacer

	mu   sync.Mutex
	open map[net.Conn]bool
	none chan struct{} // gets one when the last connection was closed
}

// newTarget starts a server on a real socket, with something in its store.
func newTarget(t *testing.T, o Options) *target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newTargetOn(t, o, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
}

func newTargetOn(t *testing.T, o Options, l net.Listener, connect func() (net.Conn, error)) *target {
	t.Helper()
	rules, err := readRulebook()
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "stet.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	x := &target{t: t, store: store, connect: connect, rules: rules, open: make(map[net.Conn]bool), none: make(chan struct{}, 1)}
	x.fillStore()
	o.Log = slog.New(slog.NewTextHandler(&x.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.tempDir = t.TempDir()
	x.api = New(store, &o)
	server := NewServer(x.api) // and so does stet serve
	server.ErrorLog = slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)
	server.ConnState = x.connection
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = server.Serve(l) // until it is shut down
	}()
	t.Cleanup(func() {
		x.api.Drain()
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-over
		x.api.Close()
		store.Close()
	})
	return x
}

func (x *target) connection(c net.Conn, state http.ConnState) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch state {
	case http.StateNew:
		x.open[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(x.open, c)
		if len(x.open) == 0 {
			select {
			case x.none <- struct{}{}:
			default:
			}
		}
	}
}

// fillStore fills the store, and another one whose cursors and tags are foreign.
func (x *target) fillStore() {
	other, err := memory.Open(nil)
	if err != nil {
		x.t.Fatal(err)
	}
	defer other.Close()
	for _, s := range []*stet.Store{x.store, other} {
		for _, draft := range []stet.Draft{
			{PromptID: "a", Text: "one {{name}}", Labels: []string{"production"}}, {PromptID: "a", Text: "two"}, {PromptID: "a", Text: "three", Labels: []string{"staging"}},
			{PromptID: "support/triage", Text: "one"}, {PromptID: "support/triage", Text: "two"}, {PromptID: "versions", Text: "one"},
		} {
			if _, err := s.Save(context.Background(), draft); err != nil {
				x.t.Fatal(err)
			}
		}
		for _, to := range []string{"1.1.0", "latest"} {
			if _, err := s.SetLabel(context.Background(), stet.By{}, stet.SetLabel{PromptID: "a", Label: "production", Version: to}); err != nil {
				x.t.Fatal(err)
			}
		}
	}
	fill := []string{"{store}", x.store.ID(), "{other}", other.ID()}
	for name, s := range map[string]*stet.Store{"next": x.store, "foreign": other} {
		versions, err1 := s.ListPage(context.Background(), "a", stet.ListOptions{Limit: 1})
		prompts, err2 := s.PromptsPage(context.Background(), stet.PromptsOptions{Limit: 1})
		moves, err3 := s.HistoryPage(context.Background(), "a", "production", stet.HistoryOptions{Limit: 1})
		if err := errors.Join(err1, err2, err3); err != nil || versions.Next == "" || prompts.Next == "" || moves.Next == "" {
			x.t.Fatal("no cursors", err)
		}
		fill = append(fill, "{"+name+".versions}", versions.Next, "{"+name+".prompts}", prompts.Next, "{"+name+".moves}", moves.Next)
	}
	x.fill = strings.NewReplacer(fill...)
}

// closed waits until the server has closed every connection.
func (x *target) closed() {
	x.t.Helper()
	for {
		x.mu.Lock()
		n := len(x.open)
		x.mu.Unlock()
		if n == 0 {
			return
		}
		<-x.none
	}
}

// A syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds a line.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Len()
}

func (b *syncBuffer) from(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.b.Bytes()[n:])
}
