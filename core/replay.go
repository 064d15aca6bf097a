package core

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stet-dev/stet"
)

// Replay takes over changes of another store as they were resolved there: with their
// ids, times, authors, numbers and ordinals. Only the revision of each is this store's,
// and its time where the newest commit here is later: then it is that one's. It skips
// the deciding, not the checks: a change that does not fit is a conflict and changes
// nothing. A change whose id is in the log already is not added again.
//
// They go in in order, as many as fit into one append at once. The first that cannot
// ends it: what became of those before it is returned with its error.
func (c *Core) Replay(ctx context.Context, copies ...stet.Copy) ([]stet.Done, error) {
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

// newChain chains as many changes as go to the writer at once. It ends before one that
// cannot be taken over, and tells why.
func (c *Core) newChain(copies []stet.Copy) (first *request, bad error) {
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
	ch.Ops = slices.Clone(ch.Ops)
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
		s = new(stet.SaveChange)
		*s = *ch.Ops[i].Save
		s.Content = nil
		ch.Ops[i].Save = s
		v := from.Versions[i]
		if v.IsZero() {
			s.Seal = stet.Hash{} // its number stays used, its text is gone
			continue
		}
		op.fields = stet.Fields{
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
func checkVersionFields(f *stet.Fields) error {
	if _, err := parseParents(f.Parents); err != nil {
		return err
	}
	return cmp.Or(
		checkProse("author", f.Author, maxAuthor),
		checkProse("message", f.Message, maxMessage),
		checkTime("created_at", f.CreatedAt),
	)
}
