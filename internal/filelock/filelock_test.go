package filelock_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet/internal/filelock"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func acquire(t *testing.T, path string, o filelock.Options) *filelock.Lock {
	t.Helper()
	o.Now = func() time.Time { return noon }
	l, err := filelock.Acquire(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOneHolderAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	l := acquire(t, path, filelock.Options{})

	_, err := filelock.Acquire(t.Context(), path, filelock.Options{})
	var held *filelock.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("a second Acquire returned %v", err)
	}
	if held.Holder.PID != os.Getpid() || !held.Holder.Since.Equal(noon) {
		t.Errorf("it names %+v", held.Holder)
	}
	if s := err.Error(); !strings.Contains(s, "this process") || !strings.Contains(s, "since 2026-01-02 12:00:00 UTC") {
		t.Errorf("it says %q", s)
	}

	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || len(data) > 0 {
		t.Errorf("after Release the file has %q, %v", data, err)
	}
	if err := acquire(t, path, filelock.Options{}).Release(); err != nil {
		t.Fatal(err)
	}
}

func TestWaitEndsWithTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	first := acquire(t, path, filelock.Options{})
	second := acquire(t, path, filelock.Options{Wait: time.Hour, Waiting: func(h filelock.Holder) {
		if !h.Known() {
			t.Error("Waiting is not told who holds it")
		}
		if err := first.Release(); err != nil {
			t.Error(err)
		}
	}})
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestWaitHonoursItsBoundAndTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	defer acquire(t, path, filelock.Options{}).Release()
	var held *filelock.HeldError

	if _, err := filelock.Acquire(t.Context(), path, filelock.Options{Wait: time.Nanosecond}); !errors.As(err, &held) {
		t.Errorf("after the wait: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := filelock.Acquire(ctx, path, filelock.Options{Wait: time.Hour, Waiting: func(filelock.Holder) { cancel() }})
	if !errors.As(err, &held) || !errors.Is(err, context.Canceled) {
		t.Errorf("after ctx was done: %v", err)
	}
}
