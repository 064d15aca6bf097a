package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

// MaxWait is the longest that a long poll waits for a change: what proxies let a
// request be silent for, in general.
const MaxWait = 60 * time.Second

// A position is a place in the log that somebody has read up to. It is written
// STORE_ID.REVISION, since a store that was restored has other changes at the
// same revisions (trap 19); who gives a bare revision is believed.
type position struct {
	revision uint64
	present  bool // not given: begin with what comes now
}

// position reads one.
func (s *Server) position(what, text string) (position, error) {
	digits := text
	if i := strings.LastIndexByte(text, '.'); i >= 0 {
		if store := text[:i]; store != s.store.ID() {
			return position{}, stet.Errorf(stet.CodeConflict, "%s is %q, which is a place in another store: this one is %s, restored or replaced since. Start over: read everything anew, and the changes after the revision that it is of.", what, text, s.store.ID())
		}
		digits = text[i+1:]
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return position{}, stet.Errorf(stet.CodeInvalid, "%s is %q, which is not a revision. Write a whole number, or what the server gave, as it is.", what, text)
	}
	return position{revision: n}, nil
}

// A changesQuery is what a caller asks of /v1/changes.
type changesQuery struct {
	since  position
	limit  int
	texts  bool
	prefix string
	wait   time.Duration
	beat   time.Duration
	stream bool
}

// getChanges answers with a page, a long poll or a stream.
func (s *Server) getChanges(c *call) error {
	q, err := c.changesQuery()
	if err != nil {
		return err
	}
	if q.stream {
		return c.stream(q)
	}
	return c.changesPage(q)
}

func (c *call) changesQuery() (q changesQuery, err error) {
	q.stream = strings.Contains(c.r.Header.Get("Accept"), "text/event-stream")
	if !q.stream {
		if _, err := c.accepts("application/json", "text/event-stream"); err != nil {
			return q, err
		}
	}
	if q.stream && c.hasBody() {
		// It would stay open for as long as the body does not come.
		return q, stet.Errorf(stet.CodeInvalid, "a stream takes no body. Leave it out.")
	}
	known := []string{"since", "texts", "prefix", "min_revision"}
	if q.stream {
		known = append(known, "beat")
	} else {
		known = append(known, "limit", "wait")
	}
	p, err := c.params(known...)
	if err != nil {
		return q, err
	}
	q.prefix = p["prefix"]
	if err := stet.CheckPrefix(q.prefix); err != nil {
		return q, err
	}
	if q.texts, err = p.flag("texts"); err != nil {
		return q, err
	}
	if q.limit, err = p.limit(); err != nil {
		return q, err
	}
	if q.wait, err = p.seconds("wait", 0, MaxWait); err != nil {
		return q, err
	}
	if q.beat, err = p.seconds("beat", time.Second, MaxWait); err != nil {
		return q, err
	}
	min, err := p.revision("min_revision")
	if err != nil {
		return q, err
	}
	if err := c.wait(min); err != nil {
		return q, err
	}
	since, given := p["since"]
	if given {
		q.since, err = c.s.position("since", since)
	} else {
		q.since.present = q.stream || q.wait > 0
	}
	// Who comes back to a stream says so in a header, with the same URL.
	if q.stream && err == nil {
		var last string
		if last, err = c.header("Last-Event-Id"); last != "" {
			q.since, err = c.s.position("Last-Event-ID", last)
		}
	}
	return q, err
}

// seconds reads a parameter that is a number of seconds; 0 if it is not there.
func (p params) seconds(key string, least, most time.Duration) (time.Duration, error) {
	v, ok := p[key]
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || strings.ContainsAny(v, "xX_") || !(n >= least.Seconds() && n <= most.Seconds()) { // NaN is in no range
		return 0, stet.Errorf(stet.CodeInvalid, "%s is %q. Write a number of seconds from %g to %g.", key, v, least.Seconds(), most.Seconds())
	}
	return time.Duration(n * float64(time.Second)), nil
}

// changesPage answers with the changes that there are, or waits for one. Where
// next is absent the caller goes on after as_of.
func (c *call) changesPage(q changesQuery) error {
	ctx := c.ctx()
	since := q.since.revision
	if q.since.present {
		tail, err := c.s.store.Tail(ctx)
		if err != nil {
			return err
		}
		since = tail.Revision
	}
	var f *feed
	if q.wait > 0 {
		h := c.s.streams.hub(false) // only told by: what is sent is read from the store
		var err error
		if f, err = h.join(); err != nil {
			return err
		}
		defer h.leave(f)
		c.s.streams.open.Add(1)
		defer c.s.streams.open.Add(-1)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.wait)
		defer cancel()
	}
	v := viewer{a: c.a, prefix: q.prefix}
	for {
		if err := c.prepare(0); err != nil {
			return err
		}
		page, err := c.s.store.ChangesPage(c.ctx(), since, stet.ChangesOptions{Limit: q.limit, Texts: q.texts})
		if err != nil {
			return err
		}
		body, n, err := v.page(c, &page)
		if err != nil {
			return err
		}
		more := page.Next != ""
		if more {
			since = page.Items[len(page.Items)-1].Revision
		} else {
			since = page.AsOf
		}
		waiting := f != nil && n == 0
		if waiting && !more {
			page.Items = nil
			c.stake().built() // whoever waits holds nothing
			waiting = c.await(ctx, f, since)
		}
		if !waiting || ctx.Err() != nil {
			return c.answerChanges(q, body, since, more, page.AsOf)
		}
	}
}

// await waits until a feed has more than a revision, and tells whether it has.
func (c *call) await(ctx context.Context, f *feed, since uint64) bool {
	for {
		l := f.after(since, nil)
		switch {
		case l.newest > since:
			return true
		case l.err != nil:
			return false
		}
		select {
		case <-l.news:
		case <-ctx.Done():
			return false
		case <-c.s.stopping.Done():
			return false
		case <-c.a.done():
			return false
		}
	}
}

// answerChanges answers with a page. One that was waited for, or that begins at the
// present, is of its moment and has no tag: the same request has another answer later,
// as of the same revision.
func (c *call) answerChanges(q changesQuery, commits []byte, last uint64, more bool, asOf uint64) error {
	if over(c.a) {
		return c.a.overError()
	}
	c.asOf(asOf)
	c.vary(varyAccept)
	t := ""
	if q.wait == 0 && !q.since.present {
		if t = c.s.revisionTag(asOf); c.unchanged(t) {
			return nil
		}
	}
	body := append(commits, ']')
	if more {
		body = append(body, `,"next":"`...)
		body = append(body, c.s.store.ID()...)
		body = append(body, '.')
		body = strconv.AppendUint(body, last, 10)
		body = append(body, '"')
	}
	c.send(http.StatusOK, typeJSON, t, append(appendAsOf(body, asOf), '\n'))
	return nil
}

// over tells whether a caller's key has ended since it was shown.
func over(a *access) bool {
	select {
	case <-a.done():
		return true
	default:
		return false
	}
}
