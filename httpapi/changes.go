package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

// maxWait is how long a long poll may wait for a change. Most proxies allow a request to
// be silent for that long.
const maxWait = 60 * time.Second

// A position is how far a reader has read the log. It is written STORE_ID.REVISION,
// because a restored store may have other changes at the same revisions. A bare revision
// is one of the present store.
type position struct {
	revision uint64
	fromNow  bool // not given: begin with the next change
}

// position parses one.
func (s *Server) position(what, text string) (position, error) {
	digits := text
	if i := strings.LastIndexByte(text, '.'); i >= 0 {
		if store := text[:i]; store != s.store.ID() {
			return position{}, stet.Errorf(stet.CodeConflict, "%s is %q, which is a position in another store: this one is %s, restored or replaced since. Start over: read everything, then the changes after its revision.", what, text, s.store.ID())
		}
		digits = text[i+1:]
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return position{}, stet.Errorf(stet.CodeInvalid, "%s is %q, which is not a revision. Write a whole number, or what the server gave, as it is.", what, text)
	}
	return position{revision: n}, nil
}

// A changesQuery is what a request to /v1/changes asks for.
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
		// The server would wait for it as long as the stream is open.
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
	if q.wait, err = p.seconds("wait", 0, maxWait); err != nil {
		return q, err
	}
	if q.beat, err = p.seconds("beat", time.Second, maxWait); err != nil {
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
		q.since.fromNow = q.stream || q.wait > 0
	}
	// A client that reconnects sends its position in a header, with the same URL.
	if q.stream && err == nil {
		var last string
		if last, err = c.header("Last-Event-Id"); last != "" {
			q.since, err = c.s.position("Last-Event-ID", last)
		}
	}
	return q, err
}

// seconds returns a parameter that is a number of seconds; 0 if it is absent.
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

// changesPage answers with a page of changes, or waits for the first change. After a page
// without next the caller continues after as_of.
func (c *call) changesPage(q changesQuery) error {
	ctx := c.ctx()
	since := q.since.revision
	if q.since.fromNow {
		tail, err := c.s.store.Tail(ctx)
		if err != nil {
			return err
		}
		since = tail.Revision
	}
	var f *feed
	if q.wait > 0 {
		h := c.s.streams.hub(false) // for the wake-up only: changes are read from the store
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
			c.reservation().endBuild() // hold nothing while waiting
			waiting = c.await(ctx, f, since)
		}
		if !waiting || ctx.Err() != nil {
			return c.answerChanges(q, body, since, more, page.AsOf)
		}
	}
}

// await waits until a feed is beyond a revision, and reports whether it is.
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

// answerChanges answers with a page. A page that was waited for, or that begins with the
// next change, has no tag: the same request may get another answer at the same revision.
func (c *call) answerChanges(q changesQuery, commits []byte, last uint64, more bool, asOf uint64) error {
	if expired(c.a) {
		return c.a.expiredError()
	}
	c.asOf(asOf)
	c.vary(varyAccept)
	t := ""
	if q.wait == 0 && !q.since.fromNow {
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

// expired reports whether a caller's access has ended since the request began.
func expired(a *access) bool {
	select {
	case <-a.done():
		return true
	default:
		return false
	}
}
