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

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/filelock"
)

// lockWait is how long an update waits for another: each takes milliseconds.
const lockWait = 10 * time.Second

// Read reads a key file. A file that is missing is not_found; one that is broken,
// or that others than its owner could write, is invalid. Private is false if
// others could read it.
func Read(path string) (f *File, private bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, false, readError(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, false, readError(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, false, fault.New(fault.Invalid, "%s is not a file. Name the file of the keys.", path)
	}
	if foreign(info) {
		return nil, false, fault.New(fault.Invalid, "others than its owner can write %s (mode %v), and so give themselves any key. It is not used. Run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return nil, false, readError(path, err)
	case len(data) > maxFile:
		return nil, false, fault.New(fault.Invalid, "%s has over %d MiB, which no key file has.", path, maxFile>>20)
	}
	f, err = decode(data)
	if err != nil {
		return nil, false, fault.Wrap(err, fault.Invalid, "the key file %s cannot be used: %s", path, message(err))
	}
	return f, !readable(info), nil
}

func readError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(err, fault.NotFound, "there is no key file %s. Make a key: stet key create NAME --role ROLE --keys %s", path, path)
	}
	return fault.Wrap(err, fault.Unavailable, "the key file %s could not be read: %v.", path, err)
}

// message returns an error's sentence without its code.
func message(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// Update changes a key file, which it makes if it is missing: all of it or nothing
// of it, durable when Update returns, one update at a time. An error of change is
// returned as it is, and nothing is written then. A file that is broken is left
// alone.
func Update(ctx context.Context, path string, change func(f *File) error) error {
	// A link is followed: what is renamed must take the place of the file itself.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	lock, err := filelock.Acquire(ctx, path+".lock", filelock.Options{Wait: lockWait})
	var held *filelock.HeldError
	switch {
	case errors.As(err, &held):
		return fault.Wrap(err, fault.Unavailable, "%s is being changed by %s. Nothing changed. Try again.", path, held.Holder)
	case err != nil:
		return fault.Wrap(err, fault.Unavailable, "%s could not be locked: %v. Nothing changed.", path, err)
	}
	defer lock.Release()
	f, _, err := Read(path)
	if fault.CodeOf(err) == fault.NotFound {
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
	renamed := false
	if err == nil {
		renamed, err = replace(path, data)
	}
	switch {
	case err != nil && renamed:
		return fault.Wrap(err, fault.Unknown, "%s was changed, but it is not known whether that is on the disk: %v. See: stet key list", path, err)
	case err != nil:
		return fault.Wrap(err, fault.Unavailable, "%s could not be written: %v. Nothing changed.", path, err)
	}
	return nil
}

// replace writes a file anew: beside itself first, for its owner alone, and then
// in its place. It tells whether it came there.
func replace(path string, data []byte) (renamed bool, err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return false, err
	}
	_, err = tmp.Write(data)
	if old, serr := os.Stat(path); err == nil && serr == nil {
		// Who changes it may be root, and who serves somebody else.
		err = keepOwner(tmp, old)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return false, err
	}
	return true, syncDir(dir)
}

// AdminName is the name of the key that EnsureAdmin makes.
const AdminName = "admin"

// EnsureAdmin makes one key for everything if the file has no keys at all, and
// returns its secret, to be shown once; "" if there are keys. A ring whose keys are
// all revoked has keys: somebody meant that.
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
