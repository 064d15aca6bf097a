package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/ownfile"
)

// TestWhatIsNoLock: what is at the place of the lock and is none stays as it is.
func TestWhatIsNoLock(t *testing.T) {
	for name, x := range map[string]struct {
		put  func(path, precious string) error
		says string
	}{
		"a link to a file":       {func(path, precious string) error { return os.Symlink(precious, path) }, "is a symbolic link"},
		"a link to nothing":      {func(path, precious string) error { return os.Symlink(precious+".none", path) }, "is a symbolic link"},
		"a directory":            {func(path, _ string) error { return os.Mkdir(path, 0o700) }, "is a directory"},
		"another file":           {func(path, _ string) error { return os.WriteFile(path, []byte("precious"), 0o600) }, "it has other content"},
		"another name of a file": {func(path, precious string) error { return os.Link(precious, path) }, "it has other content"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, precious := filepath.Join(dir, "x.lock"), filepath.Join(dir, "precious")
			if err := errors.Join(os.WriteFile(precious, []byte("precious"), 0o600), x.put(path, precious)); err != nil {
				t.Fatal(err)
			}
			l, err := filelock.Acquire(t.Context(), path, filelock.Options{})
			if err == nil {
				l.Release()
			}
			var foreign *ownfile.ForeignError
			if !errors.As(err, &foreign) || !strings.Contains(err.Error(), x.says) {
				t.Errorf("Acquire says %v", err)
			}
			if b, err := os.ReadFile(precious); err != nil || string(b) != "precious" {
				t.Errorf("the other file has %q, %v", b, err)
			}
			if _, err := os.Stat(precious + ".none"); err == nil {
				t.Error("what the link leads to was made")
			}
		})
	}
}

// TestLeftByOthers: what a process leaves in its lock, however it ended, is no
// reason not to lock it.
func TestLeftByOthers(t *testing.T) {
	for name, content := range map[string]string{
		"ended": "", "killed": `{"pid":12,"host":"h","program":"stet","since":"2026-01-02T12:00:00Z"}` + "\n",
		"on a full disk": `{"pi`, "without power": "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		path := filepath.Join(t.TempDir(), "x.lock")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := filelock.Acquire(t.Context(), path, filelock.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		l.Release()
	}
}

// TestLostLock: one whose file was removed or replaced is not a lock any more, and
// the new file is not its to remove.
func TestLostLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	l := acquire(t, path, filelock.Options{})
	if err := l.Check(); err != nil {
		t.Errorf("it is lost at once: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Logf("a file that is open cannot be removed here: %v", err)
		l.Release()
		return
	}
	if err := l.Check(); !errors.Is(err, filelock.ErrLost) {
		t.Errorf("after it was removed, Check says %v", err)
	}
	second := acquire(t, path, filelock.Options{})
	if err := l.Check(); !errors.Is(err, filelock.ErrLost) {
		t.Errorf("after it was replaced, Check says %v", err)
	}
	l.Discard()
	if err := second.Check(); err != nil {
		t.Errorf("the old lock took the new one with it: %v", err)
	}
	second.Release()
}
