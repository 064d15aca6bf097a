// Package ownfile opens files that are this user's own, in directories that others
// may write to as well: what somebody else has put there is neither followed, nor
// waited for, nor written to.
package ownfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A ForeignError says that what is at a path is not a file of this user's own. It is
// as it was.
type ForeignError struct {
	Path string
	What string // what it is, as the rest of a sentence that begins with "it"
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s was left alone: it %s", e.Path, e.What)
}

// Open opens a file like os.OpenFile, but only a regular file, not one that path
// merely links to, that belongs to this user, to root, or to the owner of its
// directory, who could put any other there. Otherwise it fails with a *ForeignError.
// Nothing that is there is emptied, and a pipe is not waited for. With os.O_CREATE it
// makes the file if there is nothing, not even a link that leads nowhere.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	make := flag&os.O_CREATE != 0
	flag &^= os.O_CREATE | os.O_EXCL | os.O_TRUNC
	for {
		f, err := os.OpenFile(path, flag|unfollowed, 0)
		switch {
		case make && errors.Is(err, fs.ErrNotExist):
			f, err = os.OpenFile(path, flag|os.O_CREATE|os.O_EXCL, perm)
			if errors.Is(err, fs.ErrExist) {
				continue // since
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

// Check returns a *ForeignError if what os.Lstat said of a path is not a regular
// file of this user's own, as for Open.
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

// CheckOwner returns a *ForeignError if what os.Lstat said of a path belongs to
// somebody who is neither this user, nor root, nor the owner of its directory.
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

// Mine tells whether what os.Lstat said is a regular file, or a directory, that this
// user has made. Where files have no owners it is.
func Mine(info fs.FileInfo) bool {
	return (info.Mode().IsRegular() || info.IsDir()) && made(info)
}
