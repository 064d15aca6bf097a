package core

import (
	"context"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

// Head returns a prompt's head.
func (c *Core) Head(ctx context.Context, id string, o stet.ReadOptions) (stet.Head, error) {
	if err := stet.CheckID(id); err != nil {
		return stet.Head{}, err
	}
	s, at, err := c.snapshotAt(ctx, o)
	if err != nil {
		return stet.Head{}, err
	}
	h := s.tree.get(id)
	if h == nil {
		return stet.Head{}, s.noPrompt(id, at)
	}
	w := h.asOf(at)
	w.survey = &survey{ctx: ctx}
	defer func() { c.stats.looked.Add(uint64(w.survey.looked)) }()
	found := w.latest() != nil
	var p stet.Head
	if found {
		p = w.summary(min(at, s.revision))
	}
	switch {
	case at != now && ctx.Err() != nil: // then not every version may have been looked at
		err := context.Cause(ctx)
		return stet.Head{}, stet.WrapError(err, stet.CodeUnavailable, "reading the head of %s was cut short: %v. Try again with more time.", id, err)
	case !found:
		return stet.Head{}, w.noVersions()
	}
	return p, nil
}

// scanLimit is how many prompts one page looks at to find those with a label: a
// page may hold fewer than its limit, or none, and still have a next.
const scanLimit = 10_000

// labelBytes is about what a label takes in an answer.
const labelBytes = 128

// Prompts returns a page of heads, ordered by the bytes of their ids.
func (c *Core) Prompts(ctx context.Context, o stet.PromptsOptions) (stet.Page[stet.Head], error) {
	var page stet.Page[stet.Head]
	limit, err := pageLimit(o.Limit)
	if err != nil {
		return page, err
	}
	if err := stet.CheckPrefix(o.Prefix); err != nil {
		return page, err
	}
	if o.Label != "" {
		if err := stet.CheckLabel(o.Label); err != nil {
			return page, err
		}
	}
	after, err := c.parseCursor('p', o.Cursor)
	if err != nil {
		return page, err
	}
	s, at, err := c.snapshotAt(ctx, o.ReadOptions)
	if err != nil {
		return page, err
	}
	page.AsOf = min(at, s.revision)
	seen, last, bytes := 0, "", 0
	s.tree.tree.Ascend(&head{id: max(after, o.Prefix)}, func(h *head) bool {
		if !strings.HasPrefix(h.id, o.Prefix) {
			return false
		}
		if h.id == after && after != "" {
			return true
		}
		if at != now && ctx.Err() != nil {
			return false
		}
		if len(page.Items) == limit || seen == scanLimit || bytes > stet.MaxPageBytes {
			page.Next = c.cursor('p', last)
			return false
		}
		seen, last = seen+1, h.id
		w := h.asOf(at)
		if at != now {
			w.survey = &survey{ctx: ctx}
			defer func() { c.stats.looked.Add(uint64(w.survey.looked)) }()
		}
		if w.latest() == nil || o.Label != "" && w.labeled(o.Label) == nil {
			return true
		}
		page.Items = append(page.Items, w.summary(page.AsOf))
		bytes += len(h.id) + labelBytes*len(page.Items[len(page.Items)-1].Labels)
		return true
	})
	if at != now && ctx.Err() != nil { // then not every version may have been looked at
		err := context.Cause(ctx)
		return stet.Page[stet.Head]{}, stet.WrapError(err, stet.CodeUnavailable, "the list was cut short: %v. Try again with more time.", err)
	}
	return page, nil
}

// summary is the head as it was in the view.
func (w view) summary(asOf uint64) stet.Head {
	p := w.head.view(asOf)
	if w.head.revision <= w.at {
		return p
	}
	p.Latest, p.Current = w.latest().number, stet.Number{}
	p.Versions, p.Revision, p.UpdatedAt = 0, 0, time.Time{}
	clear(p.Labels)
	for l := range w.everLabels() {
		if n := w.targetAt(l, w.at); !n.IsZero() {
			p.Labels[l.name] = n
		}
	}
	if p.Current = p.Labels[stet.DefaultLabel]; p.Current.IsZero() {
		p.Current = p.Latest
	}
	then, _ := w.versions() // a survey has it
	p.Versions = then.len()
	return p
}
