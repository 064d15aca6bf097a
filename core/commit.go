package core

import (
	"context"
	"slices"

	"github.com/stet-dev/stet"
)

// An outcome is what became of a pending commit.
type outcome struct {
	change   *stet.Change
	bodies   []*cached // one an operation, nil where none was added
	replayed bool
	err      error
	refused  bool // err is for good: the same commit sent again gets it again
}

// Commit carries out a commit: all of it or nothing, at one instant, exactly
// once for each id.
//
// Once ctx is done Commit returns at once. If the commit had not been taken up
// by then the error is unavailable and nothing happened; otherwise it is unknown,
// with the id to ask again with.
func (c *Core) Commit(ctx context.Context, req stet.Commit) (stet.Done, error) {
	c.inCommit.Add(1)
	defer c.inCommit.Add(-1)
	p, err := c.prepare(ctx, &req)
	if err != nil {
		return stet.Done{}, err
	}
	out, err := c.submit(ctx, p)
	if err != nil {
		return stet.Done{}, err
	}
	return c.committed(ctx, p, out), nil
}

// submit hands a commit to the writer and waits for what becomes of it.
func (c *Core) submit(ctx context.Context, p *pending) (outcome, error) {
	if err := ctx.Err(); err != nil {
		return outcome{}, notStarted(ctx)
	}
	select {
	case <-c.closing:
		return outcome{}, errClosed()
	default:
	}
	select {
	case c.queue <- p:
	case <-c.closing:
		return outcome{}, errClosed()
	case <-ctx.Done():
		return outcome{}, notStarted(ctx)
	}
	return c.outcome(ctx, p)
}

// outcome waits for what becomes of a commit that the writer has, or will find.
func (c *Core) outcome(ctx context.Context, p *pending) (outcome, error) {
	select {
	case out := <-p.done:
		return out, ownError(out.err)
	case <-ctx.Done():
		if p.claimed.CompareAndSwap(false, true) {
			return outcome{}, notStarted(ctx) // the writer will pass it by
		}
		select {
		case out := <-p.done: // it was just answered
			return out, ownError(out.err)
		default:
		}
		return outcome{}, unknown(context.Cause(ctx), p.id, "the time for it ran out while it was being written")
	case <-c.stopped:
		select {
		case out := <-p.done:
			return out, ownError(out.err)
		default:
			return outcome{}, errClosed() // the writer went without looking at it
		}
	}
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

// done tells a caller what a commit did.
func done(out outcome) stet.Done {
	ch := out.change
	d := stet.Done{
		ID: ch.ID, Revision: ch.Revision, Time: ch.Time, Replayed: out.replayed,
		Results: make([]stet.Result, len(ch.Ops)),
	}
	for i := range ch.Ops {
		d.Results[i] = result(&ch.Ops[i])
	}
	return d
}

// committed adds the versions.
func (c *Core) committed(ctx context.Context, p *pending, out outcome) stet.Done {
	ch := out.change
	done := done(out)
	done.Versions = make([]stet.Version, len(ch.Ops))
	for i := range ch.Ops {
		if ch.Ops[i].Save == nil {
			continue
		}
		if out.bodies != nil && out.bodies[i] != nil {
			done.Versions[i] = out.bodies[i].record.AsOf(ch.Revision)
			continue
		}
		done.Versions[i] = c.savedBefore(ctx, p, ch, i)
	}
	return done
}

// savedBefore returns the version of a save that added none now, because it was
// unchanged or is a replay. If that version is gone by now, what is returned is
// what the draft says of it.
func (c *Core) savedBefore(ctx context.Context, p *pending, ch *stet.Change, op int) stet.Version {
	s := ch.Ops[op].Save
	if h, asOf := c.newest(s.PromptID); h != nil {
		v := h.live.get(s.Version)
		if v != nil && v.digest == s.Digest && savedBy(v, ch.Revision, op, s.Unchanged) {
			if r, err := c.body(ctx, s.PromptID, v); err == nil {
				return r.AsOf(max(asOf, ch.Revision))
			}
		}
	}
	f := p.ops[op].fields
	f.Number, f.Ordinal, f.Revision = s.Version, s.Ordinal, ch.Revision
	if p.ops[op].op.Save.CreatedAt.IsZero() {
		f.CreatedAt = ch.Time // and not when it was sent again
	}
	r := stet.NewRecord(f)
	return r.AsOf(ch.Revision)
}

// savedBy tells that an operation has added the version, or, if it was unchanged, that
// one before it has. A commit that clears may save a number twice.
func savedBy(v *version, revision uint64, op int, unchanged bool) bool {
	switch {
	case v.revision == revision && unchanged:
		return int(v.op) < op
	case v.revision == revision:
		return int(v.op) == op
	}
	return unchanged && v.revision < revision
}

// result is what a caller is told of a settled operation. It depends on the log
// alone, so that a replay tells the same. The caller may change it.
func result(o *stet.ChangeOp) stet.Result {
	label := func(l *stet.LabelChange) stet.Result {
		return stet.Result{PromptID: l.PromptID, Labels: []stet.LabelChange{{Label: l.Label, From: l.From, To: l.To}}}
	}
	switch {
	case o.Save != nil:
		s := o.Save
		return stet.Result{
			PromptID: s.PromptID, Version: s.Version, Ordinal: s.Ordinal, Digest: s.Digest,
			Unchanged: s.Unchanged, Bump: s.Bump, Reason: s.Reason, Labels: slices.Clone(s.Labels),
		}
	case o.Delete != nil:
		return stet.Result{PromptID: o.Delete.PromptID, Version: o.Delete.Version, Deleted: o.Delete.Deleted, Labels: slices.Clone(o.Delete.Labels)}
	case o.SetLabel != nil:
		return label(o.SetLabel)
	case o.RemoveLabel != nil:
		return label(o.RemoveLabel)
	case o.Rollback != nil:
		return label(o.Rollback)
	}
	return stet.Result{}
}
