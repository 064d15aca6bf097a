package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
)

// purgeRows is how many bodies one transaction of a purge removes. It takes some
// milliseconds, and an append waits for that long at most.
const purgeRows = 256

// wakeMaintain wakes maintain if there is work for it. The caller holds the writer.
func (l *Log) wakeMaintain() {
	if l.walPages < l.walLimit && !l.purgePending {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// maintain does the work that no caller waits for: it moves the pages of the WAL to the
// file, and removes bodies that were cleared or dropped. It holds the writer for one
// small step at a time.
func (l *Log) maintain() {
	for {
		select {
		case <-l.wake:
		case <-l.ctx.Done():
			return
		}
		for more := true; more; {
			if l.lockWriter(l.ctx) != nil {
				return
			}
			more = l.maintainStep()
			l.unlockWriter()
		}
	}
}

// maintainStep does one step of the work, and reports whether there may be more. A step
// that fails is tried again after the next write. The caller holds the writer.
func (l *Log) maintainStep() (more bool) {
	if l.stopped.Load() != nil {
		return false
	}
	if l.walPages >= l.walLimit && !l.checkpointWAL() {
		return false
	}
	return l.purgePending && l.purge()
}

// checkpointWAL moves the pages of the WAL to the file, except those that a reader still
// needs in their old state, and reports whether it worked. Once all are moved the next
// transaction starts again at the beginning of the WAL.
func (l *Log) checkpointWAL() bool {
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
		// What was acknowledged is still in the WAL. But after a failed sync it is
		// not known what is on the disk.
		l.stopIfUntrusted(err)
		return false
	}
	l.walPages = int(pages - moved)
	return true
}

// purge removes some of the bodies that readers no longer see, and reports whether there
// may be more. On a full disk it uses the reserve.
func (l *Log) purge() (more bool) {
	more, err := l.purgeSome(purgeRows)
	if isFull(err) && l.stopped.Load() == nil {
		l.useReserve()
		more, err = l.purgeSome(removeNowOnFull)
	}
	return more && err == nil
}

func (l *Log) purgeSome(rows int64) (more bool, err error) {
	before := int64(l.last.cleared) * keysPerRevision
	work, err := l.w.integer("SELECT EXISTS (SELECT 1 FROM bodies WHERE key < ?) OR EXISTS (SELECT 1 FROM dropped)", before)
	if err != nil {
		l.stopIfUntrusted(err)
		return false, err
	}
	if work == 0 {
		l.purgePending = false
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
