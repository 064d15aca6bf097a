package sqlite

import (
	"context"
	"errors"
)

// readers is the most connections that read at once. A read takes microseconds
// where the page is in memory; more would each cost a cache of pages.
const readers = 4

// jobs is how many connections there are for what reads the whole file, a check or a
// backup, so that a read never waits behind one.
const jobs = 2

// A pool is connections that read. They never wait for the one that writes.
type pool struct {
	path    string
	free    chan *conn      // always as many as there are, less those that are in use; nil is one not yet opened
	closing <-chan struct{} // closed before close is called: then nobody waits for a connection
	there   func() error    // fails if the path does not lead to the file that is open
}

func newPool(path string, n int, closing <-chan struct{}, there func() error) *pool {
	p := &pool{path: path, free: make(chan *conn, n), closing: closing, there: there}
	for range n {
		p.free <- nil
	}
	return p
}

// do runs f with a connection. One that failed is not used again.
func (p *pool) do(ctx context.Context, f func(*conn) error) (err error) {
	var c *conn
	select {
	case c = <-p.free:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.closing:
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

// connect opens a connection by the path, which must lead to the file that is open:
// before, since SQLite would take the WAL for that of another file, and afterwards.
func (p *pool) connect() (*conn, error) {
	if err := p.there(); err != nil {
		return nil, err
	}
	c, err := connect(p.path, readsOnly, append(pragmas(), "query_only = ON", "cache_size = -4000")...)
	if err != nil {
		return nil, err
	}
	if err := p.there(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// hold opens a connection, if none is open, that stays open until close.
func (p *pool) hold() {
	c := <-p.free
	if c == nil {
		c, _ = p.connect() // then the WAL is moved after all, which loses nothing
		if c != nil {
			_, _ = c.integer("SELECT max(revision) FROM commits") // locks the file
		}
	}
	p.free <- c
}

// open opens all connections, so that there is a descriptor for each when the process
// has no other left.
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

// close waits for those who read. Who waits for a connection is not given one any more.
func (p *pool) close() error {
	var errs []error
	for range cap(p.free) {
		if c := <-p.free; c != nil {
			errs = append(errs, c.close())
		}
	}
	return errors.Join(errs...)
}
