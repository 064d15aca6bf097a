package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/dbfile"
)

// Backup implements driver.Backuper. The file is an SQLite file of one piece, with
// nothing beside it, without the space that deleted texts have left, and with the
// store's id: [Restore] makes a store of it. One backup is made at a time; others
// wait.
//
// It reads one state of the file on a connection of its own, and so holds up
// nobody; the WAL cannot be emptied until it is done, and grows meanwhile by what
// is written.
func (l *Log) Backup(ctx context.Context, path string, o driver.BackupOptions) (driver.Tail, error) {
	d, err := createCopy(ctx, path, dbfile.Options{Overwrite: o.Overwrite, Not: l.path})
	if err != nil {
		return driver.Tail{}, err
	}
	defer d.Drop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(l.ctx, func() { cancel(errClosed) })()
	select {
	case l.backupLock <- struct{}{}:
		defer func() { <-l.backupLock }()
	case <-ctx.Done():
		return driver.Tail{}, context.Cause(ctx)
	}
	if err := l.copyTo(ctx, d.File.Name(), copyProgress(o.Progress)); err != nil {
		return driver.Tail{}, err
	}
	r, err := checkCopy(ctx, d.File.Name(), stet.VerifyOptions{Progress: checkProgress(o.Progress)})
	if err != nil {
		return driver.Tail{}, err
	}
	if !r.OK() {
		return driver.Tail{}, stet.Errorf(stet.CodeInternal, "the store is damaged, and so would be its backup, which was not kept: %s. Run stet verify for all that is wrong.", summary(r.Problems))
	}
	return driver.Tail{Revision: r.Revision, Hash: r.Hash}, d.Put()
}

// createCopy takes a place for a copy that SQLite will make: of a file that SQLite has open
// no other descriptor may be closed, since its locks would be lost.
func createCopy(ctx context.Context, path string, o dbfile.Options) (*dbfile.Place, error) {
	p, err := dbfile.Aim(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if err := p.File.Close(); err != nil {
		p.Drop()
		return nil, dbfile.CannotMake(err, path)
	}
	return p, nil
}

// copyTo makes the file, which is there and empty, a copy of one state of the log.
func (l *Log) copyTo(ctx context.Context, made string, progress func(done, total uint64)) error {
	// In the place of a job, so that Close waits.
	return l.readFrom(ctx, l.jobs, func(*conn) error {
		// The copy is made of what the path leads to, which must be what is open.
		if err := l.files.check(); err != nil {
			return err
		}
		if err := copyFile(ctx, l.path, readsOnly, made, progress); err != nil {
			return err
		}
		return l.files.check()
	})
}

// copyFile copies one state of an SQLite file into another, which is there and
// empty, and makes it durable.
func copyFile(ctx context.Context, path, mode, made string, progress func(done, total uint64)) (err error) {
	c, err := connect(path, mode, pragmas()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	stop, err := watchSize(c, made, progress)
	if err != nil {
		return err
	}
	bound := c.values([]any{made})
	_, err = c.raw.ExecContext(ctx, "VACUUM INTO ?", bound)
	stop()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	}
	return syncFile(made)
}

// sizeEvery is how often the copy's size is looked at: what an eye follows.
const sizeEvery = 100 * time.Millisecond

// watchSize calls progress with the size of a copy and what it will be, until stop.
func watchSize(c *conn, made string, progress func(done, total uint64)) (stop func(), err error) {
	if progress == nil {
		return func() {}, nil
	}
	var n [3]int64
	for i, p := range []string{"page_count", "freelist_count", "page_size"} {
		if n[i], err = c.integer("PRAGMA " + p); err != nil {
			return nil, err
		}
	}
	total := uint64(max(n[0]-n[1], 1) * n[2])
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		t := time.NewTicker(sizeEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				if info, err := os.Stat(made); err == nil {
					progress(min(uint64(info.Size()), total), total)
				}
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-gone }, nil
}

// copyProgress returns the progress of the copy: the first half of the work.
func copyProgress(progress func(done, total uint64)) func(done, total uint64) {
	if progress == nil {
		return nil
	}
	return func(done, total uint64) { progress(done, 2*total) }
}

// checkProgress returns the progress of the check: the second half, of which the first
// half is the log and the second the texts, as Verify goes through them.
func checkProgress(progress func(done, total uint64)) func(done, total uint64) {
	if progress == nil {
		return nil
	}
	last, texts := uint64(0), uint64(0)
	return func(done, total uint64) {
		if done < last {
			texts = 1
		}
		last = done
		progress((2+texts)*total+done, 4*total)
	}
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// checkCopy opens a copy as a store, reads it through, and leaves it as it is.
func checkCopy(ctx context.Context, path string, o stet.VerifyOptions) (r stet.Report, err error) {
	log, err := openCopy(path)
	if err != nil {
		return r, err
	}
	s, err := core.Open(ctx, log, &core.Options{CacheBytes: -1})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Verify(ctx, o)
}

// A copyLog is a log that is only read: a copy that has no name yet. It keeps its
// checkpoint, so that what is checked is what will be opened.
type copyLog struct{ *Log }

func openCopy(path string) (_ *copyLog, err error) {
	c, err := connect(path, readsOnly, pragmas()...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if _, err := version(c, path, schema); err != nil {
		return nil, err
	}
	left, err := readState(c)
	if err != nil {
		return nil, err
	}
	if left.storeID == "" {
		return nil, damaged(nil, path, "its table meta has no store_id")
	}
	l := &Log{path: path, storeID: left.storeID, last: left}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.writing, l.endWriting = context.WithCancelCause(context.Background())
	there := func() error { return nil } // nobody else knows its name
	l.readers, l.jobs = newPool(path, readers, l.ctx.Done(), there), newPool(path, jobs, l.ctx.Done(), there)
	l.tail.Store(&left.tail)
	l.cleared.Store(left.cleared)
	return &copyLog{l}, nil
}

// Append implements driver.Log.
func (s *copyLog) Append(context.Context, driver.Tail, []driver.Entry) error {
	return notApplied(errors.New("sqlite: a copy is not written to"))
}

// SaveCheckpoint implements driver.Checkpointer.
func (s *copyLog) SaveCheckpoint(context.Context, uint64, bool, []driver.Chunk) error { return nil }

// Close implements driver.Log.
func (s *copyLog) Close() error {
	var err error
	s.once.Do(func() {
		s.cancel()
		err = errors.Join(s.jobs.close(), s.readers.close())
	})
	return err
}

// summary is how a problem of many is told in a sentence.
func summary(problems []string) string {
	if len(problems) == 1 {
		return problems[0]
	}
	return fmt.Sprintf("%s (and %d more)", problems[0], len(problems)-1)
}
