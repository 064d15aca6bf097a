package core

import (
	"context"
	"strconv"

	"github.com/stet-dev/stet"
)

// History returns a page of the moves of a label, the newest first. The heads have no
// more than where it went; the rest is read from the log, a page's worth of bytes at most.
func (c *Core) History(ctx context.Context, id, labelName string, o stet.HistoryOptions) (stet.Page[stet.Move], error) {
	var page stet.Page[stet.Move]
	if err := stet.CheckID(id); err != nil {
		return page, err
	}
	if labelName == "" {
		labelName = stet.DefaultLabel
	}
	if err := stet.CheckLabel(labelName); err != nil {
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
		return page, h.asOf(at).noLabel(labelName)
	}
	i := len(l.moves)
	if at != now {
		i = l.movesAt(at)
	}
	if key != "" {
		n, err := strconv.Atoi(key)
		if err != nil || n < 0 || n > len(l.moves) {
			return page, stet.Errorf(stet.CodeInvalid, "%q is not a cursor of this list. Give the next of the page before, as it is.", o.Cursor)
		}
		i = min(i, n)
	}
	var ch *stet.Change // what made the move: several may be of one commit
	for bytes := 0; i > 0; i-- {
		if len(page.Items) == limit || bytes > stet.MaxPageBytes {
			page.Next = c.cursor('h', strconv.Itoa(i))
			break
		}
		m := l.moves[i-1]
		if ch == nil || ch.Revision != m.revision {
			var size int
			if ch, size, err = c.entryAt(ctx, m.revision); err != nil {
				return page, err
			}
			bytes += size
		} else {
			bytes += len(ch.Author) + len(ch.Message)
		}
		page.Items = append(page.Items, stet.Move{
			Revision: m.revision, From: h.targetBefore(l, i-1), To: h.numbered(m.to), Author: ch.Author, Message: ch.Message, Time: ch.Time,
		})
	}
	return page, nil
}
