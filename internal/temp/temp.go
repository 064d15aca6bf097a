// Package temp makes files and directories under a name of their own: a File takes
// its name when it is whole, and a Dir goes when it is not needed any more. What a
// process left that was killed meanwhile is found by its name, is known to be
// nobody's by a lock, and is removed.
//
// All of it is this user's alone, and nobody can guess the names.
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

// Beside are the ends of the names of files that SQLite puts beside one of its own.
var Beside = []string{"-wal", "-shm", "-journal"}

// LockOf returns the name of the file, for package filelock, that whoever makes a
// file of the name path must have locked.
func LockOf(path string) string { return path + ".lock" }

// A File is a file that is being made, beside the one whose place it will take.
type File struct {
	f    *os.File
	path string // as it will be
	made string // as it is now; "" once it is put or dropped
}

// Create makes an empty file for path, mode 0600 whatever the umask, and removes what
// processes have left that were killed while they made one. The caller has the lock of
// path (LockOf), and ends the file with Drop.
func Create(path string) (*File, error) {
	Sweep(path)
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	made := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+hex.EncodeToString(random[:])+".tmp")
	f, err := os.OpenFile(made, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	t := &File{f, path, made}
	if err := f.Chmod(0o600); err != nil {
		t.Drop()
		return nil, err
	}
	return t, nil
}

// Name is the file's name as long as it is not put.
func (t *File) Name() string { return t.made }

// File is the file, open for reading and writing until Close.
func (t *File) File() *os.File { return t.f }

// Close makes what was written durable and closes the file. It may be called again.
func (t *File) Close() error {
	if t.f == nil {
		return nil
	}
	err := errors.Join(t.f.Sync(), t.f.Close())
	t.f = nil
	return err
}

// Put closes the file and gives it its name, durably. If there is something of that
// name it is replaced, or, without overwrite, the error is fs.ErrExist. After an error
// put tells whether the file has its name: then it is not known whether a loss of power
// would take that away.
func (t *File) Put(overwrite bool) (put bool, err error) {
	if err := t.Close(); err != nil {
		return false, err
	}
	if err := t.rename(overwrite); err != nil {
		return false, err
	}
	t.made = ""
	return true, SyncDir(filepath.Dir(t.path))
}

func (t *File) rename(overwrite bool) error {
	if !overwrite {
		// A rename would take the place of what somebody else has put there, who
		// does not know of the lock.
		err := os.Link(t.made, t.path)
		switch {
		case err == nil:
			if err := os.Remove(t.made); err != nil { // a store has one name
				return errors.Join(err, os.Remove(t.path))
			}
			return nil
		case errors.Is(err, fs.ErrExist):
			return fs.ErrExist
		}
		// A file system without links.
		if _, err := os.Lstat(t.path); err == nil {
			return fs.ErrExist
		}
	}
	return os.Rename(t.made, t.path)
}

// Drop removes the file, and what SQLite has put beside it, unless it was put.
func (t *File) Drop() {
	if t.f != nil {
		_ = t.f.Close()
		t.f = nil
	}
	if t.made == "" {
		return
	}
	for _, rest := range append([]string{""}, Beside...) {
		_ = os.Remove(t.made + rest)
	}
	t.made = ""
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such thing
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// names are the names of files that are being made: for NAME, .NAME.random.tmp and
// what SQLite puts beside that.
var names = regexp.MustCompile(`^\.(.+)\.[0-9a-f]{12}\.tmp(-wal|-shm|-journal)?$`)

// leftovers returns the files in a directory that this user's processes have made,
// by the names that they were to have.
func leftovers(dir string) map[string][]string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // then it is not swept
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

// Sweep removes what was left of files for path, whose lock the caller has, so that
// nobody makes one.
func Sweep(path string) {
	for _, name := range leftovers(filepath.Dir(path))[filepath.Base(path)] {
		_ = os.Remove(name)
	}
}

// SweepDir removes what was left in a directory by processes that were killed while
// they made a file there, whatever its name. What somebody still makes, and what
// another user has made, stays.
func SweepDir(ctx context.Context, dir string) {
	for base, left := range leftovers(dir) {
		of := filepath.Join(dir, base)
		_, err := os.Lstat(LockOf(of))
		there := err == nil
		lock, err := filelock.Acquire(ctx, LockOf(of), filelock.Options{})
		if err != nil {
			continue // somebody makes it
		}
		for _, name := range left {
			_ = os.Remove(name)
		}
		if there {
			_ = lock.Release()
		} else {
			_ = lock.Discard()
		}
	}
}
