package core

import (
	"context"
	"fmt"
	"iter"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// ChangesPage returns the changes after a revision, oldest first, as far as they
// are published, and where the next page begins.
func (c *Core) ChangesPage(ctx context.Context, since uint64, o stet.ChangesOptions) (stet.Page[stet.Change], error) {
	var page stet.Page[stet.Change]
	limit, err := pageLimit(o.Limit)
	if err != nil {
		return page, err
	}
	if err := c.fresh(ctx); err != nil {
		return page, err
	}
	return c.changes(ctx, driver.Tail{Revision: since}, limit, o.Texts)
}

// changes returns a page. The hash of the entry that it begins after is looked up if
// it is zero.
func (c *Core) changes(ctx context.Context, after driver.Tail, limit int, texts bool) (stet.Page[stet.Change], error) {
	s, since := c.published.Load(), after.Revision
	page := stet.Page[stet.Change]{AsOf: s.revision}
	if since > s.revision {
		return page, stet.Errorf(stet.CodeNotFound, "there is no revision %d yet: the newest is %d. If you had seen it, the store was restored since.", since, s.revision)
	}
	if since == s.revision {
		return page, nil
	}
	hash := stet.Hash(after.Hash)
	if since > 0 && hash.IsZero() {
		var err error
		if hash, err = c.hashAt(ctx, since); err != nil {
			return page, err
		}
	}
	// The engine may have more than is published; that is not visible yet.
	entries, err := c.log.Read(ctx, since, int(min(uint64(limit), s.revision-since)))
	if err != nil {
		return page, c.unread(err, stet.CodeUnavailable, "the log after revision %d", since)
	}
	if len(entries) == 0 {
		return page, damaged(fmt.Errorf("the log ends at revision %d and not at %d", since, s.revision))
	}
	bytes := 0
	for i := range entries {
		e := &entries[i]
		ch, err := decodeEntry(since+uint64(i), hash, e)
		if err != nil {
			return page, damaged(err)
		}
		hash = ch.Hash
		if texts {
			for j := range ch.Ops {
				save := ch.Ops[j].Save
				if save == nil || save.Unchanged {
					continue
				}
				v, err := c.savedAt(ctx, ch, j)
				if err != nil {
					return page, err
				}
				if !v.IsZero() {
					save.Content = &v
					bytes += v.Size()
				}
			}
		}
		page.Items = append(page.Items, *ch)
		if bytes += len(e.Data); bytes > stet.MaxPageBytes {
			break
		}
	}
	if last := page.Items[len(page.Items)-1].Revision; last < s.revision {
		page.Next = fmt.Sprint(last)
	}
	return page, nil
}

// hashAt returns the hash of the entry at a revision from 1, to hold the next
// one against: what rotted on the disk is an error and never an answer.
func (c *Core) hashAt(ctx context.Context, revision uint64) (stet.Hash, error) {
	entries, err := c.log.Read(ctx, revision-1, 1)
	switch {
	case err != nil:
		return stet.Hash{}, c.unread(err, stet.CodeUnavailable, "the log at revision %d", revision)
	case len(entries) == 0:
		return stet.Hash{}, damaged(fmt.Errorf("the log ends before revision %d", revision))
	}
	return entries[0].Hash, nil
}

// Changes yields every change after a revision, in order, none missing and none
// twice, and then those to come, each after it is published, until ctx is done,
// the store is closed, or the caller stops. An error ends it.
//
// It holds nothing while its caller does not ask for more: a slow subscriber
// costs writers nothing and no memory. It reads what it missed from the log.
func (c *Core) Changes(ctx context.Context, since uint64, o stet.ChangesOptions) iter.Seq2[stet.Change, error] {
	return func(yield func(stet.Change, error) bool) {
		after := driver.Tail{Revision: since}
		limit, err := pageLimit(o.Limit)
		if err == nil {
			err = c.fresh(ctx)
		}
		for err == nil {
			var page stet.Page[stet.Change]
			page, err = c.changes(ctx, after, limit, o.Texts)
			for _, ch := range page.Items {
				if !yield(ch, nil) {
					return
				}
				after = driver.Tail{Revision: ch.Revision, Hash: ch.Hash}
			}
			if err == nil && len(page.Items) == 0 {
				err = c.waitFor(ctx, after.Revision+1)
			}
		}
		yield(stet.Change{}, err)
	}
}
