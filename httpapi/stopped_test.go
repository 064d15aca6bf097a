package httpapi_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/memory"
)

// stopping is a log that can be made to refuse writes.
type stopping struct {
	driver.Log
	writing context.Context
	stop    context.CancelCauseFunc
}

func (s *stopping) Writing() context.Context { return s.writing }

// lines is what was logged; got receives each line.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
	got chan string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Write(b)
	l.got <- string(b)
	return len(b), nil
}

// An engine that has stopped writing for good is seen at once: in the log, at /readyz
// and in the metrics. The server lives, and reads go on.
func TestStoppedEngine(t *testing.T) {
	l := &stopping{Log: memory.New()}
	l.writing, l.stop = context.WithCancelCause(t.Context())
	s, err := core.Open(t.Context(), l, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), stet.Draft{PromptID: "a", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	out := &lines{got: make(chan string, 100)}
	api := httpapi.New(s, &httpapi.Options{Log: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelError}))})
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil))
		return w.Code, w.Body.String()
	}
	want := func(status int, path, text string) {
		t.Helper()
		if code, body := get(path); code != status || !strings.Contains(body, text) {
			t.Errorf("%s: %d %s, and should be %d with %q", path, code, body, status, text)
		}
	}
	want(200, "/readyz", `"ready":true`)
	want(200, "/metrics", "\nstet_engine_stopped 0\n")
	l.stop(stet.Errorf(stet.CodeUnavailable, "stet has stopped writing: a sync failed."))
	if line := <-out.got; !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "a sync failed") {
		t.Errorf("logged: %s", line)
	}
	want(503, "/readyz", "stet has stopped writing: a sync failed.")
	want(200, "/metrics", "\nstet_engine_stopped 1\n")
	want(200, "/healthz", `"alive":true`)
	want(200, "/v1/prompts/a/versions/latest", `"x"`)
	if err := api.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := len(out.got); n != 0 {
		t.Errorf("%d lines more were logged: %s", n, out.all.String())
	}
}
