package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
)

// A request is one call of the API, which may be sent several times.
type request struct {
	method string
	path   string // behind the base, from segments
	query  url.Values
	header http.Header // beside what every request has; may be nil
	body   []byte      // JSON, unless header says otherwise; nil for none
	accept string      // "application/json" if ""

	// commit is the id of the commit that the request makes, "" for one that
	// changes nothing.
	commit string
	// slow requests have no time limit of their own.
	slow bool
	// attempts is how often it is sent at most, Options.Attempts if 0.
	attempts int
}

// segments makes a path of its parts. Each is one segment, whatever it holds.
//
// A part that is "." or ".." would not arrive, and neither would an empty one;
// no prompt, label or selector is one, and who calls has checked that.
func segments(parts ...string) string {
	var b strings.Builder
	b.WriteString("/v1")
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// A failure is why an attempt has not succeeded.
type failure struct {
	err *stet.Error
	// open says that the request may have been carried out all the same, or
	// that it may be yet.
	open bool
	// settles says that the answer is about the request itself: whatever
	// became of earlier attempts, it was not carried out.
	settles bool
	// again says that it may succeed when it is sent again.
	again bool
	// arrival says that the answer may be about what arrived and not about what
	// was sent. While it is open whether an earlier attempt of a commit was
	// carried out, it is sent again.
	arrival bool
	// after is how long the server wants to be left alone for, 0 if it does not say.
	after time.Duration
}

// stream sends a request once and returns the answer, whose body the caller
// reads and closes. It is for what is long: events, an export, a backup.
//
// ctx bounds the whole answer. It also ends, with the error of a closed store,
// when the client is closed. An answer other than 2xx is a failure, whose err is
// for the caller of the store, and which says whether to try again.
func (b *backend) stream(ctx context.Context, r *request) (*http.Response, *failure) {
	if err := b.begin(); err != nil {
		return nil, &failure{err: stet.AsError(err)}
	}
	defer b.end()
	return b.send(ctx, r)
}

// send sends a request once. The body of the answer ends with ctx and the client.
func (b *backend) send(ctx context.Context, r *request) (*http.Response, *failure) {
	ctx, cancel := context.WithCancelCause(ctx)
	lives := b.reads
	if r.commit != "" {
		lives = b.writes
	}
	stop := context.AfterFunc(lives, func() { cancel(errClosed()) })
	end := func() { stop(); cancel(nil) }

	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	req, err := b.newRequest(httptrace.WithClientTrace(ctx, trace), r)
	if err != nil {
		end()
		return nil, &failure{err: stet.AsError(err)}
	}
	resp, err := b.http.Do(req)
	if err != nil {
		defer end()
		sent := connected.Load()
		if !b.traced {
			var op *net.OpError
			sent = !errors.As(err, &op) || op.Op != "dial"
		}
		return nil, b.unanswered(ctx, err, sent)
	}
	resp.Body = &body{resp.Body, ctx, end}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return nil, b.refusal(resp)
	}
	return resp, nil
}

func (b *backend) newRequest(ctx context.Context, r *request) (*http.Request, error) {
	u := b.base + r.path
	if len(r.query) > 0 {
		u += "?" + r.query.Encode()
	}
	var content io.Reader
	if r.body != nil {
		content = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u, content)
	if err != nil {
		return nil, stet.WrapError(err, stet.CodeInvalid, "the request cannot be made: %v.", err)
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	if r.method != http.MethodGet && req.Header.Get("Content-Type") == "" {
		// Also without a body: a form of a web page cannot send this.
		req.Header.Set("Content-Type", "application/json")
	}
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	} else {
		req.Header.Set("Accept", "application/json, application/problem+json")
	}
	req.Header.Set("User-Agent", "stet")
	if b.opts.Key != "" {
		req.Header.Set("Authorization", "Bearer "+b.opts.Key)
	}
	// A commit's id is in its body alone. With the header Idempotency-Key net/http
	// would send the request again by itself where a kept connection breaks, and
	// hide that the first attempt may have been carried out.
	return req, nil
}

// A body ends its request's context when it is closed, and says why it was cut.
type body struct {
	io.ReadCloser
	ctx context.Context
	end func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}

// read reads an answer whole, up to the most that is kept in memory.
func (b *backend) read(resp *http.Response) ([]byte, error) {
	most := b.opts.MaxAnswer
	if resp.ContentLength > most {
		return nil, errHuge
	}
	buf := bytes.NewBuffer(make([]byte, 0, max(resp.ContentLength, 0)+bytes.MinRead))
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, most+1))
	if err == nil && n > most {
		err = errHuge
	}
	return buf.Bytes(), err
}

var errHuge = errors.New("client: the answer is larger than Options.MaxAnswer")
