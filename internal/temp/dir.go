package temp

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/ownfile"
)

// A Dir is a temporary directory that no other user can enter.
type Dir struct {
	path string
	lock *filelock.Lock
}

// lockName is the file in a Dir that is locked while the Dir is in use.
const lockName = "lock"

// maxMkdir is how often Mkdir tries: in the instant before the directory is locked another
// process may take it for a leftover and remove it.
const maxMkdir = 10

// Mkdir makes a directory in parent, or in os.TempDir() if parent is "". Its name begins
// with prefix. Mkdir first removes the directories with that prefix that killed processes
// of this user left in parent. The caller calls Remove.
func Mkdir(ctx context.Context, parent, prefix string) (*Dir, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	removeDirs(ctx, parent, prefix)
	for n := 1; ; n++ {
		path, err := os.MkdirTemp(parent, prefix) // 0700
		if err != nil {
			return nil, err
		}
		lock, err := filelock.Acquire(ctx, filepath.Join(path, lockName), filelock.Options{})
		var held *filelock.HeldError
		switch {
		case err == nil:
			return &Dir{path, lock}, nil
		case n < maxMkdir && (errors.As(err, &held) || errors.Is(err, fs.ErrNotExist)):
			continue
		}
		return nil, errors.Join(err, os.RemoveAll(path))
	}
}

// Path returns the path of a file in the directory.
func (d *Dir) Path(name string) string { return filepath.Join(d.path, name) }

// Remove removes the directory and everything in it. It may be called again.
func (d *Dir) Remove() {
	if d.lock == nil {
		return
	}
	remove(d.path, d.lock)
	d.lock = nil
}

// remove removes a directory whose lock the caller holds. It removes the lock last, so that
// the directory is still recognized if the process is killed here.
func remove(path string, lock *filelock.Lock) {
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		if e.Name() != lockName {
			_ = os.RemoveAll(filepath.Join(path, e.Name()))
		}
	}
	_ = lock.Discard()
	_ = os.RemoveAll(path) // with the lock, where an open file cannot be removed
}

// removeDirs removes the directories that no process uses any more.
func removeDirs(ctx context.Context, parent, prefix string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		random, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || random == "" || strings.Trim(random, "0123456789") != "" {
			continue
		}
		path := filepath.Join(parent, e.Name())
		if info, err := os.Lstat(path); err != nil || !private(info) {
			continue
		}
		if _, err := os.Lstat(filepath.Join(path, lockName)); err != nil {
			continue // another kind of directory, or not locked yet
		}
		if lock, err := filelock.Acquire(ctx, filepath.Join(path, lockName), filelock.Options{}); err == nil {
			remove(path, lock)
		}
	}
}

// private reports whether a directory is like those of Mkdir.
func private(info fs.FileInfo) bool {
	return info.IsDir() && ownfile.Mine(info) && (runtime.GOOS == "windows" || info.Mode().Perm() == 0o700)
}
