package temp

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stet-dev/stet/internal/filelock"
)

// A Dir is a directory that nobody else can enter.
type Dir struct {
	path string
	lock *filelock.Lock
}

// lockName is the file in a Dir that is locked as long as the Dir is used.
const lockName = "lock"

// maxMkdir is how often a directory is made: another process may take it for one that
// was left in the instant before it is locked.
const maxMkdir = 10

// Mkdir makes a directory in parent, os.TempDir() if that is "", with a name that
// begins with prefix, and removes those that processes of this user have left there
// that were killed. The caller ends it with Remove.
func Mkdir(ctx context.Context, parent, prefix string) (*Dir, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	sweepDirs(ctx, parent, prefix)
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

// Remove removes the directory with all that is in it. It may be called again.
func (d *Dir) Remove() {
	if d.lock == nil {
		return
	}
	remove(d.path, d.lock)
	d.lock = nil
}

// remove removes a directory whose lock it has: the lock last, so that a process that
// is killed here leaves one that will be found.
func remove(path string, lock *filelock.Lock) {
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		if e.Name() != lockName {
			_ = os.RemoveAll(filepath.Join(path, e.Name()))
		}
	}
	_ = lock.Discard()
	_ = os.RemoveAll(path) // where what is open cannot be removed, this does it
}

func sweepDirs(ctx context.Context, parent, prefix string) {
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
			continue // not one of these, or about to be locked
		}
		if lock, err := filelock.Acquire(ctx, filepath.Join(path, lockName), filelock.Options{}); err == nil {
			remove(path, lock)
		}
	}
}
