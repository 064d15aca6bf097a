package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
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
		if !slices.Contains(names, e.Name()) {
			t.Errorf("%s is in %s as well", e.Name(), dir)
		}
	}
}

// TestBackupWhileWriting makes backups of a store that 16 goroutines write to: each
// is a beginning of the log with all that was acknowledged before it began.
func TestBackupWhileWriting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "stet.db"), &sqlite.Options{Options: core.Options{CheckpointEvery: 200}})
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
			b := open(t, path, nil)
			defer shut(t, b)
			sound(t, b)
			if tail, err := b.Tail(t.Context()); err != nil || tail.Revision != revision || tail.Hash != hash {
				t.Errorf("backup %d ends at %d %s, and Backup said %d %s", i, tail.Revision, tail.Hash, revision, hash)
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
	s := open(t, path, nil)
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
	other := open(t, filepath.Join(dir, "other.db"), nil)
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
	s := open(t, filepath.Join(dir, "stet.db"), nil)
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
	s := open(t, path, nil)
	save(t, s, "a", "a text that stands in the file")
	shut(t, s)
	replace(t, path, "a text that stands", "a text that STANDS")
	s = open(t, path, nil)
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
