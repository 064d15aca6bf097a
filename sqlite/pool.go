package sqlite

import (
	"context"
	"errors"
)

// readers is how many connections serve reads. A read takes microseconds if the page is
// in memory, and each further connection would cost a cache of pages.
const readers = 4

// jobs is how many connections there are for what reads the whole file: checks and
// backups. So a read never waits for one of those.
const jobs = 2

// A pool is a fixed number of connections that read. They never wait for the connection
// that writes.
type pool struct {
	path       string
	free       chan *conn      // the connections that are not in use; nil for one that is not open
	closed     <-chan struct{} // closed before close is called: then nobody waits for a connection
	checkFiles func() error    // fails if the path does not lead to the file that is open
}

func newPool(path string, n int, closing <-chan struct{}, there func() error) *pool {
	p := &pool{path: path, free: make(chan *conn, n), closed: closing, checkFiles: there}
	for range n {
		p.free <- nil
	}
	return p
}

// do runs f with a connection. It closes a connection that failed.
func (p *pool) do(ctx context.Context, f func(*conn) error) (err error) {
	var c *conn
	select {
	case c = <-p.free:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.closed:
		return errClosed
	}
	defer func() { p.free <- c }()
	if c == nil {
		if c, err = p.connect(); err != nil {
			return err
		}
	}
	if err = f(c); codeOf(err) != 0 {
		err = errors.Join(err, c.close())
		c = nil
	}
	return err
}

// connect opens a connection by the path. It checks before and afterwards that the path
// leads to the file that is open: otherwise SQLite would take the WAL for that of another.
func (p *pool) connect() (*conn, error) {
	if err := p.checkFiles(); err != nil {
		return nil, err
	}
	c, err := connect(p.path, readsOnly, append(pragmas(), "query_only = ON", "cache_size = -4000")...)
	if err != nil {
		return nil, err
	}
	if err := p.checkFiles(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// keepOne makes sure that a connection is open and has read, so that the writing
// connection is not the last one that is closed.
func (p *pool) keepOne() {
	c := <-p.free
	if c == nil {
		c, _ = p.connect() // without it the WAL is emptied after all, which loses nothing
		if c != nil {
			_, _ = c.integer("SELECT max(revision) FROM commits") // the file is locked by a connection that has read
		}
	}
	p.free <- c
}

// open opens all connections, so that each has its descriptors even if the process has
// none left later.
func (p *pool) open() error {
	for range cap(p.free) {
		c := <-p.free
		var err error
		if c == nil {
			if c, err = p.connect(); err == nil {
				_, err = c.integer("SELECT max(revision) FROM commits") // opens the WAL as well
			}
		}
		p.free <- c
		if err != nil {
			return err
		}
	}
	return nil
}

// close waits until no connection is in use, and closes all. Callers that still wait in do
// get errClosed.
func (p *pool) close() error {
	var errs []error
	for range cap(p.free) {
		if c := <-p.free; c != nil {
			errs = append(errs, c.close())
		}
	}
	return errors.Join(errs...)
}
