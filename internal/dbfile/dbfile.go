// Package dbfile knows the files of a store in SQLite: the path of the database, the lock
// and the socket beside it, the side files that SQLite makes, and how a copy is installed.
//
// SQLite reads FILE-wal, FILE-shm and FILE-journal as parts of FILE, whichever database
// they are of: it would replay the write-ahead log of a store that is gone over a new one.
// So no database is made at a path that has such side files.
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

// Locate returns the absolute path of a database with symbolic links resolved, so that every
// program locks the same FILE.lock. It reports whether the file exists.
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
			return "", false, stet.Errorf(stet.CodeInvalid, "%s is a symbolic link to a file that does not exist. It was left as it is. Name the file itself, or remove the link.", path)
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

// Lock locks the database at path, which Locate returned: no other stet process can open,
// create or replace it.
func Lock(ctx context.Context, path string, o filelock.Options) (*filelock.Lock, error) {
	lock, err := filelock.Acquire(ctx, temp.LockPath(path), o)
	var held *filelock.HeldError
	var foreign *ownfile.ForeignError
	switch {
	case errors.As(err, &held):
		return nil, stet.WrapError(err, stet.CodeUnavailable, "%s is open in %s, and only one program at a time may have it open. Nothing changed. Try again when that program has ended.",
			path, held.Holder)
	case errors.As(err, &foreign):
		return nil, stet.WrapError(err, stet.CodeUnavailable, "%s cannot be locked: its lock would be %s, which %s. That was left as it is. Remove it if nobody needs it, or name a file in another directory.",
			path, foreign.Path, foreign.What)
	case err != nil:
		return nil, CreateError(err, path)
	}
	return lock, nil
}

// SocketPath returns the path of the private socket of a database: a server that has it open
// listens there for other programs of the same user.
func SocketPath(path string) (string, error) {
	full, _, err := Locate(path)
	if err != nil {
		return "", err
	}
	return full + ".sock", nil
}

// SideFiles returns the base names of the files that SQLite would read as parts of the
// database at path.
func SideFiles(path string) (names []string) {
	for _, suffix := range temp.SideSuffixes {
		if _, err := os.Lstat(path + suffix); err == nil {
			names = append(names, filepath.Base(path)+suffix)
		}
	}
	return names
}

// CheckNoSideFiles returns a conflict if path has side files. No database is there: they
// are of one that was, may have commits that it lacks, and would be read as parts of a new
// one. The caller holds the lock.
func CheckNoSideFiles(path string) error {
	names := SideFiles(path)
	if len(names) == 0 {
		return nil
	}
	return stet.Errorf(stet.CodeConflict, "%s does not exist, but files of an earlier %[1]s do: %s. They may have commits that are nowhere else. Nothing changed. "+
		"If that file was moved, move it back, or move these to it and rename them as it was renamed. If nobody needs them, remove them.", path, strings.Join(names, ", "))
}

// CheckOneName returns unavailable if the file at path has another name too. Under each
// name it would have its own lock and its own write-ahead log, and a program that uses one
// name would destroy commits that were acknowledged under the other. The caller holds the
// lock.
func CheckOneName(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return CreateError(err, path)
	}
	if !info.Mode().IsRegular() {
		return stet.Errorf(stet.CodeInvalid, "%s is not a regular file. Name another.", path)
	}
	links, err := ownfile.Links(path)
	if err != nil {
		return CreateError(err, path)
	}
	if links > 1 {
		return stet.Errorf(stet.CodeUnavailable, "%s has %d names (hard links), and a store must have one: under each name it would have its own write-ahead log, and commits would be lost. "+
			"Nothing changed. Remove the other names (find them with find -samefile), or open a copy that stet backup has made.", path, links)
	}
	mount, err := ownfile.IsMount(path)
	if err != nil {
		return CreateError(err, path)
	}
	if mount {
		return stet.Errorf(stet.CodeUnavailable, "%s is a mount point of its own, so that the file has another name elsewhere: under each name it would have its own write-ahead log, and commits would be lost. "+
			"Nothing changed. Mount the directory that the file is in instead of the file.", path)
	}
	return nil
}

// CreateError returns a *stet.Error that says why a file, or its lock, cannot be created.
func CreateError(err error, path string) error {
	switch {
	case errors.Is(err, fs.ErrPermission) || disk.IsReadOnly(err):
		return ReadOnlyError(err, path)
	case disk.IsFull(err):
		return stet.WrapError(err, stet.CodeUnavailable, "the disk that %s is on is full. Make room and open it again.", path)
	}
	return stet.WrapError(err, stet.CodeUnavailable, "%s cannot be created: %v.", path, err)
}

// ReadOnlyError returns a *stet.Error for a file that cannot be written to, or whose
// directory cannot.
func ReadOnlyError(err error, path string) error {
	return stet.WrapError(err, stet.CodeUnavailable, "%s cannot be written to by this user. stet needs to write to the file and to its directory, even to read. Change who may write there, or copy the file.", path)
}
