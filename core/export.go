package core

import (
	"context"
	"fmt"

	"github.com/stet-dev/stet"
)

// Export calls yield for every change of the present epoch, in order, with the
// versions that still live. Replayed into an empty store they give the same
// prompts, numbers, ordinals, digests, labels and label histories, as of a
// revision that is not older than the call.
//
// What is deleted while Export runs is gone from what it gives, and then Export
// goes on up to the commit that deleted it, so that the whole is a state that the
// store was in. It fails as unavailable if the store is cleared meanwhile.
func (c *Core) Export(ctx context.Context, yield func(stet.Copy) error) error {
	if err := c.fresh(ctx); err != nil {
		return err
	}
	s := c.published.Load()
	if err := c.refuseClosed(); err != nil {
		return err
	}
	at, to := s.cleared, s.revision
	if at > 0 {
		at-- // the commit that cleared may have saved something afterwards
	}
	for at < to {
		entries, err := c.log.Read(ctx, at, int(min(readPage, to-at)))
		if err != nil {
			return c.unread(err, stet.CodeUnavailable, "the log after revision %d", at)
		}
		if len(entries) == 0 {
			return damaged(fmt.Errorf("the log ends at revision %d and not at %d", at, to))
		}
		for i := range entries {
			ch, err := DecodeChange(entries[i].Data)
			if err != nil {
				return damaged(err)
			}
			at, ch.Hash = entries[i].Revision, entries[i].Hash
			cp := stet.Copy{Change: *ch, Versions: make([]stet.Version, len(ch.Ops))}
			goneAt, err := c.attach(ctx, s.epoch, &cp)
			if err != nil {
				return err
			}
			to = max(to, goneAt)
			if at == s.cleared {
				afterClear(&cp)
			}
			if len(cp.Change.Ops) == 0 {
				continue
			}
			if err := yield(cp); err != nil {
				return err
			}
		}
	}
	return nil
}

// afterClear leaves of the commit that began the epoch what came after its clear.
// It has other operations then, and the fingerprint is theirs no more.
func afterClear(cp *stet.Copy) {
	for i := len(cp.Change.Ops) - 1; i >= 0; i-- {
		if cp.Change.Ops[i].Clear != nil {
			cp.Change.Ops, cp.Versions = cp.Change.Ops[i+1:], cp.Versions[i+1:]
			cp.Change.Fingerprint = ""
			return
		}
	}
}

// attach fills in the versions of a copy that live now, and returns the newest
// revision at which one of the others was deleted.
func (c *Core) attach(ctx context.Context, epoch uint64, cp *stet.Copy) (goneAt uint64, err error) {
	for i := range cp.Change.Ops {
		save := cp.Change.Ops[i].Save
		if save == nil || save.Unchanged || save.Seal.IsZero() {
			continue
		}
		if cp.Versions[i], err = c.savedAt(ctx, &cp.Change, i); err != nil {
			return 0, err
		}
		if !cp.Versions[i].IsZero() {
			continue
		}
		s := c.published.Load()
		if s.epoch != epoch {
			return 0, stet.Errorf(stet.CodeUnavailable, "the store was cleared at revision %d while it was exported. Export it again.", s.cleared)
		}
		if h := s.tree.get(save.PromptID); h != nil {
			if d := h.dead.get(save.Version); d != nil {
				goneAt = max(goneAt, d.deleted)
			}
		}
	}
	return goneAt, nil
}

// savedAt returns the version that a save of the log added, zero if it does not
// live any more. The operation counts: a commit that clears may save a number twice.
func (c *Core) savedAt(ctx context.Context, ch *stet.Change, op int) (stet.Version, error) {
	s := ch.Ops[op].Save
	h, asOf := c.newest(s.PromptID)
	if h == nil {
		return stet.Version{}, c.refuseClosed()
	}
	v := h.live.get(s.Version)
	if v == nil || v.revision != ch.Revision || int(v.op) != op {
		return stet.Version{}, nil
	}
	r, err := c.read(ctx, s.PromptID, v)
	switch {
	case err == errGone:
		return stet.Version{}, nil
	case err != nil:
		return stet.Version{}, err
	}
	return r.AsOf(asOf), nil
}
