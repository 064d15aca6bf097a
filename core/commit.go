package core

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// This file has the way of a commit, in its order. In the caller's goroutine: check
// (request.go), queue, wait. In the writer's, for all that are in the queue: gather, decide
// (decide.go), append, publish, answer. docs/design.md has the argument why it is right.

// Commit carries out a commit: all of it or nothing, at one instant, exactly
// once for each id.
//
// Once ctx is done Commit returns at once. If the commit had not been taken up
// by then the error is unavailable and nothing happened; otherwise it is unknown,
// with the id to ask again with.
func (c *core) Commit(ctx context.Context, commit stet.Commit) (stet.Done, error) {
	c.inCommit.Add(1)
	defer c.inCommit.Add(-1)
	r, err := c.newRequest(ctx, &commit)
	if err != nil {
		return stet.Done{}, err
	}
	if err := c.submit(ctx, r); err != nil {
		return stet.Done{}, err
	}
	done := r.outcome.done()
	done.Versions = c.versionsOf(ctx, r)
	return done, nil
}

// submit puts a request into the writer's queue, and waits for its outcome.
func (c *core) submit(ctx context.Context, r *request) error {
	if ctx.Err() != nil {
		return notStarted(ctx)
	}
	select {
	case <-c.closing:
		return errClosed()
	default:
	}
	select {
	case c.queue <- r:
	case <-c.closing:
		return errClosed()
	case <-ctx.Done():
		return notStarted(ctx)
	}
	return c.wait(ctx, r)
}

// wait waits for the outcome of a request that is in the queue or that the writer has
// taken.
func (c *core) wait(ctx context.Context, r *request) error {
	select {
	case <-r.answered:
	case <-c.stopped:
	case <-ctx.Done():
	}
	if r.claimed.CompareAndSwap(false, true) { // the writer will skip it, or has stopped
		if ctx.Err() == nil {
			return errClosed()
		}
		return notStarted(ctx)
	}
	select {
	case <-r.answered: // perhaps just now
		return ownError(r.outcome.err)
	default:
	}
	return unknown(context.Cause(ctx), r.id, "the time for it ran out while it was being written")
}

func notStarted(ctx context.Context) error {
	err := context.Cause(ctx)
	return stet.WrapError(err, stet.CodeUnavailable, "the time for the commit ran out before it was begun (%v). Nothing changed. Try again with more time.", err)
}

func unknown(err error, id, what string) *stet.Error {
	e := stet.WrapError(err, stet.CodeUnknown, "it is not known whether commit %s was applied: %s (%v). Send it again with the same id: it is applied once.", id, what, err)
	e.CommitID = id
	return e
}

// write is the writer: the one goroutine that decides and appends.
func (c *core) write() {
	defer close(c.stopped)
	for {
		requests := c.next()
		if requests == nil {
			return
		}
		for len(requests) > 0 {
			requests = c.writeBatch(requests)
		}
	}
}

// next waits for a request. It returns nil when the store is closed and all that were
// accepted are answered.
func (c *core) next() []*request {
	for {
		var r *request
		select {
		case r = <-c.queue:
		case <-c.closing:
			select {
			case r = <-c.queue:
			default:
				return nil
			}
		}
		if requests := r.claim(nil); requests != nil {
			return requests
		}
	}
}

// A batch is the requests that are written with one append.
type batch struct {
	requests []*request // decided: their outcomes hold once the entries are in the log
	entries  []driver.Entry
	tx       *tx // the state after the entries

	byID     map[string]*request // the requests that were decided in this batch
	bytes    int                 // the length of the entries' data and ids
	gathered int                 // how many requests were gathered, including those in left
	size     int                 // of the gathered requests, in bytes
	left     []*request          // requests that do not fit: the next batch begins with them
	lost     error               // of the last append whose outcome is not known
}

// writeBatch decides and writes a batch that begins with the given requests, and answers
// it. It returns the requests that the next batch begins with: those that do not fit, or
// all, if the log has moved.
func (c *core) writeBatch(first []*request) (left []*request) {
	b := c.decideBatch(first)
	c.appending <- struct{}{}
	err := c.append(b)
	if err == nil {
		c.publishBatch(b)
	}
	<-c.appending
	switch {
	case errors.Is(err, driver.ErrMoved):
		// Somebody was first; it may have been this very batch, in an attempt whose
		// answer was lost. That one is in the log now, or can never get there. What is
		// in the log is found there by its id; the rest is decided anew.
		for _, r := range b.requests {
			r.tried = true
		}
		return append(b.requests, b.left...)
	case err != nil:
		c.giveUp(b, err)
		c.answer(b)
	default:
		c.answer(b)
		c.maybeCheckpoint()
	}
	return b.left
}

// Bounds of one batch, beside Options.MaxBatch.
const (
	maxBatchBytes = 16 << 20
	// gatherSpins is how often the writer yields to let callers that are about
	// to commit join a batch. They need microseconds; a sync takes a hundred
	// times as long, and one batch more is one sync more.
	gatherSpins = 8
)

// decideBatch decides the given requests, and those that come to the queue meanwhile,
// one after the other, each against what those before it leave.
func (c *core) decideBatch(first []*request) *batch {
	c.state.Lock() // what is published is what they are decided against
	defer c.state.Unlock()
	n := max(len(first), min(int(c.inCommit.Load()), c.opts.MaxBatch)) // as many as it will probably have
	b := &batch{
		requests: make([]*request, 0, n), entries: make([]driver.Entry, 0, n), byID: make(map[string]*request, n),
		tx: c.published.Load().begin(),
	}
	b.tx.hints, c.hints = c.hints, nil
	b.count(first)
	for requests := first; len(requests) > 0; requests = c.gather(b) {
		for i, r := range requests {
			if !c.decideNext(b, r) {
				b.left = requests[i:]
				return b
			}
		}
	}
	return b
}

// gather returns requests that have come to the queue, and lets callers that are in
// Commit come there. It returns none when the batch is complete.
func (c *core) gather(b *batch) (requests []*request) {
	for spins := 0; b.gathered < c.opts.MaxBatch && b.size < maxBatchBytes; {
		select {
		case r := <-c.queue:
			n := len(requests)
			requests = r.claim(requests)
			b.count(requests[n:])
			continue
		default:
		}
		if len(requests) > 0 || spins == gatherSpins || int64(b.gathered) >= c.inCommit.Load() {
			break
		}
		spins++
		runtime.Gosched()
	}
	return requests
}

func (b *batch) count(requests []*request) {
	b.gathered += len(requests)
	for _, r := range requests {
		b.size += r.size
	}
}

// decideNext decides a request, or finds what became of it earlier, and adds it to the
// batch. It returns false, and has changed nothing, if its entry does not fit there.
func (c *core) decideNext(b *batch, r *request) bool {
	r.after = len(b.entries)
	var known bool
	if r.outcome, known = b.decided(r); !known {
		r.outcome, known = c.decidedBefore(r)
	}
	if !known {
		r.outcome = c.decide(b.tx, r)
		if r.outcome.err == nil && !c.addEntry(b, r) {
			return false
		}
		if r.outcome.err == nil || r.outcome.final {
			b.byID[r.id] = r
		}
	}
	b.requests = append(b.requests, r)
	return true
}

// addEntry adds the entry of a request that was decided, or refuses one that is too
// large. It returns false, and has changed nothing, if the batch is full.
func (c *core) addEntry(b *batch, r *request) bool {
	e := newEntry(b.tx, r)
	size := len(e.Data) + len(e.ID)
	switch {
	case len(e.Data) > driver.MaxData:
		b.tx.rollback()
		r.outcome = refused(r, stet.Errorf(stet.CodeTooLarge, "the commit takes %d bytes in the log without its texts; %d is the most. Nothing changed. Split it.", len(e.Data), driver.MaxData))
		return true
	case len(b.entries) > 0 && (c.info.MaxBytes > 0 && b.bytes+size > c.info.MaxBytes || c.info.MaxEntries > 0 && len(b.entries) >= c.info.MaxEntries):
		b.tx.rollback()
		return false
	}
	b.tx.addEntry(&e, r.outcome.change)
	b.bytes += size
	b.entries = append(b.entries, e)
	return true
}

// decided returns the outcome of a request that has the id of one before it in the batch.
func (b *batch) decided(r *request) (outcome, bool) {
	first := b.byID[r.id]
	switch {
	case first == nil:
		return outcome{}, false
	case first.fingerprint != r.fingerprint:
		return outcome{err: otherOperations(r.id, "is being decided")}, true
	}
	out := first.outcome
	out.replayed = true
	return out, true
}

// decidedBefore finds the outcome of a request that was decided before, and of one whose
// previous request has failed: it fails as well.
func (c *core) decidedBefore(r *request) (outcome, bool) {
	if r.previous != nil && r.previous.outcome.err != nil {
		return outcome{err: stet.Errorf(stet.CodeUnavailable, "the change %s was not taken over, since %s before it was not. Nothing changed.", r.id, r.previous.id)}, true
	}
	if r.generated && !r.tried && c.info.Exclusive {
		return outcome{}, false // only its caller knows the id, and who sends it again is behind it
	}
	for _, revision := range c.ids.candidates(r.id) {
		ch, err := c.changeAt(c.ctx, revision)
		switch {
		case err != nil:
			return outcome{err: unknown(err, r.id, fmt.Sprintf("the entry at revision %d, which may be it, could not be read", revision))}, true
		case ch.ID != r.id:
			continue
		case ch.Fingerprint != r.fingerprint:
			return outcome{err: otherOperations(r.id, fmt.Sprintf("is at revision %d", revision))}, true
		}
		return outcome{change: ch, replayed: true}, true
	}
	if err := c.refusals.find(r); err != nil {
		return outcome{err: err}, true
	}
	return outcome{}, false
}

// maxAttempts is how often an append of unknown outcome is sent before its callers are
// told that it is unknown: with the pauses between, about three seconds.
const maxAttempts = 6

// append appends the entries of a batch. While the outcome is not known it sends the
// same entries again: either they are added then, or the tail has moved and the log
// tells why. ErrMoved means that what is published has changed since the batch was
// decided; after other errors b.lost reports whether it may have been applied.
func (c *core) append(b *batch) error {
	if len(b.entries) == 0 {
		return c.confirm(b)
	}
	for attempt := 1; ; attempt++ {
		err := c.appendOnce(b)
		switch {
		case err == nil:
			c.lost = lost{} // whatever was to follow the same tail can never do so now
			c.stats.batch(len(b.entries))
			return nil
		case errors.Is(err, driver.ErrMoved):
			if err := c.catchUpToTail(c.ctx); err != nil {
				return err
			}
			if c.published.Load() != b.tx.base {
				return driver.ErrMoved
			}
			err = errors.New("the log says that it has moved and shows nothing new")
		case errors.Is(err, driver.ErrNotApplied) && (b.lost == nil || c.info.Exclusive):
			return err // a disk that has failed stays so; a failover ends
		case errors.Is(err, driver.ErrNotApplied): // but the lost attempt may have been
		default:
			b.lost = err
		}
		if attempt == maxAttempts || !c.pause(attempt) {
			return err
		}
	}
}

// confirm makes sure that a batch without entries rests on the newest state: on a
// log that others append to, or that may have what was lost, only its tail can tell.
func (c *core) confirm(b *batch) error {
	if !c.info.Exclusive || c.lost.after == b.tx.base {
		if err := c.catchUpToTail(c.ctx); err != nil {
			return err
		}
	}
	if c.published.Load() != b.tx.base {
		return driver.ErrMoved
	}
	return nil
}

// appendTimeout bounds an append to a shared log, whose connection may have gone silent. It
// ends as unknown, and is sent again.
const appendTimeout = 5 * time.Second

func (c *core) appendOnce(b *batch) error {
	ctx := c.ctx
	if !c.info.Exclusive {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, appendTimeout)
		defer cancel()
	}
	return c.log.Append(ctx, b.tx.base.tail(), b.entries)
}

// pause waits before the n-th new attempt, and reports whether to make it.
func (c *core) pause(n int) bool {
	t := time.NewTimer(50 * time.Millisecond << (n - 1))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.closing:
		return false // Close does not wait for storage that does not answer
	}
}

// giveUp changes the outcomes of a batch that could not be written: its commits were not
// applied or, if an attempt was lost, may have been. A refusal that rests on a commit of
// the same batch, or on a state that others may have changed, is void with it.
func (c *core) giveUp(b *batch, err error) {
	why := stet.WrapError(err, stet.CodeUnavailable, "the commit could not be written: %v. Nothing changed.", err)
	if e := (*stet.Error)(nil); errors.As(err, &e) {
		why = e // the engine's own words
	}
	for _, r := range b.requests {
		out := &r.outcome
		holds := out.err != nil && c.info.Exclusive && r.after == 0 ||
			out.err != nil && stet.CodeOf(out.err) == stet.CodeUnknown ||
			out.err == nil && out.replayed && out.change.Revision <= b.tx.base.revision
		switch {
		case holds:
		case b.lost != nil && out.err == nil:
			*out = outcome{err: unknown(b.lost, r.id, "the storage did not say")}
			c.lost.add(b.tx.base, r)
		default:
			*out = outcome{err: why}
		}
	}
}

// publishBatch makes an appended batch visible.
func (c *core) publishBatch(b *batch) {
	c.state.Lock()
	defer c.state.Unlock()
	if c.published.Load() == b.tx.base {
		c.hints = b.tx.hints
		if len(b.entries) > 0 {
			c.publish(b.tx)
			c.cacheBodies(b)
		}
		return
	}
	// Somebody has read some of these entries, or all, from the log already, and
	// published them. The others follow.
	t := c.published.Load().begin()
	for i := range b.entries {
		if e := &b.entries[i]; e.Revision == t.revision+1 {
			if err := t.applyEntry(e, nil); err != nil {
				return // the log has another entry there; the next read finds it
			}
		}
	}
	if t.revision != t.base.revision {
		c.publish(t)
	}
	c.attachBodies(b)
}

// attachBodies hangs the bodies of a batch, of which others have published entries without
// them, on the versions that they made. Otherwise they would be read back from the engine.
func (c *core) attachBodies(b *batch) {
	for _, r := range b.requests {
		if r.outcome.replayed {
			continue
		}
		for i, body := range r.outcome.bodies {
			if body == nil {
				continue
			}
			s := r.outcome.change.Ops[i].Save
			h, _ := c.newest(s.PromptID)
			if h == nil {
				continue
			}
			v := h.live.get(s.Version)
			if v == nil || v.revision != r.outcome.change.Revision || int(v.op) != i {
				continue // deleted by now, or cleared away
			}
			body.version = v
			if v.body.CompareAndSwap(nil, body) {
				c.cache.add(body)
			}
		}
	}
}

// cacheBodies puts the bodies of a published batch under the cache's bound.
func (c *core) cacheBodies(b *batch) {
	for _, r := range b.requests {
		if r.outcome.replayed {
			continue
		}
		for i, body := range r.outcome.bodies {
			switch {
			case body == nil:
			case b.tx.epoch != b.tx.base.epoch && !c.lives(r.outcome.change.Ops[i].PromptID(), body.version):
				c.cache.drop(body.version) // the batch has cleared it away
			default:
				c.cache.add(body)
			}
		}
	}
}

// answer tells the callers of a batch that is in the log, or was given up.
func (c *core) answer(b *batch) {
	for _, r := range b.requests {
		if err := c.lost.find(b.tx.base, r); err != nil && r.outcome.err != nil {
			r.outcome = outcome{err: err}
		}
		c.stats.outcome(&r.outcome)
		if r.outcome.final && !r.generated {
			c.refusals.add(r, stet.AsError(r.outcome.err))
		}
		close(r.answered)
	}
}
