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

// RestoreOptions configure Restore. The zero value is good.
type RestoreOptions struct {
	// Wait is how long to wait while another program has the store at path open.
	Wait time.Duration
	// Waiting, if not nil, is called once before such a wait. holder says which program
	// has the store open.
	Waiting func(holder string)
	// Overwrite lets the store replace one that is at path.
	Overwrite bool
	// Expect is the hash of some entry, noted elsewhere, that the backup must have; the
	// zero hash for none.
	Expect stet.Hash
	// Progress, if not nil, is called from time to time with how much of the work is done.
	// Calls do not overlap.
	Progress func(done, total uint64)
}

// Restored describes a store that Restore has made.
type Restored struct {
	StoreID string // the id of the new store
	From    string // the id of the store that was backed up
	Report  stet.Report
}

// Restore makes the store path from a backup, which it does not change. The new store has
// the content of the backup and an id of its own. It refuses cursors and the like that the
// old store gave out, since its content at the same revision may be different. A file that
// was copied by other means keeps the old id.
//
// Restore verifies the whole store before it installs it. If that finds a problem, or the
// store lacks the entry that is expected, the error is internal. If path exists and
// Overwrite is not set, it is a conflict. If another program has the store at path open, it
// is unavailable. After an error path is as it was.
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
	c, err := createCopy(ctx, path, dbfile.Options{Overwrite: o.Overwrite, Not: from, Store: true, Lock: lockOptions(o.Wait, o.Waiting, nil)})
	if err != nil {
		return Restored{}, err
	}
	defer c.Close()
	var r Restored
	if err := r.build(ctx, from, c.File.Name(), o); err != nil {
		return Restored{}, openError(err, from)
	}
	// It was read without a lock. If it is a store that is open, perhaps under another
	// name of the file, it may have changed meanwhile.
	switch after, err := statBackup(from); {
	case err != nil:
		return Restored{}, err
	case !os.SameFile(before, after) || before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime()):
		return Restored{}, stet.Errorf(stet.CodeUnavailable, "%s changed while it was read: it is not a backup but a store that is in use. Nothing was restored. Make a backup of it with stet backup.", from)
	}
	return r, c.Install()
}

// statBackup returns what identifies the state of a backup. It refuses a file that has a
// write-ahead log or a journal beside it: the file alone is not a complete store.
func statBackup(path string) (fs.FileInfo, error) {
	for _, suffix := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(path + suffix); err == nil && info.Size() > 0 {
			return nil, stet.Errorf(stet.CodeInvalid, "%s is not a backup but a store that is in use, or was in use when a program was killed: %s is beside it and has some of its commits. Make a backup of it with stet backup.", path, filepath.Base(path)+suffix)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, stet.WrapError(err, stet.CodeUnavailable, "%s cannot be reached: %v.", path, err)
	}
	return info, nil
}

// build makes the file of the new store and verifies it.
func (r *Restored) build(ctx context.Context, from, made string, o RestoreOptions) error {
	// No program writes to a backup, so that it is opened as immutable: its directory may
	// be read-only, and no lock is taken or lost.
	if err := checkBackup(from); err != nil {
		return err
	}
	if err := copyFile(ctx, from, immutableFile, made, copyProgress(o.Progress)); err != nil {
		return err
	}
	if err := r.setNewID(made); err != nil {
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

// immutableFile is the mode of a connection to a file that never changes.
const immutableFile = readsOnly + "&immutable=1"

// checkBackup returns an error if a file is not a complete store.
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

// setNewID migrates the store and gives it its new id.
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
