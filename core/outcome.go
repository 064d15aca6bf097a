package core

import (
	"context"
	"slices"

	"github.com/stet-dev/stet"
)

// An outcome is what became of a request.
type outcome struct {
	change   *stet.Change
	bodies   []*cached // one per operation, nil if it added no version
	replayed bool      // change was in the log, or in the batch, already
	err      error
	final    bool // the same request sent again gets err again
}

// refused returns the outcome of a request that err refuses. It is final if the state or
// the request itself is the reason. Other errors may be temporary, and a copy may be tried
// again after its target was changed.
func refused(r *request, err error) outcome {
	e := stet.AsError(err)
	out := outcome{err: e}
	switch e.Code {
	case stet.CodeConflict, stet.CodeNotFound, stet.CodeInvalid, stet.CodeTooLarge:
		out.final = !r.copied
	}
	return out
}

// done returns the result of a commit without its versions. It depends only on the log, so
// that a commit that is sent again gets the same result. The caller may change it.
func (out *outcome) done() stet.Done {
	ch := out.change
	d := stet.Done{ID: ch.ID, Revision: ch.Revision, Time: ch.Time, Replayed: out.replayed, Results: make([]stet.Result, len(ch.Ops))}
	for i := range ch.Ops {
		o, res := &ch.Ops[i], &d.Results[i]
		res.PromptID = o.PromptID()
		switch {
		case o.Save != nil:
			s := o.Save
			res.Version, res.Ordinal, res.Digest, res.Unchanged = s.Version, s.Ordinal, s.Digest, s.Unchanged
			res.Bump, res.Reason, res.Labels = s.Bump, s.Reason, slices.Clone(s.Labels)
		case o.Delete != nil:
			res.Version, res.Deleted, res.Labels = o.Delete.Version, o.Delete.Deleted, slices.Clone(o.Delete.Labels)
		default:
			if l := o.Label(); l != nil {
				res.Labels = []stet.LabelChange{{Label: l.Label, From: l.From, To: l.To}}
			}
		}
	}
	return d
}

// versionsOf returns the versions of a request's saves.
func (c *core) versionsOf(ctx context.Context, r *request) []stet.Version {
	ch := r.outcome.change
	versions := make([]stet.Version, len(ch.Ops))
	for i := range ch.Ops {
		switch {
		case ch.Ops[i].Save == nil:
		case r.outcome.bodies != nil && r.outcome.bodies[i] != nil:
			versions[i] = r.outcome.bodies[i].asOf(ch.Revision)
		default:
			versions[i] = c.savedBefore(ctx, r, i)
		}
	}
	return versions
}

// savedBefore returns the version of a save that added none, because it was unchanged or
// is a replay. If that version was deleted since, savedBefore makes it from the draft.
func (c *core) savedBefore(ctx context.Context, r *request, op int) stet.Version {
	ch := r.outcome.change
	s := ch.Ops[op].Save
	if h, asOf := c.newest(s.PromptID); h != nil {
		v := h.live.get(s.Version)
		if v != nil && v.digest == s.Digest && savedBy(v, ch.Revision, op, s.Unchanged) {
			if found, err := c.body(ctx, s.PromptID, v); err == nil {
				return found.WithAsOf(max(asOf, ch.Revision))
			}
		}
	}
	o := r.operations[op]
	if !o.dated {
		o.fields.CreatedAt = ch.Time // and not when it was sent again
	}
	f := o.saved(s, ch.Revision)
	return stet.NewVersion(&f, ch.Revision)
}

// savedBy reports whether an operation has added the version, or, if it was unchanged, that
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
