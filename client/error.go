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

// The codes of errors by what they say about the request.
var (
	// definitiveCodes say that neither this request nor an earlier attempt of it was
	// carried out: a store looks for the id of a commit before it refuses the commit.
	definitiveCodes = map[stet.Code]bool{stet.CodeNotFound: true, stet.CodeConflict: true}
	// damageCodes may be about a request that was cut or changed on the way. Then the
	// server has not looked for the id of the commit.
	damageCodes = map[stet.Code]bool{stet.CodeInvalid: true, stet.CodeTooLarge: true}
	// damageStatuses are the same for answers that are not stet's.
	damageStatuses = map[int]bool{
		http.StatusBadRequest: true, http.StatusRequestEntityTooLarge: true,
		http.StatusUnsupportedMediaType: true, http.StatusRequestHeaderFieldsTooLarge: true,
	}
	// transientCodes may be gone at the next attempt.
	transientCodes = map[stet.Code]bool{stet.CodeUnavailable: true, stet.CodeRateLimited: true, stet.CodeUnknown: true}
	// knownCodes are all codes.
	knownCodes = map[stet.Code]bool{
		stet.CodeInvalid: true, stet.CodeUnauthorized: true, stet.CodeForbidden: true, stet.CodeNotFound: true, stet.CodeConflict: true,
		stet.CodeTooLarge: true, stet.CodeRateLimited: true, stet.CodeInternal: true, stet.CodeUnavailable: true, stet.CodeUnknown: true,
	}
)

// refused returns the failure for an answer that is not 2xx.
func (b *backend) refused(resp *http.Response) *failure {
	f := &failure{retryAfter: parseRetryAfter(resp.Header.Get("Retry-After"), resp.Header.Get("Date"))}
	text, err := io.ReadAll(io.LimitReader(resp.Body, problemLimit))
	var p problem
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return b.interrupted(resp.Request.Context(), err)
	}
	if kind == "application/problem+json" {
		if err := json.Unmarshal(text, &p); err != nil {
			return b.malformed(err)
		}
	}
	if knownCodes[p.Code] {
		f.err = stet.Errorf(p.Code, "%s", p.Detail)
		f.err.CommitID = p.CommitID
		if p.Op != nil && *p.Op >= 0 {
			f.err.Op = *p.Op
		}
		f.maybeApplied = p.Code == stet.CodeUnknown
		f.definitive, f.retryable, f.maybeDamaged = definitiveCodes[p.Code], transientCodes[p.Code], damageCodes[p.Code]
		return f
	}

	// The answer is not stet's: a proxy or another program sent it.
	f.maybeDamaged = damageStatuses[resp.StatusCode]
	status := strings.TrimSpace(strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode))
	switch code := resp.StatusCode; {
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		f.err = stet.Errorf(stet.CodeUnavailable, "%s answers with %s, which is not from stet: the server, or a proxy in front of it, is failing. Try again.", b.name, status)
		f.maybeApplied, f.retryable = true, true
	case code == http.StatusTooManyRequests:
		f.err = stet.Errorf(stet.CodeRateLimited, "%s has had too many requests (%s). Nothing changed. Try again later.", b.name, status)
		f.retryable = true
	case code == http.StatusUnauthorized, code == http.StatusProxyAuthRequired:
		f.err = stet.Errorf(stet.CodeUnauthorized, "%s asks for credentials (%s), but is not stet. Nothing changed. Check the address.", b.name, status)
	case code == http.StatusForbidden:
		f.err = stet.Errorf(stet.CodeForbidden, "%s refuses the request (%s), and is not stet. Nothing changed.", b.name, status)
	case code == http.StatusRequestEntityTooLarge:
		f.err = stet.Errorf(stet.CodeTooLarge, "the request is too large for %s (%s), which is not stet. Nothing changed. Send less at once.", b.name, status)
	case code >= 300 && code < 400:
		f.err = stet.Errorf(stet.CodeInvalid, "%s redirects the request (%s). Nothing changed. Use the address that it names: %q.", b.name, status, resp.Header.Get("Location"))
	default:
		f.err = stet.Errorf(stet.CodeInvalid, "the server at %s (%s) is not stet. Nothing changed. Check the address.", b.name, status)
	}
	return f
}

// unanswered returns the failure of an attempt that got no answer. sent says that it had a
// connection, so the server may have received the request.
func (b *backend) unanswered(ctx context.Context, err error, sent bool) *failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var e *stet.Error
	if errors.As(err, &e) { // the client was closed
		return &failure{err: e, maybeApplied: sent}
	}
	f := &failure{maybeApplied: sent, retryable: true}
	var op *net.OpError
	if !sent || errors.As(err, &op) && op.Op == "dial" {
		f.err = stet.WrapError(err, stet.CodeUnavailable, "the server at %s cannot be reached: %v. Nothing changed. Start it, or check the address.", b.name, rootCause(err))
	} else {
		f.err = stet.WrapError(err, stet.CodeUnavailable, "the server at %s did not answer: %v. Try again.", b.name, rootCause(err))
	}
	return f
}

// interrupted returns the failure for an answer that began well and could not be read to
// its end.
func (b *backend) interrupted(ctx context.Context, err error) *failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var e *stet.Error
	switch {
	case errors.Is(err, errAnswerTooLarge):
		return &failure{maybeApplied: true, err: stet.WrapError(err, stet.CodeTooLarge, "the answer has over %d bytes, which is the most that this client reads. Ask for less at once, or raise its MaxAnswer.", b.opts.MaxAnswer)}
	case errors.As(err, &e):
		return &failure{maybeApplied: true, err: e}
	}
	return &failure{maybeApplied: true, retryable: true, err: stet.WrapError(err, stet.CodeUnavailable, "the answer of the server at %s was cut off: %v. Try again.", b.name, rootCause(err))}
}

// malformed returns the failure for an answer that is not one of stet's.
func (b *backend) malformed(err error) *failure {
	return &failure{maybeApplied: true, retryable: true, err: stet.WrapError(err, stet.CodeUnavailable,
		"the answer of %s is not one of stet's: %v. Try again. If that does not help, check the address, and the versions of stet that the server and this program have.", b.name, message(err))}
}

// rootCause returns the error inside one of net/http, without the URL, which is in the
// sentence around it.
func rootCause(err error) error {
	if err == io.EOF {
		return errors.New("the connection was closed")
	}
	var u *url.Error
	if errors.As(err, &u) {
		return rootCause(u.Err)
	}
	return err
}

// message returns the text of an error without its code.
func message(err error) string {
	var e *stet.Error
	if errors.As(err, &e) {
		return strings.TrimSuffix(e.Message, ".")
	}
	return err.Error()
}

// unknownOutcome returns the error of a commit that may have been applied.
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

// parseRetryAfter parses the header: seconds, or a time by the server's clock.
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
