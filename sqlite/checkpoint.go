package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"

	"github.com/stet-dev/stet/driver"
)

// SaveCheckpoint implements driver.Checkpointer.
func (l *Log) SaveCheckpoint(ctx context.Context, revision uint64, reset bool, chunks []driver.Chunk) error {
	if err := l.lockWriter(ctx); err != nil {
		return notApplied(err)
	}
	defer l.unlockWriter()
	err := l.write(func() error {
		saved, err := l.w.integer("SELECT value FROM meta WHERE name = 'checkpoint'")
		if err != nil {
			return err
		}
		// A checkpoint beyond the tail belongs to a log that has lost entries.
		if s := uint64(saved); s > revision && s <= l.last.tail.Revision {
			return fmt.Errorf("there is a checkpoint of revision %d, newer than %d", s, revision)
		}
		if reset {
			if _, err := l.w.exec("DELETE FROM checkpoint"); err != nil {
				return err
			}
		}
		for i := range chunks {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if err := l.saveChunk(&chunks[i]); err != nil {
				return err
			}
		}
		_, err = l.w.exec("UPDATE meta SET value = ? WHERE name = 'checkpoint'", int64(revision))
		return err
	})
	l.wakeMaintain()
	return err
}

func (l *Log) saveChunk(c *driver.Chunk) error {
	if c.Data == nil {
		_, err := l.w.exec("DELETE FROM checkpoint WHERE key = ?", c.Key)
		return err
	}
	_, err := l.w.exec("INSERT INTO checkpoint (key, data) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET data = excluded.data", c.Key, c.Data)
	return err
}

// LoadCheckpoint implements driver.Checkpointer.
func (l *Log) LoadCheckpoint(ctx context.Context, chunk func(driver.Chunk) error) (revision uint64, err error) {
	err = l.readFrom(ctx, l.readers, func(c *conn) error {
		// In one transaction, so that the chunks and the revision belong together.
		if err := c.script("BEGIN"); err != nil {
			return err
		}
		defer func() { _ = c.script("COMMIT") }() // a connection that failed is closed
		r, err := c.integer("SELECT value FROM meta WHERE name = 'checkpoint'")
		if err != nil || r == 0 {
			return err
		}
		revision = uint64(r)
		return c.query(context.Background(), "SELECT key, data FROM checkpoint ORDER BY key", func(row []sqldriver.Value) error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			key, _ := row[0].(string)
			data, _ := row[1].([]byte)
			if data == nil {
				data = []byte{} // SQLite's driver returns nil for empty data; to core nil means none
			}
			return chunk(driver.Chunk{Key: key, Data: data})
		})
	})
	if err != nil {
		return 0, err
	}
	return revision, nil
}
