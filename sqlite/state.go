package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"

	"github.com/stet-dev/stet/driver"
)

// errForeignWrite says that another program has written to the file.
var errForeignWrite = errors.New("sqlite: another program has changed the log")

// checkUnchanged checks, in a transaction, that no other program has written to the log,
// and stops the log if one has. data_version changes when another connection has
// committed anything, or has only moved the WAL to the file, which is harmless. So the
// state is compared too.
func (l *Log) checkUnchanged() error {
	v, err := l.w.integer("PRAGMA data_version")
	if err != nil || v == l.last.dataVersion {
		return err
	}
	now, err := readState(l.w)
	if err != nil {
		return err
	}
	if !now.same(&l.last) {
		l.stop(fmt.Sprintf("stet has stopped writing to %s: another program has written to it (the log ends at revision %d, not at %d as stet left it, or the tables were changed). Find out what it was, then close the store and open it again; stet verify says whether it is sound",
			l.path, now.tail.Revision, l.last.tail.Revision), errForeignWrite)
		return l.stopped.Load()
	}
	l.last.dataVersion = now.dataVersion
	return nil
}

// A state is what checkUnchanged compares.
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

// readState reads the state of the file.
func readState(c *conn) (s state, err error) {
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
