// Package temp makes temporary files and directories. A [File] is written under another
// name and then installed: it atomically replaces what has the name. A [Dir] is removed
// when it is no longer needed.
//
// What a killed process left is found by its name and removed. A lock shows whether a
// process still uses it.
//
// Only this user can read the files and directories, and nobody can guess their names.
package temp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/ownfile"
)

// SideSuffixes are the suffixes of the files that SQLite puts beside a database.
var SideSuffixes = []string{"-wal", "-shm", "-journal"}

// LockPath returns the path of the lock, for package filelock, of the file at path.
func LockPath(path string) string { return path + ".lock" }

// A File is written under a temporary name in the directory of the path that it is for.
type File struct {
	f    *os.File // nil if it is not open
	path string   // where it is installed
	temp string   // its name until then; "" once it is installed or removed
}

// Create makes an empty file for path, with mode 0600 whatever the umask. It first removes
// what killed processes left of such files. The caller holds the lock of path (LockPath),
// and calls Install or Remove.
func Create(path string) (*File, error) {
	RemoveLeftovers(path)
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+hex.EncodeToString(random[:])+".tmp")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	t := &File{f, path, name}
	if err := f.Chmod(0o600); err != nil {
		t.Remove()
		return nil, err
	}
	return t, nil
}

// Name returns the temporary name, until Install.
func (t *File) Name() string { return t.temp }

// File returns the file, open for reading and writing until Close, Sync or Install.
func (t *File) File() *os.File { return t.f }

// Close closes the file, which stays under its temporary name: for a caller who lets
// another library write to it. It may be called again.
func (t *File) Close() error {
	if t.f == nil {
		return nil
	}
	err := t.f.Close()
	t.f = nil
	return err
}

// Sync makes the content durable, whoever wrote it, and closes the file.
func (t *File) Sync() error {
	if t.f == nil {
		f, err := os.OpenFile(t.temp, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		t.f = f
	}
	return errors.Join(t.f.Sync(), t.Close())
}

// Install syncs and closes the file, and durably gives it the name path. If that name is
// taken, overwrite replaces what has it; without overwrite the error is fs.ErrExist. If
// installed is true despite an error, the file has the name, but a loss of power may undo
// that.
func (t *File) Install(overwrite bool) (installed bool, err error) {
	if err := t.Sync(); err != nil {
		return false, err
	}
	if err := t.rename(overwrite); err != nil {
		return false, err
	}
	t.temp = ""
	return true, SyncDir(filepath.Dir(t.path))
}

func (t *File) rename(overwrite bool) error {
	if !overwrite {
		// A rename would replace a file of a program that does not know of the lock.
		err := os.Link(t.temp, t.path)
		switch {
		case err == nil:
			if err := os.Remove(t.temp); err != nil { // the file must have one name only
				return errors.Join(err, os.Remove(t.path))
			}
			return nil
		case errors.Is(err, fs.ErrExist):
			return fs.ErrExist
		}
		// The file system has no hard links.
		if _, err := os.Lstat(t.path); err == nil {
			return fs.ErrExist
		}
	}
	return os.Rename(t.temp, t.path)
}

// Remove removes the file, and what SQLite put beside it. It does nothing after Install.
func (t *File) Remove() {
	_ = t.Close()
	if t.temp == "" {
		return
	}
	for _, suffix := range append([]string{""}, SideSuffixes...) {
		_ = os.Remove(t.temp + suffix)
	}
	t.temp = ""
}

// SyncDir makes the names in a directory durable: what was created, renamed or removed.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it cannot sync a directory
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// names matches the temporary names of a file NAME: .NAME.random.tmp, and what SQLite puts
// beside it.
var names = regexp.MustCompile(`^\.(.+)\.[0-9a-f]{12}\.tmp(-wal|-shm|-journal)?$`)

// leftovers returns the temporary files of this user in a directory, by the base name of
// the path that they were for. Some may still be in use.
func leftovers(dir string) map[string][]string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // then nothing is removed
	}
	left := make(map[string][]string)
	for _, e := range entries {
		m := names.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && ownfile.Mine(info) {
			left[m[1]] = append(left[m[1]], filepath.Join(dir, e.Name()))
		}
	}
	return left
}

// RemoveLeftovers removes what killed processes left of files for path. The caller holds the
// lock of path, so that no process uses them.
func RemoveLeftovers(path string) {
	for _, name := range leftovers(filepath.Dir(path))[filepath.Base(path)] {
		_ = os.Remove(name)
	}
}

// RemoveAllLeftovers removes what killed processes left in a directory of files for any
// path. It leaves files that a process still writes, and those of other users.
func RemoveAllLeftovers(ctx context.Context, dir string) {
	for base, left := range leftovers(dir) {
		path := LockPath(filepath.Join(dir, base))
		_, missing := os.Lstat(path)
		lock, err := filelock.Acquire(ctx, path, filelock.Options{})
		if err != nil {
			continue // a process still writes it
		}
		for _, name := range left {
			_ = os.Remove(name)
		}
		if missing != nil {
			_ = lock.Discard()
		} else {
			_ = lock.Release()
		}
	}
}
