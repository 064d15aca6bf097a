package core

import (
	"context"
	"strconv"

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/name"
	"github.com/stet-dev/stet/prompt"
)

// History returns a page of the moves of a label, the newest first.
func (c *Core) History(ctx context.Context, id, labelName string, o prompt.HistoryOptions) (prompt.Page[prompt.Move], error) {
	var page prompt.Page[prompt.Move]
	if err := name.CheckID(id); err != nil {
		return page, err
	}
	if labelName == "" {
		labelName = prompt.DefaultLabel
	}
	if err := name.CheckLabel(labelName); err != nil {
		return page, err
	}
	limit, err := pageLimit(o.Limit)
	if err != nil {
		return page, err
	}
	key, err := c.parseCursor('h', o.Cursor)
	if err != nil {
		return page, err
	}
	s, at, err := c.snapshotAt(ctx, o.ReadOptions)
	if err != nil {
		return page, err
	}
	page.AsOf = min(at, s.revision)
	h := s.tree.get(id)
	if h == nil {
		return page, s.noPrompt(id, at)
	}
	l := h.label(labelName)
	if l == nil || l.moves[0].revision > at {
		return page, view{h, at}.noLabel(labelName)
	}
	i := len(l.moves)
	if key != "" {
		n, err := strconv.Atoi(key)
		if err != nil || n < 0 || n > i {
			return page, fault.New(fault.Invalid, "%q is not a cursor of this list. Give the next of the page before, as it is.", o.Cursor)
		}
		i = n
	}
	bytes := 0
	for i--; i >= 0; i-- {
		m := &l.moves[i]
		if m.revision > at {
			continue
		}
		if len(page.Items) == limit || bytes > prompt.MaxPageBytes {
			page.Next = c.cursor('h', strconv.Itoa(i+1))
			break
		}
		page.Items = append(page.Items, prompt.Move{
			Revision: m.revision, From: m.from, To: m.to, Author: m.author, Message: m.message, Time: m.time,
		})
		bytes += len(m.author) + len(m.message)
	}
	return page, nil
}
