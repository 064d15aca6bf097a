package sqlite

import (
	"context"
	"errors"

	"github.com/stet-dev/stet/driver"
)

// A copyLog is the log in a copy that is not installed yet. It only reads. It does not save
// a checkpoint, so that what is checked is what will be installed.
type copyLog struct{ *Log }

func openCopy(path string) (_ *copyLog, err error) {
	c, err := connect(path, readsOnly, pragmas()...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if _, err := version(c, path, schema); err != nil {
		return nil, err
	}
	last, err := readState(c)
	if err != nil {
		return nil, err
	}
	if last.storeID == "" {
		return nil, damaged(nil, path, "its table meta has no store_id")
	}
	l := &Log{path: path, storeID: last.storeID, last: last}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.writing, l.endWriting = context.WithCancelCause(context.Background())
	unchecked := func() error { return nil } // no other program knows the file
	l.readers, l.jobs = newPool(path, readers, l.ctx.Done(), unchecked), newPool(path, jobs, l.ctx.Done(), unchecked)
	l.tail.Store(&last.tail)
	l.cleared.Store(last.cleared)
	return &copyLog{l}, nil
}

// Append implements driver.Log.
func (s *copyLog) Append(context.Context, driver.Tail, []driver.Entry) error {
	return notApplied(errors.New("sqlite: a copy is read-only"))
}

// SaveCheckpoint implements driver.Checkpointer.
func (s *copyLog) SaveCheckpoint(context.Context, uint64, bool, []driver.Chunk) error { return nil }

// Close implements driver.Log.
func (s *copyLog) Close() error {
	var err error
	s.once.Do(func() {
		s.cancel()
		err = errors.Join(s.jobs.close(), s.readers.close())
	})
	return err
}
