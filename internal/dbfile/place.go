package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/filelock"
)

// A place is where a copy is to be put: made under another name beside it, and
// renamed when it is known to be good.
type place struct {
	path   string // as it will be
	made   string // as it is now
	exists bool
	lock   *filelock.Lock // so that no program has what is there open, or makes it
	store  bool           // the lock's file stays, as a store's does
	done   bool
}

type aimOptions struct {
	overwrite bool
	not       string // the path that a copy is made of
	store     bool
	lock      Options
}

// aim takes hold of a place and makes an empty file for the copy. The caller ends
// it with drop.
func aim(ctx context.Context, path string, o aimOptions) (_ *place, err error) {
	full, exists, err := locate(path)
	switch {
	case err != nil:
		return nil, err
	case full == o.not:
		return nil, fault.New(fault.Invalid, "%s is the file that the copy is made of. Name another.", path)
	case exists && !o.overwrite:
		return nil, occupied(full)
	}
	p := &place{path: full, exists: exists, store: o.store}
	if p.lock, err = acquire(ctx, full, o.lock); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.drop()
		}
	}()
	if _, err := os.Lstat(full); err == nil && !o.overwrite {
		return nil, occupied(full) // since
	}
	f, err := os.CreateTemp(filepath.Dir(full), "."+filepath.Base(full)+".*") // 0600
	if err != nil {
		return nil, cannotMake(err, full)
	}
	p.made = f.Name()
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil { // whatever the umask
		return nil, cannotMake(err, full)
	}
	return p, nil
}

func occupied(path string) error {
	return fault.New(fault.Conflict, "%s is there already. Nothing changed. Name another file, or say that it may be overwritten (--force).", path)
}

// put gives the copy its name.
func (p *place) put() error {
	if p.exists {
		// What is beside the old file belongs to it, and would be read as the
		// new one's. If this is where it ends, the old file lacks its last
		// commits, and was to be overwritten anyway.
		for _, rest := range []string{"-wal", "-shm", "-journal"} {
			if err := os.Remove(p.path + rest); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return cannotMake(err, p.path)
			}
		}
		if err := syncDir(filepath.Dir(p.path)); err != nil {
			return cannotMake(err, p.path)
		}
	}
	if err := os.Rename(p.made, p.path); err != nil {
		return cannotMake(err, p.path)
	}
	p.done = true
	if err := syncDir(filepath.Dir(p.path)); err != nil {
		return cannotMake(err, p.path)
	}
	return nil
}

// drop removes what was not put, and lets go of the place.
func (p *place) drop() {
	if p.made != "" && !p.done {
		for _, rest := range []string{"", "-journal", "-wal", "-shm"} {
			_ = os.Remove(p.made + rest)
		}
	}
	if p.lock == nil {
		return
	}
	if p.store && (p.done || p.exists) {
		_ = p.lock.Release()
	} else {
		_ = p.lock.Discard()
	}
}
