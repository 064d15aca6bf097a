package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stet-dev/stet/driver"
)

// sweep does at once what a log does in the background.
func sweep(l *Log) {
	l.writer <- struct{}{}
	defer l.unlockWriter()
	for l.maintainStep() {
	}
}

func rows(t *testing.T, l *Log, of string) int64 {
	t.Helper()
	l.writer <- struct{}{}
	defer l.unlockWriter()
	n, err := l.w.integer("SELECT count(*) FROM " + of)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func addOne(t *testing.T, l *Log, change func(e *driver.Entry)) {
	t.Helper()
	tail := tailOf(t, l)
	entries := next(tail, 1)
	change(&entries[0])
	if err := l.Append(t.Context(), tail, entries); err != nil {
		t.Fatal(err)
	}
}

// bodies checks that the bodies from one revision to another are there, or not.
func bodies(t *testing.T, l *Log, from, to uint64, there bool) {
	t.Helper()
	for r := from; r <= to; r++ {
		b, err := l.Body(t.Context(), ref(r))
		if there && (err != nil || b.Text != fmt.Sprint("text ", r)) || !there && !errors.Is(err, driver.ErrNoBody) {
			t.Fatalf("the body of revision %d: %q, %v", r, b.Text, err)
		}
	}
}

// TestClear clears a log of more bodies than are removed at once. They are gone at
// once, and removed piece by piece, also by who opens the log next.
func TestClear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stet.db")
	l := openAt(t, path)
	const n = 4*purgeRows + 7
	add(t, l, n-1)
	addOne(t, l, func(e *driver.Entry) {
		e.Moves = []driver.Move{{PromptID: "p", Label: "production", Version: "0.0.1"}}
	})
	on(t, l, "DELETE FROM bodies WHERE key IN", fails(sqlite3.SQLITE_BUSY)) // no purge
	addOne(t, l, func(e *driver.Entry) { e.Cleared = true })
	bodies(t, l, 1, n, false)
	bodies(t, l, n+1, n+1, true)
	if left := rows(t, l, "labels"); left != 0 {
		t.Errorf("%d labels are left", left)
	}
	if live := rows(t, l, "versions"); live != 1 {
		t.Errorf("the view shows %d versions, not 1", live)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	l = openAt(t, path)
	bodies(t, l, 1, n, false)
	add(t, l, 1) // it is not in the way
	sweep(l)
	if left := rows(t, l, "bodies"); left != 2 {
		t.Errorf("%d bodies are left, not the 2 since the clear", left)
	}
	bodies(t, l, n+1, n+2, true)
}

// TestDropped drops a few bodies, and more than an append removes itself.
func TestDropped(t *testing.T) {
	for _, n := range []uint64{3, removeNow + 100} {
		path := filepath.Join(t.TempDir(), "stet.db")
		l := openAt(t, path)
		add(t, l, int(n)+2)
		on(t, l, "DELETE FROM bodies WHERE key IN", fails(sqlite3.SQLITE_BUSY)) // no purge
		addOne(t, l, func(e *driver.Entry) {
			for r := uint64(1); r <= n; r++ {
				e.Dropped = append(e.Dropped, ref(r))
			}
		})
		check := func(l *Log) {
			t.Helper()
			bodies(t, l, 1, n, false)
			bodies(t, l, n+1, n+3, true)
			if live := rows(t, l, "versions"); live != 3 {
				t.Errorf("the view shows %d versions, not 3", live)
			}
		}
		check(l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = openAt(t, path)
		check(l)
		sweep(l)
		check(l)
		if b, d := rows(t, l, "bodies"), rows(t, l, "dropped"); b != 3 || d != 0 {
			t.Errorf("%d bodies and %d notes are left, not 3 and 0", b, d)
		}
	}
}

// TestClearedInABatch has a clear between other entries of one append.
func TestClearedInABatch(t *testing.T) {
	l := newLog(t)
	add(t, l, 2)
	tail := tailOf(t, l)
	entries := next(tail, 4) // 3 4 5 6
	entries[1].Moves = []driver.Move{{PromptID: "p", Label: "gone", Version: "0.0.4"}}
	entries[2].Cleared = true
	entries[3].Moves = []driver.Move{{PromptID: "p", Label: "kept", Version: "0.0.6"}}
	if err := l.Append(t.Context(), tail, entries); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		bodies(t, l, 1, 4, false)
		bodies(t, l, 5, 6, true)
		if n := rows(t, l, "labels WHERE label = 'kept'"); n != 1 || rows(t, l, "labels") != 1 {
			t.Error("the labels are not those since the clear")
		}
		sweep(l)
	}
}
