package core

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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
func (c *core) Export(ctx context.Context, yield func(stet.Copy) error) error {
	if err := c.refresh(ctx); err != nil {
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
			ch, err := decodeChange(entries[i].Data)
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

// afterClear cuts the commit that began the epoch to what came after its clear. The
// fingerprint goes, since it is that of all operations.
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
func (c *core) attach(ctx context.Context, epoch uint64, cp *stet.Copy) (goneAt uint64, err error) {
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
func (c *core) savedAt(ctx context.Context, ch *stet.Change, op int) (stet.Version, error) {
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
	return r.WithAsOf(asOf), nil
}

// Replay takes over changes of another store as they were resolved there: with their
// ids, times, authors, numbers and ordinals. Only the revision of each is this store's,
// and the time where the newest commit here is later: then it is that one's. Nothing is
// decided anew, but all is checked: a change that does not fit is a conflict and changes
// nothing. A change whose id is in the log already is not added again.
//
// The changes are added in order, as many at once as one append takes. Replay ends at
// the first that cannot be added, and returns its error with what became of those before.
func (c *core) Replay(ctx context.Context, copies ...stet.Copy) ([]stet.Done, error) {
	all := make([]stet.Done, 0, len(copies))
	for len(all) < len(copies) {
		first, bad := c.newChain(copies[len(all):])
		if first == nil {
			return all, bad
		}
		err := c.submit(ctx, first)
		for r := first; err == nil; {
			all = append(all, r.outcome.done())
			if r = r.next; r == nil {
				break
			}
			err = c.wait(ctx, r)
		}
		if err = cmp.Or(err, bad); err != nil {
			return all, err
		}
	}
	return all, nil
}

// newChain makes a chain of as many changes as go to the writer at once. It ends before
// the first that cannot be taken over, and returns the reason.
func (c *core) newChain(copies []stet.Copy) (first *request, bad error) {
	var last *request
	for n, bytes := 0, 0; n < min(len(copies), c.opts.MaxBatch) && bytes < maxBatchBytes; n++ {
		r, err := newCopy(&copies[n])
		if err != nil {
			return first, err
		}
		if bytes += r.size; last == nil {
			first = r
		} else {
			last.next, r.previous = r, last
		}
		last = r
	}
	return first, nil
}

// newCopy checks a change and computes what does not depend on the state.
func newCopy(from *stet.Copy) (*request, error) {
	ch := from.Change
	ch.Ops = cloneOps(ch.Ops)
	ch.Time = ch.Time.UTC().Truncate(time.Microsecond)
	if err := checkChange(&ch); err != nil {
		return nil, stet.WrapError(err, stet.CodeOf(err), "the change %q is not one that a store would have made: %s", ch.ID, stet.AsError(err).Message)
	}
	if len(from.Versions) != len(ch.Ops) {
		return nil, stet.Errorf(stet.CodeInvalid, "the change %s has %d operations and %d versions; it must have one for each.", ch.ID, len(ch.Ops), len(from.Versions))
	}
	r := &request{
		id: ch.ID, author: ch.Author, message: ch.Message, time: ch.Time, fingerprint: ch.Fingerprint,
		operations: make([]operation, len(ch.Ops)), copied: true, answered: make(chan struct{}),
	}
	for i := range ch.Ops {
		op, s := &r.operations[i], ch.Ops[i].Save
		op.resolved = &ch.Ops[i]
		if s == nil || s.Unchanged {
			continue
		}
		v := from.Versions[i]
		if v.IsZero() {
			s.Seal = stet.Hash{} // its number stays used, its text is gone
			continue
		}
		op.fields = stet.VersionFields{
			PromptID: s.PromptID, Content: v.Content(), Digest: v.Content().Digest(), Metadata: v.Metadata(),
			Parents: slices.Collect(v.Parents()), Author: v.Author(), Message: v.Message(), CreatedAt: v.CreatedAt(),
		}
		if op.fields.Digest != s.Digest {
			return nil, stet.Errorf(stet.CodeInvalid, "%s@%s does not have the digest that its change gives.", s.PromptID, s.Version)
		}
		if err := checkVersionFields(&op.fields); err != nil {
			return nil, err
		}
		op.stored = string(appendFields(nil, &op.fields))
		if got := seal(s.Digest, op.stored); s.Seal.IsZero() {
			s.Seal = got
		} else if got != s.Seal {
			return nil, stet.Errorf(stet.CodeInvalid, "%s@%s does not have the seal that its change gives.", s.PromptID, s.Version)
		}
		r.size += len(op.stored) + len(bodyText(op.fields.Content))
	}
	if r.size > stet.MaxCommitBytes {
		return nil, stet.Errorf(stet.CodeTooLarge, "the change %s has over %d MiB of texts, which is the most.", ch.ID, stet.MaxCommitBytes>>20)
	}
	return r, nil
}

// cloneOps returns copies that share nothing with the caller's that he could change.
func cloneOps(ops []stet.ChangeOp) []stet.ChangeOp {
	ops = slices.Clone(ops)
	for i := range ops {
		o := &ops[i]
		o.Save, o.Delete = clone(o.Save), clone(o.Delete)
		o.SetLabel, o.RemoveLabel, o.Rollback = clone(o.SetLabel), clone(o.RemoveLabel), clone(o.Rollback)
		if o.Save != nil {
			o.Save.Labels, o.Save.Content = slices.Clone(o.Save.Labels), nil
		}
		if o.Delete != nil {
			o.Delete.Labels = slices.Clone(o.Delete.Labels)
		}
	}
	return ops
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// checkChange refuses what no store would have in its log, so that a copy cannot
// bring in what could not be read again.
func checkChange(ch *stet.Change) error {
	if err := checkCommitID(ch.ID); err != nil || ch.ID == "" {
		return cmp.Or(err, error(stet.Errorf(stet.CodeInvalid, "it has no id.")))
	}
	if err := checkProse("author", ch.Author, maxAuthor); err != nil {
		return err
	}
	if err := checkProse("message", ch.Message, maxMessage); err != nil {
		return err
	}
	if err := checkProse("fingerprint", ch.Fingerprint, maxCommitID); err != nil {
		return err
	}
	if err := checkTime("time", ch.Time); err != nil {
		return err
	}
	if len(ch.Ops) == 0 || len(ch.Ops) > stet.MaxOps {
		return stet.Errorf(stet.CodeInvalid, "it has %d operations; it must have 1 to %d.", len(ch.Ops), stet.MaxOps)
	}
	for i := range ch.Ops {
		if err := checkChangeOp(&ch.Ops[i]); err != nil {
			return atOp(err, i)
		}
	}
	return nil
}

func checkChangeOp(o *stet.ChangeOp) error {
	if kinds := countSet(o.Save != nil, o.Delete != nil, o.SetLabel != nil, o.RemoveLabel != nil, o.Rollback != nil, o.Clear != nil); kinds != 1 {
		return stet.Errorf(stet.CodeInvalid, "an operation in it is %d operations at once.", kinds)
	}
	if o.Clear != nil {
		return nil
	}
	if err := stet.CheckID(o.PromptID()); err != nil {
		return err
	}
	for _, l := range o.Labels() {
		if err := stet.CheckLabel(l.Label); err != nil {
			return err
		}
	}
	if s := o.Save; s != nil {
		if s.Version.IsZero() || s.Digest.IsZero() || s.Unchanged && !s.Seal.IsZero() {
			return stet.Errorf(stet.CodeInvalid, "a save in it has no version, no digest, or a seal although it is unchanged.")
		}
		return cmp.Or(checkProse("bump", string(s.Bump), maxAuthor), checkProse("reason", s.Reason, maxMessage))
	}
	return nil
}

// checkVersionFields checks what a copied version says of itself beside its content.
func checkVersionFields(f *stet.VersionFields) error {
	if _, err := parseParents(f.Parents); err != nil {
		return err
	}
	return cmp.Or(
		checkProse("author", f.Author, maxAuthor),
		checkProse("message", f.Message, maxMessage),
		checkTime("created_at", f.CreatedAt),
	)
}
