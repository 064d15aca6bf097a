package dbfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/ownfile"
	"github.com/stet-dev/stet/internal/temp"
)

// A Copy is a new database. It is written under a temporary name, and installed at its path
// when it is known to be good.
type Copy struct {
	// File is the new database, empty at first.
	File *temp.File

	path string
	lock *filelock.Lock
	o    Options
	// step, set by tests, is called before each step of Install.
	step func(what string)
}

// Options configure Create. The zero value is good.
type Options struct {
	// Overwrite lets the copy replace the database at its path, side files included.
	Overwrite bool
	// Not is a file that the copy must not replace: its source.
	Not string
	// Store says that the copy is a store, whose lock file stays.
	Store bool
	// Lock has the options for the lock of the path.
	Lock filelock.Options
}

// Create locks a path and makes an empty file for the copy. The error is a conflict if a
// file or a side file is there and Overwrite is not set. The caller calls Close.
func Create(ctx context.Context, path string, o Options) (_ *Copy, err error) {
	full, exists, err := Locate(path)
	switch {
	case err != nil:
		return nil, err
	case o.Not != "" && (full == o.Not || same(full, o.Not)):
		return nil, stet.Errorf(stet.CodeInvalid, "%s is the file that is copied. Name another.", path)
	case exists && !o.Overwrite:
		return nil, occupied(full)
	}
	temp.RemoveAllLeftovers(ctx, filepath.Dir(full))
	c := &Copy{path: full, o: o}
	if c.lock, err = Lock(ctx, full, o.Lock); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.File, err = temp.Create(full); err != nil {
		return nil, CreateError(err, full)
	}
	return c, nil
}

// check returns an error if the copy cannot be installed. It changes nothing.
func (c *Copy) check() error {
	if !c.o.Overwrite {
		if _, err := os.Lstat(c.path); err == nil {
			return occupied(c.path)
		}
		return CheckNoSideFiles(c.path)
	}
	if mount, err := ownfile.IsMount(c.path); err == nil && mount {
		return stet.Errorf(stet.CodeUnavailable, "%s is a mount point of its own, and cannot be replaced. Nothing changed. Name another file, in a directory that is mounted as a whole.", c.path)
	}
	for _, name := range SideFiles(c.path) {
		if info, err := os.Lstat(filepath.Join(filepath.Dir(c.path), name)); err == nil && info.IsDir() {
			return stet.Errorf(stet.CodeConflict, "%s is a directory, and SQLite would need a file of that name beside %s. Nothing changed. Name another file.", name, c.path)
		}
	}
	return nil
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func occupied(path string) error {
	return stet.Errorf(stet.CodeConflict, "%s already exists. Nothing changed. Name another file, or overwrite it (--force).", path)
}

// Install durably gives the copy its name. Even if the process or the machine stops during
// Install, the copy never has its name beside side files of another database.
func (c *Copy) Install() error {
	if err := c.File.Sync(); err != nil {
		return CreateError(err, c.path)
	}
	if err := c.check(); err != nil { // again, since writing the copy may have taken long
		return err
	}
	if c.o.Overwrite {
		// The side files are of the old database. If the process stops here, the old
		// database lacks its last commits; it was to be overwritten anyway.
		for _, suffix := range temp.SideSuffixes {
			c.at("remove " + suffix)
			if err := os.Remove(c.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return CreateError(err, c.path)
			}
		}
		c.at("sync the directory")
		if err := temp.SyncDir(filepath.Dir(c.path)); err != nil {
			return CreateError(err, c.path)
		}
	}
	c.at("rename")
	switch _, err := c.File.Install(c.o.Overwrite); {
	case errors.Is(err, fs.ErrExist):
		return occupied(c.path) // since the check
	case err != nil:
		return CreateError(err, c.path)
	}
	c.at("end")
	return nil
}

func (c *Copy) at(what string) {
	if c.step != nil {
		c.step(what)
	}
}

// Close removes the copy if it was not installed, and releases the lock.
func (c *Copy) Close() {
	if c.File != nil {
		c.File.Remove()
	}
	if c.lock == nil {
		return
	}
	if _, err := os.Lstat(c.path); c.o.Store && err == nil {
		_ = c.lock.Release()
	} else {
		_ = c.lock.Discard()
	}
}
