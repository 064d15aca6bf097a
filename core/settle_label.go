package core

import (
	"fmt"

	"github.com/stet-dev/stet"
)

// maxHeadLabels bounds the labels that a prompt has at a time: a head lists them all.
const maxHeadLabels = 1000

func checkLabelRoom(h *head, more int) error {
	if h.labels.len()+more <= maxHeadLabels {
		return nil
	}
	return stet.Errorf(stet.CodeTooLarge, "%s has %d labels, which is the most. Nothing changed. Move one of them instead, or remove one first.", h.id, maxHeadLabels)
}

func settleDelete(t *tx, p *preparedOp, o *stet.Delete) (*stet.DeleteChange, error) {
	d := &stet.DeleteChange{PromptID: o.PromptID, Version: p.number}
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
	if len(names) > 0 && !o.Force {
		what := o.PromptID
		if v != nil {
			what += "@" + v.number.String()
		}
		list := fmt.Sprintf("%q", names[:min(len(names), maxNamed)])
		return nil, stet.Errorf(stet.CodeConflict, "%s is what %s points at. Nothing changed. Move the labels first, or delete with force, and they go too.",
			what, list[1:len(list)-1])
	}
	for _, n := range names {
		d.Labels = append(d.Labels, stet.LabelChange{Label: n, From: h.place(h.label(n))})
	}
	return d, nil
}

func settleLabel(t *tx, p *preparedOp, o *stet.SetLabel, ch *stet.Change) (*stet.LabelChange, error) {
	h := t.head(o.PromptID)
	if h == nil {
		return nil, t.base.noPrompt(o.PromptID, now)
	}
	if err := expectLabel(h, o.Label, p, ch); err != nil {
		return nil, err
	}
	to, err := h.asOf(now).resolve(p.to)
	if err != nil {
		return nil, err
	}
	l := h.label(o.Label)
	if l == nil || l.at == nil {
		if err := checkLabelRoom(h, 1); err != nil {
			return nil, err
		}
	}
	return &stet.LabelChange{PromptID: o.PromptID, Label: o.Label, From: h.place(l), To: to.number}, nil
}

func settleRemove(t *tx, p *preparedOp, o *stet.RemoveLabel, ch *stet.Change) (*stet.LabelChange, error) {
	h := t.head(o.PromptID)
	if h == nil {
		return nil, t.base.noPrompt(o.PromptID, now)
	}
	if err := expectLabel(h, o.Label, p, ch); err != nil {
		return nil, err
	}
	l := h.label(o.Label)
	if h.place(l).IsZero() {
		return nil, h.asOf(now).noLabel(o.Label)
	}
	return &stet.LabelChange{PromptID: o.PromptID, Label: o.Label, From: h.place(l)}, nil
}

func settleRollback(t *tx, p *preparedOp, o *stet.Rollback, ch *stet.Change) (*stet.LabelChange, error) {
	h := t.head(o.PromptID)
	if h == nil {
		return nil, t.base.noPrompt(o.PromptID, now)
	}
	name := rollbackLabel(o)
	if err := expectLabel(h, name, p, ch); err != nil {
		return nil, err
	}
	l := h.label(name)
	if l == nil {
		return nil, h.asOf(now).noLabel(name)
	}
	to := h.before(l, len(l.moves)-1)
	if to.IsZero() {
		return nil, stet.Errorf(stet.CodeNotFound, "%s of %s has been nowhere else: it was set to %s at revision %d and was on no version before. Nothing changed. See: stet history %s@%s",
			name, h.id, h.place(l), l.last().revision, h.id, name)
	}
	if h.live.get(to) == nil {
		return nil, stet.Errorf(stet.CodeNotFound, "%s of %s was at %s before its last move, and that version was deleted at revision %d. Nothing changed. Choose another: stet label %s %s VERSION",
			name, h.id, to, h.used(to).deleted, h.id, name)
	}
	return &stet.LabelChange{PromptID: h.id, Label: name, From: h.place(l), To: to}, nil
}

func expectLabel(h *head, name string, p *preparedOp, ch *stet.Change) error {
	l := h.label(name)
	at := h.place(l)
	if !p.expects || at == p.expect {
		return nil
	}
	if at.IsZero() {
		return stet.Errorf(stet.CodeConflict, "%s has no label %s, so it is not at %s. Nothing changed. See: stet show %s", h.id, name, p.expect, h.id)
	}
	by := ""
	if l.set.author != "" {
		by = "by " + l.set.author + " "
	}
	set := fmt.Sprintf("%s is at %s (set %s%s)", name, at, by, ago(ch.Time.Sub(l.set.time)))
	if p.expect.IsZero() {
		return stet.Errorf(stet.CodeConflict, "%s, and was expected to be on no version. Nothing changed. See: stet history %s@%s", set, h.id, name)
	}
	return stet.Errorf(stet.CodeConflict, "%s, not %s. Nothing changed. See: stet diff %s %s %s", set, p.expect, h.id, p.expect, at)
}
