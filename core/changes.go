package core

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// ChangesPage returns the changes after a revision, oldest first, as far as they
// are published, and where the next page begins.
func (c *core) ChangesPage(ctx context.Context, since uint64, o stet.ChangesOptions) (stet.Page[stet.Change], error) {
	var page stet.Page[stet.Change]
	limit, err := pageLimit(o.Limit)
	if err != nil {
		return page, err
	}
	if err := stet.CheckPrefix(o.Prefix); err != nil {
		return page, err
	}
	if err := c.refresh(ctx); err != nil {
		return page, err
	}
	page, _, err = c.changes(ctx, driver.Tail{Revision: since}, limit, o)
	return page, err
}

// changes returns a page, and the entry that it ends with. The hash of the entry that it
// begins after is looked up if it is zero.
func (c *core) changes(ctx context.Context, after driver.Tail, limit int, o stet.ChangesOptions) (page stet.Page[stet.Change], last driver.Tail, err error) {
	s, since := c.published.Load(), after.Revision
	page.AsOf = s.revision
	if since > s.revision {
		return page, after, stet.Errorf(stet.CodeNotFound, "there is no revision %d yet: the newest is %d. If you had seen it, the store was restored since.", since, s.revision)
	}
	if since == s.revision {
		return page, after, nil
	}
	hash := stet.Hash(after.Hash)
	if since > 0 && hash.IsZero() {
		if hash, err = c.hashAt(ctx, since); err != nil {
			return page, after, err
		}
	}
	// The engine may have more than is published; that is not visible yet.
	entries, err := c.log.Read(ctx, since, int(min(uint64(limit), s.revision-since)))
	if err != nil {
		return page, after, c.unread(err, stet.CodeUnavailable, "the log after revision %d", since)
	}
	if len(entries) == 0 {
		return page, after, damaged(fmt.Errorf("the log ends at revision %d and not at %d", since, s.revision))
	}
	bytes := 0
	for i := range entries {
		e := &entries[i]
		ch, err := decodeEntry(since+uint64(i), hash, e)
		if err != nil {
			return page, after, damaged(err)
		}
		hash = ch.Hash
		last = driver.Tail{Revision: ch.Revision, Hash: ch.Hash}
		seen, ok := ch.WithPrefix(o.Prefix)
		if !ok {
			continue
		}
		bytes += len(e.Data)
		if o.Texts {
			for j := range ch.Ops {
				save := ch.Ops[j].Save // which seen shares
				if save == nil || save.Unchanged || !strings.HasPrefix(save.PromptID, o.Prefix) {
					continue
				}
				v, err := c.savedAt(ctx, ch, j)
				if err != nil {
					return page, after, err
				}
				if !v.IsZero() {
					save.Content = &v
					bytes += v.Size()
				}
			}
		}
		page.Items = append(page.Items, seen)
		if bytes > stet.MaxPageBytes {
			break
		}
	}
	if last.Revision < s.revision {
		page.Next = fmt.Sprint(last.Revision)
	}
	return page, last, nil
}

// Changes yields every change after a revision, in order, none missing and none
// twice, and then those to come, each after it is published, until ctx is done,
// the store is closed, or the caller stops. An error ends it.
//
// It holds nothing while its caller does not ask for more: a slow subscriber
// costs writers nothing and no memory. It reads what it missed from the log.
func (c *core) Changes(ctx context.Context, since uint64, o stet.ChangesOptions) iter.Seq2[stet.Change, error] {
	return func(yield func(stet.Change, error) bool) {
		after := driver.Tail{Revision: since}
		limit, err := pageLimit(o.Limit)
		if err == nil {
			err = stet.CheckPrefix(o.Prefix)
		}
		if err == nil {
			err = c.refresh(ctx)
		}
		for err == nil {
			var page stet.Page[stet.Change]
			page, after, err = c.changes(ctx, after, limit, o)
			for _, ch := range page.Items {
				if !yield(ch, nil) {
					return
				}
			}
			if err == nil && page.Next == "" {
				err = c.waitFor(ctx, after.Revision+1)
			}
		}
		yield(stet.Change{}, err)
	}
}
