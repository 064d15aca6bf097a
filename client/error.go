package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

// problem is the body of an error (RFC 9457), as far as the client reads it.
type problem struct {
	Detail   string    `json:"detail"`
	Code     stet.Code `json:"code"`
	Op       *int      `json:"op"`
	CommitID string    `json:"commit_id"`
}

// problemLimit is the most bytes of an error that are read: stet's have hundreds.
const problemLimit = 1 << 20

// What an error with a code says of the request that it answers.
var (
	// settling codes say that the request was looked at and not carried out, and
	// that an earlier attempt of it was not either: the store looks for the id
	// of a commit before it refuses it.
	settling = map[stet.Code]bool{stet.CodeNotFound: true, stet.CodeConflict: true}
	// arrival codes may be about what has arrived, which is not what was sent if
	// it was cut or changed on the way: then nobody has looked for the id.
	arrival = map[stet.Code]bool{stet.CodeInvalid: true, stet.CodeTooLarge: true}
	// arrivals are the same for answers that are not stet's.
	arrivals = map[int]bool{
		http.StatusBadRequest: true, http.StatusRequestEntityTooLarge: true,
		http.StatusUnsupportedMediaType: true, http.StatusRequestHeaderFieldsTooLarge: true,
	}
	// passing codes may be others the next time.
	passing = map[stet.Code]bool{stet.CodeUnavailable: true, stet.CodeRateLimited: true, stet.CodeUnknown: true}
	// known codes are all.
	known = map[stet.Code]bool{
		stet.CodeInvalid: true, stet.CodeUnauthorized: true, stet.CodeForbidden: true, stet.CodeNotFound: true, stet.CodeConflict: true,
		stet.CodeTooLarge: true, stet.CodeRateLimited: true, stet.CodeInternal: true, stet.CodeUnavailable: true, stet.CodeUnknown: true,
	}
)

// refusal understands an answer that is not 2xx.
func (b *backend) refusal(resp *http.Response) *failure {
	f := &failure{after: parseRetryAfter(resp.Header.Get("Retry-After"), resp.Header.Get("Date"))}
	text, err := io.ReadAll(io.LimitReader(resp.Body, problemLimit))
	var p problem
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return b.cut(resp.Request.Context(), err)
	}
	if kind == "application/problem+json" {
		if err := json.Unmarshal(text, &p); err != nil {
			return b.garbled(err)
		}
	}
	if known[p.Code] {
		f.err = stet.Errorf(p.Code, "%s", p.Detail)
		f.err.CommitID = p.CommitID
		if p.Op != nil && *p.Op >= 0 {
			f.err.Op = *p.Op
		}
		f.open = p.Code == stet.CodeUnknown
		f.settles, f.again, f.arrival = settling[p.Code], passing[p.Code], arrival[p.Code]
		return f
	}

	// It is not stet's: from something on the way, or from something else.
	f.arrival = arrivals[resp.StatusCode]
	status := strings.TrimSpace(strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode))
	switch code := resp.StatusCode; {
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		f.err = stet.Errorf(stet.CodeUnavailable, "what answers at %s is %s, without a word of stet's: the server, or what stands before it, is not well. Try again.", b.name, status)
		f.open, f.again = true, true
	case code == http.StatusTooManyRequests:
		f.err = stet.Errorf(stet.CodeRateLimited, "there were too many requests for what answers at %s (%s). Nothing changed. Try again later.", b.name, status)
		f.again = true
	case code == http.StatusUnauthorized, code == http.StatusProxyAuthRequired:
		f.err = stet.Errorf(stet.CodeUnauthorized, "what answers at %s wants to know who asks (%s), and is not stet. Nothing changed.", b.name, status)
	case code == http.StatusForbidden:
		f.err = stet.Errorf(stet.CodeForbidden, "what answers at %s refuses it (%s), and is not stet. Nothing changed.", b.name, status)
	case code == http.StatusRequestEntityTooLarge:
		f.err = stet.Errorf(stet.CodeTooLarge, "the request is too large for what answers at %s (%s), which is not stet. Nothing changed. Send less at once.", b.name, status)
	case code >= 300 && code < 400:
		f.err = stet.Errorf(stet.CodeInvalid, "what answers at %s sends requests elsewhere (%s). Nothing changed. Give the address that it names: %q.", b.name, status, resp.Header.Get("Location"))
	default:
		f.err = stet.Errorf(stet.CodeInvalid, "what answers at %s (%s) is not stet. Nothing changed. See the address.", b.name, status)
	}
	return f
}

// unanswered understands an attempt that got no answer. sent says that it had a
// connection, so that the server may have the request.
func (b *backend) unanswered(ctx context.Context, err error, sent bool) *failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var e *stet.Error
	if errors.As(err, &e) { // the client was closed
		return &failure{err: e, open: sent}
	}
	f := &failure{open: sent, again: true}
	var op *net.OpError
	if !sent || errors.As(err, &op) && op.Op == "dial" {
		f.err = stet.WrapError(err, stet.CodeUnavailable, "the server at %s cannot be reached: %v. Nothing changed. Start it, or see the address.", b.name, plain(err))
	} else {
		f.err = stet.WrapError(err, stet.CodeUnavailable, "the server at %s did not answer: %v. Try again.", b.name, plain(err))
	}
	return f
}

// cut understands an answer that began well and could not be read.
func (b *backend) cut(ctx context.Context, err error) *failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var e *stet.Error
	switch {
	case errors.Is(err, errHuge):
		return &failure{open: true, err: stet.WrapError(err, stet.CodeTooLarge, "the answer has over %d bytes, which is the most that this client reads. Ask for less at once, or raise its MaxAnswer.", b.opts.MaxAnswer)}
	case errors.As(err, &e):
		return &failure{open: true, err: e}
	}
	return &failure{open: true, again: true, err: stet.WrapError(err, stet.CodeUnavailable, "the answer of the server at %s was cut: %v. Try again.", b.name, plain(err))}
}

// garbled understands an answer that is not what it should be.
func (b *backend) garbled(err error) *failure {
	return &failure{open: true, again: true, err: stet.WrapError(err, stet.CodeUnavailable,
		"the answer of %s is not one of stet's: %v. Try again; if it stays so, see the address, and which versions of stet the server and this program have.", b.name, message(err))}
}

// plain returns what is at the bottom of an error of net/http, without the URL,
// which the sentence around it has.
func plain(err error) error {
	if err == io.EOF {
		return errors.New("the connection was closed")
	}
	var u *url.Error
	if errors.As(err, &u) {
		return plain(u.Err)
	}
	return err
}

// message is what an error says, without its code.
func message(err error) string {
	var e *stet.Error
	if errors.As(err, &e) {
		return strings.TrimSuffix(e.Message, ".")
	}
	return err.Error()
}

// unknownOutcome says that a commit may have been applied.
func unknownOutcome(id string, f *stet.Error) *stet.Error {
	if f.Code == stet.CodeUnknown { // in the server's words
		f.CommitID = id
		return f
	}
	why := strings.ReplaceAll(f.Message, " Nothing changed.", "") // by the last attempt
	e := stet.WrapError(f.Err, stet.CodeUnknown, "it is not known whether commit %s was applied: %s Send it again with the same id: it is applied once.", id, why)
	e.CommitID = id
	return e
}

// parseRetryAfter reads the header: seconds, or an instant of the server's clock.
func parseRetryAfter(s, date string) time.Duration {
	if s == "" {
		return 0
	}
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(date)
	if err != nil {
		now = time.Now()
	}
	return max(0, at.Sub(now))
}
