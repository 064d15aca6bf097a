package core

import (
	"cmp"
	"context"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/selector"
)

// Get returns the version that a selector names now ("" for current).
//
// It is the call that applications make at every request, so the selectors that
// they use are looked up before anything is parsed.
func (c *core) Get(ctx context.Context, id, sel string) (stet.Version, error) {
	if !c.info.Exclusive {
		if err := c.refresh(ctx); err != nil {
			return stet.Version{}, err
		}
	}
	// The first case of newest, written out: here a call is a tenth of the time.
	s := c.published.Load()
	sl, ok := s.slots.Load(id)
	if !ok {
		return c.get(ctx, id, sel)
	}
	h := sl.head.Load()
	if h.revision > s.revision {
		return c.get(ctx, id, sel)
	}
	var v *version
	if sel == "latest" { // before the switch, which adds a tenth
		v = h.latest
	} else {
		switch sel {
		case "":
			v = h.current
		case stet.DefaultLabel:
			v = h.promoted
		default: // h.label(sel), written out for the same reason
			if h.labels.tree != nil || len(h.labels.list) > linearLabels {
				if l := h.label(sel); l != nil {
					v = l.at
				}
				break
			}
			for i := range h.labels.list {
				if l := &h.labels.list[i]; l.name == sel {
					v = l.at
					break
				}
			}
		}
	}
	if v == nil {
		return c.get(ctx, id, sel)
	}
	b := v.body.Load()
	if b == nil {
		return c.get(ctx, id, sel)
	}
	if !c.info.Resident {
		c.cache.touch(b)
	}
	return b.asOf(s.revision), nil
}

// get is Get for every selector, and for versions that are not in memory.
func (c *core) get(ctx context.Context, id, sel string) (stet.Version, error) {
	c.stats.gets.Add(1)
	s, err := selector.Parse(sel)
	if err != nil {
		return stet.Version{}, err
	}
	if err := stet.CheckID(id); err != nil {
		return stet.Version{}, err
	}
	if c.ctx.Err() != nil {
		return stet.Version{}, errClosed()
	}
	for {
		h, asOf := c.newest(id)
		if h == nil {
			return stet.Version{}, cmp.Or(c.refuseClosed(), c.published.Load().noPrompt(id, now))
		}
		v, err := h.asOf(now).resolve(s)
		if err != nil {
			return stet.Version{}, err
		}
		r, err := c.read(ctx, id, v)
		if err == nil {
			return r.WithAsOf(asOf), nil
		}
		if err != errGone {
			return stet.Version{}, err
		}
	}
}

// GetMany resolves several references ("ID" or "ID@SELECTOR") as of one revision.
// It fails as a whole if one of them does, with the index of that one as Op.
func (c *core) GetMany(ctx context.Context, refs []string, o stet.ReadOptions) ([]stet.Version, uint64, error) {
	if len(refs) > stet.MaxLimit {
		return nil, 0, stet.Errorf(stet.CodeTooLarge, "%d references were asked for at once; %d is the most. Split them.", len(refs), stet.MaxLimit)
	}
	wants := make([]want, len(refs))
	for i, ref := range refs {
		id, sel, _ := stet.SplitRef(ref)
		s, err := selector.Parse(sel)
		if err == nil {
			err = stet.CheckID(id)
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
		named, failed, err := c.resolveAll(ctx, s, at, wants)
		found := make([]stet.Version, len(wants))
		retry, bytes := false, 0
		for i, w := range wants {
			if i == failed {
				return nil, asOf, atOp(err, i)
			}
			r, err := c.read(ctx, w.id, named[i])
			if err == errGone {
				retry = true
				break
			}
			if err != nil {
				return nil, asOf, atOp(err, i)
			}
			if bytes += r.Size(); bytes > stet.MaxGetBytes && i > 0 {
				return nil, asOf, atOp(stet.Errorf(stet.CodeTooLarge, "the versions take over %d MiB of memory together, which is the most. Ask for fewer at once.", stet.MaxGetBytes>>20), i)
			}
			found[i] = r.WithAsOf(asOf)
		}
		if !retry {
			return found, asOf, nil
		}
	}
}

// A want is one reference of a request.
type want struct {
	id  string
	sel selector.Selector
}

// resolveAll resolves references in a snapshot, those to one prompt together, so that
// which of its versions were alive is found out once. failed is the index of the first
// reference that cannot be resolved, with the error; those after it may not have been
// resolved either.
func (c *core) resolveAll(ctx context.Context, s *snapshot, at uint64, wants []want) (named []*version, failed int, err error) {
	named, failed = make([]*version, len(wants)), len(wants)
	byID := make(map[string][]int)
	for i, w := range wants {
		byID[w.id] = append(byID[w.id], i)
	}
	for i, w := range wants {
		if byID[w.id][0] != i {
			continue // with the first of its prompt
		}
		look := &survey{ctx: ctx}
		for _, i := range byID[w.id] {
			if i >= failed {
				break
			}
			v, e := resolveIn(s, at, w.id, wants[i].sel, look)
			if ctx.Err() != nil { // then it may not have looked at all
				cause := context.Cause(ctx)
				v, e = nil, stet.WrapError(cause, stet.CodeUnavailable, "reading %d versions was cut short: %v. Ask for fewer at once.", len(wants), cause)
			}
			if named[i] = v; e != nil {
				failed, err = i, e
			}
		}
		c.stats.looked.Add(uint64(look.looked))
	}
	return named, failed, err
}

// resolveIn resolves one selector in a snapshot to a version that has a text.
func resolveIn(s *snapshot, at uint64, id string, sel selector.Selector, look *survey) (*version, error) {
	h := s.tree.get(id)
	if h == nil {
		return nil, s.noPrompt(id, at)
	}
	w := h.asOf(at)
	w.survey = look
	v, err := w.resolve(sel)
	if err != nil {
		return nil, err
	}
	if v.deleted != 0 {
		return nil, textGone(id, v)
	}
	return v, nil
}

func textGone(id string, v *version) error {
	return stet.Errorf(stet.CodeNotFound, "%s@%s is what it was then, but it was deleted at revision %d and its text is gone.", id, v.number, v.deleted)
}

// snapshotAt returns the newest snapshot, and the revision at which to view its heads,
// as the options say.
func (c *core) snapshotAt(ctx context.Context, o stet.ReadOptions) (*snapshot, uint64, error) {
	if c.ctx.Err() != nil {
		return nil, 0, errClosed()
	}
	if o.At.Revision != 0 && !o.At.Time.IsZero() {
		return nil, 0, stet.Errorf(stet.CodeInvalid, "both a revision and a time were given to read at. Give one.")
	}
	if !o.Local {
		if err := c.refresh(ctx); err != nil {
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
func (c *core) waitFor(ctx context.Context, revision uint64) error {
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

// revisionAt returns the revision of the last commit that is not later than t, by binary
// search: times never go back from one revision to the next (tx.notBefore).
func (c *core) revisionAt(ctx context.Context, s *snapshot, t time.Time) (uint64, error) {
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
