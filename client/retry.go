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
	// firstWait is Options.FirstWait unless it is given, and longestWait what it
	// grows to.
	firstWait   = 50 * time.Millisecond
	longestWait = 2 * time.Second
	// longestAfter is the longest Retry-After that is waited for: a caller without
	// a deadline would rather know.
	longestAfter = time.Minute
)

var errSlow = errors.New("it took longer than one attempt may")

// do sends a request until it is answered or there is no sense in going on, and
// hands the answer to decode, which may be called several times; an error of it
// is a garbled answer. The error is the caller's.
func (b *backend) do(ctx context.Context, r *request, decode func(h http.Header, body []byte) error) error {
	if err := b.begin(); err != nil {
		return err
	}
	defer b.end()
	if ctx.Err() != nil {
		return notBegun(ctx)
	}
	most := b.opts.Attempts
	if r.attempts > 0 {
		most = min(most, r.attempts)
	}
	open := false // an attempt may have been carried out
	for n := 1; ; n++ {
		f := b.attempt(ctx, r, decode)
		if f == nil {
			b.budget.earn()
			return nil
		}
		open = open && !f.settles || f.open
		again := f.again || f.arrival && open && r.commit != ""
		if !again || n >= most || !b.wait(ctx, n, f) {
			return b.outcome(ctx, r, f, open)
		}
	}
}

// outcome is the error of a call whose last attempt failed.
func (b *backend) outcome(ctx context.Context, r *request, f *failure, open bool) error {
	e := *f.err
	if ctx.Err() != nil && f.again { // the caller gave up first
		cause := context.Cause(ctx)
		e = *stet.WrapError(cause, stet.CodeUnavailable, "the time for it ran out (%v). Try again with more time.", cause)
	}
	switch {
	case r.commit != "" && open:
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
	return stet.WrapError(err, stet.CodeUnavailable, "the time for it ran out before it was begun (%v). Nothing changed. Try again with more time.", err)
}

// attempt sends a request once and decodes its answer.
func (b *backend) attempt(ctx context.Context, r *request, decode func(http.Header, []byte) error) *failure {
	if !r.slow && b.opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, b.opts.Timeout, errSlow)
		defer cancel()
	}
	resp, f := b.send(ctx, r)
	if f != nil {
		return f
	}
	defer resp.Body.Close()
	text, err := b.read(resp)
	if err != nil {
		return b.cut(ctx, err)
	}
	revision, err := asOf(resp.Header)
	if err == nil {
		err = decode(resp.Header, text)
	}
	if err != nil {
		return b.garbled(err)
	}
	for old := b.seen.Load(); revision > old && !b.seen.CompareAndSwap(old, revision); old = b.seen.Load() {
	}
	return nil
}

// asOf is the revision that an answer is of. Every answer of stet's to a call says
// it; the page of a login, or an empty object, does not, and must not pass for an
// empty list.
func asOf(h http.Header) (uint64, error) {
	revision, err := strconv.ParseUint(h.Get("Stet-As-Of"), 10, 64)
	if err != nil {
		return 0, errors.New("it does not say as of which revision it is")
	}
	return revision, nil
}

// wait waits before the attempt that follows the n-th. It returns false, and does
// not wait, if there is to be none: the budget is used up, or the caller's time or
// the client would end first.
func (b *backend) wait(ctx context.Context, n int, f *failure) bool {
	d := b.pause(n, f.after)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d || f.after > longestAfter || ctx.Err() != nil {
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

// pause is how long to wait after the n-th attempt: at random between a half and
// the whole of a time that doubles, and after what the server asked for.
func (b *backend) pause(n int, after time.Duration) time.Duration {
	d := max(longestWait, b.opts.FirstWait)
	if n < 16 {
		d = min(d, b.opts.FirstWait<<(n-1))
	}
	return after + d/2 + time.Duration(b.opts.Rand()*float64(d/2))
}

// A budget bounds how much repetitions add to what is sent: each costs one, each
// call that succeeds brings back a fifth, and so does each fifth of a second, so
// that a client that calls seldom can repeat as well. While a server is down, all
// calls together repeat no more than what is left, and then once a second.
type budget struct {
	mu   sync.Mutex
	left float64
	most float64
	last time.Time
}

const (
	earnedByCall   = 0.2
	earnedBySecond = 1.0
)

func (b *budget) fill(most float64) { b.left, b.most, b.last = most, most, time.Now() }

// take takes one repetition, if there is one.
func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.left = min(b.most, b.left+now.Sub(b.last).Seconds()*earnedBySecond)
	b.last = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// earn is told of a call that succeeded.
func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(b.most, b.left+earnedByCall)
}
