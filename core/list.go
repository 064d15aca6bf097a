package core

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/visible"
)

// List returns a page of a prompt's versions, by precedence.
func (c *core) List(ctx context.Context, id string, o stet.ListOptions) (stet.Page[stet.Version], error) {
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

func (c *core) list(ctx context.Context, s *snapshot, at uint64, id string, ascending bool, after stet.Number, limit int) (stet.Page[stet.Version], error) {
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
		page.Items = append(page.Items, r.WithAsOf(page.AsOf))
		bytes += r.Size()
	}
	if len(page.Items) == 0 && w.latest() == nil {
		return page, w.noVersions()
	}
	return page, nil
}

// Head returns a prompt's head.
func (c *core) Head(ctx context.Context, id string, o stet.ReadOptions) (stet.Head, error) {
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
func (c *core) Prompts(ctx context.Context, o stet.PromptsOptions) (stet.Page[stet.Head], error) {
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

// History returns a page of the moves of a label, the newest first. The heads have no
// more than where it went; the rest is read from the log, a page's worth of bytes at most.
func (c *core) History(ctx context.Context, id, labelName string, o stet.HistoryOptions) (stet.Page[stet.Move], error) {
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
			return page, stet.Errorf(stet.CodeInvalid, "%s is not a cursor of this list. Give the next of the page before, as it is.", visible.Quote(o.Cursor))
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

func pageLimit(n int) (int, error) {
	switch {
	case n == 0:
		return stet.DefaultLimit, nil
	case n < 0 || n > stet.MaxLimit:
		return 0, stet.Errorf(stet.CodeInvalid, "a page of %d was asked for. Ask for 1 to %d.", n, stet.MaxLimit)
	}
	return n, nil
}

// A cursor is where a list goes on: a letter for the kind of list and the key
// after which it does, so that what is saved or deleted between two pages
// neither repeats nor hides what it does not concern. Callers take it as it is.
func (c *core) cursor(kind byte, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(kind) + c.info.StoreID + "\n" + key))
}

func (c *core) parseCursor(kind byte, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	store, key, ok := strings.Cut(string(raw), "\n")
	if err != nil || !ok || store == "" || store[0] != kind {
		return "", stet.Errorf(stet.CodeInvalid, "%s is not a cursor of this list. Give the next of the page before, as it is.", visible.Quote(cursor))
	}
	if store[1:] != c.info.StoreID {
		return "", stet.Errorf(stet.CodeInvalid, "the cursor is of another store: this one may have been restored since. Begin the list again.")
	}
	return key, nil
}
