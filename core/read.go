package core

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/mutant"
	"github.com/stet-dev/stet/name"
	"github.com/stet-dev/stet/number"
	"github.com/stet-dev/stet/prompt"
	"github.com/stet-dev/stet/selector"
)

// Get returns the version that a selector names now ("" for current).
//
// It is the call that applications make at every request, so the selectors that
// they use are looked up before anything is parsed.
func (c *Core) Get(ctx context.Context, id, sel string) (prompt.Version, error) {
	if !c.info.Exclusive {
		if err := c.fresh(ctx); err != nil {
			return prompt.Version{}, err
		}
	}
	if mutant.On(mutant.ReadsWait) {
		c.state.Lock()
		defer c.state.Unlock()
	}
	if h, asOf := c.newest(id); h != nil {
		var v *version
		switch sel {
		case "":
			v = h.current
		case "latest":
			v = h.latest
		default:
			if l := h.label(sel); l != nil {
				v = l.at
			}
		}
		if v != nil {
			if b := v.body.Load(); b != nil {
				c.cache.touch(b)
				return b.record.AsOf(asOf), nil
			}
		}
	}
	return c.get(ctx, id, sel)
}

// get is Get for every selector, and for versions that are not in memory.
func (c *Core) get(ctx context.Context, id, sel string) (prompt.Version, error) {
	s, err := selector.Parse(sel)
	if err != nil {
		return prompt.Version{}, err
	}
	if err := name.CheckID(id); err != nil {
		return prompt.Version{}, err
	}
	for {
		before := c.published.Load()
		h, asOf := c.newest(id)
		if h == nil {
			return prompt.Version{}, noPrompt(id, now)
		}
		v, err := view{h, now}.resolve(s)
		if err != nil {
			return prompt.Version{}, err
		}
		r, err := c.body(ctx, id, v)
		if err == nil {
			return r.AsOf(asOf), nil
		}
		if err != errGone {
			return prompt.Version{}, err
		}
		if !c.advanced(before) {
			return prompt.Version{}, missing(id, v)
		}
	}
}

// advanced tells whether there is something newer than the snapshot. A reader
// asks who has found that a body is gone: its version was deleted since, and the
// log has the commit. If the writer has not published that yet, the reader does
// so in its place, rather than wait.
func (c *Core) advanced(s *snapshot) bool {
	if c.published.Load() == s {
		c.state.Lock()
		_ = c.catchUp(c.ctx) // if it fails, nothing newer is known
		c.state.Unlock()
	}
	return c.published.Load() != s
}

func missing(id string, v *version) error {
	return fault.New(fault.Internal, "the text of %s@%s is missing in the store. Run: stet verify", id, v.number)
}

// GetMany resolves several references ("ID" or "ID@SELECTOR") as of one revision.
// It fails as a whole if one of them does, with the index of that one as Op.
func (c *Core) GetMany(ctx context.Context, refs []string, o prompt.ReadOptions) ([]prompt.Version, uint64, error) {
	if len(refs) > prompt.MaxLimit {
		return nil, 0, fault.New(fault.TooLarge, "%d references were asked for at once; %d is the most. Split them.", len(refs), prompt.MaxLimit)
	}
	type want struct {
		id  string
		sel selector.Selector
	}
	wants := make([]want, len(refs))
	for i, ref := range refs {
		id, sel, _ := selector.SplitRef(ref)
		s, err := selector.Parse(sel)
		if err == nil {
			err = name.CheckID(id)
		}
		if err != nil {
			return nil, 0, atOp(err, i)
		}
		wants[i] = want{id, s}
	}
	for {
		s, at, err := c.snapshotAt(ctx, o)
		if err != nil {
			return nil, 0, err
		}
		asOf := min(at, s.revision)
		found := make([]prompt.Version, len(wants))
		retry := false
		for i, w := range wants {
			if mutant.On(mutant.ManySnapshots) && at == now {
				mutant.Delay()
				s = c.published.Load()
			}
			v, err := c.resolveIn(ctx, s, at, w.id, w.sel)
			if err == errGone {
				if !c.advanced(s) {
					return nil, asOf, atOp(fault.New(fault.Internal, "the text of %s@%s is missing in the store. Run: stet verify", w.id, w.sel), i)
				}
				retry = true
				break
			}
			if err != nil {
				return nil, asOf, atOp(err, i)
			}
			found[i] = v.AsOf(asOf)
		}
		if !retry {
			return found, asOf, nil
		}
	}
}

func atOp(err error, op int) error {
	e := asFault(err)
	e.Op = op
	return e
}

// resolveIn resolves one selector in a snapshot. errGone means that what it names
// was deleted after the snapshot.
func (c *Core) resolveIn(ctx context.Context, s *snapshot, at uint64, id string, sel selector.Selector) (*prompt.Record, error) {
	h := s.tree.get(id)
	if h == nil {
		return nil, noPrompt(id, at)
	}
	v, err := view{h, at}.resolve(sel)
	if err != nil {
		return nil, err
	}
	if v.deleted != 0 {
		return nil, textGone(id, v)
	}
	return c.body(ctx, id, v)
}

func textGone(id string, v *version) error {
	return fault.New(fault.NotFound, "%s@%s is what it was then, but it was deleted at revision %d and its text is gone.", id, v.number, v.deleted)
}

// snapshotAt returns the newest snapshot and the revision at which its heads are
// to be viewed, as the options ask for.
func (c *Core) snapshotAt(ctx context.Context, o prompt.ReadOptions) (*snapshot, uint64, error) {
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
	at := uint64(now)
	switch {
	case o.At.Revision != 0 && !o.At.Time.IsZero():
		return nil, 0, fault.New(fault.Invalid, "both a revision and a time were given to read at. Give one.")
	case o.At.Revision > s.revision:
		return nil, 0, fault.New(fault.NotFound, "there is no revision %d yet: the newest is %d.", o.At.Revision, s.revision)
	case o.At.Revision != 0:
		at = o.At.Revision
	case !o.At.Time.IsZero():
		var err error
		if at, err = c.revisionAt(ctx, s, o.At.Time); err != nil {
			return nil, 0, err
		}
	}
	if at < s.cleared {
		return nil, 0, fault.New(fault.NotFound, "the store was cleared at revision %d; what was there at revision %d is gone.", s.cleared, at)
	}
	return s, at, nil
}

// waitFor returns once the state has reached a revision.
func (c *Core) waitFor(ctx context.Context, revision uint64) error {
	for {
		if mutant.On(mutant.ReadThenSubscribe) && c.Revision() < revision {
			mutant.Delay()
			news, done := c.news.next()
			select {
			case <-news:
				done()
				continue
			case <-ctx.Done():
				done()
				return context.Cause(ctx)
			}
		}
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
			return fault.Wrap(context.Cause(ctx), fault.Unavailable, "revision %d has not come; the newest is %d. Try again later.", revision, c.Revision())
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
		ch, err := c.changeAt(ctx, mid)
		if err != nil {
			return 0, fault.Wrap(err, fault.Unavailable, "the log could not be read at revision %d: %v.", mid, err)
		}
		if ch.Time.After(t) {
			high = mid - 1
		} else {
			low = mid
		}
	}
	if low == 0 {
		return 0, fault.New(fault.NotFound, "the store had nothing at %s: its first commit came later.", prompt.FormatTime(t))
	}
	return low, nil
}

// Head returns a prompt's head.
func (c *Core) Head(ctx context.Context, id string) (prompt.Head, error) {
	if err := name.CheckID(id); err != nil {
		return prompt.Head{}, err
	}
	if err := c.fresh(ctx); err != nil {
		return prompt.Head{}, err
	}
	h, asOf := c.newest(id)
	if h == nil {
		return prompt.Head{}, noPrompt(id, now)
	}
	if h.latest == nil {
		return prompt.Head{}, view{h, now}.noVersions()
	}
	return h.view(asOf), nil
}

func pageLimit(n int) (int, error) {
	switch {
	case n == 0:
		return prompt.DefaultLimit, nil
	case n < 0 || n > prompt.MaxLimit:
		return 0, fault.New(fault.Invalid, "a page of %d was asked for. Ask for 1 to %d.", n, prompt.MaxLimit)
	}
	return n, nil
}

// A cursor is where a list goes on: a letter for the kind of list and the key
// after which it does, so that what is saved or deleted between two pages
// neither repeats nor hides what it does not concern. Callers take it as it is.
func (c *Core) cursor(kind byte, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(kind) + c.info.StoreID + "\n" + key))
}

func (c *Core) parseCursor(kind byte, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	store, key, ok := strings.Cut(string(raw), "\n")
	if err != nil || !ok || store == "" || store[0] != kind {
		return "", fault.New(fault.Invalid, "%q is not a cursor of this list. Give the next of the page before, as it is.", cursor)
	}
	if store[1:] != c.info.StoreID {
		return "", fault.New(fault.Invalid, "the cursor is of another store: this one may have been restored since. Begin the list again.")
	}
	return key, nil
}

// List returns a page of a prompt's versions, by precedence.
func (c *Core) List(ctx context.Context, id string, o prompt.ListOptions) (prompt.Page[prompt.Version], error) {
	var none prompt.Page[prompt.Version]
	if err := name.CheckID(id); err != nil {
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
	var after number.Number
	if key != "" {
		if after, err = number.Parse(key); err != nil {
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
			if c.advanced(s) {
				continue
			}
			return none, fault.New(fault.Internal, "a text of %s is missing in the store. Run: stet verify", id)
		}
		return page, err
	}
}

func (c *Core) list(ctx context.Context, s *snapshot, at uint64, id string, ascending bool, after number.Number, limit int) (prompt.Page[prompt.Version], error) {
	page := prompt.Page[prompt.Version]{AsOf: min(at, s.revision)}
	h := s.tree.get(id)
	if h == nil {
		return page, noPrompt(id, at)
	}
	w := view{h, at}
	if w.latest() == nil {
		return page, w.noVersions()
	}
	bytes := 0
	for v := range w.all(ascending, after) {
		if v.deleted != 0 {
			continue // in a view of the past: its text is gone
		}
		if len(page.Items) == limit || bytes >= prompt.MaxPageBytes {
			page.Next = c.cursor('v', page.Items[len(page.Items)-1].Number().String())
			break
		}
		r, err := c.body(ctx, id, v)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, r.AsOf(page.AsOf))
		bytes += r.Size()
	}
	return page, nil
}

// scanLimit is how many prompts one page looks at to find those with a label: a
// page may hold fewer than its limit, or none, and still have a next.
const scanLimit = 10_000

// Prompts returns a page of heads, ordered by the bytes of their ids.
func (c *Core) Prompts(ctx context.Context, o prompt.PromptsOptions) (prompt.Page[prompt.Head], error) {
	var page prompt.Page[prompt.Head]
	limit, err := pageLimit(o.Limit)
	if err != nil {
		return page, err
	}
	if err := name.CheckPrefix(o.Prefix); err != nil {
		return page, err
	}
	if o.Label != "" {
		if err := name.CheckLabel(o.Label); err != nil {
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
	seen, last := 0, ""
	s.tree.tree.Ascend(&head{id: max(after, o.Prefix)}, func(h *head) bool {
		if !strings.HasPrefix(h.id, o.Prefix) {
			return false
		}
		if h.id == after && after != "" {
			return true
		}
		if len(page.Items) == limit || seen == scanLimit {
			page.Next = c.cursor('p', last)
			return false
		}
		seen, last = seen+1, h.id
		w := view{h, at}
		if w.latest() == nil || o.Label != "" && w.labeled(o.Label) == nil {
			return true
		}
		page.Items = append(page.Items, w.summary(page.AsOf))
		return true
	})
	return page, nil
}

// summary is the head as it was in the view.
func (w view) summary(asOf uint64) prompt.Head {
	p := w.head.view(asOf)
	if w.head.revision <= w.at {
		return p
	}
	p.Latest, p.Current = w.latest().number.String(), ""
	p.Versions, p.Revision, p.UpdatedAt = 0, 0, time.Time{}
	clear(p.Labels)
	for i := range w.labels {
		l := &w.labels[i]
		if n := l.placeAt(w.at); !n.IsZero() {
			p.Labels[l.name] = n.String()
		}
	}
	if p.Current = p.Labels[prompt.DefaultLabel]; p.Current == "" {
		p.Current = p.Latest
	}
	for range w.all(true, number.Number{}) {
		p.Versions++
	}
	return p
}

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
		return page, noPrompt(id, at)
	}
	l := h.label(labelName)
	if l == nil {
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
	for i--; i >= 0; i-- {
		m := &l.moves[i]
		if m.revision > at {
			continue
		}
		if len(page.Items) == limit {
			page.Next = c.cursor('h', strconv.Itoa(i+1))
			break
		}
		page.Items = append(page.Items, prompt.Move{
			Revision: m.revision, From: m.from, To: m.to, Author: m.author, Message: m.message, Time: m.time,
		})
	}
	return page, nil
}
