package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/internal/dbfile"
)

// createCopy creates an empty file for a copy and closes it: SQLite will write to it, and
// would lose its locks if another descriptor of the file were closed.
func createCopy(ctx context.Context, path string, o dbfile.Options) (*dbfile.Copy, error) {
	c, err := dbfile.Create(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if err := c.File.Close(); err != nil {
		c.Close()
		return nil, dbfile.CreateError(err, path)
	}
	return c, nil
}

// copyFile copies one state of an SQLite file into the empty file at made.
func copyFile(ctx context.Context, path, mode, made string, progress func(done, total uint64)) (err error) {
	c, err := connect(path, mode, pragmas()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	stop, err := watchSize(c, made, progress)
	if err != nil {
		return err
	}
	bound := c.values([]any{made})
	_, err = c.raw.ExecContext(ctx, "VACUUM INTO ?", bound)
	stop()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}

// sizeEvery is how often the size of a copy is reported.
const sizeEvery = 100 * time.Millisecond

// watchSize calls progress with the size of a copy, and the size that it will have, until
// stop is called.
func watchSize(c *conn, made string, progress func(done, total uint64)) (stop func(), err error) {
	if progress == nil {
		return func() {}, nil
	}
	var n [3]int64
	for i, p := range []string{"page_count", "freelist_count", "page_size"} {
		if n[i], err = c.integer("PRAGMA " + p); err != nil {
			return nil, err
		}
	}
	total := uint64(max(n[0]-n[1], 1) * n[2])
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		t := time.NewTicker(sizeEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				if info, err := os.Stat(made); err == nil {
					progress(min(uint64(info.Size()), total), total)
				}
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-gone }, nil
}

// copyProgress reports a copy as the first half of the work.
func copyProgress(progress func(done, total uint64)) func(done, total uint64) {
	if progress == nil {
		return nil
	}
	return func(done, total uint64) { progress(done, 2*total) }
}

// checkProgress reports a check as the second half of the work. Verify goes through the log
// and then through the texts, which each count as half of it.
func checkProgress(progress func(done, total uint64)) func(done, total uint64) {
	if progress == nil {
		return nil
	}
	last, texts := uint64(0), uint64(0)
	return func(done, total uint64) {
		if done < last {
			texts = 1
		}
		last = done
		progress((2+texts)*total+done, 4*total)
	}
}

// checkCopy opens a copy as a store and verifies all of it. It does not change the copy.
func checkCopy(ctx context.Context, path string, o stet.VerifyOptions) (r stet.Report, err error) {
	log, err := openCopy(path)
	if err != nil {
		return r, err
	}
	s, err := core.Open(ctx, log, &core.Options{CacheBytes: -1})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Verify(ctx, o)
}

// summary names the first of several problems, in one line.
func summary(problems []string) string {
	if len(problems) == 1 {
		return problems[0]
	}
	return fmt.Sprintf("%s (and %d more)", problems[0], len(problems)-1)
}
