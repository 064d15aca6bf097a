package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// hashAt returns the hash of a revision in the log of a store.
func hashAt(t *testing.T, s *stet.Store, revision uint64) stet.Hash {
	t.Helper()
	page, err := s.ChangesPage(t.Context(), revision-1, stet.ChangesOptions{Limit: 1})
	if err != nil || len(page.Items) != 1 || page.Items[0].Revision != revision {
		t.Fatalf("revision %d of the log: %v, %v", revision, page.Items, err)
	}
	return page.Items[0].Hash
}

// only fails if there is anything else in a directory.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		found := false
		for _, n := range names {
			found = found || e.Name() == n
		}
		if !found {
			t.Errorf("%s is in %s as well", e.Name(), dir)
		}
	}
}

// TestBackupWhileWriting makes backups of a store that 16 goroutines write to: each
// is a beginning of the log with all that was acknowledged before it began.
func TestBackupWhileWriting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "stet.db"), stet.Options{CheckpointEvery: 200})
	defer shut(t, s)
	var acknowledged atomic.Uint64
	stop := make(chan struct{})
	var writers, backups sync.WaitGroup
	defer writers.Wait()
	enough := make(chan struct{}) // there is something to copy, and it is being added to
	for i := range 16 {
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				done, err := s.Commit(background, write(i, n))
				if err != nil {
					t.Errorf("writer %d: %v", i, err)
					return
				}
				for {
					a := acknowledged.Load()
					if a >= done.Revision || acknowledged.CompareAndSwap(a, done.Revision) {
						break
					}
				}
				if done.Revision == 300 {
					close(enough)
				}
			}
		})
	}
	defer close(stop)
	<-enough
	for i := range 3 {
		backups.Go(func() {
			path := filepath.Join(dir, fmt.Sprintf("backup-%d.db", i))
			before := acknowledged.Load()
			last := uint64(0)
			revision, hash, err := s.Backup(background, path, stet.BackupOptions{Progress: func(done, total uint64) {
				if p := 1000 * done / total; p < last || done > total {
					t.Errorf("the progress goes from %d to %d ‰", last, p)
				} else {
					last = p
				}
			}})
			during := acknowledged.Load() - before
			if err != nil {
				t.Error(err)
				return
			}
			if revision < before {
				t.Errorf("backup %d ends at revision %d, and %d was acknowledged before", i, revision, before)
			}
			if want := hashAt(t, s, revision); hash != want {
				t.Errorf("revision %d has the hash %s in backup %d, and %s in the log", revision, hash, i, want)
			}
			b := open(t, path)
			defer shut(t, b)
			sound(t, b)
			if r, h := b.Tail(); r != revision || h != hash {
				t.Errorf("backup %d ends at %d %s, and Backup said %d %s", i, r, h, revision, hash)
			}
			t.Logf("| backup %d: revision %d; %d commits while it was made", i, revision, during)
		})
	}
	backups.Wait()
}

// write is the n-th commit of a writer: mostly saves, of all sizes, and some of the
// operations that remove what was there.
func write(writer, n int) stet.Commit {
	id := fmt.Sprintf("w/%d", writer)
	c := stet.Commit{Author: "ana", Ops: []stet.Op{{Save: &stet.Draft{
		PromptID: id, Bump: "patch", Text: strings.Repeat(fmt.Sprintf("%d of %d. ", n, writer), 1+n%200), Labels: []string{"production"},
	}}}}
	if n%10 == 9 {
		c.Ops = append(c.Ops, stet.Op{Delete: &stet.Delete{PromptID: id, Version: fmt.Sprintf("1.0.%d", n-5), Force: true}})
	}
	return c
}

func TestBackupIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "stet.db"), filepath.Join(dir, "backup.db")
	s := open(t, path)
	save(t, s, "a", "one")
	if err := os.WriteFile(file, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Backup(t.Context(), file, stet.BackupOptions{}); stet.CodeOf(err) != stet.CodeConflict {
		t.Errorf("a backup over a file: %v", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Errorf("the file is %q now", b)
	}
	for _, own := range []string{path, filepath.Join(dir, ".", "stet.db")} {
		if _, _, err := s.Backup(t.Context(), own, stet.BackupOptions{Overwrite: true}); stet.CodeOf(err) != stet.CodeInvalid {
			t.Errorf("a backup over the store itself: %v", err)
		}
	}
	if _, _, err := s.Backup(t.Context(), file, stet.BackupOptions{Overwrite: true}); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v: %v", info.Mode(), err)
	}
	other := open(t, filepath.Join(dir, "other.db"))
	if _, _, err := s.Backup(t.Context(), filepath.Join(dir, "other.db"), stet.BackupOptions{Overwrite: true}); stet.CodeOf(err) != stet.CodeUnavailable {
		t.Errorf("a backup over a store that is open: %v", err)
	}
	shut(t, other)
	shut(t, s)
	if _, _, err := s.Backup(t.Context(), filepath.Join(dir, "late.db"), stet.BackupOptions{}); stet.CodeOf(err) != stet.CodeUnavailable {
		t.Errorf("a backup of a closed store: %v", err)
	}
	only(t, dir, "stet.db", "stet.db.lock", "backup.db", "other.db", "other.db.lock")
}

func TestBackupThatIsStopped(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "stet.db"))
	save(t, s, "a", "one")
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, _, err := s.Backup(ctx, filepath.Join(dir, "1.db"), stet.BackupOptions{}); stet.CodeOf(err) != stet.CodeUnavailable || !errors.Is(err, why) {
		t.Errorf("a backup whose context is done: %v", err)
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	_, _, err := s.Backup(ctx, filepath.Join(dir, "2.db"), stet.BackupOptions{Progress: func(done, total uint64) {
		if 2*done >= total { // it is being checked
			cancel(why)
		}
	}})
	if stet.CodeOf(err) != stet.CodeUnavailable {
		t.Errorf("a backup that is stopped while it is checked: %v", err)
	}
	shut(t, s)
	only(t, dir, "stet.db", "stet.db.lock")
}

// TestBackupOfDamage: what is wrong with a store is not passed on as a backup.
func TestBackupOfDamage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stet.db")
	s := open(t, path)
	save(t, s, "a", "a text that stands in the file")
	shut(t, s)
	replace(t, path, "a text that stands", "a text that STANDS")
	s = open(t, path)
	_, _, err := s.Backup(t.Context(), filepath.Join(dir, "backup.db"), stet.BackupOptions{})
	if stet.CodeOf(err) != stet.CodeInternal || !strings.Contains(err.Error(), "a@1.0.0") {
		t.Errorf("a backup of a damaged store: %v", err)
	}
	shut(t, s)
	only(t, dir, "stet.db", "stet.db.lock")
}

// replace edits a file.
func replace(t *testing.T, path, from, to string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.ReplaceAll(string(b), from, to)
	if edited == string(b) {
		t.Fatalf("%s has no %q", path, from)
	}
	if err := os.WriteFile(path, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRestore(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "backup.db")
	s := open(t, filepath.Join(dir, "stet.db"))
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
	got := open(t, path)
	sound(t, got)
	if at, h := got.Tail(); at != revision || h != hash {
		t.Errorf("it ends at %d %s, not %d %s", at, h, revision, hash)
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
	got = open(t, path)
	if at, _ := got.Tail(); at != revision+1 {
		t.Errorf("after what was refused it ends at %d", at)
	}
	shut(t, got)
	only(t, dir, "stet.db", "stet.db-wal", "stet.db-shm", "stet.db.lock", "backup.db", "restored.db", "restored.db.lock")
}

// TestRestoreOverLeftovers: what a killed process left of the old store is not read
// as the new one's.
func TestRestoreOverLeftovers(t *testing.T) {
	dir := t.TempDir()
	file, old := filepath.Join(dir, "backup.db"), filepath.Join(dir, "old.db")
	s := open(t, filepath.Join(dir, "stet.db"))
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
	got := open(t, old)
	defer shut(t, got)
	sound(t, got)
	if _, h := got.Tail(); h != hash {
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
	s := open(t, filepath.Join(dir, "stet.db"))
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
	s := open(t, filepath.Join(dir, "stet.db"))
	save(t, s, "a", "one")
	id := s.ID()
	shut(t, s)
	copyFile(t, filepath.Join(dir, "stet.db"), filepath.Join(dir, "copy.db"))
	c := open(t, filepath.Join(dir, "copy.db"))
	defer shut(t, c)
	if c.ID() != id {
		t.Errorf("a copy has the id %s, the other %s", c.ID(), id)
	}
}
