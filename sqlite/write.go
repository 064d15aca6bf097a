package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stet-dev/stet"
)

// lockWriter waits for the writing connection. Those who wait get it in the order in
// which they came.
func (l *Log) lockWriter(ctx context.Context) error {
	if l.ctx.Err() != nil {
		return errClosed
	}
	select {
	case l.writer <- struct{}{}:
		return nil
	default:
	}
	select {
	case l.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.ctx.Done():
		return errClosed
	}
}

func (l *Log) unlockWriter() { <-l.writer }

// write runs f in one transaction and makes what it wrote durable. It cannot be
// cancelled. If it fails, either the error wraps driver.ErrNotApplied, or the outcome of
// the transaction is unknown and the log has stopped writing. The caller holds the
// writer.
func (l *Log) write(f func() error) error {
	if s := l.stopped.Load(); s != nil {
		return s
	}
	if err := l.checkFiles(); err != nil {
		return l.stopped.Load() // has the full message
	}
	l.w.pagesWritten() // do not count those of a transaction that failed
	if _, err := l.w.exec("BEGIN IMMEDIATE"); err != nil {
		l.stopIfUntrusted(err)
		return notApplied(err)
	}
	returned := false
	defer func() {
		if !returned { // f panicked
			_ = l.rollback(errors.New("sqlite: the transaction was abandoned"))
		}
	}()
	err := l.checkUnchanged()
	if err == nil {
		err = f()
	}
	returned = true
	if err != nil {
		return l.rollback(err)
	}
	if _, err := l.w.exec("COMMIT"); err != nil {
		return l.commitFailed(err)
	}
	l.walPages += l.w.pagesWritten()
	// The transaction is in the file that is open. Before anybody is told so, check
	// that the path still leads to that file.
	if err := l.checkFiles(); err != nil {
		return &failure{describe(err), false, err}
	}
	return nil
}

// checkFiles stops the log, and returns an error, if one of its files was removed or
// replaced.
func (l *Log) checkFiles() error {
	err := l.files.check()
	if err != nil {
		l.flushWAL()
		l.stop(fmt.Sprintf("stet has stopped writing to %s: %s", l.path, describe(err)), err)
	}
	return err
}

// flushWAL moves what the WAL holds to the file that is open, wherever that is now, so
// that it has every commit. If another file has its name, flushWAL removes the WAL, which
// would be read as part of that one.
func (l *Log) flushWAL() {
	if l.checkpointWAL() && l.walPages == 0 && l.files.replaced() {
		l.files.removeWAL()
	}
}

// rollback ends a transaction for which COMMIT was not sent. None of it is in the file,
// and none will be, since the WAL has no commit frame of it.
func (l *Log) rollback(cause error) error {
	_, err := l.w.exec("ROLLBACK")
	l.checkpointIfFull(cause)
	// SQLite rolls back by itself after a full disk and some other errors.
	if broken := err != nil && !isNoTransaction(err); broken || storageFailed(cause) {
		l.stopAfter(cause)
	}
	return notApplied(cause)
}

// commitFailed decides what a failed COMMIT means.
//
// A full disk is noticed while the frames of the transaction are written to the WAL:
// before the last one, which makes it a commit, is complete, and before any sync.
// SQLite has then rolled back. The next transaction overwrites the frames, and a
// recovery before that ignores them. commitFailed reads the state to confirm this, and
// then nothing was added. After any other error, a failed sync above all, the frames may
// or may not be on the disk, whatever can be read now.
func (l *Log) commitFailed(cause error) error {
	_, err := l.w.exec("ROLLBACK")
	l.checkpointIfFull(cause)
	if primary(cause) == sqlite3.SQLITE_FULL && (err == nil || isNoTransaction(err)) {
		if now, err := readState(l.w); err == nil && now.same(&l.last) {
			return notApplied(cause)
		}
	}
	l.stopAfter(cause)
	return &failure{fmt.Sprintf("the transaction could not be committed: %s", describe(cause)), false, cause}
}

func isNoTransaction(err error) bool {
	return primary(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no transaction is active")
}

// checkpointIfFull has maintain empty the WAL, whatever its size, if err says that the
// disk is full: the WAL may hold the only space that can be freed. If there is not enough
// space even for that, maintain tries again after the next transaction.
func (l *Log) checkpointIfFull(err error) {
	if isFull(err) {
		l.walPages = max(l.walPages, l.walLimit)
		l.wakeMaintain()
	}
}

// stopIfUntrusted stops the log if, after err, it is not known what is on the disk.
func (l *Log) stopIfUntrusted(err error) {
	if storageFailed(err) {
		l.stopAfter(err)
	}
}

func (l *Log) stopAfter(cause error) {
	l.stop(fmt.Sprintf("stet has stopped writing to %s because %s. Reads still work. Check the disk, then close the store and open it again", l.path, describe(cause)), cause)
}

// stop ends all writing. The first reason counts.
func (l *Log) stop(message string, cause error) {
	if l.stopped.CompareAndSwap(nil, &failure{message, true, cause}) {
		l.endWriting(stet.WrapError(cause, stet.CodeUnavailable, "%s.", message))
	}
}
