package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// take waits for the writing connection.
func (l *Log) take(ctx context.Context) error {
	if l.ctx.Err() != nil {
		return errClosed
	}
	select {
	case l.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.ctx.Done():
		return errClosed
	}
}

func (l *Log) give() { <-l.turn }

// write runs f in one transaction and makes what it wrote durable. It cannot be
// stopped half-way. If it fails, the error wraps driver.ErrNotApplied, or what
// became of the transaction is not known and the log has stopped writing. The
// caller has the turn.
func (l *Log) write(f func() error) error {
	if s := l.stopped.Load(); s != nil {
		return s
	}
	if err := l.settled(); err != nil {
		return l.stopped.Load() // with its sentence
	}
	l.w.pagesWritten() // what failed does not count
	if _, err := l.w.exec("BEGIN IMMEDIATE"); err != nil {
		return l.stopIf(untrusted(err), notApplied(err), err)
	}
	returned := false
	defer func() {
		if !returned { // f, which calls what its caller gave it, has panicked
			_ = l.rollback(errors.New("sqlite: the transaction was abandoned"))
		}
	}()
	err := l.untouched()
	if err == nil {
		err = f()
	}
	returned = true
	if err != nil {
		return l.rollback(err)
	}
	if _, err := l.w.exec("COMMIT"); err != nil {
		return l.uncommitted(err)
	}
	l.wal += l.w.pagesWritten()
	// It is in the file that is open. Whether that is the one that will be opened
	// next must be known before anybody is told.
	if err := l.settled(); err != nil {
		return &failure{inWords(err), false, err}
	}
	return nil
}

// settled returns an error, and has stopped the log, if its files are not where they
// were.
func (l *Log) settled() error {
	err := l.place.check()
	if err != nil {
		l.leave()
		l.stop(fmt.Sprintf("stet has stopped writing to %s: %s", l.path, inWords(err)), err)
	}
	return err
}

// leave moves what the WAL holds to the file that is open, wherever that is now, so
// that it lacks nothing, and takes away what would be read as part of another file.
func (l *Log) leave() {
	if l.emptyWAL() && l.wal == 0 && l.place.taken() {
		l.place.clear()
	}
}

// rollback ends a transaction that COMMIT was not sent for: none of it is in the
// file, and without a commit's frame in the WAL it never will be.
func (l *Log) rollback(cause error) error {
	_, err := l.w.exec("ROLLBACK")
	l.makeRoom(cause)
	// SQLite rolls back by itself after a full disk and some other errors.
	broken := err != nil && !isNoTransaction(err)
	return l.stopIf(broken || untrusted(cause), notApplied(cause), cause)
}

// uncommitted finds out what a COMMIT that failed has left.
//
// A full disk is found when the frames of the transaction are written to the WAL:
// before the last of them, which makes it a commit, is whole, and before any sync.
// SQLite has rolled back, the next transaction overwrites the frames, and a
// recovery that comes first ignores them. Once that is seen to be so, nothing was
// added. After any other error, of a sync above all, the frames may be on the disk
// or not, whatever can be read now.
func (l *Log) uncommitted(cause error) error {
	_, err := l.w.exec("ROLLBACK")
	l.makeRoom(cause)
	if primary(cause) == sqlite3.SQLITE_FULL && (err == nil || isNoTransaction(err)) {
		if now, err := look(l.w); err == nil && now.same(&l.left) {
			return notApplied(cause)
		}
	}
	return l.stopIf(true, &failure{fmt.Sprintf("the transaction could not be ended: %s", inWords(cause)), false, cause}, cause)
}

func isNoTransaction(err error) bool {
	return primary(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no transaction is active")
}

// makeRoom has the WAL emptied, whatever its size, after an error that says that the
// disk is full: what it holds may be all the space that there is. If there is not
// enough even for that, it is tried again after the next transaction.
func (l *Log) makeRoom(err error) {
	if isFull(err) {
		l.wal = max(l.wal, l.limit)
		l.stir()
	}
}

// stopIf returns err, after it has seen to it, if so, that the log writes no more.
func (l *Log) stopIf(so bool, err, cause error) error {
	if so {
		l.stop(fmt.Sprintf("stet has stopped writing to %s since %s; what was read before can still be read. Check the disk, then close the store and open it again", l.path, inWords(cause)), cause)
	}
	return err
}

func (l *Log) stop(message string, cause error) {
	if l.stopped.CompareAndSwap(nil, &failure{message, true, cause}) {
		l.endWriting(stet.WrapError(cause, stet.CodeUnavailable, "%s.", message))
	}
}

// errForeign means that somebody else has written to the file.
var errForeign = errors.New("sqlite: the log is not as this process left it")

// untouched checks, in a transaction, that nobody else has written. SQLite tells
// that another connection has committed, or moved the WAL to the file, which is
// harmless; what counts is whether the log is as it was.
func (l *Log) untouched() error {
	v, err := l.w.integer("PRAGMA data_version")
	if err != nil || v == l.left.dataVersion {
		return err
	}
	now, err := look(l.w)
	if err != nil {
		return err
	}
	if !now.same(&l.left) {
		l.stop(fmt.Sprintf("stet has stopped writing to %s: another program has written to it (the log ends at revision %d, and not at %d as stet left it, or the tables were changed). Find out what it was, then close the store and open it again; stet verify says whether it is sound",
			l.path, now.tail.Revision, l.left.tail.Revision), errForeign)
		return l.stopped.Load()
	}
	l.left.dataVersion = now.dataVersion
	return nil
}

// A state is what tells whether a file is as it was left.
type state struct {
	dataVersion   int64 // changes when another connection commits
	schemaVersion int64 // changes when tables do
	userVersion   int64
	tail          driver.Tail
	cleared       uint64
	storeID       string
}

func (s *state) same(t *state) bool {
	return s.schemaVersion == t.schemaVersion && s.userVersion == t.userVersion && s.tail == t.tail &&
		s.cleared == t.cleared && s.storeID == t.storeID
}

// look reads the state of the file.
func look(c *conn) (s state, err error) {
	for _, q := range []struct {
		query string
		to    *int64
	}{
		{"PRAGMA data_version", &s.dataVersion},
		{"PRAGMA schema_version", &s.schemaVersion},
		{"PRAGMA user_version", &s.userVersion},
	} {
		if *q.to, err = c.integer(q.query); err != nil {
			return s, err
		}
	}
	if s.storeID, err = c.text("SELECT value FROM meta WHERE name = 'store_id'"); err != nil {
		return s, err
	}
	cleared, err := c.integer("SELECT value FROM meta WHERE name = 'cleared'")
	if err != nil {
		return s, err
	}
	s.cleared = uint64(cleared)
	err = c.query(context.Background(), "SELECT revision, hash FROM commits ORDER BY revision DESC LIMIT 1", func(row []sqldriver.Value) error {
		revision, _ := row[0].(int64)
		hash, _ := row[1].([]byte)
		s.tail.Revision = uint64(revision)
		if copy(s.tail.Hash[:], hash) != driver.HashSize || len(hash) != driver.HashSize {
			return fmt.Errorf("the entry at revision %d has a hash of %d bytes", revision, len(hash))
		}
		return nil
	})
	return s, err
}
