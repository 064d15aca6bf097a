package open_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/internal/socket"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/open"
	"github.com/stet-dev/stet/sqlite"
)

// served returns a handler of a store in memory that has the prompt a.
func served(t *testing.T) http.Handler {
	t.Helper()
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), stet.Draft{PromptID: "a", Text: "A"}); err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(s, nil)
	t.Cleanup(func() { api.Close(); s.Close() })
	return api
}

func TestServers(t *testing.T) {
	server := httptest.NewServer(served(t))
	defer server.Close()
	secure := httptest.NewTLSServer(served(t))
	defer secure.Close()
	addresses := map[string]open.Options{
		server.URL: {},
		secure.URL: {Client: client.Options{TLS: secure.Client().Transport.(*http.Transport).TLSClientConfig}},
	}
	if runtime.GOOS != "windows" {
		path := filepath.Join(t.TempDir(), "s")
		serveSocket(t, path)
		addresses["unix:"+path] = open.Options{}
	}
	for address, o := range addresses {
		if ok, err := open.Exists(address); !ok || err != nil {
			t.Errorf("%s does not exist: %v", address, err)
		}
		s, err := open.Store(t.Context(), address, &o)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if v, err := s.Get(t.Context(), "a"); err != nil || v.Text() != "A" {
			t.Errorf("%s: %q, %v", address, v.Text(), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func serveSocket(t *testing.T, path string) {
	t.Helper()
	l, err := socket.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: served(t), ConnContext: httpapi.Private}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
}

// TestRunningServer opens a file that another has open: through the server beside
// it if there is one and the caller wants that, and not at all otherwise.
func TestRunningServer(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there are no private sockets
	}
	path := filepath.Join(t.TempDir(), "stet.db")
	holder, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	pid := 0
	through := open.Options{Running: func(p int) { pid = p }}
	refused := func(what string, o open.Options) {
		t.Helper()
		s, err := open.Store(t.Context(), path, &o)
		if err == nil {
			s.Close()
		}
		if stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "only one program at a time") {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("without a server", through)
	if open.Served(t.Context(), path) {
		t.Error("a file that nobody serves is served")
	}
	serveSocket(t, path+".sock")
	refused("not through the server", open.Options{})
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link} {
		pid = 0
		s, err := open.Store(t.Context(), p, &through)
		if err != nil {
			t.Fatalf("through the server: %v", err)
		}
		if v, err := s.Get(t.Context(), "a"); err != nil || v.Text() != "A" || pid != os.Getpid() {
			t.Errorf("through the server: %q, %v, process %d", v.Text(), err, pid)
		}
		s.Close()
	}
	if !open.Served(t.Context(), link) {
		t.Error("a file that is served is not")
	}
}
