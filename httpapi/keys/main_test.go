package keys_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stet-dev/stet/httpapi/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the keys of tests are made.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// create adds a key to a file and returns its secret.
func create(t *testing.T, path string, k keys.Key) string {
	t.Helper()
	secret := ""
	update(t, path, func(f *keys.File) (err error) {
		_, secret, err = f.Create(k, time.Now())
		return err
	})
	return secret
}

func update(t *testing.T, path string, change func(f *keys.File) error) {
	t.Helper()
	if err := keys.Update(t.Context(), path, change); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func path(t *testing.T) string { return filepath.Join(t.TempDir(), "stet.db.keys") }

// log collects what a ring logs.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *log) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// count returns how many lines have a text.
func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// open opens a ring until the test ends.
func open(t *testing.T, path string, l *log) *keys.Ring {
	t.Helper()
	r, err := keys.Open(path, &keys.Options{Log: l.logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func over(ctx context.Context) bool { return ctx.Err() != nil }

// writer is a key for everything but what admins do.
func writer(name string) keys.Key {
	return keys.Key{Name: name, Role: keys.Writer, Prompts: []string{"*"}}
}

// pass lets time pass, in a bubble of testing/synctest.
func pass(d time.Duration) { <-time.After(d) }
