package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

func TestRestore(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "backup.db")
	s := open(t, filepath.Join(dir, "stet.db"), nil)
	defer shut(t, s)
	for i := range 20 {
		save(t, s, "a", fmt.Sprint(i), "production")
	}
	revision, hash, err := s.Backup(t.Context(), file, stet.BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.ListPage(t.Context(), "a", stet.ListOptions{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "restored.db")
	r, err := sqlite.Restore(t.Context(), file, path, sqlite.RestoreOptions{Expect: hash})
	if err != nil {
		t.Fatal(err)
	}
	got := open(t, path, nil)
	sound(t, got)
	if tail, err := got.Tail(t.Context()); err != nil || tail.Revision != revision || tail.Hash != hash {
		t.Errorf("it ends at %d %s, not %d %s", tail.Revision, tail.Hash, revision, hash)
	}
	if got.ID() == s.ID() || got.ID() != r.StoreID || r.From != s.ID() {
		t.Errorf("the restored store is %s (said to be %s, from %s), the other %s", got.ID(), r.StoreID, r.From, s.ID())
	}
	v, err := got.Get(t.Context(), "a")
	if err != nil || v.Text() != "19" {
		t.Errorf("production is %q, %v", v.Text(), err)
	}
	if _, err := got.ListPage(t.Context(), "a", stet.ListOptions{Cursor: page.Next}); stet.CodeOf(err) != stet.CodeInvalid {
		t.Errorf("a cursor of the old store: %v", err)
	}
	save(t, got, "a", "and on")
	if _, err := sqlite.Restore(t.Context(), file, path, sqlite.RestoreOptions{Overwrite: true}); stet.CodeOf(err) != stet.CodeUnavailable {
		t.Errorf("restoring over a store that is open: %v", err)
	}
	shut(t, got)
	if _, err := sqlite.Restore(t.Context(), file, path, sqlite.RestoreOptions{}); stet.CodeOf(err) != stet.CodeConflict {
		t.Errorf("restoring over a store: %v", err)
	}
	other := stet.Hash{1}
	if _, err := sqlite.Restore(t.Context(), file, path, sqlite.RestoreOptions{Overwrite: true, Expect: other}); stet.CodeOf(err) != stet.CodeInternal {
		t.Errorf("restoring what is not expected: %v", err)
	}
	got = open(t, path, nil)
	if tail, err := got.Tail(t.Context()); err != nil || tail.Revision != revision+1 {
		t.Errorf("after what was refused it ends at %d, %v", tail.Revision, err)
	}
	shut(t, got)
	only(t, dir, "stet.db", "stet.db-wal", "stet.db-shm", "stet.db.lock", "backup.db", "restored.db", "restored.db.lock")
}

// TestRestoreOverLeftovers: what a killed process left of the old store is not read
// as the new one's.
func TestRestoreOverLeftovers(t *testing.T) {
	dir := t.TempDir()
	file, old := filepath.Join(dir, "backup.db"), filepath.Join(dir, "old.db")
	s := open(t, filepath.Join(dir, "stet.db"), nil)
	save(t, s, "a", "one")
	_, hash, err := s.Backup(t.Context(), file, stet.BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	save(t, s, "a", "two")
	for _, rest := range []string{"", "-wal"} {
		copyFile(t, filepath.Join(dir, "stet.db"+rest), old+rest)
	}
	if _, err := sqlite.Restore(t.Context(), old, filepath.Join(dir, "no.db"), sqlite.RestoreOptions{}); stet.CodeOf(err) != stet.CodeInvalid {
		t.Errorf("restoring from a store with a WAL: %v", err)
	}
	shut(t, s)
	if _, err := sqlite.Restore(t.Context(), file, old, sqlite.RestoreOptions{Overwrite: true}); err != nil {
		t.Fatal(err)
	}
	got := open(t, old, nil)
	defer shut(t, got)
	sound(t, got)
	if tail, err := got.Tail(t.Context()); err != nil || tail.Hash != hash {
		t.Error("it does not end where the backup does")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRestoreOfDamage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "backup.db")
	s := open(t, filepath.Join(dir, "stet.db"), nil)
	save(t, s, "a", "a text that stands in the file")
	if _, _, err := s.Backup(t.Context(), file, stet.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	replace(t, file, "a text that stands", "a text that STANDS")
	if _, err := sqlite.Restore(t.Context(), file, filepath.Join(dir, "no.db"), sqlite.RestoreOptions{}); stet.CodeOf(err) != stet.CodeInternal || !strings.Contains(err.Error(), "a@1.0.0") {
		t.Errorf("restoring a damaged backup: %v", err)
	}
	if err := os.Truncate(file, 20000); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Restore(t.Context(), file, filepath.Join(dir, "no.db"), sqlite.RestoreOptions{}); stet.CodeOf(err) != stet.CodeInternal {
		t.Errorf("restoring a backup that was cut: %v", err)
	}
	if _, err := sqlite.Restore(t.Context(), filepath.Join(dir, "none.db"), filepath.Join(dir, "no.db"), sqlite.RestoreOptions{}); stet.CodeOf(err) != stet.CodeNotFound {
		t.Errorf("restoring from nothing: %v", err)
	}
	only(t, dir, "stet.db", "stet.db.lock", "backup.db")
}

// TestCopiedByOtherMeans documents what cp does: the copy has the id of the other.
func TestCopiedByOtherMeans(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "stet.db"), nil)
	save(t, s, "a", "one")
	id := s.ID()
	shut(t, s)
	copyFile(t, filepath.Join(dir, "stet.db"), filepath.Join(dir, "copy.db"))
	c := open(t, filepath.Join(dir, "copy.db"), nil)
	defer shut(t, c)
	if c.ID() != id {
		t.Errorf("a copy has the id %s, the other %s", c.ID(), id)
	}
}
