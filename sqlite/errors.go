package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/dbfile"
	"github.com/stet-dev/stet/internal/disk"
)

var errClosed = errors.New("sqlite: the log is closed")

// codeOf returns SQLite's extended result code, 0 for any other error.
func codeOf(err error) int {
	var e interface {
		error
		Code() int
	}
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// primary returns SQLite's primary result code: the extended one without its details.
func primary(err error) int { return codeOf(err) & 0xff }

// storageFailed reports whether an error of a statement means that it is unknown what is
// on the disk, or that what is there is damaged.
func storageFailed(err error) bool {
	switch primary(err) {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// transient reports whether an error of a read has another cause than a damaged file: the
// process lacks memory or descriptors, or another program has locked the file.
func transient(err error) bool {
	switch code := codeOf(err); code & 0xff {
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM,
		sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT:
		return true
	case sqlite3.SQLITE_IOERR:
		switch code {
		case sqlite3.SQLITE_IOERR_NOMEM, sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_RDLOCK,
			sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_SHMLOCK:
			return true
		}
	}
	return outOfFiles(err)
}

// outOfFiles reports whether the system has no more file descriptors.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// isFull reports whether the disk is full.
func isFull(err error) bool {
	return primary(err) == sqlite3.SQLITE_FULL || errors.Is(err, errNoReserve) || disk.IsFull(err)
}

// describe says what went wrong, as a clause without a full stop.
func describe(err error) string {
	switch code := codeOf(err); {
	case code == sqlite3.SQLITE_IOERR_FSYNC || code == sqlite3.SQLITE_IOERR_DIR_FSYNC:
		return "a sync failed"
	case isFull(err):
		return "the disk is full"
	case code&0xff == sqlite3.SQLITE_BUSY || code&0xff == sqlite3.SQLITE_LOCKED:
		return "another program is writing to the file"
	case code&0xff == sqlite3.SQLITE_READONLY:
		return "the file is read-only"
	case code&0xff == sqlite3.SQLITE_CANTOPEN || outOfFiles(err):
		return "it, or a file beside it, cannot be opened; if the process has too many files and connections open, raise its limit of open files (ulimit -n)"
	case code&0xff == sqlite3.SQLITE_NOMEM || code == sqlite3.SQLITE_IOERR_NOMEM:
		return "there is no memory left"
	case code&0xff == sqlite3.SQLITE_INTERRUPT:
		return "it was interrupted"
	case code&0xff == sqlite3.SQLITE_IOERR:
		return fmt.Sprintf("the disk failed: %v", err)
	case code&0xff == sqlite3.SQLITE_CORRUPT || code&0xff == sqlite3.SQLITE_NOTADB:
		return fmt.Sprintf("the file is damaged: %v", err)
	}
	return err.Error()
}

// A failure is an error with a message of ours. If notApplied is set it wraps
// driver.ErrNotApplied: nothing was added.
type failure struct {
	message    string
	notApplied bool
	err        error
}

func (f *failure) Error() string { return f.message }

func (f *failure) Unwrap() []error {
	if f.notApplied {
		return []error{driver.ErrNotApplied, f.err}
	}
	return []error{f.err}
}

// notApplied returns err as a failure after which it is certain that nothing was added.
func notApplied(err error) error {
	var f *failure
	if errors.As(err, &f) && f.notApplied {
		return err
	}
	return &failure{describe(err), true, err}
}

// openError returns a *stet.Error that says why a file cannot be opened.
func openError(err error, path string) error {
	var e *stet.Error
	if errors.As(err, &e) {
		return err
	}
	name := filepath.Base(path)
	switch primary(err) {
	case sqlite3.SQLITE_NOTADB:
		return stet.WrapError(err, stet.CodeInvalid, "%s is not a stet store: it is not an SQLite file, or only the beginning of one. It was left as it is. Name another file.", name)
	case sqlite3.SQLITE_CORRUPT:
		return damaged(err, path, "SQLite reports: "+err.Error())
	case sqlite3.SQLITE_FULL:
		return stet.WrapError(err, stet.CodeUnavailable, "the disk that %s is on is full. Make room and open it again.", path)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return stet.WrapError(err, stet.CodeUnavailable, "another program, not stet, is writing to %s. Nothing changed. Open it again when that program has ended.", path)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return dbfile.ReadOnlyError(err, path)
	case sqlite3.SQLITE_CANTOPEN:
		return stet.WrapError(err, stet.CodeUnavailable, "%s, or the files that belong to it (%s-wal, %s-shm), cannot be opened: %v. Check who may read and write them, and how many files the process may have open (ulimit -n).", path, name, name, err)
	}
	return stet.WrapError(err, stet.CodeInternal, "%s could not be opened: %s.", path, describe(err))
}

func damaged(err error, path, what string) error {
	return stet.WrapError(err, stet.CodeInternal, "%s is damaged: %s. Restore it from a backup. Do not write to it by other means, and keep %s-wal if there is one.", path, what, filepath.Base(path))
}
