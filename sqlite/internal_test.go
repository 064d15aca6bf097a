package sqlite

import (
	"crypto/sha256"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stet-dev/stet/driver"
)

func openAt(t *testing.T, path string) *Log {
	t.Helper()
	l, err := OpenLog(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func newLog(t *testing.T) *Log {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "stet.db"))
}

func tailOf(t *testing.T, l *Log) driver.Tail {
	t.Helper()
	tail, err := l.Barrier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tail
}

// next makes n entries after a tail, each with a body.
func next(prev driver.Tail, n int) []driver.Entry {
	entries := make([]driver.Entry, n)
	for i := range entries {
		e := &entries[i]
		e.Revision = prev.Revision + 1
		e.ID = fmt.Sprintf("id-%d", e.Revision)
		e.Data = fmt.Appendf(nil, `{"revision":%d,"id":"%s","ops":[]}`, e.Revision, e.ID)
		e.Hash = sha256.Sum256(append(prev.Hash[:], e.Data...))
		e.Bodies = []driver.Body{{BodyRef: ref(e.Revision), Text: fmt.Sprint("text ", e.Revision), Fields: "{}"}}
		prev = driver.Tail{Revision: e.Revision, Hash: e.Hash}
	}
	return entries
}

func ref(revision uint64) driver.BodyRef {
	return driver.BodyRef{Revision: revision, PromptID: "p", Version: fmt.Sprintf("0.0.%d", revision), Ordinal: revision}
}

func add(t *testing.T, l *Log, n int) {
	t.Helper()
	tail := tailOf(t, l)
	if err := l.Append(t.Context(), tail, next(tail, n)); err != nil {
		t.Fatal(err)
	}
}

// has checks that a log has n entries, each with its body.
func has(t *testing.T, l *Log, n uint64) {
	t.Helper()
	var at uint64
	for {
		entries, err := l.Read(t.Context(), at, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			at++
			if b, err := l.Body(t.Context(), ref(at)); e.Revision != at || e.ID != fmt.Sprintf("id-%d", at) || err != nil || b.Text != fmt.Sprint("text ", at) {
				t.Fatalf("at %d: entry %d with id %q, body %q, %v", at, e.Revision, e.ID, b.Text, err)
			}
		}
	}
	if tail := tailOf(t, l); at != n || tail.Revision != n {
		t.Fatalf("the log has %d entries and its tail is %d, not %d", at, tail.Revision, n)
	}
}

// on makes the writing connection run f instead of the statements whose text
// begins so.
func on(t *testing.T, l *Log, begins string, f func(run func() error) error) {
	t.Helper()
	l.writer <- struct{}{}
	defer l.unlockWriter()
	l.w.hook = func(query string, run func() error) error {
		if begins != "" && strings.HasPrefix(query, begins) {
			return f(run)
		}
		return run()
	}
}

// A fake is an error as SQLite reports it.
type fake int

func (f fake) Error() string { return fmt.Sprintf("fake error (%d)", int(f)) }
func (f fake) Code() int     { return int(f) }

// fails makes a statement fail without running it.
func fails(code fake) func(func() error) error { return func(func() error) error { return code } }

func TestPragmasOnEveryConnection(t *testing.T) {
	l := newLog(t)
	add(t, l, 1)
	all := map[string]int64{"synchronous": 2, "fullfsync": 1, "checkpoint_fullfsync": 1, "busy_timeout": busyTimeout,
		"trusted_schema": 0, "cell_size_check": 1, "page_size": pageSize, "application_id": applicationID, "user_version": int64(len(schema))}
	check := func(name string, c *conn, more map[string]int64) {
		for _, pragmas := range []map[string]int64{all, more} {
			for p, want := range pragmas {
				if got, err := c.integer("PRAGMA " + p); err != nil || got != want {
					t.Errorf("%s: %s is %d, %v, not %d", name, p, got, err, want)
				}
			}
		}
		if mode, err := c.text("PRAGMA journal_mode"); err != nil || mode != "wal" {
			t.Errorf("%s: journal mode %q, %v", name, mode, err)
		}
	}
	l.writer <- struct{}{}
	check("writer", l.w, map[string]int64{"wal_autocheckpoint": 0, "query_only": 0})
	l.unlockWriter()
	var nested func(n int)
	nested = func(n int) { // so that each is another connection
		if n == readers {
			return
		}
		err := l.readFrom(t.Context(), l.readers, func(c *conn) error {
			check(fmt.Sprint("reader ", n), c, map[string]int64{"query_only": 1})
			if _, err := c.exec("DELETE FROM commits"); primary(err) != sqlite3.SQLITE_READONLY {
				t.Errorf("reader %d: writing: %v", n, err)
			}
			nested(n + 1)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	nested(0)
}

// TestFailures makes each statement of an append fail in each way, and looks at
// what is said, what is there, whether the log goes on, and what is there after it
// was opened again.
func TestFailures(t *testing.T) {
	const full, ioerr, fsync = fake(sqlite3.SQLITE_FULL), fake(sqlite3.SQLITE_IOERR_WRITE), fake(sqlite3.SQLITE_IOERR_FSYNC)
	after := func(code fake) func(func() error) error {
		return func(run func() error) error { return errors.Join(run(), code) }
	}
	for _, x := range []struct {
		name, at string
		f        func(run func() error) error
		certain  bool // nothing was added
		goesOn   bool
		reopened uint64
	}{
		{"the file is locked", "BEGIN", fails(sqlite3.SQLITE_BUSY), true, true, 3},
		{"full before COMMIT", "INSERT", fails(full), true, true, 3},
		{"full at COMMIT", "COMMIT", fails(full), true, true, 3},
		{"full, it says, after COMMIT", "COMMIT", after(full), false, false, 4},
		{"a write fails", "INSERT", fails(ioerr), true, false, 3},
		{"a sync fails before COMMIT", "INSERT", fails(fsync), true, false, 3},
		{"a sync fails in COMMIT, rolled back", "COMMIT", fails(fsync), false, false, 3},
		{"a sync fails in COMMIT, committed", "COMMIT", after(fsync), false, false, 4},
		{"damage", "INSERT", fails(sqlite3.SQLITE_CORRUPT), true, false, 3},
	} {
		t.Run(x.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "stet.db")
			l := openAt(t, path)
			add(t, l, 3)
			on(t, l, x.at, x.f)
			tail := tailOf(t, l)
			more := next(tail, 1)
			err := l.Append(t.Context(), tail, more)
			if err == nil || errors.Is(err, driver.ErrNotApplied) != x.certain || errors.Is(err, driver.ErrMoved) {
				t.Fatalf("Append says %v", err)
			}
			on(t, l, "", nil)
			err = l.Append(t.Context(), tail, more)
			switch {
			case x.goesOn && err != nil:
				t.Errorf("later, Append says %v", err)
			case x.goesOn:
				x.reopened++
			case !errors.Is(err, driver.ErrNotApplied) || !strings.Contains(err.Error(), "has stopped writing"):
				t.Errorf("after what nobody can know, Append says %v", err)
			}
			if !x.goesOn {
				if err := l.SaveCheckpoint(t.Context(), 3, true, nil); err == nil {
					t.Error("a checkpoint was written")
				}
				for at := range uint64(3) {
					if _, err := l.Body(t.Context(), ref(at+1)); err != nil {
						t.Errorf("reads do not go on: %v", err)
					}
				}
			}
			if err := l.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			has(t, openAt(t, path), x.reopened)
		})
	}
}

// TestSyncFailsWhenWALIsEmptied is a failure that no append sees.
func TestSyncFailsWhenWALIsEmptied(t *testing.T) {
	l := newLog(t)
	add(t, l, 3)
	on(t, l, "PRAGMA wal_checkpoint", fails(sqlite3.SQLITE_IOERR_FSYNC))
	l.writer <- struct{}{}
	l.walPages = l.walLimit
	l.maintainStep()
	l.unlockWriter()
	tail := tailOf(t, l)
	if err := l.Append(t.Context(), tail, next(tail, 1)); !errors.Is(err, driver.ErrNotApplied) || !strings.Contains(err.Error(), "a sync failed") {
		t.Errorf("Append says %v", err)
	}
	has(t, l, 3)
}

// TestFullDiskEmptiesWAL: what the WAL holds may be all the space that there is.
func TestFullDiskEmptiesWAL(t *testing.T) {
	for _, at := range []string{"INSERT", "COMMIT"} {
		l := newLog(t)
		add(t, l, 3)
		emptied := make(chan struct{})
		l.writer <- struct{}{}
		l.w.hook = func(query string, run func() error) error {
			switch {
			case strings.HasPrefix(query, at):
				return fake(sqlite3.SQLITE_FULL)
			case strings.HasPrefix(query, "PRAGMA wal_checkpoint"):
				close(emptied)
			}
			return run()
		}
		l.unlockWriter()
		tail := tailOf(t, l)
		if err := l.Append(t.Context(), tail, next(tail, 1)); !errors.Is(err, driver.ErrNotApplied) {
			t.Errorf("%s: Append says %v", at, err)
		}
		<-emptied
		on(t, l, "", nil)
		add(t, l, 1)
		has(t, l, 4)
	}
}

// TestWALIsEmptied writes much more than the WAL may hold.
func TestWALIsEmptied(t *testing.T) {
	l := newLog(t)
	for range 60 {
		tail := tailOf(t, l)
		entries := next(tail, 8)
		for i := range entries {
			entries[i].Bodies[0].Fields = strings.Repeat("x", 100_000)
		}
		if err := l.Append(t.Context(), tail, entries); err != nil {
			t.Fatal(err)
		}
	}
	l.writer <- struct{}{}
	defer l.unlockWriter()
	for l.maintainStep() {
	}
	var pages int64
	err := l.w.query(t.Context(), "PRAGMA wal_checkpoint(PASSIVE)", func(row []sqldriver.Value) error {
		pages = row[1].(int64)
		return nil
	})
	if err != nil || pages > 2*int64(l.walLimit) {
		t.Errorf("the WAL has %d pages after 48 MB, %v", pages, err)
	}
}

// A copy that is being verified refuses to be written to.
func TestCopyRefusesWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stet.db")
	l := openAt(t, path)
	add(t, l, 2)
	tail := tailOf(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := openCopy(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Append(t.Context(), tail, next(tail, 1)); err == nil || !strings.Contains(err.Error(), "a copy is read-only") {
		t.Errorf("writing to a copy: %v", err)
	}
}
