package core

import (
	"cmp"
	"fmt"
	"maps"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// decide decides a request against the state in t, and carries it out there: all of it,
// or none with the error that refuses it. The caller keeps it or rolls it back.
func (c *core) decide(t *tx, r *request) outcome {
	ch := &stet.Change{
		Revision: t.revision + 1, ID: r.id, Time: t.notBefore(r.time), Author: r.author, Message: r.message,
		Fingerprint: r.fingerprint, Ops: make([]stet.ChangeOp, len(r.operations)),
	}
	out := outcome{change: ch, bodies: make([]*cached, len(r.operations))}
	for i := range r.operations {
		op := &r.operations[i]
		resolved, err := c.decideOperation(t, r, op, ch)
		if err == nil {
			ch.Ops[i] = resolved
			if s := resolved.Save; s != nil && !s.Unchanged && !s.Seal.IsZero() {
				out.bodies[i] = &cached{fields: op.saved(s, ch.Revision)}
			}
			if err = t.apply(ch, i, out.bodies[i]); err != nil {
				err = unfit(r, err)
			}
		}
		if err != nil {
			t.rollback()
			if !r.copied {
				err = atOp(err, i)
			}
			return refused(r, err)
		}
	}
	return out
}

// unfit is the error for an operation that cannot be carried out.
func unfit(r *request, err error) error {
	if r.copied {
		return stet.WrapError(err, stet.CodeConflict, "the change %s does not fit this store: %v. Nothing changed. Copy into an empty store.", r.id, err)
	}
	return stet.WrapError(err, stet.CodeInternal, "the commit cannot be carried out: %v. Nothing changed. Run: stet verify", err)
}

// decideOperation resolves an operation: it decides everything that was left to the
// store, or refuses. It changes nothing.
func (c *core) decideOperation(t *tx, r *request, op *operation, ch *stet.Change) (o stet.ChangeOp, err error) {
	if op.resolved != nil {
		return *op.resolved, nil
	}
	if op.expects && r.epoch != 0 && r.epoch != t.epoch {
		expected := cmp.Or(op.expect.String(), "no version")
		if r.epoch > t.epoch {
			return o, stet.Errorf(stet.CodeConflict, "what is expected, %s, is of epoch %d, and the store is in epoch %d. Nothing changed. Read it anew.", expected, r.epoch, t.epoch)
		}
		return o, stet.Errorf(stet.CodeConflict, "what is expected, %s, is of epoch %d, and the store was cleared since, at revision %d. Nothing changed. Read it anew.", expected, r.epoch, t.cleared)
	}
	switch op.kind {
	case "save":
		o.Save, err = c.decideSave(t, op)
	case "delete":
		o.Delete, err = decideDelete(t, op)
	case "set_label":
		o.SetLabel, err = decideLabel(t, op, ch, decideSetLabel)
	case "remove_label":
		o.RemoveLabel, err = decideLabel(t, op, ch, decideRemoveLabel)
	case "rollback":
		o.Rollback, err = decideLabel(t, op, ch, decideRollback)
	case "clear":
		o.Clear = &stet.Clear{}
	}
	return o, err
}

// decideSave chooses the number and the ordinal of a new version, or finds that latest
// has the content already.
func (c *core) decideSave(t *tx, op *operation) (*stet.SaveChange, error) {
	h := t.head(op.promptID)
	if h == nil {
		h = &head{id: op.promptID}
	}
	if err := checkLatest(h, op); err != nil {
		return nil, err
	}
	for _, parent := range op.parents {
		ph := t.head(parent.id)
		if ph == nil || ph.live.get(parent.number) == nil {
			return nil, noParent(ph, parent)
		}
	}
	s := &stet.SaveChange{PromptID: op.promptID, Digest: op.fields.Digest}
	if op.ifChanged && h.latest != nil && h.latest.digest == op.fields.Digest {
		s.Version, s.Ordinal, s.Unchanged = h.latest.number, uint64(h.latest.ordinal), true
	} else {
		if err := c.decideNumber(t, h, op, s); err != nil {
			return nil, err
		}
		s.Ordinal, s.Seal = uint64(len(h.ordinals))+1, op.seal
	}
	added := 0
	for _, name := range op.labels {
		l := stet.LabelChange{Label: name, To: s.Version}
		old := h.label(name)
		if old == nil || old.at == nil {
			added++
			if err := checkLabelRoom(h, added); err != nil {
				return nil, err
			}
		}
		l.From = h.target(old)
		s.Labels = append(s.Labels, l)
	}
	return s, nil
}

// decideNumber finds the number of a new version.
func (c *core) decideNumber(t *tx, h *head, op *operation, s *stet.SaveChange) error {
	if !op.number.IsZero() {
		s.Version = op.number
		switch v := h.used(op.number); {
		case v == nil:
			return nil
		case v.deleted != 0:
			return stet.Errorf(stet.CodeConflict, "%s@%s was deleted at revision %d; numbers are never used again. Nothing changed. Give a higher version, or a bump and let the store choose.", h.id, op.number, v.deleted)
		default:
			return stet.Errorf(stet.CodeConflict, "%s@%s exists since revision %d, with the digest %.15s…; a version never changes. Nothing changed. Give a higher version, or a bump and let the store choose.", h.id, op.number, v.revision, v.digest)
		}
	}
	base := h.highestUsed()
	if h.latest != nil {
		base = h.latest.number
	}
	if base.IsZero() {
		s.Version = stet.NewNumber(1, 0, 0)
		return nil
	}
	bump := op.bump
	if bump == stet.BumpAuto {
		change := content.Change{Level: content.Minor, Reason: "no version is left to compare with"}
		if h.latest != nil {
			old, err := c.body(c.ctx, h.id, h.latest)
			if err == errGone {
				err = missing(h.id, h.latest)
			}
			if err != nil {
				return asUnavailable(err, "what latest of %s says, which decides the number,", h.id)
			}
			change = content.Compare(old.Content(), op.fields.Content)
		}
		switch change.Level {
		case content.Major:
			bump = stet.BumpMajor
		case content.Minor:
			bump = stet.BumpMinor
		default:
			bump = stet.BumpPatch
		}
		s.Reason = change.Reason
	}
	s.Bump = bump
	var err error
	s.Version, err = t.firstFree(h, base, bump)
	return err
}

// checkLatest refuses a save whose condition does not hold.
func checkLatest(h *head, op *operation) error {
	var latest stet.Number
	if h.latest != nil {
		latest = h.latest.number
	}
	if !op.expects || latest == op.expect {
		return nil
	}
	switch {
	case latest.IsZero():
		return stet.Errorf(stet.CodeConflict, "%s has no versions, so its latest is not %s. Nothing changed.", h.id, op.expect)
	case op.expect.IsZero():
		return stet.Errorf(stet.CodeConflict, "%s exists: its latest is %s. Nothing changed. See: stet log %s", h.id, latest, h.id)
	}
	return stet.Errorf(stet.CodeConflict, "latest of %s is %s (saved at revision %d), not %s. Nothing changed. See: stet diff %s %s %s",
		h.id, latest, h.latest.revision, op.expect, h.id, op.expect, latest)
}

func noParent(h *head, p parent) error {
	if h == nil {
		return stet.Errorf(stet.CodeNotFound, "the parent %s@%s does not exist: there is no prompt %q. Nothing changed. See: stet list", p.id, p.number, p.id)
	}
	e := stet.AsError(h.asOf(now).noNumber(p.number))
	return stet.Errorf(stet.CodeNotFound, "the parent %s@%s does not exist. Nothing changed. %s", p.id, p.number, e.Message)
}

// maxHeadLabels bounds the labels that a prompt has at a time: a head lists them all.
const maxHeadLabels = 1000

func checkLabelRoom(h *head, more int) error {
	if h.labels.len()+more <= maxHeadLabels {
		return nil
	}
	return stet.Errorf(stet.CodeTooLarge, "%s has %d labels, which is the most. Nothing changed. Move one of them instead, or remove one first.", h.id, maxHeadLabels)
}

// decideDelete counts what is deleted, and names the labels that go with it.
func decideDelete(t *tx, op *operation) (*stet.DeleteChange, error) {
	d := &stet.DeleteChange{PromptID: op.promptID, Version: op.number}
	h := t.head(op.promptID)
	if h == nil {
		return d, nil
	}
	var v *version
	if op.number.IsZero() {
		if d.Deleted = h.live.len(); d.Deleted == 0 {
			return d, nil
		}
	} else {
		if v = h.live.get(op.number); v == nil {
			return d, nil
		}
		d.Deleted = 1
	}
	names := h.labelsAt(v)
	if len(names) > 0 && !op.force {
		what := op.promptID
		if v != nil {
			what += "@" + v.number.String()
		}
		list := strings.ReplaceAll(fmt.Sprintf("%q", names[:min(len(names), maxNamed)]), " ", ", ")
		return nil, stet.Errorf(stet.CodeConflict, "%s has labels: %s. Nothing changed. Move the labels first, or delete with force, which removes them too.",
			what, list[1:len(list)-1])
	}
	for _, n := range names {
		d.Labels = append(d.Labels, stet.LabelChange{Label: n, From: h.target(h.label(n))})
	}
	return d, nil
}

// decideLabel decides an operation on one label. where returns the number that the label
// is to move to, zero for none. The label that it gets is nil if it was never set.
func decideLabel(t *tx, op *operation, ch *stet.Change, where func(*head, *label, *operation) (stet.Number, error)) (*stet.LabelChange, error) {
	h := t.head(op.promptID)
	if h == nil {
		return nil, t.base.noPrompt(op.promptID, now)
	}
	if err := checkLabelAt(h, op, ch); err != nil {
		return nil, err
	}
	l := h.label(op.label)
	to, err := where(h, l, op)
	if err != nil {
		return nil, err
	}
	return &stet.LabelChange{PromptID: h.id, Label: op.label, From: h.target(l), To: to}, nil
}

// decideSetLabel, decideRemoveLabel and decideRollback are the where of decideLabel.
func decideSetLabel(h *head, l *label, op *operation) (stet.Number, error) {
	to, err := h.asOf(now).resolve(op.to)
	if err != nil {
		return stet.Number{}, err
	}
	if l == nil || l.at == nil {
		if err := checkLabelRoom(h, 1); err != nil {
			return stet.Number{}, err
		}
	}
	return to.number, nil
}

func decideRemoveLabel(h *head, l *label, op *operation) (stet.Number, error) {
	if h.target(l).IsZero() {
		return stet.Number{}, h.asOf(now).noLabel(op.label)
	}
	return stet.Number{}, nil
}

func decideRollback(h *head, l *label, op *operation) (stet.Number, error) {
	if l == nil {
		return stet.Number{}, h.asOf(now).noLabel(op.label)
	}
	to := h.targetBefore(l, len(l.moves)-1)
	if to.IsZero() {
		return to, stet.Errorf(stet.CodeNotFound, "%s of %s has been nowhere else: it was set to %s at revision %d and was on no version before. Nothing changed. See: stet history %s@%s",
			l.name, h.id, h.target(l), l.last().revision, h.id, l.name)
	}
	if h.live.get(to) == nil {
		return to, stet.Errorf(stet.CodeNotFound, "%s of %s was at %s before its last move, and that version was deleted at revision %d. Nothing changed. Choose another: stet label %s %s VERSION",
			l.name, h.id, to, h.used(to).deleted, h.id, l.name)
	}
	return to, nil
}

// checkLabelAt refuses an operation whose condition does not hold.
func checkLabelAt(h *head, op *operation, ch *stet.Change) error {
	name := op.label
	l := h.label(name)
	at := h.target(l)
	if !op.expects || at == op.expect {
		return nil
	}
	if at.IsZero() {
		return stet.Errorf(stet.CodeConflict, "%s has no label %s, so it is not at %s. Nothing changed. See: stet show %s", h.id, name, op.expect, h.id)
	}
	by := ""
	if l.set.author != "" {
		by = "by " + l.set.author + " "
	}
	set := fmt.Sprintf("%s is at %s (set %s%s)", name, at, by, ago(ch.Time.Sub(l.set.time)))
	if op.expect.IsZero() {
		return stet.Errorf(stet.CodeConflict, "%s, and was expected to be on no version. Nothing changed. See: stet history %s@%s", set, h.id, name)
	}
	return stet.Errorf(stet.CodeConflict, "%s, not %s. Nothing changed. See: stet diff %s %s %s", set, op.expect, h.id, op.expect, at)
}

// A numberHint is where the search for a free number continues: numbers are never used
// again, so the next bump from the same base may begin at the number that was free last.
// Without it, each save to a prompt of which 100,000 versions were deleted would try them
// all, and every writer would wait.
//
// Hints belong to the tx that found them, and pass to the next one when it is
// published. A rollback forgets them, since the numbers that they pass may not be used
// after all. They hold for one epoch: after a clear, here or elsewhere, numbers begin anew.
type numberHint struct{ base, free stet.Number }

type hintKey struct {
	epoch uint64
	id    string
	bump  stet.Bump
}

const (
	// hintAfter is how many numbers a bump tries before there is a hint.
	hintAfter = 32
	// maxHints bounds the hints; then they begin anew.
	maxHints = 1024
)

// firstFree returns the first number that bump leads to from base, once or again and
// again, that the prompt has never used.
func (t *tx) firstFree(h *head, base stet.Number, bump stet.Bump) (stet.Number, error) {
	key := hintKey{t.epoch, h.id, bump}
	hint, ok := t.newHints[key]
	if !ok {
		hint = t.hints[key]
	}
	n, err := base.Bump(bump)
	if hint.base == base {
		n = hint.free
	}
	for tried := 0; err == nil; tried++ {
		if h.used(n) == nil {
			if tried > hintAfter || tried > 0 && hint.base == base {
				if t.newHints == nil {
					t.newHints = make(map[hintKey]numberHint)
				}
				t.newHints[key] = numberHint{base, n}
			}
			return n, nil
		}
		n, err = n.Bump(bump)
	}
	return stet.Number{}, err
}

// keepHints makes what was found since the last keep final within the tx.
func (t *tx) keepHints() {
	if len(t.newHints) == 0 {
		return
	}
	if t.hints == nil || len(t.hints) >= maxHints {
		t.hints = make(map[hintKey]numberHint)
	}
	maps.Copy(t.hints, t.newHints)
	t.newHints = nil
}
