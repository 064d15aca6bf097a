package core

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/mutant"
	"github.com/stet-dev/stet/prompt"
)

// Bounds of one batch, beside Options.MaxBatch.
const (
	maxBatchBytes = 16 << 20
	// gatherSpins is how often the writer yields to let callers that are about
	// to commit join a batch. They need microseconds; a sync takes a hundred
	// times as long, and one batch more is one sync more.
	gatherSpins = 8
)

// write is the one goroutine that appends: gather, decide, append, publish,
// answer, again.
func (c *Core) write() {
	defer close(c.stopped)
	for {
		var p *pending
		select {
		case p = <-c.queue:
		case <-c.closing:
			select {
			case p = <-c.queue: // accepted before the end
			default:
				return
			}
		}
		c.commit(c.gather(p))
	}
}

// gather returns p and what else waits, and gives those that are in Commit, but
// not in the queue yet, a moment to get there.
func (c *Core) gather(p *pending) []*pending {
	batch := make([]*pending, 0, len(c.queue)+1)
	bytes := 0
	add := func(p *pending) {
		if p.claimed.CompareAndSwap(false, true) {
			batch = append(batch, p)
			bytes += p.size
		}
	}
	add(p)
	spins := 0
	for len(batch) < c.opts.MaxBatch && bytes < maxBatchBytes {
		select {
		case p := <-c.queue:
			add(p)
			continue
		default:
		}
		if spins == gatherSpins || int64(len(batch)) >= c.inCommit.Load() {
			break
		}
		spins++
		runtime.Gosched()
	}
	return batch
}

// commit carries a batch through to its answers.
func (c *Core) commit(batch []*pending) {
	var lost error // an outcome that is not known yet
	attempts := 0
	for len(batch) > 0 {
		c.state.Lock()
		w := c.decideAll(batch)
		c.state.Unlock()
		if len(w.entries) == 0 {
			// Nothing shows yet that what these outcomes rest on is the newest.
			if !c.info.Exclusive && !mutant.On(mutant.NoBarrier) {
				if err := c.sync(c.ctx); err != nil {
					c.giveUp(w, lost, err)
					return
				}
				if c.Revision() != w.tx.base.revision {
					continue
				}
			}
			c.answer(w)
			return
		}
		for _, d := range w.commits {
			d.p.tried = true
		}
		if mutant.On(mutant.AckBeforeAppend) {
			c.answer(w)
			mutant.Delay()
		}
		if mutant.On(mutant.ReadsWait) {
			c.state.Lock()
		}
		err := c.append(w)
		if mutant.On(mutant.ReadsWait) {
			c.state.Unlock()
		}
		if mutant.On(mutant.FailureIsSuccess) && errors.Is(err, driver.ErrNotApplied) {
			err = nil
		}
		if mutant.On(mutant.UnknownIsSuccess) && !errors.Is(err, driver.ErrNotApplied) && !errors.Is(err, driver.ErrMoved) {
			err = nil
		}
		switch {
		case err == nil:
			batch = w.rest
			c.finish(w)
			c.answer(w)
			c.maybeCheckpoint()
			lost, attempts = nil, 0
			continue
		case errors.Is(err, driver.ErrMoved):
			// Somebody was first; it may have been this very batch, in an
			// attempt whose answer was lost. Read what there is and decide
			// again: what is in the log already is found by its id.
			before := w.tx.base.revision
			if err = c.sync(c.ctx); err == nil {
				if c.Revision() != before {
					// An attempt whose answer was lost is in the log now,
					// or can never get there.
					lost, attempts = nil, 0
					continue
				}
				err = errors.New("the log says that it has moved and shows nothing new")
			}
			if attempts++; attempts >= maxAttempts || !c.pause(attempts) {
				c.giveUp(w, lost, err)
				batch, lost, attempts = w.rest, nil, 0
			}
			continue
		case errors.Is(err, driver.ErrNotApplied):
			c.giveUp(w, lost, err)
			batch, lost, attempts = w.rest, nil, 0
			continue
		}
		// Not known. The same entries again settle it: either they are added
		// now, or the tail has moved and the log tells why.
		lost = err
		if attempts++; attempts >= maxAttempts || !c.pause(attempts) {
			c.giveUp(w, lost, err)
			batch, lost, attempts = w.rest, nil, 0
		}
	}
}

// appendTimeout bounds an append to a shared log, whose engine may wait for others
// as long as it is let. It ends as unknown, and is sent again.
const appendTimeout = 30 * time.Second

func (c *Core) append(w *written) error {
	ctx := c.ctx
	if !c.info.Exclusive {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, appendTimeout)
		defer cancel()
	}
	return c.log.Append(ctx, w.tx.base.tail(), w.entries)
}

// maxAttempts is how often an append of unknown outcome is sent before callers
// are told so: with the pauses between, about three seconds.
const maxAttempts = 6

// pause waits before the n-th new attempt, and tells whether to make it.
func (c *Core) pause(n int) bool {
	t := time.NewTimer(50 * time.Millisecond << (n - 1))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// written is a batch that has been decided.
type written struct {
	tx      *tx
	entries []driver.Entry
	commits []decided
	rest    []*pending // did not fit; their turn comes next
}

// A decided commit has an outcome that holds once the entries before it in the
// batch are in the log.
type decided struct {
	p      *pending
	out    outcome
	behind int // the number of those entries, its own not counted
}

// answer tells the callers. It is called when what the outcomes rest on is in the
// log, or was given up.
func (c *Core) answer(w *written) {
	for _, d := range w.commits {
		if e := asRefusal(d.out.err); e != nil && !mutant.On(mutant.RefusalForgotten) {
			c.refused.add(d.p, e)
		}
		if mutant.On(mutant.BatchRevision) && d.out.err == nil {
			ch := *d.out.change
			ch.Revision = w.tx.revision
			d.out.change = &ch
		}
		d.p.done <- d.out
	}
}

// asRefusal returns the error if it says that the state did not allow a commit:
// a final answer. Others may go away by themselves.
func asRefusal(err error) *fault.Error {
	if code := fault.CodeOf(err); code == fault.Conflict || code == fault.NotFound {
		return asFault(err)
	}
	return nil
}

// decideAll settles the commits of a batch one after the other, each against what
// those before it leave. The caller holds c.state.
func (c *Core) decideAll(batch []*pending) *written {
	w := &written{tx: c.published.Load().begin(), commits: make([]decided, 0, len(batch))}
	inBatch := make(map[string]int)
	bytes := 0
	for i, p := range batch {
		if at, ok := inBatch[p.id]; ok {
			first := w.commits[at].out
			first.replayed = true
			if w.commits[at].p.fingerprint != p.fingerprint {
				first = outcome{err: otherOperations(p.id, "is being decided")}
			}
			w.commits = append(w.commits, decided{p, first, len(w.entries)})
			continue
		}
		out, fresh := c.decideOne(w.tx, p)
		if fresh {
			e := c.entry(w.tx, p, &out)
			if len(e.Data) > driver.MaxData {
				w.tx.rollback()
				err := fault.New(fault.TooLarge, "the commit takes %d bytes in the log without its texts; %d is the most. Nothing changed. Split it.", len(e.Data), driver.MaxData)
				w.commits = append(w.commits, decided{p, outcome{err: err}, len(w.entries)})
				continue
			}
			size := len(e.Data) + len(e.ID)
			full := c.info.MaxBytes > 0 && bytes+size > c.info.MaxBytes ||
				c.info.MaxEntries > 0 && len(w.entries) >= c.info.MaxEntries
			if full && len(w.entries) > 0 {
				w.tx.rollback()
				w.rest = batch[i:]
				return w
			}
			w.tx.keep()
			w.tx.revision, w.tx.hash = e.Revision, e.Hash
			bytes += size
			w.commits = append(w.commits, decided{p, out, len(w.entries)})
			w.entries = append(w.entries, e)
		} else {
			w.commits = append(w.commits, decided{p, out, len(w.entries)})
		}
		if !p.generated {
			inBatch[p.id] = len(w.commits) - 1
		}
	}
	return w
}

// decideOne decides a commit, or finds what became of it earlier. fresh says that
// it is to be appended; the tx can still take it back.
func (c *Core) decideOne(t *tx, p *pending) (out outcome, fresh bool) {
	if out, found := c.earlier(p); found {
		return out, false
	}
	var err error
	if p.replay != nil {
		out.change, out.bodies, err = c.rebase(t, p)
	} else {
		out.change, out.bodies, err = c.decide(c.ctx, t, p)
	}
	if err != nil {
		return outcome{err: asFault(err)}, false
	}
	return out, true
}

// earlier finds the outcome of a commit that was decided before.
func (c *Core) earlier(p *pending) (outcome, bool) {
	if p.generated && !p.tried {
		return outcome{}, false
	}
	if err := c.refused.find(p); err != nil {
		return outcome{err: err}, true
	}
	for _, revision := range c.ids.candidates(p.id) {
		ch, err := c.changeAt(c.ctx, revision)
		switch {
		case err != nil:
			return outcome{err: asUnavailable(err, "the entry at revision %d, which has the commit's id or one like it,", revision)}, true
		case ch.ID != p.id:
			continue
		case ch.Fingerprint != p.fingerprint && !mutant.On(mutant.FingerprintIgnored):
			return outcome{err: otherOperations(p.id, fmt.Sprintf("is at revision %d", revision))}, true
		}
		return outcome{change: ch, replayed: true}, true
	}
	return outcome{}, false
}

// entry makes the entry of a change that the tx has carried out.
func (c *Core) entry(t *tx, p *pending, out *outcome) driver.Entry {
	ch := out.change
	data := appendChange(make([]byte, 0, 256+320*len(ch.Ops)), ch)
	ch.Hash = link(t.hash, data)
	e := driver.Entry{Revision: ch.Revision, ID: ch.ID, Hash: ch.Hash, Data: data}
	for i := range ch.Ops {
		o := &ch.Ops[i]
		switch {
		case o.Save != nil:
			s := o.Save
			if out.bodies[i] != nil {
				body := driver.Body{
					BodyRef: driver.BodyRef{Revision: ch.Revision, Op: i, PromptID: s.PromptID, Version: s.Version.String(), Ordinal: s.Ordinal},
					Text:    bodyText(p.ops[i].fields.Content), Fields: p.ops[i].stored,
				}
				e.Bodies = append(e.Bodies, body)
			}
			e.Moves = appendMoves(e.Moves, s.PromptID, s.Labels)
		case o.Delete != nil:
			e.Moves = appendMoves(e.Moves, o.Delete.PromptID, o.Delete.Labels)
		case o.SetLabel != nil:
			e.Moves = appendMoves(e.Moves, o.SetLabel.PromptID, []prompt.LabelChange{*o.SetLabel})
		case o.RemoveLabel != nil:
			e.Moves = appendMoves(e.Moves, o.RemoveLabel.PromptID, []prompt.LabelChange{*o.RemoveLabel})
		case o.Rollback != nil:
			e.Moves = appendMoves(e.Moves, o.Rollback.PromptID, []prompt.LabelChange{*o.Rollback})
		case o.Clear != nil:
			// What this commit itself saved before its clear goes too.
			for _, b := range e.Bodies {
				e.Dropped = append(e.Dropped, b.BodyRef)
			}
			e.Cleared, e.Moves = true, nil
		}
	}
	e.Dropped = append(e.Dropped, t.dropped()...)
	return e
}

func appendMoves(moves []driver.Move, id string, labels []prompt.LabelChange) []driver.Move {
	for _, l := range labels {
		m := driver.Move{PromptID: id, Label: l.Label}
		if !l.To.IsZero() {
			m.Version = l.To.String()
		}
		moves = append(moves, m)
	}
	return moves
}

// finish makes an appended batch visible.
func (c *Core) finish(w *written) {
	c.state.Lock()
	defer c.state.Unlock()
	if c.published.Load() == w.tx.base {
		for i := range w.entries {
			c.ids.add(w.entries[i].ID, w.entries[i].Revision)
		}
		c.publish(w.tx)
		c.keepBodies(w)
		return
	}
	// Somebody has read some of these entries from the log already, and
	// published them. The log has them all; reading the rest is all there is to
	// do, and if that fails, the next read or commit does it.
	_ = c.catchUp(c.ctx)
}

// keepBodies puts the bodies of a published batch under the cache's bound.
func (c *Core) keepBodies(w *written) {
	for _, d := range w.commits {
		if d.out.replayed {
			continue
		}
		for _, b := range d.out.bodies {
			if b != nil {
				c.cache.add(b)
			}
		}
	}
}

// giveUp answers a batch that could not be written: it was not applied, or, if an
// attempt before was lost, that is not known. A refusal that rests on a commit
// of the same batch, or on a state that others may have changed, is void with it.
func (c *Core) giveUp(w *written, lost, err error) {
	for i := range w.commits {
		d := &w.commits[i]
		known := d.out.err != nil && c.info.Exclusive && d.behind == 0 ||
			d.out.err == nil && d.out.replayed && d.out.change.Revision <= w.tx.base.revision
		switch {
		case known:
			continue
		case lost != nil && d.out.err == nil:
			d.out = outcome{err: unknown(lost, d.p.id, "the storage did not say")}
		default:
			d.out = outcome{err: fault.Wrap(err, fault.Unavailable, "the commit could not be written: %v. Nothing changed.", err)}
		}
	}
	c.answer(w)
}

// sync reads what the log has beyond the state.
func (c *Core) sync(ctx context.Context) error {
	tail, err := c.askTail(ctx)
	if err != nil {
		return err
	}
	c.state.Lock()
	defer c.state.Unlock()
	return c.reach(ctx, tail)
}
