package main

import (
	"context"
	"io"
	"os"

	"github.com/stet-dev/stet"
)

// A stoppable reads until ctx is done, even from a terminal or a pipe, where a read may
// wait for ever.
type stoppable struct {
	ctx  context.Context
	r    io.Reader
	rest []byte // read, but not yet returned
	err  error
}

func (s *stoppable) Read(p []byte) (int, error) {
	if len(s.rest) == 0 && s.err == nil {
		type answer struct {
			b   []byte
			err error
		}
		got := make(chan answer, 1)
		go func() { // if it is left behind, the program is about to end
			b := make([]byte, max(len(p), 4096))
			n, err := s.r.Read(b)
			got <- answer{b[:n], err}
		}()
		select {
		case a := <-got:
			s.rest, s.err = a.b, a.err
		case <-s.ctx.Done():
			s.err = stet.Errorf(stet.CodeUnavailable, "interrupted. Nothing changed.")
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	if len(s.rest) > 0 {
		return n, nil
	}
	return n, s.err
}

// input returns a file, or standard input for "-", and closes it with the
// returned function.
func (a *app) input(file string) (f *os.File, r io.Reader, done func() error, err error) {
	if file == "-" {
		return a.stdin, &stoppable{ctx: a.ctx, r: a.stdin}, func() error { return nil }, nil
	}
	if f, err = os.Open(file); err != nil {
		return nil, nil, nil, err
	}
	return f, &stoppable{ctx: a.ctx, r: f}, f.Close, nil
}

// readAll reads a file, or standard input for "-". It refuses what is larger than any
// store accepts.
func (a *app) readAll(file string) ([]byte, error) {
	_, r, done, err := a.input(file)
	if err != nil {
		return nil, err
	}
	defer done()
	b, err := io.ReadAll(io.LimitReader(r, stet.MaxCommitBytes+1))
	if err == nil && len(b) > stet.MaxCommitBytes {
		err = stet.Errorf(stet.CodeTooLarge, "%s has over %d MiB, which is the most. Nothing changed.", inputName(file), stet.MaxCommitBytes>>20)
	}
	return b, err
}

func inputName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}
