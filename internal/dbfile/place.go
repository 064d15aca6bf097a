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

// A Place is where a copy is to be put: made under another name beside it, and
// renamed when it is known to be good.
type Place struct {
	// File is the copy on its way, empty at first.
	File *temp.File

	path string
	lock *filelock.Lock
	o    Options
	done bool
	// step, in tests, is called before each step of Put with what it does.
	step func(what string)
}

// Options are how a place is taken. The zero value is good.
type Options struct {
	// Overwrite lets the copy take the place of what is there, with what lies beside.
	Overwrite bool
	// Not is a file that the copy must not replace: what it is made of.
	Not string
	// Store says that the copy is a store, beside which the lock stays.
	Store bool
	// Lock is how the place is locked.
	Lock filelock.Options
}

// Aim takes hold of a place and makes an empty file for the copy. It fails with
// conflict where something is, a part of another store included, unless that may be
// overwritten. The caller ends it with Drop.
func Aim(ctx context.Context, path string, o Options) (_ *Place, err error) {
	full, exists, err := Locate(path)
	switch {
	case err != nil:
		return nil, err
	case o.Not != "" && (full == o.Not || same(full, o.Not)):
		return nil, stet.Errorf(stet.CodeInvalid, "%s is the file that the copy is made of. Name another.", path)
	case exists && !o.Overwrite:
		return nil, occupied(full)
	}
	temp.SweepDir(ctx, filepath.Dir(full))
	p := &Place{path: full, o: o}
	if p.lock, err = Lock(ctx, full, o.Lock); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.Drop()
		}
	}()
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.File, err = temp.Create(full); err != nil {
		return nil, CannotMake(err, full)
	}
	return p, nil
}

// check refuses a place that cannot be taken, before anything is changed.
func (p *Place) check() error {
	if !p.o.Overwrite {
		if _, err := os.Lstat(p.path); err == nil {
			return occupied(p.path)
		}
		return Alone(p.path)
	}
	if mount, err := ownfile.IsMount(p.path); err == nil && mount {
		return stet.Errorf(stet.CodeUnavailable, "%s is a mount point of its own, which nothing can take the place of. Nothing changed. Name another file, in a directory that is mounted as a whole.", p.path)
	}
	for _, name := range Leftovers(p.path) {
		if info, err := os.Lstat(filepath.Join(filepath.Dir(p.path), name)); err == nil && info.IsDir() {
			return stet.Errorf(stet.CodeConflict, "%s is a directory, and beside %s SQLite would put a file of that name. Nothing changed. Name another file.", name, p.path)
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
	return stet.Errorf(stet.CodeConflict, "%s is there already. Nothing changed. Name another file, or say that it may be overwritten (--force).", path)
}

// Put gives the copy its name. Wherever that ends, also by a loss of power, the copy
// does not stand beside what belonged to another file.
func (p *Place) Put() error {
	if err := p.File.Close(); err != nil {
		return CannotMake(err, p.path)
	}
	if err := p.check(); err != nil { // again: the copy may have taken long
		return err
	}
	if p.o.Overwrite {
		// What is beside the old file belongs to it. If this is where it ends, the
		// old file lacks its last commits, and was to be overwritten anyway.
		for _, rest := range temp.Beside {
			p.at("remove " + rest)
			if err := os.Remove(p.path + rest); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return CannotMake(err, p.path)
			}
		}
		p.at("sync the directory")
		if err := temp.SyncDir(filepath.Dir(p.path)); err != nil {
			return CannotMake(err, p.path)
		}
	}
	p.at("rename")
	put, err := p.File.Put(p.o.Overwrite)
	p.done = put
	switch {
	case errors.Is(err, fs.ErrExist):
		return occupied(p.path) // since
	case err != nil:
		return CannotMake(err, p.path)
	}
	p.at("end")
	return nil
}

func (p *Place) at(what string) {
	if p.step != nil {
		p.step(what)
	}
}

// Drop removes what was not put, and lets go of the place.
func (p *Place) Drop() {
	if p.File != nil {
		p.File.Drop()
	}
	if p.lock == nil {
		return
	}
	if _, err := os.Lstat(p.path); p.o.Store && err == nil {
		_ = p.lock.Release()
	} else {
		_ = p.lock.Discard()
	}
}
