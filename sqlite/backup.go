package sqlite

import (
	"context"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/dbfile"
)

// Backup implements driver.Backuper. The backup is one SQLite file without side files. It
// has the store's id, and no unused space. [Restore] makes a store of it. One backup is made
// at a time; others wait.
//
// Backup reads one state of the file with its own connection. Reads and writes do not wait
// for it. The WAL cannot be emptied until Backup is done, and grows meanwhile.
func (l *Log) Backup(ctx context.Context, path string, o driver.BackupOptions) (driver.Tail, error) {
	c, err := createCopy(ctx, path, dbfile.Options{Overwrite: o.Overwrite, Not: l.path})
	if err != nil {
		return driver.Tail{}, err
	}
	defer c.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(l.ctx, func() { cancel(errClosed) })()
	select {
	case l.backupLock <- struct{}{}:
		defer func() { <-l.backupLock }()
	case <-ctx.Done():
		return driver.Tail{}, context.Cause(ctx)
	}
	if err := l.copyTo(ctx, c.File.Name(), copyProgress(o.Progress)); err != nil {
		return driver.Tail{}, err
	}
	r, err := checkCopy(ctx, c.File.Name(), stet.VerifyOptions{Progress: checkProgress(o.Progress)})
	if err != nil {
		return driver.Tail{}, err
	}
	if !r.OK() {
		return driver.Tail{}, stet.Errorf(stet.CodeInternal, "the store is damaged, and so would be its backup, which was not kept: %s. Run stet verify for all that is wrong.", summary(r.Problems))
	}
	return driver.Tail{Revision: r.Revision, Hash: r.Hash}, c.Install()
}

// copyTo makes the empty file at made a copy of one state of the log.
func (l *Log) copyTo(ctx context.Context, made string, progress func(done, total uint64)) error {
	// With a connection for jobs, so that Close waits.
	return l.readFrom(ctx, l.jobs, func(*conn) error {
		// copyFile copies what the path leads to, which must be the file that is open.
		if err := l.files.check(); err != nil {
			return err
		}
		if err := copyFile(ctx, l.path, readsOnly, made, progress); err != nil {
			return err
		}
		return l.files.check()
	})
}
