package core

import (
	"context"

	"github.com/stet-dev/stet"
)

// decide settles a commit against the state in t, and carries it out there: all
// of it, or none with the error that refuses it. The caller keeps it or rolls it
// back.
func (c *Core) decide(ctx context.Context, t *tx, p *pending) (*stet.Change, []*cached, error) {
	ch := &stet.Change{
		Revision: t.revision + 1, ID: p.id, Time: p.time, Author: p.author, Message: p.message,
		Fingerprint: p.fingerprint, Ops: make([]stet.ChangeOp, len(p.ops)),
	}
	ch.Time = t.notBefore(ch.Time)
	bodies := make([]*cached, len(p.ops))
	for i := range p.ops {
		op := &p.ops[i]
		var settled stet.ChangeOp
		var err error
		if op.expects && p.epoch != 0 && p.epoch != t.epoch {
			err = stet.Errorf(stet.CodeConflict, "what is expected, %s, is of epoch %d, and the store was cleared since, at revision %d. Nothing changed. Read it anew.", op.expect, p.epoch, t.cleared)
		} else {
			settled, err = c.settle(ctx, t, op, ch)
		}
		if err == nil {
			ch.Ops[i] = settled
			if s := settled.Save; s != nil && !s.Unchanged {
				f := op.fields
				f.Number, f.Ordinal, f.Revision = s.Version, s.Ordinal, ch.Revision
				bodies[i] = &cached{record: stet.NewRecord(f)}
			}
			if err = t.apply(ch, i, bodies[i]); err != nil {
				err = stet.WrapError(err, stet.CodeInternal, "the commit cannot be carried out: %v. Nothing changed. Run: stet verify", err)
			}
		}
		if err != nil {
			t.rollback()
			e := stet.AsError(err)
			e.Op = i
			return nil, nil, e
		}
	}
	return ch, bodies, nil
}

// settle decides one operation: it replaces everything that was left to the
// store, or refuses. It changes nothing.
func (c *Core) settle(ctx context.Context, t *tx, p *preparedOp, ch *stet.Change) (stet.ChangeOp, error) {
	switch o := p.op; {
	case o.Save != nil:
		s, err := c.settleSave(ctx, t, p, o.Save, ch)
		return stet.ChangeOp{Save: s}, err
	case o.Delete != nil:
		d, err := settleDelete(t, p, o.Delete)
		return stet.ChangeOp{Delete: d}, err
	case o.SetLabel != nil:
		l, err := settleLabel(t, p, o.SetLabel, ch)
		return stet.ChangeOp{SetLabel: l}, err
	case o.RemoveLabel != nil:
		l, err := settleRemove(t, p, o.RemoveLabel, ch)
		return stet.ChangeOp{RemoveLabel: l}, err
	case o.Rollback != nil:
		l, err := settleRollback(t, p, o.Rollback, ch)
		return stet.ChangeOp{Rollback: l}, err
	}
	return stet.ChangeOp{Clear: &stet.Clear{}}, nil
}
