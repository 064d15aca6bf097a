package drivertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/name"
	"github.com/stet-dev/stet/number"
	"github.com/stet-dev/stet/prompt"
	"github.com/stet-dev/stet/selector"
)

// A model is the store as DESIGN section 3 tells it, in the simplest code that
// says it: lists that are searched from end to end, and a copy for each change.
// It shares the leaf packages that parse and compare with core, and nothing else.
//
// A model is a value: do returns the next one and leaves it as it is.
type model struct {
	revision uint64
	cleared  uint64 // revision of the last clear
	prompts  map[string]*modelPrompt
	known    *modelKnown // the commits with an id, the last first
	before   *model      // after the commit before; nil where the past is not kept
	forgets  bool        // keep no past: the model is of one prompt among others
	print    uint64      // see fingerprint
}

type modelPrompt struct {
	id       string
	revision uint64
	saved    []*modelVersion // ordinal i+1 at i, deleted ones too
	labels   map[string][]modelMove
}

type modelVersion struct {
	number   number.Number
	ordinal  int
	revision uint64
	deleted  uint64 // the revision, 0 while it lives
	content  content.Content
	draft    *prompt.Draft
	author   string
	message  string
	metadata string
}

type modelMove struct {
	revision        uint64
	from, to        number.Number
	author, message string
}

// modelKnown is what became of a commit with an id.
type modelKnown struct {
	id     string
	asked  string // the operations
	answer Answer
	result []modelResult
	next   *modelKnown
	prints uint64 // of this and those after it, in whatever order
}

// modelResult is what one operation did.
type modelResult struct {
	line  string // of a Result
	saved *modelVersion
	id    string
	bump  string
	same  bool // unchanged
	gone  int
	label string
}

func newModel() *model {
	return &model{prompts: map[string]*modelPrompt{}}
}

// reopened is the model of a store that was closed and opened again: it has
// forgotten what it refused.
func (m *model) reopened() *model {
	n := *m
	n.known, n.print = nil, 0
	for k := m.known; k != nil; k = k.next {
		if k.answer.Code == "" {
			n.remember(*k)
		}
	}
	return &n
}

// A modelTx is a model in the middle of a commit.
type modelTx struct {
	model
	commit  *prompt.Commit
	results []modelResult
}

// commit carries out a commit.
func (m *model) doCommit(c *prompt.Commit) (*model, Answer, []modelResult) {
	for i := range c.Ops {
		if err := malformed(&c.Ops[i]); err != nil {
			return m, refusedAt(err, i), nil
		}
	}
	if len(c.Ops) == 0 {
		return m, refusedAt(fault.New(fault.Invalid, "no operations"), fault.NoOp), nil
	}
	asked := ""
	if c.ID != "" {
		raw, _ := json.Marshal(c)
		asked = string(raw)
		for k := m.known; k != nil; k = k.next {
			switch {
			case k.id != c.ID:
			case k.asked != asked:
				return m, refusedAt(fault.New(fault.Conflict, "other operations"), fault.NoOp), nil
			default:
				a := k.answer
				a.Replayed = a.Code == ""
				return m, a, k.result
			}
		}
	}
	tx := &modelTx{model: *m, commit: c}
	tx.print = 0
	tx.prompts = maps.Clone(m.prompts)
	tx.revision++
	for i := range c.Ops {
		if err := tx.op(&c.Ops[i]); err != nil {
			a := refusedAt(err, i)
			next := m
			if c.ID != "" && (a.Code == string(fault.Conflict) || a.Code == string(fault.NotFound)) {
				n := *m
				n.print = 0
				n.remember(modelKnown{id: c.ID, asked: asked, answer: a})
				next = &n
			}
			return next, a, nil
		}
	}
	a := Answer{Op: fault.NoOp, Revision: tx.revision}
	for _, r := range tx.results {
		a.Lines = append(a.Lines, r.line)
	}
	if !m.forgets {
		tx.before = m
	}
	if c.ID != "" {
		tx.remember(modelKnown{id: c.ID, asked: asked, answer: a, result: tx.results})
	}
	return &tx.model, a, tx.results
}

func refusedAt(err error, op int) Answer { return Answer{Code: string(fault.CodeOf(err)), Op: op} }

func (m *model) remember(k modelKnown) {
	k.next, k.prints = m.known, hashOf(fmt.Sprint(k.id, k.asked, k.answer))
	if k.next != nil {
		k.prints ^= k.next.prints
	}
	m.known = &k
}

// malformed says what is wrong with an operation, whatever the store holds.
func malformed(o *prompt.Op) error {
	try := func(errs ...error) error { return cmp.Or(errs...) }
	parse := func(n string) error {
		if n == "" {
			return nil
		}
		_, err := number.Parse(n)
		return err
	}
	expect := func(e *string) error {
		if e == nil {
			return nil
		}
		return parse(*e)
	}
	switch {
	case o.Save != nil:
		d := o.Save
		err := try(name.CheckID(d.PromptID), parse(d.Version), expect(d.Expect))
		if d.Version != "" && d.Bump != "" {
			err = try(err, fault.New(fault.Invalid, "both"))
		}
		_, bumpErr := number.ParseBump(d.Bump)
		_, contentErr := contentOf(d)
		err = try(err, bumpErr, contentErr)
		for i, l := range d.Labels {
			err = try(err, name.CheckLabel(l))
			if slices.Contains(d.Labels[:i], l) {
				err = try(err, fault.New(fault.Invalid, "twice"))
			}
		}
		for _, p := range d.Parents {
			id, n, ok := strings.Cut(p, "@")
			if !ok || n == "" {
				err = try(err, fault.New(fault.Invalid, "no number"))
			}
			err = try(err, name.CheckID(id), parse(n))
		}
		return err
	case o.Delete != nil:
		return try(name.CheckID(o.Delete.PromptID), parse(o.Delete.Version))
	case o.SetLabel != nil:
		l := o.SetLabel
		_, err := selector.Parse(l.Version)
		if l.Version == "" {
			err = fault.New(fault.Invalid, "no version")
		}
		return try(err, name.CheckID(l.PromptID), name.CheckLabel(l.Label), expect(l.Expect))
	case o.RemoveLabel != nil:
		l := o.RemoveLabel
		return try(name.CheckID(l.PromptID), name.CheckLabel(l.Label), expect(l.Expect))
	case o.Rollback != nil:
		l := o.Rollback
		return try(name.CheckID(l.PromptID), name.CheckLabel(cmp.Or(l.Label, prompt.DefaultLabel)), expect(l.Expect))
	case o.Clear != nil:
		return nil
	}
	return fault.New(fault.Invalid, "nothing")
}

func contentOf(d *prompt.Draft) (content.Content, error) {
	spec := content.Spec{Type: d.Type, Messages: d.Messages, Config: d.Config, Template: d.Template}
	if d.Text != "" || len(d.Messages) == 0 {
		spec.Text = &d.Text
	}
	return content.New(spec)
}

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

func (t *modelTx) op(o *prompt.Op) error {
	var r modelResult
	var err error
	switch {
	case o.Save != nil:
		r, err = t.save(o.Save)
	case o.Delete != nil:
		r, err = t.delete(o.Delete)
	case o.SetLabel != nil:
		l := o.SetLabel
		r, err = t.point(l.PromptID, l.Label, l.Expect, func(p *modelPrompt) (number.Number, error) {
			v, err := p.resolve(l.Version)
			if err != nil {
				return number.Number{}, err
			}
			return v.number, nil
		})
	case o.RemoveLabel != nil:
		l := o.RemoveLabel
		r, err = t.point(l.PromptID, l.Label, l.Expect, func(p *modelPrompt) (number.Number, error) {
			if p.at(l.Label).IsZero() {
				return number.Number{}, absent()
			}
			return number.Number{}, nil
		})
	case o.Rollback != nil:
		l := o.Rollback
		label := cmp.Or(l.Label, prompt.DefaultLabel)
		r, err = t.point(l.PromptID, label, l.Expect, func(p *modelPrompt) (number.Number, error) {
			moves := p.labels[label]
			if len(moves) == 0 || moves[len(moves)-1].from.IsZero() {
				return number.Number{}, absent()
			}
			to := moves[len(moves)-1].from
			if p.find(to) == nil {
				return number.Number{}, absent()
			}
			return to, nil
		})
	case o.Clear != nil:
		t.prompts, t.cleared = map[string]*modelPrompt{}, t.revision
	}
	t.results = append(t.results, r)
	return err
}

func absent() error          { return fault.New(fault.NotFound, "not there") }
func clash(why string) error { return fault.New(fault.Conflict, "%s", why) }

// point moves a label to where to says.
func (t *modelTx) point(id, label string, expect *string, to func(*modelPrompt) (number.Number, error)) (modelResult, error) {
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

func changeLine(label string, from, to number.Number) string {
	return fmt.Sprintf("[%s %s>%s]", label, num(from), num(to))
}

// at is where a label is.
func (p *modelPrompt) at(label string) number.Number {
	if moves := p.labels[label]; len(moves) > 0 {
		return moves[len(moves)-1].to
	}
	return number.Number{}
}

func (p *modelPrompt) move(label string, to number.Number, t *modelTx) {
	moves := p.labels[label]
	from := p.at(label)
	if len(moves) > 0 && from == to {
		return
	}
	p.labels[label] = append(slices.Clip(moves), modelMove{t.revision, from, to, t.commit.Author, t.commit.Message})
}

func (t *modelTx) save(d *prompt.Draft) (modelResult, error) {
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
		if of := t.prompts[id]; of == nil || of.find(number.MustParse(n)) == nil {
			return modelResult{}, absent()
		}
	}
	c, _ := contentOf(d)
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

func savedLine(id string, n number.Number, ordinal uint64, d content.Digest, same bool, bump string) string {
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

func numberOf(v *modelVersion) number.Number {
	if v == nil {
		return number.Number{}
	}
	return v.number
}

// allocate finds the number of a new version.
func (p *modelPrompt) allocate(d *prompt.Draft, c content.Content) (number.Number, string, error) {
	used := func(n number.Number) bool {
		return slices.ContainsFunc(p.saved, func(v *modelVersion) bool { return v.number == n })
	}
	if d.Version != "" {
		n := number.MustParse(d.Version)
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
		return number.New(1, 0, 0), "", nil
	}
	bump, _ := number.ParseBump(d.Bump)
	if bump == number.Auto {
		bump = number.Minor
		if p.latest() != nil {
			switch content.Compare(base.content, c).Level {
			case content.Major:
				bump = number.Major
			case content.Patch, content.None:
				bump = number.Patch
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

func (t *modelTx) delete(d *prompt.Delete) (modelResult, error) {
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
		r.line += changeLine(l, p.at(l), number.Number{})
		p.move(l, number.Number{}, t)
	}
	for _, v := range doomed {
		dead := *v
		dead.deleted = t.revision
		p.saved[v.ordinal-1] = &dead
	}
	return r, nil
}

var hashSeed = maphash.MakeSeed()

func hashOf(s string) uint64 { return max(1, maphash.String(hashSeed, s)) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
