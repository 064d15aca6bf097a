package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/dbfile"
)

// RestoreOptions are how a store is made from a backup. The zero value is good.
type RestoreOptions struct {
	// Wait is how long to wait for another program that has the store open.
	Wait time.Duration
	// Waiting, if not nil, is called once before such a wait, with who it is.
	Waiting func(holder string)
	// Now is the clock for what is noted in the lock; time.Now if nil.
	Now func() time.Time
	// Overwrite lets the store take the place of one that is there.
	Overwrite bool
	// Expect is the hash of some entry, noted elsewhere, that the backup must
	// have; the zero hash for none.
	Expect stet.Hash
	// Progress, if not nil, is called now and then with how much is done of what
	// there is to do, by one goroutine at a time.
	Progress func(done, total uint64)
}

// A Restored is what Restore has made.
type Restored struct {
	StoreID string // the new store's
	From    string // the id of the store that the backup was made of
	Report  stet.Report
}

// Restore makes the store path from a backup, which it leaves as it is. The store
// has what the backup has, and an id of its own: cursors of lists and the like that
// were given out by the old store are refused by this one, since it may have other
// content at the same revision. A file that was copied by other means has its old
// id.
//
// The store is read through before it takes its place: if anything is wrong with
// it, or it does not have the entry that is expected, Restore fails with internal,
// and what was at path is there as it was. It fails with conflict if there is
// something and Overwrite is not set, and with unavailable if a program has the
// store at path open.
func Restore(ctx context.Context, backup, path string, o RestoreOptions) (Restored, error) {
	from, exists, err := dbfile.Locate(backup)
	switch {
	case err != nil:
		return Restored{}, err
	case !exists:
		return Restored{}, stet.Errorf(stet.CodeNotFound, "there is no file %s.", backup)
	}
	before, err := statBackup(from)
	if err != nil {
		return Restored{}, err
	}
	p, err := createCopy(ctx, path, dbfile.Options{Overwrite: o.Overwrite, Not: from, Store: true, Lock: lockOptions(o.Wait, o.Waiting, o.Now)})
	if err != nil {
		return Restored{}, err
	}
	defer p.Drop()
	var r Restored
	if err := r.build(ctx, from, p.File.Name(), o); err != nil {
		return Restored{}, openError(err, from)
	}
	// A store that somebody has open, under another name of the file perhaps, changes
	// while it is read without any lock.
	switch after, err := statBackup(from); {
	case err != nil:
		return Restored{}, err
	case !os.SameFile(before, after) || before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime()):
		return Restored{}, stet.Errorf(stet.CodeUnavailable, "%s was written to while it was read: it is not a backup but a store that is in use. Nothing was restored. Make a backup of it with stet backup.", from)
	}
	return r, p.Put()
}

// statBackup looks at a file that is to be read as it is. It refuses one whose newest
// commits, or whose state before a transaction that was cut short, are beside it.
func statBackup(path string) (fs.FileInfo, error) {
	for _, rest := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(path + rest); err == nil && info.Size() > 0 {
			return nil, stet.Errorf(stet.CodeInvalid, "%s is not a backup but a store that is in use, or that a program left when it was killed: %s is beside it and has commits of it. Make a backup of it with stet backup.", path, filepath.Base(path)+rest)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, stet.WrapError(err, stet.CodeUnavailable, "%s cannot be reached: %v.", path, err)
	}
	return info, nil
}

// build makes the file of the new store, and checks it.
func (r *Restored) build(ctx context.Context, from, made string, o RestoreOptions) error {
	// Nobody writes to a backup; immutable, it may be where nothing can be made
	// beside it, and no lock on it is taken or lost.
	if err := checkBackup(from); err != nil {
		return err
	}
	if err := copyFile(ctx, from, immutableFile, made, copyProgress(o.Progress)); err != nil {
		return err
	}
	if err := r.setNewID(made); err != nil {
		return err
	}
	if err := syncFile(made); err != nil {
		return err
	}
	var err error
	r.Report, err = checkCopy(ctx, made, stet.VerifyOptions{Expect: o.Expect, Progress: checkProgress(o.Progress)})
	if err != nil {
		return err
	}
	if !r.Report.OK() {
		return stet.Errorf(stet.CodeInternal, "%s is damaged, or not the backup that was expected: %s. Nothing was restored. Take another backup.", from, summary(r.Report.Problems))
	}
	return nil
}

// immutableFile is the mode of a connection to a file that does not change.
const immutableFile = readsOnly + "&immutable=1"

func checkBackup(path string) error {
	c, err := connect(path, immutableFile, pragmas()...)
	if err != nil {
		return err
	}
	_, err = version(c, path, schema)
	if err == nil {
		err = checkSize(c, path)
	}
	return errors.Join(err, c.close())
}

// setNewID brings the tables up to date and gives the store its new id.
func (r *Restored) setNewID(made string) (err error) {
	c, err := connect(made, readWrite, pragmas()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	from, err := version(c, made, schema)
	if err != nil {
		return err
	}
	if err := migrate(c, from, schema, nil); err != nil {
		return err
	}
	if r.From, err = c.text("SELECT value FROM meta WHERE name = 'store_id'"); err != nil {
		return err
	}
	r.StoreID = newStoreID()
	n, err := c.exec("UPDATE meta SET value = ? WHERE name = 'store_id'", r.StoreID)
	if err == nil && n != 1 {
		err = damaged(nil, made, "its table meta has no store_id")
	}
	return err
}
