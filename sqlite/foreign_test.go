package sqlite

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// TestForeignWriter lets somebody else change the file beside an open log.
func TestForeignWriter(t *testing.T) {
	for _, x := range []struct {
		name, sql string
		harmless  bool
	}{
		{"moves the WAL to the file", "PRAGMA wal_checkpoint(TRUNCATE)", true},
		{"appends", "INSERT INTO commits SELECT 4, 'x', hash, '{}' FROM commits WHERE revision = 3", false},
		{"removes the tail", "DELETE FROM commits WHERE revision = 3", false},
		{"rewrites the tail", "UPDATE commits SET hash = zeroblob(32) WHERE revision = 3", false},
		{"adds a table", "CREATE TABLE notes (text)", false},
		{"makes it another store", "UPDATE meta SET value = 'x' WHERE name = 'store_id'", false},
		{"updates stet", "PRAGMA user_version = 2", false},
	} {
		t.Run(x.name, func(t *testing.T) {
			l := newLog(t)
			add(t, l, 3)
			other, err := connect(l.path, readWrite)
			if err != nil {
				t.Fatal(err)
			}
			defer other.close()
			if err := other.script(x.sql); err != nil {
				t.Fatal(err)
			}
			tail := tailOf(t, l)
			err = l.Append(t.Context(), tail, next(tail, 1))
			if x.harmless {
				if err != nil {
					t.Fatal(err)
				}
				has(t, l, 4)
				if err := context.Cause(l.Writing()); err != nil {
					t.Errorf("the log says that it has stopped: %v", err)
				}
				return
			}
			if !errors.Is(err, driver.ErrNotApplied) || !strings.Contains(err.Error(), "another program has written to it") {
				t.Errorf("Append says %v", err)
			}
			if err := l.Append(t.Context(), tail, next(tail, 1)); !errors.Is(err, errForeignWrite) {
				t.Errorf("then, Append says %v", err)
			}
			var why *stet.Error
			if err := context.Cause(l.Writing()); !errors.As(err, &why) || why.Code != stet.CodeUnavailable || !strings.Contains(why.Message, "another program") {
				t.Errorf("the log does not say that it has stopped, and why: %v", err)
			}
			if _, err := l.Body(t.Context(), ref(1)); err != nil {
				t.Errorf("reads do not go on: %v", err)
			}
		})
	}
}

// TestCancelledAppend is one whose caller has gone.
func TestCancelledAppend(t *testing.T) {
	l := newLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	on(t, l, "INSERT", func(run func() error) error { cancel(); return run() })
	if err := l.Append(ctx, driver.Tail{}, next(driver.Tail{}, 3)); err != nil {
		t.Errorf("ended by its context in the middle: %v", err)
	}
	has(t, l, 3)
	tail := tailOf(t, l)
	if err := l.Append(ctx, tail, next(tail, 1)); !errors.Is(err, driver.ErrNotApplied) || !errors.Is(err, context.Canceled) {
		t.Errorf("begun with a context that is done: %v", err)
	}
	has(t, l, 3)
}
