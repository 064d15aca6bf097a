package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// killed makes old+"-wal", "-shm" and the file old as a process leaves them that is
// killed after it has made some change; and a backup of the store before that. It
// returns the backup's hash.
func killed(t *testing.T, dir, change string) (backup, old string, hash stet.Hash) {
	t.Helper()
	path := filepath.Join(dir, "from.db")
	backup, old = filepath.Join(dir, "backup.db"), filepath.Join(dir, "stet.db")
	s := open(t, path, nil)
	save(t, s, "a", "one", "production")
	save(t, s, "a", "two")
	_, hash, err := s.Backup(t.Context(), backup, stet.BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	switch change {
	case "saves":
		for i := range 50 {
			save(t, s, "after", strings.Repeat(fmt.Sprint(i), 2000))
		}
	case "clear":
		err = s.Clear(t.Context(), stet.By{})
	case "delete":
		_, err = s.Delete(t.Context(), stet.By{}, stet.Delete{PromptID: "a", Version: "1.0.1"})
	case "label":
		_, err = s.SetLabel(t.Context(), stet.By{}, stet.SetLabel{PromptID: "a", Label: "production", Version: "1.0.1"})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, rest := range []string{"", "-wal", "-shm"} {
		copyFile(t, path+rest, old+rest)
	}
	shut(t, s)
	for _, rest := range []string{"", ".lock"} {
		if err := os.Remove(path + rest); err != nil {
			t.Fatal(err)
		}
	}
	return backup, old, hash
}

// makers make a store, or a copy of one, at a path where none is.
func makers(t *testing.T, backup string) map[string]func(path string, overwrite bool) error {
	return map[string]func(path string, overwrite bool) error{
		"open": func(path string, _ bool) error {
			s, err := sqlite.Open(t.Context(), path, nil)
			if err == nil {
				shut(t, s)
			}
			return err
		},
		"restore": func(path string, overwrite bool) error {
			_, err := sqlite.Restore(t.Context(), backup, path, sqlite.RestoreOptions{Overwrite: overwrite})
			return err
		},
		"backup": func(path string, overwrite bool) error {
			copied := filepath.Join(t.TempDir(), "copied.db")
			copyFile(t, backup, copied)
			s := open(t, copied, nil)
			defer shut(t, s)
			_, _, err := s.Backup(t.Context(), path, stet.BackupOptions{Overwrite: overwrite})
			return err
		},
	}
}

// TestBesideLeftovers makes stores where the file of another was taken away and what
// was beside it was not: it would be replayed over the new one.
func TestBesideLeftovers(t *testing.T) {
	for _, change := range []string{"saves", "clear", "delete", "label"} {
		for name := range makers(t, "") {
			t.Run(name+"/"+change, func(t *testing.T) {
				dir := t.TempDir()
				backup, path, hash := killed(t, dir, change)
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				wal, err := os.ReadFile(path + "-wal")
				if err != nil {
					t.Fatal(err)
				}
				make := makers(t, backup)[name]
				err = make(path, false)
				refused(t, err, stet.CodeConflict, "stet.db do: stet.db-wal, stet.db-shm. They may have commits")
				if now, err := os.ReadFile(path + "-wal"); err != nil || !bytes.Equal(now, wal) {
					t.Errorf("the WAL was touched: %v", err)
				}
				only(t, dir, "backup.db", "stet.db-wal", "stet.db-shm")
				if name == "open" {
					return
				}
				if err := make(path, true); err != nil {
					t.Fatalf("where it may be overwritten: %v", err)
				}
				only(t, dir, "backup.db", "stet.db", "stet.db.lock")
				s := open(t, path, nil)
				defer shut(t, s)
				sound(t, s)
				if tail, err := s.Tail(t.Context()); err != nil || tail.Hash != hash {
					t.Error("it does not end where the backup does")
				}
			})
		}
	}
}

// TestBesideEach: each of the files, whatever it holds.
func TestBesideEach(t *testing.T) {
	from := t.TempDir()
	backup, _, _ := killed(t, from, "label")
	for name, make := range makers(t, backup) {
		for _, rest := range []string{"-wal", "-shm", "-journal"} {
			dir := t.TempDir()
			path := filepath.Join(dir, "stet.db")
			for _, content := range []string{"", "random"} {
				if err := os.WriteFile(path+rest, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := make(path, false); stet.CodeOf(err) != stet.CodeConflict || !strings.Contains(err.Error(), "stet.db do: stet.db"+rest+".") {
					t.Errorf("%s beside %q in %s: %v", name, content, rest, err)
				}
				if b, err := os.ReadFile(path + rest); err != nil || string(b) != content {
					t.Errorf("%s: %s has %q now, %v", name, rest, b, err)
				}
				only(t, dir, "stet.db"+rest)
			}
		}
	}
}

// TestOverwriteCutShort opens each state that a restore over a killed store can leave
// on the disk if the power goes: it is the old store, the new one, or refused; never
// the one beside the WAL of the other. The order is dbfile's, which has its own test.
func TestOverwriteCutShort(t *testing.T) {
	for _, gone := range []bool{false, true} {
		for _, state := range []string{"nothing done", "the WAL removed", "all removed", "renamed"} {
			dir := t.TempDir()
			backup, path, hash := killed(t, dir, "saves")
			remove := map[string][]string{"the WAL removed": {"-wal"}, "all removed": {"-wal", "-shm"}, "renamed": {"-wal", "-shm"}}[state]
			if gone {
				remove = append(slices.Clip(remove), "")
			}
			for _, rest := range remove {
				if err := os.Remove(path + rest); err != nil {
					t.Fatal(err)
				}
			}
			if state == "renamed" {
				copyFile(t, backup, path)
			}
			s, err := sqlite.Open(t.Context(), path, nil)
			if gone && (state == "nothing done" || state == "the WAL removed") {
				refused(t, err, stet.CodeConflict, "does not exist")
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			sound(t, s)
			tail, err := s.Tail(t.Context())
			revision := tail.Revision
			if err != nil || state == "renamed" && tail.Hash != hash || state == "nothing done" && revision != 52 || state == "all removed" && gone && revision != 0 {
				t.Errorf("%s, gone %v: it ends at %d, %v", state, gone, revision, err)
			}
			shut(t, s)
		}
	}
}

// TestPlacesOfCopies are places where no file can be put: they stay as they are.
func TestPlacesOfCopies(t *testing.T) {
	dir := t.TempDir()
	backup, _, _ := killed(t, dir, "label")
	if err := errors.Join(os.Symlink(filepath.Join(dir, "none"), filepath.Join(dir, "dangling.db")), os.Mkdir(filepath.Join(dir, "dir.db"), 0o700),
		os.Mkdir(filepath.Join(dir, "beside.db-wal"), 0o700)); err != nil {
		t.Logf("not all of this can be made here: %v", err)
		return
	}
	for name, make := range makers(t, backup) {
		for at, code := range map[string]stet.Code{"dangling.db": stet.CodeInvalid, "dir.db": stet.CodeInvalid, "beside.db": stet.CodeConflict} {
			for _, overwrite := range []bool{false, true} {
				if err := make(filepath.Join(dir, at), overwrite); stet.CodeOf(err) != code {
					t.Errorf("%s to %s, overwrite %v: %v", name, at, overwrite, err)
				}
			}
		}
	}
	if to, err := os.Readlink(filepath.Join(dir, "dangling.db")); err != nil || to != filepath.Join(dir, "none") {
		t.Errorf("the link is gone: %v", err)
	}
	only(t, dir, "backup.db", "stet.db", "stet.db-wal", "stet.db-shm", "dangling.db", "dir.db", "beside.db-wal")
}

// TestTwoNames: a file with two names is not opened under either, and stays as it is.
func TestTwoNames(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
	s := open(t, a, nil)
	save(t, s, "p", "one")
	shut(t, s)
	if err := os.Link(a, b); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{a, b} {
		_, err := sqlite.Open(t.Context(), path, nil)
		refused(t, err, stet.CodeUnavailable, "has 2 names (hard links), and a store must have one")
	}
	if now, err := os.ReadFile(a); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the file was changed, %v", err)
	}
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	s = open(t, a, nil)
	save(t, s, "p", "two")
	shut(t, s)
	only(t, dir, "a.db", "a.db.lock", "b.db.lock")
}

// TestLinkedWhileServed: a snapshot that is made of links while the store is open
// harms nobody. What opens it as a store is refused; what reads it as a backup leaves
// it, and the store, as they are.
func TestLinkedWhileServed(t *testing.T) {
	dir := t.TempDir()
	path, snapshot := filepath.Join(dir, "stet.db"), filepath.Join(dir, "snapshot")
	s := open(t, path, nil)
	save(t, s, "p", "one")
	if err := os.Mkdir(snapshot, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, rest := range []string{"", "-wal", "-shm"} {
		if err := os.Link(path+rest, filepath.Join(snapshot, "stet.db"+rest)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := sqlite.Open(t.Context(), filepath.Join(snapshot, "stet.db"), nil)
	refused(t, err, stet.CodeUnavailable, "has 2 names")
	_, err = sqlite.Restore(t.Context(), filepath.Join(snapshot, "stet.db"), filepath.Join(dir, "r.db"), sqlite.RestoreOptions{})
	refused(t, err, stet.CodeInvalid, "a store that is in use")
	// The file alone, without its WAL.
	alone := filepath.Join(dir, "alone.db")
	if err := os.Link(path, alone); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Restore(t.Context(), alone, filepath.Join(dir, "r.db"), sqlite.RestoreOptions{}); err != nil {
		t.Errorf("reading the file under another name: %v", err)
	}
	for i := range 20 {
		save(t, s, "p", fmt.Sprint(i))
	}
	sound(t, s)
	shut(t, s)
	if err := errors.Join(os.RemoveAll(snapshot), os.Remove(alone)); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, nil)
	defer shut(t, s)
	sound(t, s)
	if tail, err := s.Tail(t.Context()); err != nil || tail.Revision != 21 {
		t.Errorf("it ends at %d, %v", tail.Revision, err)
	}
}

// TestRestoreOfWhatChanges: a store that is written to while it is read, which no lock
// tells of, is not taken for a backup.
func TestRestoreOfWhatChanges(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "stet.db"), filepath.Join(dir, "link.db")
	s := open(t, path, nil)
	save(t, s, "p", strings.Repeat("one ", 10_000))
	shut(t, s)
	if err := os.Link(path, link); err != nil {
		t.Fatal(err)
	}
	touched := false
	_, err := sqlite.Restore(t.Context(), link, filepath.Join(dir, "r.db"), sqlite.RestoreOptions{Progress: func(done, total uint64) {
		if 2*done >= total && !touched { // it is being checked
			touched = true
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, append(b, 0), 0o600)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}})
	refused(t, err, stet.CodeUnavailable, "changed while it was read")
	only(t, dir, "stet.db", "stet.db.lock", "link.db")
}

// copyProgress makes a backup or a store and is in the middle of it until it is killed.
func copyProgress(args []string) error {
	stuck := func(done, total uint64) {
		if 2*done >= total { // it is being checked
			fmt.Println("stuck")
			select {}
		}
	}
	switch args[0] {
	case "backup":
		s, err := sqlite.Open(background, args[1], nil)
		if err != nil {
			return err
		}
		_, _, err = s.Backup(background, args[2], stet.BackupOptions{Progress: stuck})
		return err
	case "restore":
		_, err := sqlite.Restore(background, args[1], args[2], sqlite.RestoreOptions{Progress: stuck})
		return err
	}
	return errors.New(args[0])
}

// TestKilledCopies: what a process leaves that is killed while it makes a copy goes
// with the next copy that is made in that directory, or when the store is opened; and
// not as long as the process lives.
func TestKilledCopies(t *testing.T) {
	for _, kind := range []string{"backup", "restore"} {
		t.Run(kind, func(t *testing.T) {
			dir, to := t.TempDir(), t.TempDir()
			from := filepath.Join(dir, "stet.db")
			s := open(t, from, nil)
			save(t, s, "a", "one")
			shut(t, s)
			kill := func(target string) {
				t.Helper()
				ctx, cancel := context.WithCancel(t.Context())
				out, wait := startKilled(ctx, t, "copying", kind, from, target)
				if !out.Scan() || out.Text() != "stuck" {
					t.Fatalf("the child says %q", out.Text())
				}
				if n := hidden(t, to); n != 1 {
					t.Fatalf("%d files are being made", n)
				}
				// Somebody else does not take it away.
				if _, err := sqlite.Restore(t.Context(), backupOf(t), filepath.Join(to, "beside.db"), sqlite.RestoreOptions{Overwrite: true}); err != nil {
					t.Error(err)
				}
				if n := hidden(t, to); n != 1 {
					t.Errorf("while the process lives, %d files are left of one", n)
				}
				cancel()
				wait()
				if n := hidden(t, to); n != 1 {
					t.Errorf("%d files are left of one", n)
				}
			}
			for _, mine := range []string{".1.db.0123456789ab.tmp.txt", ".1.db.tmp", ".1.db.1234567890", "1.db.new"} {
				if err := os.WriteFile(filepath.Join(to, mine), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			kill(filepath.Join(to, "1.db"))
			backup := backupOf(t)
			if _, err := sqlite.Restore(t.Context(), backup, filepath.Join(to, "2.db"), sqlite.RestoreOptions{}); err != nil {
				t.Fatal(err)
			}
			if n := hidden(t, to); n != 0 {
				t.Errorf("after the next copy %d files are left", n)
			}
			kill(filepath.Join(to, "3.db"))
			shut(t, open(t, filepath.Join(to, "3.db"), nil))
			if n := hidden(t, to); n != 0 {
				t.Errorf("after the store was opened %d files are left", n)
			}
			for _, mine := range []string{".1.db.0123456789ab.tmp.txt", ".1.db.tmp", ".1.db.1234567890", "1.db.new"} {
				if _, err := os.Stat(filepath.Join(to, mine)); err != nil {
					t.Errorf("somebody else's file is gone: %v", err)
				}
			}
		})
	}
}

// backupOf returns a backup, in a directory of its own.
func backupOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "stet.db"), nil)
	defer shut(t, s)
	save(t, s, "a", "one")
	path := filepath.Join(dir, "backup.db")
	if _, _, err := s.Backup(t.Context(), path, stet.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// hidden counts the copies in a directory that are being made.
func hidden(t *testing.T, dir string) (n int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && (strings.HasSuffix(e.Name(), ".tmp") && len(e.Name()) > len(".1.db.tmp")) {
			n++
		}
	}
	return n
}

// TestNoSymlinks: what SQLite puts beside the file is not written through a link.
func TestNoSymlinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // who may make links there may do anything
	}
	dir := t.TempDir()
	path, precious := filepath.Join(dir, "stet.db"), filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	shut(t, open(t, path, nil))
	for _, rest := range []string{"-wal", "-shm", "-journal", ".lock"} {
		_ = os.Remove(path + rest)
		if err := os.Symlink(precious, path+rest); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), path, nil)
		if err == nil {
			shut(t, s)
		}
		if rest != "-journal" && stet.CodeOf(err) != stet.CodeUnavailable {
			t.Errorf("with a link as %s: %v", rest, err)
		}
		if b, err := os.ReadFile(precious); err != nil || string(b) != "precious" {
			t.Errorf("through %s the file has become %q, %v", rest, b, err)
		}
		_ = os.Remove(path + rest)
	}
}
