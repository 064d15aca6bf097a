// Package dbfile is the SQLite file of a store as the file system has it: where it is,
// the lock beside it, what else may lie there, and how a file that was made elsewhere
// takes its place.
//
// What lies beside a file as FILE-wal, FILE-shm or FILE-journal is read by SQLite as
// part of whatever file has the name: the write-ahead log of a store that is gone
// would be replayed over the new one. So no file is made where any of them is.
package dbfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/disk"
	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/ownfile"
	"github.com/stet-dev/stet/internal/temp"
)

// Locate returns the absolute path of the file with symbolic links followed, so
// that all who open it lock the same FILE.lock, and whether it exists.
func Locate(path string) (full string, exists bool, err error) {
	if path == "" || path == ":memory:" || strings.ContainsRune(path, 0) {
		return "", false, stet.Errorf(stet.CodeInvalid, "%q is not the name of a file. Name one, stet.db for example. A store in memory is memory.Open's.", path)
	}
	full, err = filepath.Abs(path)
	if err != nil {
		return "", false, stet.WrapError(err, stet.CodeInternal, "%s: %v.", path, err)
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
			return "", false, stet.WrapError(err, stet.CodeInvalid, "there is no directory %s. Make it, or name a file elsewhere.", filepath.Dir(full))
		}
		if _, err := os.Lstat(full); err == nil {
			return "", false, stet.Errorf(stet.CodeInvalid, "%s is a symbolic link that leads to nothing. It was left as it is. Name the file itself, or remove the link.", path)
		}
		return full, false, nil
	case err != nil:
		return "", false, stet.WrapError(err, stet.CodeUnavailable, "%s cannot be reached: %v.", path, err)
	case info.IsDir():
		return "", false, stet.Errorf(stet.CodeInvalid, "%s is a directory. Name a file, %s for example.", path, filepath.Join(path, "stet.db"))
	case !info.Mode().IsRegular():
		return "", false, stet.Errorf(stet.CodeInvalid, "%s is not a regular file. Name another.", path)
	}
	return full, true, nil
}

// Lock locks the place of a file that was located, so that no other program of stet's
// has what is there open, or makes it.
func Lock(ctx context.Context, path string, o filelock.Options) (*filelock.Lock, error) {
	lock, err := filelock.Acquire(ctx, temp.LockOf(path), o)
	var held *filelock.HeldError
	var foreign *ownfile.ForeignError
	switch {
	case errors.As(err, &held):
		return nil, stet.WrapError(err, stet.CodeUnavailable, "%s is open in %s, and only one program at a time may have it open. Nothing changed. Try again when that has ended.",
			path, held.Holder)
	case errors.As(err, &foreign):
		return nil, stet.WrapError(err, stet.CodeUnavailable, "%s cannot be locked: %s, which would be its lock, %s. It was left as it is. Remove it if nobody needs it, or name a file in another directory.",
			path, foreign.Path, foreign.What)
	case err != nil:
		return nil, CannotMake(err, path)
	}
	return lock, nil
}

// Leftovers returns what lies beside the place of a file and SQLite would take for a
// part of it: the names without their directory.
func Leftovers(path string) (names []string) {
	for _, rest := range temp.Beside {
		if _, err := os.Lstat(path + rest); err == nil {
			names = append(names, filepath.Base(path)+rest)
		}
	}
	return names
}

// Alone refuses, as conflict, a place where no file is but Leftovers are: they belong
// to the file that was there, may have commits that are not in it, and would be read as
// part of the one that comes. The caller has the lock.
func Alone(path string) error {
	names := Leftovers(path)
	if len(names) == 0 {
		return nil
	}
	return stet.Errorf(stet.CodeConflict, "%s is not there, but beside it: %s, of the file that was, which may have commits that are nowhere else. Nothing changed. "+
		"Put the file back, or move them to where it is now, to lie beside it with its name in theirs; if nobody needs them, remove them.", path, strings.Join(names, ", "))
}

// OneName refuses, as unavailable, a file that has more names than path: under each it
// would have another lock and another write-ahead log, and what is acknowledged under
// the one would be destroyed under the other. The caller has the lock.
func OneName(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return CannotMake(err, path)
	}
	if !info.Mode().IsRegular() {
		return stet.Errorf(stet.CodeInvalid, "%s is not a regular file. Name another.", path)
	}
	links, err := ownfile.Links(path)
	if err != nil {
		return CannotMake(err, path)
	}
	if links > 1 {
		return stet.Errorf(stet.CodeUnavailable, "%s has %d names (hard links), and a store that is written to has one: under each name it would have another write-ahead log, and commits would be lost. "+
			"Nothing changed. Remove the other names (find them with find -samefile), or open a copy that stet backup has made.", path, links)
	}
	mount, err := ownfile.IsMount(path)
	if err != nil {
		return CannotMake(err, path)
	}
	if mount {
		return stet.Errorf(stet.CodeUnavailable, "%s is a mount point of its own, so the file has another name elsewhere: under each it would have another write-ahead log, and commits would be lost. "+
			"Nothing changed. Mount the directory that the file is in, and not the file.", path)
	}
	return nil
}

// CannotMake says why a file, or the lock beside it, cannot be made.
func CannotMake(err error, path string) error {
	switch {
	case errors.Is(err, fs.ErrPermission) || disk.IsReadOnly(err):
		return ReadOnly(err, path)
	case disk.IsFull(err):
		return stet.WrapError(err, stet.CodeUnavailable, "the disk that %s is on is full. Make room and open it again.", path)
	}
	return stet.WrapError(err, stet.CodeUnavailable, "%s cannot be made: %v.", path, err)
}

// ReadOnly says that a file, or its directory, cannot be written to.
func ReadOnly(err error, path string) error {
	return stet.WrapError(err, stet.CodeUnavailable, "%s cannot be written to by this user. stet needs to write to the file and to its directory, even to read. Change who may write there, or copy the file.", path)
}
