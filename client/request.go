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

// A request is one call of the API. It may be sent several times.
type request struct {
	method string
	path   string // after the base, from segments
	query  url.Values
	header http.Header // in addition to what every request has; may be nil
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

// segments joins parts to a path. Each part is one segment, whatever it contains.
//
// A part that is empty, "." or ".." would get lost on the way. No valid id, label or
// selector is one; the caller has checked them.
func segments(parts ...string) string {
	var b strings.Builder
	b.WriteString("/v1")
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// A failure is why an attempt failed.
type failure struct {
	err *stet.Error
	// maybeApplied says that the request may have been carried out, or may be yet.
	maybeApplied bool
	// definitive says that no attempt of the request was carried out.
	definitive bool
	// retryable says that the request may succeed when it is sent again.
	retryable bool
	// maybeDamaged says that the request may have been cut or changed on the way. If
	// an earlier attempt may have been applied, the commit is sent again.
	maybeDamaged bool
	// progress says that a part of the answer came that had not come before.
	progress bool
	// retryAfter is how long the server asks to wait, 0 if it does not say.
	retryAfter time.Duration
}

// stream sends a request once and returns the answer, whose body the caller
// reads and closes. It is for what is long: events and an export.
//
// ctx bounds the whole answer. It also ends, with the error of a closed store,
// when the client is closed. An answer other than 2xx is a failure, whose err is
// for the caller of the store, and which says whether to try again.
func (b *backend) stream(ctx context.Context, r *request) (*http.Response, *failure) {
	if err := b.beginCall(); err != nil {
		return nil, &failure{err: stet.AsError(err)}
	}
	defer b.endCall()
	return b.send(ctx, r)
}

// send sends a request once. The body of the answer ends with ctx, with the client, and,
// unless the request is slow, after Options.Timeout.
func (b *backend) send(ctx context.Context, r *request) (*http.Response, *failure) {
	ctx, cancel := context.WithCancelCause(ctx)
	lives := b.reads
	if r.commit != "" {
		lives = b.writes
	}
	stop := context.AfterFunc(lives, func() { cancel(errClosed()) })
	end := func() { stop(); cancel(nil) }
	if !r.slow && b.opts.Timeout > 0 {
		late := time.AfterFunc(b.opts.Timeout, func() { cancel(errAttemptTimeout) })
		end = func() { late.Stop(); stop(); cancel(nil) }
	}

	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	req, err := b.newRequest(httptrace.WithClientTrace(ctx, trace), r)
	if err != nil {
		end()
		return nil, &failure{err: stet.AsError(err)}
	}
	resp, err := b.transport.RoundTrip(req) // an http.Client would follow redirects, and prepare for it
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
		return nil, b.refused(resp)
	}
	return resp, nil
}

// Values of headers that requests share. Nobody changes them.
var (
	typeJSON  = []string{"application/json"}
	userAgent = []string{"stet"}
)

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
	h := req.Header
	for k, v := range r.header {
		h[k] = v
	}
	if r.method != http.MethodGet && h["Content-Type"] == nil {
		// Also without a body: a web page's form cannot send this header.
		h["Content-Type"] = typeJSON
	}
	h["Accept"] = typeJSON
	if r.accept != "" {
		h["Accept"] = []string{r.accept}
	}
	h["User-Agent"] = userAgent
	if b.opts.Key != "" {
		h["Authorization"] = b.authorization
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
		return nil, errAnswerTooLarge
	}
	buf := bytes.NewBuffer(make([]byte, 0, max(resp.ContentLength, 0)+bytes.MinRead))
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, most+1))
	if err == nil && n > most {
		err = errAnswerTooLarge
	}
	return buf.Bytes(), err
}

var errAnswerTooLarge = errors.New("client: the answer is larger than Options.MaxAnswer")
