package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/ownfile"
	"github.com/stet-dev/stet/internal/temp"
)

// lockWait is how long an update waits for others, each of which takes milliseconds.
const lockWait = 10 * time.Second

// Read reads a key file and reports whether it is private: only its owner can read it. The
// error is not_found if the file is missing. It is invalid if the file is broken, if users
// other than its owner can write to it, or if it, or a symbolic link to it, belongs neither to
// this user, nor to root, nor to the owner of its directory: others could create any key.
func Read(path string) (f *File, private bool, err error) {
	real, err := resolve(path)
	if err != nil {
		return nil, false, readError(path, err)
	}
	file, err := ownfile.Open(real, os.O_RDONLY, 0)
	if err != nil {
		return nil, false, readError(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, false, readError(path, err)
	}
	if foreign(info) {
		return nil, false, stet.Errorf(stet.CodeInvalid, "users other than its owner can write to %s (mode %v), and so give themselves any key. It is not used. Run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return nil, false, readError(path, err)
	case len(data) > maxFile:
		return nil, false, stet.Errorf(stet.CodeInvalid, "%s is larger than %d MiB, which no key file is.", path, maxFile>>20)
	}
	f, err = decode(data)
	if err != nil {
		return nil, false, stet.WrapError(err, stet.CodeInvalid, "the key file %s cannot be used: %s", path, message(err))
	}
	return f, !readable(info), nil
}

// resolve returns the target of path if that is a symbolic link. The owner of the link must be
// trusted as that of the file.
func resolve(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSymlink {
		return path, err
	}
	if err := ownfile.CheckOwner(path, info); err != nil {
		return path, err
	}
	return filepath.EvalSymlinks(path)
}

func readError(path string, err error) error {
	var foreign *ownfile.ForeignError
	if errors.As(err, &foreign) {
		return stet.WrapError(err, stet.CodeInvalid, "%s is not used for keys: it %s. Name a file that belongs to root, or to the user that runs the server.", foreign.Path, foreign.What)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return stet.WrapError(err, stet.CodeNotFound, "there is no key file %s. Create a key: stet key create NAME --role ROLE --keys %s", path, path)
	}
	return stet.WrapError(err, stet.CodeUnavailable, "the key file %s could not be read: %v.", path, err)
}

// message returns the message of an error without its code.
func message(err error) string {
	var e *stet.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// Update changes a key file, or creates it if it is missing. The change is atomic, and durable
// when Update returns. One update runs at a time. If change fails, Update returns its error
// unchanged and writes nothing. A broken file is not changed.
func Update(ctx context.Context, path string, change func(f *File) error) error {
	// A symbolic link is followed: the file itself is replaced and not the link.
	real, err := resolve(path)
	switch {
	case err == nil:
		path = real
	case !errors.Is(err, fs.ErrNotExist):
		return readError(path, err)
	}
	lock, err := filelock.Acquire(ctx, temp.LockPath(path), filelock.Options{Wait: lockWait})
	var held *filelock.HeldError
	switch {
	case errors.As(err, &held):
		return stet.WrapError(err, stet.CodeUnavailable, "%s is being changed by %s. Nothing changed. Try again.", path, held.Holder)
	case err != nil:
		return stet.WrapError(err, stet.CodeUnavailable, "%s could not be locked: %v. Nothing changed.", path, err)
	}
	defer lock.Release()
	f, _, err := Read(path)
	if stet.CodeOf(err) == stet.CodeNotFound {
		f, err = &File{}, nil
	}
	if err != nil {
		return err
	}
	if err := change(f); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	data, err := f.encode()
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("it would have over %d MiB", maxFile>>20)
	}
	replaced := false
	if err == nil {
		replaced, err = replace(path, data)
	}
	switch {
	case err != nil && replaced:
		return stet.WrapError(err, stet.CodeUnknown, "%s was changed, but a loss of power may undo that: %v. See: stet key list", path, err)
	case err != nil:
		return stet.WrapError(err, stet.CodeUnavailable, "%s could not be written: %v. Nothing changed.", path, err)
	}
	return nil
}

// replace atomically replaces a file, whose lock the caller holds, with one that only its
// owner can read. If replaced is true despite an error, it is not known whether that is
// durable.
func replace(path string, data []byte) (replaced bool, err error) {
	f, err := temp.Create(path)
	if err != nil {
		return false, err
	}
	defer f.Remove()
	_, err = f.File().Write(data)
	if old, serr := os.Lstat(path); err == nil && serr == nil {
		// The file may be changed by root and read by a server of another user.
		err = keepOwner(f.File(), old)
	}
	if err != nil {
		return false, err
	}
	return f.Install(true)
}

// AdminName is the name of the key that EnsureAdmin creates.
const AdminName = "admin"

// EnsureAdmin creates one admin key for every prompt if the file has no keys, and returns its
// secret, which is to be shown once. If there are keys, even if all are revoked, it returns "".
func EnsureAdmin(ctx context.Context, path string, now time.Time) (secret string, err error) {
	err = Update(ctx, path, func(f *File) error {
		if len(f.Keys) > 0 {
			return errNothing
		}
		_, secret, err = f.Create(Key{Name: AdminName, Role: Admin, Prompts: []string{Every}}, now)
		return err
	})
	if errors.Is(err, errNothing) {
		err = nil
	}
	if err != nil {
		return "", err
	}
	return secret, nil
}

// errNothing ends an update that has nothing to write.
var errNothing = errors.New("nothing to write")
