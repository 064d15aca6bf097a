package sqlite

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/prompt"
)

// pageSize is the size of a page of a new file. With the 4 KiB that SQLite takes by
// itself, texts of a kilobyte leave a fifth of each page unused; larger pages make a
// lone save slower, since it writes whole ones.
const pageSize = 16384

// locate returns the absolute path of the file with symbolic links followed, so
// that all who open it lock the same FILE.lock, and whether it exists.
func locate(path string) (full string, exists bool, err error) {
	if path == "" || path == ":memory:" || strings.ContainsRune(path, 0) {
		return "", false, fault.New(fault.Invalid, "%q is not the name of a file. Name one, stet.db for example. A store in memory is memory.Open's.", path)
	}
	full, err = filepath.Abs(path)
	if err != nil {
		return "", false, fault.Wrap(err, fault.Internal, "%s: %v.", path, err)
	}
	if real, err := filepath.EvalSymlinks(full); err == nil {
		full = real
	} else if dir, err := filepath.EvalSymlinks(filepath.Dir(full)); err == nil {
		full = filepath.Join(dir, filepath.Base(full))
	}
	info, err := os.Stat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(full)); errors.Is(err, fs.ErrNotExist) {
			return "", false, fault.Wrap(err, fault.Invalid, "there is no directory %s. Make it, or name a file elsewhere.", filepath.Dir(full))
		}
		return full, false, nil
	case err != nil:
		return "", false, fault.Wrap(err, fault.Unavailable, "%s cannot be reached: %v.", path, err)
	case info.IsDir():
		return "", false, fault.New(fault.Invalid, "%s is a directory. Name a file, %s for example.", path, filepath.Join(path, "stet.db"))
	case !info.Mode().IsRegular():
		return "", false, fault.New(fault.Invalid, "%s is not a regular file. Name another.", path)
	}
	return full, true, nil
}

// create makes the file of a new store, whole or not at all: under another name
// first. So a file that is empty was never a new store, but one that lost its
// content. The caller has the lock.
func create(path string, steps []string, now time.Time) (err error) {
	for _, rest := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(path + rest); err == nil && info.Size() > 0 {
			return fault.New(fault.Internal, "%s is not there, but %s is, which has commits of it. Put the file back. If they are not needed, remove %s.",
				path, filepath.Base(path)+rest, filepath.Base(path)+rest)
		}
	}
	made := path + ".new"
	defer func() {
		if err != nil {
			os.Remove(made)
		}
	}()
	for _, rest := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(made + rest); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return cannotMake(err, path)
		}
	}
	// SQLite gives the files beside it the same mode.
	f, err := os.OpenFile(made, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return cannotMake(err, path)
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil { // whatever the umask
		return cannotMake(err, path)
	}
	c, err := connect(made, readWrite, fmt.Sprintf("page_size = %d", pageSize), "synchronous = FULL", "fullfsync = ON")
	if err != nil {
		return err
	}
	err = migrate(c, 0, steps, func() error {
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		_, err := c.exec("INSERT INTO meta (name, value) VALUES ('store_id', ?), ('created_at', ?), ('cleared', 0), ('checkpoint', 0)",
			hex.EncodeToString(id[:]), prompt.FormatTime(now))
		return err
	})
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	if err := os.Rename(made, path); err != nil {
		return cannotMake(err, path)
	}
	return syncDir(filepath.Dir(path))
}

// cannotMake says why a file, or the lock beside it, cannot be made.
func cannotMake(err error, path string) error {
	switch {
	case errors.Is(err, fs.ErrPermission) || isReadOnlyFS(err):
		return readOnly(err, path)
	case isFull(err):
		return fault.Wrap(err, fault.Unavailable, "the disk that %s is on is full. Make room and open it again.", path)
	}
	return fault.Wrap(err, fault.Unavailable, "%s cannot be made: %v.", path, err)
}

// syncDir makes a new name in a directory durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such thing
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// syncWAL makes durable what a process that was killed has left in the WAL, and
// tells whether it left any: what it wrote and did not sync is read as part of the
// log from now on, and a power loss must not take it away again. Unlike the file
// itself, SQLite does not lock the WAL, so that closing it drops no lock.
func syncWAL(path string) (left bool, err error) {
	f, err := os.OpenFile(path+"-wal", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, cannotMake(err, path)
	}
	info, err := f.Stat()
	if err == nil && info.Size() > 0 {
		left, err = true, f.Sync()
	}
	return left, errors.Join(err, f.Close())
}

// whole checks that the file has all the pages that it says it has. SQLite finds a
// cut only when it comes to a page that is missing. What is in the WAL may be more
// or newer; then only SQLite can tell.
func whole(c *conn, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return nil
	}
	pages, err := c.integer("PRAGMA page_count")
	if err != nil {
		return err
	}
	size, err := c.integer("PRAGMA page_size")
	if err != nil {
		return err
	}
	if want := pages * size; info.Size() < want {
		return damaged(nil, path, fmt.Sprintf("it was cut off after %d of %d bytes", info.Size(), want))
	}
	return nil
}
