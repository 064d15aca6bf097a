package core

import (
	"context"
	"time"

	"github.com/stet-dev/stet"
)

// snapshotAt returns the newest snapshot and the revision at which its heads are
// to be viewed, as the options ask for.
func (c *Core) snapshotAt(ctx context.Context, o stet.ReadOptions) (*snapshot, uint64, error) {
	if c.ctx.Err() != nil {
		return nil, 0, errClosed()
	}
	if !o.Local {
		if err := c.fresh(ctx); err != nil {
			return nil, 0, err
		}
	}
	if o.MinRevision > c.Revision() {
		if err := c.waitFor(ctx, o.MinRevision); err != nil {
			return nil, 0, err
		}
	}
	s := c.published.Load()
	if err := c.refuseClosed(); err != nil {
		return nil, 0, err
	}
	at := uint64(now)
	switch {
	case o.At.Revision != 0 && !o.At.Time.IsZero():
		return nil, 0, stet.Errorf(stet.CodeInvalid, "both a revision and a time were given to read at. Give one.")
	case o.At.Revision > s.revision:
		return nil, 0, stet.Errorf(stet.CodeNotFound, "there is no revision %d yet: the newest is %d.", o.At.Revision, s.revision)
	case o.At.Revision != 0:
		at = o.At.Revision
	case !o.At.Time.IsZero():
		var err error
		if at, err = c.revisionAt(ctx, s, o.At.Time); err != nil {
			return nil, 0, err
		}
	}
	if at < s.cleared {
		return nil, 0, stet.Errorf(stet.CodeNotFound, "the store was cleared at revision %d; what was there at revision %d is gone.", s.cleared, at)
	}
	return s, at, nil
}

// waitFor returns once the state has reached a revision.
func (c *Core) waitFor(ctx context.Context, revision uint64) error {
	for {
		news, done := c.news.next()
		if c.Revision() >= revision {
			done()
			return nil
		}
		select {
		case <-news:
			done()
		case <-ctx.Done():
			done()
			return stet.WrapError(context.Cause(ctx), stet.CodeUnavailable, "revision %d has not come; the newest is %d. Try again later.", revision, c.Revision())
		case <-c.ctx.Done():
			done()
			return errClosed()
		}
	}
}

// revisionAt returns the revision of the last commit that is not later than t, by
// binary search, for which times are taken to grow with revisions.
func (c *Core) revisionAt(ctx context.Context, s *snapshot, t time.Time) (uint64, error) {
	low, high := uint64(0), s.revision // the answer is in [low, high]
	for low < high {
		mid := high - (high-low)/2
		ch, _, err := c.entryAt(ctx, mid) // checked: a time that rotted would lead elsewhere
		if err != nil {
			return 0, err
		}
		if ch.Time.After(t) {
			high = mid - 1
		} else {
			low = mid
		}
	}
	if low == 0 {
		return 0, stet.Errorf(stet.CodeNotFound, "the store had nothing at %s: its first commit came later.", stet.FormatTime(t))
	}
	return low, nil
}
