package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// readBytes is the most data that one Read returns, unless the first entry has more.
const readBytes = 4 << 20

// errEnough ends a query early.
var errEnough = errors.New("enough")

// readFrom runs f with a connection of p. ctx bounds the wait for the connection.
func (l *Log) readFrom(ctx context.Context, p *pool, f func(c *conn) error) error {
	if l.ctx.Err() != nil {
		return errClosed
	}
	err := p.do(ctx, func(c *conn) error {
		if l.ctx.Err() != nil {
			return errClosed
		}
		return f(c)
	})
	switch {
	case errors.Is(err, errFilesMoved):
		return stet.WrapError(err, stet.CodeUnavailable, "%s cannot be read: %s.", l.path, describe(err))
	case transient(err):
		return stet.WrapError(err, stet.CodeUnavailable, "%s could not be read now: %s. Nothing says that the file is damaged. Try again.", l.path, describe(err))
	case codeOf(err) != 0:
		return &readError{err}
	}
	return err
}

// A readError is an error of SQLite with a message of ours.
type readError struct{ err error }

func (e *readError) Error() string { return describe(e.err) }
func (e *readError) Unwrap() error { return e.err }

// Read implements driver.Log.
func (l *Log) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	return l.entries(ctx, l.readers, after, limit)
}

func (l *Log) entries(ctx context.Context, p *pool, after uint64, limit int) ([]driver.Entry, error) {
	if limit <= 0 {
		return nil, nil
	}
	var entries []driver.Entry
	err := l.readFrom(ctx, p, func(c *conn) error {
		bytes := 0
		err := c.query(context.Background(), "SELECT revision, id, hash, data FROM commits WHERE revision > ? ORDER BY revision LIMIT ?", func(row []sqldriver.Value) error {
			e, err := entry(row, after+uint64(len(entries))+1)
			if err != nil {
				return err
			}
			if bytes += len(e.Data); bytes > readBytes && len(entries) > 0 {
				return errEnough
			}
			entries = append(entries, e)
			return nil
		}, int64(after), int64(limit))
		if err == errEnough {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// entry returns the entry of a row, which must be the one at the given revision.
func entry(row []sqldriver.Value, revision uint64) (driver.Entry, error) {
	at, _ := row[0].(int64)
	hash, _ := row[2].([]byte)
	data, _ := row[3].(string)
	e := driver.Entry{Revision: uint64(at), Data: []byte(data)}
	if e.Revision != revision {
		return e, fmt.Errorf("the log is damaged: revision %d is missing, the next is %d", revision, at)
	}
	if copy(e.Hash[:], hash) != driver.HashSize || len(hash) != driver.HashSize {
		return e, fmt.Errorf("the log is damaged: revision %d has a hash of %d bytes", at, len(hash))
	}
	id, ok := row[1].(string)
	if !ok {
		if id, ok = leadingID(data, e.Revision); !ok {
			return e, fmt.Errorf("the log is damaged: the data of revision %d does not begin with its id", at)
		}
	}
	e.ID = id
	return e, nil
}

// Body implements driver.Log.
func (l *Log) Body(ctx context.Context, ref driver.BodyRef) (driver.Body, error) {
	return l.body(ctx, l.readers, ref)
}

func (l *Log) body(ctx context.Context, p *pool, ref driver.BodyRef) (driver.Body, error) {
	if ref.Revision < l.cleared.Load() {
		return driver.Body{}, driver.ErrNoBody // removed, or about to be
	}
	found := false
	b := driver.Body{BodyRef: driver.BodyRef{Revision: ref.Revision, Op: ref.Op}}
	err := l.readFrom(ctx, p, func(c *conn) error {
		return c.query(context.Background(), `SELECT prompt_id, version, ordinal, text, fields FROM bodies
			WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM dropped WHERE key = ?1)`, func(row []sqldriver.Value) error {
			var ordinal int64
			var ok [5]bool
			b.PromptID, ok[0] = row[0].(string)
			b.Version, ok[1] = row[1].(string)
			ordinal, ok[2] = row[2].(int64)
			b.Text, ok[3] = row[3].(string)
			b.Fields, ok[4] = row[4].(string)
			b.Ordinal, found = uint64(ordinal), true
			if ok != [5]bool{true, true, true, true, true} {
				return fmt.Errorf("the body of operation %d at revision %d is damaged: a column has another type", ref.Op, ref.Revision)
			}
			return nil
		}, bodyKey(&ref))
	})
	switch {
	case err != nil:
		return driver.Body{}, err
	case !found:
		return driver.Body{}, driver.ErrNoBody
	}
	return b, nil
}
