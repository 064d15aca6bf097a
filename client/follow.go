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
	// beatEvery is how often a server says something on a stream that has no
	// news, if it is not asked for another time.
	beatEvery = 15 * time.Second
	// missedBeats is after how many beats that did not come a connection is dead.
	missedBeats = 3
	// longestPause is the longest that is waited before a stream is opened again:
	// news of a server that is back come within that.
	longestPause = 10 * time.Second
)

// Why a connection ended, apart from an error.
var (
	errStop   = errors.New("client: the caller stops")    // the loop was left
	errSilent = errors.New("the connection went silent")  // no beat came
	errBehind = errors.New("the server says: read pages") // too slow for the stream
	errEnded  = errors.New("the server ended the stream") // it is stopping
	errKey    = errors.New("the key was revoked, has expired or was given other rights")
)

// ends are the reasons to read no more of a stream though nothing is wrong with it.
var ends = []error{errStop, errBehind, errEnded, errKey}

// followOptions choose what is followed.
type followOptions struct {
	// storeID and since are the place to go on after; storeID is "" for a
	// revision of whatever store is there. present begins with what comes now.
	storeID string
	since   uint64
	present bool

	texts  bool
	prefix string
	beat   time.Duration // beatEvery if 0
	// patient waits for a server that cannot be reached at the beginning, too.
	patient bool
}

// news is what following tells.
type news struct {
	// change is a commit; its revision is 0 where there is none.
	change stet.Change
	// storeID and revision say where the reader is now: it knows of everything
	// that it asked for up to there.
	storeID  string
	revision uint64
	// newest is the newest revision that there was a moment ago, if told says that
	// the server has told it.
	newest uint64
	told   bool
	// scope names the prompts that the key is for where told is true, "" for every
	// one: of others nothing is told.
	scope string
	// lost is why there is no connection, nil if there is one.
	lost error
}

// A feed tells what happens in a store. It is what a cache needs of a client.
type feed interface {
	// follow yields every change after the place to begin at, in order, none
	// missing and none twice, whatever becomes of the connection; and beside
	// them how far it is and when the connection is lost. An error ends it: ctx
	// is done, the client is closed, or going on there makes no sense.
	follow(ctx context.Context, o followOptions) iter.Seq2[news, error]
}

// A follower is the state of one follow.
type follower struct {
	b     *backend
	o     followOptions
	yield func(news, error) bool

	storeID string
	pos     uint64
	known   bool // storeID and pos are a place
	scope   string

	// garbled is how many connections in a row ended with what could not be
	// understood, at the place badAt.
	garbled int
	badAt   uint64
}

// maxGarbled is after how many of them the server is what is wrong, or what answers
// in its stead, and not the connection.
const maxGarbled = 3

func (b *backend) follow(ctx context.Context, o followOptions) iter.Seq2[news, error] {
	if o.beat == 0 {
		o.beat = beatEvery
	}
	return func(yield func(news, error) bool) {
		f := &follower{b: b, o: o, yield: yield, storeID: o.storeID, pos: o.since, known: !o.present}
		if err := f.run(ctx); err != errStop {
			yield(news{}, err)
		}
	}
}

// run follows over one connection after the other. It returns errStop or the
// error for the caller.
func (f *follower) run(ctx context.Context) error {
	connected := false
	for n := 1; ; n++ {
		told, retry, failed := f.once(ctx)
		switch {
		case failed.err == errStop:
			return errStop
		case ctx.Err() != nil:
			return stet.WrapError(context.Cause(ctx), stet.CodeUnavailable, "following the changes ended at revision %d: %v.", f.pos, context.Cause(ctx))
		case !failed.again:
			return stet.AsError(failed.err)
		}
		if told {
			connected, n = true, 1
		}
		if !connected && !f.o.patient && n >= f.b.opts.Attempts {
			return stet.AsError(failed.err)
		}
		if !f.yield(news{storeID: f.storeID, revision: f.pos, lost: failed.err}, nil) {
			return errStop
		}
		if failed.err == errBehind {
			if err := f.pages(ctx); err != nil {
				if err == errStop || !passing[stet.CodeOf(err)] {
					return err
				}
			} else {
				n = 0
				continue
			}
		}
		if err := f.pause(ctx, n, max(retry, failed.after)); err != nil {
			return err
		}
	}
}

// A lost connection and what to do about it.
type lost struct {
	err   error
	again bool
	after time.Duration
}

// pause waits before the connection after the n-th in a row that told nothing.
// Everybody was cut off at the same time; they come back one by one.
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
		return stet.WrapError(context.Cause(ctx), stet.CodeUnavailable, "following the changes ended at revision %d: %v.", f.pos, context.Cause(ctx))
	case <-f.b.reads.Done():
		return errClosed()
	}
}

// once follows over one connection. told says that something came, and retry how
// long a server that has ended the stream wants to be left alone for.
func (f *follower) once(ctx context.Context) (told bool, retry time.Duration, why lost) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := missedBeats * f.o.beat
	watch := time.AfterFunc(patience, func() { cancel(errSilent) })
	defer watch.Stop()

	resp, failed := f.b.stream(ctx, f.request())
	if failed != nil {
		if context.Cause(ctx) == errSilent {
			return false, 0, lost{err: f.silent(patience), again: true}
		}
		return false, 0, lost{failed.err, failed.again, failed.after}
	}
	defer resp.Body.Close()
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/event-stream" {
		return false, 0, f.bad(fmt.Errorf("it has no events, but %q", kind))
	}
	r := newEventReader(&watched{resp.Body, watch, patience})
	for {
		e, err := r.next()
		if err == nil {
			if err = f.take(&e); err == nil {
				told = true
				continue
			}
			if !slices.Contains(ends, err) {
				return told, 0, f.bad(fmt.Errorf("an event after revision %d: %w", f.pos, err))
			}
		}
		switch {
		case slices.Contains(ends, err):
			return told, r.retry, lost{err: err, again: true}
		case context.Cause(ctx) == errSilent:
			err = f.silent(patience)
		default:
			failed := f.b.cut(ctx, err)
			// A stream that was closed while it was read ends the following only
			// with the caller or the client, which run looks for.
			return told, 0, lost{err: failed.err, again: failed.again}
		}
		return told, 0, lost{err: err, again: true}
	}
}

// bad is told of an event, or of a whole answer, that could not be understood.
func (f *follower) bad(err error) lost {
	if f.badAt != f.pos {
		f.garbled, f.badAt = 0, f.pos
	}
	f.garbled++
	failed := f.b.garbled(err)
	return lost{err: failed.err, again: f.garbled < maxGarbled}
}

func (f *follower) silent(patience time.Duration) error {
	return stet.WrapError(errSilent, stet.CodeUnavailable, "the server at %s said nothing for %v; it is taken for lost.", f.b.name, patience)
}

func (f *follower) request() *request {
	q := url.Values{}
	if f.known {
		q.Set("since", f.place())
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

func (f *follower) place() string {
	if f.storeID == "" {
		return strconv.FormatUint(f.pos, 10)
	}
	return f.storeID + "." + strconv.FormatUint(f.pos, 10)
}

// take tells the caller of an event. It returns one of ends
// where nothing more is to be read, or says what is wrong with the event.
func (f *follower) take(e *event) error {
	store, pos, err := parsePlace(e.id)
	if err != nil {
		return err
	}
	switch {
	case f.storeID != "" && store != f.storeID:
		return fmt.Errorf("it is of the store %s and not of %s", store, f.storeID)
	case f.known && pos < f.pos:
		return nil // told already
	}
	n := news{storeID: store, revision: pos}
	switch e.name {
	case "change":
		if f.known && pos == f.pos {
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
			n.newest, n.told, n.scope = *beat.Newest, true, f.scope
		}
	case "end":
		f.storeID, f.pos, f.known = store, pos, true
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
	f.storeID, f.pos, f.known = store, pos, true
	if !f.yield(n, nil) {
		return errStop
	}
	return nil
}

// pages reads what was missed page by page, at the pace of whoever is told.
func (f *follower) pages(ctx context.Context) error {
	for {
		p, err := f.b.changesPage(ctx, f.place(), f.o.prefix, stet.ChangesOptions{Texts: f.o.texts, Limit: 1000})
		if err != nil {
			return err
		}
		for _, ch := range p.Items {
			if ch.Revision <= f.pos {
				continue
			}
			f.pos = ch.Revision
			if !f.yield(news{change: ch, storeID: f.storeID, revision: f.pos}, nil) {
				return errStop
			}
		}
		if p.Next == "" {
			f.pos = max(f.pos, p.AsOf)
			if !f.yield(news{storeID: f.storeID, revision: f.pos, newest: f.pos, told: true, scope: f.scope}, nil) {
				return errStop
			}
			return nil
		}
		next, err := strconv.ParseUint(p.Next, 10, 64)
		if err != nil || next <= f.pos && len(p.Items) == 0 {
			return stet.Errorf(stet.CodeUnavailable, "the pages of %s do not go on after revision %d.", f.b.name, f.pos)
		}
		f.pos = max(f.pos, next)
	}
}

// watched tells a timer of everything that comes.
type watched struct {
	io.Reader
	timer    *time.Timer
	patience time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.timer.Reset(w.patience)
	}
	return n, err
}
