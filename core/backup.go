package core

import (
	"context"
	"errors"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// Backup has the engine copy the store to a file, and returns the revision and
// the hash of the last entry that is in it.
func (c *Core) Backup(ctx context.Context, path string, o stet.BackupOptions) (uint64, stet.Hash, error) {
	if c.ctx.Err() != nil {
		return 0, stet.Hash{}, errClosed()
	}
	b, ok := c.log.(driver.Backuper)
	if !ok {
		return 0, stet.Hash{}, stet.Errorf(stet.CodeInvalid, "a store of the engine %s cannot be backed up to a file. Export it.", c.info.Engine)
	}
	tail, err := b.Backup(ctx, path, driver.BackupOptions(o))
	var e *stet.Error
	switch {
	case err != nil && c.ctx.Err() != nil:
		return 0, stet.Hash{}, errClosed()
	case errors.As(err, &e):
		return 0, stet.Hash{}, err
	case err != nil:
		return 0, stet.Hash{}, stet.WrapError(err, stet.CodeUnavailable, "the store could not be backed up: %v. Nothing was left.", err)
	}
	return tail.Revision, tail.Hash, nil
}
