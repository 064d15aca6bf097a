package core

import (
	"context"

	"github.com/stet-dev/stet"
)

// List returns a page of a prompt's versions, by precedence.
func (c *Core) List(ctx context.Context, id string, o stet.ListOptions) (stet.Page[stet.Version], error) {
	var none stet.Page[stet.Version]
	if err := stet.CheckID(id); err != nil {
		return none, err
	}
	limit, err := pageLimit(o.Limit)
	if err != nil {
		return none, err
	}
	key, err := c.parseCursor('v', o.Cursor)
	if err != nil {
		return none, err
	}
	var after stet.Number
	if key != "" {
		if after, err = stet.ParseNumber(key); err != nil {
			return none, err
		}
	}
	for {
		s, at, err := c.snapshotAt(ctx, o.ReadOptions)
		if err != nil {
			return none, err
		}
		page, err := c.list(ctx, s, at, id, o.Ascending, after, limit)
		if err == errGone {
			continue // there is a newer snapshot
		}
		return page, err
	}
}

func (c *Core) list(ctx context.Context, s *snapshot, at uint64, id string, ascending bool, after stet.Number, limit int) (stet.Page[stet.Version], error) {
	page := stet.Page[stet.Version]{AsOf: min(at, s.revision)}
	h := s.tree.get(id)
	if h == nil {
		return page, s.noPrompt(id, at)
	}
	w := h.asOf(at)
	bytes := 0
	for v := range w.all(ascending, after) {
		if v.deleted != 0 {
			continue // in a view of the past: its text is gone
		}
		if len(page.Items) == limit || bytes >= stet.MaxPageBytes {
			page.Next = c.cursor('v', page.Items[len(page.Items)-1].Number().String())
			break
		}
		r, err := c.read(ctx, id, v)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, r.AsOf(page.AsOf))
		bytes += r.Size()
	}
	if len(page.Items) == 0 && w.latest() == nil {
		return page, w.noVersions()
	}
	return page, nil
}
