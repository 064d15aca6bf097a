//go:build unix

package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/ownfile"
	"github.com/stet-dev/stet/internal/testkit"
)

// TestPipe: nobody waits for the other end of a pipe.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := filelock.Acquire(t.Context(), path, filelock.Options{})
	var foreign *ownfile.ForeignError
	if !errors.As(err, &foreign) || !strings.Contains(err.Error(), "is a pipe") {
		t.Errorf("Acquire says %v", err)
	}
}

// TestOwner: a lock of another user, who may remove it at any time, is none where
// the directory is not his as well.
func TestOwner(t *testing.T) {
	if os.Getuid() != 0 {
		testkit.LeftOut(t, "the lock of another user", "only root can give a file away")
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "x.lock")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chown(path, 1234, 1234)); err != nil {
		t.Fatal(err)
	}
	_, err := filelock.Acquire(t.Context(), path, filelock.Options{})
	var foreign *ownfile.ForeignError
	if !errors.As(err, &foreign) || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("Acquire says %v", err)
	}
	if err := os.Chown(dir, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	l, err := filelock.Acquire(t.Context(), path, filelock.Options{})
	if err != nil {
		t.Fatalf("in the directory of its owner: %v", err)
	}
	l.Release()
}
