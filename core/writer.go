package core

import (
	"context"
	"errors"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
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
		c.commit(&gathering{c: c, next: p})
	}
}

// commit carries a batch through to its answers.
func (c *Core) commit(g *gathering) {
	batch := g.now()
	for more := g.more(); len(more) > 0; more = g.more() {
		batch = append(batch, more...)
	}
	moved := 0
	for len(batch) > 0 {
		w := &written{gathering: g}
		c.decideAll(w, batch)
		if len(w.entries) == 0 {
			// Nothing shows yet that what these outcomes rest on is the newest.
			if err := c.confirm(w); err != nil {
				c.giveUp(w, nil, err)
				return
			}
			if c.published.Load() == w.tx.base {
				c.skips = w.tx.skips
				c.answer(w)
				return
			}
			continue
		}
		lost, err := c.appendAll(w)
		if errors.Is(err, driver.ErrMoved) {
			// Somebody was first; it may have been this very batch, in an
			// attempt whose answer was lost. That one is in the log now, or can
			// never get there. Read what there is and decide again: what is in
			// the log already is found by its id.
			if err = c.sync(c.ctx); err == nil && c.published.Load() != w.tx.base {
				batch, moved = w.again(), 0
				continue
			}
			if err == nil {
				err = errors.New("the log says that it has moved and shows nothing new")
			}
			if moved++; moved < maxAttempts && c.pause(moved) {
				batch = w.again()
				continue
			}
		}
		if err == nil {
			c.stats.batch(len(w.entries))
			c.finish(w)
			c.answer(w)
			c.maybeCheckpoint()
		} else {
			c.giveUp(w, lost, err)
		}
		batch, moved = w.rest, 0
	}
}

// confirm makes sure that a batch without entries rests on the newest state: on a
// log that others append to, only its tail can tell.
func (c *Core) confirm(w *written) error {
	if c.info.Exclusive {
		return nil
	}
	return c.sync(c.ctx)
}

// appendAll appends the entries of a batch. While the outcome is not known it
// sends the same entries again: either they are added then, or the tail has moved
// and the log tells why. lost is the last unknown outcome, if none of the
// attempts after it has settled it.
func (c *Core) appendAll(w *written) (lost, err error) {
	for attempt := 1; ; attempt++ {
		err := c.append(w)
		switch {
		case err == nil, errors.Is(err, driver.ErrMoved):
			return lost, err
		case errors.Is(err, driver.ErrNotApplied):
			return lost, err // an attempt before may have been applied all the same
		}
		lost = err
		if attempt == maxAttempts || !c.pause(attempt) {
			return lost, err
		}
	}
}

// appendTimeout bounds an append to a shared log, whose engine may wait for others
// as long as it is let. It ends as unknown, and is sent again.
const appendTimeout = 30 * time.Second

// append appends the entries of a batch.
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
	case <-c.closing:
		return false // who closes does not want to wait for a storage that is away
	}
}

// finish makes an appended batch visible.
func (c *Core) finish(w *written) {
	c.state.Lock()
	defer c.state.Unlock()
	if c.published.Load() == w.tx.base {
		c.publish(w.tx)
		c.keepBodies(w)
		c.skips = w.tx.skips
		return
	}
	// Somebody has read some of these entries, or all, from the log already, and
	// published them. The others follow.
	t := c.published.Load().begin()
	for i := range w.entries {
		if e := &w.entries[i]; e.Revision == t.revision+1 {
			if err := t.follow(e, nil); err != nil {
				return // the log has another entry there; the next read finds it
			}
		}
	}
	if t.revision != t.base.revision {
		c.publish(t)
	}
}

// keepBodies puts the bodies of a published batch under the cache's bound.
func (c *Core) keepBodies(w *written) {
	for _, d := range w.commits {
		if d.out.replayed {
			continue
		}
		for i, b := range d.out.bodies {
			switch {
			case b == nil:
			case w.tx.epoch != w.tx.base.epoch && !c.lives(d.out.change.Ops[i].Save.PromptID, b.version):
				c.cache.drop(b.version) // the batch has cleared it away
			default:
				c.cache.add(b)
			}
		}
	}
}

// giveUp answers a batch that could not be written: it was not applied, or, if an
// attempt was lost, that is not known. A refusal that rests on a commit of the
// same batch, or on a state that others may have changed, is void with it.
func (c *Core) giveUp(w *written, lost, err error) {
	why := stet.WrapError(err, stet.CodeUnavailable, "the commit could not be written: %v. Nothing changed.", err)
	if e := (*stet.Error)(nil); errors.As(err, &e) {
		why = e // the engine's own words
	}
	for i := range w.commits {
		d := &w.commits[i]
		known := d.out.err != nil && c.info.Exclusive && d.behind == 0 ||
			d.out.err != nil && stet.CodeOf(d.out.err) == stet.CodeUnknown ||
			d.out.err == nil && d.out.replayed && d.out.change.Revision <= w.tx.base.revision
		switch {
		case known:
			continue
		case lost != nil && d.out.err == nil:
			d.out = outcome{err: unknown(lost, d.p.id, "the storage did not say")}
		default:
			d.out = outcome{err: why}
		}
		d.p.failed = true // those behind it that are left fail with it
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
