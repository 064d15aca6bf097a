package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/testkit"
	"github.com/stet-dev/stet/sqlite"
)

// TestMountedFile: a file that is mounted by itself, as a container does that is given
// a file and not a directory, has two names. It is not opened under the second, nor
// does a copy take its place.
func TestMountedFile(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
	s := open(t, a, nil)
	save(t, s, "p", "one")
	backup := filepath.Join(dir, "backup.db")
	if _, _, err := s.Backup(t.Context(), backup, stet.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	if err := os.WriteFile(b, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(a, b, "", unix.MS_BIND, ""); err != nil {
		testkit.LeftOut(t, "a store that is a mount point", err)
		return
	}
	defer unix.Unmount(b, 0)
	_, err := sqlite.Open(t.Context(), b, nil)
	refused(t, err, stet.CodeUnavailable, "is a mount point of its own")
	_, err = sqlite.Restore(t.Context(), backup, b, sqlite.RestoreOptions{Overwrite: true})
	refused(t, err, stet.CodeUnavailable, "is a mount point of its own")
	s = open(t, a, nil)
	save(t, s, "p", "two")
	_, err = sqlite.Open(t.Context(), b, nil)
	refused(t, err, stet.CodeUnavailable, "is a mount point of its own")
	sound(t, s)
	shut(t, s)
}
