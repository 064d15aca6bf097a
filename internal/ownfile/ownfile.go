// Package ownfile opens files of this user in directories that others may write to as well.
// If another user has put something there, it is not followed, waited for or written to.
//
// It also knows how many names a file has, and whether it is a mount point.
package ownfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A ForeignError says that what is at a path is not a regular file of this user. It was not
// changed.
type ForeignError struct {
	Path string
	What string // what is wrong, as the rest of a sentence that begins with "it"
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s was left alone: it %s", e.Path, e.What)
}

// Open is like os.OpenFile, but opens only a regular file that belongs to this user, to
// root, or to the owner of the directory, who could replace it anyway. Otherwise, and for a
// symbolic link, it fails with a *ForeignError. It never truncates a file and never waits
// for a pipe. With os.O_CREATE it creates the file if the path does not exist; a symbolic
// link to nothing exists.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	make := flag&os.O_CREATE != 0
	flag &^= os.O_CREATE | os.O_EXCL | os.O_TRUNC
	for {
		f, err := os.OpenFile(path, flag|unfollowed, 0)
		switch {
		case make && errors.Is(err, fs.ErrNotExist):
			f, err = os.OpenFile(path, flag|os.O_CREATE|os.O_EXCL, perm)
			if errors.Is(err, fs.ErrExist) {
				continue // another process has just created it
			}
			return f, err
		case err != nil:
			if info, lerr := os.Lstat(path); lerr == nil {
				err = errors.Join(Check(path, info), err)
			}
			return nil, err
		}
		info, err := f.Stat()
		if err == nil {
			err = Check(path, info)
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return f, nil
	}
}

// Check returns a *ForeignError if path is not a file that Open opens. info is that of
// os.Lstat.
func Check(path string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return CheckOwner(path, info)
	}
	what := "is not a regular file"
	switch t := info.Mode().Type(); {
	case t&fs.ModeSymlink != 0:
		what = "is a symbolic link"
	case t&fs.ModeDir != 0:
		what = "is a directory"
	case t&fs.ModeNamedPipe != 0:
		what = "is a pipe"
	case t&fs.ModeSocket != 0:
		what = "is a socket"
	case t&fs.ModeDevice != 0:
		what = "is a device"
	}
	return &ForeignError{path, what}
}

// CheckOwner returns a *ForeignError if path belongs neither to this user, nor to root, nor
// to the owner of its directory. info is that of os.Lstat.
func CheckOwner(path string, info fs.FileInfo) error {
	if mine(info) {
		return nil
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err == nil && sameOwner(info, dir) {
		return nil
	}
	return &ForeignError{path, "belongs to another user"}
}

// Mine reports whether a regular file or a directory belongs to this user. On a system where
// files have no owners it does. info is that of os.Lstat.
func Mine(info fs.FileInfo) bool {
	return (info.Mode().IsRegular() || info.IsDir()) && made(info)
}
