package core

import (
	"fmt"
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// A tx is the store as it will be after a batch of commits that is not in the
// log yet: a snapshot and the heads that differ from it. If the batch cannot be
// appended the tx is thrown away, and nothing has happened; if one of its commits is
// refused, what that one has changed is rolled back.
type tx struct {
	base *snapshot

	revision uint64
	hash     stet.Hash
	time     time.Time
	work     uint64
	epoch    uint64
	cleared  uint64

	// heads are the changed ones, or all that there are if the batch cleared
	// the store.
	heads map[string]*head

	// added are the ids of the entries that the tx has, from the one after base.
	added []string

	// deleted are the versions that the batch has deleted. The first deletedBefore of
	// them were deleted by its entries so far.
	deleted       []deleted
	deletedBefore int

	// hints are by epoch, prompt and bump; newHints are those since the last entry.
	hints, newHints map[hintKey]numberHint

	undo []undo // of the changes since the last entry, the newest last
}

// deleted is a version that was deleted, and its prompt.
type deleted struct {
	id      string
	version *version
}

// undo is how to take back one change of a tx.
type undo struct {
	id   string
	head *head // nil if the tx had none
	all  *tx   // the state before a clear
}

func (s *snapshot) begin() *tx {
	return &tx{
		base: s, revision: s.revision, hash: s.hash, time: s.time, work: s.work, epoch: s.epoch, cleared: s.cleared,
		heads: make(map[string]*head),
	}
}

// head returns the head of a prompt as the commits so far have left it, or nil.
func (t *tx) head(id string) *head {
	if h, ok := t.heads[id]; ok {
		return h
	}
	if t.epoch != t.base.epoch {
		return nil
	}
	if sl, ok := t.base.slots.Load(id); ok {
		return sl.head.Load()
	}
	return nil
}

func (t *tx) set(h *head) {
	t.undo = append(t.undo, undo{id: h.id, head: t.heads[h.id]})
	t.heads[h.id] = h
}

// addEntry adds an entry. The changes since the previous entry belong to it, and can no
// longer be rolled back.
func (t *tx) addEntry(e *driver.Entry, c *stet.Change) {
	t.keep()
	t.revision, t.hash = e.Revision, e.Hash
	if c.Time.After(t.time) {
		t.time = c.Time
	}
	t.work += workOf(e, c)
	t.added = append(t.added, e.ID)
}

// notBefore returns the time of the next commit, which is never before that of the last:
// times in the log grow with the revision, whatever a clock says or another store's log
// has, since reads at a time look for theirs by bisection.
func (t *tx) notBefore(at time.Time) time.Time {
	if at.Before(t.time) {
		return t.time
	}
	return at
}

func (t *tx) keep() {
	t.keepHints()
	t.undo = t.undo[:0]
	t.deletedBefore = len(t.deleted)
}

// dropped names the bodies of the versions that were deleted since the last entry.
func (t *tx) dropped() []driver.BodyRef {
	var refs []driver.BodyRef
	for _, g := range t.deleted[t.deletedBefore:] {
		refs = append(refs, bodyRef(g.id, g.version))
	}
	return refs
}

// rollback takes back the changes since the last entry.
func (t *tx) rollback() {
	t.deleted = t.deleted[:t.deletedBefore]
	t.newHints = nil
	for i := len(t.undo) - 1; i >= 0; i-- {
		switch u := t.undo[i]; {
		case u.all != nil:
			t.epoch, t.cleared, t.heads = u.all.epoch, u.all.cleared, u.all.heads
		case u.head == nil:
			delete(t.heads, u.id)
		default:
			t.heads[u.id] = u.head
		}
	}
	t.undo = t.undo[:0]
}

// edit returns a new head of the prompt, already in the tx, for the commit c to
// change.
func (t *tx) edit(id string, c *stet.Change) *head {
	h := t.head(id)
	if h == nil {
		h = &head{id: strings.Clone(id)} // and not a part of a larger string
	}
	h = h.next(c)
	t.set(h)
	return h
}

// apply carries out one resolved operation: the only way in which the state
// changes, for new commits and for those read from the log alike. body is the
// version that a save adds, nil if it is not in memory.
//
// An error means that the operation does not fit the state, which for an entry
// of the log means that the log is damaged. The tx is then to be thrown away.
func (t *tx) apply(c *stet.Change, op int, body *cached) error {
	switch o := &c.Ops[op]; {
	case o.Save != nil:
		return t.applySave(c, op, o.Save, body)
	case o.Delete != nil:
		return t.applyDelete(c, o.Delete)
	case o.Label() != nil:
		return t.applyLabel(c, o.Label())
	case o.Clear != nil:
		t.applyClear(c)
		return nil
	}
	return fmt.Errorf("operation %d is of no known kind", op)
}

func (t *tx) applyClear(c *stet.Change) {
	before := *t
	t.undo = append(t.undo, undo{all: &before})
	t.epoch++
	t.cleared = c.Revision
	t.heads = make(map[string]*head)
}

func (t *tx) applySave(c *stet.Change, op int, s *stet.SaveChange, body *cached) error {
	if s.Unchanged {
		if h := t.head(s.PromptID); h == nil || h.used(s.Version) == nil {
			return fmt.Errorf("%s@%s is said to be unchanged but was never saved", s.PromptID, s.Version)
		}
		if len(s.Labels) == 0 {
			return nil
		}
	}
	h := t.edit(s.PromptID, c)
	v := h.live.get(s.Version)
	if !s.Unchanged {
		if h.used(s.Version) != nil {
			return fmt.Errorf("%s@%s is saved twice", s.PromptID, s.Version)
		}
		if s.Ordinal != uint64(len(h.ordinals))+1 {
			return fmt.Errorf("%s@%s has ordinal %d after %d", s.PromptID, s.Version, s.Ordinal, len(h.ordinals))
		}
		v = &version{
			number: s.Version, digest: s.Digest, revision: c.Revision,
			ordinal: uint32(s.Ordinal), op: uint16(op), check: sealCheck(s.Seal),
		}
		if body != nil {
			body.version = v
			v.body.Store(body)
		}
		if s.Seal.IsZero() { // a copy of a version that was deleted later
			h.addTombstone(v)
			v = nil
		} else {
			h.addVersion(v)
		}
	}
	for _, l := range s.Labels {
		h.moveLabel(l.Label, v, s.Version, c)
	}
	return nil
}

func (t *tx) applyDelete(c *stet.Change, d *stet.DeleteChange) error {
	if d.Deleted == 0 {
		return nil
	}
	h := t.edit(d.PromptID, c)
	for _, l := range d.Labels {
		if h.label(l.Label) == nil {
			return fmt.Errorf("label %s of %s is removed but was never set", l.Label, h.id)
		}
		h.moveLabel(l.Label, nil, stet.Number{}, c)
	}
	var v *version
	if !d.Version.IsZero() {
		v = h.live.get(d.Version)
	}
	if names := h.labelsAt(v); len(names) > 0 && (v != nil || d.Version.IsZero()) {
		return fmt.Errorf("%s@%s is deleted while %s points at it", h.id, d.Version, names[0])
	}
	if d.Version.IsZero() {
		for v := range h.asOf(now).all(true, stet.Number{}) {
			t.deleted = append(t.deleted, deleted{h.id, v})
		}
		h.removeAll()
		return nil
	}
	if v != nil {
		t.deleted = append(t.deleted, deleted{h.id, v})
		h.removeVersion(v)
	} else if h.dead.get(d.Version) == nil {
		return fmt.Errorf("%s@%s is deleted but was never saved", d.PromptID, d.Version)
	}
	return nil
}

func (t *tx) applyLabel(c *stet.Change, l *stet.LabelChange) error {
	h := t.edit(l.PromptID, c)
	if l.To.IsZero() {
		if h.label(l.Label) == nil {
			return fmt.Errorf("label %s of %s is removed but was never set", l.Label, l.PromptID)
		}
		h.moveLabel(l.Label, nil, l.To, c)
		return nil
	}
	v := h.live.get(l.To)
	if v == nil && h.dead.get(l.To) == nil {
		return fmt.Errorf("label %s of %s is set to %s, which was never saved", l.Label, l.PromptID, l.To)
	}
	h.moveLabel(l.Label, v, l.To, c)
	return nil
}
