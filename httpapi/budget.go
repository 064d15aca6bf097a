package httpapi

import (
	"context"
	"net/http"
	"runtime"

	"github.com/stet-dev/stet"
)

const (
	// freeBytes is how much of an answer is not counted. All of a stream is counted.
	freeBytes = 256 << 10
	// leastBuilders is how many large answers are built at once on a machine with few
	// processors; others build two a processor. Building waits only for the storage, so
	// the next request does not wait long.
	leastBuilders = 4
	// freeWork is the size of a decoded body that is not counted: a usual prompt's.
	freeWork = 64 << 10
	// maxWork bounds what the decoded bodies of all requests have beyond freeWork each:
	// room for two of the largest commits, or for dozens of a megabyte. Other requests
	// wait.
	maxWork = 96 << 20
)

func builders() int { return max(leastBuilders, 2*runtime.GOMAXPROCS(0)) }

// A reservation is what one request holds of the server's limits: its place among the
// requests in hand, a place to build a large answer, and the bytes of its body and its
// answer. The server calls release at the end. The zero reservation counts nothing.
type reservation struct {
	limiter   *limiter
	kind      kind
	entered   bool
	building  bool
	bytes     int64
	bodyBytes int64 // of the body, as it was received
	workBytes int64 // of the body, decoded

	unknown bool // its answer counts as one to an unknown caller

	caller string // "" until it is known
	share  *share // of the caller; nil until it is known
}

// enter takes a place among the requests in hand, or refuses the request as unavailable.
func (r *reservation) enter() error {
	if r.limiter == nil || r.entered {
		return nil
	}
	err := r.limiter.enter(r.kind, r.share)
	r.entered = err == nil
	return err
}

func (r *reservation) leave() {
	if r.entered {
		r.limiter.leave(r.kind, r.share)
		r.entered = false
	}
}

// enterUnknown counts an answer over HTTP/2 to an unknown caller, who may never read it,
// until the request ends. It fails as unavailable if there are too many.
func (r *reservation) enterUnknown() error {
	if r.unknown {
		return nil
	}
	err := r.limiter.enter(kindUnknown, nil)
	r.unknown = err == nil
	return err
}

// whileUnsent calls flush, which may wait for the client, and ignores its error: the
// client has left then. It fails if too many answers wait, of all callers or of this one.
func (r *reservation) whileUnsent(flush func() error) error {
	if r.share == nil {
		if err := r.enterUnknown(); err != nil {
			return err
		}
	} else {
		if err := r.limiter.enter(kindUnsent, r.share); err != nil {
			return err
		}
		defer r.limiter.leave(kindUnsent, r.share)
	}
	_ = flush()
	return nil
}

// assign counts the request as its caller's, once the caller is known. It refuses the
// request as rate_limited if the caller has its share already.
func (r *reservation) assign(who string) error {
	if r.limiter == nil || r.share != nil {
		return nil
	}
	sh := r.limiter.shares.join(who)
	if err := sh.enter(r.kind, r.limiter.limits[r.kind]); err != nil {
		r.limiter.shares.leave(who, sh)
		return err
	}
	r.caller, r.share = who, sh
	return nil
}

// holdBody reserves bytes for the body. Every caller may have one body of the route's
// limit, most of which is held twice for a moment while its buffer grows.
func (r *reservation) holdBody(bytes, most int64) error {
	if r.limiter == nil {
		return nil
	}
	if err := r.limiter.hold(bytes); err != nil {
		return err
	}
	if r.share != nil {
		if err := r.share.hold(bytes, max(shareOf(r.limiter.bodyLimit), 2*most)); err != nil {
			r.limiter.release(bytes)
			return err
		}
	}
	r.bodyBytes += bytes
	return nil
}

func (r *reservation) releaseBody(bytes int64) {
	if r.limiter == nil || bytes == 0 {
		return
	}
	r.limiter.release(bytes)
	if r.share != nil {
		r.share.bytes.Add(-bytes)
	}
	r.bodyBytes -= bytes
}

// reserveWork waits, in order of arrival and for workTime at the longest, until there is
// room for a decoded body.
func (r *reservation) reserveWork(ctx context.Context, bytes int64) error {
	bytes = min(bytes, maxWork) - r.workBytes
	if r.limiter == nil || bytes <= freeWork {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	if err := r.limiter.work.Acquire(ctx, bytes); err != nil {
		return stet.WrapError(err, stet.CodeUnavailable, "the server had no room for this request within %v: it is busy with other large ones. Nothing changed. Try again.", workTime)
	}
	r.workBytes += bytes
	return nil
}

// whileWaiting calls f, which waits. During the wait the request counts as one of kind k,
// and its own place is free; afterwards it takes a place again. full reports whether the
// request is refused because there was no place before or after.
func (r *reservation) whileWaiting(k kind, f func() error) (full bool, err error) {
	if r.limiter == nil {
		return false, f()
	}
	if err := r.limiter.enter(k, r.share); err != nil {
		return true, err
	}
	r.leave()
	err = func() error {
		defer r.limiter.leave(k, r.share)
		return f()
	}()
	if err != nil {
		return false, err // an error needs no place
	}
	err = r.enter()
	return err != nil, err
}

// beginBuild waits for a place to build a large answer. endBuild gives it back before
// anything is written, because the client may be slow.
func (r *reservation) beginBuild(ctx context.Context) error {
	if r.limiter == nil || r.building {
		return nil
	}
	select {
	case r.limiter.builds <- struct{}{}:
	case <-ctx.Done():
		return stet.WrapError(context.Cause(ctx), stet.CodeUnavailable, "the server did not begin the answer in time: %v. Try again.", context.Cause(ctx))
	}
	r.building = true
	return nil
}

func (r *reservation) endBuild() {
	if r.building {
		<-r.limiter.builds
		r.building = false
	}
}

// reserve sets the size of the answer to n bytes. If all answers together would be over
// the limit it fails as unavailable and changes nothing.
func (r *reservation) reserve(n int) error {
	more := r.more(n)
	if more > 0 && r.limiter.answers.Load()+more > r.limiter.answerLimit {
		return stet.Errorf(stet.CodeUnavailable, "the server holds answers of %d bytes already, and with this one it would hold more than its limit of %d. Try again, or ask for less at once.", r.limiter.answers.Load(), r.limiter.answerLimit)
	}
	r.add(more)
	return nil
}

// forceReserve is reserve without a limit, for the answer to a write that has happened.
func (r *reservation) forceReserve(n int) { r.add(r.more(n)) }

func (r *reservation) more(n int) int64 {
	switch {
	case r.limiter == nil:
		return 0
	case n <= freeBytes && r.kind != kindStream:
		n = 0
	}
	return int64(n) - r.bytes
}

func (r *reservation) add(more int64) {
	if more != 0 {
		r.limiter.answers.Add(more)
		r.bytes += more
	}
}

// release gives everything back.
func (r *reservation) release() {
	r.endBuild()
	r.add(-r.bytes)
	r.releaseBody(r.bodyBytes)
	if r.workBytes > 0 {
		r.limiter.work.Release(r.workBytes)
		r.workBytes = 0
	}
	r.leave()
	if r.unknown {
		r.limiter.leave(kindUnknown, nil)
		r.unknown = false
	}
	if r.share != nil {
		r.limiter.shares.leave(r.caller, r.share)
		r.caller, r.share = "", nil
	}
}

// reservation returns the reservation of the call's request.
func (c *call) reservation() *reservation {
	if rec := recorderOf(c.w); rec != nil {
		return &rec.reservation
	}
	return new(reservation)
}

// wait returns once the store has a revision. It fails after workTime, when the caller's
// access ends, and when the server drains. If it has to wait, the request counts as
// waiting meanwhile.
func (c *call) wait(revision uint64) error {
	tail, err := c.s.store.Tail(c.ctx())
	if err != nil || revision <= tail.Revision {
		return err
	}
	full, err := c.reservation().whileWaiting(kindWait, func() error {
		ctx, cancel := context.WithTimeout(c.ctx(), workTime)
		defer cancel()
		ctx, stop := c.a.withLifetime(ctx)
		defer stop()
		defer context.AfterFunc(c.s.stopping, cancel)()
		_, _, err := c.s.store.GetMany(ctx, nil, stet.ReadOptions{MinRevision: revision})
		if err != nil && expired(c.a) {
			err = c.a.expiredError() // the cause of the error
		} else if err != nil && c.s.stopping.Err() != nil {
			c.w.Header().Set("Retry-After", retrySoon)
			err = stet.Errorf(stet.CodeUnavailable, "the server is stopping, and revision %d has not arrived. Try again in a moment.", revision)
		}
		return err
	})
	if tail, err := c.s.store.Tail(c.ctx()); err == nil {
		c.before = tail.Revision
	}
	if full {
		c.countRefusal("in_hand")
	}
	return err
}

// prepare is wait and beginBuild, for a read whose answer may be large.
func (c *call) prepare(revision uint64) error {
	if err := c.wait(revision); err != nil {
		return err
	}
	return c.reservation().beginBuild(c.ctx())
}

// reserve counts the bytes of the answer as it grows; see [reservation.reserve].
func (c *call) reserve(n int) error {
	err := c.reservation().reserve(n)
	if err != nil {
		c.countRefusal("answer_bytes")
	}
	return err
}

// countRefusal counts a request that a limit refuses, and asks its client to retry soon.
func (c *call) countRefusal(limit string) { c.s.countRefusal(c.w.Header(), limit) }

func (s *Server) countRefusal(h http.Header, limit string) {
	s.metrics.refused.WithLabelValues(limit).Inc()
	h.Set("Retry-After", retrySoon)
}
