package core

import (
	"context"
	"errors"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/prompt"
)

// Backup has the engine copy the store to a file, and returns the revision and
// the hash of the last entry that is in it.
func (c *Core) Backup(ctx context.Context, path string, o driver.BackupOptions) (uint64, prompt.Hash, error) {
	if c.ctx.Err() != nil {
		return 0, prompt.Hash{}, errClosed()
	}
	b, ok := c.log.(driver.Backuper)
	if !ok {
		return 0, prompt.Hash{}, fault.New(fault.Invalid, "a store of the engine %s cannot be backed up to a file. Export it.", c.info.Engine)
	}
	tail, err := b.Backup(ctx, path, o)
	var e *fault.Error
	switch {
	case err != nil && c.ctx.Err() != nil:
		return 0, prompt.Hash{}, errClosed()
	case errors.As(err, &e):
		return 0, prompt.Hash{}, err
	case err != nil:
		return 0, prompt.Hash{}, fault.Wrap(err, fault.Unavailable, "the store could not be backed up: %v. Nothing was left.", err)
	}
	return tail.Revision, tail.Hash, nil
}
