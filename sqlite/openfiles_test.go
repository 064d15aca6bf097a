package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stet-dev/stet/driver"
)

// TestFileTaken removes or replaces what belongs to a log that is open: nothing is
// acknowledged that whoever opens the file next does not find.
func TestFileTaken(t *testing.T) {
	replace := func(path string) error {
		b, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(path+".other", b, 0o600), os.Rename(path+".other", path))
	}
	for _, x := range []struct {
		name, rest string
		take       func(path string) error
		says       string
		left       uint64 // entries that whoever opens the file next finds; 0 for no file
	}{
		{"the file is removed", "", os.Remove, "the file was removed or moved away", 0},
		{"the file is moved", "", func(path string) error { return os.Rename(path, path+".moved") }, "the file was removed or moved away", 0},
		{"the file is replaced", "", func(path string) error { return os.Rename(path+".old", path) }, "the file was replaced by another", 2},
		{"the directory is moved", "", func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+"2") }, "the file was removed or moved away", 0},
		{"the WAL is removed", "-wal", os.Remove, "-wal, which holds the newest commits, was removed or moved away", 3},
		{"the WAL is replaced", "-wal", replace, "-wal, which holds the newest commits, was replaced by another", 3},
		{"the lock is removed", ".lock", os.Remove, ".lock was removed or replaced", 3},
		{"the lock is replaced", ".lock", replace, ".lock was removed or replaced", 3},
	} {
		for _, when := range []string{"before", "COMMIT", "at the end"} {
			t.Run(x.name+"/"+when, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "s", "stet.db")
				if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				first := openAt(t, path)
				add(t, first, 2)
				if err := first.Close(); err != nil {
					t.Fatal(err)
				}
				b, err := os.ReadFile(path)
				if err := errors.Join(err, os.WriteFile(path+".old", b, 0o600)); err != nil {
					t.Fatal(err)
				}
				l := openAt(t, path)
				add(t, l, 1)
				has(t, l, 3)
				var taken error
				take := func() { taken = x.take(path + x.rest) }
				left := x.left
				tail := tailOf(t, l)
				switch when {
				case "COMMIT":
					on(t, l, "COMMIT", func(run func() error) error { take(); return run() })
					if left == 3 && x.name != "the WAL is replaced" {
						left = 4 // it was made, and nobody was told
					}
				default:
					take()
				}
				if when != "at the end" {
					err = l.Append(t.Context(), tail, next(tail, 1))
				}
				if taken != nil {
					t.Logf("what is open cannot be taken away here: %v", taken)
					return
				}
				if x.rest == "" {
					if _, err := l.Backup(t.Context(), filepath.Join(t.TempDir(), "b.db"), driver.BackupOptions{}); !errors.Is(err, errFilesMoved) {
						t.Errorf("a backup of what is there now: %v", err)
					}
				}
				if when != "at the end" {
					if err == nil || errors.Is(err, driver.ErrNotApplied) != (when == "before") || !strings.Contains(err.Error(), x.says) {
						t.Errorf("Append says %v", err)
					}
					on(t, l, "", nil)
					if err := l.Append(t.Context(), tail, next(tail, 1)); !errors.Is(err, driver.ErrNotApplied) || !strings.Contains(err.Error(), "has stopped writing") {
						t.Errorf("then, Append says %v", err)
					}
					if _, err := l.Body(t.Context(), ref(3)); err != nil {
						t.Errorf("reads do not go on: %v", err)
					}
				}
				switch err := l.Close(); {
				case when == "at the end" && (err == nil || !strings.Contains(err.Error(), x.says)):
					t.Errorf("Close says %v", err)
				case when != "at the end" && err != nil:
					t.Errorf("Close says %v, which was said before", err)
				}
				if _, err := os.Lstat(path + ".moved"); err == nil {
					n := uint64(3)
					if when == "COMMIT" {
						n = 4
					}
					has(t, openAt(t, path+".moved"), n)
				}
				if left == 0 {
					for _, rest := range []string{"", "-wal", "-shm"} {
						if _, err := os.Lstat(path + rest); err == nil {
							t.Errorf("%s is there", path+rest)
						}
					}
					return
				}
				has(t, openAt(t, path), left)
			})
		}
	}
}

// TestLogBesideAnotherWAL: what somebody has put beside the file is not removed as the
// log's own when it is closed.
func TestLogBesideAnotherWAL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stet.db")
	l := openAt(t, path)
	add(t, l, 1)
	for _, rest := range []string{"", "-wal"} {
		if err := os.WriteFile(path+".other"+rest, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".other"+rest, path+rest); err != nil {
			t.Logf("what is open cannot be replaced here: %v", err)
			return
		}
	}
	if err := l.Close(); err == nil {
		t.Error("Close says nothing")
	}
	for _, rest := range []string{"", "-wal"} {
		if b, err := os.ReadFile(path + rest); err != nil || string(b) != "precious" {
			t.Errorf("%s has %q, %v", path+rest, b, err)
		}
	}
}
