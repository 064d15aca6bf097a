package client

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/stet-dev/stet"
)

const (
	// firstWait is the default of Options.FirstWait, and longestWait what it grows to.
	firstWait   = 50 * time.Millisecond
	longestWait = 2 * time.Second
	// longestAfter is the longest Retry-After that is obeyed. Beyond it the call fails,
	// so that a caller without a deadline is not held up.
	longestAfter = time.Minute
)

var errAttemptTimeout = errors.New("one attempt took longer than its Timeout")

// do sends a request until it is answered or another attempt makes no sense. It passes
// the answer to decode, which may be called several times; an error of decode says that
// the answer is malformed. The error of do is for the caller of the store.
func (b *backend) do(ctx context.Context, r *request, decode func(h http.Header, body []byte) error) error {
	if err := b.beginCall(); err != nil {
		return err
	}
	defer b.endCall()
	if ctx.Err() != nil {
		return notBegun(ctx)
	}
	return b.repeat(ctx, r, func() *failure { return b.attempt(ctx, r, decode) })
}

// repeat calls attempt, which sends a request once, until it succeeds or another one
// makes no sense. Its error is for the caller of the store.
func (b *backend) repeat(ctx context.Context, r *request, attempt func() *failure) error {
	most := b.opts.Attempts
	if r.attempts > 0 {
		most = min(most, r.attempts)
	}
	maybeApplied := false
	for n := 1; ; n++ {
		f := attempt()
		if f == nil {
			b.budget.earn()
			return nil
		}
		if f.progress {
			n = 1
		}
		maybeApplied = maybeApplied && !f.definitive || f.maybeApplied
		again := f.retryable || f.maybeDamaged && maybeApplied && r.commit != ""
		if !again || n >= most || !b.wait(ctx, n, f) {
			return b.outcome(ctx, r, f, maybeApplied)
		}
	}
}

// outcome returns the error of a call whose last attempt failed.
func (b *backend) outcome(ctx context.Context, r *request, f *failure, maybeApplied bool) error {
	e := *f.err
	if ctx.Err() != nil && f.retryable { // the caller gave up first
		cause := context.Cause(ctx)
		e = *stet.WrapError(cause, stet.CodeUnavailable, "the call ran out of time (%v). Try again with more time.", cause)
	}
	switch {
	case r.commit != "" && maybeApplied:
		return unknownOutcome(r.commit, &e)
	case r.commit != "" && e.Code == stet.CodeUnavailable && ctx.Err() != nil:
		return notBegun(ctx)
	}
	if e.Code == stet.CodeUnknown { // a read has no outcome
		e.Code, e.CommitID = stet.CodeUnavailable, ""
	}
	return &e
}

func notBegun(ctx context.Context) error {
	err := context.Cause(ctx)
	return stet.WrapError(err, stet.CodeUnavailable, "the call ran out of time before it began (%v). Nothing changed. Try again with more time.", err)
}

// attempt sends a request once and decodes its answer.
func (b *backend) attempt(ctx context.Context, r *request, decode func(http.Header, []byte) error) *failure {
	resp, f := b.send(ctx, r)
	if f != nil {
		return f
	}
	defer resp.Body.Close()
	text, err := b.read(resp)
	if err != nil {
		return b.interrupted(ctx, err)
	}
	_, err = asOf(resp.Header)
	if err == nil {
		err = decode(resp.Header, text)
	}
	if err != nil {
		return b.malformed(err)
	}
	return nil
}

// asOf returns the revision of an answer. Every answer of stet has one. A login page, or
// an empty object from another program, has none and must not pass for an empty list.
func asOf(h http.Header) (uint64, error) {
	revision, err := strconv.ParseUint(h.Get("Stet-As-Of"), 10, 64)
	if err != nil {
		return 0, errors.New("it does not say as of which revision it is")
	}
	return revision, nil
}

// wait waits after the n-th attempt. It returns false if there must be no other: the
// budget is used up, or the caller's time or the client would end first.
func (b *backend) wait(ctx context.Context, n int, f *failure) bool {
	d := b.pause(n, f.retryAfter)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d || f.retryAfter > longestAfter || ctx.Err() != nil {
		return false
	}
	if !b.budget.take() {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-b.reads.Done():
	}
	return false
}

// pause returns how long to wait after the n-th attempt: what the server asked for, and
// a random part, from a half to the whole, of a time that doubles with n.
func (b *backend) pause(n int, after time.Duration) time.Duration {
	d := max(longestWait, b.opts.FirstWait)
	if n < 16 {
		d = min(d, b.opts.FirstWait<<(n-1))
	}
	return after + d/2 + time.Duration(b.opts.Rand()*float64(d/2))
}

// A budget bounds the retries of all calls of a client together. A retry costs one. A
// call that succeeds earns a fifth, and so does a fifth of a second, so that a client
// that calls seldom can retry too. While a server is down, its clients use up what is
// left, and then retry once a second.
type budget struct {
	mu    sync.Mutex
	left  float64
	limit float64
	last  time.Time
}

const (
	earnedByCall   = 0.2
	earnedBySecond = 1.0
)

func (b *budget) fill(most float64) { b.left, b.limit, b.last = most, most, time.Now() }

// take takes one retry, if there is one left.
func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.left = min(b.limit, b.left+now.Sub(b.last).Seconds()*earnedBySecond)
	b.last = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// earn credits a call that succeeded.
func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(b.limit, b.left+earnedByCall)
}
