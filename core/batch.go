package core

import (
	"fmt"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// written is a batch of which what was gathered so far has been decided.
type written struct {
	gathering *gathering
	tx        *tx
	entries   []driver.Entry
	bytes     int // of the entries' data and ids
	commits   []decided
	inBatch   map[string]int // by id, where in commits; those left out that are not decided for good
	rest      []*pending     // did not fit; their turn comes next
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
	for i := range w.commits {
		d := &w.commits[i]
		c.stats.outcome(&d.out)
		if d.out.refused {
			c.refused.add(d.p, stet.AsError(d.out.err))
		}
		d.p.done <- d.out
	}
}

// begin begins the batch on what is published. The caller holds c.state.
func (c *Core) begin(w *written) {
	n := max(w.gathering.n, min(int(c.inCommit.Load()), c.opts.MaxBatch)) // as many as it will probably have
	w.entries, w.commits, w.inBatch = make([]driver.Entry, 0, n), make([]decided, 0, n), make(map[string]int, n)
	w.tx = c.published.Load().begin()
	w.tx.skips, c.skips = c.skips, nil
}

// again returns the commits of a batch that was tried in vain, to be decided anew.
func (w *written) again() []*pending {
	batch := make([]*pending, 0, len(w.commits)+len(w.rest))
	for _, d := range w.commits {
		d.p.tried = true
		batch = append(batch, d.p)
	}
	return append(batch, w.rest...)
}

// decideAll settles commits one after the other, each against what those before it
// in the batch leave.
func (c *Core) decideAll(w *written, batch []*pending) {
	c.state.Lock()
	defer c.state.Unlock()
	if w.tx == nil {
		c.begin(w)
	}
	for i, p := range batch {
		if at, ok := w.inBatch[p.id]; ok {
			first := w.commits[at].out
			first.replayed = true
			if w.commits[at].p.fingerprint != p.fingerprint {
				first = outcome{err: otherOperations(p.id, "is being decided")}
			}
			w.add(p, first, len(w.entries))
			continue
		}
		behind := len(w.entries)
		out, fresh := c.decideOne(w.tx, p)
		if fresh {
			e := c.entry(w.tx, p, &out)
			size := len(e.Data) + len(e.ID)
			switch {
			case len(e.Data) > driver.MaxData:
				w.tx.rollback()
				out = turnedDown(p, stet.Errorf(stet.CodeTooLarge, "the commit takes %d bytes in the log without its texts; %d is the most. Nothing changed. Split it.", len(e.Data), driver.MaxData))
			case len(w.entries) > 0 && c.full(w, size):
				w.tx.rollback()
				w.rest = batch[i:]
				return
			default:
				w.tx.extend(&e, out.change)
				w.bytes += size
				w.entries = append(w.entries, e)
			}
		}
		if fresh || out.refused { // else the log has decided, or nothing is
			w.inBatch[p.id] = len(w.commits)
		}
		w.add(p, out, behind)
	}
}

// add notes what was decided of a commit. That it has failed is noted anew each time:
// those before it are always decided, or answered, first.
func (w *written) add(p *pending, out outcome, behind int) {
	p.failed = out.err != nil
	w.commits = append(w.commits, decided{p, out, behind})
}

// full tells that an entry of that size does not fit the batch any more.
func (c *Core) full(w *written, size int) bool {
	return c.info.MaxBytes > 0 && w.bytes+size > c.info.MaxBytes ||
		c.info.MaxEntries > 0 && len(w.entries) >= c.info.MaxEntries
}

// decideOne decides a commit, or finds what became of it earlier. fresh says that
// it is to be appended; the tx can still take it back.
func (c *Core) decideOne(t *tx, p *pending) (out outcome, fresh bool) {
	if p.before != nil && p.before.failed {
		return outcome{err: stet.Errorf(stet.CodeUnavailable, "the change %s was not taken over, since %s before it was not. Nothing changed.", p.id, p.before.id)}, false
	}
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
		return turnedDown(p, err), false
	}
	return out, true
}

// turnedDown is the outcome of a commit that was decided against. That the state, or
// the commit itself, does not allow it is a final answer; other errors may go away
// by themselves. A copy may be tried again once its target was changed.
func turnedDown(p *pending, err error) outcome {
	e := stet.AsError(err)
	final := false
	switch e.Code {
	case stet.CodeConflict, stet.CodeNotFound, stet.CodeInvalid, stet.CodeTooLarge:
		final = p.replay == nil
	}
	return outcome{err: e, refused: final}
}

// earlier finds the outcome of a commit that was decided before.
func (c *Core) earlier(p *pending) (outcome, bool) {
	if p.generated && !p.tried {
		return outcome{}, false
	}
	for _, revision := range c.ids.candidates(p.id) {
		ch, err := c.changeAt(c.ctx, revision)
		switch {
		case err != nil:
			return outcome{err: unknown(err, p.id, fmt.Sprintf("the entry at revision %d, which may be it, could not be read", revision))}, true
		case ch.ID != p.id:
			continue
		case ch.Fingerprint != p.fingerprint:
			return outcome{err: otherOperations(p.id, fmt.Sprintf("is at revision %d", revision))}, true
		}
		return outcome{change: ch, replayed: true}, true
	}
	if err := c.refused.find(p); err != nil {
		return outcome{err: err}, true
	}
	return outcome{}, false
}
