package core

import (
	"context"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

func (c *Core) settleSave(ctx context.Context, t *tx, p *preparedOp, d *stet.Draft, ch *stet.Change) (*stet.SaveChange, error) {
	h := t.head(d.PromptID)
	if h == nil {
		h = &head{id: d.PromptID}
	}
	if err := expectLatest(h, p); err != nil {
		return nil, err
	}
	for _, parent := range p.parents {
		ph := t.head(parent.id)
		if ph == nil || ph.live.get(parent.number) == nil {
			return nil, noParent(ph, parent)
		}
	}
	s := &stet.SaveChange{PromptID: d.PromptID, Digest: p.fields.Digest}
	if d.IfChanged && h.latest != nil && h.latest.digest == p.fields.Digest {
		s.Version, s.Ordinal, s.Unchanged = h.latest.number, uint64(h.latest.ordinal), true
	} else {
		if err := c.settleNumber(ctx, t, h, p, s); err != nil {
			return nil, err
		}
		s.Ordinal, s.Seal = uint64(len(h.ordinals))+1, p.seal
	}
	added := 0
	for _, name := range d.Labels {
		l := stet.LabelChange{Label: name, To: s.Version}
		old := h.label(name)
		if old == nil || old.at == nil {
			added++
			if err := checkLabelRoom(h, added); err != nil {
				return nil, err
			}
		}
		l.From = h.place(old)
		s.Labels = append(s.Labels, l)
	}
	return s, nil
}

// settleNumber finds the number of a new version.
func (c *Core) settleNumber(ctx context.Context, t *tx, h *head, p *preparedOp, s *stet.SaveChange) error {
	if !p.number.IsZero() {
		s.Version = p.number
		switch v := h.used(p.number); {
		case v == nil:
			return nil
		case v.deleted != 0:
			return stet.Errorf(stet.CodeConflict, "%s@%s was deleted at revision %d; numbers are never used again. Nothing changed. Give a higher version, or a bump and let the store choose.", h.id, p.number, v.deleted)
		default:
			return stet.Errorf(stet.CodeConflict, "%s@%s exists since revision %d, with the digest %.15s…; a version never changes. Nothing changed. Give a higher version, or a bump and let the store choose.", h.id, p.number, v.revision, v.digest)
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
	bump := p.bump
	if bump == stet.BumpAuto {
		change := content.Change{Level: content.Minor, Reason: "no version is left to compare with"}
		if h.latest != nil {
			old, err := c.body(ctx, h.id, h.latest)
			if err == errGone {
				err = missing(h.id, h.latest)
			}
			if err != nil {
				return asUnavailable(err, "what latest of %s says, which decides the number,", h.id)
			}
			change = content.Compare(old.AsOf(0).Content(), p.fields.Content)
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

func expectLatest(h *head, p *preparedOp) error {
	var latest stet.Number
	if h.latest != nil {
		latest = h.latest.number
	}
	if !p.expects || latest == p.expect {
		return nil
	}
	switch {
	case latest.IsZero():
		return stet.Errorf(stet.CodeConflict, "%s has no versions, so its latest is not %s. Nothing changed.", h.id, p.expect)
	case p.expect.IsZero():
		return stet.Errorf(stet.CodeConflict, "%s exists: its latest is %s. Nothing changed. See: stet log %s", h.id, latest, h.id)
	}
	return stet.Errorf(stet.CodeConflict, "latest of %s is %s (saved at revision %d), not %s. Nothing changed. See: stet diff %s %s %s",
		h.id, latest, h.latest.revision, p.expect, h.id, p.expect, latest)
}

func noParent(h *head, p parent) error {
	if h == nil {
		return stet.Errorf(stet.CodeNotFound, "the parent %s@%s does not exist: there is no prompt %q. Nothing changed. See: stet list", p.id, p.number, p.id)
	}
	e := stet.AsError(h.asOf(now).noNumber(p.number))
	return stet.Errorf(stet.CodeNotFound, "the parent %s@%s does not exist. Nothing changed. %s", p.id, p.number, e.Message)
}
