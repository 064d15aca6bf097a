package core

import (
	"context"
	"fmt"
	"slices"

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/prompt"
)

// A Copy is a settled change of a store together with the versions that it
// saved, as far as they still live: what a store is copied in.
type Copy struct {
	Change   prompt.Change
	Versions []prompt.Version // one an operation; zero where none was saved or it is gone
}

// Replay takes over a change of another store as it was settled there: with its
// id, time, author, numbers and ordinals. Only its revision is this store's. It
// skips the deciding, not the checks: a change that does not fit is a conflict and
// changes nothing. A change whose id is in the log already is not added again.
func (c *Core) Replay(ctx context.Context, from Copy) (prompt.Done, error) {
	ch := from.Change
	ch.Ops = slices.Clone(ch.Ops)
	if err := checkCommitID(ch.ID); err != nil {
		return prompt.Done{}, err
	}
	if len(ch.Ops) == 0 || len(ch.Ops) > prompt.MaxOps {
		return prompt.Done{}, fault.New(fault.Invalid, "the change %s has %d operations; it must have 1 to %d.", ch.ID, len(ch.Ops), prompt.MaxOps)
	}
	p := &pending{
		id: ch.ID, author: ch.Author, message: ch.Message, time: ch.Time, fingerprint: ch.Fingerprint,
		ops: make([]preparedOp, len(ch.Ops)), replay: &ch, done: make(chan outcome, 1),
	}
	for i := range ch.Ops {
		s := ch.Ops[i].Save
		if s == nil || s.Unchanged {
			continue
		}
		s = new(prompt.SaveChange)
		*s = *ch.Ops[i].Save
		s.Content = nil
		ch.Ops[i].Save = s
		v := from.Versions[i]
		if v.IsZero() {
			s.Seal = prompt.Hash{} // its number stays used, its text is gone
			continue
		}
		op := &p.ops[i]
		op.fields = prompt.Fields{
			PromptID: s.PromptID, Content: v.Content(), Digest: v.Content().Digest(), Metadata: v.Metadata(),
			Parents: slices.Collect(v.Parents()), Author: v.Author(), Message: v.Message(), CreatedAt: v.CreatedAt(),
		}
		if op.fields.Digest != s.Digest {
			return prompt.Done{}, fault.New(fault.Invalid, "%s@%s does not have the digest that its change gives.", s.PromptID, s.Version)
		}
		op.stored = string(appendFields(nil, &op.fields))
		if got := seal(s.Digest, op.stored); s.Seal.IsZero() {
			s.Seal = got
		} else if got != s.Seal {
			return prompt.Done{}, fault.New(fault.Invalid, "%s@%s does not have the seal that its change gives.", s.PromptID, s.Version)
		}
		p.size += len(op.stored) + len(bodyText(op.fields.Content))
	}
	out, err := c.submit(ctx, p)
	if err != nil {
		return prompt.Done{}, err
	}
	return done(out), nil
}

// rebase carries out a settled change at the revision that follows.
func (c *Core) rebase(t *tx, p *pending) (*prompt.Change, []*cached, error) {
	ch := *p.replay
	ch.Revision = t.revision + 1
	bodies := make([]*cached, len(ch.Ops))
	for i := range ch.Ops {
		if s := ch.Ops[i].Save; s != nil && !s.Unchanged && !s.Seal.IsZero() {
			f := p.ops[i].fields
			f.Number, f.Ordinal, f.Revision = s.Version, s.Ordinal, ch.Revision
			bodies[i] = &cached{record: prompt.NewRecord(f)}
		}
		if err := t.apply(&ch, i, bodies[i]); err != nil {
			t.rollback()
			return nil, nil, fault.Wrap(err, fault.Conflict, "the change %s does not fit this store: %v. Nothing changed. Copy into an empty store.", ch.ID, err)
		}
	}
	return &ch, bodies, nil
}

// Export calls yield for every change of the present epoch, in order, with the
// versions that still live, up to the revision that was the newest when Export
// was called. Replayed into an empty store they give the same prompts, numbers,
// ordinals, digests, labels and label histories.
func (c *Core) Export(ctx context.Context, yield func(Copy) error) error {
	if err := c.fresh(ctx); err != nil {
		return err
	}
	s := c.published.Load()
	for at := s.cleared; at < s.revision; {
		entries, err := c.log.Read(ctx, at, int(min(readPage, s.revision-at)))
		if err != nil {
			return fault.Wrap(err, fault.Unavailable, "the log could not be read after revision %d: %v.", at, err)
		}
		if len(entries) == 0 {
			return damaged(fmt.Errorf("the log ends at revision %d and not at %d", at, s.revision))
		}
		for i := range entries {
			ch, err := DecodeChange(entries[i].Data)
			if err != nil {
				return damaged(err)
			}
			ch.Hash = entries[i].Hash
			cp := Copy{Change: *ch, Versions: make([]prompt.Version, len(ch.Ops))}
			if err := c.attach(ctx, &cp); err != nil {
				return err
			}
			if err := yield(cp); err != nil {
				return err
			}
		}
		at = entries[len(entries)-1].Revision
	}
	return nil
}

// attach fills in the versions of a copy that live now.
func (c *Core) attach(ctx context.Context, cp *Copy) error {
	for i := range cp.Change.Ops {
		save := cp.Change.Ops[i].Save
		if save == nil || save.Unchanged {
			continue
		}
		v, err := c.savedAt(ctx, save, cp.Change.Revision)
		if err != nil {
			return err
		}
		cp.Versions[i] = v
	}
	return nil
}

// savedAt returns the version that a save of the log added, zero if it does not
// live any more.
func (c *Core) savedAt(ctx context.Context, s *prompt.SaveChange, revision uint64) (prompt.Version, error) {
	h, asOf := c.newest(s.PromptID)
	if h == nil {
		return prompt.Version{}, nil
	}
	v := h.live.get(s.Version)
	if v == nil || v.revision != revision {
		return prompt.Version{}, nil
	}
	r, err := c.body(ctx, s.PromptID, v)
	switch {
	case err == errGone:
		return prompt.Version{}, nil
	case err != nil:
		return prompt.Version{}, err
	}
	return r.AsOf(asOf), nil
}
