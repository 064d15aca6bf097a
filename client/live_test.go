package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/sqlite"
)

// mustServe serves a store until the test ends.
func mustServe(t *testing.T, s *stet.Store, err error) *server {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := serve(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

func mustOpen(t *testing.T, url string, o client.Options) *stet.Store {
	t.Helper()
	s, err := client.Open(t.Context(), url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// throughProxy opens a client of a server with faults in between.
func throughProxy(t *testing.T, srv *server, list ...fault) *stet.Store {
	t.Helper()
	p, err := newProxy(srv.url, script(append([]fault{faultNone}, list...)...)) // the first is Open's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.close() })
	return mustOpen(t, p.url(), client.Options{FirstWait: time.Millisecond})
}

// Whatever is a name arrives as that name.
func TestHardIDs(t *testing.T) {
	m, err := memory.Open(nil)
	s := mustOpen(t, mustServe(t, m, err).url, client.Options{})
	ctx := t.Context()
	ids := []string{
		"a/b", "a%2Fb", "a%2fb", "%", "%%", "%00", "%2e%2e", "...", "a/.../b", ".a", "a.", "a/.b", "..a", "a+b", "a b", "a&b=c", "a?b", "a;b", "a:b", "a,b",
		`a\b`, `a"b`, "a'b", "a<b>", "a|b", "a^b", "a`b", "{id}", "{id...}", "$", "*", "!", "(a)", "[a]", "-", "--", "_", "=", "labels", "versions", "a/versions/b", "a/labels/production",
		"v1", "current", "latest", "1.0.0", "ключ", "提示/詞", "❤️", "é", "a/é/ß", "http://a", "C:/x", "x=1/y&z", strings.Repeat("漢", 85), strings.Repeat("%", 256), strings.Repeat("a/", 127) + "b",
	}
	for i, id := range ids {
		if id == "http://a" { // has an empty segment
			if _, err := s.Get(ctx, id); stet.CodeOf(err) != stet.CodeInvalid {
				t.Errorf("%q: %v", id, err)
			}
			continue
		}
		text := fmt.Sprint("text of ", i)
		saved, err := s.Save(ctx, stet.Draft{PromptID: id, Text: text, Labels: []string{"production"}})
		if err != nil {
			t.Errorf("saving %q: %v", id, err)
			continue
		}
		for _, sel := range []string{"", "@current", "@latest", "@1.0.0", "@production", "@^1", "@>=1.0.0 <2", "@1.x || 2.x", "@*", "@#1", "@" + saved.Digest().String()} {
			if v, err := s.Get(ctx, id+sel); err != nil || v.Text() != text || v.PromptID() != id {
				t.Errorf("getting %q: %q of %q, %v", id+sel, v.Text(), v.PromptID(), err)
			}
		}
		if h, err := s.Head(ctx, id); err != nil || h.PromptID != id {
			t.Errorf("the head of %q: %+v, %v", id, h, err)
		}
		if p, err := s.ListPage(ctx, id, stet.ListOptions{}); err != nil || len(p.Items) != 1 || p.Items[0].Text() != text {
			t.Errorf("the list of %q: %v", id, err)
		}
		if p, err := s.HistoryPage(ctx, id, "", stet.HistoryOptions{}); err != nil || len(p.Items) != 1 {
			t.Errorf("the history of %q: %v", id, err)
		}
		if p, err := s.PromptsPage(ctx, stet.PromptsOptions{Prefix: id}); err != nil || len(p.Items) == 0 || p.Items[0].PromptID != id {
			t.Errorf("the prompts from %q on: %v", id, err)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	m, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "stet") // t.TempDir's may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(m, nil)
	srv := &http.Server{Handler: api, ConnContext: httpapi.Private}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = srv.Serve(l)
	}()
	s := mustOpen(t, "unix:"+path, client.Options{Attempts: 2})
	if _, err := s.Save(t.Context(), stet.Draft{PromptID: "a", Text: "x"}); err != nil {
		t.Error(err)
	}
	if s.Engine() != "http" || s.ID() != m.ID() {
		t.Errorf("it is %s %s, and the server's is %s", s.Engine(), s.ID(), m.ID())
	}
	srv.Close()
	<-over
	if err := errors.Join(api.Close(), m.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(t.Context(), "a"); stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("when the server is gone: %v", err)
	}
	if tail, err := s.Tail(t.Context()); stet.CodeOf(err) != stet.CodeUnavailable || tail != (stet.Tail{}) {
		t.Errorf("the end of the log when the server is gone: %+v, %v", tail, err)
	}
}

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	ctx := t.Context()
	q, err := sqlite.Open(ctx, filepath.Join(dir, "a.db"), nil)
	srv := mustServe(t, q, err)
	s := throughProxy(t, srv, faultNone, halfAnswer, dropAfter, badGateway, garbage)
	if _, err := s.Save(ctx, stet.Draft{PromptID: "a", Text: strings.Repeat("long ", 10_000)}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "b.db")
	var done, total uint64
	revision, hash, err := s.Backup(ctx, path, stet.BackupOptions{Progress: func(d, n uint64) { done, total = d, n }})
	if err != nil || revision != 1 || done != total || total == 0 {
		t.Fatalf("revision %d, %d of %d bytes: %v", revision, done, total, err)
	}
	if want, err := q.Tail(ctx); err != nil || hash != want.Hash {
		t.Errorf("the hash is %s, and the store's %s, %v", hash, want.Hash, err)
	}
	read := func() string {
		b, err := sqlite.Open(ctx, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		v, err := b.Get(ctx, "a@latest")
		if err != nil {
			t.Fatal(err)
		}
		return v.Text()
	}
	if read() != strings.Repeat("long ", 10_000) {
		t.Error("the backup has another text")
	}
	if _, err := s.Save(ctx, stet.Draft{PromptID: "a", Text: "new"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Backup(ctx, path, stet.BackupOptions{}); stet.CodeOf(err) != stet.CodeConflict {
		t.Errorf("over a file that is there: %v", err)
	}
	beside := filepath.Join(dir, "beside.db")
	if err := os.WriteFile(beside+"-wal", []byte("of another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Backup(ctx, beside, stet.BackupOptions{}); stet.CodeOf(err) != stet.CodeConflict {
		t.Errorf("beside what another store left: %v", err)
	}
	if b, err := os.ReadFile(beside + "-wal"); err != nil || string(b) != "of another" {
		t.Errorf("what it left is %q, %v", b, err)
	}
	if _, _, err := s.Backup(ctx, beside, stet.BackupOptions{Overwrite: true}); err != nil {
		t.Errorf("over what another store left, if that is wanted: %v", err)
	}
	if _, err := os.Lstat(beside + "-wal"); err == nil {
		t.Error("what another store left is beside the backup")
	}
	open, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Backup(ctx, path, stet.BackupOptions{Overwrite: true}); stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "is open in") {
		t.Errorf("over a store that is open: %v", err)
	}
	open.Close()
	if _, _, err := s.Backup(ctx, path, stet.BackupOptions{Overwrite: true}); err != nil || read() != "new" {
		t.Errorf("over a file that is there, if that is wanted: %v", err)
	}
	if _, _, err := s.Backup(ctx, filepath.Join(dir, "none", "c.db"), stet.BackupOptions{}); stet.CodeOf(err) != stet.CodeInvalid {
		t.Errorf("where there is no directory: %v", err)
	}

	// What fails leaves nothing.
	gone := throughProxy(t, srv, slices.Repeat([]fault{halfAnswer}, 10)...)
	if _, _, err := gone.Backup(ctx, filepath.Join(dir, "d.db"), stet.BackupOptions{}); stet.CodeOf(err) != stet.CodeUnavailable {
		t.Errorf("cut again and again: %v", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") || strings.HasPrefix(f.Name(), "d.db") {
			t.Errorf("%s was left", f.Name())
		}
	}

	m, err := memory.Open(nil)
	none := mustOpen(t, mustServe(t, m, err).url, client.Options{})
	if _, _, err := none.Backup(ctx, filepath.Join(dir, "e.db"), stet.BackupOptions{}); stet.CodeOf(err) != stet.CodeInvalid {
		t.Errorf("of an engine that has no files: %v", err)
	}
}

// An export that is cut off goes on where it was, in the same epoch only.
func TestExportGoesOn(t *testing.T) {
	ctx := t.Context()
	fill := func(t *testing.T) (*stet.Store, *server) {
		m, err := memory.Open(nil)
		srv := mustServe(t, m, err)
		for i := range 50 {
			if _, err := m.Save(ctx, stet.Draft{PromptID: "a", Text: strings.Repeat(fmt.Sprint(i), 10_000), Bump: "patch"}); err != nil {
				t.Fatal(err)
			}
		}
		return m, srv
	}
	revisions := func(s *stet.Store, each func(n int)) (all []uint64, err error) {
		err = s.Export(ctx, func(c stet.Copy) error {
			all = append(all, c.Change.Revision)
			each(len(all))
			return nil
		})
		return all, err
	}
	_, srv := fill(t)
	s := throughProxy(t, srv, halfAnswer, dropBefore, halfAnswer, garbage)
	all, err := revisions(s, func(int) {})
	if err != nil || len(all) != 50 || !slices.IsSorted(all) || len(slices.Compact(all)) != 50 {
		t.Errorf("the export has the revisions %v, %v", all, err)
	}
	m, srv := fill(t)
	s = throughProxy(t, srv, halfAnswer)
	var cleared atomic.Bool
	_, err = revisions(s, func(int) {
		if cleared.CompareAndSwap(false, true) {
			if err := m.Clear(ctx, stet.By{}); err != nil {
				t.Error(err)
			}
		}
	})
	if stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "cleared") {
		t.Errorf("cleared meanwhile: %v", err)
	}
	mine := errors.New("mine")
	if err := s.Export(ctx, func(stet.Copy) error { return mine }); err != nil && err != mine {
		t.Errorf("what the caller returned comes back as %v", err)
	}
}

// Each fault of the network alone: a commit is applied once, and its caller told.
func TestEachFault(t *testing.T) {
	for f := range faults {
		t.Run(faultNames[f], func(t *testing.T) {
			m, err := memory.Open(nil)
			s := throughProxy(t, mustServe(t, m, err), f, f, f)
			saved, err := s.Save(t.Context(), stet.Draft{PromptID: "a", Text: "x"})
			if err != nil || saved.Number().String() != "1.0.0" || saved.Revision() != 1 {
				t.Fatalf("it is %s at %d, %v", saved.Number(), saved.Revision(), err)
			}
			if _, err := s.Get(context.Background(), "a"); err != nil {
				t.Error(err)
			}
			if tail, err := m.Tail(t.Context()); err != nil || tail.Revision != 1 {
				t.Errorf("the log ends at %d, %v", tail.Revision, err)
			}
		})
	}
}

// A commit was applied and its answer lost; when it is sent again its body is cut, and
// what the server says to that is no word on the commit.
func TestCutBodyAfterLostAnswer(t *testing.T) {
	for _, list := range [][]fault{{dropAfter, halfClosed}, {badGateway, halfClosed, halfClosed}, {lateArrival, halfClosed, halfRequest}} {
		m, err := memory.Open(nil)
		s := throughProxy(t, mustServe(t, m, err), list...)
		saved, err := s.Save(t.Context(), stet.Draft{PromptID: "a", Text: strings.Repeat("x", 1000)})
		if err != nil || saved.Revision() != 1 {
			t.Errorf("it is at %d, %v", saved.Revision(), err)
		}
		if tail, err := m.Tail(t.Context()); err != nil || tail.Revision != 1 {
			t.Errorf("the log ends at %d, %v", tail.Revision, err)
		}
	}
}
