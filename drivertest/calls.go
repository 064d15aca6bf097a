package drivertest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
)

// resends is how often a call is sent again to resolve an outcome: the harness's
// engine loses some answers, not all.
const resends = 50

// resolve calls f until its outcome is known.
func (r *rig) resolve(f func() error) error {
	for i := 0; ; i++ {
		err := f()
		code := stet.CodeOf(err)
		if !r.h.Unreliable || i == resends || code != stet.CodeUnknown && code != stet.CodeUnavailable || r.ctx.Err() != nil {
			return err
		}
	}
}

// tryCommit commits, exactly once, whatever is lost on the way.
func (r *rig) tryCommit(c stet.Commit) (done stet.Done, err error) {
	if c.ID == "" {
		c.ID = r.id()
	}
	err = r.resolve(func() error {
		done, err = r.s().Commit(r.ctx, c)
		return err
	})
	return done, err
}

// trySave saves, exactly once. It calls Save, which has no commit id: if its
// outcome is unknown, the error has one to go on with.
func (r *rig) trySave(d stet.Draft) (saved stet.Saved, err error) {
	for i := 0; ; i++ {
		saved, err = r.s().Save(r.ctx, d)
		if !r.h.Unreliable || i == resends || stet.CodeOf(err) != stet.CodeUnavailable {
			break
		}
	}
	var e *stet.Error
	if !r.h.Unreliable || !errors.As(err, &e) || e.Code != stet.CodeUnknown {
		return saved, err
	}
	if e.CommitID == "" {
		return saved, fmt.Errorf("an unknown outcome without a CommitID: %w", err)
	}
	done, err := r.tryCommit(stet.Commit{ID: e.CommitID, Author: d.Author, Message: d.Message, Ops: []stet.Op{{Save: &d}}})
	if err != nil {
		if errors.As(err, &e) {
			e.Op = -1
		}
		return saved, err
	}
	res := done.Results[0]
	v, err := r.s().Get(r.ctx, d.PromptID+"@"+res.Version.String())
	return stet.Saved{Version: v, Unchanged: res.Unchanged, Bump: res.Bump, Reason: res.Reason, CommitID: done.ID}, err
}

func (r *rig) trySetLabel(l stet.SetLabel) (ch stet.LabelChange, err error) {
	by := r.by()
	err = r.resolve(func() error { ch, err = r.s().SetLabel(r.ctx, by, l); return err })
	return ch, err
}

func (r *rig) tryRemoveLabel(l stet.RemoveLabel) (ch stet.LabelChange, err error) {
	by := r.by()
	err = r.resolve(func() error { ch, err = r.s().RemoveLabel(r.ctx, by, l); return err })
	return ch, err
}

func (r *rig) tryRollback(l stet.Rollback) (ch stet.LabelChange, err error) {
	by := r.by()
	err = r.resolve(func() error { ch, err = r.s().Rollback(r.ctx, by, l); return err })
	return ch, err
}

func (r *rig) tryDelete(d stet.Delete) (n int, err error) {
	by := r.by()
	err = r.resolve(func() error { n, err = r.s().Delete(r.ctx, by, d); return err })
	return n, err
}

func (r *rig) tryClear() error {
	by := r.by()
	return r.resolve(func() error { return r.s().Clear(r.ctx, by) })
}

func (r *rig) tryGet(ref string) (stet.Version, error) { return r.s().Get(r.ctx, ref) }

func (r *rig) by() stet.By {
	return stet.By{Author: "ana", Message: "because", CommitID: r.id()}
}

// The calls that must succeed.

func text(id, s string) stet.Draft { return stet.Draft{PromptID: id, Text: s} }

// numbered is a draft under a number, with a text of its own.
func numbered(id, version string) stet.Draft {
	return stet.Draft{PromptID: id, Version: version, Text: "text of " + version}
}

func (r *rig) save(d stet.Draft) stet.Saved {
	s, err := r.trySave(d)
	r.must(err, "saving %s %s", d.PromptID, d.Version)
	return s
}

// saveAll saves versions under numbers.
func (r *rig) saveAll(id string, versions ...string) {
	for _, v := range versions {
		r.save(numbered(id, v))
	}
}

func (r *rig) commit(ops ...stet.Op) stet.Done {
	d, err := r.tryCommit(stet.Commit{Ops: ops})
	r.must(err, "committing %d operations", len(ops))
	return d
}

func (r *rig) get(ref string) stet.Version {
	v, err := r.tryGet(ref)
	r.must(err, "getting %s", ref)
	return v
}

func (r *rig) head(id string) stet.Head {
	h, err := r.s().Head(r.ctx, id)
	r.must(err, "the head of %s", id)
	return h
}

func (r *rig) label(id, label, version string) stet.LabelChange {
	ch, err := r.trySetLabel(stet.SetLabel{PromptID: id, Label: label, Version: version})
	r.must(err, "setting %s of %s to %s", label, id, version)
	return ch
}

func (r *rig) unlabel(id, label string) stet.LabelChange {
	ch, err := r.tryRemoveLabel(stet.RemoveLabel{PromptID: id, Label: label})
	r.must(err, "removing %s of %s", label, id)
	return ch
}

func (r *rig) rollback(id, label string) stet.LabelChange {
	ch, err := r.tryRollback(stet.Rollback{PromptID: id, Label: label})
	r.must(err, "rolling back %s of %s", label, id)
	return ch
}

func (r *rig) delete(id, version string) int {
	n, err := r.tryDelete(stet.Delete{PromptID: id, Version: version})
	r.must(err, "deleting %s@%s", id, version)
	return n
}

func (r *rig) clear() { r.must(r.tryClear(), "clearing") }

// revision is the newest revision.
func (r *rig) revision() uint64 {
	p, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{Limit: 1})
	r.must(err, "asking for the revision")
	return p.AsOf
}

// numbers is the list of a prompt's numbers, the highest first.
func (r *rig) numbers(id string, o stet.ListOptions) []string {
	var all []string
	for v, err := range r.s().List(r.ctx, id, o) {
		r.must(err, "listing %s", id)
		all = append(all, v.Number().String())
	}
	return all
}

// moves is the history of a label, the newest first, as "FROM>TO".
func (r *rig) moves(id, label string) []string {
	var all []string
	for m, err := range r.s().History(r.ctx, id, label, stet.HistoryOptions{}) {
		r.must(err, "the history of %s of %s", label, id)
		all = append(all, num(m.From)+">"+num(m.To))
	}
	return all
}

// num writes a number, nothing for none.
func num(n stet.Number) string {
	if n.IsZero() {
		return ""
	}
	return n.String()
}

// move writes a change of a label.
func move(l stet.LabelChange) string { return l.Label + ":" + num(l.From) + ">" + num(l.To) }

// state is everything that can be read, to be compared.
func (r *rig) state() string {
	var b strings.Builder
	fmt.Fprintln(&b, "revision", r.revision())
	for h, err := range r.s().Prompts(r.ctx, stet.PromptsOptions{}) {
		r.must(err, "listing prompts")
		h.AsOf = 0
		fmt.Fprintf(&b, "%+v\n", h)
		for v, err := range r.s().List(r.ctx, h.PromptID, stet.ListOptions{}) {
			r.must(err, "listing %s", h.PromptID)
			b.Write(v.AppendJSON(nil))
			b.WriteByte('\n')
		}
		for _, l := range slices.Sorted(maps.Keys(h.Labels)) {
			fmt.Fprintln(&b, l, r.moves(h.PromptID, l))
		}
	}
	return b.String()
}

// unchanged notes a failure unless f leaves everything as it was.
func (r *rig) unchanged(what string, f func()) {
	before := r.state()
	f()
	if after := r.state(); after != before {
		r.fail("%s changed the store, from\n%s\nto\n%s", what, before, after)
	}
}
