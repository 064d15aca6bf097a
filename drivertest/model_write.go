package drivertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// edit returns a copy of a prompt to be changed, a new one if there is none.
func (t *modelTx) edit(id string) *modelPrompt {
	p := &modelPrompt{id: id, labels: map[string][]modelMove{}}
	if old := t.prompts[id]; old != nil {
		p.saved, p.labels = slices.Clone(old.saved), maps.Clone(old.labels)
	}
	p.revision = t.revision
	t.prompts[id] = p
	return p
}

func (t *modelTx) op(o *stet.Op) error {
	var r modelResult
	var err error
	switch {
	case o.Save != nil:
		r, err = t.save(o.Save)
	case o.Delete != nil:
		r, err = t.delete(o.Delete)
	case o.SetLabel != nil:
		l := o.SetLabel
		r, err = t.point(l.PromptID, l.Label, l.Expect, func(p *modelPrompt) (stet.Number, error) {
			v, err := p.resolve(l.Version)
			if err != nil {
				return stet.Number{}, err
			}
			return v.number, nil
		})
	case o.RemoveLabel != nil:
		l := o.RemoveLabel
		r, err = t.point(l.PromptID, l.Label, l.Expect, func(p *modelPrompt) (stet.Number, error) {
			if p.at(l.Label).IsZero() {
				return stet.Number{}, absent()
			}
			return stet.Number{}, nil
		})
	case o.Rollback != nil:
		l := o.Rollback
		label := cmp.Or(l.Label, stet.DefaultLabel)
		r, err = t.point(l.PromptID, label, l.Expect, func(p *modelPrompt) (stet.Number, error) {
			moves := p.labels[label]
			if len(moves) == 0 || moves[len(moves)-1].from.IsZero() {
				return stet.Number{}, absent()
			}
			to := moves[len(moves)-1].from
			if p.find(to) == nil {
				return stet.Number{}, absent()
			}
			return to, nil
		})
	case o.Clear != nil:
		t.prompts, t.cleared = map[string]*modelPrompt{}, t.revision
	}
	t.results = append(t.results, r)
	return err
}

func absent() error          { return stet.Errorf(stet.CodeNotFound, "not there") }
func clash(why string) error { return stet.Errorf(stet.CodeConflict, "%s", why) }

// point moves a label to where to says.
func (t *modelTx) point(id, label string, expect *string, to func(*modelPrompt) (stet.Number, error)) (modelResult, error) {
	p := t.prompts[id]
	if p == nil {
		return modelResult{}, absent()
	}
	from := p.at(label)
	if expect != nil && num(from) != *expect {
		return modelResult{}, clash("expect")
	}
	n, err := to(p)
	if err != nil {
		return modelResult{}, err
	}
	t.edit(id).move(label, n, t)
	line := changeLine(label, from, n)
	return modelResult{line: id + " " + line, id: id, label: line}, nil
}

func changeLine(label string, from, to stet.Number) string {
	return fmt.Sprintf("[%s %s>%s]", label, num(from), num(to))
}

// at is where a label is.
func (p *modelPrompt) at(label string) stet.Number {
	if moves := p.labels[label]; len(moves) > 0 {
		return moves[len(moves)-1].to
	}
	return stet.Number{}
}

func (p *modelPrompt) move(label string, to stet.Number, t *modelTx) {
	moves := p.labels[label]
	from := p.at(label)
	if len(moves) > 0 && from == to {
		return
	}
	p.labels[label] = append(slices.Clip(moves), modelMove{t.revision, from, to, t.commit.Author, t.commit.Message})
}

func (t *modelTx) save(d *stet.Draft) (modelResult, error) {
	p := t.prompts[d.PromptID]
	if p == nil {
		p = &modelPrompt{id: d.PromptID}
	}
	latest := p.latest()
	if d.Expect != nil && num(numberOf(latest)) != *d.Expect {
		return modelResult{}, clash("expect")
	}
	for _, ref := range d.Parents {
		id, n, _ := strings.Cut(ref, "@")
		if of := t.prompts[id]; of == nil || of.find(stet.MustParseNumber(n)) == nil {
			return modelResult{}, absent()
		}
	}
	c, _ := d.Content()
	r := modelResult{id: d.PromptID}
	if d.IfChanged && latest != nil && latest.content.Digest() == c.Digest() {
		r.saved, r.same = latest, true
		if len(d.Labels) > 0 {
			p = t.edit(d.PromptID)
		}
	} else {
		n, bump, err := p.allocate(d, c)
		if err != nil {
			return modelResult{}, err
		}
		p = t.edit(d.PromptID)
		r.bump = bump
		r.saved = &modelVersion{
			number: n, ordinal: len(p.saved) + 1, revision: t.revision, content: c, draft: d,
			author: cmp.Or(d.Author, t.commit.Author), message: cmp.Or(d.Message, t.commit.Message), metadata: canonical(d.Metadata),
		}
		p.saved = append(p.saved, r.saved)
	}
	var moved string
	for _, l := range d.Labels {
		moved += changeLine(l, p.at(l), r.saved.number)
		p.move(l, r.saved.number, t)
	}
	r.line = savedLine(d.PromptID, r.saved.number, uint64(r.saved.ordinal), c.Digest(), r.same, r.bump) + moved
	return r, nil
}

func savedLine(id string, n stet.Number, ordinal uint64, d content.Digest, same bool, bump string) string {
	return fmt.Sprintf("%s@%s #%d %.15s same=%t bump=%s", id, n, ordinal, d, same, bump)
}

func canonical(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "{}"
	}
	b, err := content.Canonicalize(raw)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func numberOf(v *modelVersion) stet.Number {
	if v == nil {
		return stet.Number{}
	}
	return v.number
}

// allocate finds the number of a new version.
func (p *modelPrompt) allocate(d *stet.Draft, c content.Content) (stet.Number, string, error) {
	used := func(n stet.Number) bool {
		return slices.ContainsFunc(p.saved, func(v *modelVersion) bool { return v.number == n })
	}
	if d.Version != "" {
		n := stet.MustParseNumber(d.Version)
		if used(n) {
			return n, "", clash("used")
		}
		return n, "", nil
	}
	base := p.latest()
	if base == nil {
		for _, v := range p.saved { // the highest ever used
			if base == nil || base.number.Less(v.number) {
				base = v
			}
		}
	}
	if base == nil {
		return stet.NewNumber(1, 0, 0), "", nil
	}
	bump, _ := stet.ParseBump(string(d.Bump))
	if bump == stet.BumpAuto {
		bump = stet.BumpMinor
		if p.latest() != nil {
			switch content.Compare(base.content, c).Level {
			case content.Major:
				bump = stet.BumpMajor
			case content.Patch, content.None:
				bump = stet.BumpPatch
			}
		}
	}
	n := base.number
	for {
		var err error
		if n, err = n.Bump(bump); err != nil {
			return n, "", err
		}
		if !used(n) {
			return n, string(bump), nil
		}
	}
}

func (t *modelTx) delete(d *stet.Delete) (modelResult, error) {
	var doomed []*modelVersion
	p := t.prompts[d.PromptID]
	if p != nil {
		for _, v := range p.live() {
			if d.Version == "" || v.number.String() == d.Version {
				doomed = append(doomed, v)
			}
		}
	}
	r := modelResult{id: d.PromptID, gone: len(doomed)}
	r.line = fmt.Sprintf("%s@%s gone=%d ", d.PromptID, d.Version, len(doomed))
	if len(doomed) == 0 {
		return r, nil
	}
	var labels []string
	for _, l := range sortedKeys(p.labels) {
		if slices.ContainsFunc(doomed, func(v *modelVersion) bool { return v.number == p.at(l) }) {
			labels = append(labels, l)
		}
	}
	if len(labels) > 0 && !d.Force {
		return r, clash("labels")
	}
	p = t.edit(d.PromptID)
	for _, l := range labels {
		r.line += changeLine(l, p.at(l), stet.Number{})
		p.move(l, stet.Number{}, t)
	}
	for _, v := range doomed {
		dead := *v
		dead.deleted = t.revision
		p.saved[v.ordinal-1] = &dead
	}
	return r, nil
}
