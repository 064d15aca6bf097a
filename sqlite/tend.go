package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
)

// purgeRows is how many bodies are removed in one transaction. It holds up an
// append for as long as that takes: some milliseconds.
const purgeRows = 256

// stir wakes tend if there is something to do. The caller has the turn.
func (l *Log) stir() {
	if l.wal < l.limit && !l.litter {
		return
	}
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// tend does what must be done but not before anybody is answered: it moves the
// WAL's pages to the file, and removes bodies that were cleared or dropped. It has
// the turn for one small step at a time.
func (l *Log) tend() {
	for {
		select {
		case <-l.poke:
		case <-l.ctx.Done():
			return
		}
		for more := true; more; {
			if l.take(l.ctx) != nil {
				return
			}
			more = l.step()
			l.give()
		}
	}
}

// step does the next thing, and tells whether there may be more. What fails is
// tried again when the log is written to next. The caller has the turn.
func (l *Log) step() (more bool) {
	if l.stopped.Load() != nil {
		return false
	}
	if l.wal >= l.limit && !l.emptyWAL() {
		return false
	}
	return l.litter && l.purge()
}

// emptyWAL moves the pages of the WAL to the file, as far as no reader needs the
// old ones, and tells whether it worked. Once all are moved the next transaction
// begins at the WAL's start.
func (l *Log) emptyWAL() bool {
	var pages, moved int64
	err := l.w.query(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)", func(row []sqldriver.Value) error {
		pages, _ = row[1].(int64)
		moved, _ = row[2].(int64)
		return nil
	})
	if err == nil && l.w.hook != nil {
		err = l.w.hook("PRAGMA wal_checkpoint(PASSIVE)", func() error { return nil })
	}
	if err != nil {
		// What was acknowledged is in the WAL still. But after a failed sync
		// nothing that the disk says can be built on.
		_ = l.stopIf(untrusted(err), err, err)
		return false
	}
	l.wal = int(pages - moved)
	return true
}

// purge removes some bodies that are gone for readers already, and tells whether
// there may be more. On a full disk it takes the room that is held for that.
func (l *Log) purge() (more bool) {
	more, err := l.purgeSome(purgeRows)
	if isFull(err) && l.stopped.Load() == nil {
		l.useReserve()
		more, err = l.purgeSome(dropNowOnFull)
	}
	return more && err == nil
}

func (l *Log) purgeSome(rows int64) (more bool, err error) {
	before := int64(l.left.cleared) * slots
	work, err := l.w.integer("SELECT EXISTS (SELECT 1 FROM bodies WHERE key < ?) OR EXISTS (SELECT 1 FROM dropped)", before)
	if err != nil {
		_ = l.stopIf(untrusted(err), err, err)
		return false, err
	}
	if work == 0 {
		l.litter = false
		return false, nil
	}
	err = l.write(func() error {
		n, err := l.w.exec("DELETE FROM bodies WHERE key IN (SELECT key FROM bodies WHERE key < ? ORDER BY key LIMIT ?)", before, rows)
		if err != nil || n > 0 {
			return err
		}
		for _, query := range []string{
			"DELETE FROM bodies WHERE key IN (SELECT key FROM dropped ORDER BY key LIMIT ?)",
			"DELETE FROM dropped WHERE key IN (SELECT key FROM dropped ORDER BY key LIMIT ?)",
		} {
			if _, err := l.w.exec(query, rows); err != nil {
				return err
			}
		}
		return nil
	})
	return true, err
}
