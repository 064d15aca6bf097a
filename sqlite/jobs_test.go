package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// hold takes every connection of a pool, until release.
func hold(t *testing.T, p *pool) (release func()) {
	t.Helper()
	entered, free, done := make(chan struct{}), make(chan struct{}), make(chan error)
	for range cap(p.free) {
		go func() {
			done <- p.do(context.Background(), func(*conn) error { entered <- struct{}{}; <-free; return nil })
		}()
	}
	for range cap(p.free) {
		<-entered
	}
	return func() {
		close(free)
		for range cap(p.free) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
}

// Reads that nothing has in memory are answered while checks and backups have all the
// connections that they get; and these go on while reads have all of theirs.
func TestJobsBesideReads(t *testing.T) {
	l := newLog(t)
	s, err := core.Open(t.Context(), l, &core.Options{CacheBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), stet.Draft{PromptID: "p", Text: "one"}); err != nil {
		t.Fatal(err)
	}
	release := hold(t, l.jobs)
	for range readers {
		if _, err := s.Get(t.Context(), "p"); err != nil {
			t.Errorf("a read beside checks: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Verify(ctx, stet.VerifyOptions{}); stet.CodeOf(err) != stet.CodeUnavailable {
		t.Errorf("a check that is given up while it waits: %v", err)
	}
	release()

	release = hold(t, l.readers)
	if r, err := s.Verify(t.Context(), stet.VerifyOptions{}); err != nil || !r.OK() || r.Versions != 1 {
		t.Errorf("a check beside reads: %+v, %v", r, err)
	}
	if _, _, err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "b.db"), stet.BackupOptions{}); err != nil {
		t.Errorf("a backup beside reads: %v", err)
	}
	release()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A check that waits for a connection ends when the log is closed.
func TestCloseBesideWaitingJob(t *testing.T) {
	l := newLog(t)
	add(t, l, 1)
	release := hold(t, l.jobs)
	closed, checked := make(chan error), make(chan error)
	go func() { _, err := l.Check(t.Context()); checked <- err }()
	go func() { closed <- l.Close() }()
	if err := <-checked; !errors.Is(err, errClosed) {
		t.Errorf("the check says %v", err)
	}
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A connection that is opened when another file has the log's name reads nothing from
// it.
func TestReaderAfterFileReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stet.db")
	other := openAt(t, path)
	add(t, other, 1)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(path+".old", b, 0o600)); err != nil {
		t.Fatal(err)
	}
	l := openAt(t, path)
	add(t, l, 1)
	for range readers { // as after an error of each
		if err := (<-l.readers.free).close(); err != nil {
			t.Fatal(err)
		}
	}
	for range readers {
		l.readers.free <- nil
	}
	if err := os.Rename(path+".old", path); err != nil {
		t.Logf("what is open cannot be taken away here: %v", err)
		return
	}
	if _, err := l.Body(t.Context(), ref(1)); stet.CodeOf(err) != stet.CodeUnavailable || !errors.Is(err, errFilesMoved) {
		t.Errorf("a read from another file: %v", err)
	}
	if _, err := l.Check(t.Context()); !errors.Is(err, errFilesMoved) {
		t.Errorf("a check of another file: %v", err)
	}
	tail := tailOf(t, l)
	if err := l.Append(t.Context(), tail, next(tail, 1)); !errors.Is(err, driver.ErrNotApplied) {
		t.Errorf("then, Append says %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close says %v, which was said before", err)
	}
	has(t, openAt(t, path), 1)
}
