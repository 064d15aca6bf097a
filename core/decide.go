package core

import (
	"context"
	"fmt"

	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/mutant"
	"github.com/stet-dev/stet/number"
	"github.com/stet-dev/stet/prompt"
)

// decide settles a commit against the state in t, and carries it out there: all
// of it, or none with the error that refuses it. The caller keeps it or rolls it
// back.
func (c *Core) decide(ctx context.Context, t *tx, p *pending) (*prompt.Change, []*cached, error) {
	ch := &prompt.Change{
		Revision: t.revision + 1, ID: p.id, Time: p.time, Author: p.author, Message: p.message,
		Fingerprint: p.fingerprint, Ops: make([]prompt.ChangeOp, len(p.ops)),
	}
	bodies := make([]*cached, len(p.ops))
	for i := range p.ops {
		op := &p.ops[i]
		settled, err := c.settle(ctx, t, op, ch)
		if err == nil {
			ch.Ops[i] = settled
			if s := settled.Save; s != nil && !s.Unchanged {
				f := op.fields
				f.Number, f.Ordinal, f.Revision = s.Version, s.Ordinal, ch.Revision
				bodies[i] = &cached{record: prompt.NewRecord(f)}
			}
			if err = t.apply(ch, i, bodies[i]); err != nil {
				err = fault.Wrap(err, fault.Internal, "the commit cannot be carried out: %v. Nothing changed. Run: stet verify", err)
			}
		}
		if err != nil {
			t.rollback()
			e := asFault(err)
			e.Op = i
			return nil, nil, e
		}
	}
	return ch, bodies, nil
}

// settle decides one operation: it replaces everything that was left to the
// store, or refuses. It changes nothing.
func (c *Core) settle(ctx context.Context, t *tx, p *preparedOp, ch *prompt.Change) (prompt.ChangeOp, error) {
	switch o := p.op; {
	case o.Save != nil:
		s, err := c.settleSave(ctx, t, p, o.Save, ch)
		return prompt.ChangeOp{Save: s}, err
	case o.Delete != nil:
		d, err := settleDelete(t, p, o.Delete)
		return prompt.ChangeOp{Delete: d}, err
	case o.SetLabel != nil:
		l, err := settleLabel(t, p, o.SetLabel, ch)
		return prompt.ChangeOp{SetLabel: l}, err
	case o.RemoveLabel != nil:
		l, err := settleRemove(t, p, o.RemoveLabel, ch)
		return prompt.ChangeOp{RemoveLabel: l}, err
	case o.Rollback != nil:
		l, err := settleRollback(t, p, o.Rollback, ch)
		return prompt.ChangeOp{Rollback: l}, err
	}
	return prompt.ChangeOp{Clear: &prompt.Clear{}}, nil
}

func (c *Core) settleSave(ctx context.Context, t *tx, p *preparedOp, d *prompt.Draft, ch *prompt.Change) (*prompt.SaveChange, error) {
	h := t.head(d.PromptID)
	if h == nil {
		h = &head{id: d.PromptID}
	}
	if err := expectLatest(h, p); err != nil {
		return nil, err
	}
	if mutant.On(mutant.IfChangedAny) && d.IfChanged {
		for v := range (view{h, now}).all(false, number.Number{}) {
			if v.digest == p.fields.Digest {
				return &prompt.SaveChange{PromptID: h.id, Digest: v.digest, Version: v.number, Ordinal: uint64(v.ordinal), Unchanged: true}, nil
			}
		}
	}
	for _, parent := range p.parents {
		ph := t.head(parent.id)
		if ph == nil || ph.live.get(parent.number) == nil {
			return nil, noParent(ph, parent)
		}
	}
	s := &prompt.SaveChange{PromptID: d.PromptID, Digest: p.fields.Digest}
	if d.IfChanged && h.latest != nil && h.latest.digest == p.fields.Digest {
		s.Version, s.Ordinal, s.Unchanged = h.latest.number, uint64(h.latest.ordinal), true
	} else {
		if err := c.settleNumber(ctx, h, p, s); err != nil {
			return nil, err
		}
		s.Ordinal, s.Seal = uint64(len(h.ordinals))+1, p.seal
		if mutant.On(mutant.OrdinalsReused) {
			s.Ordinal = uint64(h.live.len()) + 1
		}
	}
	for _, name := range d.Labels {
		l := prompt.LabelChange{Label: name, To: s.Version}
		old := h.label(name)
		if old == nil {
			if err := checkLabelRoom(h); err != nil {
				return nil, err
			}
		}
		l.From = old.place()
		s.Labels = append(s.Labels, l)
	}
	return s, nil
}

// settleNumber finds the number of a new version.
func (c *Core) settleNumber(ctx context.Context, h *head, p *preparedOp, s *prompt.SaveChange) error {
	if !p.number.IsZero() {
		s.Version = p.number
		if mutant.On(mutant.NumberCheckedFirst) && ctx == c.ctx {
			return nil
		}
		switch v := h.used(p.number); {
		case v == nil:
			return nil
		case v.deleted != 0:
			return fault.New(fault.Conflict, "%s@%s was deleted at revision %d; numbers are never used again. Nothing changed. Give a higher version, or a bump and let the store choose.", h.id, p.number, v.deleted)
		default:
			return fault.New(fault.Conflict, "%s@%s exists since revision %d, with the digest %.15s…; a version never changes. Nothing changed. Give a higher version, or a bump and let the store choose.", h.id, p.number, v.revision, v.digest)
		}
	}
	base := h.highestUsed()
	if mutant.On(mutant.MaxPlusOne) {
		base = number.Number{}
	}
	if h.latest != nil {
		base = h.latest.number
	}
	if base.IsZero() {
		s.Version = number.New(1, 0, 0)
		return nil
	}
	bump := p.bump
	if bump == number.Auto {
		change := content.Change{Level: content.Minor, Reason: "no version is left to compare with"}
		if h.latest != nil {
			old, err := c.body(ctx, h.id, h.latest)
			if err != nil {
				return asUnavailable(err, "what latest of %s says, which decides the number,", h.id)
			}
			change = content.Compare(old.AsOf(0).Content(), p.fields.Content)
		}
		switch change.Level {
		case content.Major:
			bump = number.Major
		case content.Minor:
			bump = number.Minor
		default:
			bump = number.Patch
		}
		s.Reason = change.Reason
	}
	s.Bump = string(bump)
	for n := base; ; {
		var err error
		if n, err = n.Bump(bump); err != nil {
			return err
		}
		if h.used(n) == nil || mutant.On(mutant.MaxPlusOne) && h.live.get(n) == nil {
			s.Version = n
			return nil
		}
	}
}

func expectLatest(h *head, p *preparedOp) error {
	var latest number.Number
	if h.latest != nil {
		latest = h.latest.number
	}
	if !p.expects || latest == p.expect {
		return nil
	}
	switch {
	case latest.IsZero():
		return fault.New(fault.Conflict, "%s has no versions, so its latest is not %s. Nothing changed.", h.id, p.expect)
	case p.expect.IsZero():
		return fault.New(fault.Conflict, "%s exists: its latest is %s. Nothing changed. See: stet log %s", h.id, latest, h.id)
	}
	return fault.New(fault.Conflict, "latest of %s is %s (saved at revision %d), not %s. Nothing changed. See: stet diff %s %s %s",
		h.id, latest, h.latest.revision, p.expect, h.id, p.expect, latest)
}

func noParent(h *head, p parent) error {
	if h == nil {
		return fault.New(fault.NotFound, "the parent %s@%s does not exist: there is no prompt %q. Nothing changed.", p.id, p.number, p.id)
	}
	e := asFault(view{h, now}.noNumber(p.number))
	return fault.New(fault.NotFound, "the parent %s@%s does not exist: %s Nothing changed.", p.id, p.number, e.Message)
}

// maxHeadLabels bounds the labels of a prompt, removed ones included: they are
// copied when one moves.
const maxHeadLabels = 1000

func checkLabelRoom(h *head) error {
	if len(h.labels) < maxHeadLabels {
		return nil
	}
	return fault.New(fault.TooLarge, "%s has had %d labels, which is the most. Nothing changed. Move one of them instead.", h.id, maxHeadLabels)
}

func settleDelete(t *tx, p *preparedOp, o *prompt.Delete) (*prompt.DeleteChange, error) {
	d := &prompt.DeleteChange{PromptID: o.PromptID, Version: p.number}
	h := t.head(o.PromptID)
	if h == nil {
		return d, nil
	}
	var v *version
	if p.number.IsZero() {
		if d.Deleted = h.live.len(); d.Deleted == 0 {
			return d, nil
		}
	} else {
		if v = h.live.get(p.number); v == nil {
			return d, nil
		}
		d.Deleted = 1
	}
	names := h.labelsAt(v)
	if mutant.On(mutant.DeleteUnguarded) {
		names = nil
	}
	if len(names) > 0 && !o.Force {
		what := o.PromptID
		if v != nil {
			what += "@" + v.number.String()
		}
		list := fmt.Sprintf("%q", names[:min(len(names), maxNamed)])
		return nil, fault.New(fault.Conflict, "%s is what %s points at. Nothing changed. Move the labels first, or delete with force, and they go too.",
			what, list[1:len(list)-1])
	}
	for _, n := range names {
		d.Labels = append(d.Labels, prompt.LabelChange{Label: n, From: h.label(n).last().to})
	}
	return d, nil
}

func settleLabel(t *tx, p *preparedOp, o *prompt.SetLabel, ch *prompt.Change) (*prompt.LabelChange, error) {
	h := t.head(o.PromptID)
	if h == nil {
		return nil, noPrompt(o.PromptID, now)
	}
	if err := expectLabel(h, o.Label, p, ch); err != nil {
		return nil, err
	}
	to, err := view{h, now}.resolve(p.to)
	if err != nil {
		return nil, err
	}
	l := h.label(o.Label)
	if l == nil {
		if err := checkLabelRoom(h); err != nil {
			return nil, err
		}
	}
	return &prompt.LabelChange{PromptID: o.PromptID, Label: o.Label, From: l.place(), To: to.number}, nil
}

func settleRemove(t *tx, p *preparedOp, o *prompt.RemoveLabel, ch *prompt.Change) (*prompt.LabelChange, error) {
	h := t.head(o.PromptID)
	if h == nil {
		return nil, noPrompt(o.PromptID, now)
	}
	if err := expectLabel(h, o.Label, p, ch); err != nil {
		return nil, err
	}
	l := h.label(o.Label)
	if l.place().IsZero() {
		return nil, view{h, now}.noLabel(o.Label)
	}
	return &prompt.LabelChange{PromptID: o.PromptID, Label: o.Label, From: l.place()}, nil
}

func settleRollback(t *tx, p *preparedOp, o *prompt.Rollback, ch *prompt.Change) (*prompt.LabelChange, error) {
	h := t.head(o.PromptID)
	if h == nil {
		return nil, noPrompt(o.PromptID, now)
	}
	name := rollbackLabel(o)
	if err := expectLabel(h, name, p, ch); err != nil {
		return nil, err
	}
	l := h.label(name)
	if l == nil {
		return nil, view{h, now}.noLabel(name)
	}
	to := l.last().from
	if mutant.On(mutant.RollbackFirst) {
		to = l.moves[0].to
	}
	if to.IsZero() {
		return nil, fault.New(fault.NotFound, "%s of %s has been nowhere else: it was set to %s at revision %d and was on no version before. Nothing changed. See: stet history %s@%s",
			name, h.id, l.last().to, l.last().revision, h.id, name)
	}
	if h.live.get(to) == nil {
		return nil, fault.New(fault.NotFound, "%s of %s was at %s before its last move, and that version was deleted at revision %d. Nothing changed. Choose another: stet label %s %s VERSION",
			name, h.id, to, h.used(to).deleted, h.id, name)
	}
	return &prompt.LabelChange{PromptID: h.id, Label: name, From: l.place(), To: to}, nil
}

// place returns where the label is, zero for nowhere. l may be nil.
func (l *label) place() number.Number {
	if l == nil {
		return number.Number{}
	}
	return l.last().to
}

func expectLabel(h *head, name string, p *preparedOp, ch *prompt.Change) error {
	l := h.label(name)
	at := l.place()
	if !p.expects || at == p.expect || mutant.On(mutant.LabelCheckedFirst) && ch.ID != "" {
		return nil
	}
	if at.IsZero() {
		return fault.New(fault.Conflict, "%s has no label %s, so it is not at %s. Nothing changed. See: stet show %s", h.id, name, p.expect, h.id)
	}
	m := l.last()
	by := ""
	if m.author != "" {
		by = "by " + m.author + " "
	}
	set := fmt.Sprintf("%s is at %s (set %s%s)", name, at, by, ago(ch.Time.Sub(m.time)))
	if p.expect.IsZero() {
		return fault.New(fault.Conflict, "%s, and was expected to be on no version. Nothing changed. See: stet history %s@%s", set, h.id, name)
	}
	return fault.New(fault.Conflict, "%s, not %s. Nothing changed. See: stet diff %s %s %s", set, p.expect, h.id, p.expect, at)
}
