package sqlite

import (
	"context"
	"errors"
)

// readers is the most connections that read at once. A read takes microseconds
// where the page is in memory; more would each cost a cache of pages.
const readers = 4

// A pool is the connections that read, opened when they are needed first. They
// never wait for the one that writes.
type pool struct {
	path string
	free chan *conn // always as many as readers, less those that are in use; nil is one not yet opened
}

func newPool(path string) *pool {
	p := &pool{path: path, free: make(chan *conn, readers)}
	for range readers {
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

func (p *pool) connect() (*conn, error) {
	return connect(p.path, readsOnly, append(pragmas(), "query_only = ON", "cache_size = -4000")...)
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

// close waits for those who read.
func (p *pool) close() error {
	var errs []error
	for range readers {
		if c := <-p.free; c != nil {
			errs = append(errs, c.close())
		}
	}
	return errors.Join(errs...)
}
