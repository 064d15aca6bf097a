package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/stet-dev/stet"
)

const (
	// beatEvery is how often a server sends a beat on an idle stream, unless it is
	// asked for another interval.
	beatEvery = 15 * time.Second
	// missedBeats is after how many missing beats a connection counts as dead.
	missedBeats = 3
	// longestPause bounds the wait before a stream is opened again, and so how long
	// the return of a server goes unnoticed.
	longestPause = 10 * time.Second
)

// Why a connection ended, apart from an error.
var (
	errStop   = errors.New("client: the caller stops")    // the loop has ended
	errSilent = errors.New("the connection went silent")  // no beats
	errBehind = errors.New("the server says: read pages") // too slow for the stream
	errEnded  = errors.New("the server ended the stream") // it is stopping
	errKey    = errors.New("the key was revoked, has expired or was given other rights")
)

// ends are the reasons to leave a stream that works.
var ends = []error{errStop, errBehind, errEnded, errKey}

// followOptions choose what to follow.
type followOptions struct {
	// storeID and since are the position to go on after; storeID is "" for any
	// store. fromNow begins with the next change instead.
	storeID string
	since   uint64
	fromNow bool

	texts  bool
	prefix string
	beat   time.Duration // beatEvery if 0
	// keepTrying also waits for a server that cannot be reached at the beginning.
	keepTrying bool
}

// An update is one step of following a store.
type update struct {
	// change is a commit; its revision is 0 for none.
	change stet.Change
	// storeID and revision are the position now: every change up to there that was
	// asked for has been yielded.
	storeID  string
	revision uint64
	// newest is the store's newest revision, if hasNewest says that the server has
	// reported it.
	newest    uint64
	hasNewest bool
	// scope, set with hasNewest, names the prompts that the key is for; "" for all.
	// Changes of others are not in the feed.
	scope string
	// connErr is why there is no connection, nil if there is one.
	connErr error
}

// A follower is the state of one follow.
type follower struct {
	b     *backend
	o     followOptions
	yield func(update, error) bool

	storeID  string
	revision uint64
	known    bool // there is a position
	scope    string

	// malformedCount is how many connections in a row ended with something malformed
	// at the revision malformedAt.
	malformedCount int
	malformedAt    uint64
}

// maxMalformed is after how many malformed connections in a row the fault is the server's, or that of what
// answers in its place, and not the connection's.
const maxMalformed = 3

// follow yields every change after a position, in order, none missing and none twice,
// across connections. In between it yields its position, and that the connection was lost.
// It ends with an error: ctx is done, the client is closed, or the position cannot be
// followed.
func (b *backend) follow(ctx context.Context, o followOptions) iter.Seq2[update, error] {
	if o.beat == 0 {
		o.beat = beatEvery
	}
	return func(yield func(update, error) bool) {
		f := &follower{b: b, o: o, yield: yield, storeID: o.storeID, revision: o.since, known: !o.fromNow}
		if err := f.run(ctx); err != errStop {
			yield(update{}, err)
		}
	}
}

// run follows over one connection after another. It returns errStop or the error for
// the caller.
func (f *follower) run(ctx context.Context) error {
	connected := false
	for n := 1; ; n++ {
		received, retry, failed := f.connect(ctx)
		switch {
		case failed.err == errStop:
			return errStop
		case ctx.Err() != nil:
			return stet.WrapError(context.Cause(ctx), stet.CodeUnavailable, "following the changes ended at revision %d: %v.", f.revision, context.Cause(ctx))
		case !failed.retry:
			return stet.AsError(failed.err)
		}
		if received {
			connected, n = true, 1
		}
		if !connected && !f.o.keepTrying && n >= f.b.opts.Attempts {
			return stet.AsError(failed.err)
		}
		if !f.yield(update{storeID: f.storeID, revision: f.revision, connErr: failed.err}, nil) {
			return errStop
		}
		if failed.err == errBehind {
			if err := f.readPages(ctx); err != nil {
				if err == errStop || !transientCodes[stet.CodeOf(err)] {
					return err
				}
			} else {
				n = 0
				continue
			}
		}
		if err := f.pause(ctx, n, max(retry, failed.retryAfter)); err != nil {
			return err
		}
	}
}

// A disconnect is why a connection ended, and what to do about it.
type disconnect struct {
	err        error
	retry      bool
	retryAfter time.Duration
}

// pause waits after the n-th connection in a row on which nothing came. The wait is
// random: all clients of a server lose their streams at the same time.
func (f *follower) pause(ctx context.Context, n int, after time.Duration) error {
	d := longestPause
	if n < 16 {
		d = min(d, f.b.opts.FirstWait<<n)
	}
	if after > 0 {
		d = max(d, 2*after)
	}
	timer := time.NewTimer(d/2 + time.Duration(f.b.opts.Rand()*float64(d/2)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return stet.WrapError(context.Cause(ctx), stet.CodeUnavailable, "following the changes ended at revision %d: %v.", f.revision, context.Cause(ctx))
	case <-f.b.reads.Done():
		return errClosed()
	}
}

// connect follows over one connection. It returns whether anything arrived, how long the
// server asks clients to wait if it ended the stream, and why the connection ended.
func (f *follower) connect(ctx context.Context) (received bool, retry time.Duration, why disconnect) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timeout := missedBeats * f.o.beat
	watch := time.AfterFunc(timeout, func() { cancel(errSilent) })
	defer watch.Stop()

	resp, failed := f.b.stream(ctx, f.request())
	if failed != nil {
		if context.Cause(ctx) == errSilent {
			return false, 0, disconnect{err: f.silentError(timeout), retry: true}
		}
		return false, 0, disconnect{failed.err, failed.retryable, failed.retryAfter}
	}
	defer resp.Body.Close()
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/event-stream" {
		return false, 0, f.malformed(fmt.Errorf("it has no events, but %q", kind))
	}
	r := newEventReader(&watchdogReader{resp.Body, watch, timeout})
	for {
		e, err := r.next()
		if err == nil {
			if err = f.handle(&e); err == nil {
				received = true
				continue
			}
			if !slices.Contains(ends, err) {
				return received, 0, f.malformed(fmt.Errorf("an event after revision %d: %w", f.revision, err))
			}
		}
		switch {
		case slices.Contains(ends, err):
			return received, r.retry, disconnect{err: err, retry: true}
		case context.Cause(ctx) == errSilent:
			err = f.silentError(timeout)
		default:
			failed := f.b.interrupted(ctx, err)
			// run finds out whether the caller or the client has ended it.
			return received, 0, disconnect{err: failed.err, retry: failed.retryable}
		}
		return received, 0, disconnect{err: err, retry: true}
	}
}

// malformed counts an event, or a whole answer, that could not be understood.
func (f *follower) malformed(err error) disconnect {
	if f.malformedAt != f.revision {
		f.malformedCount, f.malformedAt = 0, f.revision
	}
	f.malformedCount++
	failed := f.b.malformed(err)
	return disconnect{err: failed.err, retry: f.malformedCount < maxMalformed}
}

func (f *follower) silentError(timeout time.Duration) error {
	return stet.WrapError(errSilent, stet.CodeUnavailable, "the server at %s has sent nothing for %v, so the connection counts as lost.", f.b.name, timeout)
}

func (f *follower) request() *request {
	q := url.Values{}
	if f.known {
		q.Set("since", f.position())
	}
	if f.o.texts {
		q.Set("texts", "true")
	}
	if f.o.prefix != "" {
		q.Set("prefix", f.o.prefix)
	}
	if f.o.beat != beatEvery {
		q.Set("beat", strconv.FormatFloat(f.o.beat.Seconds(), 'f', -1, 64))
	}
	return &request{method: http.MethodGet, path: "/v1/changes", query: q, accept: "text/event-stream", slow: true}
}

func (f *follower) position() string {
	if f.storeID == "" {
		return formatRevision(f.revision)
	}
	return f.storeID + "." + formatRevision(f.revision)
}

// handle yields what an event says. It returns one of ends to leave the stream, or what is
// wrong with the event.
func (f *follower) handle(e *event) error {
	store, pos, err := parsePosition(e.id)
	if err != nil {
		return err
	}
	switch {
	case f.storeID != "" && store != f.storeID:
		return fmt.Errorf("it is of the store %s and not of %s", store, f.storeID)
	case f.known && pos < f.revision:
		return nil // yielded already
	}
	n := update{storeID: store, revision: pos}
	switch e.name {
	case "change":
		if f.known && pos == f.revision {
			return nil
		}
		if err := json.Unmarshal(e.data, &n.change); err != nil {
			return err
		}
		if n.change.Revision != pos {
			return fmt.Errorf("it has the change at revision %d as %s", n.change.Revision, e.id)
		}
	case "beat":
		var beat struct {
			Newest *uint64 `json:"newest"`
			Scope  string  `json:"scope"`
		}
		if err := json.Unmarshal(e.data, &beat); err != nil {
			return err
		}
		if beat.Newest != nil {
			f.scope = beat.Scope
			n.newest, n.hasNewest, n.scope = *beat.Newest, true, f.scope
		}
	case "end":
		f.storeID, f.revision, f.known = store, pos, true
		var end struct {
			Reason string `json:"reason"`
		}
		if err := json.Unmarshal(e.data, &end); err != nil {
			return err
		}
		switch end.Reason {
		case "too slow":
			return errBehind
		case "key revoked":
			return errKey
		}
		return errEnded
	default:
		return nil // of a later server
	}
	f.storeID, f.revision, f.known = store, pos, true
	if !f.yield(n, nil) {
		return errStop
	}
	return nil
}

// readPages reads the changes that were missed page by page, at the pace of the caller.
func (f *follower) readPages(ctx context.Context) error {
	for {
		p, err := f.b.changesPage(ctx, f.position(), stet.ChangesOptions{Prefix: f.o.prefix, Texts: f.o.texts, Limit: stet.MaxLimit})
		if err != nil {
			return err
		}
		for _, ch := range p.Items {
			if ch.Revision <= f.revision {
				continue
			}
			f.revision = ch.Revision
			if !f.yield(update{change: ch, storeID: f.storeID, revision: f.revision}, nil) {
				return errStop
			}
		}
		if p.Next == "" {
			f.revision = max(f.revision, p.AsOf)
			if !f.yield(update{storeID: f.storeID, revision: f.revision, newest: f.revision, hasNewest: true, scope: f.scope}, nil) {
				return errStop
			}
			return nil
		}
		next, err := strconv.ParseUint(p.Next, 10, 64)
		if err != nil || next <= f.revision && len(p.Items) == 0 {
			return stet.Errorf(stet.CodeUnavailable, "the pages of %s do not go on after revision %d.", f.b.name, f.revision)
		}
		f.revision = max(f.revision, next)
	}
}

// A watchdogReader resets a timer whenever data arrives.
type watchdogReader struct {
	io.Reader
	timer   *time.Timer
	timeout time.Duration
}

func (w *watchdogReader) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.timer.Reset(w.timeout)
	}
	return n, err
}
