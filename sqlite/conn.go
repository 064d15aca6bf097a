package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// A conn is one connection to the file, with the statements that it has prepared.
// One goroutine uses it at a time.
//
// It calls the driver directly and not through database/sql: the engine needs one
// connection that writes and a few that read, and a transaction of database/sql costs as
// much as a save.
type conn struct {
	raw   rawConn
	stmts map[string]stmt
	args  []sqldriver.NamedValue

	// hook, set by tests, is called for each statement of exec instead of run.
	hook func(query string, run func() error) error
}

type rawConn interface {
	sqldriver.Conn
	sqldriver.ConnPrepareContext
	sqldriver.ExecerContext
	sqlite.DBStatus
	sqlite.FileControl
	IsReadOnly(schema string) (bool, error)
}

type stmt interface {
	sqldriver.Stmt
	sqldriver.StmtExecContext
	sqldriver.StmtQueryContext
}

// Modes of a connection.
const (
	readWrite = "rw" // the file exists
	readsOnly = "ro"
)

// connect opens a connection to the file and runs the pragmas on it. It is the only
// place where a connection is opened, so that none lacks them.
func connect(path, mode string, pragmas ...string) (*conn, error) {
	connector, err := sqlite.NewConnector(address(path, mode))
	if err != nil {
		return nil, err
	}
	// Not the caller's context: with one that can end, the driver starts a goroutine
	// for each statement and may interrupt a COMMIT.
	c, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	raw, ok := c.(rawConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("sqlite: the driver's %T lacks a method", c), c.Close())
	}
	conn := &conn{raw: raw, stmts: make(map[string]stmt)}
	for _, p := range pragmas {
		if err := conn.script("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, conn.close())
		}
	}
	return conn, nil
}

// address is the URI of an absolute path.
func address(path, mode string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/…
	}
	u := url.URL{Path: p}
	return "file://" + u.EscapedPath() + "?mode=" + mode
}

// prepared returns the statement for a query. It prepares each query once.
func (c *conn) prepared(query string) (stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	p, err := c.raw.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	s := p.(stmt)
	c.stmts[query] = s
	return s, nil
}

// bind returns n arguments to fill in. They are valid until the next call.
func (c *conn) bind(n int) []sqldriver.NamedValue {
	for len(c.args) < n {
		c.args = append(c.args, sqldriver.NamedValue{Ordinal: len(c.args) + 1})
	}
	return c.args[:n]
}

func (c *conn) values(args []any) []sqldriver.NamedValue {
	bound := c.bind(len(args))
	for i, a := range args {
		bound[i].Value = a
	}
	return bound
}

// exec runs a statement and returns the number of rows that it changed. An argument is
// an int64, a string, a []byte or nil.
func (c *conn) exec(query string, args ...any) (int64, error) {
	return c.execBound(query, c.values(args))
}

func (c *conn) execBound(query string, args []sqldriver.NamedValue) (n int64, err error) {
	run := func() error {
		s, err := c.prepared(query)
		if err != nil {
			return err
		}
		r, err := s.ExecContext(context.Background(), args)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	}
	if c.hook != nil {
		return n, c.hook(query, run)
	}
	return n, run()
}

// script runs statements without keeping them prepared.
func (c *conn) script(sql string) error {
	_, err := c.raw.ExecContext(context.Background(), sql, nil)
	return err
}

// query calls row for each row of the answer. The slice is valid during the call. If row
// fails, query ends with its error. Only a long query needs a ctx that can end.
func (c *conn) query(ctx context.Context, query string, row func([]sqldriver.Value) error, args ...any) (err error) {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, c.values(args))
	if err != nil {
		return err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	v := make([]sqldriver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(v); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := row(v); err != nil {
			return err
		}
	}
}

// integer returns the one integer of a query's answer, 0 for NULL or no row.
func (c *conn) integer(query string, args ...any) (n int64, err error) {
	err = c.query(context.Background(), query, func(row []sqldriver.Value) error {
		n, _ = row[0].(int64)
		return nil
	}, args...)
	return n, err
}

// text returns the one text of a query's answer, "" for NULL or no row.
func (c *conn) text(query string, args ...any) (s string, err error) {
	err = c.query(context.Background(), query, func(row []sqldriver.Value) error {
		s, _ = row[0].(string)
		return nil
	}, args...)
	return s, err
}

// pagesWritten returns the number of pages written since the last call.
func (c *conn) pagesWritten() int {
	n, _, err := c.raw.Status(sqlite.DBStatusCacheWrite, true)
	if err != nil {
		return 0 // only an estimate of the WAL's size
	}
	return n
}

// keepWAL makes SQLite leave the -wal file where it is when the conn is closed.
func (c *conn) keepWAL() error {
	_, err := c.raw.FileControlPersistWAL("main", 1)
	return err
}

// close closes the statements first: SQLite keeps a connection alive as long as it has a
// statement, and the last connection that is closed empties the WAL.
func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}
